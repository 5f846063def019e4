"""The left side of the model dialog: installed models, then networks by family."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from segstudio.core.catalogue import ModelCard, NetFacts
from segstudio.ui import theme, words

HEAD, SUBHEAD, TWO_LINES, ONE_LINE = 34, 26, 46, 30
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list. kind: "head", "subhead", "note", "model" or "net".

    name: of the model or net. note: the second line, or the small text on the right of a net.
    is_used: the model is the one in the window.
    """

    kind: str
    title: str
    name: str = ""
    note: str = ""
    is_used: bool = False

    @property
    def can_be_chosen(self) -> bool:
        """Heads and notes are not things."""
        return self.kind in ("model", "net")


def entries(
    cards: Sequence[ModelCard],
    nets: Sequence[NetFacts],
    *,
    used: str = "",
    search: str = "",
    waiting: str = "",
) -> list[Entry]:
    """What the list shows. search: words that must all occur. waiting: said in place of nets."""
    wanted = search.lower().split()
    titles = {n.name: n.title for n in nets}

    def fits(*texts: str) -> bool:
        whole = " ".join(texts).lower()
        return all(word in whole for word in wanted)

    found: list[Entry] = []
    for title, group in (
        ("Models that come with SegStudio", [c for c in cards if c.bundled]),
        ("Your models", [c for c in cards if not c.bundled]),
    ):
        shown = [
            Entry("model", c.title, c.name, _card_note(c), c.name == used)
            for c in group
            if fits(c.title, c.name, c.net, titles.get(c.net, ""), c.classes.name)
        ]
        if shown:
            found += [Entry("head", title), *shown]
    if not cards and not wanted:
        found += [Entry("head", "Models"), Entry("note", "None yet: import weights or train one.")]
    shown_nets = _net_entries([n for n in nets if fits(n.title, n.name, n.family)], cards)
    if shown_nets:
        found += [Entry("head", "Networks"), *shown_nets]
    elif waiting and not nets:
        found += [Entry("head", "Networks"), Entry("note", waiting)]
    return found


def _card_note(card: ModelCard) -> str:
    score = f"mIoU {100 * card.scores[0].miou:.1f} % · " if card.scores else ""
    return score + words.counted(len(card.classes), "class", "classes")


def _net_entries(nets: Sequence[NetFacts], cards: Iterable[ModelCard]) -> list[Entry]:
    """Families of several nets first, then those that stand alone."""
    have = Counter(c.net for c in cards)
    sizes = Counter(n.family for n in nets)

    def entry(net: NetFacts) -> Entry:
        count = have[net.name]
        return Entry("net", net.title, net.name, words.counted(count, "model") if count else "")

    result: list[Entry] = []
    families = sorted({f for f, size in sizes.items() if size > 1}, key=str.lower)
    for family in families:
        result.append(Entry("subhead", family))
        result += [entry(n) for n in sorted(nets, key=_order) if n.family == family]
    single = sorted((n for n in nets if sizes[n.family] == 1), key=_order)
    if single and families:
        result.append(Entry("subhead", "Others"))
    return result + [entry(n) for n in single]


def _order(net: NetFacts) -> list[tuple[int, str]]:
    """By title, with numbers by their size: FCN-8s, FCN-16s, FCN-32s."""
    parts = re.findall(r"\d+|\D+", net.title.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


class EntryModel(QAbstractListModel):
    """The lines."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.ToolTipRole and entry.can_be_chosen:
            return f"{entry.title}\n{entry.name}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            used = "in use" if entry.is_used else ""
            return ", ".join(t for t in (entry.title, entry.note, used) if t)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.entries[index.row()].can_be_chosen:
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags

    def show_entries(self, entries: list[Entry]) -> None:
        """Replace the lines."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()


class EntryDelegate(QStyledItemDelegate):
    """Paints heads, models of two lines, and nets of one."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        heights = {"head": HEAD, "subhead": SUBHEAD, "note": ONE_LINE, "model": TWO_LINES}
        return QSize(120, heights.get(entry.kind, ONE_LINE))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        colors = theme.current()
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if entry.can_be_chosen:
            self._paint_ground(painter, area, option)
        inside = area.adjusted(10, 0, -10, 0)
        if entry.kind == "head":
            _text(painter, inside.adjusted(0, 8, 0, 0), entry.title, colors.muted, 12, bold=True)
        elif entry.kind == "subhead":
            _text(painter, inside.adjusted(0, 4, 0, 0), entry.title, colors.faint, 12)
        elif entry.kind == "note":
            _text(painter, inside, entry.title, colors.faint, 13)
        elif entry.kind == "net":
            used = _text(painter, inside, entry.note, colors.muted, 12, right=True)
            _text(painter, inside.adjusted(0, 0, -used - 8, 0), entry.title, colors.text, 13)
        else:
            self._paint_model(painter, inside, entry)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRectF, option: QStyleOptionViewItem) -> None:
        colors, state = theme.current(), option.state
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        if not is_chosen and not state & QStyle.StateFlag.State_MouseOver:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent_soft if is_chosen else colors.hover))
        painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)

    def _paint_model(self, painter: QPainter, inside: QRectF, entry: Entry) -> None:
        colors = theme.current()
        upper = QRectF(inside.left(), inside.top() + 5, inside.width(), 18)
        lower = QRectF(inside.left(), inside.top() + 23, inside.width(), 17)
        used = _text(painter, lower, "in use", colors.good, 12, right=True) if entry.is_used else 0
        _text(painter, upper, entry.title, colors.text, 13)
        _text(painter, lower.adjusted(0, 0, -used - 8, 0), entry.note, colors.muted, 12)


def _text(
    painter: QPainter,
    area: QRectF,
    text: str,
    color: str,
    size: int,
    *,
    bold: bool = False,
    right: bool = False,
) -> float:
    """Draw one line, elided; returns its width."""
    font = QFont(painter.font())
    font.setPixelSize(size)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    painter.setFont(font)
    painter.setPen(QColor(color))
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
    return float(metrics.horizontalAdvance(shown))


class ModelList(QListView):
    """Signals:
    chosen(str, str): kind ("model" or "net") and name of the line that is selected now.
    taken(str, str): the same for a double click or Enter.
    """

    chosen = Signal(str, str)
    taken = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._model = EntryModel()
        self.setModel(self._model)
        self.setItemDelegate(EntryDelegate(self))
        self.setMouseTracking(True)
        self.setAccessibleName("Models and networks")
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.selectionModel().currentChanged.connect(self._tell)
        self.activated.connect(self._take)

    @property
    def entries(self) -> list[Entry]:
        """The lines on show."""
        return self._model.entries

    @property
    def current(self) -> tuple[str, str]:
        """Kind and name of the selected line; ("", "") when there is none."""
        index = self.currentIndex()
        if not index.isValid():
            return "", ""
        entry = self._model.entries[index.row()]
        return entry.kind, entry.name

    def show_entries(self, entries: list[Entry]) -> None:
        """Replace the lines; what was selected stays selected when it is still there."""
        if entries == self._model.entries:
            return
        before, place = self.current, self.verticalScrollBar().value()
        blocked = self.selectionModel().blockSignals(True)
        self._model.show_entries(entries)
        self.select(*before)
        self.selectionModel().blockSignals(blocked)
        self.verticalScrollBar().setValue(place)
        if self.current != before:
            self._tell()

    def select(self, kind: str, name: str) -> bool:
        """Select that line; False when it is not on show."""
        for number, entry in enumerate(self._model.entries):
            if (entry.kind, entry.name) == (kind, name) and entry.can_be_chosen:
                self._go(number)
                return True
        return False

    def go(self, by: int) -> None:
        """Up or down to the next line that can be chosen."""
        index = self.currentIndex()
        line = index.row() + by if index.isValid() else 0
        while 0 <= line < len(self._model.entries):
            if self._model.entries[line].can_be_chosen:
                self._go(line)
                return
            line += by or 1

    def _go(self, line: int) -> None:
        index = self._model.index(line)
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(index, flag)
        self.scrollTo(index)

    def _tell(self, *_: object) -> None:
        self.chosen.emit(*self.current)

    def _take(self, *_: object) -> None:
        self.taken.emit(*self.current)
