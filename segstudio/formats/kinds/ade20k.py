"""ADE20K, in the layout of its SceneParsing benchmark; the full sets are read too.

    images/training/x.jpg              (validation for val, testing for test)
    annotations/training/x.png         8-bit grey, the number of the class + 1, 0 is void
    objectInfo150.txt                  the classes: number, share of pixels, frames, name

Frames in no split are training. The full sets of 2017 and 2020 are read by `formats.ade20k_full`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.palettes import safe_colors
from segstudio.errors import FormatError
from segstudio.formats.class_sets import Fitted, fitted, numbered
from segstudio.formats.detail.ade20k_full import is_full, open_full
from segstudio.formats.files.pairing import PICTURES, RASTERS, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.raster_reader import Decoded, RasterReader, by_table, numbers_of
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, Guess, OutFile, Reader, Written, file_format
from segstudio.store.class_sets import load_class_set

_SET = "ade20k150"
_SPLITS = {"": "training", "train": "training", "val": "validation", "test": "testing"}
_INFO = re.compile(r"objectinfo\d*\.txt")
_MOST = 254
"""Classes: 0 is void in the files and 255 here."""


class Ade20kWriter:
    """See the module. fit: the classes that are written, numbered from 0."""

    def __init__(self, fit: Fitted) -> None:
        self.ids: NDArray[np.uint8] = fit.ids
        self.cannot = fit.cannot
        self._classes = fit.classes
        self._values = (self.ids + np.uint8(1)).astype(np.uint8)  # 255, void, becomes 0

    def frame(self, item: Labelled) -> Written:
        """One label file; the entry counts its pixels for the list."""
        from segstudio.core.labels import pixels_by_class  # brings OpenCV along

        split = _SPLITS[item.split]
        values = looked_up(self._values, item.labels)
        content = rasters.encode_grey(values)
        mask = OutFile(PurePosixPath("annotations", split, f"{item.name}.png"), content)
        picture = None
        if item.picture is not None:
            picture = PurePosixPath("images", split, f"{item.name}{item.picture.suffix}")
        counts = pixels_by_class(values)
        pixels = {str(n): int(counts[n]) for n in np.flatnonzero(counts) if n}
        return Written((mask,), picture, {"split": split, "pixels": pixels})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """The classes with their shares."""
        pixels: Counter[int] = Counter()
        frames: Counter[tuple[str, int]] = Counter()
        for entry in entries():
            for number, count in entry["pixels"].items():
                pixels[int(number)] += count
                frames[str(entry["split"]), int(number)] += 1
        total = max(pixels.total(), 1)
        lines = ["Idx\tRatio\tTrain\tVal\tStuff\tName"]
        lines += [
            f"{c.id + 1}\t{pixels[c.id + 1] / total:.4f}\t{frames['training', c.id + 1]}"
            f"\t{frames['validation', c.id + 1]}\t0\t{' '.join(c.name.split())}"
            for c in self._classes.classes
        ]
        name = f"objectInfo{len(self._classes)}.txt"
        yield OutFile(PurePosixPath(name), ("\n".join(lines) + "\n").encode())


@file_format
class Ade20k:
    """See the module."""

    name = "ade20k"
    title = "ADE20K"
    about = "Grey PNG whose numbers count classes from 1, 0 is void; as MIT's SceneParsing has it."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "class_set",
            "Classes",
            _SET,
            "Nets for ADE20K expect its own.",
            {_SET: "ADE20K's 150 classes", "own": "As in the project"},
        ),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> Ade20kWriter:
        """FormatError when the project has more classes than the files have numbers."""
        if options["class_set"] == _SET:
            return Ade20kWriter(fitted(classes, _SET))
        if len(classes) > _MOST:
            raise FormatError(
                f"ADE20K's files take {_MOST} classes and '{classes.name}' has {len(classes)};"
                " choose its own 150."
            )
        renumbered, ids = numbered(classes)
        return Ade20kWriter(Fitted(renumbered, ids, ()))

    def sniff(self, source: Source) -> Guess | None:
        """Folders images and annotations; or names that end with _seg beside lists of objects."""
        if is_full(source):
            count = sum(1 for f in source.files if f.stem.endswith("_seg"))
            return Guess(self.name, 0.9, f"ADE20K, the full set: {count} files _seg.png.", {})
        masks = _masks(source)
        if not masks:
            return None
        info = _info_file(source)
        is_split = masks[0].parent.name in _SPLITS.values()
        table = f" and {info.name}" if info is not None else ""
        return Guess(
            self.name,
            0.95 if info is not None else 0.6 if is_split else 0.3,
            f"ADE20K: {len(masks)} label files in a folder annotations{table}.",
            {},
        )

    def open(self, source: Source, options: Values, classes: ClassMap | None = None) -> Reader:
        """Classes by objectInfo*.txt where there is one, else ADE20K's 150."""
        if is_full(source):
            return open_full(source, classes)
        masks = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder annotations with PNG files; choose the folder above"
                " images and annotations."
            )
        info = _info_file(source)
        known = _listed(source, info) if info is not None else load_class_set(_SET)
        ids = {c.id + 1: c.id for c in known.classes} | {0: VOID}
        pictures = [
            f for f in source.files if "images" in f.parts[:-1] and f.suffix.casefold() in PICTURES
        ]

        def decode(raster: Raster, path: PurePosixPath) -> Decoded:
            return Decoded(by_table(numbers_of(raster, path), ids, path, "ADE20K's class list"))

        return RasterReader(source, known, frames_of(masks, pictures), decode)


def _masks(source: Source) -> list[PurePosixPath]:
    return [
        f
        for f in source.files
        if "annotations" in f.parts[-3:-1] and f.suffix.casefold() in RASTERS
    ]


def _info_file(source: Source) -> PurePosixPath | None:
    return next((f for f in source.files if _INFO.fullmatch(f.name.casefold())), None)


def _listed(source: Source, file: PurePosixPath) -> ClassMap:
    """The classes of a list, numbered from 0; the shipped colours where the names are those."""
    shipped = load_class_set(_SET)
    colors = safe_colors(40)
    rows: dict[int, ClassDef] = {}
    for place, line in enumerate(source.text(file).splitlines()):
        cells = [cell.strip() for cell in line.split("\t")]
        if not line.strip() or cells[0].casefold() == "idx":
            continue
        if not cells[0].isdecimal() or len(cells) < 2 or not cells[-1]:
            raise FormatError(
                f"{source.called(file)}: line {place + 1} ('{line[:60]}') is not a number, …,"
                " and a name, with tabs between; correct it."
            )
        number, name = int(cells[0][:9]) - 1, cells[-1].split(",")[0].split(";")[0].strip()
        if not 0 <= number < VOID or number in rows:
            raise FormatError(
                f"{source.called(file)}: line {place + 1} has the number {cells[0][:9]}; each"
                " class needs its own from 1 to 255."
            )
        own = shipped.by_id(number)
        color = own.color if own is not None else colors[number % len(colors)]
        rows[number] = ClassDef(number, name, color)
    if not rows:
        raise FormatError(f"{source.called(file)} lists no class; download it again.")
    if len(rows) == len(shipped) and set(rows) == {c.id for c in shipped.classes}:
        return replace(shipped, classes=tuple(rows[c.id] for c in shipped.classes))
    return ClassMap(file.stem, tuple(rows.values()))
