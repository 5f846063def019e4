"""Labels as colours and back, by a table and with a tolerance of zero."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import listed
from segstudio.core.classes import VOID, ClassMap

Color = tuple[int, int, int]


class ColorTable:
    """Classes by their exact colours. void: colours that mean void.

    doubled: colours that several classes have, which only say "one of these": the first by id gets
    the pixels.
    """

    def __init__(self, classes: ClassMap, void: Iterable[Color] = ()) -> None:
        self._ids: dict[int, int] = {}
        shared: dict[Color, list[str]] = {}
        for known in sorted(classes.classes, key=lambda c: c.id):
            self._ids.setdefault(_packed(known.color), known.id)
            shared.setdefault(known.color, []).append(known.name)
        for color in void:
            self._ids.setdefault(_packed(color), VOID)
        self.doubled = {color: names for color, names in shared.items() if len(names) > 1}

    def labels(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], dict[Color, int]]:
        """uint8 (H, W, 3) → labels uint8 (H, W), and unknown colours with their pixels.

        Pixels of unknown colours are void.
        """
        code = rgb[..., 0].astype(np.int64) << 16
        code |= rgb[..., 1].astype(np.int64) << 8
        code |= rgb[..., 2]
        labels = np.take(self._table, code, mode="clip")
        void, counts = np.unique(code[labels == VOID], return_counts=True)
        unknown = {
            _unpacked(int(c)): int(n)
            for c, n in zip(void, counts, strict=True)
            if int(c) not in self._ids
        }
        return labels, unknown

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        """uint8 (2^24,): the label of every colour there is. One look-up a pixel, 40 times faster
        than sorting the colours of a picture."""
        table = np.full(1 << 24, VOID, np.uint8)
        for color, class_id in self._ids.items():
            table[color] = class_id
        return table


def colored(labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3): labels in colour. palette: uint8 (n <= 256, 3); other ids are black."""
    import cv2  # here, because windows show formats before OpenCV is loaded

    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = palette
    planes = [cv2.LUT(labels, np.ascontiguousarray(table[:, c])) for c in range(3)]
    return np.asarray(cv2.merge(planes), np.uint8).reshape(*labels.shape, 3)


def unknown_in_words(unknown: dict[Color, int], most: int = 6) -> str:
    """The colours that no class has, by their pixels, in a sentence; "" for none."""
    if not unknown:
        return ""
    first = sorted(unknown, key=lambda c: -unknown[c])[:most]
    told = listed([f"#{r:02x}{g:02x}{b:02x} ({unknown[r, g, b]:,} px)" for r, g, b in first])
    more = f" and {len(unknown) - most} more" if len(unknown) > most else ""
    return f"No class has the colours {told}{more}; their pixels became void."


def _packed(color: Color) -> int:
    return (color[0] << 16) | (color[1] << 8) | color[2]


def _unpacked(code: int) -> Color:
    return (code >> 16, (code >> 8) & 255, code & 255)
