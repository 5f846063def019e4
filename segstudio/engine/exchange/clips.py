"""What can be said about the frames of a clip: by people in a project, and by models."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import ClassMapping, listed
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.frame import Frame
from segstudio.core.origins import PAINTED
from segstudio.engine.exchange.frames import is_in
from segstudio.engine.run import Labeller
from segstudio.errors import SegStudioError
from segstudio.media.source import SourceInfo
from segstudio.store.class_sets import find_mapping
from segstudio.store.project import FrameSummary, MediaRecord, Project

Labels: TypeAlias = NDArray[np.uint8]
Mapping: TypeAlias = Callable[[ClassMap, ClassMap], ClassMapping]
"""From the first set of classes to the second."""


@dataclass(slots=True)
class ProjectLabels:
    """Labels of a medium of a project, by a Scope of engine.exchange.frames. One thread's own.

    found: labelled frames by index, as the pictures are numbered now.
    """

    project: Project
    scope: str
    found: dict[int, FrameSummary]
    _unlike: list[str] = field(default_factory=list)
    _unreadable: list[str] = field(default_factory=list)

    @staticmethod
    def of_media(
        project: Project, record: MediaRecord, info: SourceInfo, scope: str
    ) -> "ProjectLabels":
        """info: of the open source, complete."""
        place = {name: index for index, name in enumerate(info.names)}
        found = {}
        for summary in project.frames(record.id):
            if is_in(summary, scope):
                name = summary.about.name
                index = place.get(name, -1) if name and place else summary.key.index
                found[index] = summary
        return ProjectLabels(project, scope, found)

    @property
    def classes(self) -> ClassMap:
        """Of the labels."""
        return self.project.classes

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, in sentences; whole once all frames were asked for."""
        notes = []
        if self._unlike:
            are = "is not the picture that was labelled" if len(self._unlike) == 1 else (
                "are not the pictures that were labelled"
            )  # fmt: skip
            notes.append(f"{listed(self._unlike)} {are}, so no labels are shown there.")
        return (*notes, *self._unreadable)

    def of(self, frame: Frame) -> Labels | None:
        """uint8 (H, W) of the frame's size; None without labels that are about this picture."""
        summary = self.found.get(frame.id.index)
        if summary is None:
            return None
        about = summary.about
        size = (about.height, about.width)
        if about.fingerprint != frame.id.fingerprint or size != (frame.height, frame.width):
            self._unlike.append(about.name or f"frame {frame.id.index}")
            return None
        try:
            stored = self.project.load(summary.key)
        except SegStudioError as error:
            self._unreadable.append(str(error))
            return None
        if stored is None:  # never: it is on the list of frames
            return None
        if self.scope != "human":
            return stored.labels
        return np.where(stored.origin >= PAINTED, stored.labels, VOID).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A model that is asked about frames. classes: of its answers; table: uint8 (256,), its own
    ids → those."""

    title: str
    labeller: Labeller
    classes: ClassMap
    table: Labels

    def of(self, frame: Frame) -> Labels:
        """uint8 (H, W)."""
        return np.take(self.table, self.labeller.predict(frame).labels)


def voice(
    labeller: Labeller,
    classes: ClassMap | None = None,
    *,
    title: str = "",
    mapping: Mapping = find_mapping,
) -> Voice:
    """A model that answers in `classes`; in its own where they have none in common, or for None."""
    own = labeller.card.classes
    title = title or labeller.card.title
    if classes is not None and classes != own:
        table = np.array(mapping(own, classes).table, np.uint8)
        if any(table[c.id] != VOID for c in own.classes):
            return Voice(title, labeller, classes, table)
    same = classes if classes == own and classes is not None else own
    return Voice(title, labeller, same, np.arange(256, dtype=np.uint8))
