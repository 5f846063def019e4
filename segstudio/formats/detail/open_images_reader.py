"""Reading Open Images: one mask file for each object, and a CSV file that says what each is."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.files.class_lists import listed_classes
from segstudio.formats.files.pairing import PICTURES
from segstudio.formats.files.picture_check import check_picture
from segstudio.formats.files.pictures import check_size
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FrameRef

_SEGMENTS = "annotations-object-segmentation.csv"
_NAMES = re.compile(r"(oidv\d+-)?class-descriptions(-boxable)?\.csv", re.IGNORECASE)
_SIZES = "images.meta"
_SPLITS = {"train": "train", "validation": "val", "val": "val", "test": "test"}
_MOST_ROWS = 10_000_000


@dataclass(slots=True)
class _Frame:
    """masks: (file, label) in the order in which they are drawn. size: (H, W) where known."""

    split: str
    masks: list[tuple[PurePosixPath, str]] = field(default_factory=list)
    size: tuple[int, int] | None = None


class OpenImagesReader:
    """`FrameRef.key` is (masks, size). Later masks of the list cover earlier ones; pixels that no
    mask covers are void. Numbers of objects count the masks of each class."""

    def __init__(self, source: Source) -> None:
        self._source = source
        frames, missing = _frames(source)
        self.notes: Sequence[str] = (
            (f"{missing} masks of the lists are not there, and were left out.",) if missing else ()
        )
        used = {label for frame in frames.values() for _, label in frame.masks}
        self.classes, self._ids = _classes(source, used)
        pictures = {
            f.stem: f
            for f in source.around
            if f.suffix.casefold() in PICTURES and "masks" not in f.parts
        }
        unique = names.Unique()
        self.frames: Sequence[FrameRef] = tuple(
            FrameRef(
                unique.name(image),
                (tuple(frame.masks), frame.size),
                split=frame.split,
                picture=pictures.get(image),
            )
            for image, frame in frames.items()
        )

    def read(self, frame: FrameRef) -> Labelled:
        """See `Reader.read`."""
        masks, size = frame.key
        labels: NDArray[np.uint8] | None = None
        if size is not None:
            labels = np.full(size, VOID, np.uint8)
        numbers = None if labels is None else np.zeros(labels.shape, np.int32)
        counts: dict[int, int] = {}
        for path, label in masks:
            raster = rasters.decode(self._source.read(path), str(path))
            covered = raster.values.any(axis=2) if raster.is_colors else raster.values != 0
            if labels is None or numbers is None:
                labels = np.full(covered.shape, VOID, np.uint8)
                numbers = np.zeros(covered.shape, np.int32)
            if covered.shape != labels.shape:
                raise FormatError(
                    f"{path} has {covered.shape[1]}×{covered.shape[0]} pixels, and its frame"
                    f" {labels.shape[1]}×{labels.shape[0]}; export the masks at one size."
                )
            class_id = self._ids[label]
            counts[class_id] = counts.get(class_id, 0) + 1
            labels[covered] = class_id
            numbers[covered] = counts[class_id] if class_id != VOID else 0
        assert labels is not None
        check_picture(self._source, frame, labels.shape, str(masks[0][0]) if masks else frame.name)
        return Labelled(frame.name, labels, split=frame.split, instances=numbers)


def segment_lists(source: Source) -> list[PurePosixPath]:
    """The CSV files that name masks."""
    return [f for f in source.files if f.name.casefold().endswith(_SEGMENTS)]


def _frames(source: Source) -> tuple[dict[str, _Frame], int]:
    """ImageID → frame, in the order of the lists; and how many masks are not there."""
    places: dict[str, PurePosixPath] = {}
    for path in source.around:
        if path.suffix.casefold() == ".png":
            key = path.name.casefold()
            # Datumaro lower-cases names of masks, but not those of pictures.
            if key not in places or "masks" in path.parts:
                places[key] = path
    found: dict[str, _Frame] = {}
    missing = 0
    lists = segment_lists(source)
    for file in lists:
        split = _split(file)
        for row in _rows(source, file, ("MaskPath", "ImageID", "LabelName")):
            place = places.get(PurePosixPath(row["MaskPath"]).name.casefold())
            frame = found.setdefault(row["ImageID"], _Frame(split))
            if place is None:
                missing += 1
            else:
                frame.masks.append((place, row["LabelName"]))
    for image, split, size in _sizes(source):
        found.setdefault(image, _Frame(split)).size = size
    return {image: f for image, f in found.items() if f.masks or f.size}, missing


def _split(path: PurePosixPath) -> str:
    word = path.name.casefold().removeprefix("oidv6-").split("-")[0]
    return _SPLITS.get(word, "")


def _classes(source: Source, used: set[str]) -> tuple[ClassMap, dict[str, int]]:
    """The classes, and the id of each label. All that are described, or where they are more than
    255, those that are used."""
    described = _described(source)
    wanted = [label for label in described if len(described) <= VOID or label in used]
    wanted += sorted(used - set(wanted))
    if len(wanted) > VOID:
        raise FormatError(
            f"{source.title} has objects of {len(wanted)} classes, and 255 fit into a project; take"
            f" rows out of the files …-{_SEGMENTS}."
        )
    file = PurePosixPath("class-descriptions.csv")
    rows = [(n, described.get(label) or label, None) for n, label in enumerate(wanted)]
    listed = listed_classes(file, rows, source.title)
    return listed.classes, {label: listed.ids[n] for n, label in enumerate(wanted)}


def _described(source: Source) -> dict[str, str]:
    """Label → name for people."""
    found: dict[str, str] = {}
    for file in source.around:
        if _NAMES.fullmatch(file.name):
            for row in _records(source, file):
                if len(row) >= 2 and row[:2] != ["LabelName", "DisplayName"]:
                    found.setdefault(row[0], row[1])
    return found


def _sizes(source: Source) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """ImageID, split and (H, W) from Datumaro's list of sizes."""
    splits = {}
    for file in source.around:
        if file.name.casefold().endswith(("images-with-rotation.csv", "ids_and_rotation.csv")):
            for row in _rows(source, file, ("ImageID",)):
                splits[row["ImageID"]] = _SPLITS.get(row.get("Subset") or "", "")
    for file in source.around:
        if file.name != _SIZES:
            continue
        for number, line in enumerate(source.text(file).split("\n"), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            parts = text.rsplit(None, 2)
            if len(parts) != 3 or not all(p.isdecimal() and len(p) < 10 for p in parts[1:]):
                raise FormatError(
                    f"{source.called(file)}: line {number} is not of the form 'image height"
                    " width'; correct it."
                )
            image = parts[0].strip('"')
            size = check_size(int(parts[1]), int(parts[2]), f"{file}: line {number}")
            yield image, splits.get(image, ""), size


def _rows(
    source: Source, file: PurePosixPath, columns: Sequence[str]
) -> Iterator[Mapping[str, str]]:
    """Rows of a CSV file by column; the named ones are there and not empty."""
    records = _records(source, file)
    header = next(records, [])
    absent = [name for name in columns if name not in header]
    if absent:
        raise FormatError(f"{source.called(file)} has no column {absent[0]}; export it again.")
    for number, record in enumerate(records, 2):
        row = dict(zip(header, record, strict=False))
        if not any(record):
            continue
        for name in columns:
            if not row.get(name):
                raise FormatError(
                    f"{source.called(file)}: line {number} has no {name}; export it again."
                )
        yield row


def _records(source: Source, file: PurePosixPath) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(source.text(file), newline=""))
    try:
        for number, record in enumerate(reader):
            if number > _MOST_ROWS:
                raise FormatError(f"{source.called(file)} has more than {_MOST_ROWS:,} rows.")
            yield record
    except csv.Error as error:
        raise FormatError(
            f"{source.called(file)} is no CSV file that can be read ({error}); export it again."
        ) from error
