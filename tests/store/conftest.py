"""Projects with something in them, and a painter that makes real steps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.brush import round_segment
from segstudio.core.classes import CAMVID
from segstudio.core.labels import LabelDocument
from segstudio.store.project import FrameAbout, FrameKey, Project

SHAPE = (150, 200)


class Painter:
    """One frame of a project as the window holds it, and plain planes after every step."""

    def __init__(self, project: Project, key: FrameKey, shape: tuple[int, int] = SHAPE) -> None:
        self.project, self.key = project, key
        blank = np.full(shape, 255, np.uint8), np.zeros(shape, np.uint8)
        self.document = LabelDocument(*blank)
        self.about = FrameAbout(40_000, 7, "frame", *shape)
        self.steps = []
        self.states = [blank]
        self.position = 0

    @property
    def counts(self):
        return tuple(int(n) for n in self.document.origin_counts[:5])

    def paint(self, at: tuple[int, int], class_id: int, radius: int = 9):
        """The Future of a stroke; None when it changed nothing."""
        self.document.begin("Brush")
        shape = self.document.labels.shape
        self.document.paint(round_segment(at, (at[0] + 30, at[1] + 40), radius, shape), class_id)
        step = self.document.commit()
        if step is None:
            return None
        del self.steps[self.position :], self.states[self.position + 1 :]
        self.steps.append(step)
        self.states.append((self.document.labels.copy(), self.document.origin.copy()))
        self.position += 1
        return self.project.push(self.key, self.position - 1, step, self.counts, self.about)

    def go(self, position: int):
        """Undo or redo by one."""
        is_redo = position > self.position
        step = self.steps[min(position, self.position)]
        (self.document.apply if is_redo else self.document.revert)(step)
        self.position = position
        tiles = [(t.row, t.col, t.after if is_redo else t.before) for t in step.tiles]
        return self.project.move(self.key, position, tiles, self.counts)

    def check(self, project: Project) -> None:
        """The project holds exactly this."""
        found = project.load(self.key)
        if not self.states[1:] and self.position == 0:
            return
        assert found is not None
        labels, origin = self.states[self.position]
        assert np.array_equal(found.labels, labels)
        assert np.array_equal(found.origin, origin)
        counts = tuple(np.bincount(origin.ravel(), minlength=5).tolist())
        assert (found.summary.position, found.summary.counts) == (self.position, counts)
        assert project.summary(self.key) == found.summary
        assert [r.pixels for r in found.history] == [s.pixels for s in self.steps]
        for number, step in enumerate(self.steps):
            assert project.step(self.key, number) == step


@pytest.fixture
def painter() -> type[Painter]:
    return Painter


@pytest.fixture
def projects(tmp_path: Path) -> Iterator[list[Project]]:
    """What is put in here is closed at the end."""
    made: list[Project] = []
    yield made
    for project in made:
        project.close()


@pytest.fixture
def new_project(tmp_path: Path, projects: list[Project]) -> Callable[..., Project]:
    """Makes a project with one medium of 10 frames."""

    def make(path: Path = tmp_path / "drive.segproj") -> Project:
        project = Project.create(path, CAMVID)
        projects.append(project)
        add_clip(project, tmp_path / "clip")
        return project

    return make


def add_clip(project: Project, path: Path) -> None:
    project.add_media(
        fingerprint="ab" * 16, title="clip", kind="images", path=path,
        width=SHAPE[1], height=SHAPE[0], frames=10,
    )  # fmt: skip


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    return new_project()
