"""The pictures that a project's labels were drawn on, wherever they lie now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.engine.labelled_pictures import LabelledPictures
from segstudio.engine.project_sources import clip_of
from segstudio.store.project import FrameSummary, MediaRecord, Project

__all__ = ["MediaFrames", "clip_of"]


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
        with LabelledPictures(self.project, record, frames) as pictures:
            if pictures.is_missing:
                self._missing.append(record)
            for frame in frames:
                found = pictures.read(frame)
                if found is not None:
                    yield frame, found.rgb
        for kept, left in ((self._unlike, pictures.unlike), (self._broken, pictures.broken)):
            if left:
                kept.setdefault(record.id, []).extend(frame.key.index for frame in left)

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
