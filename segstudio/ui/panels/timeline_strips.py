"""What the timeline shows of every frame, as one picture: states, confidence, flags, bookmarks.

NumPy, column by column: a hundred thousand frames take a few milliseconds, once, not per paint.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from segstudio.ui.correcting.marks import DONE, DRAFTED, STARTED, Columns
from segstudio.ui.theme import Colors

STATE_TOP, STATE_HEIGHT = 24, 6
SURE_TOP, SURE_HEIGHT = 32, 3
HEIGHT = 36
"""Logical pixels. Marks stand at the top, strips at the bottom, the track has its place between."""

TONES = {DRAFTED: "warn", STARTED: "accent", DONE: "good"}
"""The theme's colour of a state, by its code; a frame to do has none."""

HEIGHTS = {DRAFTED: 2, STARTED: 4, DONE: STATE_HEIGHT}
"""How high a state stands, so that it can be told without its colour."""

FLAG = ("######", "######", "#####.", "####..", "#.....", "#.....", "#.....")
BOOKMARK = ("#####", "#####", "#####", "#####", "#####", "##.##", "#...#")


def first_frames(count: int, width: int) -> NDArray[np.int64]:
    """The first frame of each of `width` columns, int (width,).

    Frame 0 is in the middle of the left edge, the last one of the right edge, as on the track.
    """
    share = np.arange(width) / max(1, width)
    return np.minimum(np.floor(share * (count - 1) + 0.5), count - 1).astype(np.int64)


def strips(columns: Columns, width: int, colors: Colors, ratio: float = 1.0) -> NDArray[np.uint8]:
    """uint8 (h, w, 4) RGBA: `width` and HEIGHT logical pixels at that device pixel ratio."""
    across = max(1, round(width * ratio))
    picture = np.zeros((round(HEIGHT * ratio), across, 4), np.uint8)
    if not len(columns):
        return picture
    first = first_frames(len(columns), across)
    code = np.maximum.reduceat(columns.code, first)
    bottom = round((STATE_TOP + STATE_HEIGHT) * ratio)
    for state, tone in TONES.items():
        top = round((STATE_TOP + STATE_HEIGHT - HEIGHTS[state]) * ratio)
        picture[top:bottom, code == state] = _rgba(getattr(colors, tone))
    sure = np.fmin.reduceat(columns.confidence, first)
    known = np.flatnonzero(~np.isnan(sure))
    if len(known):
        area = slice(round(SURE_TOP * ratio), round((SURE_TOP + SURE_HEIGHT) * ratio))
        picture[area, known] = _by_confidence(sure[known], colors)
    for found, shape, tone, shift in (
        (columns.bookmarked, BOOKMARK, "accent", -len(BOOKMARK[0])),
        (columns.flagged, FLAG, "bad", 1),
    ):
        share = np.flatnonzero(found) / max(1, len(columns) - 1)
        at = np.unique(np.round(share * (across - 1)).astype(np.int64))
        _stamp(picture, at + round(shift * ratio), shape, _rgba(getattr(colors, tone)), ratio)
    return picture


def image(picture: NDArray[np.uint8], ratio: float) -> QImage:
    """The same for a painter; it keeps a copy."""
    high, wide = picture.shape[:2]
    view = QImage(picture.data, wide, high, 4 * wide, QImage.Format.Format_RGBA8888)
    made = view.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    made.setDevicePixelRatio(ratio)
    return made


def _stamp(
    picture: NDArray[np.uint8], at: NDArray[np.int64], shape: tuple[str, ...],
    color: NDArray[np.uint8], ratio: float,
) -> None:  # fmt: skip
    """Draw a small shape with its left edge in each of these columns."""
    if not len(at):
        return
    drawn = np.array([[c == "#" for c in line] for line in shape])
    side = max(1, round(ratio))
    drawn = drawn.repeat(side, 0).repeat(side, 1)
    at = np.clip(at, 0, max(0, picture.shape[1] - drawn.shape[1]))
    for y, x in np.argwhere(drawn).tolist():
        if y < picture.shape[0]:
            picture[y, np.minimum(at + x, picture.shape[1] - 1)] = color


def _by_confidence(sure: NDArray[np.float32], colors: Colors) -> NDArray[np.uint8]:
    """uint8 (n, 4): red below one half, over amber to green at 1."""
    stops = np.array([0.5, 0.75, 1.0])
    known = np.stack([_rgba(getattr(colors, tone)) for tone in ("bad", "warn", "good")])
    parts = [np.interp(sure, stops, known[:, channel]) for channel in range(4)]
    return np.stack(parts, 1).astype(np.uint8)


def _rgba(color: str) -> NDArray[np.uint8]:
    found = QColor(color)
    return np.array([found.red(), found.green(), found.blue(), 255], np.uint8)
