"""COCO: regions as run lengths or polygons in JSON lists.

    images/train/drive_000010.jpg
    annotations/instances_train.json      a list for each split; "train" where nothing is split

Run lengths are written in COCO's compressed text, one for each class or each instance, `iscrowd` 0.
Polygons: one annotation for each connected region, its corners those of pixels; a hole is joined to
the outer ring by a cut, because readers unite the rings of an annotation. Void has no annotation.
Read: both, compressed or not; polygons to the pixel as pycocotools fills them; crowds below, and
smaller regions above larger ones.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from segstudio.core.classes import ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail import coco_lists
from segstudio.formats.detail.coco_objects import (
    ObjectReader,
    numbered_annotations,
    open_objects,
    run_length_annotations,
)
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.object_polygons import Polygons, object_polygons
from segstudio.formats.outlining.shapes import OUTLINES, rule_of
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format


class CocoWriter:
    """See the module. ids: classes numbered from 0; their category ids are one more."""

    def __init__(self, classes: ClassMap, shape: str, tolerance: float) -> None:
        self._classes, self.ids = numbered(classes)
        self._as_polygons = shape == "polygons"
        self._tolerance = tolerance
        self.is_exact = not self._as_polygons or not tolerance
        self.cannot: tuple[str, ...] = ()
        if not self.is_exact:
            self.cannot = (f"Borders are moved by up to about {tolerance:g} px.",)

    def frame(self, item: Labelled) -> Written:
        """No label file of its own: its annotations go into the list."""
        labels = looked_up(self.ids, item.labels)
        if self._as_polygons:
            found = object_polygons(labels, item.instances, self._tolerance)
            rows = [_annotation(one) for one in found]
        else:
            rows = run_length_annotations(labels, item.instances)
        picture = coco_lists.picture_path(item) if item.picture is not None else None
        return Written((), picture, coco_lists.entry(item, rows))

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """annotations/instances_<split>.json."""
        known = coco_lists.categories(self._classes)
        return coco_lists.lists("instances", known, entries, numbered_annotations())


def _annotation(one: Polygons) -> dict[str, Any]:
    return {
        "category_id": one.class_id + 1,
        "segmentation": [ring.round(2).ravel().tolist() for ring in one.rings],
        "area": one.area,
        "bbox": [round(side, 2) for side in one.box],
        "iscrowd": 0,
    }


@file_format
class Coco:
    """See the module."""

    name = "coco"
    title = "COCO"
    about = "JSON lists of regions, as run lengths or polygons; detection programs read it."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "shape",
            "Regions as",
            "rle",
            "How the pixels of a region are written.",
            {"rle": "Run lengths, exact", "polygons": "Polygons"},
        ),
        Option(
            "tolerance",
            "Tolerance",
            0.0,
            "How far a polygon's border may be moved to have fewer corners, in pixels.",
            high=20.0,
        ),
    )
    reads_with: tuple[Option, ...] = (OUTLINES,)

    def writer(self, classes: ClassMap, options: Values) -> CocoWriter:
        """Any class set of up to 255 classes."""
        return CocoWriter(classes, str(options["shape"]), float(options["tolerance"]))

    def sniff(self, source: Source) -> Guess | None:
        """Sure of lists that are called instances_…; less so of other JSON with such keys."""
        found = coco_lists.find_lists(source, "instances")
        if not found:
            return None
        is_named = found[0].stem.startswith("instances_")
        why = f"{found[0]} lists images, categories and annotations."
        return Guess(self.name, 0.95 if is_named else 0.8, why, {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> ObjectReader:
        """The categories of the lists are the classes."""
        found = coco_lists.find_lists(source, "instances")
        if not found:
            raise FormatError(
                f"{source.title} holds no JSON with COCO's images, annotations and categories;"
                " choose the folder that has it."
            )
        return open_objects(source, found, rule_of(options))
