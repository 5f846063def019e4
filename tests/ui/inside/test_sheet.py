"""The sheet of channels: where tiles lie, what they show, and what the mouse does."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTreeView

from segstudio.core.color_maps import table
from segstudio.core.feature_map import ChannelSheet, Lattice
from segstudio.core.look import LayerLook, Seen, UnsureLook
from segstudio.core.map_style import MapStyle
from segstudio.core.viewport import ViewTransform
from segstudio.ui import theme
from segstudio.ui.panels.inside.sheet import SheetView, sentence
from segstudio.ui.panels.inside.tiles import figure
from segstudio.ui.panels.inside.tiling import Part, Tiling, color_table, raster

FRAME = (72, 128)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
GREY = [0xFF000000 | level * 0x010101 for level in range(256)]


class FakeInside(QObject):
    """What the sheet asks of the session's inside."""

    changed, arrived, pointed = Signal(), Signal(), Signal()

    def __init__(self):
        super().__init__()
        self.look = LayerLook("stage", show="grid")
        self.style, self.letter, self.trouble = MapStyle(is_smooth=False), "A", ""
        self.seen = self.pixel = self.pinned = None
        self.shows_labels, self.is_on = False, True

    def set_look(self, look):
        self.look = look
        self.changed.emit()

    def show(self, sheet):
        self.seen = Seen(self.look, sheet=sheet)
        self.arrived.emit()


class FakeSession:
    def __init__(self):
        self.inside, self.result = FakeInside(), None


@pytest.fixture
def inside():
    return FakeInside()


@pytest.fixture
def view(qtbot, inside):
    """The sheet in a window of its own, the canvas showing the whole frame."""
    theme.apply(QApplication.instance(), "dark")
    session = FakeSession()
    session.inside = inside
    made = SheetView(session)
    qtbot.addWidget(made)
    made.resize(820, 420)
    made.show_view(ViewTransform.fitted(FRAME, (300, 500)))
    made.show()
    QTest.qWaitForWindowExposed(made)
    return made


def sheet_of(count=6, cells=(9, 16), lattice=None, seed=0, total=128) -> ChannelSheet:
    values = np.random.default_rng(seed).integers(0, 256, (count, *cells), dtype=np.uint8)
    lows = np.linspace(-1, 0, count).astype(np.float32)
    return ChannelSheet(
        np.arange(count) * 3 + 5, values, lattice or Lattice.even(cells, FRAME),
        lows, lows + 2, lows, total,
    )  # fmt: skip


def pixels(image: QImage) -> np.ndarray:
    """uint8 (h, w, 3)."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return raw[:, : image.width(), 2::-1].copy()


def spot(view, place, y, x) -> QPoint:
    """Where tile `place` shows the middle of frame pixel (y, x)."""
    tiling, part = view.tiles.tiling, view.tiles.part
    down, across = tiling.to_tile(y + 0.5, x + 0.5, part)
    return tiling.box(place).topLeft() + QPoint(int(across), int(down))


# --- where tiles lie


def test_columns_are_chosen_so_that_tiles_are_large_and_rows_even():
    one_row = Tiling.fitted(4, (9, 16), (100, 1000), 4)
    assert (one_row.columns, one_row.height) == (4, 100)
    tall = Tiling.fitted(4, (9, 16), (1000, 200), 4)
    assert (tall.columns, tall.width) == (1, 200)
    square = Tiling.fitted(36, (9, 16), (600, 1060), 4)
    assert square.columns == 6
    assert Tiling.fitted(12, (9, 16), (420, 1100), 4).columns == 4


@pytest.mark.parametrize("count", [1, 2, 5, 7, 16, 36, 100])
@pytest.mark.parametrize("room", [(80, 1200), (300, 300), (900, 200)])
def test_tiles_lie_inside_the_room_and_apart(count, room):
    tiling = Tiling.fitted(count, FRAME, room, 4)
    seen = np.zeros(room, int)
    for place in range(count):
        box = tiling.box(place)
        assert box.x() >= 0
        assert box.y() >= 0
        assert box.x() + box.width() <= room[1]
        seen[box.y() : box.y() + box.height(), box.x() : box.x() + box.width()] += 1
        assert tiling.place_at(box.center().y(), box.center().x()) == place
    assert seen.max() == 1
    assert abs(tiling.width / tiling.height - 128 / 72) < 128 / 72 / tiling.height + 0.02
    first = tiling.box(0)
    assert tiling.place_at(first.y() - 1, first.x()) is None
    if tiling.columns > 1:
        assert tiling.place_at(first.y(), first.x() + first.width() + 1) is None


# --- which part of the frame they show


def test_tiles_show_the_whole_frame_while_the_canvas_does():
    for view in ((300, 500), (900, 200), (72, 128)):
        part = Part.seen(ViewTransform.fitted(FRAME, view))
        assert (part.top, part.left) == (0, 0)
        assert (part.height, part.width) == pytest.approx(FRAME)


def test_tiles_show_all_that_the_canvas_shows_when_it_is_zoomed():
    rng = np.random.default_rng(3)
    for _ in range(200):
        size = tuple(int(v) for v in rng.integers(60, 900, 2))
        view = ViewTransform.fitted(FRAME, size).scaled_to(float(rng.uniform(0.5, 40)), (9.0, 40.0))
        view = view.panned(*rng.uniform(-400, 400, 2))
        part = Part.seen(view)
        top, left = view.to_frame(0, 0)
        bottom, right = view.to_frame(*view.view)
        slack = 1 / view.scale + 1e-6
        assert part.top <= max(top, 0) + slack
        assert part.left <= max(left, 0) + slack
        assert part.top + part.height >= min(bottom, FRAME[0]) - slack
        assert part.left + part.width >= min(right, FRAME[1]) - slack
        assert part.height / part.width == pytest.approx(FRAME[0] / FRAME[1])
        assert part.top >= 0
        assert part.left >= 0
        assert part.height <= FRAME[0] + 1e-9


# --- their pixels


@pytest.mark.parametrize("zoom", [1.0, 3.7, 40.0])
@pytest.mark.parametrize(
    "lattice", [Lattice.even((9, 16), FRAME), Lattice((-3.5, 2.0), (8.0, 8.0))]
)
def test_every_pixel_of_a_tile_shows_the_cell_that_lies_there(zoom, lattice):
    fit = ViewTransform.fitted(FRAME, (300, 500))
    part = Part.seen(fit.scaled_to(fit.scale * zoom, (140.0, 260.0)))
    sheet, room = sheet_of(5, lattice=lattice), (333, 517)
    tiling = Tiling.fitted(5, FRAME, room, 4)
    ground = QColor(255, 0, 0)
    drawn = pixels(raster(sheet, tiling, part, room, GREY, smooth=False, ground=ground))
    wrong = total = 0
    for place in range(5):
        box = tiling.box(place)
        for y in range(box.y(), box.y() + box.height()):
            for x in range(box.x(), box.x() + box.width()):
                spot = tiling.to_frame(place, y + 0.5, x + 0.5, part)
                row, column = (int(np.floor(v)) for v in lattice.cell_at(*spot))
                is_cell = 0 <= row < 9 and 0 <= column < 16
                wanted = [sheet.values[place, row, column]] * 3 if is_cell else [255, 0, 0]
                wrong += list(drawn[y, x]) != list(wanted)
                total += 1
    # A pixel whose centre lies on the very border of two cells may be either.
    assert wrong <= 0.002 * total
    assert (drawn[: tiling.top] == (255, 0, 0)).all()


@pytest.mark.parametrize("smooth", [True, False])
def test_cells_smaller_than_pixels_are_averaged_where_they_lie(smooth):
    cells, room = (723, 1281), (72, 128)
    values = np.zeros((1, *cells), np.uint8)
    values[:, ::2] = 200  # picking single rows would show stripes or nothing
    values[:, 360:, 640:] = 50
    nothing = np.zeros(1, np.float32)
    even = Lattice.even(cells, FRAME)
    sheet = ChannelSheet(np.arange(1), values, even, nothing, nothing, nothing, 1)
    tiling, part = Tiling.fitted(1, FRAME, room, 4), Part(0, 0, *FRAME)
    drawn = pixels(raster(sheet, tiling, part, room, GREY, smooth=smooth, ground=QColor(255, 0, 0)))
    grey = drawn[..., 0].astype(int)
    assert (drawn == drawn[..., :1]).all()  # no red line at the right or the bottom
    assert np.abs(grey[:34] - 100).max() <= 20
    assert (grey[38:-1, 67:-1] == 50).all()
    assert np.abs(grey[38:, :62] - 100).max() <= 20
    assert grey[-1, -1] > 20


def test_smooth_tiles_hold_no_colour_that_the_map_does_not():
    lut = table("viridis")
    values = np.zeros((1, 2, 2), np.uint8)
    values[0, :, 1] = 255
    sheet = ChannelSheet(
        np.arange(1), values, Lattice.even((2, 2), FRAME), *(np.zeros(1, np.float32),) * 3, 1
    )
    tiling = Tiling.fitted(1, FRAME, (72, 128), 4)
    colors = color_table("viridis", is_reversed=False)
    drawn = pixels(
        raster(sheet, tiling, Part(0, 0, *FRAME), FRAME, colors, smooth=True, ground=QColor("red"))
    )
    known = {tuple(c) for c in lut.tolist()}
    line = [tuple(c) for c in drawn[36].tolist()]
    assert set(line) <= known
    assert line[0] == tuple(lut[0])
    assert line[-1] == tuple(lut[255])
    assert abs(lut.tolist().index(list(line[64])) - 128) <= 3  # half way is the middle
    reversed_ = color_table("viridis", is_reversed=True)
    assert reversed_[0] == colors[255]


# --- the widget


def test_the_head_says_how_many_channels_and_in_which_order(view, inside):
    inside.show(sheet_of(6))
    assert view.accessibleDescription() == "6 of 128 channels, those that vary most first"
    assert sentence(sheet_of(6, total=6), "number") == "All 6 channels, by their number"


def test_without_channels_a_sentence_says_why(view, inside):
    assert "next frame" in view.tiles.accessibleDescription()
    inside.trouble = "This layer's answer is no map."
    inside.changed.emit()
    assert view.tiles.accessibleDescription() == "This layer's answer is no map."
    assert not view.grab().isNull()


def test_tiles_are_painted_in_the_colours_of_the_style(view, inside):
    sheet = sheet_of(1)
    sheet.values[:] = 255
    inside.show(sheet)
    middle = view.tiles.tiling.box(0).center()
    for name, is_reversed in (("viridis", False), ("inferno", False), ("inferno", True)):
        inside.style = MapStyle(name, is_reversed=is_reversed)
        inside.changed.emit()
        color = view.tiles.grab().toImage().pixelColor(middle)
        wanted = table(name)[0 if is_reversed else 255]
        assert color.getRgb()[:3] == tuple(wanted)


def test_zooming_the_canvas_zooms_the_tiles(view, inside):
    inside.show(sheet_of(2))
    before = pixels(view.tiles.grab().toImage())
    fit = ViewTransform.fitted(FRAME, (225, 400))
    view.show_view(fit.scaled_to(fit.scale * 8, (0.0, 0.0)))
    assert view.tiles.part.width == pytest.approx(16)
    assert not np.array_equal(before, pixels(view.tiles.grab().toImage()))


def test_the_mouse_tells_the_frame_pixel_and_leaving_takes_it_back(view, inside):
    inside.show(sheet_of(6))
    told = []
    view.hovered.connect(told.append)
    QTest.mouseMove(view.tiles, spot(view, 4, 50, 100))
    assert told == [(50, 100)]
    QTest.mouseMove(view.tiles, spot(view, 2, 50, 100))
    assert told == [(50, 100)]  # the same pixel on another tile
    QApplication.sendEvent(view.tiles, QEvent(QEvent.Type.Leave))
    assert told == [(50, 100), None]


def test_the_tile_under_the_mouse_says_its_value_there(view, inside):
    sheet = sheet_of(6)
    inside.show(sheet)
    QTest.mouseMove(view.tiles, spot(view, 2, 44, 68))
    value = sheet.lows[2] + sheet.values[2, 5, 8] / 255 * 2
    assert view.tiles.accessibleDescription() == f"channel 11 · {value:.2f}"


def test_beside_the_map_there_is_no_value(view, inside):
    inside.show(sheet_of(6, lattice=Lattice((8.0, 8.0), (4.0, 4.0))))
    QTest.mouseMove(view.tiles, spot(view, 1, 2, 2))
    assert view.tiles.accessibleDescription() == "channel 8 · nothing there"


def test_the_pixel_of_the_canvas_is_marked_in_every_tile(view, inside):
    sheet = sheet_of(4)
    sheet.values[:] = 0
    inside.show(sheet)
    before = pixels(view.tiles.grab().toImage())
    inside.pixel = (36, 64)
    inside.pointed.emit()
    after = pixels(view.tiles.grab().toImage())
    tiling = view.tiles.tiling
    for place in range(4):
        box = tiling.box(place)
        cut = np.s_[box.y() : box.y() + box.height(), box.x() : box.x() + box.width()]
        ys, xs = np.nonzero((before[cut] != after[cut]).any(-1))
        assert ys.mean() == pytest.approx(tiling.height * 36.5 / 72, abs=1)
        assert xs.mean() == pytest.approx(tiling.width * 64.5 / 128, abs=1)


def test_a_click_shows_that_channel_alone(view, inside):
    inside.show(sheet_of(6))
    QTest.mouseClick(view.tiles, LEFT, NONE, spot(view, 3, 20, 20))
    assert inside.look == LayerLook("stage", show="channel", channel=14)


def test_a_drag_and_the_wheel_do_nothing(view, inside):
    inside.show(sheet_of(6))
    before = inside.look
    QTest.mousePress(view.tiles, LEFT, NONE, spot(view, 3, 20, 20))
    QTest.mouseMove(view.tiles, spot(view, 1, 20, 20))
    QTest.mouseRelease(view.tiles, LEFT, NONE, spot(view, 1, 20, 20))
    QTest.mouseClick(view.tiles, Qt.MouseButton.RightButton, NONE, spot(view, 3, 20, 20))
    at = QPointF(spot(view, 3, 20, 20))
    wheel = QWheelEvent(
        at, at, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.tiles, wheel)
    assert wheel.isAccepted()
    assert inside.look is before


def test_arrows_and_enter_choose_a_channel(view, inside):
    inside.show(sheet_of(6))
    columns = view.tiles.tiling.columns
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(view.tiles, key)
    assert inside.look.channel == 5 + 3 * (1 + columns)


def test_tiles_do_not_run_from_the_mouse_while_the_order_hangs_on_it(view, inside):
    inside.look = LayerLook("stage", show="grid", order="pixel", pixel=(1, 1))
    inside.show(sheet_of(6))
    told = []
    view.hovered.connect(told.append)
    QTest.mouseMove(view.tiles, spot(view, 4, 50, 100))
    assert told == []
    inside.pinned = (1, 1)
    QTest.mouseMove(view.tiles, spot(view, 4, 20, 30))
    assert told == [(20, 30)]


def test_the_last_channels_stay_until_the_next_ones_come_but_not_of_another_layer(view, inside):
    inside.show(sheet_of(6))
    inside.seen = None
    inside.arrived.emit()
    assert view.accessibleDescription().startswith("6 of 128")
    assert view.tiles.tiling.count == 6
    inside.look = LayerLook("other", show="grid")
    inside.changed.emit()
    assert view.tiles.tiling.count == 0
    inside.look = LayerLook("stage", show="grid")
    inside.show(sheet_of(6))
    inside.letter, inside.seen = "B", None
    inside.changed.emit()
    assert view.tiles.tiling.count == 0


def outlined(view) -> np.ndarray:
    """Rows and columns of pixels in the accent colour, which outlines a tile."""
    QApplication.sendEvent(view.tiles, QEvent(QEvent.Type.Leave))
    accent = QColor(theme.current().accent).getRgb()[:3]
    return np.argwhere((pixels(view.tiles.grab().toImage()) == accent).all(-1))


def test_a_click_leaves_the_sheet_open_and_outlines_what_the_picture_shows(view, inside):
    sheet = sheet_of(6)
    inside.show(sheet)
    assert view.is_wanted
    assert not len(outlined(view)), "the picture shows the mean of all"
    QTest.mouseClick(view.tiles, LEFT, NONE, spot(view, 3, 20, 20))
    assert inside.look == LayerLook("stage", show="channel", channel=14)
    inside.seen = Seen(inside.look)
    inside.arrived.emit()
    assert view.is_wanted
    assert view.is_kept
    assert view.tiles.tiling.count == 6
    assert view.accessibleDescription().startswith("Channel 14 is shown; click it again")
    box, found = view.tiles.tiling.box(3), outlined(view)
    assert found[:, 1].min() in (box.left() - 2, box.left() - 1)
    assert found[:, 0].max() in (box.bottom() + 1, box.bottom() + 2)
    QTest.mouseClick(view.tiles, LEFT, NONE, spot(view, 4, 20, 20))
    assert inside.look.channel == 17
    QTest.mouseClick(view.tiles, LEFT, NONE, spot(view, 4, 20, 20))
    assert inside.look.show == "grid", "once more: back to all"
    inside.show(sheet)
    assert not len(outlined(view))


@pytest.mark.parametrize(
    "other",
    [
        LayerLook("stage", show="mean"),
        LayerLook("other", show="channel", channel=14),
        LayerLook("stage", show="channel", channel=14, call=1),
        UnsureLook(),
    ],
)
def test_the_sheet_goes_with_another_view_or_layer_and_stays_gone(view, inside, other):
    inside.show(sheet_of(6))
    QTest.mouseClick(view.tiles, LEFT, NONE, spot(view, 3, 20, 20))
    assert view.is_wanted
    inside.set_look(other)
    assert not view.is_wanted
    inside.set_look(LayerLook("stage", show="channel", channel=14))
    assert not view.is_wanted, "chosen elsewhere, not on the sheet"


def test_tiles_of_an_earlier_frame_say_so(shown, qtbot):
    session = shown(3)
    inside, look = session.inside, LayerLook("stage", show="grid")
    made = SheetView(session)
    qtbot.addWidget(made)
    made.resize(820, 420)
    made.show()
    inside.is_on, inside.look = True, look
    seen = replace(session.result.prediction, seen=Seen(look, sheet=sheet_of(6)))
    session.result = replace(session.result, prediction=seen)
    inside.arrived.emit()
    QTest.mouseClick(made.tiles, LEFT, NONE, spot(made, 2, 50, 100))
    assert made.accessibleDescription().startswith("Channel 11 is shown")
    frame = replace(session.result.frame, id=replace(session.result.frame.id, index=4))
    session.result = replace(session.result, frame=frame)
    inside.arrived.emit()
    assert made.accessibleDescription().startswith("The tiles are of an earlier frame. Channel 11")


def test_the_middle_of_a_cross_is_free(view, inside):
    sheet = sheet_of(1)
    sheet.values[:] = 0
    inside.show(sheet)
    before = pixels(view.tiles.grab().toImage())
    inside.pixel = inside.pinned = (36, 64)
    inside.pointed.emit()
    after = pixels(view.tiles.grab().toImage())
    ys, xs = np.nonzero((before != after).any(-1))
    middle = spot(view, 0, 36, 64)
    assert len(ys)
    away = np.hypot(ys - middle.y(), xs - middle.x())
    assert away.min() >= 5 - 1  # its pixels have an extent


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_tiles_are_sharp_on_any_screen(view, inside, ratio, monkeypatch):
    inside.show(sheet_of(6))
    monkeypatch.setattr(view.tiles, "devicePixelRatioF", lambda: ratio)
    tiling = view.tiles.tiling
    last = tiling.box(5)
    assert last.right() < round(view.tiles.width() * ratio)
    assert last.bottom() < round(view.tiles.height() * ratio)
    told = []
    view.hovered.connect(told.append)
    at = QPointF(spot(view, 5, 40, 90)) / ratio
    QTest.mouseMove(view.tiles, at.toPoint())
    assert told[0] == pytest.approx((40, 90), abs=1)
    assert not view.tiles.grab().isNull()


def test_a_hidden_sheet_catches_up_when_it_is_shown(view, inside):
    view.hide()
    inside.show(sheet_of(4))
    assert view.tiles.tiling.count == 0
    view.show()
    assert view.tiles.tiling.count == 4


def test_numbers_have_about_three_digits():
    assert [figure(v) for v in (0.0, 0.834, -0.5, 12.34, 340.2, 0.00123)] == [
        "0.00", "0.83", "-0.50", "12.3", "340", "1.2e-03",
    ]  # fmt: skip


def test_the_session_shows_the_channels_of_the_frame_on_the_screen(shown, qtbot):
    session = shown(3)
    inside, look = session.inside, LayerLook("stage", show="grid")
    made = SheetView(session)
    qtbot.addWidget(made)
    made.resize(820, 420)
    made.show()
    inside.is_on, inside.look = True, look
    seen = replace(session.result.prediction, seen=Seen(look, sheet=sheet_of(6)))
    session.result = replace(session.result, prediction=seen)
    inside.arrived.emit()
    assert made.accessibleDescription() == "6 of 128 channels, those that vary most first"
    made.hovered.connect(inside.point)
    QTest.mouseMove(made.tiles, spot(made, 2, 50, 100))
    assert inside.pixel == (50, 100)


def test_the_window_leaves_the_sheet_open_while_one_of_its_channels_is_shown(shown, window):
    session = shown(3)
    inside, look = session.inside, LayerLook("stage", show="grid")
    inside.is_on, inside.look = True, look
    seen = replace(session.result.prediction, seen=Seen(look, sheet=sheet_of(6)))
    session.result = replace(session.result, prediction=seen)
    inside.changed.emit()
    sheet = window.findChild(SheetView)
    assert sheet.isVisible()
    QTest.mouseClick(sheet.tiles, LEFT, NONE, spot(sheet, 2, 50, 100))
    assert inside.look.show == "channel"
    assert sheet.isVisible()
    inside.set_look(LayerLook("stage", show="mean"))
    assert not sheet.isVisible()


def test_space_in_the_tree_plays_in_the_window(shown, window, qtbot):
    session = shown(3)
    session.inside.turn_on()
    qtbot.waitUntil(lambda: window.findChild(QTreeView) is not None)
    tree = window.findChild(QTreeView)
    QTest.keyClick(tree, Qt.Key.Key_Space)
    assert session.player.playing.is_playing
    QTest.keyClick(tree, Qt.Key.Key_Space)
    assert not session.player.playing.is_playing
