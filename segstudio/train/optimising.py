"""Optimisers whose rates differ between the parts of a net."""

import re
from typing import Any

import torch
from torch import nn

from segstudio.core.train_rules import OptimiserRule
from segstudio.nets.registry import NetSpec
from segstudio.train.parts import Part, layout_of

_UNDECAYED = re.compile(r"(^|[._])(pos_embed|position_embeddings?|cls_token|bias|\w*bias_table)")
"""Tensors of several dimensions that say where, and not what: no weight decay either."""


def parameter_groups(net: nn.Module, spec: NetSpec, rule: OptimiserRule) -> list[dict[str, Any]]:
    """Groups for an optimiser: every parameter of the net in exactly one, frozen ones too.

    Of a group: "params"; "names", theirs; "part", a word of `Part`; "stage", of the backbone where
    the rule tells stages apart, else 0; "lr" and "initial_lr", the learning rate of the rule times
    its factors; "weight_decay", 0 for norms and biases. No group is empty.
    """
    layout = layout_of(net, spec)
    parameters = dict(net.named_parameters())
    stages = layout.stages_of(parameters)
    last = max(stages.values(), default=0)
    norms = _of_norms(net)
    groups: dict[tuple[Part, int, bool], dict[str, Any]] = {}
    for name, parameter in parameters.items():
        part = layout.part_of(name)
        stage = stages[name] if part is Part.BACKBONE and rule.stage_decay < 1 else 0
        decays = parameter.ndim > 1 and name not in norms and not _UNDECAYED.search(name)
        if (part, stage, decays) not in groups:
            factor = 1.0
            if part is Part.HEAD:
                factor = rule.head_factor
            elif part is Part.BACKBONE:
                factor = rule.backbone_factor * rule.stage_decay ** (last - stage)
            groups[part, stage, decays] = {
                "params": [],
                "names": [],
                "part": str(part),
                "stage": stage,
                "lr": rule.learning_rate * factor,
                "initial_lr": rule.learning_rate * factor,
                "weight_decay": rule.weight_decay if decays else 0.0,
            }
        groups[part, stage, decays]["params"].append(parameter)
        groups[part, stage, decays]["names"].append(name)
    return list(groups.values())


def build_optimiser(net: nn.Module, spec: NetSpec, rule: OptimiserRule) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW with its usual betas, over `parameter_groups`."""
    groups = parameter_groups(net, spec, rule)
    if rule.name == "adamw":
        return torch.optim.AdamW(groups, lr=rule.learning_rate)
    return torch.optim.SGD(groups, lr=rule.learning_rate, momentum=rule.momentum)


def _of_norms(net: nn.Module) -> set[str]:
    """Names of the parameters of norms, of whatever kind."""
    return {
        f"{module_name}.{name}" if module_name else name
        for module_name, module in net.named_modules()
        if type(module).__name__.rstrip("12d").lower().endswith("norm")
        for name, _ in module.named_parameters(recurse=False)
    }
