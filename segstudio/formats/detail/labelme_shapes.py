"""labelme's shapes as pixels: as Pillow draws them, filled and with their outline."""

import binascii
import math
from base64 import b64decode
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segstudio.core.area import Area
from segstudio.core.geometry import Rect
from segstudio.errors import FormatError
from segstudio.formats.files.fields import Fields
from segstudio.formats.masks import rasters
from segstudio.formats.outlining.filling import fill_area
from segstudio.formats.outlining.shapes import MAX_POINTS

LINE_WIDTH = 10
"""Pixels: labelme draws lines that wide when it makes masks of them."""

POINT_RADIUS = 5

_FURTHEST = 8
"""Sizes of the picture: points further away are moved nearer, as in `filling`."""


def area_of(shape: Fields, height: int, width: int) -> Area:
    """The pixels of one entry of "shapes". FormatError with the field that is damaged."""
    kind = shape.text("shape_type", "polygon")
    points = points_of(shape)
    if kind == "mask":
        return _mask(shape, points, height, width)
    if kind in _POLYGONS:
        return fill_area([points], height, width, "pil")
    draw, least = _DRAWN.get(kind, (None, 0))
    if draw is None:
        raise FormatError(
            f"{shape.where}: 'shape_type' is '{kind[:40]}', which is not known; known are mask,"
            f" {', '.join([*_POLYGONS, *_DRAWN])}."
        )
    if len(points) < least:
        raise FormatError(
            f"{shape.where}: 'points' has {len(points)} of the {least} that a {kind} needs; draw it"
            " again."
        )
    most = _FURTHEST * max(height, width)
    image = Image.new("L", (width, height))
    draw(ImageDraw.Draw(image), np.clip(points, -most, most))
    return Area(Rect(0, 0, height, width), np.asarray(image).astype(np.bool_))


def points_of(shape: Fields, field: str = "points") -> NDArray[np.float64]:
    """float64 (n, 2) x, y of a list of pairs. FormatError when it is none, or none is a number."""
    rows = shape.rows(field)
    is_fine = len(rows) <= MAX_POINTS and all(
        isinstance(row, list) and len(row) == 2 and all(type(v) in (int, float) for v in row)
        for row in rows
    )
    try:
        points = np.array(rows, np.float64).reshape(-1, 2) if is_fine else None
    except OverflowError:
        points = None
    if points is None or not np.isfinite(points).all():
        raise FormatError(
            f"{shape.where}: '{field}' is no list of [x, y] numbers; export it again."
        )
    return points


def _mask(shape: Fields, points: NDArray[np.float64], height: int, width: int) -> Area:
    """A PNG inside the JSON, with the box that it covers, both corners included."""
    where = f"{shape.where}, 'mask'"
    if len(points) != 2:
        raise FormatError(
            f"{shape.where}: a mask needs two 'points', its corners; export it again."
        )
    (x0, y0), (x1, y1) = np.trunc(points).tolist()
    if not (0 <= x0 <= x1 < width and 0 <= y0 <= y1 < height):
        raise FormatError(
            f"{shape.where}: the 'points' of a mask lie outside the picture; export it again."
        )
    try:
        content = b64decode(shape.text("mask"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"{where} is no base64; export it again.") from error
    values = rasters.decode(content, where).values
    box = Rect(int(y0), int(x0), int(y1) + 1, int(x1) + 1)
    if values.shape != (box.height, box.width):
        raise FormatError(
            f"{where} has the shape {values.shape}, and 'points' say {(box.height, box.width)};"
            " export it again."
        )
    return Area(box, values > 0)


def _rectangle(pen: ImageDraw.ImageDraw, points: NDArray[np.float64]) -> None:
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    pen.rectangle([x0, y0, x1, y1], fill=1, outline=1)


def _circle(pen: ImageDraw.ImageDraw, points: NDArray[np.float64]) -> None:
    """Its centre, and a point on it."""
    (x, y), (a, b) = points[:2].tolist()
    _disc(pen, x, y, math.hypot(x - a, y - b))


def _point(pen: ImageDraw.ImageDraw, points: NDArray[np.float64]) -> None:
    x, y = points[0].tolist()
    _disc(pen, x, y, POINT_RADIUS)


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=1, outline=1)


def _line(pen: ImageDraw.ImageDraw, points: NDArray[np.float64]) -> None:
    pen.line(points.ravel().tolist(), fill=1, width=LINE_WIDTH)


_POLYGONS = ("polygon", "rotation", "oriented_rectangle", "quadrilateral")
"""The others are X-AnyLabeling's and newer names of polygons with four corners."""

_DRAWN: dict[str, tuple[Callable[[ImageDraw.ImageDraw, NDArray[np.float64]], None], int]] = {
    "rectangle": (_rectangle, 2),
    "circle": (_circle, 2),
    "line": (_line, 2),
    "linestrip": (_line, 2),
    "point": (_point, 1),
}
