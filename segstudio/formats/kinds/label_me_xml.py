"""The XML of the LabelMe tool, as CVAT and Datumaro write and read it: masks or polygons.

    train/drive_000010.jpg                train/ only where frames are split
    train/drive_000010.xml
    train/Masks/drive_000010_mask_0.png   of the picture's size, transparent outside of the object
    dataset_meta.json                     Datumaro's list of classes; LabelMe has none

One object for each class, or each single object where they are known; of polygons, one for each
region, its corners those of pixels, a hole joined to the outline by a cut. Void has no object.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail.label_me_files import (
    MASKS,
    META,
    LabelMeReader,
    looks_label_me,
    open_label_me,
    xml_files,
)
from segstudio.formats.files.markup import text
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import unique_names
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.outlines import Region, outlines
from segstudio.formats.outlining.segments import segments
from segstudio.formats.outlining.shapes import OUTLINES, bridged, rule_of
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

_LOOKED_AT = 5


class LabelMeWriter:
    """See the module. ids: classes numbered from 0, as in dataset_meta.json."""

    def __init__(self, classes: ClassMap, shapes: str, tolerance: float) -> None:
        self._classes, self.ids = numbered(classes)
        self._names = unique_names(self._classes)
        self._as_polygons = shapes == "polygons"
        self._tolerance = tolerance if self._as_polygons else 0.0
        self.is_exact = not self._tolerance
        self.cannot: tuple[str, ...] = ()
        if not self.is_exact:
            self.cannot = (f"Borders are moved by up to about {self._tolerance:g} px.",)

    def frame(self, item: Labelled) -> Written:
        """Its XML file and its masks. FormatError when it has too many regions for polygons."""
        labels = looked_up(self.ids, item.labels)
        folder = PurePosixPath(item.split)
        suffix = item.picture.suffix if item.picture is not None else ".png"
        files: list[OutFile] = []
        rows: list[str] = []
        if self._as_polygons:
            rows = list(self._polygons(labels, item.instances))
        else:
            for number, (row, called, content) in enumerate(self._masks(item, labels)):
                rows.append(_object(number, row, ""))
                files.append(OutFile(folder / MASKS / called, content))
        height, width = item.size
        document = (
            f"<annotation>\n<filename>{text(item.name + suffix)}</filename>\n<folder></folder>\n"
            "<source><sourceImage></sourceImage><sourceAnnotation>SegStudio</sourceAnnotation>"
            f"</source>\n<imagesize><nrows>{height}</nrows><ncols>{width}</ncols></imagesize>\n"
            f"{''.join(rows)}</annotation>\n"
        )
        files.append(OutFile(folder / f"{item.name}.xml", document.encode()))
        picture = None
        if item.picture is not None:
            picture = folder / f"{item.name}{suffix}"
        return Written(tuple(files), picture, {})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """dataset_meta.json."""
        content = {"label_map": {str(i): name for i, name in enumerate(self._names)}}
        file = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        yield OutFile(PurePosixPath(META), file.encode())

    def _masks(self, item: Labelled, labels: NDArray[np.uint8]) -> Iterator[tuple[str, str, bytes]]:
        """The row of each object, its mask's name and the mask."""
        for number, one in enumerate(segments(labels, item.instances)):
            inside = np.zeros(labels.size + 1, np.int8)
            inside[one.starts] = 1
            inside[one.ends] = -1
            mask = np.cumsum(inside[:-1], dtype=np.int8).astype(np.bool_).reshape(labels.shape)
            color = np.array([*self._classes.classes[one.class_id].color, 255], np.uint8)
            content = rasters.encode_colors(mask[..., None] * color)
            called = f"{item.name}_mask_{number}.png"
            x, y, width, height = one.box
            row = (
                f"<name>{text(self._names[one.class_id])}</name>"
                f"<segm><username></username><mask>{text(called)}</mask><box><xmin>{x}</xmin>"
                f"<ymin>{y}</ymin><xmax>{x + width}</xmax><ymax>{y + height}</ymax></box></segm>"
            )
            yield row, called, content

    def _polygons(
        self, labels: NDArray[np.uint8], instances: NDArray[np.int32] | None
    ) -> Iterator[str]:
        """The row of each object; regions of a single object are parts of its first one."""
        positive = None if instances is None else np.maximum(instances, 0)
        regions = outlines(labels, self._tolerance, instances=positive)
        whole: dict[tuple[int, int], list[int]] = {}
        for number, region in enumerate(regions):
            if region.instance:
                whole.setdefault((region.class_id, region.instance), []).append(number)
        for number, region in enumerate(regions):
            parts = whole.get((region.class_id, region.instance), [number])
            yield _object(number, self._polygon(region), _parts(number, parts))

    def _polygon(self, region: Region) -> str:
        points = bridged(region.outer, region.holes).tolist()
        corners = "".join(f"<pt><x>{x:g}</x><y>{y:g}</y></pt>" for x, y in points)
        name = text(self._names[region.class_id])
        return f"<name>{name}</name><polygon><username></username>{corners}</polygon>"


def _object(number: int, row: str, parts: str) -> str:
    return (
        f"<object>{row}<deleted>0</deleted><verified>0</verified><occluded>no</occluded>"
        f"<date></date><id>{number}</id>{parts or _parts(number, [number])}"
        "<attributes></attributes></object>\n"
    )


def _parts(number: int, parts: list[int]) -> str:
    """How an object belongs to others: the first of `parts` has all the others."""
    first, *rest = parts
    has = ",".join(map(str, rest)) if number == first else ""
    of = "" if number == first else str(first)
    return f"<parts><hasparts>{has}</hasparts><ispartof>{of}</ispartof></parts>"


@file_format
class LabelMeXml:
    """See the module."""

    name = "label_me_xml"
    title = "LabelMe XML"
    about = "An XML file beside each picture, with masks or polygons, as CVAT's LabelMe 3.0."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "shapes",
            "Shapes",
            "masks",
            "What classes become.",
            {"masks": "Masks, a file for each class", "polygons": "Polygons"},
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
        OUTLINES,
        Option(
            "objects", "Objects", default=True, about="Each object of the file is a single one."
        ),
    )

    def writer(self, classes: ClassMap, options: Values) -> LabelMeWriter:
        """Any class set."""
        return LabelMeWriter(classes, str(options["shapes"]), float(options["tolerance"]))

    def sniff(self, source: Source) -> Guess | None:
        """By the first XML files."""
        for path in xml_files(source)[:_LOOKED_AT]:
            try:
                head = source.head(path)
            except FormatError:
                continue
            if looks_label_me(head):
                # Datumaro, and CVAT by it, has OpenCV's outlines in its polygons.
                is_theirs = b"<sourceAnnotation>Datumaro<" in head
                options = {OUTLINES.name: "through" if is_theirs else "between"}
                why = f"{path} is an annotation of LabelMe."
                return Guess(self.name, 0.9, why, options)
        return None

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> LabelMeReader:
        """FormatError when there is none of its files."""
        return open_label_me(source, with_objects=bool(options["objects"]), rule=rule_of(options))
