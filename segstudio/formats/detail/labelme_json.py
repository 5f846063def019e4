"""What labelme's JSON files say, and those of programs that write the same, as X-AnyLabeling."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.labelme_shapes import area_of
from segstudio.formats.files.fields import Fields, opened
from segstudio.formats.files.pairing import split_of
from segstudio.formats.files.pictures import check_size, is_picture
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import named_classes
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks.raster_reader import picture_size
from segstudio.formats.names import Unique
from segstudio.formats.outlining.object_numbers import numbered_inside
from segstudio.formats.registry import FrameRef

LIST = "labels.txt"
IGNORE = "__ignore__"
BACKGROUND = "_background_"

_HEAD = 1 << 18
_MOST_NAMES = 10_000


@dataclass(slots=True)
class LabelmeReader:
    """Labels from shapes, each drawn over those before it. See `registry.Reader`.

    ids: label → class id. unlabelled: what pixels without a shape are. with_objects: whether shapes
    are single objects: those of one label and one group are the same.
    """

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _source: Source
    _ids: Mapping[str, int]
    _unlabelled: int
    _with_objects: bool

    def read(self, frame: FrameRef) -> Labelled:
        """See `Reader.read`."""
        content = opened(self._source, frame.key)
        height, width = self._size(content, frame)
        labels = np.full((height, width), self._unlabelled, np.uint8)
        objects = np.zeros((height, width), np.int32)
        numbers: dict[object, int] = {}
        for place, shape in enumerate(content.records("shapes")):
            label = shape.text("label")
            class_id = self._ids.get(label, VOID)
            group = shape.text("group_id", "")
            key = (label, group) if group else place
            area = area_of(shape, height, width)
            labels[area.rect.slices][area.mask] = class_id
            objects[area.rect.slices][area.mask] = numbers.setdefault(key, len(numbers) + 1)
        instances = numbered_inside(labels, objects) if self._with_objects else None
        return Labelled(frame.name, labels, None, frame.clip, frame.split, 0, instances)

    def _size(self, content: Fields, frame: FrameRef) -> tuple[int, int]:
        """(H, W): as the file says, else of its picture; both must be the same."""
        picture = None
        if frame.picture is not None:
            picture = picture_size(self._source.head(frame.picture, _HEAD))
        if not content.has("imageHeight") and not content.has("imageWidth"):
            if picture is None:
                raise FormatError(
                    f"{content.where} has no 'imageHeight' and 'imageWidth', and its picture was"
                    " not found; put it beside the file."
                )
            return check_size(*picture, content.where)
        size = content.whole("imageHeight", 1), content.whole("imageWidth", 1)
        if picture is not None and picture != size:
            raise FormatError(
                f"{content.where}: 'imageWidth' and 'imageHeight' say {size[1]}×{size[0]}, and"
                f" {frame.picture} has {picture[1]}×{picture[0]} pixels; label that picture."
            )
        return check_size(*size, content.where)


def json_files(source: Source) -> list[PurePosixPath]:
    """Those that may be read: the chosen one, or all."""
    return [path for path in source.files if path.suffix.lower() == ".json"]


def looks_labelme(head: bytes) -> bool:
    """Whether a JSON file that begins so may hold shapes."""
    return b'"shapes"' in head and (b'"imagePath"' in head or b'"flags"' in head)


@dataclass(slots=True)
class _Files:
    """Files with shapes. pictures: what each calls its picture. labels: in all of them."""

    pictures: dict[PurePosixPath, str] = field(default_factory=dict)
    labels: dict[str, None] = field(default_factory=dict)
    has_one: bool = False
    others: int = 0


def open_labelme(
    source: Source, *, unlabelled: str, with_objects: bool, title: str = "labelme"
) -> LabelmeReader:
    """unlabelled: "auto", "void" or "background". FormatError when no file has shapes."""
    found = _scanned(source)
    if not found.has_one:
        raise FormatError(
            f"{source.title} holds no JSON file with 'shapes', as {title} writes them; choose the"
            " folder with them."
        )
    listed = [name for name in _listed(source) if name != IGNORE]
    used = [name for name in found.labels if name != IGNORE]
    if unlabelled == "background" and BACKGROUND not in listed:
        listed.insert(0, BACKGROUND)
    classes = named_classes([(name, None) for name in listed], used, source.title)
    ids = {known.name: known.id for known in classes.classes}
    rest = VOID if unlabelled == "void" else ids.get(BACKGROUND, VOID)
    notes = [*source.notes]
    if found.others:
        notes.append(f"Left out: {found.others:,} JSON files that have no shapes.")
    return LabelmeReader(
        classes, list(frames_beside(source, found.pictures)), notes, source, ids, rest, with_objects
    )


def _scanned(source: Source) -> _Files:
    """All labels, by reading every file once: nothing else says which there are.

    What is damaged inside is said when that frame is read.
    """
    found = _Files()
    for path in json_files(source):
        try:
            content = source.json(path)
        except FormatError:
            if looks_labelme(source.head(path)):
                found.pictures[path] = ""
            continue
        if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
            found.others += 1
            continue
        found.has_one = True
        found.pictures[path] = str(content.get("imagePath") or "")
        for shape in content["shapes"]:
            label = shape.get("label") if isinstance(shape, dict) else None
            if isinstance(label, str | int | float):
                found.labels[Fields(shape, "").text("label", "")] = None
    return found


def _listed(source: Source) -> Iterator[str]:
    """The names of the lists of labels, in their order."""
    for path in source.around:
        if path.name.lower() == LIST:
            for line in source.text(path).splitlines()[:_MOST_NAMES]:
                if line.strip():
                    yield line.strip()


def frames_beside(source: Source, files: Mapping[PurePosixPath, str]) -> Iterator[FrameRef]:
    """Frames in the order of their files, each with the picture that it names, or that is called
    like it."""
    names = Unique()
    stems = Counter(path.stem.casefold() for path in files)
    beside: dict[PurePosixPath, PurePosixPath] = {}
    for path in source.around:
        if is_picture(path):
            beside.setdefault(path.with_suffix(""), path)
    for path, named in files.items():
        is_alone = stems[path.stem.casefold()] == 1 or not path.parent.name
        name = names.name(path.stem if is_alone else f"{path.parent.name}_{path.stem}")
        picture = source.named(named, path) if named else None
        if picture is None or not is_picture(picture):
            picture = beside.get(path.with_suffix(""))
        yield FrameRef(name, path, "", split_of(path), picture)
