"""Learning rates as pure functions of the step."""


def poly(step: int, *, steps: int, power: float, warm_up: int) -> float:
    """Factor 0..1 on the base learning rate: linear warm-up, then (1 - step/steps) ** power.

    The poly rule is DeepLab v2's (Chen et al. 2018, section 4.1.1), used by BiSeNet V2.
    """
    decay = max(0.0, 1.0 - step / steps) ** power
    rise = min(1.0, (step + 1) / warm_up) if warm_up > 0 else 1.0
    return float(decay * rise)
