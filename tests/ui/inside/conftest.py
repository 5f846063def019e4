"""A session that looks into a net of numbers: answers come at once, in this thread."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.core.feature_map import FeatureMap, Lattice
from segstudio.core.frame import Frame, FrameId
from segstudio.core.layers import CallFacts, LayerCost, LayerFacts, LayerTree
from segstudio.core.look import LayerLook, Seen, UnsureLook
from segstudio.engine.play import PipelineResult
from segstudio.ui import theme
from segstudio.ui.panels.inside.panel import InsidePanel

CELLS = (9, 16)
STEP = 8


def layer(name, kind="Conv2d", title="", shape=(64, *CELLS), runs=1, tap=False, **more):
    """One layer whose cells are 8 frame pixels apart."""
    is_map = len(shape) == 3 and shape[1:] != (1, 1)
    where = {"middle": (0.0, 0.0), "step": (8.0, 8.0), "field": (95, 95)} if is_map else {}
    calls = tuple(CallFacts(shape, **where) for _ in range(runs))
    return LayerFacts(name, title, kind, name.count("."), 1_234_567, calls, tap, **more)


LAYERS = (
    layer("detail", "DetailBranch", "Detail branch", (128, *CELLS)),
    layer("detail.stage1", "Sequential", "Detail branch · stage 1", tap=True),
    layer("detail.stage1.0", "ConvBNReLU", "Detail branch · stage 1 · 3×3 convolution"),
    layer("detail.stage1.0.0", "Conv2d"),
    layer("detail.stage2", "Sequential", "Detail branch · stage 2", (128, *CELLS), tap=True),
    layer("semantic", "SemanticBranch", "Semantic branch", (16, *CELLS)),
    layer("semantic.stem", "Stem", "Semantic branch · stem", (16, *CELLS), tap=True),
    layer("semantic.pool", "AdaptiveAvgPool2d", "", (16, 1, 1)),
    layer("semantic.shared", "Block", "Semantic branch · shared block", (8, *CELLS), runs=2),
    layer("head", "Head", "Segmentation head", (11, *CELLS)),
    layer("boosters", "ModuleList", "Booster heads", runs=0),
)


@pytest.fixture
def tree() -> LayerTree:
    """A small net with two branches, a vector, a layer that runs twice and one that never does."""
    return LayerTree("fake", (72, 128), LAYERS)


def values_of(look) -> FeatureMap:
    """A ramp from left to right; groups and colours where a look asks for them."""
    lattice = Lattice((0.0, 0.0), (STEP, STEP))
    exact = np.tile(np.linspace(0, 1.5, CELLS[1], dtype=np.float32), (CELLS[0], 1))
    if isinstance(look, LayerLook) and look.show == "segments":
        groups = np.zeros(CELLS, np.uint8)
        groups[:, :4] = 1
        return FeatureMap(groups, lattice, "segments")
    if isinstance(look, LayerLook) and look.show == "pca":
        return FeatureMap(np.zeros((*CELLS, 3), np.uint8), lattice, "rgb")
    histogram = np.histogram(exact, 64, (0, 1.5))[0].astype(np.int64)
    bytes_ = np.rint(exact / 1.5 * 255).astype(np.uint8)
    return FeatureMap(bytes_, lattice, low=0.0, high=1.5, histogram=histogram, exact=exact)


class Net:
    """What the session asks of a predictor that is looked into."""

    def __init__(self, tree):
        self.layers, self.looks = tree, []
        self.trouble = self.note = ""
        self.field_of = (63, 61)

    @property
    def looking(self):
        return self

    def look_for(self, look):
        self.looks.append(look)

    def input_size(self, height, width):
        return height, width

    def again(self, frame, token, progress=None):
        look = self.looks[-1]
        if look is None:
            return None
        share = 0.124 if isinstance(look, UnsureLook) else None
        found = None if self.trouble else values_of(look)
        return Seen(look, found, ms=2.13, trouble=self.trouble, note=self.note, frame_share=share)

    def tree(self, size):
        return self.layers

    def costs(self, rgb, size):
        names = [one.name for one in self.layers.layers if one.calls]
        return {"": LayerCost(10.0, 40.0)} | {name: LayerCost(2.5, 4.0) for name in names}

    def field(self, name, size, call=-1):
        return self.field_of

    def votes(self, frame, size, pixel):
        return ()


@pytest.fixture
def net(tree) -> Net:
    """A test may say what it answers."""
    return Net(tree)


@pytest.fixture
def looked(session, net, monkeypatch):
    """The session on one frame; `session.inside` asks the net of numbers."""
    rgb = np.zeros((72, 128, 3), np.uint8)
    frame = Frame(FrameId("a clip", 0, None, 0), rgb, 0.0)
    session.result = PipelineResult(frame, None, 0, 0.0, 0)

    def ask(letter, op, then, token=None):
        then(op(net, frame))

    monkeypatch.setattr(session.player, "ask", ask)
    monkeypatch.setattr(type(session.player), "has_source", property(lambda self: True))
    return session


@pytest.fixture
def panel(qtbot, looked) -> InsidePanel:
    """The column in a window of its own, looking at stage 1 of the detail branch."""
    theme.apply(QApplication.instance(), "dark")
    made = InsidePanel(looked)
    qtbot.addWidget(made)
    made.resize(340, 1000)
    looked.inside.turn_on()
    looked.inside.set_look(LayerLook("detail.stage1", show="mean"))
    made.show()
    QTest.qWaitForWindowExposed(made)
    return made


@pytest.fixture
def change_look(looked):
    """Another look, by its fields."""

    def change(**fields):
        looked.inside.set_look(replace(looked.inside.look, **fields))

    return change


@pytest.fixture
def change_style(looked):
    """Another style, by its fields."""

    def change(**fields):
        looked.inside.set_style(replace(looked.inside.style, **fields))

    return change
