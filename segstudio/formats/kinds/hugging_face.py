"""A folder that `datasets.load_dataset("imagefolder", data_dir=…)` of Hugging Face reads.

    train/images/drive_000010.jpg        train, validation, test; frames without a split: train
    train/labels/drive_000010.png        palette PNG: a byte a pixel, 255 void
    train/metadata.parquet               or metadata.jsonl: file_name, label_file_name, clip
    id2label.json                        {"0": "road", …}

`datasets` makes of it the columns "image", "label" and "clip". Ids count from 0 without gaps, for
nets take the number of names as the number of their outputs; 255 is what losses there leave out.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.class_sets import Fitted, numbered, own
from segstudio.formats.files import parquet
from segstudio.formats.files.class_lists import VOID_COLOR, find_class_list, without_void_names
from segstudio.formats.files.pairing import RASTERS, split_of
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.raster_reader import Decoded, RasterReader, by_table, numbers_of
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, FrameRef, Guess, OutFile, Written, file_format

NAMES = "id2label.json"
_LISTS = ("metadata.parquet", "metadata.jsonl", "metadata.csv")
_FOLDERS = {"": "train", "train": "train", "val": "validation", "test": "test"}
_ENDING = "_file_name"
_PICTURES = ("file_name", "image_file_name", "pixel_values_file_name")
_LABELS = ("label", "labels", "mask", "annotation", "segmentation", "segmentation_mask", "target")


class HuggingFaceWriter:
    """See the module."""

    def __init__(self, fit: Fitted, *, with_parquet: bool) -> None:
        self.ids, lost = without_void_names(fit.classes, fit.ids)
        self.cannot = fit.cannot + lost
        self._classes = fit.classes
        self._with_parquet = with_parquet
        self._palette = fit.classes.palette()
        self._palette[VOID] = VOID_COLOR

    def frame(self, item: Labelled) -> Written:
        """The label file; picture and label lie in the folder of their split."""
        base = PurePosixPath(_FOLDERS[item.split])
        label = PurePosixPath("labels", f"{item.name}.png")
        content = rasters.encode_indices(looked_up(self.ids, item.labels), self._palette)
        entry = {"folder": str(base), "label_file_name": str(label), "clip": item.clip}
        picture = None
        if item.picture is not None:
            picture = PurePosixPath("images", f"{item.name}{item.picture.suffix}")
            entry["file_name"] = str(picture)
        files = (OutFile(base / label, content),)
        return Written(files, None if picture is None else base / picture, entry)

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """A list a split, and id2label.json."""
        has_pictures: dict[str, bool] = {}
        for entry in entries():
            folder = entry["folder"]
            has_pictures[folder] = has_pictures.get(folder, False) or "file_name" in entry
        for folder, has_any in has_pictures.items():
            columns = ["label_file_name", "clip"]
            if has_any:
                columns = ["file_name", *columns]
            rows = (
                {name: entry.get(name) for name in columns}
                for entry in entries()
                if entry["folder"] == folder
            )
            yield self._list(PurePosixPath(folder), columns, rows)
        called = {str(c.id): c.name for c in self._classes.classes}
        text = json.dumps(called, indent=2, ensure_ascii=False) + "\n"
        yield OutFile(PurePosixPath(NAMES), text.encode())

    def _list(
        self, folder: PurePosixPath, columns: list[str], rows: Iterator[dict[str, Any]]
    ) -> OutFile:
        if self._with_parquet:
            return OutFile(folder / "metadata.parquet", parquet.encode_texts(columns, rows))
        lines = (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        return OutFile(folder / "metadata.jsonl", lines)


@file_format
class HuggingFace:
    """See the module."""

    name = "hugging_face"
    title = "Hugging Face image folder"
    about = "Pictures, label PNG files and a list, as the `datasets` library loads them."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "ids",
            "Ids",
            "dense",
            "Which numbers the classes get.",
            {"dense": "From 0 without gaps", "own": "As in the project"},
        ),
        Option(
            "list",
            "List",
            "auto",
            "The file that says which label belongs to which picture.",
            {
                "auto": "metadata.parquet where pyarrow is installed, else metadata.jsonl",
                "parquet": "metadata.parquet",
                "jsonl": "metadata.jsonl",
            },
        ),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> HuggingFaceWriter:
        """All classes fit. FormatError when Parquet is asked for and pyarrow is not installed."""
        chosen = str(options["list"])
        if chosen == "parquet":
            parquet.encode_texts(["file_name"], [])  # says what is missing before a file is written
        with_parquet = chosen == "parquet" or (chosen == "auto" and parquet.is_installed())
        fit = own(classes)
        if options["ids"] == "dense":
            fit = Fitted(*numbered(classes), ())
        return HuggingFaceWriter(fit, with_parquet=with_parquet)

    def sniff(self, source: Source) -> Guess | None:
        """By its lists, and names of classes or label files beside them."""
        lists = [f for f in source.files if f.name in _LISTS]
        if not lists:
            return None
        if any(f.name == NAMES for f in source.around):
            return Guess(self.name, 0.95, f"{lists[0].name} and {NAMES} are there.", {})
        try:
            frames, _ = _frames(source, lists)
        except FormatError:
            return None
        if not frames:
            return None
        return Guess(self.name, 0.8, f"{lists[0].name} names pictures and label files.", {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """FormatError when no list names label files, or nobody says what ids mean."""
        frames, notes = _frames(source, [f for f in source.files if f.name in _LISTS])
        if not frames:
            raise FormatError(
                f"{source.title} has no metadata.parquet, .jsonl or .csv with a column such as"
                " label_file_name; choose the folder that holds it."
            )
        listed = find_class_list(source)
        found = listed.classes if listed is not None else classes
        if found is None:
            raise FormatError(
                f"{source.title} does not say what its ids mean; add an {NAMES} with a name for"
                " each, or open it in a project that has the classes."
            )
        ids = listed.ids if listed is not None else {c.id: c.id for c in found.classes}
        meant = listed.file.name if listed is not None else found.name
        if listed is not None and listed.file.name == NAMES:
            found = _coloured(found, source, frames[0])

        def decode(raster: Raster, path: PurePosixPath) -> Decoded:
            return Decoded(by_table(numbers_of(raster, path), ids, path, meant))

        return RasterReader(source, found, frames, decode, notes)


def _coloured(classes: ClassMap, source: Source, first: FrameRef) -> ClassMap:
    """The classes in the colours of a label file's palette, where it has one for each."""
    try:
        raster = rasters.decode(source.read(PurePosixPath(first.key)), str(first.key))
    except FormatError:
        return classes  # whoever reads this frame is told
    palette = raster.palette
    if palette is None or any(c.id >= len(palette) for c in classes.classes):
        return classes
    rows = tuple(
        replace(c, color=(int(palette[c.id][0]), int(palette[c.id][1]), int(palette[c.id][2])))
        for c in classes.classes
    )
    return replace(classes, classes=rows)


def _frames(
    source: Source, lists: Iterable[PurePosixPath]
) -> tuple[list[FrameRef], tuple[str, ...]]:
    """The frames that lists name, and what was left out."""
    unique = names.Unique()
    found: list[FrameRef] = []
    left_out = 0
    done: set[PurePosixPath] = set()
    for path in sorted(lists, key=lambda f: (f.parent, _LISTS.index(f.name))):
        if path.parent in done:
            continue  # another form of the same list
        done.add(path.parent)
        for place, row in enumerate(_rows(source, path)):
            label = _label_file(source, path, row, place)
            if label is None:
                left_out += 1
                continue
            picture = next((row[c] for c in _PICTURES if row.get(c)), None)
            clip = row.get("clip")
            found.append(
                FrameRef(
                    unique.name(label.stem),
                    str(label),
                    names.clean(clip, "") if isinstance(clip, str) else "",
                    split_of(label) or split_of(path),
                    source.named(picture, path) if isinstance(picture, str) else None,
                )
            )
    notes = (f"{left_out} pictures of the lists have no label file.",) if left_out else ()
    return found, notes


def _label_file(
    source: Source, path: PurePosixPath, row: Mapping[str, Any], place: int
) -> PurePosixPath | None:
    """The label file that a row names; None where it names none."""
    columns = [f"{name}{_ENDING}" for name in _LABELS]
    columns += [n for n in row if str(n).endswith(_ENDING) and n not in _PICTURES]
    named = next((row[c] for c in columns if row.get(c) not in (None, "")), None)
    if named is None:
        return None
    if not isinstance(named, str) or PurePosixPath(named).suffix.casefold() not in RASTERS:
        raise FormatError(
            f"{source.called(path)}: row {place + 1} names '{str(named)[:80]}' as a label file,"
            " which is no PNG file; correct it."
        )
    file = source.named(named, path)
    if file is None:
        raise FormatError(
            f"{source.called(path)}: row {place + 1} names {named[:80]}, which is not there;"
            " complete the folder, or take the row out."
        )
    return file


def _rows(source: Source, path: PurePosixPath) -> Iterator[Mapping[str, Any]]:
    """Rows of a list by column."""
    if path.suffix == ".parquet":
        yield from parquet.texts_in(source.read(path), source.called(path))
    elif path.suffix == ".csv":
        try:
            yield from csv.DictReader(io.StringIO(source.text(path), newline=""))
        except csv.Error as error:
            raise FormatError(f"{source.called(path)} is no CSV file ({error}).") from error
    else:
        for number, line in enumerate(source.text(path).split("\n"), 1):
            if line.strip():
                yield _row(line, f"{source.called(path)}: line {number}")


def _row(line: str, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where} is no valid JSON; export it again.") from error
    if not isinstance(row, dict):
        raise FormatError(f"{where} is no object; each line is one, with file_name.")
    return row
