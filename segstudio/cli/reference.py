"""What models are measured against: the frames with labels, and the class set of those labels."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.cli.report import Json
from segstudio.core.categories import Categories, categories_in
from segstudio.core.classes import VOID, ClassMap, load_class_map
from segstudio.core.instances import CITYSCAPES_SIZES
from segstudio.errors import MediaError, SegStudioError, UsageError
from segstudio.store.pairs import Pair, find_pairs, find_unpaired, instances_beside

if TYPE_CHECKING:  # torch comes when the work starts
    from segstudio.core.frame import Frame
    from segstudio.engine.evaluate import Labelled

Labels = NDArray[np.uint8]
Instances = NDArray[np.int32]
"""(H, W), the numbers of a Cityscapes instance raster."""

T = TypeVar("T")

LAYOUTS = (
    ("images", "labels"),
    ("val/images", "val/labels"),
    ("leftImg8bit/val", "gtFine/val"),
    ("val", "valannot"),
    ("train/images", "train/labels"),
)
"""Where pictures and labels lie in a data folder; the first that is there is taken."""

_LAYOUT_CLASSES = {"camvid": "camvid", "cityscapes": "cityscapes19"}


def add_reference_options(parser: argparse.ArgumentParser) -> None:
    """Which frames, which labels, which classes; shared by `eval` and `compare`."""
    parser.add_argument("--images", type=Path, metavar="DIR", help="pictures, for models")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="reference labels")
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="a folder with images/ and labels/, in it or in val/ or train/; or camvid:DIR,"
        " cityscapes:DIR",
    )
    parser.add_argument(
        "--classes", metavar="SET", help="class set of the labels (the first model's, or camvid)"
    )
    parser.add_argument("--ignore", type=int, metavar="ID", help="another id that is left out")


def settle_folders(arguments: argparse.Namespace) -> None:
    """--data becomes --images, --labels and perhaps --classes; UsageError when it cannot."""
    if arguments.data is not None:
        if arguments.images is not None or arguments.labels is not None:
            raise UsageError("--data names pictures and labels; leave --images and --labels out.")
        kind, _, folder = arguments.data.rpartition(":")
        if kind not in _LAYOUT_CLASSES:  # a colon in a path, or none
            kind, folder = "", arguments.data
        arguments.images, arguments.labels = _in_folder(Path(folder))
        arguments.classes = arguments.classes or _LAYOUT_CLASSES.get(kind)
    if arguments.labels is None:
        raise UsageError("Name the reference labels with --labels, or a folder with --data.")
    if arguments.ignore is not None and not 0 <= arguments.ignore <= VOID:
        raise UsageError(f"--ignore {arguments.ignore} is no label; labels go from 0 to 255.")


def _in_folder(folder: Path) -> tuple[Path, Path]:
    if not folder.is_dir():
        raise MediaError(f"There is no folder {folder}; check the path.")
    for pictures, labels in LAYOUTS:
        if (folder / pictures).is_dir() and (folder / labels).is_dir():
            return folder / pictures, folder / labels
    raise MediaError(
        f"{folder} has no images/ and labels/ in it, nor in val/ or train/; name the two folders"
        " with --images and --labels."
    )


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """The classes of the labels.

    ids: label id in _labelIds files → class id. categories: None where the set names none. sizes:
    class with instances → pixels of an average one in Cityscapes.
    """

    classes: ClassMap
    ids: dict[int, int] = field(default_factory=dict)
    categories: Categories | None = None
    sizes: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def named(name: str) -> "ReferenceSet":
        """A shipped class set, or a JSON file."""
        return ReferenceSet._said(class_set(name)[0], name)

    @staticmethod
    def of_model(classes: ClassMap) -> "ReferenceSet":
        """A model's own set: labels without a class set named are taken to be in it."""
        return ReferenceSet._said(without_void(classes), classes.name)

    @staticmethod
    def _said(classes: ClassMap, name: str) -> "ReferenceSet":
        """The classes with what the file of that set says about those of the same name."""
        own = {c.name: c.id for c in classes.classes}
        rows = [row for row in _rows(name) if row["name"] in own]
        return ReferenceSet(
            classes,
            {row["label_id"]: own[row["name"]] for row in rows if "label_id" in row},
            Categories.of(classes, *categories_in(rows)),
            {
                row["name"]: CITYSCAPES_SIZES[row["name"]]
                for row in rows
                if row.get("instances") and row["name"] in CITYSCAPES_SIZES
            },
        )

    @property
    def names(self) -> list[str]:
        """Class names in the order of the rows."""
        return [c.name for c in self.classes.classes]

    @property
    def names_with_instances(self) -> list[str]:
        """Of these, the classes that have an iIoU."""
        judged = [True] * len(self.names) if self.categories is None else self.categories.judged
        return [n for n, j in zip(self.names, judged, strict=True) if j and n in self.sizes]


def class_set(name: str) -> tuple[ClassMap, dict[int, int]]:
    """A shipped class set, or a JSON file; and label id -> class id where the set tells both."""
    from segstudio.store.class_sets import class_set_file

    file = class_set_file(name)
    rows = json.loads(file.read_text(encoding="utf-8"))["classes"]
    ids = {row["label_id"]: row["id"] for row in rows if "label_id" in row}
    return load_class_map(file), ids


def _rows(name: str) -> list[dict[str, Any]]:
    """What the file of the set of that name says about its classes; nothing without a file."""
    from segstudio.store.class_sets import class_set_file

    try:
        rows = json.loads(class_set_file(name).read_text(encoding="utf-8"))["classes"]
        return [row for row in rows if "name" in row]
    except (SegStudioError, OSError, ValueError, KeyError, TypeError):
        return []


def without_void(classes: ClassMap) -> ClassMap:
    """The set without a class called void, which is one to a net with 12 outputs only."""
    kept = tuple(c for c in classes.classes if c.name.casefold() != "void")
    return ClassMap(classes.name, kept) if kept else classes


def translation(model: ClassMap, labels: ClassMap) -> Labels:
    """uint8 (256,): ids of the model's set -> ids of the labels' set; void without one.

    By the shipped mapping between the two sets where there is one, else by name. UsageError when
    nothing of the one means anything in the other.
    """
    from segstudio.store.class_sets import find_mapping

    table = find_mapping(model, labels).lut()
    known = [c.id for c in model.classes]
    if not set(table[known].tolist()) & {c.id for c in labels.classes}:
        raise UsageError(
            f"The classes of '{model.name}' and '{labels.name}' have no name in common; choose the"
            " class set of the labels with --classes."
        )
    return table


def class_ids(labels: Labels, ending: str, ids: dict[int, int]) -> Labels:
    """Cityscapes' _labelIds files carry other numbers than its 19 classes."""
    if not ids or not ending.endswith("_labelIds"):
        return labels
    table = np.full(256, VOID, np.uint8)
    for label_id, class_id in ids.items():
        if 0 <= label_id <= VOID:
            table[label_id] = class_id
    return table[labels]


@dataclass(slots=True)
class Frames:
    """The pairs of a set, read one after the other; what cannot be used is told and passed over.

    skipped: {"file", "why"} for each frame that was left out. unused: label files without a
    picture. decode_ms: per frame that was read, in order. used: how many were. spoilt: {"file",
    "why"} for each file of instances that cannot be used; its frame is.
    """

    pairs: list[Pair]
    reference: ReferenceSet
    skipped: list[Json] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    decode_ms: list[float] = field(default_factory=list)
    used: int = 0
    spoilt: list[Json] = field(default_factory=list)

    @staticmethod
    def find(
        pictures: Path, labels: Path, reference: ReferenceSet, *, masks: bool = False
    ) -> "Frames":
        """masks: `pictures` are predictions. MediaError when nothing belongs together."""
        found = Frames(find_pairs(pictures, labels, predictions=masks), reference)
        alone, unused = find_unpaired(pictures, labels, predictions=masks)
        found.skipped = [
            {"file": file.name, "why": "It has no label file of its name."} for file in alone
        ]
        found.unused = [file.name for file in unused]
        return found

    def pictures(self, on_seen: Callable[[int], None]) -> "Iterator[Labelled]":
        """Every frame with its labels. on_seen: pairs looked at."""
        from segstudio.engine.evaluate import Labelled

        for pair, frame, reference in self._read(_read_frame, _frame_size, on_seen):
            self.decode_ms.append(frame.decode_ms)
            yield Labelled(file_of(pair), frame, reference, self._instances(pair, reference.shape))

    def masks(
        self, on_seen: Callable[[int], None]
    ) -> Iterator[tuple[str, Labels, Labels, Instances | None]]:
        """Every mask: its file, its labels and the reference's, uint8 (H, W), the instances."""
        for pair, labels, reference in self._read(self._read_mask, _mask_size, on_seen):
            yield file_of(pair), labels, reference, self._instances(pair, reference.shape)

    def _instances(self, pair: Pair, size: tuple[int, ...]) -> Instances | None:
        """Those beside the labels; None where there are none, or the classes know of none."""
        from segstudio.store.masks import read_instances

        file = instances_beside(pair) if self.reference.sizes else None
        if file is None:
            return None
        try:
            found = read_instances(file)
        except MediaError as error:
            self.spoilt.append({"file": file.name, "why": str(error)})
            return None
        if found.shape == size:
            return found
        why = f"It is {_told(found.shape)}, its labels {_told(size)}."
        self.spoilt.append({"file": file.name, "why": why})
        return None

    def _read(
        self,
        read: Callable[[Pair], T],
        size_of: Callable[[T], tuple[int, ...]],
        on_seen: Callable[[int], None],
    ) -> Iterator[tuple[Pair, T, Labels]]:
        from segstudio.store.masks import read_mask

        for seen, pair in enumerate(self.pairs, start=1):
            try:
                reference = class_ids(read_mask(pair.labels), pair.ending, self.reference.ids)
                picture = read(pair)
            except (SegStudioError, OSError) as error:
                self.skipped.append({"file": file_of(pair), "why": str(error)})
            else:
                if size_of(picture) == reference.shape:
                    self.used += 1
                    yield pair, picture, reference
                else:
                    why = f"It is {_told(size_of(picture))}, its labels {_told(reference.shape)}."
                    self.skipped.append({"file": file_of(pair), "why": why})
            on_seen(seen)

    def _read_mask(self, pair: Pair) -> Labels:
        from segstudio.store.masks import read_mask

        ending = "_labelIds" if pair.picture.stem.endswith("_labelIds") else ""
        return class_ids(read_mask(pair.picture), ending, self.reference.ids)

    def told(self) -> list[str]:
        """What people should know about the frames that were left out."""
        rows = []
        if self.skipped:
            first = self.skipped[0]
            rows.append(
                f"{_count(len(self.skipped), 'frame was', 'frames were')} left out, the first is"
                f" {first['file']}: {first['why']}"
            )
        if self.spoilt:
            first = self.spoilt[0]
            rows.append(
                f"{_count(len(self.spoilt), 'file of instances', 'files of instances')} cannot be"
                f" used, the first is {first['file']}: {first['why']}"
            )
        if self.unused:
            files = _count(len(self.unused), "label file has", "label files have")
            rows.append(f"{files} nothing to be held against, the first is {self.unused[0]}.")
        return rows

    def require_one(self) -> None:
        """MediaError when every frame was left out."""
        if not self.used:
            raise MediaError(
                "No frame is left to measure; the first was left out because:"
                f" {self.skipped[0]['file']}: {self.skipped[0]['why']}"
            )


def _read_frame(pair: Pair) -> "Frame":
    from segstudio.media.open import open_source

    source = open_source(pair.picture)
    try:
        frame = source.read(0)
    finally:
        source.close()
    if frame.note:
        raise MediaError(frame.note)
    return frame


def _frame_size(frame: "Frame") -> tuple[int, ...]:
    return (frame.height, frame.width)


def _mask_size(labels: Labels) -> tuple[int, ...]:
    return labels.shape


def file_of(pair: Pair) -> str:
    """The picture's name; with its folder where another picture is called the same."""
    folder, slash, _ = pair.name.rpartition("/")
    return f"{folder}{slash}{pair.picture.name}"


def _told(size: tuple[int, ...]) -> str:
    return f"{size[1]}×{size[0]}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
