"""labelme: a JSON file beside each picture, with polygons or masks.

    labels.txt                            __ignore__, _background_, then the classes
    train/drive_000010.jpg                train/ only where frames are split
    train/drive_000010.json

A label file covers its whole frame: void is `__ignore__`. Polygons run through the centres of the
outermost pixels of a region, and what fills a hole comes after what has it: so labelme itself,
which fills borders and knows no holes, finds every pixel again. Read: every shape that labelme
draws (lines 10 px wide, as it makes masks of them), later ones over earlier ones, and the files of
X-AnyLabeling, which are the same.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.labelme_json import (
    BACKGROUND,
    IGNORE,
    LIST,
    LabelmeReader,
    json_files,
    looks_labelme,
    open_labelme,
)
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import unique_names
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.outlines import nested, outlines
from segstudio.formats.outlining.segments import segments
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

VERSION = "5.5.0"
"""Of labelme: the first whose files hold masks is 5.2."""

_LOOKED_AT = 5


class LabelmeWriter:
    """See the module. ids: places of the names in labels.txt, `__ignore__` not counted."""

    def __init__(self, classes: ClassMap, shapes: str, tolerance: float) -> None:
        self._as_polygons = shapes == "polygons"
        self._tolerance = tolerance if self._as_polygons else 0.0
        self.is_exact = not self._tolerance
        order = sorted(classes.classes, key=lambda c: c.id)
        called = unique_names(classes)
        others = [name for name in called if name not in (IGNORE, BACKGROUND)]
        background = [BACKGROUND] if BACKGROUND in called or len(others) < VOID else []
        self._listed = [*background, *others]
        self._names = {VOID: IGNORE}
        self.ids: NDArray[np.uint8] = np.full(256, VOID, np.uint8)
        for known, name in zip(order, called, strict=True):
            if name != IGNORE:
                self._names[known.id] = name
                self.ids[known.id] = self._listed.index(name)
        self._own = np.where(self.ids == VOID, VOID, np.arange(256)).astype(np.uint8)
        self.cannot = tuple(self._said(called))

    def _said(self, called: list[str]) -> Iterator[str]:
        if IGNORE in called:
            yield f"The class {IGNORE} becomes void: labelme gives that name to what has no class."
        if not self.is_exact:
            yield f"Borders are moved by up to about {self._tolerance:g} px."

    def frame(self, item: Labelled) -> Written:
        """Its JSON file. FormatError when it has more regions than polygons are written for."""
        labels = self._own[item.labels]
        draw = self._polygons if self._as_polygons else self._masks
        height, width = item.size
        suffix = item.picture.suffix if item.picture is not None else ".png"
        content: dict[str, Any] = {
            "version": VERSION,
            "flags": {},
            "shapes": list(draw(labels, item.instances)),
            "imagePath": f"{item.name}{suffix}",
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        place = PurePosixPath(item.split, f"{item.name}.json")
        file = OutFile(place, json.dumps(content, ensure_ascii=False).encode())
        picture = None
        if item.picture is not None:
            picture = place.with_name(f"{item.name}{suffix}")
        return Written((file,), picture, {})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """labels.txt."""
        text = "\n".join([IGNORE, *self._listed]) + "\n"
        yield OutFile(PurePosixPath(LIST), text.encode())

    def _polygons(
        self, labels: NDArray[np.uint8], instances: NDArray[np.int32] | None
    ) -> Iterator[dict[str, Any]]:
        regions = outlines(
            labels,
            self._tolerance,
            instances=None if instances is None else np.maximum(instances, 0),
            with_void=True,
            through="centres",
        )
        for region in nested(regions):
            points = region.outer.tolist()
            # labelme refuses polygons of one point or two, which is what a line of pixels is.
            points += points[-1:] * (3 - len(points))
            yield self._shape(region.class_id, region.instance, "polygon", points)

    def _masks(
        self, labels: NDArray[np.uint8], instances: NDArray[np.int32] | None
    ) -> Iterator[dict[str, Any]]:
        void = labels == VOID
        if void.any():
            rows, columns = np.flatnonzero(void.any(axis=1)), np.flatnonzero(void.any(axis=0))
            box = int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
            yield self._mask(VOID, 0, box, void)
        for one in segments(labels, instances):
            x, y, width, height = one.box
            inside = labels == one.class_id
            if instances is not None:
                inside &= np.maximum(instances, 0) == one.number
            yield self._mask(
                one.class_id, one.number, (x, y, x + width - 1, y + height - 1), inside
            )

    def _mask(
        self, class_id: int, number: int, box: tuple[int, int, int, int], inside: NDArray[np.bool_]
    ) -> dict[str, Any]:
        x0, y0, x1, y1 = box
        content = rasters.encode_grey(inside[y0 : y1 + 1, x0 : x1 + 1].astype(np.uint8))
        points = [[float(x0), float(y0)], [float(x1), float(y1)]]
        return self._shape(class_id, number, "mask", points, b64encode(content).decode())

    def _shape(
        self,
        class_id: int,
        number: int,
        kind: str,
        points: list[list[float]],
        mask: str | None = None,
    ) -> dict[str, Any]:
        return {
            "label": self._names[class_id],
            "points": points,
            "group_id": number if number > 0 and class_id != VOID else None,
            "description": "",
            "shape_type": kind,
            "flags": {},
            "mask": mask,
        }


@file_format
class Labelme:
    """See the module."""

    name = "labelme"
    title = "labelme"
    about = "A JSON file of polygons or masks beside each picture, to go on drawing in labelme."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "shapes",
            "Shapes",
            "polygons",
            "What regions become.",
            {"polygons": "Polygons, which can be edited", "masks": "Masks, one for each class"},
        ),
        Option(
            "tolerance",
            "Tolerance",
            0.0,
            "Pixels by which borders of polygons may move, to have fewer points; 0 keeps them all.",
            high=50.0,
        ),
    )
    reads_with: tuple[Option, ...] = (
        Option(
            "unlabelled",
            "Without a shape",
            "auto",
            "What pixels are that no shape covers.",
            {
                "auto": f"{BACKGROUND} where labels.txt has it, else void",
                "void": "Void",
                "background": "A class of their own",
            },
        ),
        Option(
            "objects",
            "Objects",
            default=True,
            about="Each shape, or each group of shapes, is a single object.",
        ),
    )

    def writer(self, classes: ClassMap, options: Values) -> LabelmeWriter:
        """Any class set."""
        return LabelmeWriter(classes, str(options["shapes"]), float(options["tolerance"]))

    def sniff(self, source: Source) -> Guess | None:
        """By the first JSON files."""
        files = json_files(source)
        for path in files[:_LOOKED_AT]:
            try:
                found = looks_labelme(source.head(path))
            except FormatError:
                continue
            if found:
                why = f"{path} holds shapes, as labelme writes them."
                return Guess(self.name, 0.9, why, {})
        return None

    def open(
        self,
        source: Source,
        options: Values,
        classes: ClassMap | None = None,
    ) -> LabelmeReader:
        """FormatError when no file has shapes."""
        return open_labelme(
            source, unlabelled=str(options["unlabelled"]), with_objects=bool(options["objects"])
        )
