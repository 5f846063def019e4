"""The settings, made from the schema. Every change applies at once: there is nothing to confirm."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.settings import SETTINGS, Setting
from segstudio.store.settings import settings_file
from segstudio.ui.panels.parts import Picker, button, label, pad, row, rule
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

FIELD_WIDTH = 200


class SettingsDialog(QDialog):
    """One line per setting of the schema, grouped as there."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self._session = session
        self._show: dict[str, object] = {}
        self.setWindowTitle("Settings")
        self.setMinimumWidth(640)
        box = QVBoxLayout(self)
        box.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        box.setSpacing(UNIT)
        group = ""
        for entry in SETTINGS:
            if entry.kind == "hidden":
                continue
            if entry.group != group:
                if group:
                    box.addSpacing(UNIT)
                    box.addWidget(rule())
                group = entry.group
                box.addSpacing(UNIT // 2)
                box.addWidget(label(group, look="section"))
            box.addLayout(self._line(entry))
        box.addSpacing(2 * UNIT)
        where = label(f"Kept in {settings_file()}", look="small", tone="faint")
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        where.setWordWrap(True)
        last = row(where, button("Close", "", self.close))
        last.setStretch(0, 1)
        box.addLayout(last)
        session.settings_changed.connect(self.show_settings)
        self.show_settings()

    def _line(self, entry: Setting) -> QHBoxLayout:
        field = self._field(entry)
        field.setAccessibleName(entry.title)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(label(entry.title))
        if entry.note:
            text.addWidget(label(entry.note, look="small", tone="muted"))
        line = QHBoxLayout()
        line.setSpacing(2 * UNIT)
        line.addLayout(text, 1)
        line.addWidget(field, 0, Qt.AlignmentFlag.AlignVCenter)
        return line

    def _field(self, entry: Setting) -> QWidget:
        """The right widget for a kind, and in `_show` how to bring it up to date."""
        if entry.kind == "choice":
            return self._choice(entry)
        if entry.kind == "switch":
            switch = QCheckBox()
            switch.setFixedWidth(18)
            switch.toggled.connect(lambda on: self._set(entry.key, on))
            self._show[entry.key] = switch.setChecked
            return switch
        if entry.kind == "percent":
            return self._percent(entry)
        number = QSpinBox()
        number.setRange(int(entry.low), int(entry.high))
        number.setSuffix(f" {entry.unit}")
        number.setKeyboardTracking(False)
        number.setFixedWidth(FIELD_WIDTH)
        number.setAlignment(Qt.AlignmentFlag.AlignRight)
        pad(number)
        number.valueChanged.connect(lambda value: self._set(entry.key, value))
        self._show[entry.key] = number.setValue
        return number

    def _choice(self, entry: Setting) -> QWidget:
        picker = Picker(entry.title, lambda value: self._set(entry.key, value))
        picker.setFixedWidth(FIELD_WIDTH)
        self._show[entry.key] = lambda value: picker.fill(entry.choices, value)
        return picker

    def _percent(self, entry: Setting) -> QWidget:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(round(100 * entry.low), round(100 * entry.high))
        figure = label(tone="muted")
        figure.setFont(tabular(figure.font()))
        figure.setFixedWidth(44)
        figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        slider.valueChanged.connect(lambda value: self._set(entry.key, value / 100))

        def follow(value: float) -> None:
            slider.setValue(round(100 * value))
            figure.setText(f"{round(100 * value)} %")

        self._show[entry.key] = follow
        both = QWidget()
        both.setLayout(row(slider, figure))
        both.setFixedWidth(FIELD_WIDTH)
        return both

    def _set(self, key: str, value: object) -> None:
        if getattr(self._session.settings, key) != value:
            self._session.set_setting(key, value)

    @Slot()
    def show_settings(self) -> None:
        """Follow the session."""
        for key, follow in self._show.items():
            follow(getattr(self._session.settings, key))  # type: ignore[operator]  # a setter
