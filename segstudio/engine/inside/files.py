"""What is seen inside a model as pictures and files: colours, exact numbers, channels side by side.

Pictures have the frame's size and lie exactly on it, or that of the layer. Files are whole or
absent.
"""

import io
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.atomic import atomic_write
from segstudio.core.compose import Colors
from segstudio.core.feature_map import ChannelSheet, FeatureMap
from segstudio.core.frame import Frame
from segstudio.core.map_drawing import colored, drawn, over, pixel_middles
from segstudio.core.map_style import MapStyle
from segstudio.core.mask_style import MaskStyle
from segstudio.store.masks import write_picture

TILE = 240
"""Width of a channel in a mosaic, pixels."""

STRIP = 20
"""Height of the line above it that says its number."""

GAP = 4
"""Between channels."""

GROUND, INK = (24, 24, 24), (224, 224, 224)


def render(map: FeatureMap, style: MapStyle, frame: Frame) -> NDArray[np.uint8]:  # noqa: A002
    """The map over the frame, RGB uint8 (H, W, 3); the frame alone where there are no cells."""
    rows, cols = pixel_middles(frame.height), pixel_middles(frame.width)
    return over(frame.rgb, map, style, rows, cols)


def render_cells(map: FeatureMap, style: MapStyle) -> NDArray[np.uint8]:  # noqa: A002
    """The map alone at its own size, RGB uint8 (h, w, 3): one pixel for each cell."""
    return colored(map.values, map, style)


def render_sheet(sheet: ChannelSheet, style: MapStyle, frame: Frame) -> NDArray[np.uint8]:
    """The channels side by side, each the whole frame in small under its number; RGB uint8."""
    high = max(1, round(TILE * frame.height / frame.width))
    rows = (np.arange(high, dtype=np.float64) + 0.5) * frame.height / high
    cols = (np.arange(TILE, dtype=np.float64) + 0.5) * frame.width / TILE
    across = math.ceil(math.sqrt(len(sheet.channels)))
    down = math.ceil(len(sheet.channels) / across)
    size = GAP + down * (STRIP + high + GAP), GAP + across * (TILE + GAP), 3
    out: NDArray[np.uint8] = np.empty(size, np.uint8)
    out[:] = GROUND
    for place, channel in enumerate(sheet.channels):
        y = GAP + place // across * (STRIP + high + GAP)
        x = GAP + place % across * (TILE + GAP)
        at = x + 2, y + STRIP - 6
        cv2.putText(out, str(channel), at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)
        y += STRIP
        out[y : y + high, x : x + TILE] = drawn(sheet.map_of(place), style, rows, cols)
    return out


def save_map_png(
    map: FeatureMap,  # noqa: A002
    style: MapStyle,
    frame: Frame,
    path: Path,
    *,
    at: str = "frame",
    masks: tuple[NDArray[np.uint8], MaskStyle] | None = None,
) -> None:
    """One map as PNG. at: "frame", over it at its size, or "layer", alone at its own size.

    masks: labels uint8 (H, W) that lie over it, and how; only at "frame".

    SegStudioError when it cannot be written; so with all that follow.
    """
    picture = render_cells(map, style) if at == "layer" else render(map, style, frame)
    if masks is not None and at == "frame":
        picture = with_masks(picture, *masks)
    write_picture(path, picture)


def with_masks(
    rgb: NDArray[np.uint8], labels: NDArray[np.uint8], style: MaskStyle
) -> NDArray[np.uint8]:
    """Labels over a picture as the window draws them at its full size, RGB uint8 (H, W, 3)."""
    argb = Colors(style).mask(labels, (0, 0)) if not style.hidden else np.zeros(labels.shape)
    covered = argb != 0
    out = rgb.copy()
    colors = np.stack([(argb[covered].astype(np.uint32) >> s) & 0xFF for s in (16, 8, 0)], -1)
    mixed = rgb[covered] * (1 - style.opacity) + colors * style.opacity
    out[covered] = np.rint(mixed).astype(np.uint8)
    return out


def save_sheet_png(sheet: ChannelSheet, style: MapStyle, frame: Frame, path: Path) -> None:
    """The channels side by side as PNG."""
    write_picture(path, render_sheet(sheet, style, frame))


def save_map_npy(map: FeatureMap, path: Path) -> None:  # noqa: A002
    """float32 (h, w) or (h, w, 3); where exact numbers were not kept, what the bytes stand for."""
    if map.exact is not None:
        save_values_npy(map.exact, path)
        return
    step = np.float32((map.high - map.low) / 255)
    save_values_npy(map.values * step + np.float32(map.low), path)


def save_values_npy(values: NDArray[np.float32], path: Path) -> None:
    """Any float32 array."""
    content = io.BytesIO()
    np.save(content, np.asarray(values, np.float32), allow_pickle=False)
    atomic_write(path, content.getvalue())
