"""Maps of a model's inside as colours, at whatever places of the frame somebody looks at.

A cell is drawn where it looks at the picture, not stretched over the frame as if its edges were
the frame's: a layer's padding, an even kernel or a cropped skip shift it by parts of a cell.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.color_maps import SEGMENT_COLORS, table
from segstudio.core.feature_map import FeatureMap
from segstudio.core.map_style import MapStyle

Places: TypeAlias = NDArray[np.float64]
"""float64 (n,), rising, evenly spaced: frame coordinates of the middles of pixels to be drawn."""


OUTER = 0.5
"""Cells that the outer ones reach beyond themselves."""


def drawn(map: FeatureMap, style: MapStyle, rows: Places, cols: Places) -> NDArray[np.uint8]:  # noqa: A002
    """RGB uint8 (rows, cols, 3); beside the cells it goes on with the nearest one."""
    row, col = cells(map, rows, cols)
    if style.is_smooth and map.kind != "segments":
        values = _smooth(map.values, row, col)
    else:
        inner = np.take(map.values, _clipped(row, map.values.shape[0]), axis=0)
        values = np.take(inner, _clipped(col, map.values.shape[1]), axis=1)
    return colored(values, map, style)


def colored(
    values: NDArray[np.uint8],
    map: FeatureMap,  # noqa: A002
    style: MapStyle,
) -> NDArray[np.uint8]:
    """RGB uint8 (h, w, 3) of values of that map, uint8 (h, w) or (h, w, 3)."""
    if map.kind == "rgb":
        return np.ascontiguousarray(values)
    colors = np.ascontiguousarray(color_table(map, style)[None])
    wide = np.broadcast_to(values[..., None], (*values.shape, 3))
    return np.asarray(cv2.LUT(np.ascontiguousarray(wide), colors), np.uint8)


def color_table(map: FeatureMap, style: MapStyle) -> NDArray[np.uint8]:  # noqa: A002
    """uint8 (256, 3): the colour of every value of a map that is not "rgb"."""
    if map.kind == "segments":
        return np.ascontiguousarray(np.resize(SEGMENT_COLORS, (256, 3)))
    colors = table(style.color_map)
    return np.ascontiguousarray(colors[::-1] if style.is_reversed else colors)


def cells(map: FeatureMap, rows: Places, cols: Places) -> tuple[Places, Places]:  # noqa: A002
    """Continuous cell coordinates of frame places; cell i covers i to i + 1."""
    lattice = map.lattice
    return (
        (rows - lattice.start[0]) / lattice.step[0],
        (cols - lattice.start[1]) / lattice.step[1],
    )


def covered(map: FeatureMap, rows: Places, cols: Places) -> tuple[slice, slice]:  # noqa: A002
    """The part of the places that lies on cells of the map: networks without padding see less.

    The outer cells reach half a cell further: a layer of stride 8 has its last middle up to 8
    pixels before the edge, and nothing but that cell speaks for what is left.
    """
    row, col = cells(map, rows, cols)
    return _inside(row, map.values.shape[0]), _inside(col, map.values.shape[1])


def over(
    rgb: NDArray[np.uint8],
    map: FeatureMap,  # noqa: A002
    style: MapStyle,
    rows: Places,
    cols: Places,
) -> NDArray[np.uint8]:
    """The map over a picture, RGB uint8 (rows, cols, 3); where there are no cells the picture."""
    part = covered(map, rows, cols)
    out = rgb.copy()
    if part[0].start < part[0].stop and part[1].start < part[1].stop:
        top = drawn(map, style, rows[part[0]], cols[part[1]])
        out[part] = cv2.addWeighted(
            np.ascontiguousarray(rgb[part]), 1 - style.opacity, top, style.opacity, 0.0
        )
    return out


def pixel_middles(count: int) -> Places:
    """Of the frame's own pixels."""
    return np.arange(count, dtype=np.float64) + 0.5


def _smooth(values: NDArray[np.uint8], row: Places, col: Places) -> NDArray[np.uint8]:
    """Bilinear between the middles of cells; the places are affine, so one warp does it."""
    matrix = np.array([[*_line(col)], [*_line(row)]])
    affine = np.array([[matrix[0, 0], 0.0, matrix[0, 1]], [0.0, matrix[1, 0], matrix[1, 1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (len(col), len(row))
    made = cv2.warpAffine(values, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, np.uint8)


def _line(places: Places) -> tuple[float, float]:
    """(step, first) in the coordinates of middles: cell i has its middle at i."""
    step = (places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else 1.0
    return float(step), float(places[0]) - 0.5


def _clipped(places: Places, count: int) -> NDArray[np.intp]:
    return np.clip(np.floor(places).astype(np.intp), 0, count - 1)


def _inside(places: Places, count: int) -> slice:
    first = int(np.searchsorted(places, -OUTER, side="left"))
    end = int(np.searchsorted(places, count + OUTER, side="left"))
    return slice(first, max(first, end))
