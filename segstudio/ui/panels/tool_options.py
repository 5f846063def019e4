"""The bar above the picture: the active class, and what the tool in the hand can be told."""

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QColor, QIcon, QInputDevice, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from segstudio.core.classes import ClassMap
from segstudio.ui.panels.parts import Picker, label
from segstudio.ui.panels.tool_controls import CONTROLS
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT
from segstudio.ui.tools.registry import TOOLS

HEIGHT = 44

COMPACT = 900
"""A bar of fewer pixels leaves words and sliders out."""


class ToolOptionsBar(QFrame):
    """Shows the controls that the tool in the hand names, in its order."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "top")
        self.setFixedHeight(HEIGHT)
        box = QHBoxLayout(self)
        box.setContentsMargins(UNIT, 0, UNIT, 0)
        box.setSpacing(2 * UNIT)
        self._class = Picker("The class that is painted (1 to 9)", self._pick_class)
        self._class.setFixedWidth(168)
        self._class.setIconSize(QSize(14, 14))
        self._words = ""
        self._hint = label(tone="muted", look="small")
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        box.addWidget(self._class)
        self._controls = {name: make(self._change) for name, make in CONTROLS.items()}
        for control in self._controls.values():
            box.addWidget(control)
        box.addWidget(self._hint, 1)
        editor = session.editor
        for signal in (editor.options_changed, editor.projects.changed, session.models.changed,
                       session.inside.changed):  # fmt: skip
            signal.connect(self.follow)
        self.follow()

    def _change(self, **fields: object) -> None:
        editor = self._session.editor
        editor.set_options(replace(editor.options, **fields))  # type: ignore[arg-type]  # its fields

    def _pick_class(self, value: object) -> None:
        if isinstance(value, int):
            self._session.editor.choose_class(value)

    @Slot()
    def follow(self) -> None:
        """Another tool, other options, other classes."""
        editor = self._session.editor
        options, tool = editor.options, TOOLS.get(editor.options.tool)
        self._show_classes(editor.classes, options.class_id)
        self._class.setVisible(tool.paints_class)
        for name, control in self._controls.items():
            is_offered = name in tool.settings and (name != "uses_pressure" or _has_pen())
            control.setVisible(is_offered)
            if is_offered:
                control.show_options(self._session, options)
        self._words = tool.hint
        self._hint.setToolTip(tool.hint)
        self._show_hint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for control in self._controls.values():
            control.set_compact(compact=self.width() < COMPACT)
        self._show_hint()

    def _show_hint(self) -> None:
        """What does not fit is not begun: half a hint is none. The tip has it all."""
        parts, room = self._words.split(" · "), self._hint.width()
        metrics = self._hint.fontMetrics()
        while parts and metrics.horizontalAdvance(" · ".join(parts)) > room:
            parts.pop()
        self._hint.setText(" · ".join(parts))

    def _show_classes(self, classes: ClassMap, active: int) -> None:
        self._class.fill([(c.id, c.name) for c in classes.classes], active)
        for number, one in enumerate(classes.classes):
            self._class.setItemIcon(number, _swatch(one.color))


def _has_pen() -> bool:
    """True when a pen is connected; without one its pressure is no choice."""
    return any(d.type() == QInputDevice.DeviceType.Stylus for d in QInputDevice.devices())


def _swatch(color: tuple[int, int, int]) -> QIcon:
    picture = QPixmap(14, 14)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*color))
    painter.drawRoundedRect(0, 0, 14, 14, 4, 4)
    painter.end()
    return QIcon(picture)
