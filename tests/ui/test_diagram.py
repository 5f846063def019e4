"""The diagram of a net: rows, boxes and what they say."""

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from segstudio.core.catalogue import TapFacts
from segstudio.ui import theme
from segstudio.ui.panels.diagram import NetDiagram, arrange

BILATERAL = (
    TapFacts("detail.stage1", 2, 64),
    TapFacts("detail.stage3", 8, 128),
    TapFacts("semantic.stem", 4, 16),
    TapFacts("semantic.stage5", 32, 128),
    TapFacts("aggregation", 8, 128),
)
HOURGLASS = tuple(
    TapFacts(f"{part}.{n}", stride, 64 * stride)
    for part, strides in (("down", (1, 2, 4, 8, 16)), ("up", (8, 4, 2, 1)))
    for n, stride in enumerate(strides)
)


@pytest.fixture
def diagram(qtbot):
    theme.apply(QApplication.instance(), "dark")
    made = NetDiagram()
    qtbot.addWidget(made)
    made.resize(600, 200)
    return made


def test_branches_get_a_row_each_and_what_joins_them_stands_behind():
    layout = arrange(BILATERAL)
    assert [[t.name for t in row.taps] for row in layout.rows] == [
        ["detail.stage1", "detail.stage3"],
        ["semantic.stem", "semantic.stage5"],
    ]
    assert [t.name for t in layout.tail] == ["aggregation"]


def test_an_encoder_and_its_decoder_stay_in_one_row():
    layout = arrange(HOURGLASS)
    assert [row.taps for row in layout.rows] == [HOURGLASS]
    assert layout.tail == ()


def test_branches_that_take_turns_leave_the_trunk_where_it_ends():
    names = ("stem 4", "layer2 8", "context.0 16", "detail.0 8", "context.1 32", "detail.1 8",
             "pyramid 64", "detail_last 8")  # fmt: skip
    taps = [TapFacts(n.split()[0], int(n.split()[1]), 32) for n in names]
    first, second = arrange(taps).rows
    assert [t.name for t in first.taps] == ["stem", "layer2", "context.0", "context.1", "pyramid"]
    assert [t.name for t in second.taps] == ["detail.0", "detail.1", "detail_last"]
    assert (first.fork, second.fork) == (0, 2)


def test_finer_stages_are_higher_and_more_channels_are_wider(diagram):
    diagram.show_taps((TapFacts("a", 2, 16), TapFacts("b", 8, 512)), (512, 1024))
    _, a, b = diagram.boxes
    assert a.area.height() > b.area.height()
    assert a.area.width() < b.area.width()


@pytest.mark.parametrize("taps", [BILATERAL, HOURGLASS, HOURGLASS * 3])
@pytest.mark.parametrize("width", [240, 700])
def test_boxes_stay_inside_and_apart(diagram, taps, width):
    diagram.show_taps(taps, (512, 1024))
    diagram.resize(width, diagram.height())
    diagram.grab()
    areas = [b.area for b in diagram.boxes]
    assert len(areas) == 1 + len(taps)
    for number, area in enumerate(areas):
        assert diagram.rect().toRectF().contains(area)
        assert not any(area.intersects(other) for other in areas[number + 1 :])


def test_a_tooltip_tells_the_exact_shape(diagram):
    diagram.show_taps(BILATERAL, (720, 1281))
    assert diagram.tip(BILATERAL[1]) == "detail.stage3\n128 channels, 161 × 90 (1/8 of 1281 × 720)"
    assert diagram._box_at(QPointF(diagram.boxes[1].area.center())).tap == BILATERAL[0]


@pytest.mark.parametrize("name", ["dark", "light"])
def test_boxes_are_told_from_the_ground_in_both_themes(diagram, name):
    theme.apply(QApplication.instance(), name)
    diagram.show_taps(BILATERAL, (512, 1024))
    picture = QImage(diagram.size() * 2, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(2)
    ground = QColor(theme.current().raised)
    picture.fill(ground)
    diagram.render(picture)
    for box in diagram.boxes:
        inside = picture.pixelColor((2 * box.area.center()).toPoint())
        assert inside != ground


def test_a_net_without_stages_paints_nothing(diagram):
    diagram.show_taps((), (512, 1024))
    assert diagram.boxes == ()
    diagram.grab()
