"""The bar above the picture: the active class, and what the tool in the hand can be told."""

from dataclasses import replace

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QInputDevice, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QSizePolicy

from segstudio.core.classes import ClassMap
from segstudio.ui.panels.parts import Picker, label
from segstudio.ui.panels.swatches import swatch_icon
from segstudio.ui.panels.tool_control import LEVELS, TIGHTEST, Control, set_width
from segstudio.ui.panels.tool_controls import CONTROLS
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT
from segstudio.ui.tools.registry import TOOLS

HEIGHT = 44

CLASS_WIDTHS = (168, 168, 120, 84)
"""Of the list of classes, by how tight the bar is."""


class ToolOptionsBar(QFrame):
    """Shows the controls that the tool in the hand names, in its order.

    They take the widest form that there is room for; from 420 px on nothing is cut or covered. The
    bar itself is never a reason for a wide window.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "top")
        self.setFixedHeight(HEIGHT)
        box = self._box = QHBoxLayout(self)
        box.setContentsMargins(UNIT, 0, UNIT, 0)
        box.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._fitted: tuple[object, ...] = ()
        self._class = Picker("The class that is painted (1 to 9)", self._pick_class)
        self._class.setIconSize(QSize(14, 14))
        self._words = ""
        self._hint = label(tone="muted", look="small")
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        box.addWidget(self._class)
        self._controls = {name: make(self._change) for name, make in CONTROLS.items()}
        for control in self._controls.values():
            box.addWidget(control)
        box.addWidget(self._hint, 1)
        box.addStretch(0)
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
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fitted = ()  # before it was shown its parts had no sizes
        self._fit()

    def _fit(self) -> None:
        """The widest form that fits; looked for only when another may, as sliders are in hands."""
        options = self._session.editor.options
        now = (self.width(), options.tool, options.rule, len(self._offered()))
        if now != self._fitted:
            self._fitted = now
            for level in range(LEVELS):
                self._show_level(level)
                if self._needed() <= self.width():
                    break
            self._lay_out()
        self._show_hint()

    def _lay_out(self) -> None:
        """At once: a moment later, parts would have been seen over each other."""
        for control in self._offered():
            inner = control.layout()
            if inner is not None:
                inner.activate()
        self._box.activate()

    def _offered(self) -> list[Control]:
        return [control for control in self._controls.values() if not control.isHidden()]

    def _show_level(self, level: int) -> None:
        self._box.setSpacing(2 * UNIT if level < 2 else UNIT)
        set_width(self._class, CLASS_WIDTHS[level], is_tight=level >= 2)
        self._hint.setVisible(level < TIGHTEST)
        self._box.setStretch(self._box.count() - 1, int(level == TIGHTEST))
        for control in self._offered():
            control.set_level(level)
            control.show_options(self._session, self._session.editor.options)

    def _needed(self) -> int:
        """Pixels across below which something of what is shown would be cut."""
        shown = [part for part in (self._class, *self._offered()) if not part.isHidden()]
        margins = self._box.contentsMargins()
        gaps = len(shown) - self._hint.isHidden()
        widths = sum(part.sizeHint().width() for part in shown if part is not self._class)
        if not self._class.isHidden():
            widths += self._class.maximumWidth()
        return widths + gaps * self._box.spacing() + margins.left() + margins.right()

    def _show_hint(self) -> None:
        """What does not fit is not begun: half a hint is none. The tip has it all."""
        parts, room = self._words.split(" · "), self._hint.width() - 2
        metrics = self._hint.fontMetrics()
        while parts and metrics.horizontalAdvance(" · ".join(parts)) > room:
            parts.pop()
        self._hint.setText(" · ".join(parts))

    def _show_classes(self, classes: ClassMap, active: int) -> None:
        self._class.fill([(c.id, c.name) for c in classes.classes], active)
        for number, one in enumerate(classes.classes):
            self._class.setItemIcon(number, swatch_icon(one.color))


def _has_pen() -> bool:
    """True when a pen is connected; without one its pressure is no choice."""
    return any(d.type() == QInputDevice.DeviceType.Stylus for d in QInputDevice.devices())
