"""A window that plays a real clip with a model that needs no torch."""

import math
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.core.catalogue import InputRule, ModelCard, Score
from segstudio.core.classes import CAMVID
from segstudio.core.feature_map import FeatureMap, Lattice
from segstudio.core.layers import CallFacts, LayerFacts, LayerTree
from segstudio.core.look import Seen
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.core.settings import Settings
from segstudio.errors import ModelError
from segstudio.media.writer import VideoWriter
from segstudio.ui import theme
from segstudio.ui.bridge import live
from segstudio.ui.bridge.background import Background
from segstudio.ui.main_window import MainWindow
from segstudio.ui.session import Session

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
FRAMES = 40
SIZE = (72, 128)


def picture(index: int) -> np.ndarray:
    """Frame `index` of the clip: grey, brighter with every frame."""
    rgb = np.full((*SIZE, 3), 20 + 5 * index, np.uint8)
    rgb[:, SIZE[1] // 2 :] = 255 - 5 * index
    return rgb


class LittleInside:
    """The `looking` of a predictor without a net: two layers, and one map for every look."""

    look = None

    def paused(self):
        return nullcontext()

    def again(self, frame, token=None, progress=None):
        size = (frame.height, frame.width)
        exact = np.arange(4, dtype=np.float32).reshape(2, 2) / 3
        found = FeatureMap((exact * 255).astype(np.uint8), Lattice.even((2, 2), size), exact=exact)
        return None if self.look is None else Seen(self.look, found, frame_share=0.1)

    def tree(self, size):
        call = CallFacts((4, 2, 2), (0.0, 0.0), (size[0] / 2, size[1] / 2), (3, 3))
        layers = [LayerFacts(n, n, "Conv2d", 0, 10, (call,), True) for n in ("first", "second")]
        return LayerTree("fake", size, tuple(layers))


class FakePredictor:
    """Says Road on the left half and Sky on the right, without torch."""

    def __init__(self, card, device, strategy):
        self.card, self.device, self.strategy = card, "cpu", strategy
        self.is_closed = False
        self.looking = LittleInside()

    def look_for(self, look):
        self.looking.look = look

    def input_size(self, height, width):
        return height, width

    def predict(self, frame, *, request=0):
        h, w = frame.height, frame.width
        labels = np.zeros((h, w), np.uint8)
        labels[:, : w // 2] = 3
        labels.setflags(write=False)
        values = np.zeros((11, 2, 2), np.float32)
        values[3, :, 0] = 5.0
        values[0, :, 1] = 5.0
        ids = np.arange(11, dtype=np.uint8)
        pixels = np.bincount(labels.ravel(), minlength=256)
        logits = Logits(values, (h, w), align_corners=False, class_ids=ids)
        timing = Timing(1.0, 2.0, 3.0)
        return Prediction(
            frame, self.card.name, self.card.classes, labels, pixels, logits, timing,
            (h, w), "cpu", request, seen=self.looking.again(frame),
        )  # fmt: skip

    def close(self):
        self.is_closed = True


@pytest.fixture
def background(qtbot):
    """Whose jobs have all ended when the test has."""
    made = Background()
    yield made
    assert made.close(20) == []


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """A real H.264 file of 40 frames, each with a brightness of its own."""
    path = tmp_path_factory.mktemp("clip") / "drive.mp4"
    with VideoWriter(path, 25, crf=0) as writer:
        for index in range(FRAMES):
            writer.write(picture(index))
    return path


@pytest.fixture
def card(tmp_path) -> ModelCard:
    """The card of a model that exists only in tests."""
    return ModelCard(
        "fake", "Fake Net", "fake", CAMVID, InputRule(), tmp_path, "weights.safetensors",
        scores=(Score("a test", 0.5),), licence="None", params=1_000_000,
    )  # fmt: skip


@pytest.fixture
def loads(monkeypatch):
    """What loading a model does; a test may put an exception or an event in."""

    class Loads:
        error: Exception | None = None
        gate: threading.Event | None = None
        made: list[FakePredictor] = []  # noqa: RUF012

    Loads.made = []

    def loader(card, device, strategy):
        def load():
            if Loads.gate is not None:
                Loads.gate.wait(20)
            if Loads.error is not None:
                raise Loads.error
            made = FakePredictor(card, device, strategy)
            Loads.made.append(made)
            return made

        return load

    monkeypatch.setattr(live, "loader", loader)
    return Loads


@pytest.fixture
def session(qtbot, loads, card) -> Session:
    """A session with the fake model chosen; playback does not start by itself."""
    made = Session(Settings(play_on_open=False))
    made.models.cards = (card,)
    made.models.chosen = card
    made.models.show_idle()
    yield made
    assert made.close(20) == []
    made.deleteLater()


@pytest.fixture
def window(qtbot, session) -> MainWindow:
    """The real window on that session."""
    theme.apply(QApplication.instance(), "dark")
    made = MainWindow(session)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    QTest.qWaitForWindowExposed(made)
    made.activateWindow()
    yield made
    made.close()


@pytest.fixture
def shown(qtbot, session, clip):
    """Open the clip and wait until frame `index` is there with its mask."""

    def show(index: int = 0, path: Path = clip) -> Session:
        session.open([path])
        qtbot.waitUntil(lambda: session.result is not None, timeout=20_000)
        if index:
            session.player.seek(index)
        wait_for(qtbot, session, index)
        return session

    return show


def wait_for(qtbot, session, index: int) -> None:
    """Until frame `index` is the result, with a prediction when a model is there."""

    def is_there() -> bool:
        result = session.result
        if result is None or result.frame.id.index != index:
            return False
        models = session.models
        has_none = models.chosen is None or models.status.kind == "failed"
        return has_none or result.prediction is not None

    qtbot.waitUntil(is_there, timeout=20_000)


@pytest.fixture
def told(session):
    """Every notice of the session."""
    notices = []
    session.noticed.connect(notices.append)
    return notices


@pytest.fixture
def hand(window, shown, qtbot):
    """The mouse over frame 5, which has a draft: Road on the left, class 0 on the right."""
    session = shown(5)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)

    class Hand:
        editor = session.editor

        def take(self, tool, **options):
            session.tools.choose(tool)
            self.editor.set_options(replace(self.editor.options, class_id=5, **options))

        def at(self, y, x):
            """The widget's position over a frame pixel, and the pixel that lies there."""
            t = window.canvas.transform
            v, u = (math.ceil(c) for c in t.to_view(y + 0.5, x + 0.5))
            oy, ox = t.origin
            return QPoint(u, v), (int((v - oy) // t.scale), int((u - ox) // t.scale))

        def drag(self, *pixels):
            points, hit = zip(*(self.at(*p) for p in pixels), strict=True)
            QTest.mousePress(window.canvas, LEFT, NONE, points[0])
            for point in points[1:]:
                QTest.mouseMove(window.canvas, point)
            QTest.mouseRelease(window.canvas, LEFT, NONE, points[-1])
            return hit

        def press(self, *pixel, modifier=NONE):
            point, hit = self.at(*pixel)
            QTest.mousePress(window.canvas, LEFT, modifier, point)
            return hit

        def release(self, *pixel, modifier=NONE):
            QTest.mouseRelease(window.canvas, LEFT, modifier, self.at(*pixel)[0])

        def click(self, *pixel, modifier=NONE):
            hit = self.press(*pixel, modifier=modifier)
            self.release(*pixel, modifier=modifier)
            return hit

        def move(self, *pixel):
            QTest.mouseMove(window.canvas, self.at(*pixel)[0])

        def key(self, key):
            QTest.keyClick(window.canvas, key)

        def zoom(self, scale):
            window.canvas.zoom(scale / window.canvas.transform.scale)

    return Hand()


NO_MODEL = ModelError("The model 'fake' is broken; install it again.")
