"""How a model is put to a frame: whole, in windows, at several sizes, mirrored, refined."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from segstudio.errors import SettingsError

KINDS = ("whole", "sliding", "mirror")
"""whole: the frame at once. sliding: overlapping windows, their softmax faded into each other.
mirror: overlap-tile (Ronneberger et al., MICCAI 2015): the picture is mirrored at its borders, and
of every tile only the middle counts."""

PRECISIONS = ("auto", "fp32", "bf16", "fp16")

DEFAULT_TILE = 768
"""Side of a window in pixels where none was named; the next that the net takes is used."""

MAX_OVERLAP = 0.9
MAX_SCALE = 4.0


@dataclass(frozen=True, slots=True)
class Strategy:
    """Everything about a prediction that is neither the model nor the device.

    kind: one of KINDS. tile: (h, w) of a window in pixels of the net's input, None: DEFAULT_TILE.
    overlap: 0..0.9, the part of a window's side that it shares with the next one. scales: factors
    on the side of the input, in (0, 4]; the softmax of all is averaged. flip: also the mirror
    image, averaged likewise. input_scale: factor on the card's size rule. size: (h, w) that the
    net sees, whatever the frame's shape. full_resolution: frame pixels one to one, the card's
    short_side put aside. precision: "auto" or a number type. compile: let torch compile the net.
    crf: refine the borders with a dense conditional random field.

    SettingsError, with the remedy, for a value that makes no sense.
    """

    kind: str = "whole"
    tile: tuple[int, int] | None = None
    overlap: float = 1 / 3
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    input_scale: float = 1.0
    size: tuple[int, int] | None = None
    full_resolution: bool = False
    precision: str = "auto"
    compile: bool = False
    crf: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        _check(self.kind in KINDS, "kind", self.kind, f"choose {', '.join(KINDS)}")
        _check(
            self.precision in PRECISIONS,
            "precision",
            self.precision,
            f"choose {', '.join(PRECISIONS)}",
        )
        for name in ("flip", "full_resolution", "compile", "crf"):
            value = getattr(self, name)
            _check(isinstance(value, bool), name, value, "choose true or false")
        for name in ("tile", "size"):
            value = getattr(self, name)
            _check(_is_size(value), name, value, "give height and width in pixels")
        _check(
            _is_number(self.overlap) and 0 <= self.overlap <= MAX_OVERLAP,
            "overlap",
            self.overlap,
            f"choose 0 to {MAX_OVERLAP}",
        )
        scales = (*self.scales, self.input_scale)
        _check(
            bool(self.scales) and all(_is_number(s) and 0 < s <= MAX_SCALE for s in scales),
            "scale",
            scales,
            f"choose factors above 0, at most {MAX_SCALE:g}",
        )

    @property
    def is_plain(self) -> bool:
        """True when a frame takes one forward pass and nothing after it."""
        return self.kind == "whole" and self.scales == (1.0,) and not (self.flip or self.crf)

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults."""
        default = Strategy()
        found: dict[str, Any] = {}
        for field in fields(Strategy):
            value = getattr(self, field.name)
            if value != getattr(default, field.name):
                found[field.name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Strategy":
        """What `to_json` gave; SettingsError for anything else."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise SettingsError(
                f"A strategy has no '{unknown[0]}'; it has {', '.join(sorted(known))}."
            )
        given: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**given)

    def told(self) -> str:
        """In a few words, for people: "sliding 512×1024, 3 scales, mirrored"."""
        words = {"whole": "whole frame", "sliding": "sliding window", "mirror": "mirrored tiles"}
        parts = [words[self.kind]]
        if self.kind != "whole" and self.tile is not None:
            parts[0] += f" {self.tile[1]}×{self.tile[0]}"
        if self.full_resolution:
            parts.append("full resolution")
        elif self.size is not None:
            parts.append(f"at {self.size[1]}×{self.size[0]}")
        elif self.input_scale != 1:
            parts.append(f"at {100 * self.input_scale:.0f} %")
        if len(self.scales) > 1:
            parts.append(f"{len(self.scales)} scales")
        parts += [
            word
            for word, is_on in (
                ("averaged with the mirror image", self.flip),
                ("compiled", self.compile),
                ("dense CRF", self.crf),
            )
            if is_on
        ]
        return ", ".join(parts)


def _check(is_right: bool, name: str, value: object, remedy: str) -> None:  # noqa: FBT001
    if not is_right:
        raise SettingsError(f"The strategy's {name} cannot be {value!r}; {remedy}.")


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _is_size(value: object) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in value)
    )
