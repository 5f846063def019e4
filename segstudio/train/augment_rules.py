"""How far samples are changed, as plain values; four of them have names."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from segstudio.errors import SegStudioError


@dataclass(frozen=True, slots=True)
class AugmentRule:
    """0 switches a change off.

    scale: (low, high) of the resize, drawn log-uniformly. most: a crop in which one class has a
    larger share of the labelled pixels is drawn again, `tries` times at most (1: never).
    corrected, rare: shares of crops around a pixel that a human painted, and around a pixel of a
    rare class; the rest lies anywhere.
    flip, blur, noise, rain, fog, dark, cut_mix: how often, 0..1. brightness, contrast, saturation:
    factors of 1 ± that. tint: the same for each channel by itself. hue: ± degrees. gamma: exponents
    of e to the ± that.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    most: float = 1.0
    tries: int = 10
    corrected: float = 0.0
    rare: float = 0.0
    flip: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    tint: float = 0.0
    hue: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    rain: float = 0.0
    fog: float = 0.0
    dark: float = 0.0
    cut_mix: float = 0.0

    def __post_init__(self) -> None:
        shares = (self.most, self.corrected, self.rare, self.flip, self.blur, self.noise, self.rain,
                  self.fog, self.dark, self.cut_mix)  # fmt: skip
        factors = (self.brightness, self.contrast, self.saturation, self.tint)
        if (
            not all(0 <= v <= 1 for v in shares)
            or self.corrected + self.rare > 1
            or not all(0 <= v < 1 for v in factors)
            or not (0 < self.scale[0] <= self.scale[1])
            or min(self.tries, self.hue, self.gamma) < 0
        ):
            raise SegStudioError(
                "A rule of augmentation has a share outside of 0 to 1 or a scale that is not"
                " positive; correct the recipe."
            )

    @staticmethod
    def named(name: str) -> "AugmentRule":
        """One of RULES; SegStudioError when there is none of that name."""
        if name not in RULES:
            raise SegStudioError(
                f"There is no augmentation '{name}'; choose one of {', '.join(RULES)}."
            )
        return RULES[name]


_MILD = AugmentRule(
    scale=(0.75, 1.5),
    most=0.75,
    corrected=0.3,
    rare=0.2,
    flip=0.5,
    brightness=0.15,
    contrast=0.15,
    saturation=0.15,
    tint=0.03,
    gamma=0.15,
)

_STANDARD = dataclasses.replace(
    _MILD,
    scale=(0.5, 2.0),
    brightness=0.25,
    contrast=0.25,
    saturation=0.4,
    tint=0.06,
    hue=6.0,
    gamma=0.3,
    blur=0.15,
    noise=0.15,
)

RULES: Mapping[str, AugmentRule] = {
    "none": AugmentRule(),
    "mild": _MILD,
    "standard": _STANDARD,
    "strong": dataclasses.replace(
        _STANDARD,
        brightness=0.35,
        contrast=0.35,
        saturation=0.5,
        tint=0.08,
        hue=10.0,
        gamma=0.45,
        blur=0.25,
        noise=0.3,
        rain=0.06,
        fog=0.06,
        dark=0.08,
        cut_mix=0.25,
    ),
}
"""none: crops only. mild: for tens of frames (zoo of recipes: scale 0.75 to 1.5). standard: as the
papers train. strong: other cameras, weather and hours too, and pasted parts of other frames."""
