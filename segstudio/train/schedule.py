"""Learning rates as pure functions of the step."""

import math

from segstudio.core.train_rules import ScheduleRule


def rate(step: int, rule: ScheduleRule) -> float:
    """Factor 0..1 on the base learning rate for the step with that number, from 0 on.

    After the last step of the rule it stays where it ended.
    """
    done = min(1.0, step / rule.steps)
    if rule.kind == "poly":
        # DeepLab v2 (Chen et al. 2018, section 4.1.1); PSPNet and BiSeNet V2 follow it.
        decay = rule.floor + (1 - rule.floor) * (1.0 - done) ** rule.power
    elif rule.kind == "cosine":
        # Loshchilov and Hutter 2017, section 3, equation 5, without restarts.
        decay = rule.floor + (1 - rule.floor) * (1 + math.cos(math.pi * done)) / 2
    elif rule.kind == "step":
        decay = rule.drop ** (step // rule.drop_every)
    else:
        decay = 1.0
    return float(decay * warm_up(step, rule.warm_up))


def warm_up(step: int, steps: int) -> float:
    """Factor that rises linearly to 1 in so many steps; the first step has 1/steps already."""
    return min(1.0, (step + 1) / steps) if steps > 0 else 1.0
