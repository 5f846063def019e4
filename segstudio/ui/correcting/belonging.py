"""Which project a source belongs to, and which medium of it. Runs in background jobs."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.core.classes import ClassMap
from segstudio.errors import MediaError, SegStudioError
from segstudio.media.source import SourceInfo
from segstudio.store.picture_names import PictureNames

if TYPE_CHECKING:
    from segstudio.store.project import MediaRecord, Project

_LOOKS = 3
"""Labelled pictures that are read to see whether they are still the same."""

_WAIT_S = 30.0


def own_project(info: SourceInfo, classes: ClassMap) -> "Project":
    """The project that a source has by itself, made where there is none."""
    from segstudio.store import own_projects
    from segstudio.store.project import Project, auto_path

    pictures = _pictures(info)
    place = "" if pictures is None else own_projects.place_of(info.path, info.title, pictures)
    path = own_projects.find(info.id, info.title, place)
    project = Project.open(path) if path.exists() else Project.create(path, classes)
    if (
        not _has(project, info)
        and project.media()
        and _continued(project, info, anywhere=True) is None
    ):
        project.close()  # other pictures lie in that place now
        path = auto_path(info.id, info.title)
        project = Project.open(path) if path.exists() else Project.create(path, classes)
    if place and not project.is_read_only:
        own_projects.remember(project.path, info.id, place)
    # Nobody knows these projects by their file names.
    title = f"The project of {info.title}"
    project.why_read_only = project.why_read_only.replace(project.path.name, title)
    return project


def media_of(
    project: "Project", info: SourceInfo, *, is_own: bool
) -> "tuple[MediaRecord, list[str]]":
    """The medium of a project that a source is, added when it is new; what people should know.

    A folder whose pictures changed is the same medium; its labels go where their pictures are.
    """
    known = next((m for m in project.media() if m.fingerprint == info.id), None)
    before = None if known is not None else _continued(project, info, anywhere=is_own)
    if project.is_read_only:
        if known is None:
            raise SegStudioError(_why_not_here(project, info, before))
        return known, []
    if before is None:
        return _added(project, info), []
    record = replace(
        before, fingerprint=info.id, title=info.title, path=info.path.absolute(),
        width=info.width, height=info.height, frames=info.frames,
    )  # fmt: skip
    was_absent = project.absent(record.id)
    try:
        project.renumber(record, PictureNames(info.names, info.may_change)).result(_WAIT_S)
    except TimeoutError as error:
        raise SegStudioError(
            f"The pictures of {info.title} changed, and that cannot be saved in"
            f" {project.path.name} now; make room on its disk and open the folder again."
        ) from error
    return record, _told(info, project.absent(record.id), was_absent)


def _told(info: SourceInfo, absent: int, was_absent: int) -> list[str]:
    if absent <= was_absent:
        return []
    one = absent == 1
    return [
        f"{absent} labelled {'picture is' if one else 'pictures are'} not in the folder"
        f" {info.path.resolve().name} any more; the labels are kept and come back with"
        f" {'it' if one else 'them'}."
    ]


def _why_not_here(project: "Project", info: SourceInfo, before: "MediaRecord | None") -> str:
    if before is not None:
        return (
            f"The pictures of {info.title} changed since they were labelled, and their project is"
            " read-only here, so no labels are shown; open it where it can be written."
        )
    if not project.media():
        return project.why_read_only
    return (
        f"{info.title} is not part of {project.path.name}, and the project is read-only here;"
        " close the project to label this file on its own."
    )


def _added(project: "Project", info: SourceInfo) -> "MediaRecord":
    return project.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=info.path, width=info.width,
        height=info.height, frames=info.frames, pictures=_pictures(info),
    )  # fmt: skip


def _pictures(info: SourceInfo) -> PictureNames | None:
    return PictureNames(info.names, info.may_change) if info.kind == "sequence" else None


def _has(project: "Project", info: SourceInfo) -> bool:
    return any(m.fingerprint == info.id for m in project.media())


def _continued(project: "Project", info: SourceInfo, *, anywhere: bool) -> "MediaRecord | None":
    """The medium that these pictures were before some came or went.

    anywhere: it may have lain elsewhere, as when a project was found by what its folder held once.
    """
    pictures = _pictures(info)
    if pictures is None:
        return None
    for record in reversed(project.media()):
        old = project.pictures(record.id)
        is_there = record.path.resolve() == info.path.resolve()
        patterns = _pattern(record.title, record.path), _pattern(info.title, info.path)
        if old is None or not old.is_continued_by(pictures):
            continue
        if (anywhere or (is_there and patterns[0] == patterns[1])) and _are_same(
            project, record, info
        ):
            return record
    return None


def _are_same(project: "Project", record: "MediaRecord", info: SourceInfo) -> bool:
    """False when none of the labelled pictures is the one that was labelled.

    Frames of another drive often have the same names and lie in the same folder.
    """
    from segstudio.media.images import read_image

    is_looked_at = False
    for name, fingerprint in _labelled(project, record, set(info.names)):
        try:
            rgb = read_image(info.path / name)
        except MediaError:
            continue
        is_looked_at = True
        if zlib.crc32(rgb.data) == fingerprint:
            return True
    return not is_looked_at


def _labelled(
    project: "Project", record: "MediaRecord", names: set[str]
) -> Iterator[tuple[str, int]]:
    """Name and fingerprint of a few labelled pictures that are still there, far apart."""
    abouts = [s.about for s in project.frames(record.id) if s.about.name in names]
    for about in abouts[:: max(1, len(abouts) // _LOOKS)][: _LOOKS + 1]:
        yield about.name, about.fingerprint


# --- where a medium lies


def found(project: "Project", record: "MediaRecord") -> list[Path]:
    """What to open to see it again, wherever it lies now; empty when it is nowhere."""
    for is_it in (_is_equal, _is_like):
        place = project.find_media(record, partial(is_it, project, record))
        if place is not None:
            if is_it is _is_like and not project.is_read_only:
                project.relocate(record, place)
            return to_open(project, record, place)
    return []


def located(project: "Project", record: "MediaRecord", place: Path) -> list[Path]:
    """What to open when a person says that it lies there; MediaError when it is something else."""
    if _is_equal(project, record, place):
        return to_open(project, record, place)
    if not _is_like(project, record, place):
        raise MediaError(
            f"{place.name} is not {record.title}: its content differs; choose the"
            f" {'folder' if record.kind == 'sequence' else 'file'} that the labels were drawn on."
        )
    if not project.is_read_only:
        project.relocate(record, place)
    return to_open(project, record, place)


def to_open(project: "Project", record: "MediaRecord", place: Path) -> list[Path]:
    """A folder as it is, the pictures of a list one by one, a pattern in its folder."""
    pictures = project.pictures(record.id)
    if pictures is None:
        return [place]
    if not pictures.may_change:
        return [place / name for name in pictures.names]
    return [place / _pattern(record.title, record.path)]


def _pattern(title: str, path: Path) -> str:
    """The pattern by which pictures of a folder were named; "" when it is the whole folder."""
    is_pattern = re.search(r"[*?\[%]", title) and title != path.resolve().name
    return title if is_pattern else ""


def _is_equal(project: "Project", record: "MediaRecord", place: Path) -> bool:
    from segstudio.media.open import is_same_content

    if project.pictures(record.id) is None:
        return is_same_content(place, record.fingerprint)
    info = _looked_at(to_open(project, record, place))
    return info is not None and info.id == record.fingerprint


def _is_like(project: "Project", record: "MediaRecord", place: Path) -> bool:
    """A folder in which pictures came or went."""
    pictures = project.pictures(record.id)
    if pictures is None or not pictures.may_change:
        return False
    info = _looked_at(to_open(project, record, place))
    has_some = info is not None and not set(info.names).isdisjoint(pictures.names)
    return info is not None and has_some and _are_same(project, record, info)


def _looked_at(files: list[Path]) -> SourceInfo | None:
    from segstudio.media.open import open_source

    try:
        source = open_source(files, cache_bytes=0)
    except (MediaError, OSError):
        return None
    try:
        return source.info
    finally:
        source.close()
