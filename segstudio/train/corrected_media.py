"""The pictures that a project's labels were drawn on, wherever they lie now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.engine.project_sources import clip_of
from segstudio.errors import MediaError
from segstudio.media.open import is_same_content, open_source
from segstudio.store.project import FrameSummary, MediaRecord, Project

__all__ = ["MediaFrames", "clip_of"]

_CACHE_BYTES = 64 << 20


@dataclass(slots=True)
class MediaFrames:
    """Reads frames of a project's media; what cannot be read is remembered, the rest goes on."""

    project: Project
    _missing: list[MediaRecord] = field(default_factory=list)
    _unlike: dict[int, list[int]] = field(default_factory=dict)
    _broken: dict[int, list[int]] = field(default_factory=dict)

    def read(
        self, record: MediaRecord, frames: Sequence[FrameSummary]
    ) -> Iterator[tuple[FrameSummary, NDArray[np.uint8]]]:
        """Each frame with its picture, uint8 (H, W, 3), in the order given."""
        if not frames:
            return
        place = self.place_of(record, frames)
        if place is None:
            self._missing.append(record)
        elif record.kind == "sequence":
            for frame in frames:
                file = place / self._name(record, frame)
                yield from self._pictures(file, record, [frame], [0])
        else:
            yield from self._pictures(place, record, frames, [f.key.index for f in frames])

    def _pictures(
        self, place: Path, record: MediaRecord, frames: Sequence[FrameSummary], at: Sequence[int]
    ) -> Iterator[tuple[FrameSummary, NDArray[np.uint8]]]:
        try:
            source = open_source(place, cache_bytes=_CACHE_BYTES)
        except MediaError:
            self._broken.setdefault(record.id, []).extend(f.key.index for f in frames)
            return
        try:
            for summary, number in zip(frames, at, strict=True):
                try:
                    frame = source.read(number)
                except MediaError:
                    self._broken.setdefault(record.id, []).append(summary.key.index)
                    continue
                about = summary.about
                is_it = frame.id.fingerprint == about.fingerprint
                if is_it and (frame.height, frame.width) == (about.height, about.width):
                    yield summary, frame.rgb
                else:
                    self._unlike.setdefault(record.id, []).append(summary.key.index)
        finally:
            source.close()

    def place_of(self, record: MediaRecord, frames: Sequence[FrameSummary]) -> Path | None:
        """Where a medium lies: by its content, a folder by the pictures that were labelled.

        A folder may hold other pictures by now; each labelled one is recognised by its content.
        """
        if record.kind != "sequence":
            same = record.fingerprint
            return self.project.find_media(record, lambda place: is_same_content(place, same))
        names = [self._name(record, frame) for frame in frames]
        return self.project.find_media(
            record, lambda place: any((place / name).is_file() for name in names)
        )

    def _name(self, record: MediaRecord, frame: FrameSummary) -> str:
        if frame.about.name:
            return frame.about.name
        pictures = self.project.pictures(record.id)
        known = pictures.names if pictures is not None else ()
        return known[frame.key.index] if frame.key.index < len(known) else ""

    def notes(self, frames: Sequence[FrameSummary]) -> tuple[str, ...]:
        """What was left out of `frames`, in sentences."""
        found = []
        if self._missing:
            ids = {record.id for record in self._missing}
            count = sum(f.key.media in ids for f in frames)
            titles = [record.title for record in self._missing]
            is_one = len(titles) == 1
            gone = "is not where it was" if is_one else "are not where they were"
            found.append(
                f"{_listed(titles)} {gone}, so {count} labelled"
                f" {'frame is' if count == 1 else 'frames are'} left out; put"
                f" {'it' if is_one else 'them'} back, or open the project and say where."
            )
        titles_of = {record.id: record.title for record in self.project.media()}
        for indices, why in (
            (self._unlike, "not the picture that was labelled any more"),
            (self._broken, "not readable any more"),
        ):
            for media, numbers in indices.items():
                one = len(numbers) == 1
                found.append(
                    f"{'Frame' if one else 'Frames'} {_listed([str(n) for n in numbers])} of"
                    f" {titles_of[media]} {'is' if one else 'are'} {why}, so"
                    f" {'it is' if one else 'they are'} left out."
                )
        return tuple(found)


def _listed(names: Sequence[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
