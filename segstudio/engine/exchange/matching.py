"""Which frame of a project the labels of somebody else belong to, by name, place or number.

A name that fits two frames fits none: a person is told rather than labels put on a guess.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias, get_args

from segstudio.core.class_mapping import listed, plain
from segstudio.engine.exchange.naming import FrameNames
from segstudio.errors import UsageError
from segstudio.formats import names
from segstudio.formats.files.source import Source
from segstudio.formats.registry import FrameRef
from segstudio.store.project import FrameKey, MediaRecord, Project

Matching: TypeAlias = Literal["name", "number", "order", "none"]
"""name: the picture's name or place, or the name of an export. number: the last number in a name is
the frame's index. order: the first file is the first frame. none: always new pictures."""


@dataclass(frozen=True, slots=True)
class Matches:
    """keys: frame of the project for each that was found. why_not: those that must not come in,
    with the reason. nowhere: the reason of those that may still have pictures of their own, where
    it is not that no frame has their name."""

    keys: dict[int, FrameKey]
    why_not: dict[int, str]
    nowhere: dict[int, str] = field(default_factory=dict)


def match(
    project: Project,
    source: Source,
    refs: Sequence[FrameRef],
    matching: str = "name",
    media: int | None = None,
) -> Matches:
    """For the frames of a reader, by their place in `refs`.

    media: only frames of this medium; needed for numbers and order where there are several.
    UsageError for a way that is not known or a medium that must be named.
    """
    if matching not in get_args(Matching):
        known = ", ".join(get_args(Matching))
        raise UsageError(f"Frames cannot be matched by '{matching}'; choose one of {known}.")
    if matching == "none":
        return Matches({}, {})
    if matching == "name":
        by_name = _ByName(project, source, media)
        named = ((i, by_name.find(ref)) for i, ref in enumerate(refs))
        return _once(refs, ((i, key) for i, key in named if key is not None))
    record = _the_one(project, media, matching)
    if matching == "order":
        _check_count(record, refs)
        return Matches({i: FrameKey(record.id, i) for i in range(len(refs))}, {})
    numbers, nowhere = _numbers(record, refs)
    found = _once(refs, ((i, FrameKey(record.id, at)) for i, at in numbers.items()))
    return replace(found, nowhere=nowhere)


def fitting_order(
    project: Project, refs: Sequence[FrameRef], media: int | None = None
) -> MediaRecord | None:
    """The only medium that has as many frames as there are labels."""
    fits = [r for r in project.media() if media in (None, r.id) and r.frames == len(refs)]
    return fits[0] if len(fits) == 1 and len(refs) > 1 else None


def titles(project: Project) -> dict[int, str]:
    """What each medium is called to name it: its title, with the folders that tell two apart."""
    records = project.media()
    found = {r.id: r.title for r in records}
    for parents in (1, 2, None):
        count = Counter(found.values())
        for r in records:
            if count[found[r.id]] > 1:
                path = r.path if r.path.name == r.title else r.path / r.title
                parts = path.parts if parents is None else path.parts[-1 - parents :]
                found[r.id] = PurePosixPath(*parts).as_posix()
    return found


def _check_count(record: MediaRecord, refs: Sequence[FrameRef]) -> None:
    """In order means one for each frame: one that is missing would move all behind it."""
    if len(refs) != record.frames:
        raise UsageError(
            f"There are {len(refs):,} label files and {record.title} has {record.frames:,} frames,"
            " so they cannot be matched in order; match them by name or number, or complete the"
            " files."
        )


def _numbers(
    record: MediaRecord, refs: Sequence[FrameRef]
) -> tuple[dict[int, int], dict[int, str]]:
    """The index that each name ends with, and why others have none."""
    found: dict[int, int] = {}
    nowhere: dict[int, str] = {}
    for i, ref in enumerate(refs):
        number = re.search(r"(\d{1,12})\D*$", ref.name, re.ASCII)
        if number is None:
            nowhere[i] = "there is no number in its name."
        elif int(number[1]) >= record.frames:
            last = record.frames - 1
            nowhere[i] = (
                f"its number is {int(number[1])}, and the frames of {record.title} go to {last}."
            )
        else:
            found[i] = int(number[1])
    return found, nowhere


def _once(refs: Sequence[FrameRef], found: Iterable[tuple[int, FrameKey]]) -> Matches:
    """Two files for one frame: the first one is taken."""
    keys: dict[int, FrameKey] = {}
    taken: dict[FrameKey, int] = {}
    why_not: dict[int, str] = {}
    for i, key in found:
        if key in taken:
            why_not[i] = f"{refs[taken[key]].name} is for the same frame."
        else:
            keys[i], taken[key] = key, i
    return Matches(keys, why_not)


def _the_one(project: Project, media: int | None, matching: str) -> MediaRecord:
    records = [r for r in project.media() if media in (None, r.id)]
    if len(records) == 1:
        return records[0]
    if not records:
        raise UsageError(
            f"{project.path.name} has no media, so frames cannot be matched by {matching}; open a"
            " video in it first, or match by name."
        )
    named = listed([f"'{title}'" for title in titles(project).values()])
    raise UsageError(
        f"{project.path.name} has {len(records)} media, so frames cannot be matched by {matching}"
        f" alone; say which medium they are of (--media TITLE): {named}."
    )


class _ByName:
    """Names of exports, places of pictures, then their names and stems."""

    def __init__(self, project: Project, source: Source, media: int | None) -> None:
        self._names = FrameNames(project)
        self._source = source
        self._media = media
        self._places: dict[Path, FrameKey] = {}
        self._files: dict[str, FrameKey | None] = {}  # None: several
        self._stems: dict[str, FrameKey | None] = {}
        self._clips: dict[str, list[MediaRecord]] = {}
        for record in project.media():
            if media not in (None, record.id):
                continue
            if record.kind != "image":
                clip = plain(self._names.clip(record.id))
                self._clips.setdefault(clip, []).append(record)
            folder = record.path.parent if record.kind == "image" else record.path
            for index, name in enumerate(self._names.pictures(record.id)):
                self._add(folder / name, FrameKey(record.id, index))

    def _add(self, place: Path, key: FrameKey) -> None:
        self._places[place.absolute()] = key
        for known, name in ((self._files, place.name), (self._stems, place.stem)):
            folded = name.casefold()
            known[folded] = None if folded in known else key

    def find(self, ref: FrameRef) -> FrameKey | None:
        key = self._find(ref)
        return key if key is None or self._media in (None, key.media) else None

    def _find(self, ref: FrameRef) -> FrameKey | None:
        bare = PurePosixPath(ref.name).name
        if ref.picture is not None:
            place = self._source.place(ref.picture)
            key = None if place is None else self._places.get(place.absolute())
            if key is not None:
                return key
        key = self._names.find(bare) or self._files.get(bare.casefold())
        if key is None and ref.picture is not None:
            key = self._files.get(ref.picture.name.casefold())
            key = key or self._names.find(names.clean(ref.picture.stem))
        if key is None and ref.clip:
            key = self._names.find(f"{ref.clip}_{bare}")
        return key or self._stems.get(bare.casefold()) or self._of_a_clip(bare)

    def _of_a_clip(self, bare: str) -> FrameKey | None:
        """<clip>_000000_<index>, as formats number frames that ask for two numbers."""
        found = re.fullmatch(r"(.+)_0{6}_(\d{6})", bare, re.ASCII)
        records = self._clips.get(plain(found[1]), []) if found else []
        if found is None or len(records) != 1:
            return None
        index = int(found[2])
        return FrameKey(records[0].id, index) if index < records[0].frames else None
