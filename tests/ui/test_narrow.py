"""Where there is little room: what is shortened, what goes, and that nothing is cut or covered."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPushButton

from segstudio.core.viewport import ViewTransform
from segstudio.ui.canvas.overlay import box_of, paint_preview, text_box
from segstudio.ui.notices import Notice
from segstudio.ui.panels.parts import Elided, Picker, Slider
from segstudio.ui.stage.composing import AGREEMENT
from segstudio.ui.tools.preview import Preview


def turn_wheel(widget):
    at = QPointF(widget.rect().center())
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def painted(widget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    return flat.reshape(image.height(), image.width(), 4)[..., :3].copy()


def test_a_long_entry_of_a_picker_ends_in_an_ellipsis(window, qtbot):
    long, short = (Picker("Which", lambda _: None) for _ in range(2))
    for picker, text in ((long, "ESPNet · espnet_p2_q8_camvid"), (short, "ESPNet")):
        picker.setParent(window)
        picker.fill([(0, text)], 0)
        picker.resize(150, 30)
        picker.show()
    room = long.fontMetrics().elidedText
    cut = painted(long)
    widths = range(80, 150)
    shortened = {room("ESPNet · espnet_p2_q8_camvid", Qt.TextElideMode.ElideRight, w)
                 for w in widths}  # fmt: skip
    looks = []
    for text in shortened:
        short.fill([(0, text)], 0)
        looks.append(np.array_equal(painted(short), cut))
    assert any(looks)


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_list_of_a_narrow_picker_shows_entries_whole(window):
    picker = Picker("Which", lambda _: None)
    picker.setParent(window)
    picker.fill([(0, "ESPNet · espnet_p2_q8_camvid")], 0)
    picker.resize(60, 30)
    picker.show()
    picker.showPopup()
    assert picker.view().width() >= picker.fontMetrics().horizontalAdvance(picker.itemText(0))
    picker.hidePopup()


def test_the_wheel_scrolls_the_side_panel_and_changes_no_slider(window, shown):
    session = shown()
    sliders = window._panel.findChildren(Slider)
    assert sliders
    for slider in sliders:
        before = slider.value()
        assert not turn_wheel(slider)
        assert slider.value() == before
    assert session.view.opacity == pytest.approx(sliders[0].value() / 100, abs=0.01)


def test_the_line_in_a_pane_head_gives_way(window):
    how = window._grid.panes["A"].header._how
    assert isinstance(how, Elided)
    how.show_text("half the input, fp16")
    assert how.toolTip() == "half the input, fp16"
    assert how.minimumSizeHint().width() == 0


@pytest.mark.parametrize("x", [0, 60, 158, 400])
@pytest.mark.parametrize("y", [0, 50, 98, 300])
@pytest.mark.parametrize(
    "text", ["Road 98 %", "1 A Building · 2 B Tree · 3 C Pedestrian, 1,240 px"]
)
def test_words_at_the_cursor_stay_inside_the_view(window, x, y, text):
    metrics = QFontMetricsF(window.font())
    box = text_box(metrics, text, QPointF(min(x, 160), min(y, 100)), (100, 160), 1.0)
    assert box.left() >= 0
    assert box.top() >= 0
    assert box.right() <= 160
    assert box.bottom() <= 100
    transform = ViewTransform.fitted((100, 160), (100, 160))
    preview = Preview(text=text, text_at=(float(y), float(x)))
    image = QImage(160, 100, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    from PySide6.QtGui import QPainter

    painter = QPainter(image)
    paint_preview(painter, preview, transform, window.font(), 1.0)
    painter.end()
    alpha = np.frombuffer(image.constBits(), np.uint8).reshape(100, 160, 4)[..., 3]
    rows, columns = np.nonzero(alpha)
    repainted = box_of(preview, transform, 1.0)
    assert rows.size
    assert repainted.y0 <= rows.min()
    assert rows.max() < repainted.y1
    assert repainted.x0 <= columns.min()
    assert columns.max() < repainted.x1


def test_questions_have_the_program_s_own_buttons(window, shown):
    from segstudio.ui.dialogs import ask

    session = shown()
    ask.frames(window, "A range", session.player, lambda first, last: None)
    dialog = next(d for d in window.findChildren(QDialog) if d.windowTitle() == "A range")
    buttons = dialog.findChild(QDialogButtonBox).findChildren(QPushButton)
    assert len(buttons) == 2
    assert all(button.icon().isNull() for button in buttons)
    assert [b.property("look") for b in buttons].count("primary") == 1
    dialog.close()


@pytest.fixture
def two(window, session, card, shown, qtbot):
    """Two models beside each other."""
    session.models.cards = (card, replace(card, name="other", title="Another Net with a long name"))
    shown()
    session.comparison.turn_on()
    qtbot.waitUntil(lambda: session.comparison.prediction("B") is not None, timeout=20_000)
    return session


LOOKS = (
    {"mode": "side"},
    {"mode": "side", "colours": "errors"},
    {"mode": "side", "colours": "errors", "error_class": 8, "shows_labels": True},
    {"mode": "swipe", "colours": "errors", "error_class": 8},
    {"mode": "difference"},
    {"mode": "agreement"},
)


@pytest.mark.parametrize("size", [(760, 480), (1000, 650), (1280, 800), (1900, 900)])
@pytest.mark.parametrize("look", LOOKS, ids=lambda one: "-".join(str(v) for v in one.values()))
def test_nothing_in_the_compare_bar_overlaps_or_is_cut(two, window, qtbot, size, look):
    window.resize(*size)
    two.comparison.set_look(replace(two.comparison.look, **look))
    qtbot.waitUntil(lambda: window.width() == size[0])
    bar = window._compare_bar
    bar._box.activate()
    seen = sorted((p for p in bar._parts if p.isVisible()), key=lambda p: p.x())
    for part in seen:
        least = part.minimumWidth() if isinstance(part, Picker) else part.sizeHint().width()
        assert part.width() >= least
        assert part.geometry().right() < bar.width()
    for left, right in itertools.pairwise(seen):
        assert left.geometry().right() < right.x()
    window_right = bar.mapTo(window, QPoint(bar.width(), 0)).x()
    assert window_right <= window._panel.mapTo(window, QPoint(0, 0)).x()


def test_a_narrow_compare_bar_offers_the_same(two, window, qtbot):
    window.resize(760, 480)
    bar = window._compare_bar
    qtbot.waitUntil(bar._mode.isVisible)
    bar._mode.activated.emit(bar._mode.findData("agreement"))
    assert two.comparison.look.mode == "agreement"
    bar._mode.activated.emit(bar._mode.findData("side"))
    qtbot.waitUntil(bar._colour.isVisible)
    bar._colour.activated.emit(bar._colour.findText("Errors of Car"))
    assert (two.comparison.look.colours, two.comparison.look.error_class) == ("errors", 8)
    bar._labels_icon.click()
    assert two.comparison.look.shows_labels
    window.resize(1900, 900)
    qtbot.waitUntil(bar._modes.isVisible)
    assert bar._labels.isChecked()
    assert not bar._mode.isVisible()


@pytest.mark.parametrize(("height", "columns"), [(480, 2), (650, 2), (1000, 1)])
def test_tools_never_shrink(window, shown, qtbot, height, columns):
    shown()
    window.resize(1000, height)
    box = window._tool_box
    qtbot.waitUntil(lambda: box._columns == columns)
    assert all(button.width() == button.height() == 32 for button in box._buttons.values())
    window._session.tools.choose("select")
    last = box._buttons[window._session.editor.options.tool]
    top = last.mapTo(box, QPoint(0, 0))
    assert box.rect().contains(top)
    assert box.rect().contains(top + QPoint(31, 31))


def test_notices_leave_the_compare_bar_and_the_heads_free(two, window, qtbot):
    window._banner.show_notice(Notice("Look out.", "warning"))
    bottom = window._compare_bar.mapTo(window._stage, QPoint(0, window._compare_bar.height())).y()
    assert window._banner.y() >= bottom + window._grid.panes["A"].header.height()
    two.comparison.turn_off()
    qtbot.waitUntil(lambda: window._banner.y() < bottom)


def legend(window):
    panel = window._panel.differences
    return panel.isVisible(), panel.title.text(), [
        (name.text(), figure.text(), swatch.color.getRgb()[:3])
        for swatch, name, figure in panel._rows
        if name.isVisible()
    ]  # fmt: skip


def test_agreement_has_a_legend(two, window, qtbot):
    two.models.cards = (*two.models.cards, replace(two.models.cards[0], name="third"))
    two.comparison.add(two.models.cards[2])
    qtbot.waitUntil(lambda: two.comparison.prediction("C") is not None, timeout=20_000)
    two.comparison.set_look(replace(two.comparison.look, mode="agreement"))
    one, two_of = AGREEMENT[0], AGREEMENT[2]
    qtbot.waitUntil(
        lambda: (
            legend(window)
            == (
                True,
                "Agreement",
                [("1 of 3 agree", "0.0 %", one), ("2 of 3 agree", "0.0 %", two_of)],
            )
        )
    )
    assert window._grid.composing.agreement.total == 72 * 128


def test_errors_have_a_legend_of_words(two, window, qtbot):
    look = two.comparison.look
    two.comparison.set_look(replace(look, colours="errors"))
    is_there, title, lines = legend(window)
    assert (is_there, title) == (True, "Errors")
    assert [line[0] for line in lines] == ["wrong"]
    two.comparison.set_look(replace(look, colours="errors", error_class=8))
    _, _, lines = legend(window)
    assert [line[0] for line in lines] == ["found", "false alarm", "missed"]
    assert len({line[2] for line in lines}) == 3
    two.comparison.set_look(replace(look, colours="classes"))
    assert not legend(window)[0]


def test_the_note_of_the_compare_bar_is_whole_or_not_there(two, window, qtbot):
    two.comparison.set_look(replace(two.comparison.look, colours="errors"))
    bar = window._compare_bar
    for width, is_there in ((1900, True), (1100, False)):
        window.resize(width, 800)
        qtbot.waitUntil(lambda there=is_there: bar._note.isVisible() == there)
        bar._box.activate()
        text = bar._note.fontMetrics().horizontalAdvance(bar._note.text())
        assert not is_there or bar._note.width() >= text > 0
    assert "no labels yet" in window._panel.differences._of.text()


def test_modes_are_no_wider_than_their_words(two, window, qtbot):
    window.resize(1900, 900)
    two.comparison.set_look(replace(two.comparison.look, mode="agreement"))
    bar = window._compare_bar
    qtbot.waitUntil(bar._modes.isVisible)
    bar._box.activate()
    assert bar._modes.width() == bar._modes.sizeHint().width()
