"""A folder of palette PNG: one byte per pixel is the class id, and classes.json says what ids mean.

    images/train/drive_000010.jpg      (train/, val/, test/ only where frames are split)
    masks/train/drive_000010.png
    colors/train/drive_000010.png      on request: the same in colours
    classes.json

A palette PNG is never "black" in a picture viewer, and every reader that takes indices reads ids.
Recognised too: any folder of index or colour masks, with or without pictures beside it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.formats.class_sets import Fitted, fitted, own
from segstudio.formats.files.class_lists import VOID_COLOR
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import colored
from segstudio.formats.masks.mask_folder import OPTIONS, guesses, open_masks
from segstudio.formats.masks.raster_reader import RasterReader
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

CLASSES = "classes.json"


class IndexPngWriter:
    """See the module. The reader's class set is the one that is written."""

    def __init__(self, fit: Fitted, *, colors: bool) -> None:
        self.ids: NDArray[np.uint8] = fit.ids
        self.cannot = fit.cannot
        self._classes = fit.classes
        self._palette = fit.classes.palette()
        self._palette[VOID] = VOID_COLOR
        self._colors = colors

    def frame(self, item: Labelled) -> Written:
        """masks/ and, on request, colors/."""
        labels = looked_up(self.ids, item.labels)
        place = PurePosixPath(item.split) / f"{item.name}.png"
        files = [OutFile("masks" / place, rasters.encode_indices(labels, self._palette))]
        if self._colors:
            colors = rasters.encode_colors(colored(labels, self._palette))
            files.append(OutFile("colors" / place, colors))
        picture = None
        if item.picture is not None:
            picture = "images" / PurePosixPath(item.split) / f"{item.name}{item.picture.suffix}"
        return Written(tuple(files), picture, {"name": item.name})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """classes.json."""
        about = {
            "name": self._classes.name,
            "void": VOID,
            "classes": self._classes.to_json(),
        }
        text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
        yield OutFile(PurePosixPath(CLASSES), text.encode())


@file_format
class IndexPng:
    """See the module."""

    name = "index_png"
    title = "Index PNG"
    about = "One palette PNG a frame, whose bytes are class ids; every tool reads it."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "ids",
            "Ids",
            "own",
            "Which numbers the classes get.",
            {
                "own": "As in the project",
                "cityscapes19": "Cityscapes trainIds",
                "cityscapes34": "Cityscapes ids",
                "camvid": "CamVid, 11 classes",
            },
        ),
        Option("colors", "Also in colours", default=False, about="A second file for each frame."),
    )
    reads_with = OPTIONS

    def writer(self, classes: ClassMap, options: Values) -> IndexPngWriter:
        """Classes without a counterpart in the chosen set become void."""
        chosen = str(options["ids"])
        fit = own(classes) if chosen == "own" else fitted(classes, chosen)
        return IndexPngWriter(fit, colors=bool(options["colors"]))

    def sniff(self, source: Source) -> Guess | None:
        """Sure of a folder with our classes.json; else whatever its masks look like."""
        return next(iter(guesses(source, self.name)), None)

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """classes: what masks mean where neither the options nor a list beside them say it."""
        return open_masks(source, options, classes)
