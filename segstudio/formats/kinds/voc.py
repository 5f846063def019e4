"""Pascal VOC: palette PNG files whose colours are VOC's own, and lists of names.

    JPEGImages/drive_000010.jpg
    SegmentationClass/drive_000010.png
    SegmentationObject/drive_000010.png      where objects are known, numbered from 1
    ImageSets/Segmentation/train.txt, val.txt, trainval.txt, test.txt
    labelmap.txt, class_names.txt

Index and colour say the same, so programs that read the one or the other find the same classes.
255 is void, and 0 is "background" unless a project's own numbers are asked for: programs of VOC's
time take 0 for no class at all. Frames without a split are in trainval.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import plain
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import Fitted, fitted, numbered, own
from segstudio.formats.detail.voc_files import (
    CLASS_FOLDERS,
    PALETTE,
    Decoder,
    frames_of,
    label_files,
    meaning_of,
    objects_beside,
)
from segstudio.formats.files.class_lists import without_void_names
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import SPLITS, Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.raster_reader import RasterReader
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.object_numbers import numbered_over_all
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

BACKGROUND = "background"


class VocWriter:
    """See the module."""

    def __init__(self, fit: Fitted, *, objects: bool) -> None:
        self.ids, lost = without_void_names(fit.classes, fit.ids)
        self.cannot = fit.cannot + lost
        self._classes = fit.classes
        self._objects = objects

    def frame(self, item: Labelled) -> Written:
        """The class file, and the object file where objects are known.

        FormatError when the frame has more than 254 objects.
        """
        labels = looked_up(self.ids, item.labels)
        name = f"{item.name}.png"
        content = rasters.encode_indices(labels, PALETTE)
        files = [OutFile(PurePosixPath("SegmentationClass", name), content)]
        if self._objects and item.instances is not None:
            objects = _objects_of(labels, item.instances, item.name)
            content = rasters.encode_indices(objects, PALETTE)
            files.append(OutFile(PurePosixPath("SegmentationObject", name), content))
        picture = None
        if item.picture is not None:
            picture = PurePosixPath("JPEGImages", f"{item.name}{item.picture.suffix}")
        return Written(tuple(files), picture, {"name": item.name, "split": item.split})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """The lists of frames, of which trainval holds all but the test set, and of classes."""
        present = {entry["split"] for entry in entries()}
        wanted = {s: {s} for s in SPLITS if s in present}
        if present - {"test"}:
            wanted["trainval"] = present - {"test"}
        for name, splits in wanted.items():
            path = PurePosixPath(f"ImageSets/Segmentation/{name}.txt")
            yield OutFile(
                path, (f"{e['name']}\n".encode() for e in entries() if e["split"] in splits)
            )
        rows = [f"{_listed(c.name)}:{_told(c.id)}::" for c in self._classes.classes]
        rows += [f"ignored:{_told(VOID)}::"]
        yield _lines("labelmap.txt", ["# label:color_rgb:parts:actions", *rows])
        found = {c.id: c.name for c in self._classes.classes}
        if set(found) == set(range(len(found))):
            called = [_underscored(found[i]) for i in range(len(found))]
            yield _lines("class_names.txt", called)


def _lines(name: str, rows: Sequence[str]) -> OutFile:
    return OutFile(PurePosixPath(name), ("\n".join(rows) + "\n").encode())


def _told(index: int) -> str:
    return ",".join(str(int(c)) for c in PALETTE[index])


def _listed(name: str) -> str:
    """In one line, which is no comment."""
    name = " ".join(name.split())
    return f" {name}" if name.startswith("#") else name


def _underscored(name: str) -> str:
    """labelme's and its readers' name of the class that is none."""
    return "_background_" if name == BACKGROUND else name


def _objects_of(
    labels: NDArray[np.uint8], instances: NDArray[np.int32], name: str
) -> NDArray[np.uint8]:
    """Objects numbered from 1 over all classes, 0 where there is none, 255 where void is."""
    numbers = numbered_over_all(labels, instances, VOID - 1, name)
    return np.where(labels == VOID, VOID, numbers).astype(np.uint8)


def _with_background(classes: ClassMap) -> Fitted:
    """Classes from 1 on in the order of their ids; 0 is the background, theirs or none."""
    rows = {plain(c.name): c for c in classes.classes}
    zero = rows.get(BACKGROUND)
    others = tuple(c for c in classes.classes if c is not zero)
    ids = np.full(256, VOID, np.uint8)
    kept: tuple[ClassDef, ...] = ()
    if others:
        renumbered, ids = numbered(ClassMap(classes.name, others), 1)
        kept = renumbered.classes
    if zero is not None:
        ids[zero.id] = 0
    lost = [c.name for c in others if ids[c.id] == VOID]
    cannot = tuple(
        f"{name} is the 255th class beside the background and becomes void; write the project's own"
        " numbers to keep it."
        for name in lost
    )
    background = ClassDef(0, BACKGROUND, (0, 0, 0))
    return Fitted(ClassMap(classes.name, (background, *kept)), ids, cannot)


@file_format
class Voc:
    """See the module."""

    name = "voc"
    title = "Pascal VOC"
    about = "Palette PNG files of classes and objects, with VOC's colours and lists."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "ids",
            "Ids",
            "background",
            "Which numbers the classes get.",
            {
                "background": "0 is background, classes from 1",
                "own": "As in the project",
                "voc21": "The 20 classes of VOC, as far as there are such",
            },
        ),
        Option("objects", "Objects", default=True, about="A second file where they are known."),
    )
    reads_with: tuple[Option, ...] = (
        Option(
            "ids",
            "Ids",
            "auto",
            "What the numbers mean.",
            {
                "auto": "What labelmap.txt says, else VOC's 21 classes",
                "voc21": "VOC's 21 classes",
                "project": "The project's classes",
            },
        ),
    )

    def writer(self, classes: ClassMap, options: Values) -> VocWriter:
        """254 classes beside the background, or 255 with the project's own numbers."""
        chosen = str(options["ids"])
        if chosen == "background":
            fit = _with_background(classes)
        else:
            fit = own(classes) if chosen == "own" else fitted(classes, chosen)
        return VocWriter(fit, objects=bool(options["objects"]))

    def sniff(self, source: Source) -> Guess | None:
        """By the names of its folders."""
        masks = label_files(source, CLASS_FOLDERS)
        if not masks:
            return None
        many = f"{len(masks)} PNG files lie" if len(masks) > 1 else "A PNG file lies"
        return Guess(
            self.name, 0.95, f"{many} in a folder {masks[0].parent.name}.", {"ids": "auto"}
        )

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """FormatError when there is no folder SegmentationClass, or a list is damaged."""
        masks = label_files(source, CLASS_FOLDERS)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder SegmentationClass with PNG files; choose the folder"
                " that holds it."
            )
        meaning = meaning_of(source, str(options["ids"]), classes)
        frames, notes = frames_of(source, masks)
        objects = objects_beside(source, masks)
        return RasterReader(
            source, meaning.classes, frames, Decoder(source, meaning, objects), notes
        )
