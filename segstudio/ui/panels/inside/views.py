"""How a layer's answer is shown, and what each way can be told."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSpinBox, QVBoxLayout, QWidget

from segstudio.core.layers import CallFacts
from segstudio.core.look import LayerLook, Pixel
from segstudio.ui.panels.inside.choices import Block, sentence
from segstudio.ui.panels.parts import Picker, Slider, button, label, pad, row
from segstudio.ui.theme import UNIT, tabular

Change = Callable[..., None]
"""Called with fields of a look."""

VIEWS = (
    ("mean", "Mean", "The mean of all channels: where the layer answers."),
    ("max", "Max", "The strongest channel of each cell: where anything is found."),
    ("norm", "Norm", "The length of each cell's vector (L2): how much the cell says."),
    ("channel", "Channel", "One channel alone: what this one filter answers to."),
    ("grid", "Grid", "Many channels side by side, below the picture."),
    (
        "pca",
        "PCA",
        "The three main components as red, green and blue: what has one colour here is alike to"
        " the layer.",
    ),
    (
        "segments",
        "Groups",
        "Cells with alike vectors in one colour (k-means): what the layer holds apart, without"
        " knowing any class.",
    ),
    (
        "similar",
        "Similar",
        "How like each cell is to one that you point at (cosine): what is the same thing to the"
        " layer.",
    ),
)
SAID = {value: words for value, _, words in VIEWS}

ORDERS = (
    ("variance", "Most varied"),
    ("pixel", "At the cursor"),
    ("region", "In the selection"),
    ("number", "By number"),
)
COUNTS = (9, 16, 36, 64, 100, 256)
GROUPS = (2, 12)
NAME_WIDTH = 76


def number_box(name: str) -> QSpinBox:
    """A small field for a whole number."""
    box = QSpinBox()
    pad(box)
    box.setFixedWidth(64)
    box.setFont(tabular(box.font()))
    box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    box.setAccessibleName(name)
    box.lineEdit().returnPressed.connect(box.clearFocus)
    return box


def titled(name: str, *parts: QWidget, wide: Sequence[int] = (1,)) -> QWidget:
    """A line of the panel: what it is about, and its controls. wide: places that take the room."""
    line = QWidget()
    title = label(name, tone="muted")
    title.setFixedWidth(NAME_WIDTH)
    box = row(title, *parts)
    for place in wide:
        box.setStretch(place, 1)
    line.setLayout(box)
    return line


class NumberLine(QWidget):
    """A slider and a field for the same whole number."""

    def __init__(self, name: str, told: Callable[[int], None]) -> None:
        super().__init__()
        self._slider, self.box = Slider(name), number_box(name)
        self._end = label(tone="faint", look="small")
        self._end.setFont(tabular(self._end.font()))
        for one in (self._slider, self.box):
            one.valueChanged.connect(told)
        line = titled(name, self._slider, self.box, self._end)
        self.setLayout(row(line, spacing=0))

    def show_number(self, value: int, low: int, high: int, end: str = "") -> None:
        """Follow; `end` stands behind."""
        for one in (self._slider, self.box):
            one.blockSignals(True)
            one.setRange(low, high)
            one.setValue(value)
            one.blockSignals(False)
        self._end.setText(end)
        self._end.setVisible(bool(end))


class ViewControls(QWidget):
    """Tells `change` what of a LayerLook shall be otherwise.

    block: the buttons of the views, which stand where the page wants them; the rest is what the
    chosen view can be told.
    """

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change
        self._fit = 0
        self.block = Block(VIEWS, 4, lambda v: change(show=v), "What is shown of the layer")
        self._said = sentence()
        self._channel = NumberLine("Channel", lambda v: change(channel=v))
        self._order = Picker(
            "Which channels come first\nThose that vary most, or are strongest where you point.",
            lambda v: change(order=v),
        )
        self._count = Picker("How many channels at most", lambda v: change(count=v))
        self._count.setFixedWidth(72)
        self._grid = titled("First", self._order, self._count)
        self._groups = NumberLine("Groups", lambda v: change(segments=v))
        self._point = sentence()
        self._keep = QCheckBox("Keep it over the clip")
        self._keep.setToolTip(
            "Basis, groups and scale are found on one frame and kept, so that nothing flickers;"
            " otherwise every frame gets its own."
        )
        self._keep.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._keep.toggled.connect(lambda on: change(is_frozen=on))
        self._anew = button("Fit anew", "link", self._fit_anew)
        self._anew.setToolTip("Find basis, groups and scale again, on the frame that is shown")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        for part in (self._said, self._channel, self._grid, self._groups, self._point):
            column.addWidget(part)
        column.addLayout(row(self._keep, 1, self._anew))

    def show_look(
        self,
        look: LayerLook,
        run: CallFacts | None,
        pinned: Pixel | None,
        *,
        has_selection: bool,
    ) -> None:
        """Follow. run: of the layer, None while it is not known."""
        self.block.show_value(look.show)
        self._said.setText(SAID[look.show])
        channels = run.shape[0] if run is not None and run.is_map else look.channel + 1
        self._channel.setVisible(look.show == "channel")
        self._channel.show_number(look.channel, 0, channels - 1, f"of {channels}")
        self._grid.setVisible(look.show == "grid")
        self._order.fill(ORDERS, look.order)
        counts = sorted({*COUNTS, look.count})
        self._count.fill([(n, str(n)) for n in counts], look.count)
        self._groups.setVisible(look.show == "segments")
        self._groups.show_number(look.segments, *GROUPS)
        words = _pointed(look, pinned, has_selection=has_selection)
        self._point.setText(words)
        self._point.setVisible(bool(words))
        self._fit = look.fit
        self._keep.blockSignals(True)
        self._keep.setChecked(look.is_frozen)
        self._keep.blockSignals(False)
        self._anew.setVisible(look.is_frozen)

    def _fit_anew(self) -> None:
        self._change(fit=self._fit + 1)


def _pointed(look: LayerLook, pinned: Pixel | None, *, has_selection: bool) -> str:
    """Where one points, for views that depend on it."""
    if look.show == "grid" and look.order == "region":
        if not has_selection:
            return "Nothing is selected: select something in the picture (S)."
        return "Inside the selection in the picture."
    if look.show != "similar" and not (look.show == "grid" and look.order == "pixel"):
        return ""
    if pinned is not None:
        return f"At the pinned pixel: x {pinned[1]}, y {pinned[0]}."
    return "Follows the cursor; click with Look (H) to hold a pixel."
