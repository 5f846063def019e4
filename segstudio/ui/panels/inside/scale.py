"""Which numbers are the ends of the colour bar."""

import math
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from segstudio.core.feature_map import FeatureMap
from segstudio.core.look import Scale
from segstudio.ui.panels.inside.choices import sentence
from segstudio.ui.panels.inside.views import titled
from segstudio.ui.panels.parts import Segments, label, row
from segstudio.ui.theme import UNIT, tabular

SCALES = (
    ("robust", "Robust", "From the 1st to the 99th percentile: a few extremes do not spoil it"),
    ("full", "Full", "From the least to the greatest number"),
    ("fixed", "Fixed", "Between two numbers of yours, so that frames can be compared"),
)

ALIKE = "Two different numbers, please: one end is as the other."


class ScaleControls(QWidget):
    """Robust, full, or between two numbers that are written.

    A number counts when its field is left. While one goes on to the other field nothing is taken
    that is not in order yet, and what arrives meanwhile writes over nothing.
    """

    def __init__(self, changed: Callable[[Scale], None]) -> None:
        super().__init__()
        self._changed = changed
        self._scale = Scale()
        self._ends = (0.0, 1.0)
        self._factor = 1.0
        self._kinds = Segments(SCALES, self._choose)
        self._low, self._high = (self._field(name) for name in ("Lowest", "Highest"))
        self._unit = label("%", tone="muted")
        self._range = titled(
            "From", self._low, label("to", tone="muted"), self._high, self._unit, wide=(1, 3)
        )
        self._alike = sentence(ALIKE, "warn")
        self._alike.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addLayout(row(titled("Scale", self._kinds), spacing=0))
        column.addWidget(self._range)
        column.addWidget(self._alike)
        QWidget.setTabOrder(self._low, self._high)

    def show_scale(self, scale: Scale, found: FeatureMap | None, unit: str = "") -> None:
        """Follow. unit: "%" for numbers from 0 to 1 that are written as shares."""
        self._scale = scale
        self._factor = 100.0 if unit == "%" else 1.0
        self._unit.setVisible(unit == "%")
        if found is not None and found.kind == "values":
            self._ends = (found.low, found.high)
        self._kinds.show_value(scale.kind)
        is_fixed = scale.kind == "fixed"
        self._range.setVisible(is_fixed)
        if not is_fixed:
            self._alike.hide()
        is_written = self._low.hasFocus() or self._high.hasFocus()
        ends = (scale.low, scale.high) if is_fixed else self._ends
        for field, value in zip((self._low, self._high), ends, strict=True):
            field.setEnabled(is_fixed)
            if not field.hasFocus() and not (is_written and field.isModified()):
                field.setText(f"{value * self._factor:.4g}")

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(f"{name} number of the scale")
        field.setFont(tabular(field.font()))
        field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # Tab goes from one to the other
        field.setMinimumWidth(56)
        field.editingFinished.connect(self._take)
        field.returnPressed.connect(field.clearFocus)
        return field

    def _choose(self, kind: str) -> None:
        low, high = self._ends
        if kind == "fixed":
            self._changed(Scale("fixed", float(f"{low:.4g}"), float(f"{high:.4g}")))
        else:
            self._changed(Scale("robust" if kind == "robust" else "full"))
        self._kinds.show_value(self._scale.kind)

    def _take(self) -> None:
        """One field was left; in the other one the writing may go on."""
        if self._scale.kind != "fixed":
            return
        is_going_on = self._low.hasFocus() or self._high.hasFocus()
        low = self._number(self._low, self._scale.low)
        high = self._number(self._high, self._scale.high)
        if is_going_on and low >= high:
            return
        self._alike.setVisible(low == high)
        if low > high:
            low, high = high, low
        if low < high and (low, high) != (self._scale.low, self._scale.high):
            self._scale = Scale("fixed", low, high)
            self._changed(self._scale)
        self._put_back()

    def _put_back(self) -> None:
        """What was taken, as it is written here; what could not be read is as it was."""
        self.show_scale(self._scale, None, "%" if self._factor != 1.0 else "")

    def _number(self, field: QLineEdit, before: float) -> float:
        """What a field says; a comma, a real minus and a percent sign are read too."""
        text = field.text().strip().removesuffix("%").replace(",", ".").replace("−", "-")
        if text == f"{before * self._factor:.4g}":
            return before
        try:
            value = float(text) / self._factor
        except ValueError:
            return before
        return value if math.isfinite(value) else before
