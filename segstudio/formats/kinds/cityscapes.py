"""Cityscapes, as cityscapesScripts reads and writes it.

    leftImg8bit/train/<city>/<city>_<sequence>_<frame>_leftImg8bit.png
    gtFine/train/<city>/<city>_<sequence>_<frame>_gtFine_labelIds.png
                                                 …_labelTrainIds.png   what nets are trained with
                                                 …_color.png           to be looked at
                                                 …_polygons.json
                                                 …_instanceIds.png     where objects are known
    frames.csv                                   which frame of the project each of them is

The city is the clip, without underscores, for these separate the parts of a name; the sequence is
a number made of the frame's name where clip and number alone would not be unique. Frames without a
split are in train. Predictions, for the benchmark's evaluation, are the labelIds alone.
"""

import csv
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.detail.cityscapes_labels import UNLABELED, fit, instance_ids, numbers
from segstudio.formats.detail.cityscapes_polygons import names_of, objects_of
from segstudio.formats.detail.cityscapes_reader import FRAMES, CityscapesReader, looks_like
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

_OWN_NAME = re.compile(r"[^_]+_\d{6}_\d{6}")
_MILLION = 1_000_000


class CityscapesWriter:
    """See the module."""

    def __init__(self, classes: ClassMap, options: Values) -> None:
        self.ids, self.cannot = fit(classes)
        self._written = np.where(self.ids == VOID, UNLABELED, self.ids).astype(np.uint8)
        self._is_prediction = options["layout"] == "predictions"
        self._instances = str(options["instances"])
        self._train_ids = bool(options["train_ids"])
        self._color = bool(options["color"])
        self._polygons = bool(options["polygons"])
        self._tolerance = float(options["tolerance"])
        self._names = names_of(numbers().classes)
        palette = np.full((256, 4), 255, np.uint8)
        palette[:, :3] = numbers().classes.palette()
        self._palette = palette.view(np.uint32)[:, 0]  # one look-up a pixel, not four

    def frame(self, item: Labelled) -> Written:
        """All files of one frame. FormatError when it has more objects than Cityscapes counts."""
        city, stem = stem_of(item)
        ids = looked_up(self._written, item.labels)
        split = item.split or "train"
        if self._is_prediction:
            path = PurePosixPath("predictions", split, f"{stem}_pred.png")
            files = [OutFile(path, rasters.encode_grey(ids))]
        else:
            base = f"gtFine/{split}/{city}/{stem}_gtFine"
            files = [
                OutFile(PurePosixPath(f"{base}_{ending}"), content)
                for ending, content in self._contents(ids, item)
            ]
        picture = None
        if item.picture is not None:
            place = f"leftImg8bit/{split}/{city}/{stem}_leftImg8bit{item.picture.suffix}"
            picture = PurePosixPath(place)
        return Written(tuple(files), picture, {"stem": stem, "name": item.name})

    def _contents(self, ids: NDArray[np.uint8], item: Labelled) -> Iterator[tuple[str, bytes]]:
        """Ending of the file's name, and its bytes."""
        yield "labelIds.png", rasters.encode_grey(ids)
        if self._train_ids:
            yield "labelTrainIds.png", rasters.encode_grey(looked_up(numbers().train_ids, ids))
        if self._color:
            colors = np.take(self._palette, ids).view(np.uint8).reshape(*ids.shape, 4)
            yield "color.png", rasters.encode_colors(colors)
        known = item.instances if self._instances != "never" else None
        if known is not None or self._instances == "always":
            yield "instanceIds.png", rasters.encode_wide(instance_ids(ids, known, item.name))
        if self._polygons:
            single = instance_ids(ids, known, item.name)
            height, width = ids.shape
            objects = objects_of(ids, single, self._names, self._tolerance)
            about = {"imgHeight": height, "imgWidth": width, "objects": objects}
            yield "polygons.json", json.dumps(about, separators=(",", ":")).encode()

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """frames.csv."""
        yield OutFile(PurePosixPath(FRAMES), _rows(entries()))


def stem_of(item: Labelled) -> tuple[str, str]:
    """(city, city_sequence_frame). A frame that has a name of Cityscapes keeps it."""
    if _OWN_NAME.fullmatch(item.name):
        return item.name.split("_")[0], item.name
    city = names.clean((item.clip or item.name).replace("_", "-"), "city")[:60]
    number = item.index % _MILLION
    is_plain = bool(item.clip) and city == item.clip and item.name == f"{city}_{number:06d}"
    sequence = 0 if is_plain else zlib.crc32(item.name.encode()) % (_MILLION - 1) + 1
    return city, f"{city}_{sequence:06d}_{number:06d}"


def _rows(entries: Iterator[Entry]) -> Iterator[bytes]:
    yield b"file,frame\r\n"
    for entry in entries:
        line = io.StringIO()
        csv.writer(line).writerow([entry["stem"], entry["name"]])
        yield line.getvalue().encode()


@file_format
class Cityscapes:
    """See the module."""

    name = "cityscapes"
    title = "Cityscapes"
    about = "labelIds, labelTrainIds, colours and polygons in the folders of Cityscapes."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "layout",
            "Layout",
            "ground_truth",
            "Predictions are one PNG of ids a frame, for the official evaluation.",
            {"ground_truth": "Ground truth (gtFine)", "predictions": "Predictions"},
        ),
        Option(
            "train_ids",
            "trainIds",
            default=True,
            about="A second raster: the 19 classes. Datumaro reads it first, and loses road there.",
        ),
        Option("color", "Colours", default=True, about="A raster to be looked at."),
        Option("polygons", "Polygons", default=True, about="The file of the annotation tool."),
        Option(
            "tolerance",
            "Tolerance of polygons",
            0.0,
            "How far, in pixels, borders may be moved to have fewer corners; 0 keeps every pixel.",
            high=20.0,
        ),
        Option(
            "instances",
            "Instance ids",
            "known",
            "The official evaluation wants this file unless it is told not to.",
            {"known": "Where objects are known", "always": "Always", "never": "Never"},
        ),
    )
    reads_with: tuple[Option, ...] = (
        Option(
            "labels_from",
            "Labels from",
            "auto",
            "Where a frame has several files.",
            {
                "auto": "The best there is",
                "labelIds": "labelIds",
                "instanceIds": "instanceIds",
                "labelTrainIds": "labelTrainIds",
                "polygons": "polygons",
                "panoptic": "Panoptic PNG",
                "color": "Colours, of which several mean more than one class",
                "ids": "PNG files of ids, whatever they are called (predictions)",
                "trainIds": "PNG files of trainIds, whatever they are called",
            },
        ),
    )

    def writer(self, classes: ClassMap, options: Values) -> CityscapesWriter:
        """Classes without a counterpart among the 34 of Cityscapes become void."""
        return CityscapesWriter(classes, options)

    def sniff(self, source: Source) -> Guess | None:
        """By the endings of file names, which nobody else uses."""
        found = looks_like(source)
        if found is None:
            return None
        sure, why, labels_from = found
        return Guess(self.name, sure, why, {"labels_from": labels_from})

    def open(
        self,
        source: Source,
        options: Values,
        classes: ClassMap | None = None,
    ) -> CityscapesReader:
        """FormatError when nothing is called as in Cityscapes, which also says what ids mean."""
        reader = CityscapesReader(source, str(options["labels_from"]))
        if not reader.frames:
            raise FormatError(
                f"{source.title} has no files such as a_000000_000000_gtFine_labelIds.png; choose"
                " the folder that holds gtFine."
            )
        return reader
