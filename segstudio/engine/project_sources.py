"""The media of a project as sources that can be gone through, and what people corrected in them."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.origins import CONFIRMED, PAINTED, FrameState
from segstudio.errors import MediaError, SegStudioError
from segstudio.media.images import natural_order
from segstudio.media.open import complete_info, is_same_content, open_source
from segstudio.media.readahead import ReadAhead
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.store.project import FrameSummary, MediaRecord, Project

AHEAD_BYTES = 128_000_000
"""Of decoded frames that wait for the models."""


@dataclass(frozen=True, slots=True, eq=False)
class Medium:
    """An open source. number: which of several; in a project its medium's id. path: where it lies.

    confirmed: indices of frames that a human confirmed whole. labelled: frames with pixels that a
    human painted or confirmed, by index as the pictures are numbered now.
    """

    source: FrameSource
    title: str
    path: Path
    number: int = 0
    confirmed: frozenset[int] = frozenset()
    labelled: dict[int, FrameSummary] = field(default_factory=dict)

    @property
    def info(self) -> SourceInfo:
        """Of the source, whose index is whole."""
        return self.source.info

    def name(self, index: int) -> str:
        """Of the picture file of a frame; "" in a video."""
        names = self.info.names
        return names[index] if index < len(names) else ""


@contextmanager
def opened(path: Path | list[Path], title: str = "", number: int = 0) -> Iterator[Medium]:
    """A source of no project; MediaError when it cannot be opened."""
    source = ReadAhead(open_source(path), limit_bytes=AHEAD_BYTES)
    try:
        info = complete_info(source)
        yield Medium(source, title or info.title, info.path, number)
    finally:
        source.close()


def media_of(project: Project, missing: list[str]) -> Generator[Medium, None, None]:
    """Each medium, open until the next one is asked for; what is nowhere is told in `missing`."""
    for record in project.media():
        files = files_of(project, record)
        if not files:
            missing.append(
                f"{record.title} is not at {record.path} any more and was left out; open the"
                " project in the window and say where it lies."
            )
            continue
        try:
            source = ReadAhead(open_source(files), limit_bytes=AHEAD_BYTES)
        except MediaError as error:
            missing.append(str(error))
            continue
        try:
            yield of_project(project, record, source)
        finally:
            source.close()


def of_project(project: Project, record: MediaRecord, source: FrameSource) -> Medium:
    """An open source with what the project knows of its frames."""
    info = complete_info(source)
    place = {name: index for index, name in enumerate(info.names)}
    labelled = {}
    for summary in project.frames(record.id):
        name = summary.about.name
        index = place.get(name, -1) if name and place else summary.key.index
        if 0 <= index < info.frames and summary.counts[PAINTED] + summary.counts[CONFIRMED]:
            labelled[index] = summary
    confirmed = frozenset(i for i, s in labelled.items() if s.state is FrameState.CONFIRMED)
    return Medium(source, record.title, info.path, record.id, confirmed, labelled)


def human_pixels(project: Project, missing: list[str]) -> NDArray[np.int64]:
    """int64 (256,): pixels by class that a human painted or confirmed, in all frames.

    Frames whose labels are damaged are told in `missing`.
    """
    counts = np.zeros(256, np.int64)
    for record in project.media():
        for summary in project.frames(record.id):
            if summary.counts[PAINTED] + summary.counts[CONFIRMED]:
                try:
                    stored = project.load(summary.key)
                except SegStudioError as error:
                    missing.append(str(error))
                    continue
                if stored is not None:
                    by_people = stored.labels[stored.origin >= PAINTED]
                    counts += np.bincount(by_people, minlength=256)
    counts[VOID] = 0
    return counts


def clip_of(record: MediaRecord, index: int) -> tuple[str, int]:
    """Which frames may be neighbours: those of one video, and pictures of one folder, however many
    lists of them were opened.
    """
    if record.kind == "sequence":
        return str(record.path), index
    if record.kind != "image":
        return record.fingerprint, index
    digits = natural_order(record.path)
    numbers = [part[1] for part in digits[:-1] if isinstance(part, tuple) and part[0] == 0]
    return str(record.path.parent), int(numbers[-1]) if numbers else 0


def files_of(project: Project, record: MediaRecord) -> list[Path]:
    """What to open to see a medium again; empty when it is nowhere.

    A folder in which pictures came or went is the same folder while it has some of them; whether a
    frame is the one that was labelled, its own fingerprint says.
    """

    def is_equal(place: Path) -> bool:
        if project.pictures(record.id) is None:
            return is_same_content(place, record.fingerprint)
        info = _looked_at(_to_open(project, record, place))
        return info is not None and info.id == record.fingerprint

    def is_like(place: Path) -> bool:
        pictures = project.pictures(record.id)
        if pictures is None or not pictures.may_change:
            return False
        info = _looked_at(_to_open(project, record, place))
        return info is not None and not set(info.names).isdisjoint(pictures.names)

    for is_it in (is_equal, is_like):
        place = project.find_media(record, is_it)
        if place is not None:
            return _to_open(project, record, place)
    return []


def _to_open(project: Project, record: MediaRecord, place: Path) -> list[Path]:
    """A folder as it is, the pictures of a list one by one, a pattern in its folder."""
    pictures = project.pictures(record.id)
    if pictures is None:
        return [place]
    if not pictures.may_change:
        return [place / name for name in pictures.names]
    is_pattern = re.search(r"[*?\[%]", record.title) and record.title != record.path.name
    return [place / record.title if is_pattern else place]


def _looked_at(files: list[Path]) -> SourceInfo | None:
    try:
        source = open_source(files, cache_bytes=0)
    except (MediaError, OSError):
        return None
    try:
        return source.info
    finally:
        source.close()
