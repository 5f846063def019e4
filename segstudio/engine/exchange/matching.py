"""Which frame of a project the labels of somebody else belong to, by name, place or number.

A name that fits two frames fits none: a person is told rather than labels put on a guess.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias, get_args

from segstudio.core.class_mapping import plain
from segstudio.engine.exchange.naming import FrameNames
from segstudio.errors import UsageError
from segstudio.formats import names
from segstudio.formats.registry import FrameRef
from segstudio.formats.source import Source
from segstudio.store.project import FrameKey, MediaRecord, Project

Matching: TypeAlias = Literal["name", "number", "order", "none"]
"""name: the picture's name or place, or the name of an export. number: the last number in a name is
the frame's index. order: the first file is the first frame. none: always new pictures."""


@dataclass(frozen=True, slots=True)
class Matches:
    """keys: frame of the project for each that was found. why_not: the others, with the reason."""

    keys: dict[int, FrameKey]
    why_not: dict[int, str]


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
        found = ((i, by_name.find(ref)) for i, ref in enumerate(refs))
        return _once(refs, ((i, key) for i, key in found if key is not None))
    record = _the_one(project, media, matching)
    if matching == "order":
        numbered = ((i, i) for i in range(len(refs)))
    else:
        last = ((i, re.search(r"(\d{1,12})\D*$", ref.name, re.ASCII)) for i, ref in enumerate(refs))
        numbered = ((i, int(number[1])) for i, number in last if number is not None)
    return _once(refs, ((i, FrameKey(record.id, at)) for i, at in numbered if at < record.frames))


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
    raise UsageError(
        f"{project.path.name} has {len(records) or 'no'} media, so frames cannot be matched by"
        f" {matching} alone; say which medium they are of."
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
