"""Nets with a way for detail and a way for context: BiSeNet, STDC-Seg, DDRNet, PIDNet.

Words are those of the papers that the nets' own files name.
"""

import re
from typing import Any

from torch import nn

from segstudio.nets.backbones.dual_resolution import POOLINGS
from segstudio.nets.titles.kinds import kernel_of
from segstudio.nets.titles.rules import Rule, Table, number

HEAD = Rule("head", "head", "Segmentation head")
AUX8 = Rule("aux8", "auxiliary head at 1/8")
AUX16 = Rule("aux16", "auxiliary head at 1/16")
FUSION = Rule("fusion", "feature fusion", "Feature fusion of both paths")
CONTEXT = Rule("context", "context path", "Context path, behind the backbone")


def _booster(_: nn.Module, match: "re.Match[str]") -> str:
    index = number(match)
    return f"booster head on {f'stage {index + 2}' if index else 'the stem'}"


def _fourth_or_third(owner: Any, match: "re.Match[str]") -> str:  # noqa: ANN401  a DDRNet
    """DDRNet-39 has its third stage in parts, with a fusion behind each."""
    branch = {"context": "context branch", "detail": "detail branch"}[match[1]]
    return f"{branch} · {_ddr_stage(owner, number(match, 2))}"


def _fusion(owner: Any, match: "re.Match[str]") -> str:  # noqa: ANN401  a DDRNet
    way = "context into detail" if match[1] == "compression" else "detail into context"
    return f"fusion behind {_ddr_stage(owner, number(match, 2))} · {way}"


def _ddr_stage(owner: Any, index: int) -> str:  # noqa: ANN401  a DDRNet
    parts = len(owner.context) - 1
    if index == parts:
        return "stage 4"
    return "stage 3" + (f", part {index + 1}" if parts > 1 else "")


def _scale(_: nn.Module, match: "re.Match[str]") -> str:
    index = number(match)
    if index == 0:
        return "scale 1, the map itself"
    if index > len(POOLINGS):
        return f"scale {index + 1}, global average"
    window = POOLINGS[index - 1][0]
    return f"scale {index + 1}, {window}×{window} averages"


def _dense(owner: nn.Module, match: "re.Match[str]") -> str:
    child = owner.get_submodule(match[0])
    return f"convolution {number(match) + 1}, {kernel_of(child)}"


def _pyramid(owner: nn.Module, _: "re.Match[str]") -> str:
    return type(owner.get_submodule("pyramid")).__name__


def _whole_pyramid(owner: nn.Module, match: "re.Match[str]") -> str:
    return f"{_pyramid(owner, match)}, pyramid pooling"


PYRAMID = (
    Rule("scales", "scales"),
    Rule(r"scales\.(\d+)", _scale),
    Rule("processes", "processing of the scales"),
    Rule(r"processes\.(\d+)", "scale {1+2}, with the finer one"),
    Rule("process", "processing of all scales"),
    Rule("compression", "compression of all scales"),
    Rule("shortcut", "shortcut"),
)

CLASSES_LAST = (Rule("5", "classes"),)

BRANCHES = {
    "i": "context branch (I)",
    "p": "detail branch (P)",
    "d": "boundary branch (D)",
}


def _pid_branch(_: nn.Module, match: "re.Match[str]") -> str:
    return BRANCHES[match[1]]


def _pid_stage(_: nn.Module, match: "re.Match[str]") -> str:
    return f"{BRANCHES[match[1]]} · stage {number(match, 2) + 3}"


TABLE: Table = {
    "bisenet_v1.BiSeNet": (
        Rule("resnet", "context path · backbone", "Context path · backbone, ResNet"),
        Rule("spatial", "spatial path"),
        CONTEXT,
        FUSION,
        HEAD,
        AUX8,
        AUX16,
    ),
    "context_path.ContextPath": (
        Rule("arm16", "attention refinement at 1/16"),
        Rule("arm32", "attention refinement at 1/32"),
        Rule("average", "global average"),
        Rule("up32", "enlarged to 1/16"),
        Rule("up16", "enlarged to 1/8"),
    ),
    "context_path.AttentionRefinement": (Rule("attention", "channel weights"),),
    "context_path.FeatureFusion": (
        Rule("conv", "both paths together", "both paths together, 1×1 convolution"),
        Rule("attention", "channel weights"),
    ),
    "context_path.Head": (Rule("1", "classes"),),
    "bisenet_v2.BiSeNetV2": (
        Rule("detail", "detail branch"),
        Rule("semantic", "semantic branch"),
        Rule("aggregation", "aggregation", "Guided aggregation of both branches"),
        HEAD,
        Rule("boosters", "booster heads"),
        Rule(r"boosters\.(\d+)", _booster),
    ),
    "bisenet_v2.DetailBranch": (Rule(r"stage(\d)", "stage {1}"),),
    "bisenet_v2.SemanticBranch": (
        Rule("stem", "stem"),
        Rule(r"stage(\d)", "stage {1}"),
        Rule("context", "stage 5 · context embedding"),
    ),
    "bisenet_v2.Stem": (
        Rule("first", "first", "first convolution, 3×3, stride 2"),
        Rule("left", "convolutions", "by convolutions"),
        Rule("right", "by max pooling"),
        Rule("fuse", "fusion", "fusion of both"),
    ),
    "bisenet_v2.GatherExpand": (
        Rule("gather", "gather"),
        Rule("expand", "expansion"),
        Rule("project", "projection"),
        Rule("shortcut", "shortcut"),
    ),
    "bisenet_v2.ContextEmbedding": (
        Rule("norm", "norm of the mean"),
        Rule("embed", "mean", "1×1 convolution of the mean"),
        Rule("last", "sum", "3×3 convolution of the sum"),
    ),
    "bisenet_v2.GuidedAggregation": (
        Rule("detail_keep", "detail at 1/8", "detail branch at 1/8"),
        Rule("detail_down", "detail at 1/32", "detail branch, down to 1/32"),
        Rule("semantic_up", "gate at 1/8", "gate from the semantic branch, for 1/8"),
        Rule("semantic_keep", "gate at 1/32", "gate from the semantic branch, for 1/32"),
        Rule("last", "sum", "3×3 convolution of the sum"),
    ),
    "bisenet_v2.Head": (Rule("2", "classes"),),
    "stdc.STDC": (
        Rule(r"stage(\d)", "backbone · stage {1}"),
        CONTEXT,
        Rule("fusion", "feature fusion", "Feature fusion of stage 3 and context"),
        HEAD,
        AUX8,
        AUX16,
    ),
    "stdc.ShortTermDenseConcatenate": (
        Rule("convs", "convolutions"),
        Rule(r"convs\.(\d)", _dense),
        Rule("down", "on to convolution 2"),
        Rule("keep", "kept of convolution 1"),
    ),
    "ddrnet.DDRNet": (
        Rule("stem", "stem", "Stem, down to 1/4"),
        Rule(r"layer(\d)", "shared · stage {1}"),
        Rule("context", "context branch"),
        Rule("detail", "detail branch"),
        Rule(r"(context|detail)\.(\d)", _fourth_or_third),
        Rule("context_last", "context branch · stage 5"),
        Rule("detail_last", "detail branch · stage 5"),
        Rule("compression", "fusions", "Fusions, context into detail"),
        Rule("down", "fusions", "Fusions, detail into context"),
        Rule(r"(compression|down)\.(\d)", _fusion),
        Rule("pyramid", _pyramid, _whole_pyramid),
        HEAD,
        Rule("aux", "auxiliary head", "Auxiliary head on the detail branch"),
    ),
    "dual_resolution.DAPPM": PYRAMID,
    "dual_resolution.Head": CLASSES_LAST,
    "pidnet.PAPPM": PYRAMID,
    "pidnet.PIDNet": (
        Rule("stem", "stem", "Stem, down to 1/4"),
        Rule(r"layer(\d)", "shared · stage {1}"),
        Rule("([ipd])_branch", _pid_branch),
        Rule(r"([ipd])_branch\.(\d)", _pid_stage),
        Rule("compression", "context for Pag", "Context for Pag, compressed"),
        Rule(r"compression\.(\d)", "Pag {1+1} · context", "Pag {1+1} · context, compressed"),
        Rule("pag", "Pag", "Pag, detail takes context"),
        Rule(r"pag\.(\d)", "Pag {1+1}", "Pag {1+1}, detail takes context"),
        Rule("difference", "context for boundaries"),
        Rule(r"difference\.(\d)", "boundary branch (D) · context from stage {1+3}"),
        Rule("pyramid", _pyramid, _whole_pyramid),
        Rule("bag", "Bag", "Bag, boundaries choose detail or context"),
        HEAD,
        Rule("aux", "auxiliary head", "Auxiliary head on the detail branch"),
    ),
    "pidnet.Pag": (Rule("of_p", "of the detail"), Rule("of_i", "of the context")),
    "pidnet.Bag": (Rule("last", "sum", "3×3 convolution of the sum"),),
    "pidnet.LightBag": (Rule("of_p", "of the detail"), Rule("of_i", "of the context")),
}
