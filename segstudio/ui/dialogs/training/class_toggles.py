"""The classes of a chart: which are drawn, in which colour, and their newest figures."""

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.panels.swatches import swatch_icon
from segstudio.ui.theme import UNIT, tabular

MEAN = ""
"""The name of the mean among the classes."""

FEW = 12
"""Up to so many classes are all drawn at first; of more only the mean is."""

Color = tuple[int, int, int]


class ClassToggles(QWidget):
    """Signals:
    changed(): other classes are to be drawn.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._boxes: dict[str, QCheckBox] = {}
        self._figures: dict[str, QLabel] = {}
        self._colors: dict[str, Color] = {}
        self._inner = QWidget()
        self._inner.setProperty("look", "panel")
        self._grid = QGridLayout(self._inner)
        self._grid.setContentsMargins(0, 0, UNIT, 0)
        self._grid.setVerticalSpacing(0)
        self._grid.setHorizontalSpacing(UNIT)
        self._grid.setColumnStretch(0, 1)
        scroll = QScrollArea()
        scroll.setWidget(self._inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        every = button("All", "link", partial(self._set_all, on=True))
        none = button("None", "link", partial(self._set_all, on=False))
        every.setAccessibleName("Draw all classes")
        none.setAccessibleName("Draw no class, only the mean")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(UNIT // 2)
        box.addLayout(row(every, none, 1, spacing=UNIT + 4))
        box.addWidget(scroll, 1)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of what is drawn, the mean is MEAN."""
        return tuple(name for name, box in self._boxes.items() if box.isChecked())

    def show_classes(self, colors: Mapping[str, Color], mean: Color) -> None:
        """Another list of classes; what is on stays on where the list is the same."""
        wanted = {MEAN: mean, **colors}
        if list(self._boxes) == list(wanted):
            if wanted != self._colors:  # another theme
                for name, color in wanted.items():
                    self._boxes[name].setIcon(swatch_icon(color, 12, 3, 0.5))
            self._colors = wanted
            return
        self._colors = wanted
        for widget in (*self._boxes.values(), *self._figures.values()):
            widget.deleteLater()
        self._boxes, self._figures = {}, {}
        for number, (name, color) in enumerate(wanted.items()):
            box = QCheckBox(name or "Mean")
            box.setIcon(swatch_icon(color, 12, 3, 0.5))
            box.setChecked(name == MEAN or len(colors) <= FEW)
            box.toggled.connect(self._tell)
            figure = label("–", look="small", tone="muted")
            figure.setFont(tabular(figure.font()))
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(box, number, 0)
            self._grid.addWidget(figure, number, 1)
            self._boxes[name], self._figures[name] = box, figure
        self._grid.setRowStretch(len(self._boxes), 1)
        self.changed.emit()

    def show_figures(self, values: Mapping[str, float]) -> None:
        """The newest of each, 0..1."""
        for name, figure in self._figures.items():
            value = values.get(name, float("nan"))
            text = "–" if value != value else f"{100 * value:.1f}"
            figure.setText(text)
            self._boxes[name].setAccessibleDescription(f"IoU {text} percent")

    def set_wanted(self, names: Sequence[str]) -> None:
        """Draw these and no others."""
        for name, box in self._boxes.items():
            box.setChecked(name in names)

    def _set_all(self, *, on: bool) -> None:
        self.set_wanted(list(self._boxes) if on else [MEAN])

    def _tell(self, _is_on: object = None) -> None:
        self.changed.emit()
