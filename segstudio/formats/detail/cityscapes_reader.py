"""Reading Cityscapes: the official folders, Datumaro's and CVAT's, bare folders, predictions.

Files are known by the endings of their names, wherever they lie. Each frame is read from the best
file it has: labelIds, else instanceIds, labelTrainIds, polygons, panoptic. Colours only on request
where several classes share one, as Cityscapes' own do.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import plain
from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.detail.cityscapes_labels import UNLABELED, from_instance_ids, numbers
from segstudio.formats.detail.cityscapes_panoptic import Panoptic, split_and_stem
from segstudio.formats.detail.cityscapes_polygons import drawn
from segstudio.formats.files.class_lists import find_class_list
from segstudio.formats.files.pairing import PICTURES, split_of
from segstudio.formats.files.picture_check import check_picture
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import Color, ColorTable
from segstudio.formats.masks.raster_reader import by_colors, by_table, numbers_of
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.registry import FrameRef

FRAMES = "frames.csv"
"""Which frame of ours each file is of; only our own exports have it."""

_BEST = ("labelIds", "instanceIds", "labelTrainIds", "polygons", "panoptic")
_ENDING = re.compile(
    r"(?P<stem>.+?)(?:_(?P<type>gtFine|gtCoarse))?"
    r"_(?P<kind>labelIds|instanceIds|labelTrainIds|color|polygons|panoptic)\.(?:png|json)",
    re.IGNORECASE,
)
_KINDS = {kind.casefold(): kind for kind in (*_BEST, "color")}
_NAMED = re.compile(r"(?P<stem>[^_]+_\d{6}_\d{6})(?P<rest>.*)\.png", re.IGNORECASE)
_PICTURE = "_leftimg8bit"
_BLACK: Color = (0, 0, 0)
_LISTS = ("label_colors.txt", "dataset_meta.json")

Key = tuple[str, str]
"""Split and stem: what the files of one frame have in common."""


@dataclass(frozen=True, slots=True, eq=False)
class _Classes:
    """ids: number in label files → id, 255 void. train_ids: of labelTrainIds. meant: for messages.
    void: colours of void."""

    classes: ClassMap
    ids: Mapping[int, int]
    train_ids: Mapping[int, int]
    meant: str
    void: tuple[Color, ...] = ()


@dataclass(slots=True)
class _Files:
    """The files of one frame, by kind."""

    paths: dict[str, PurePosixPath] = field(default_factory=dict)
    picture: PurePosixPath | None = None


class CityscapesReader:
    """See the module. `FrameRef.key` is (kind, path, path of the instanceIds or None)."""

    def __init__(self, source: Source, labels_from: str) -> None:
        self._source = source
        self._known = _classes_of(source)
        self.classes = self._known.classes
        self._notes: list[str] = []
        self._table = _colors_of(self._known)
        kinds: tuple[str, ...] = (labels_from,)
        if labels_from in ("ids", "trainIds"):
            files = _all_rasters(source)
        else:
            files = _files_by_frame(source)
            if labels_from == "auto":
                kinds = _BEST if self._table.doubled else (*_BEST, "color")
        self.frames: Sequence[FrameRef] = tuple(self._frames(files, kinds))
        self.notes: Sequence[str] = tuple(self._notes)
        is_needed = any(ref.key[0] == "panoptic" for ref in self.frames)
        self._panoptic = Panoptic(source) if is_needed else None

    def read(self, frame: FrameRef) -> Labelled:
        """See `Reader.read`."""
        kind, path, single = frame.key
        if kind == "polygons":
            labels, instances = drawn(self._source.json(path), self.classes, str(path))
        elif kind == "panoptic":
            assert self._panoptic is not None
            labels, instances = self._panoptic.read(path, self._raster(path), self._known.ids)
        else:
            labels, instances = self._decoded(kind, path)
        if single is not None:
            instances = self._instances(labels, single)
        check_picture(self._source, frame, labels.shape, str(path))
        return Labelled(frame.name, labels, clip=frame.clip, split=frame.split, instances=instances)

    def _decoded(
        self, kind: str, path: PurePosixPath
    ) -> tuple[NDArray[np.uint8], NDArray[np.int32] | None]:
        raster = self._raster(path)
        known = self._known
        if kind == "color":
            return by_colors(raster, self._table).labels, None
        values = numbers_of(raster, path)
        if kind == "instanceIds":
            ids, instances = from_instance_ids(values.astype(np.int32))
            return by_table(ids, known.ids, path, known.meant), instances
        is_train = kind in ("labelTrainIds", "trainIds")
        table = known.train_ids if is_train else known.ids
        return by_table(values, table, path, known.meant), None

    def _instances(
        self, labels: NDArray[np.uint8], path: PurePosixPath
    ) -> NDArray[np.int32] | None:
        """Numbers of single objects, where the class beside them is the one of the labels."""
        values = numbers_of(self._raster(path), path).astype(np.int32)
        if values.shape != labels.shape:
            raise FormatError(
                f"{path} has {values.shape[1]}×{values.shape[0]} pixels, and its labelIds"
                f" {labels.shape[1]}×{labels.shape[0]}; export them at one size."
            )
        ids, instances = from_instance_ids(values)
        if instances is None:
            return None
        same = by_table(ids, self._known.ids, path, self._known.meant) == labels
        kept = np.where(same, instances, 0).astype(np.int32)
        return kept if kept.any() else None

    def _raster(self, path: PurePosixPath) -> Raster:
        raster = rasters.decode(self._source.read(path), str(path))
        if raster.is_lossy:
            raise FormatError(f"{path} is a JPEG or WebP file; export the labels as PNG.")
        return raster

    def _frames(self, files: Mapping[Key, _Files], kinds: Iterable[str]) -> Iterable[FrameRef]:
        ours = _our_names(self._source)
        unique = names.Unique()
        left_out: Counter[str] = Counter()
        for (split, stem), found in files.items():
            kind = next((k for k in kinds if k in found.paths), None)
            if kind is None:
                left_out.update(found.paths.keys())
                continue
            path = found.paths[kind]
            single = (
                found.paths.get("instanceIds") if kind in ("labelIds", "labelTrainIds") else None
            )
            name = unique.name(ours.get(stem, stem))
            yield FrameRef(name, (kind, path, single), _city(stem, path), split, found.picture)
        if left_out:
            most = ", ".join(f"{n} {kind}" for kind, n in left_out.most_common())
            self._notes.append(
                f"Left out: frames with {most} alone; to read them, choose where labels come from."
            )


def looks_like(source: Source) -> tuple[float, str, str] | None:
    """How sure it is, why, and `labels_from`; None where nothing is called as in Cityscapes."""
    files = _files_by_frame(source)
    kinds = Counter(kind for found in files.values() for kind in found.paths)
    if kinds:
        told = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
        alone = set(kinds) == {"color"}
        doubled = alone and not any(f.name in _LISTS for f in source.files)
        return 0.98, f"Files are called as in Cityscapes: {told}.", "color" if doubled else "auto"
    named = _all_rasters(source)
    if not named or not all(_NAMED.fullmatch(stem + ".png") for _, stem in named):
        return None
    path = next(iter(named.values())).paths["ids"]
    if path.stem.endswith("_pred") or not _are_train_ids(source, path):
        return 0.7, f"{len(named)} PNG files with Cityscapes' names hold ids.", "ids"
    return 0.7, f"{len(named)} PNG files with Cityscapes' names hold trainIds.", "trainIds"


def _are_train_ids(source: Source, path: PurePosixPath) -> bool:
    """Whether a file has numbers of trainIds that ids hardly have (1 to 6 are kinds of void)."""
    try:
        found = np.unique(rasters.decode(source.read(path), str(path)).values)
    except FormatError:
        return False
    known = found[found != VOID]
    return bool(((known >= 1) & (known <= 6)).any() and known.max() <= 18)


def _files_by_frame(source: Source) -> dict[Key, _Files]:
    found: dict[Key, _Files] = {}
    pictures: dict[str, PurePosixPath] = {}
    for path in source.files:
        if path.stem.casefold().endswith(_PICTURE) and path.suffix.casefold() in PICTURES:
            pictures[path.stem[: -len(_PICTURE)]] = path
            continue
        match = _ENDING.fullmatch(path.name)
        if match is None:
            continue
        kind = _KINDS[match["kind"].casefold()]
        if (path.suffix.casefold() == ".json") != (kind == "polygons"):
            continue
        split, stem = _split(path), match["stem"]
        if kind == "panoptic":
            split, stem = split_and_stem(path, stem)
        paths = found.setdefault((split, stem), _Files()).paths
        is_fine = (match["type"] or "gtFine").casefold() == "gtfine"
        if kind not in paths or is_fine:
            paths[kind] = path
    for (_, stem), files in found.items():
        files.picture = pictures.get(stem)
    return found


def _all_rasters(source: Source) -> dict[Key, _Files]:
    """Every PNG that is no picture, as ids and as trainIds alike."""
    found: dict[Key, _Files] = {}
    pictures: dict[str, PurePosixPath] = {}
    for path in source.files:
        if path.stem.casefold().endswith(_PICTURE):
            pictures[path.stem[: -len(_PICTURE)]] = path
        elif path.suffix.casefold() == ".png":
            match = _NAMED.fullmatch(path.name)
            stem = match["stem"] if match is not None else path.stem
            files = _Files({"ids": path, "trainIds": path})
            found.setdefault((_split(path), stem), files)
    for (_, stem), files in found.items():
        files.picture = pictures.get(stem)
    return found


def _split(path: PurePosixPath) -> str:
    """Cityscapes has train_extra too: coarse labels to train with."""
    return split_of(path) or ("train" if "train_extra" in path.parts else "")


def _city(stem: str, path: PurePosixPath) -> str:
    if _NAMED.fullmatch(stem + ".png"):
        return names.clean(stem.split("_")[0], "")
    parent = path.parent.name
    return "" if split_of(path) and split_of(path / "x") == split_of(path.parent / "x") and (
        parent.casefold() in ("train", "val", "test", "train_extra")
    ) else names.clean(parent, "")  # fmt: skip


def _our_names(source: Source) -> dict[str, str]:
    """Stem → the frame's name in the project, where we wrote the files."""
    found = [f for f in source.files if f.name == FRAMES]
    if len(found) != 1:
        return {}
    path = found[0]
    try:
        rows = list(csv.reader(source.text(path).splitlines()))
    except csv.Error as error:
        raise FormatError(f"{source.called(path)} is no CSV file; leave it out.") from error
    return {row[0]: row[1] for row in rows[1:] if len(row) == 2 and row[1]}


def _colors_of(known: _Classes) -> ColorTable:
    """Colours that mean void mean nothing else: four classes of Cityscapes are black too."""
    rows = tuple(c for c in known.classes.classes if c.color not in known.void)
    return ColorTable(replace(known.classes, classes=rows or known.classes.classes), known.void)


def _classes_of(source: Source) -> _Classes:
    """What a label_colors.txt says, else Cityscapes' own."""
    own = numbers()
    listed = find_class_list(source) if any(f.name in _LISTS for f in source.files) else None
    if listed is None or listed.file.name not in _LISTS:
        ids = {c.id: c.id for c in own.classes.classes} | {UNLABELED: VOID}
        trained = {n: int(i) for n, i in enumerate(own.from_train_ids) if i != VOID}
        # Some programs count what is not trained as a twentieth class.
        return _Classes(own.classes, ids, trained | {len(trained): VOID}, "Cityscapes", (_BLACK,))
    void = {c.id for c in listed.classes.classes if plain(c.name) == "unlabeled"}
    kept = tuple(c for c in listed.classes.classes if c.id not in void)
    if not kept:
        raise FormatError(f"{source.called(listed.file)} lists no class but void; complete it.")
    ids = {n: VOID if i in void else i for n, i in listed.ids.items()}
    colors = tuple(c.color for c in listed.classes.classes if c.id in void)
    by_name = {plain(c.name): c.id for c in kept}
    trained = {
        n: by_name.get(plain(own.classes.name_of(int(i))), VOID)
        for n, i in enumerate(own.from_train_ids)
        if i != VOID
    }
    is_ours = all(i != VOID for i in trained.values())
    return _Classes(
        replace(listed.classes, classes=kept),
        ids,
        trained | {len(trained): VOID} if is_ours else ids,
        listed.file.name,
        listed.void + colors,
    )
