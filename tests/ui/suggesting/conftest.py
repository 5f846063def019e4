"""A clip of eight seconds, and a model that is unsure where a test says so."""

from dataclasses import replace

import numpy as np
import pytest

from segstudio.core.prediction import Logits
from segstudio.media.writer import VideoWriter
from tests.ui.conftest import FakePredictor

GRID = (18, 32)
"""Cells of the model's answer: 4 px each."""

ROAD, SKY = 3, 0
FPS = 5
SECONDS = 8


class Doubts:
    """by_frame: (box in cells, other class) where the model is torn. fails_at: the frame at which
    the model named in `failing` raises `error`. seen: (model, frame) in order."""

    def __init__(self):
        self.by_frame = {
            6: ((2, 2, 10, 14), 5),
            18: ((6, 20, 10, 28), 8),
            30: ((12, 4, 16, 8), 9),
        }
        self.surely = {}
        self.error, self.fails_at, self.failing = None, -1, "fake"
        self.seen = []
        self.on_predict = lambda model, index: None


@pytest.fixture
def doubts(monkeypatch):
    """What the model is unsure of, frame by frame; a test may change it."""
    made = Doubts()
    plain = FakePredictor.predict

    def predict(self, frame, *, request=0):
        index = frame.id.index
        made.seen.append((self.card.name, index))
        made.on_predict(self.card.name, index)
        if made.error is not None and index == made.fails_at and self.card.name == made.failing:
            raise made.error
        said = plain(self, frame, request=request)
        values = np.zeros((11, *GRID), np.float32)
        values[ROAD, :, : GRID[1] // 2] = 12.0
        values[SKY, :, GRID[1] // 2 :] = 12.0
        if index in made.by_frame:
            (y0, x0, y1, x1), other = made.by_frame[index]
            values[other, y0:y1, x0:x1] = 11.8
        labels = said.labels
        if index in made.surely:
            (y0, x0, y1, x1), other = made.surely[index]
            values[:, y0:y1, x0:x1] = 0
            values[other, y0:y1, x0:x1] = 12.0
            labels = labels.copy()
            labels[4 * y0 : 4 * y1, 4 * x0 : 4 * x1] = other
            labels.setflags(write=False)
        logits = Logits(
            values, (frame.height, frame.width), align_corners=False,
            class_ids=said.logits.class_ids,
        )  # fmt: skip
        return replace(said, labels=labels, logits=logits)

    monkeypatch.setattr(FakePredictor, "predict", predict)
    return made


@pytest.fixture(scope="session")
def drive(tmp_path_factory):
    """A real file; every frame has a colour of its own."""
    path = tmp_path_factory.mktemp("suggesting") / "long.mp4"
    noise = np.random.default_rng(5)
    with VideoWriter(path, FPS, crf=10) as writer:
        for index in range(FPS * SECONDS):
            rgb = np.full((72, 128, 3), noise.integers(30, 220, 3), np.uint8)
            rgb[index : index + 12, 20:60] = 255
            writer.write(rgb)
    return path


@pytest.fixture
def opened(doubts, shown, drive, session, qtbot):
    """The session with the clip open and its project there, at frame 0."""
    shown(0, drive)
    projects = session.editor.projects
    qtbot.waitUntil(lambda: projects.media is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)
    session.suggesting.budget_s = 1000.0
    return session


@pytest.fixture
def looked(opened, qtbot):
    """The same once everything was looked through."""

    def look(kind="frames"):
        opened.suggesting.set_kind(kind)
        opened.suggesting.look()
        assert opened.suggesting.run is not None
        qtbot.waitUntil(lambda: opened.suggesting.run is None, timeout=20_000)
        return opened.suggesting

    return look
