"""What a recipe may say about loss, optimiser and learning rate."""

import dataclasses
import json

import pytest

from segstudio.core.train_rules import LossRule, OptimiserRule, ScheduleRule
from segstudio.errors import SegStudioError


@pytest.mark.parametrize(
    "rule",
    [
        LossRule("focal", class_weights=(1.0, 2.5), border=10, border_classes=(3, 8)),
        OptimiserRule("adamw", learning_rate=6e-5, head_factor=10),
        ScheduleRule(500, "cosine", warm_up=10),
    ],
)
def test_a_rule_survives_json(rule):
    assert type(rule)(**json.loads(json.dumps(dataclasses.asdict(rule)))) == rule


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: LossRule("hinge"), "no loss called 'hinge'; choose one of ce, ohem, focal"),
        (lambda: LossRule(dice=0.7, lovasz=0.5), "Dice and Lovász together is 1.2"),
        (lambda: LossRule(class_weights=(1.0, -1.0)), "class weight is below zero"),
        (
            lambda: LossRule(class_weights=(float("nan"),)),
            "class weight is below zero or no number",
        ),
        (lambda: LossRule(label_smoothing=float("nan")), "smoothed labels is nan"),
        (lambda: LossRule(ohem_keep=0), "must be 1 or more"),
        (lambda: OptimiserRule("lion"), "no optimiser called 'lion'"),
        (lambda: OptimiserRule(learning_rate=0), "above zero"),
        (lambda: OptimiserRule(stage_decay=1.5), "between 0.01 and 1"),
        (lambda: ScheduleRule(100, "exp"), "choose one of poly, cosine, constant, step"),
        (lambda: ScheduleRule(0), "number of steps is 0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(build, said):
    with pytest.raises(SegStudioError, match=said):
        build()
