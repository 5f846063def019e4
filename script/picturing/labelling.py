"""A frame being corrected; by class or by origin."""

from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from stage import Stage

stage = Stage()
stage.open()
session, editor, canvas = stage.session, stage.editor, stage.canvas


def at(y: float, x: float) -> QPoint:
    """On the screen, of a frame's pixel."""
    v, u = canvas.transform.to_view(y + 0.5, x + 0.5)
    return QPointF(u, v).toPoint()


def drag(*places: tuple[float, float]) -> None:
    """A stroke."""
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, pos=at(*places[0]))
    for place in places[1:]:
        QTest.mouseMove(canvas, at(*place))
    QTest.mouseRelease(canvas, left, pos=at(*places[-1]))


for index in (126, 136, 146):  # a drafted, a confirmed and a corrected frame
    stage.go(index)
    if index < 146:
        editor.accept_draft() if index == 126 else editor.confirm()
h, w = editor.shape
session.tools.choose("brush")
road, car = 3, 8
for class_id, size, *places in (
    (road, 61, (0.93, 0.30), (0.86, 0.52), (0.94, 0.70)),
    (road, 41, (0.80, 0.42), (0.78, 0.58)),
    (car, 31, (0.62, 0.30), (0.61, 0.36)),
):
    editor.set_options(replace(editor.options, class_id=class_id, size=size))
    drag(*((y * h, x * w) for y, x in places))
session.set_view(replace(session.view, layer=stage.more[0]))
editor.set_options(replace(editor.options, class_id=road, size=61))
QTest.mouseMove(canvas, at(0.84 * h, 0.62 * w))
stage.wait(lambda: canvas.is_sharp and not editor.projects.project.waiting)
stage.take()
