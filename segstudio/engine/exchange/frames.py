"""The labelled frames of a project as a writer of formats takes them: in order, one at a time."""

from collections.abc import Collection, Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.origins import CONFIRMED, PAINTED
from segstudio.engine.exchange.naming import FrameNames
from segstudio.engine.exchange.pictures import PictureFiles, checked
from segstudio.engine.exchange.splits import Division, Splits, divide
from segstudio.engine.labelled_pictures import LabelledPictures
from segstudio.engine.project_sources import clip_of
from segstudio.errors import ProjectClosed, SegStudioError, UsageError
from segstudio.formats.labelled import Labelled
from segstudio.media.images import natural_order
from segstudio.store.project import (
    FrameKey,
    FrameSummary,
    MediaRecord,
    Project,
    StoredFrame,
)

Scope: TypeAlias = Literal["confirmed", "human", "labelled"]
"""confirmed: frames that a human confirmed whole. human: what a human painted or confirmed, in any
frame; the rest of it is void. labelled: every label, whoever said it."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A frame that is given. clip, place, time_s: see core.placed."""

    summary: FrameSummary
    record: MediaRecord
    clip: str
    place: int
    time_s: float | None


class ProjectFrames:
    """Frames of a project, as many as `len` says, by medium and index; can be gone through again.

    Labels are read when their frame is asked for, so memory stays flat. media, keys: only these.
    splits: None leaves all frames together. UsageError for a scope or pictures that are not known.
    """

    def __init__(
        self,
        project: Project,
        scope: str = "confirmed",
        *,
        media: Collection[int] | None = None,
        keys: Collection[FrameKey] | None = None,
        splits: Splits | None = None,
        pictures: str = "copy",
    ) -> None:
        if scope not in get_args(Scope):
            raise UsageError(
                f"There are no '{scope}' frames; choose one of {', '.join(get_args(Scope))}."
            )
        self._project = project
        self._scope = scope
        self._how = checked(pictures)
        self._names = FrameNames(project)
        self._later: list[str] = []
        self._given: dict[FrameKey, FrameSummary] = {}
        self._is_again = False
        chosen = _in_line([c for c in self._all() if _is_meant(c.summary.key, media, keys)])
        division = Division(("",) * len(chosen), ())
        if splits is not None:
            division = divide(chosen, splits)
        self._frames = [
            (frame, split)
            for frame, split in zip(chosen, division.of, strict=True)
            if split is not None
        ]
        self._notes = (*division.notes, *self._absent(media))

    def _all(self) -> Iterator[_Chosen]:
        for record in self._project.media():
            for summary in self._project.frames(record.id):
                if is_in(summary, self._scope):
                    _, place = clip_of(record, summary.key.index)
                    time_us = summary.about.time_us
                    time_s = None if time_us is None else time_us / 1e6
                    yield _Chosen(summary, record, self._names.clip(record.id), place, time_s)

    def _absent(self, media: Collection[int] | None) -> Iterator[str]:
        for record in self._project.media():
            count = self._project.absent(record.id)
            if count and (media is None or record.id in media):
                are = "picture is" if count == 1 else "pictures are"
                yield (
                    f"{count} labelled {are} not in {record.title} any more and left out; put"
                    f" {'it' if count == 1 else 'them'} back to export"
                    f" {'it' if count == 1 else 'them'} too."
                )

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, in sentences; whole once all frames were given."""
        return (*self._notes, *self._later)

    @property
    def splits(self) -> dict[str, int]:
        """Split → frames in it, in the order train, val, test; {"": all} when undivided."""
        return Division(tuple(s for _, s in self._frames), ()).counts() or {"": len(self)}

    @property
    def clips(self) -> dict[str, int]:
        """Clip → frames of it."""
        found: dict[str, int] = {}
        for frame, _ in self._frames:
            found[frame.clip] = found.get(frame.clip, 0) + 1
        return found

    def labels_alone(self) -> "ProjectFrames":
        """The frames that were given, without pictures, to compare them with what was written.

        Those that somebody painted on meanwhile are left out with a note.
        """
        again = copy(self)
        again._how, again._is_again, again._later = "none", True, []
        return again

    def __iter__(self) -> Iterator[Labelled]:
        """Frames whose labels cannot be read are left out with a note."""
        self._later = []
        if not self._is_again:
            self._given = {}
        for _, group in groupby(self._frames, key=lambda each: each[0].record.id):
            frames = list(group)
            summaries = [frame.summary for frame, _ in frames]
            pictures = LabelledPictures(self._project, frames[0][0].record, summaries)
            with PictureFiles(pictures, self._how) as files:
                for frame, split in frames:
                    found = self._labelled(frame, split, files)
                    if found is not None:
                        yield found
            self._later += files.notes

    def _labelled(self, frame: _Chosen, split: str, files: PictureFiles) -> Labelled | None:
        key, about = frame.summary.key, frame.summary.about
        name = self._names.of(key, about.name or self._picture(frame.record))
        try:
            stored = self._project.load(key)
        except ProjectClosed:  # no frame is bad; the whole export ends here
            raise
        except SegStudioError as error:
            self._later.append(f"{name} is left out: {error}")
            return None
        if not self._is_again:
            if stored is None or not is_in(stored.summary, self._scope):
                self._later.append(f"{name} was changed while others were written and is left out.")
                return None
            self._given[key] = stored.summary
        elif stored is None or self._given.get(key) != stored.summary:
            if key in self._given:
                self._later.append(
                    f"{name} was painted on while it was exported; export it again to have that"
                    " too."
                )
            return None
        labels = self._labels(stored)
        return Labelled(name, labels, files.of(frame.summary), frame.clip, split, frame.place)

    def _labels(self, stored: StoredFrame) -> NDArray[np.uint8]:
        if self._scope != "human":
            return stored.labels
        return np.where(stored.origin >= PAINTED, stored.labels, VOID).astype(np.uint8)

    @staticmethod
    def _picture(record: MediaRecord) -> str:
        return record.path.name if record.kind == "image" else ""


def _in_line(frames: list[_Chosen]) -> list[_Chosen]:
    """The same, where several lists have pictures of one folder by the order of their names: each
    list counts its own from 0, and the tenth of the one may be beside the hundredth of the other.
    """
    media: dict[str, set[int]] = {}
    for each in frames:
        if each.record.kind == "sequence":
            media.setdefault(each.clip, set()).add(each.record.id)
    shared = {clip for clip, ids in media.items() if len(ids) > 1}
    if not shared:
        return frames
    names = {(e.clip, e.summary.about.name) for e in frames if e.clip in shared}
    order = sorted(names, key=lambda row: (row[0], natural_order(Path(row[1]))))
    place = {row: at for at, row in enumerate(order)}
    return [
        replace(e, place=place[e.clip, e.summary.about.name]) if e.clip in shared else e
        for e in frames
    ]


def is_in(summary: FrameSummary, scope: str) -> bool:
    """Whether a frame belongs to a Scope."""
    if scope == "confirmed":
        return summary.standing.is_reference
    if scope == "human":
        return bool(summary.counts[PAINTED] or summary.counts[CONFIRMED])
    return any(summary.counts[1:])


def _is_meant(
    key: FrameKey, media: Collection[int] | None, keys: Collection[FrameKey] | None
) -> bool:
    return (media is None or key.media in media) and (keys is None or key in keys)
