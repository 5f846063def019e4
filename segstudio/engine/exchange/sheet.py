"""The picture of a video that shows several things at once: panes, their titles and a legend.

All of it is sized once, from the first frame: a video has one size. Frames of another size are
fitted into their pane, whole and in the middle.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.compose import Colors
from segstudio.core.mask_style import MaskStyle

Picture: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.uint8]
Entry: TypeAlias = tuple[int, str]
"""Class id and name, in the legend."""

BACK, INK, FAINT = (22, 24, 29), (236, 238, 242), (150, 157, 170)
"""RGB of the sheet, of what is written on it and of what is less important."""

LINES = 3
"""Of a legend at most."""

_GAP = 4
"""Pixels between panes."""

_FONTS = ("DejaVuSans.ttf", "segoeui.ttf", "Arial.ttf", "LiberationSans-Regular.ttf")
"""Of the system, the first that is there; without them Pillow's own, which knows ASCII only."""


@lru_cache(maxsize=8)
def _font(size: int) -> "tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, bool]":
    """And whether it knows more than ASCII."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    return ImageFont.load_default(size), False


def _plain(text: str, size: int) -> str:
    """The text as the font can write it."""
    if _font(size)[1]:
        return text
    apart = unicodedata.normalize("NFKD", text.replace("·", "-").replace("×", "x"))
    return apart.encode("ascii", "ignore").decode()


def _shortened(text: str, size: int, room: int) -> str:
    """As much of it as there is room for, in pixels."""
    font, _ = _font(size)
    text = _plain(text, size)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return f"{text}..." if text else ""


class Painter:
    """Lays labels over frames, in the style of the window."""

    def __init__(self, style: MaskStyle) -> None:
        self.style = style
        self._colors = Colors(style)

    def paint(self, rgb: Picture, labels: Labels | None) -> Picture:
        """uint8 (H, W, 3), new where something is drawn; labels: uint8 (H, W) of the same size."""
        opacity = self.style.opacity
        if labels is None or self.style.hidden or opacity <= 0:
            return rgb
        argb = self._colors.mask(np.ascontiguousarray(labels), (0, 0))
        top = cv2.cvtColor(argb.view(np.uint8).reshape(*labels.shape, 4), cv2.COLOR_BGRA2RGB)
        mixed = cv2.addWeighted(rgb, 1 - opacity, top, opacity, 0.0)
        drawn = (argb != 0).view(np.uint8)
        return np.asarray(cv2.copyTo(mixed, drawn, rgb.copy()), np.uint8)


class Sheet:
    """The size of everything, and how it is put together.

    size: (height, width) of the sheet, even. pane: the same of each picture in it.
    """

    def __init__(
        self,
        frame: tuple[int, int],
        panes: int = 1,
        *,
        is_titled: bool,
        widest: int | None = None,
        legend: Sequence[Entry] = (),
        colors: NDArray[np.uint8] | None = None,
    ) -> None:
        """frame: (height, width) of the first one. panes: how many. widest: pixels across at most.
        legend: what it may say. colors: uint8 (256, 3), RGB by class id, of the legend.
        """
        self._columns = panes if panes <= 3 else math.ceil(panes / 2)
        self._rows = math.ceil(panes / self._columns)
        self._colors = np.zeros((256, 3), np.uint8) if colors is None else colors
        gap = _GAP if is_titled else 0
        room = (widest or 1 << 30) - gap * (self._columns - 1)
        scale = min(1.0, room / (self._columns * frame[1]))
        self.pane = max(2, round(frame[0] * scale)), max(2, round(frame[1] * scale))
        height, width = self.pane
        self._text = min(22, max(11, round(height / 34)))
        self._bar = 2 * self._text if is_titled else 0
        across = self._columns * width + gap * (self._columns - 1)
        self._gap, self._across = gap, across
        lines = list(_in_lines(legend, self._text, across))
        self._is_fixed = len(lines) <= LINES
        self._legend = min(len(lines), LINES) * self._line + (self._text if lines else 0)
        down = self._rows * (height + self._bar) + gap * (self._rows - 1) + self._legend
        self.size = down + down % 2, across + across % 2
        self._strips: dict[tuple[str, bool], Picture] = {}
        self._fixed = self._drawn(lines) if lines and self._is_fixed else None

    @property
    def _line(self) -> int:
        """Pixels from one line of the legend to the next."""
        return round(1.7 * self._text)

    @property
    def needs_entries(self) -> bool:
        """The legend has no room for all classes: say for each frame which ones count."""
        return bool(self._legend) and not self._is_fixed

    def fitted(self, rgb: Picture) -> Picture:
        """A frame as large as a pane, whole."""
        return _placed(rgb, self.pane, BACK, cv2.INTER_AREA)

    def fitted_labels(self, labels: Labels) -> Labels:
        """The same with labels, void around them."""
        return _placed(labels, self.pane, (VOID,), cv2.INTER_NEAREST)

    def together(
        self,
        pictures: Sequence[Picture],
        titles: Sequence[tuple[str, bool]],
        entries: Sequence[Entry] = (),
    ) -> Picture:
        """uint8 (size, 3). pictures: of the panes' size. titles: and whether there is something.

        entries: of the legend, most important first, where it needs them.
        """
        if len(pictures) == 1 and not self._bar and not self._legend:
            return pictures[0]
        whole = np.full((*self.size, 3), BACK, np.uint8)
        height, width = self.pane
        for number, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
            row, column = divmod(number, self._columns)
            y = row * (height + self._bar + self._gap)
            x = column * (width + self._gap)
            if self._bar:
                whole[y : y + self._bar, x : x + width] = self._strip(*title)
            whole[y + self._bar : y + self._bar + height, x : x + width] = picture
        if self._legend:
            legend = self._fixed
            if legend is None:
                legend = self._drawn(list(_in_lines(entries, self._text, self._across))[:LINES])
            bottom = self._rows * (height + self._bar) + self._gap * (self._rows - 1)
            whole[bottom : bottom + self._legend, : self._across] = legend
        return whole

    def _strip(self, text: str, is_there: bool) -> Picture:  # noqa: FBT001 - a pair from `together`
        known = self._strips.get((text, is_there))
        if known is None:
            image = Image.new("RGB", (self.pane[1], self._bar), BACK)
            short = _shortened(text, self._text, self.pane[1] - self._text)
            ImageDraw.Draw(image).text(
                (self._text // 2, self._bar // 2), short, INK if is_there else FAINT,
                _font(self._text)[0], anchor="lm",
            )  # fmt: skip
            known = self._strips[text, is_there] = np.asarray(image, np.uint8)
        return known

    def _drawn(self, lines: Sequence[Sequence[tuple[int, Entry]]]) -> Picture:
        image = Image.new("RGB", (self._across, self._legend), BACK)
        draw, text = ImageDraw.Draw(image), self._text
        for number, line in enumerate(lines):
            middle = text // 2 + round((number + 0.5) * self._line)
            for x, (class_id, name) in line:
                red, green, blue = (int(v) for v in self._colors[class_id])
                half = text // 2
                draw.rectangle(
                    (x, middle - half, x + text, middle - half + text), (red, green, blue)
                )
                at = x + round(1.5 * text), middle
                room = self._across - at[0] - half
                draw.text(at, _shortened(name, text, room), INK, _font(text)[0], anchor="lm")
        return np.asarray(image, np.uint8)


def legend_of(classes: ClassMap, style: MaskStyle) -> tuple[Entry, ...]:
    """The classes that are drawn, as the set lists them."""
    return tuple((c.id, c.name) for c in classes.classes if style.visible[c.id])


def _in_lines(
    entries: Sequence[Entry], text: int, across: int
) -> Iterator[list[tuple[int, Entry]]]:
    """Lines of (x, entry), as many as are needed."""
    font, _ = _font(text)
    x, line = text // 2, list[tuple[int, Entry]]()
    for entry in entries:
        wide = round(1.5 * text + font.getlength(_plain(entry[1], text)))
        if line and x + wide + text // 2 > across:
            yield line
            x, line = text // 2, []
        line.append((x, entry))
        x += wide + round(1.2 * text)
    if line:
        yield line


def _placed(
    pixels: Picture, pane: tuple[int, int], around: tuple[int, ...], how: int
) -> NDArray[np.uint8]:
    """Scaled to fit and put into the middle; itself where it fits already."""
    height, width = pixels.shape[:2]
    if (height, width) == pane:
        return pixels
    scale = min(pane[0] / height, pane[1] / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)
    if small.shape[:2] == pane:
        return small
    whole = np.full((*pane, *pixels.shape[2:]), around if pixels.ndim == 3 else around[0], np.uint8)
    y, x = (pane[0] - small.shape[0]) // 2, (pane[1] - small.shape[1]) // 2
    whole[y : y + small.shape[0], x : x + small.shape[1]] = small
    return whole
