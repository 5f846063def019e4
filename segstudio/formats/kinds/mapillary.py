"""Mapillary Vistas, v1.2 with 66 classes or v2.0 with 124.

    config_v2.0.json                       the classes; their places are the numbers
    training/images/x.jpg
    training/v2.0/labels/x.png             8-bit palette, the number of the class
    training/v2.0/instances/x.png          16-bit grey, number × 256 + object

Frames in no split are training. What is unlabeled in Mapillary, its last class, is void here. Read
as well: the folders of the first release, without v1.2 between, and sets whose config has other
classes.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import plain
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import Fitted, fitted
from segstudio.formats.files.pairing import PICTURES, RASTERS, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.raster_reader import (
    Decoded,
    RasterReader,
    by_table,
    identity,
    numbers_of,
    wide_numbers_of,
)
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.object_numbers import STEP, in_one, numbered_inside
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format
from segstudio.store.class_sets import class_set_file, load_class_set

_SETS = {"v1.2": "mapillary66", "v2.0": "mapillary124"}
_SPLITS = {"": "training", "train": "training", "val": "validation", "test": "testing"}
_UNLABELED = "unlabeled"
_SINGLE = ("animal", "human", "object")
"""Beginnings of labels whose objects are told apart."""


class MapillaryWriter:
    """See the module."""

    def __init__(self, fit: Fitted, version: str) -> None:
        self._version = version
        unlabeled = len(fit.classes) - 1
        numbers = np.where(fit.ids == VOID, unlabeled, fit.ids)
        self.ids: NDArray[np.uint8] = np.where(numbers == unlabeled, VOID, numbers).astype(np.uint8)
        self._numbers = numbers.astype(np.uint8)
        self.cannot = fit.cannot
        self._palette = fit.classes.palette()

    def frame(self, item: Labelled) -> Written:
        """FormatError when a class has more than 255 objects."""
        labels = looked_up(self._numbers, item.labels)
        top = PurePosixPath(_SPLITS[item.split])
        file = f"{item.name}.png"
        content = rasters.encode_indices(labels, self._palette)
        files = [OutFile(top / self._version / "labels" / file, content)]
        wide = rasters.encode_wide(in_one(labels, item.instances, item.name))
        files.append(OutFile(top / self._version / "instances" / file, wide))
        picture = None
        if item.picture is not None:
            picture = top / "images" / f"{item.name}{item.picture.suffix}"
        return Written(tuple(files), picture, {})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """The config."""
        rows = json.loads(class_set_file(_SETS[self._version]).read_text(encoding="utf-8"))
        labels = [
            {
                "color": row["color"],
                "instances": row["label"].startswith(_SINGLE),
                "readable": row["name"],
                "name": row["label"],
                "evaluate": plain(row["name"]) != _UNLABELED,
            }
            for row in sorted(rows["classes"], key=lambda row: int(row["id"]))
        ]
        about = {
            "labels": labels,
            "version": self._version.removeprefix("v"),
            "mapping": "public",
            "folder_structure": "{split}/{version}/{content}/{image:s}.{extension}",
        }
        text = json.dumps(about, indent=2) + "\n"
        yield OutFile(PurePosixPath(f"config_{self._version}.json"), text.encode())


@file_format
class Mapillary:
    """See the module."""

    name = "mapillary"
    title = "Mapillary Vistas"
    about = "A palette PNG for each frame, and a config that lists the 66 or 124 classes."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "version",
            "Version",
            "v2.0",
            "Which of its class lists.",
            {"v1.2": "v1.2, 66 classes", "v2.0": "v2.0, 124 classes"},
        ),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> MapillaryWriter:
        """Classes without a counterpart become unlabeled."""
        version = str(options["version"])
        return MapillaryWriter(fitted(classes, _SETS[version]), version)

    def sniff(self, source: Source) -> Guess | None:
        """A config_v….json, or folders v1.2/labels and v2.0/labels."""
        masks, version = _masks(source)
        if not masks:
            return None
        has_config = _config_file(source, version) is not None
        if not has_config and not _is_versioned(masks[0]):
            return None
        table = f" and config_{version}.json" if has_config else ""
        return Guess(
            self.name,
            0.98 if has_config else 0.8,
            f"Mapillary Vistas {version}: {len(masks)} label files{table}.",
            {},
        )

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """Classes by the config, else Mapillary's own. The newest version that is there."""
        masks, version = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder labels with PNG files; choose the folder above"
                " training."
            )
        config = _config_file(source, version)
        known = _listed(source, config) if config is not None else load_class_set(_SETS[version])
        ids = identity(known)
        unlabeled = _unlabeled(known)
        if unlabeled is not None and len(known) > 1:
            known = replace(known, classes=tuple(c for c in known.classes if c.id != unlabeled))
            ids[unlabeled] = VOID
        pictures = [
            f for f in source.files if f.parent.name == "images" and f.suffix.casefold() in PICTURES
        ]
        decode = _Decode(source, ids)
        return RasterReader(source, known, frames_of(masks, pictures), decode)


@dataclass(frozen=True, slots=True)
class _Decode:
    """What a raster of labels means. ids: number → id."""

    source: Source
    ids: dict[int, int]

    def __call__(self, raster: Raster, path: PurePosixPath) -> Decoded:
        labels = by_table(numbers_of(raster, path), self.ids, path, "the config")
        file = path.parent.parent / "instances" / path.name
        if not self.source.has(file):
            return Decoded(labels)
        wide = wide_numbers_of(rasters.decode(self.source.read(file), str(file)), file)
        if wide.shape != labels.shape:
            raise FormatError(
                f"{file} has {wide.shape[1]}×{wide.shape[0]} pixels, and {path}"
                f" {labels.shape[1]}×{labels.shape[0]}; export them at one size."
            )
        objects = np.ascontiguousarray(wide % STEP, np.int32)
        return Decoded(labels, numbered_inside(labels, objects))


def _unlabeled(classes: ClassMap) -> int | None:
    return next((c.id for c in classes.classes if plain(c.name) == _UNLABELED), None)


def _masks(source: Source) -> tuple[list[PurePosixPath], str]:
    """The label files of the newest version that is there, and the version."""
    found = [
        f for f in source.files if f.parent.name == "labels" and f.suffix.casefold() in RASTERS
    ]
    for version in reversed(_SETS):
        versioned = [f for f in found if f.parent.parent.name == version]
        if versioned:
            return versioned, version
    has_new = _config_file(source, "v1.2") is None and _config_file(source, "v2.0") is not None
    return found, "v2.0" if has_new else "v1.2"


def _is_versioned(mask: PurePosixPath) -> bool:
    return mask.parent.parent.name in _SETS


def _config_file(source: Source, version: str) -> PurePosixPath | None:
    names = (f"config_{version}.json", "config.json")
    found = [f for name in names for f in source.files if f.name == name]
    return found[0] if found else None


def _listed(source: Source, file: PurePosixPath) -> ClassMap:
    """The classes of a config. FormatError when a row is not of its form."""
    content = source.json(file)
    rows = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise FormatError(f"{source.called(file)} has no list 'labels'; export it again.")
    if len(rows) > VOID:
        raise FormatError(
            f"{source.called(file)} lists {len(rows)} labels, and label files hold up to 255."
        )
    return ClassMap(file.stem, tuple(_class(row, n, source, file) for n, row in enumerate(rows)))


def _class(row: Any, number: int, source: Source, file: PurePosixPath) -> ClassDef:  # noqa: ANN401
    color = row.get("color") if isinstance(row, dict) else None
    if (
        not isinstance(color, list)
        or len(color) != 3
        or any(type(c) is not int or not 0 <= c <= 255 for c in color)
    ):
        raise FormatError(
            f"{source.called(file)}: labels[{number}] needs a 'color' of three numbers from 0"
            " to 255."
        )
    name = row.get("readable") or row.get("name")
    if not isinstance(name, str):
        raise FormatError(f"{source.called(file)}: labels[{number}] needs a 'readable' name.")
    return ClassDef(number, name, (color[0], color[1], color[2]))
