"""COCO-Stuff: run lengths of whole classes in JSON lists, and the same as pixel maps.

    images/train/drive_000010.jpg
    annotations/stuff_train.json
    annotations/stuff_train_pixelmaps/drive_000010.png      category ids, 0 is void

A pixel map is a palette PNG of one byte a pixel; ids begin with 1. Where there are pixel maps, they
are read, else the lists.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
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
from segstudio.formats.masks import rasters
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, FrameRef, Guess, OutFile, Written, file_format

_MAPS = "_pixelmaps"


class StuffWriter:
    """See the module. ids: classes numbered from 0; their category ids are one more."""

    cannot: tuple[str, ...] = ()

    def __init__(self, classes: ClassMap, *, pixel_maps: bool) -> None:
        self._classes, self.ids = numbered(classes)
        self._palette: NDArray[np.uint8] | None = None
        if pixel_maps:
            self._palette = np.roll(self._classes.palette(), 1, axis=0)
            self._palette[0] = 0

    def frame(self, item: Labelled) -> Written:
        """A pixel map, and annotations for the list."""
        labels = looked_up(self.ids, item.labels)
        files = []
        if self._palette is not None:
            folder = f"stuff_{coco_lists.split_folder(item)}{_MAPS}"
            path = PurePosixPath("annotations", folder, f"{item.name}.png")
            # 255 becomes 0: category ids are one more than class ids.
            files.append(OutFile(path, rasters.encode_indices(labels + np.uint8(1), self._palette)))
        rows = run_length_annotations(labels, None)
        picture = coco_lists.picture_path(item) if item.picture is not None else None
        return Written(tuple(files), picture, coco_lists.entry(item, rows))

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """annotations/stuff_<split>.json."""
        known = coco_lists.categories(self._classes)
        return coco_lists.lists("stuff", known, entries, numbered_annotations())


@dataclass(slots=True)
class StuffReader:
    """Pixel maps where they are, else annotations. See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _objects: ObjectReader
    _source: Source
    _maps: Mapping[str, PurePosixPath]

    def read(self, frame: FrameRef) -> Labelled:
        """Labels without instances."""
        path = self._maps.get(frame.name)
        if path is None:
            found = self._objects.read(frame)
            return Labelled(found.name, found.labels, None, found.clip, found.split)
        where = self._source.called(path)
        values = rasters.decode(self._source.read(path), where).values
        image = frame.key.image
        if values.shape != (image.height, image.width):
            raise FormatError(
                f"{where} is no map of {image.width}×{image.height} numbers, the size that its list"
                " names; export both again."
            )
        table = np.full(256, -1, np.int16)
        table[0] = VOID
        for number, class_id in self._objects.ids.items():
            if 0 < number < 256:
                table[number] = class_id
        labels = table[np.clip(values, 0, 255)]
        unknown = (labels < 0) | (values < 0) | (values > 255)
        if unknown.any():
            raise FormatError(
                f"{where} holds the number {int(values[unknown][0])}, which is no category of its"
                " list; export both again."
            )
        return Labelled(frame.name, labels.astype(np.uint8), None, frame.clip, frame.split)


@file_format
class CocoStuff:
    """See the module."""

    name = "coco_stuff"
    title = "COCO-Stuff"
    about = "Whole classes as run lengths in JSON, and as PNG of category ids."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option("pixel_maps", "Pixel maps", default=True, about="A PNG for each frame as well."),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> StuffWriter:
        """Any class set of up to 255 classes."""
        return StuffWriter(classes, pixel_maps=bool(options["pixel_maps"]))

    def sniff(self, source: Source) -> Guess | None:
        """Lists that are called stuff_…."""
        found = [p for p in coco_lists.find_lists(source, "stuff") if p.stem.startswith("stuff_")]
        if not found:
            return None
        return Guess(self.name, 0.95, f"{found[0]} is a list of COCO-Stuff.", {})

    def open(self, source: Source, options: Values, classes: ClassMap | None = None) -> StuffReader:
        """The categories of the lists are the classes."""
        found = coco_lists.find_lists(source, "stuff")
        if not found:
            raise FormatError(
                f"{source.title} holds no annotations/stuff_….json; choose the folder that does."
            )
        objects = open_objects(source, found)
        maps = {p.stem: p for p in source.around if p.parent.name.endswith(_MAPS)}
        places = {
            ref.name: maps[stem]
            for ref in objects.frames
            if (stem := PurePosixPath(ref.key.image.file_name).stem) in maps
        }
        return StuffReader(objects.classes, objects.frames, objects.notes, objects, source, places)
