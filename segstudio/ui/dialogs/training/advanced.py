"""What of a recipe can be set by hand; folded away, because the preset knows it."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QSpinBox

from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainRecipe
from segstudio.ui.panels.parts import label, pad, row
from segstudio.ui.panels.swatches import Swatches
from segstudio.ui.theme import UNIT


class Advanced(QFrame):
    """Signals:
    changed(str, object): a field of the recipe was set by hand.
    """

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._steps = _spin("Steps", 1, 1_000_000)
        self._rate = QLineEdit()
        self._rate.setAccessibleName("Learning rate")
        self._rate.setMaximumWidth(96)
        check = QDoubleValidator(1e-9, 10.0, 9, self._rate)
        check.setLocale(QLocale.c())
        self._rate.setValidator(check)
        self._sides = _spin("Height of the crop", 32, 4096), _spin("Width of the crop", 32, 4096)
        self._swatches = Swatches()
        self._steps.editingFinished.connect(lambda: self._tell("steps", self._steps.value()))
        self._rate.editingFinished.connect(self._tell_rate)
        for side in self._sides:
            side.editingFinished.connect(self._tell_crop)
        self._shown: dict[str, Any] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(2 * UNIT, UNIT + 4, 2 * UNIT, UNIT + 4)
        grid.setHorizontalSpacing(2 * UNIT)
        grid.setVerticalSpacing(UNIT)
        crop = row(self._sides[1], label("×", tone="muted"), self._sides[0], 1)
        for number, (name, part) in enumerate((
            ("Steps", row(self._steps, label("Learning rate", tone="muted"), self._rate, 1,
                          spacing=2 * UNIT)),
            ("Crop", crop),
        )):  # fmt: skip
            grid.addWidget(label(name, tone="muted"), number, 0)
            grid.addLayout(part, number, 1)
        classes = label("Classes", tone="muted")
        classes.setAlignment(Qt.AlignmentFlag.AlignTop)
        grid.addWidget(classes, 2, 0)
        grid.addWidget(self._swatches, 2, 1)
        grid.setColumnStretch(1, 1)

    def show_recipe(
        self, recipe: TrainRecipe, changes: Mapping[str, Any], classes: ClassMap, multiple_of: int
    ) -> None:
        """What the preset says, and over it what was set by hand."""
        values = {"steps": recipe.steps, "learning_rate": recipe.learning_rate,
                  "crop": recipe.crop, **changes}  # fmt: skip
        self._shown = values
        self._steps.setValue(values["steps"])
        self._rate.setText(f"{values['learning_rate']:g}")
        for side, value in zip(self._sides, values["crop"], strict=True):
            side.setSingleStep(multiple_of)
            side.setValue(value)
        self._swatches.show_classes(classes)

    def _tell_rate(self) -> None:
        value, is_number = QLocale.c().toDouble(self._rate.text())
        if is_number:
            self._tell("learning_rate", value)

    def _tell_crop(self) -> None:
        self._tell("crop", (self._sides[0].value(), self._sides[1].value()))

    def _tell(self, name: str, value: object) -> None:
        if self._shown.get(name) != value:
            self.changed.emit(name, value)


def _spin(name: str, low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setGroupSeparatorShown(True)
    box.setAccessibleName(name)
    box.setMinimumWidth(88)
    box.setMaximumWidth(104)
    pad(box)
    return box
