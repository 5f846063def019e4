"""Where there is little room: what is shortened, what goes, and that nothing is cut or covered."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPushButton

from segstudio.core.viewport import ViewTransform
from segstudio.ui.canvas.overlay import box_of, paint_preview, text_box
from segstudio.ui.panels.parts import Elided, Picker, Slider
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
