"""Open Images: a mask file for each object, and CSV files that say what it is.

    images/train/drive_000010.jpg                     train, validation, test
    masks/train/drive_000010_Car_00000001.png         0 and 255
    annotations/train-annotations-object-segmentation.csv
    annotations/train-images-with-rotation.csv
    annotations/class-descriptions.csv                label, name
    annotations/images.meta                           name, height, width

Where objects are known each gets a mask, else each class gets one. What no mask covers is void.
Frames without a split are in train.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail.open_images_reader import OpenImagesReader, segment_lists
from segstudio.formats.files.class_lists import without_void_names
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

_FOLDERS = {"": "train", "train": "train", "val": "validation", "test": "test"}
_SEGMENTS = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
_IMAGES = (
    "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,"
    "OriginalSize,OriginalMD5,Thumbnail300KURL,Rotation"
)


class OpenImagesWriter:
    """See the module."""

    def __init__(self, classes: ClassMap, *, objects: bool) -> None:
        self._classes, ids = numbered(classes)
        self.ids, self.cannot = without_void_names(self._classes, ids)
        unique = names.Unique()
        self._labels = {c.id: unique.name(c.name) for c in self._classes.classes}
        self._objects = objects

    def frame(self, item: Labelled) -> Written:
        """One file for each object or class."""
        folder = _FOLDERS[item.split]
        labels = looked_up(self.ids, item.labels)
        files, rows = [], []
        for number, (class_id, mask) in enumerate(self._masks(labels, item.instances), 1):
            label = self._labels[class_id]
            box = f"{number:08x}"
            name = f"{item.name}_{label}_{box}.png"
            content = rasters.encode_grey(mask.view(np.uint8) * 255)
            files.append(OutFile(PurePosixPath("masks", folder, name), content))
            rows.append([name, item.name, label, box, *_box(mask), "", ""])
        picture = None
        if item.picture is not None:
            name = f"{item.name}{item.picture.suffix}"
            picture = PurePosixPath("images", folder, name)
        entry = {"name": item.name, "folder": folder, "size": list(item.size), "rows": rows}
        return Written(tuple(files), picture, entry)

    def _masks(
        self, labels: NDArray[np.uint8], instances: NDArray[np.int32] | None
    ) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Class and mask, bool (H, W), by class and number."""
        for class_id in np.unique(labels[labels != VOID]).tolist():
            mask = labels == class_id
            if instances is None or not self._objects:
                yield class_id, mask
                continue
            for number in np.unique(instances[mask]).tolist():
                yield class_id, mask & (instances == number)

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """The lists of masks and pictures by split, of classes, and of sizes."""
        folders = {entry["folder"]: None for entry in entries()}
        for folder in folders:
            mine = (e for e in entries() if e["folder"] == folder)
            rows = (row for entry in mine for row in entry["rows"])
            yield _table(f"{folder}-annotations-object-segmentation.csv", rows, _SEGMENTS)
            mine = (e for e in entries() if e["folder"] == folder)
            images = ([e["name"], folder, *[""] * (_IMAGES.count(",") - 1)] for e in mine)
            yield _table(f"{folder}-images-with-rotation.csv", images, _IMAGES)
        called = ([self._labels[c.id], c.name] for c in self._classes.classes)
        yield _table("class-descriptions.csv", called)
        sizes = (f'"{e["name"]}" {e["size"][0]} {e["size"][1]}\n'.encode() for e in entries())
        yield OutFile(PurePosixPath("annotations/images.meta"), sizes)
        tree = {"LabelName": "/m/0", "Subcategory": []}  # Datumaro asks for one
        path = PurePosixPath("annotations/bbox_labels_600_hierarchy.json")
        yield OutFile(path, json.dumps(tree).encode())


def _box(mask: NDArray[np.bool_]) -> list[str]:
    """x0, x1, y0, y1 around the mask, as parts of the frame's width and height."""
    height, width = mask.shape
    across, down = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    sides = (across[0] / width, (across[-1] + 1) / width, down[0] / height, (down[-1] + 1) / height)
    return [f"{side:.6f}" for side in sides]


def _table(name: str, rows: Iterable[Sequence[str]], header: str = "") -> OutFile:
    return OutFile(PurePosixPath("annotations", name), _lines(rows, header))


def _lines(rows: Iterable[Sequence[str]], header: str) -> Iterator[bytes]:
    if header:
        yield f"{header}\n".encode()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        yield line.getvalue().encode()


@file_format
class OpenImages:
    """See the module."""

    name = "open_images"
    title = "Open Images"
    about = "A mask file for each object, and CSV files that say what it is."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option("objects", "Objects", default=True, about="A mask for each where they are known."),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> OpenImagesWriter:
        """All classes fit."""
        return OpenImagesWriter(classes, objects=bool(options["objects"]))

    def sniff(self, source: Source) -> Guess | None:
        """By the CSV files that name masks."""
        lists = segment_lists(source)
        if not lists:
            return None
        return Guess(self.name, 0.95, f"{lists[0].name} names masks, as in Open Images.", {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> OpenImagesReader:
        """FormatError when there is no such CSV file, or one is damaged."""
        if not segment_lists(source):
            raise FormatError(
                f"{source.title} has no file train-annotations-object-segmentation.csv (or"
                " validation, test); choose the folder that holds it."
            )
        return OpenImagesReader(source)
