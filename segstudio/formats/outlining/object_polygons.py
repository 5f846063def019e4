"""Labels as polygons, one object each: a connected region, or all regions of an instance."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.formats.outlining.outlines import outlines
from segstudio.formats.outlining.segments import segments
from segstudio.formats.outlining.shapes import bridged


@dataclass(slots=True)
class Polygons:
    """rings: float64 (n, 2) x, y each, at pixel corners, holes joined to them by cuts; together by
    the even-odd rule the object. area: its pixels, before any simplification."""

    class_id: int
    rings: list[NDArray[np.float64]] = field(default_factory=list)
    area: int = 0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width and height of its corners."""
        low = np.min([ring.min(axis=0) for ring in self.rings], axis=0)
        high = np.max([ring.max(axis=0) for ring in self.rings], axis=0)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def object_polygons(
    labels: NDArray[np.uint8], instances: NDArray[np.int32] | None, tolerance: float
) -> list[Polygons]:
    """Objects of uint8 (H, W), in the order of their first pixels; nothing for void.

    instances: as in `Labelled`. tolerance: how far a border may be moved, in pixels.
    """
    parts, owners, together = labels, list(range(VOID)), frozenset[int]()
    found = segments(labels, instances) if instances is not None else []
    # Labels hold no more than 255 objects; of more, those of one class that touch are one.
    if 0 < len(found) <= VOID:
        steps = np.zeros(labels.size + 1, np.int32)
        for place, one in enumerate(found):
            steps[one.starts] += place + 1
            steps[one.ends] -= place + 1
        # No segment is 0 here, and 0 less 1 is void.
        parts = (np.cumsum(steps[:-1]) - 1).astype(np.uint8).reshape(labels.shape)
        owners = [one.class_id for one in found]
        together = frozenset(place for place, one in enumerate(found) if one.number)
    objects: dict[tuple[str, int], Polygons] = {}
    for region in outlines(parts, tolerance):
        points = bridged(region.outer, region.holes)
        if len(points) < 3:
            continue
        is_whole = region.class_id in together
        key = ("instance", region.class_id) if is_whole else ("region", region.number)
        made = objects.setdefault(key, Polygons(owners[region.class_id]))
        made.rings.append(points)
        made.area += region.area
    return list(objects.values())
