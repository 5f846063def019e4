"""Cityscapes' polygons: drawn one over the other, the later over the earlier, and never with holes.

They are drawn through the middles of pixels, as cityscapesScripts does with Pillow: an edge covers
the pixels it runs through. So the outline of a region runs through its outermost pixels, and a
region inside another is drawn after it; without a tolerance every pixel comes back (measured on
3,000 random rasters). With one, neighbours have the simplified border in common.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segstudio.core.class_mapping import plain
from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.cityscapes_labels import UNLABELED, numbers
from segstudio.formats.masks.rasters import MAX_PIXELS
from segstudio.formats.outlining.outlines import nested, outlines

GROUP = "group"
"""At the end of a label: several objects that nobody told apart."""

_FARTHEST = 1_000_000
"""A corner further away is no pixel of any picture."""

_MOST_EFFORT = 8e9
"""Of `_effort`: seconds, where real files take milliseconds."""


def objects_of(
    ids: NDArray[np.uint8],
    instance_ids: NDArray[np.uint16],
    names: Mapping[int, str],
    tolerance: float = 0.0,
) -> list[dict[str, Any]]:
    """The objects of a polygons file in the order in which they must be drawn.

    ids: as in labelIds. instance_ids: what keeps objects apart. names: id → label. tolerance: see
    `outlines`. Of classes with single objects, what has no number is a group.
    """
    found = outlines(
        ids, tolerance, instances=instance_ids.astype(np.int32), with_void=True, through="centres"
    )
    return [
        {"label": _label(one.class_id, one.instance, names), "polygon": _corners(one.outer),
         "id": place, "deleted": 0, "verified": 1, "user": "segstudio", "date": ""}
        for place, one in enumerate(nested(found))
    ]  # fmt: skip


def _label(class_id: int, instance_id: int, names: Mapping[int, str]) -> str:
    is_group = class_id in numbers().things and instance_id == class_id
    return names[class_id] + (GROUP if is_group else "")


def _corners(ring: NDArray[np.float64]) -> list[list[int]]:
    """[[x, y], …] of pixels, at least three: readers take fewer for no polygon."""
    corners: list[list[int]] = np.floor(ring).astype(int).tolist()
    return corners + corners[-1:] * (3 - len(corners))


def drawn(
    content: object, classes: ClassMap, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.int32] | None]:
    """Labels uint8 (H, W) and instances int32 (H, W) or None, from what a polygons file holds.

    classes: what its labels may be. Deleted objects and license plates are not drawn; objects of
    the void kind at 0 are. FormatError with `name` and the field when anything is not as it must
    be.
    """
    width, height, objects = _checked(content, name)
    image = Image.new("I", (width, height), 0)
    draw = ImageDraw.Draw(image)
    ids = {plain(c.name): c.id for c in classes.classes}
    ids["unlabeled"] = VOID
    counts: dict[int, int] = {}
    label_of, number_of = [VOID], [0]  # by what is drawn: 1 is the first object, 0 is nothing
    effort = 0.0
    for place, one in enumerate(objects):
        field = f"objects[{place}]"
        label, polygon, is_deleted = _object(one, name, field)
        if is_deleted or not len(polygon) or plain(label) == "licenseplate":
            continue
        class_id, is_group = _class_of(label, ids, name, field)
        number = 0
        if class_id in numbers().things and not is_group:
            number = counts[class_id] = counts.get(class_id, 0) + 1
        label_of.append(class_id)
        number_of.append(number)
        effort += _effort(polygon, width, height)
        if effort > _MOST_EFFORT:
            raise FormatError(
                f"{name} would take minutes to draw: its polygons have too many or too long edges;"
                " simplify it."
            )
        points = [(x, y) for x, y in polygon.tolist()]
        draw.polygon(points + points[-1:] * (2 - len(points)), fill=len(label_of) - 1)
    drawn_as = np.asarray(image)
    labels: NDArray[np.uint8] = np.array(label_of, np.uint8)[drawn_as]
    if not counts:
        return labels, None
    return labels, np.array(number_of, np.int32)[drawn_as]


def _effort(polygon: NDArray[np.float64], width: int, height: int) -> float:
    """About how many nanoseconds Pillow draws it: each edge is looked at in each row of the
    polygon, each crossing sorted, each pixel filled (measured with up to 100,000 corners)."""
    x = np.clip(polygon[:, 0], 0, width)
    y = np.clip(polygon[:, 1], 0, height)
    rows = float(np.ptp(y)) + 1
    crossings = float(np.abs(np.diff(y, append=y[:1])).sum()) + len(y)
    return 2 * len(y) * rows + 600 * crossings + rows * (float(np.ptp(x)) + 1)


def _checked(content: object, name: str) -> tuple[int, int, list[object]]:
    if not isinstance(content, dict):
        raise FormatError(f'{name} is no polygons file; it begins with {{"imgHeight": …}}.')
    sides = []
    for field in ("imgWidth", "imgHeight"):
        side = content.get(field)
        if isinstance(side, bool) or not isinstance(side, int) or not 0 < side <= MAX_PIXELS:
            raise FormatError(
                f"{name}: '{field}' is no number of pixels; write the picture's size there."
            )
        sides.append(side)
    if sides[0] * sides[1] > MAX_PIXELS:
        raise FormatError(
            f"{name} says {sides[0]}×{sides[1]} pixels, and up to {MAX_PIXELS // 1_000_000} million"
            " are read; correct imgWidth and imgHeight."
        )
    objects = content.get("objects")
    if not isinstance(objects, list):
        raise FormatError(f"{name}: 'objects' is no list; export the file again.")
    return sides[0], sides[1], objects


def _object(one: object, name: str, field: str) -> tuple[str, NDArray[np.float64], bool]:
    if not isinstance(one, dict) or not isinstance(one.get("label"), str):
        raise FormatError(f"{name}: '{field}' has no label; export the file again.")
    try:
        polygon = np.array(one.get("polygon"), np.float64).reshape(-1, 2)
    # NumPy says any of these of lists that are not pairs of numbers.
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FormatError(
            f"{name}: '{field}.polygon' is no list of [x, y]; export the file again."
        ) from error
    if not (np.abs(polygon) <= _FARTHEST).all():  # NaN fails too
        raise FormatError(
            f"{name}: '{field}.polygon' has corners that are in no picture; correct them."
        )
    return one["label"], polygon, one.get("deleted") in (1, True)


def _class_of(label: str, ids: Mapping[str, int], name: str, field: str) -> tuple[int, bool]:
    """Its id, and whether it is a group: `cargroup` is one of cars, `polegroup` a class."""
    known = ids.get(plain(label))
    if known is not None:
        return known, False
    if label.endswith(GROUP) and plain(label.removesuffix(GROUP)) in ids:
        return ids[plain(label.removesuffix(GROUP))], True
    raise FormatError(
        f"{name}: '{field}.label' is '{label[:60]}', which is no class of Cityscapes; add a"
        " label_colors.txt with the classes, or rename it."
    )


def names_of(classes: ClassMap) -> dict[int, str]:
    """Id → label, with "unlabeled" for 0."""
    return {UNLABELED: "unlabeled", **{c.id: c.name for c in classes.classes}}
