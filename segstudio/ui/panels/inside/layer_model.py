"""The layers of a model as a tree: by their dotted names, all of them or some."""

from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from segstudio.core.layers import LayerFacts, LayerTree
from segstudio.ui.panels.inside.layer_words import (
    call_of,
    cost_shares,
    is_map,
    own_title,
    shape_text,
    why_not,
)
from segstudio.ui.words import share_text

LAYER, SHAPE = 0, 1
"""Columns."""

LINE = Qt.ItemDataRole.UserRole
"""Role of a Line."""

Index = QModelIndex | QPersistentModelIndex


@dataclass(slots=True)
class Line:
    """One layer in the tree.

    number: its place in the list of all lines. title: what stands in front, without what the line
    above says. small: beside it, muted. children: of all layers. shown: numbers of the children
    that are listed now. above: number of the parent, -1 at the top. row: its place among those
    that its parent shows. share: of the time, 0..1, None before it was measured.
    """

    number: int
    layer: LayerFacts
    title: str
    small: str
    above: int
    children: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    row: int = 0
    is_dim: bool = False
    share: float | None = None

    @property
    def last(self) -> str:
        """The last part of the dotted name."""
        return self.layer.name.rpartition(".")[2]


class LayerModel(QAbstractItemModel):
    """What `show_tree` and `narrow` say; a reset each, for both change most of what is listed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []
        self._by_name: dict[str, int] = {}
        self._top: list[int] = []
        self._shown: list[int] = []
        self.tree: LayerTree | None = None
        self.matches: list[str] = []

    # --- what Qt asks

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        above = self._shown_below(parent)
        if 0 <= row < len(above) and 0 <= column <= SHAPE:
            return self.createIndex(row, column, above[row])
        return QModelIndex()

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]  # QObject's has no argument
        if not index.isValid():
            return QModelIndex()
        above = self._lines[index.internalId()].above
        return QModelIndex() if above < 0 else self.createIndex(self._lines[above].row, 0, above)

    def rowCount(self, parent: Index | None = None) -> int:
        if parent is not None and parent.isValid() and parent.column() > 0:
            return 0
        return len(self._shown_below(parent))

    def columnCount(self, parent: Index | None = None) -> int:
        return SHAPE + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self._lines[index.internalId()]
        if role == LINE:
            return line
        if role == Qt.ItemDataRole.DisplayRole:
            return line.title if index.column() == LAYER else shape_of(line.layer)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(line) if index.column() == LAYER else shape_of(line.layer)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("Layer", "Shape")[section]
        return None

    # --- what the panel asks

    @property
    def has_taps(self) -> bool:
        """The model declares layers that are worth looking at."""
        return any(line.layer.is_tap for line in self._lines)

    @property
    def is_empty(self) -> bool:
        """Nothing is listed."""
        return not self._shown

    def show_tree(self, tree: LayerTree | None) -> None:
        """Another model, or the same one with costs. Nothing is listed until `narrow`."""
        if tree is not None and self.tree is not None and tree.layers == self.tree.layers:
            self.tree = tree
            self._share()  # the view paints itself anew
            return
        self.beginResetModel()
        self.tree = tree
        self._lines, self._top, self._shown = [], [], []
        self._by_name = {}
        for layer in tree.layers if tree is not None else ():
            if layer.name:  # the net itself has no line: it is what the panel is about
                self._line_of(layer)
        self._share()
        self.endResetModel()

    def narrow(self, text: str, *, taps_only: bool, keep: str = "") -> None:
        """List what all words of `text` say, and what it lies in; or the taps alone.

        keep: a layer that stays whatever else does not.
        """
        words = text.lower().split()
        found = [
            line.number for line in self._lines if self._fits(line, words, taps_only=taps_only)
        ]
        self.matches = [self._lines[number].layer.name for number in found]
        wanted: set[int] = set()
        for number in found:
            wanted.update(self._up(number))
            if words:
                wanted.update(self._down(number))
        if not words and keep in self._by_name:
            wanted.update(self._up(self._by_name[keep]))
        self.beginResetModel()
        self._shown = self._rows(self._top, wanted)
        for line in self._lines:
            line.shown = self._rows(line.children, wanted)
        self.endResetModel()

    def layer_at(self, index: Index) -> LayerFacts | None:
        """The layer of a line."""
        return self._lines[index.internalId()].layer if index.isValid() else None

    def index_of(self, name: str) -> QModelIndex:
        """Its line; not valid when it is not listed."""
        number = self._by_name.get(name, -1)
        if number < 0:
            return QModelIndex()
        line = self._lines[number]
        shown = self._shown if line.above < 0 else self._lines[line.above].shown
        if line.row < len(shown) and shown[line.row] == number:
            return self.createIndex(line.row, 0, number)
        return QModelIndex()

    def title_of(self, name: str) -> str:
        """The whole title, or the name where it must do."""
        number = self._by_name.get(name, -1)
        layer = self._lines[number].layer if number >= 0 else None
        return (layer.title or layer.name) if layer is not None else name

    # --- inside

    def _line_of(self, layer: LayerFacts) -> int:
        """Adds the layer, and lines for names that only group."""
        above_name, _, last = layer.name.rpartition(".")
        above = -1
        if above_name:
            above = self._by_name.get(above_name, -1)
            if above < 0:
                depth = above_name.count(".")
                above = self._line_of(LayerFacts(above_name, "", "", depth, 0))
        if layer.name in self._by_name:
            number = self._by_name[layer.name]
            self._lines[number].layer = layer
            return number
        title = own_title(layer.title, self._lines[above].layer.title if above >= 0 else "")
        small = last if title else layer.kind
        number = len(self._lines)
        self._lines.append(Line(number, layer, title or last, small, above))
        self._lines[number].is_dim = not is_map(layer)
        self._by_name[layer.name] = number
        (self._top if above < 0 else self._lines[above].children).append(number)
        return number

    def _share(self) -> None:
        for line in self._lines:
            shares = cost_shares(self.tree, line.layer.name) if self.tree is not None else None
            line.share = None if shares is None else shares[0]

    def _fits(self, line: Line, words: list[str], *, taps_only: bool) -> bool:
        """All words somewhere, and one of them in what is the line's own."""
        if not words:
            return line.layer.is_tap or not taps_only
        own = f"{line.title} {line.last} {line.layer.kind}".lower()
        name = line.layer.name.lower()
        whole = f"{own} {name} {line.layer.title.lower()}"
        if not all(word in whole for word in words):
            return False
        own_from = len(name) - len(line.last)
        return any(word in own or name.rfind(word) + len(word) > own_from for word in words)

    def _up(self, number: int) -> list[int]:
        path = []
        while number >= 0:
            path.append(number)
            number = self._lines[number].above
        return path

    def _down(self, number: int) -> list[int]:
        found, waiting = [], [number]
        while waiting:
            found.append(waiting.pop())
            waiting += self._lines[found[-1]].children
        return found

    def _rows(self, numbers: list[int], wanted: set[int]) -> list[int]:
        shown = [number for number in numbers if number in wanted]
        for row, number in enumerate(shown):
            self._lines[number].row = row
        return shown

    def _tip(self, line: Line) -> str:
        layer = line.layer
        head = f"{layer.title or line.title}\n{layer.name}"
        times = f"Runs {len(layer.calls)} times in one prediction." if len(layer.calls) > 1 else ""
        share = f"{share_text(line.share)} of the time" if line.share is not None else ""
        note = layer.note[:1].upper() + layer.note[1:]
        why = why_not(layer, self.tree) if self.tree is not None else ""
        kind = f" · {layer.kind}" if layer.kind else ""
        return "\n".join(part for part in (head + kind, times, share, note, why) if part)

    def _shown_below(self, parent: Index | None) -> list[int]:
        if parent is None or not parent.isValid():
            return self._shown
        return self._lines[parent.internalId()].shown


def shape_of(layer: LayerFacts) -> str:
    """Of its last run, "" when it never runs."""
    run = call_of(layer, -1)
    return "" if run is None else shape_text(run.shape)


def spoken(line: Line) -> str:
    """For people who listen."""
    layer = line.layer
    parts = [layer.title or line.title, layer.name, layer.kind]
    if layer.is_tap:
        parts.append("a stage")
    if line.is_dim:
        parts.append("not a map")
    return ", ".join(part for part in parts if part)
