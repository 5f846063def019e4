"""What is known of one layer: shape, stride, field, weights, time and memory."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from segstudio.core.layers import LayerFacts, LayerTree
from segstudio.ui import theme
from segstudio.ui.panels.inside.choices import sentence
from segstudio.ui.panels.inside.layer_words import (
    cost_shares,
    field_text,
    figures,
    is_map,
    why_not,
)
from segstudio.ui.panels.parts import Elided, Picker, button, label, row
from segstudio.ui.theme import UNIT, tabular
from segstudio.ui.words import share_text

_WHERE = {
    "Shape": (0, 0, 1, 1),
    "Stride": (0, 1, 1, 1),
    "Sees": (1, 0, 1, 1),
    "Weights": (1, 1, 1, 1),
    "Time": (2, 0, 1, 2),
    "Memory": (3, 0, 1, 2),
}
"""Row, column, rows and columns taken, in the block of figures."""

FieldKey = tuple[str, tuple[int, int], str, int]
"""Model, (h, w) of its input, name of the layer, and which of its runs."""


class ShareBar(QWidget):
    """A thin bar: how much of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(3)

    def sizeHint(self) -> QSize:
        return QSize(40, 3)

    def show_share(self, share: float) -> None:
        """share: 0..1."""
        self._share = share
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        groove = QRectF(self.rect())
        painter.setBrush(QColor(colors.track))
        painter.drawRoundedRect(groove, 1.5, 1.5)
        if self._share > 0:
            groove.setWidth(max(3.0, groove.width() * self._share))
            painter.setBrush(QColor(colors.accent))
            painter.drawRoundedRect(groove, 1.5, 1.5)
        painter.end()


class Figure(QWidget):
    """A name and its value; for a cost also how much of the whole it is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        title = label(name, look="small", tone="muted")
        title.setFixedWidth(52)
        self.value, self._percent = (label(look="small") for _ in range(2))
        for one in (self.value, self._percent):
            one.setFont(tabular(one.font()))
        self._percent.setFixedWidth(36)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = ShareBar()
        line = row(title, self.value, self._bar, self._percent, spacing=UNIT // 2)
        line.setStretch(1, 1)
        self.setLayout(line)
        self._line = line

    def show_value(self, text: str, share: float | None, tip: str) -> None:
        """share: 0..1, None for what is no part of a whole."""
        self.value.setText(text)
        self.setToolTip(tip)
        is_part = share is not None
        self._line.setStretch(1, 0 if is_part else 1)
        self._line.setStretch(2, 1 if is_part else 0)
        self.value.setMinimumWidth(64 if is_part else 0)
        for one in (self._bar, self._percent):
            one.setVisible(is_part)
        if share is not None:
            self._bar.show_share(share)
            self._percent.setText(share_text(share))


class LayerDetails(QFrame):
    """One layer. `run_picked` is told another of its runs, `field_wanted` what to measure; `also`
    stands beside what measures.
    """

    def __init__(
        self,
        run_picked: Callable[[int], None],
        field_wanted: Callable[[FieldKey], None],
        also: QWidget,
    ) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._layer: LayerFacts | None = None
        self._key: FieldKey | None = None
        self._asked: set[FieldKey] = set()
        self._fields: dict[FieldKey, tuple[int, int] | str] = {}
        self._title, self._name = Elided(look="title"), Elided(look="small", tone="muted")
        self._run = Picker("Which of its runs", lambda v: run_picked(int(str(v))))
        self._run.setProperty("look", "tight")
        self._run.setFixedWidth(104)
        self._figures = {name: Figure(name) for name in _WHERE}
        self._measured = sentence()
        self._measured.setFont(tabular(self._measured.font()))
        self._field = button("Measure what it sees", "link", self._ask_field)
        self._field.setToolTip(
            "Which pixels of the input really matter to the layer's middle cell, by its gradient"
        )
        self._field_wanted = field_wanted
        self._why = sentence(tone="warn")
        self._note = sentence()
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT + 4, UNIT, UNIT + 4, UNIT)
        column.setSpacing(UNIT // 2)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._name)
        head = row(self._run)
        head.insertLayout(0, words, 1)
        column.addLayout(head)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(UNIT)
        self._grid.setVerticalSpacing(3)
        for name, figure in self._figures.items():
            self._grid.addWidget(figure, *_WHERE[name])
        self._grid.setColumnStretch(0, 3)
        self._grid.setColumnStretch(1, 2)
        column.addLayout(self._grid)
        for part in (self._measured, self._why, self._note):
            column.addWidget(part)
        column.addLayout(row(self._field, 1, also))

    def show_layer(self, tree: LayerTree, layer: LayerFacts, call: int, still: str = "") -> None:
        """Another layer, or the same with costs. still: what the picture shows instead of it."""
        self._layer, self._key = layer, (tree.model, tree.input_size, layer.name, call)
        self._title.show_text(layer.title or layer.name)
        kind = f" · {layer.kind}" if layer.kind else ""
        self._name.show_text(f"{layer.name}{kind}" if layer.title else layer.kind)
        self._name.setVisible(bool(layer.title or layer.kind))
        runs = len(layer.calls)
        self._run.setVisible(runs > 1)
        self._run.fill([(n, f"Run {n + 1} of {runs}") for n in range(runs)], call % max(1, runs))
        self._run.setToolTip(
            "The layer runs several times in one prediction: which answer is shown"
        )
        known = {name: (value, tip) for name, value, tip in figures(tree, layer, call)}
        shares = dict(zip(("Time", "Memory"), cost_shares(tree, layer.name) or (), strict=False))
        for name, figure in self._figures.items():
            figure.setVisible(name in known)
            if name in known:
                value, tip = known[name]
                figure.show_value(value, shares.get(name), tip)
                figure.setAccessibleName(f"{name}: {value}")
        note = layer.note[:1].upper() + layer.note[1:]
        self._grid.addWidget(self._figures["Weights"], 1, 1 if runs else 0)
        why = why_not(layer, tree)
        if why and still:
            why += f" The picture still shows “{still}”."
        for part, text in ((self._why, why), (self._note, note)):
            part.setText(text)
            part.setVisible(bool(text))
        self._show_field()

    def take_field(self, key: FieldKey, field: tuple[int, int] | str) -> None:
        """What was measured, (h, w) in input pixels, or why it cannot be."""
        self._fields[key] = field
        self._show_field()

    def _show_field(self) -> None:
        layer, key = self._layer, self._key
        if layer is None or key is None:
            return
        self._field.setEnabled(key not in self._asked)
        self._field.setVisible(key not in self._fields and is_map(layer))
        self._measured.setVisible(key in self._fields)
        if key not in self._fields:
            return
        found, (_, size, _, _) = self._fields[key], key
        if isinstance(found, str):
            self._measured.setText(found)
            return
        share = share_text(found[0] * found[1] / max(1, size[0] * size[1]))
        sides = field_text(found)
        self._measured.setText(f"Measured: its middle cell sees {sides}, {share} of the input.")

    def _ask_field(self) -> None:
        if self._key is not None:
            self._asked.add(self._key)
            self._field.setEnabled(False)
            self._field_wanted(self._key)
