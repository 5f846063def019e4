"""The layers of the model as a tree that is searched, walked with the arrows and chosen from."""

from collections.abc import Callable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QAction, QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.layers import LayerFacts, LayerTree
from segstudio.ui import icons, theme
from segstudio.ui.panels.inside.layer_model import LAYER, LINE, SHAPE, LayerModel, Line
from segstudio.ui.panels.parts import Segments, label, row
from segstudio.ui.theme import UNIT, tabular

ROW = 25
INDENT = 14
SHAPE_WIDTH = 92
LEAST = 14 * UNIT
FEW = 24
"""Lines that are all unfolded without being too many to look at."""

Index = QModelIndex | QPersistentModelIndex
_MIDDLE = Qt.AlignmentFlag.AlignVCenter

WHICH = (
    ("taps", "Stages", "The layers that the network's authors would show: where something is done"),
    ("all", "All layers", "Every module of the network"),
)


class LayerDelegate(QStyledItemDelegate):
    """Paints a line: dot of a stage, title, name, shape, and how much of the time it takes."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line: Line = index.data(LINE)
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.column() == LAYER:
            _paint_layer(painter, area, line, option.font)
        else:
            _paint_shape(painter, area, line, option.font, str(index.data() or ""))
        painter.restore()


def _paint_layer(painter: QPainter, area: QRectF, line: Line, font: QFont) -> None:
    colors = theme.current()
    left = area.left() + 14
    if line.layer.is_tap:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent))
        painter.drawEllipse(QPointF(left - 8, area.center().y()), 3, 3)
    painter.setFont(font)
    painter.setPen(QColor(colors.faint if line.is_dim else colors.text))
    room = area.right() - left - 4
    title = painter.fontMetrics().elidedText(line.title, Qt.TextElideMode.ElideRight, int(room))
    painter.drawText(QRectF(left, area.top(), room, ROW), _MIDDLE, title)
    used = painter.fontMetrics().horizontalAdvance(title) + UNIT
    if room - used < 24 or not line.small:
        return
    small = QFont(font)
    small.setPixelSize(12)
    painter.setFont(small)
    painter.setPen(QColor(colors.faint))
    rest = QRectF(left + used, area.top() + 0.5, room - used, ROW)
    text = painter.fontMetrics().elidedText(
        line.small, Qt.TextElideMode.ElideRight, int(rest.width())
    )
    painter.drawText(rest, _MIDDLE, text)


def _paint_shape(painter: QPainter, area: QRectF, line: Line, font: QFont, text: str) -> None:
    colors = theme.current()
    small = tabular(font)
    small.setPixelSize(12)
    painter.setFont(small)
    painter.setPen(QColor(colors.faint if line.is_dim else colors.muted))
    words = area.adjusted(0, 0, -UNIT, 0 if line.share is None else -4)
    painter.drawText(words, _MIDDLE | Qt.AlignmentFlag.AlignRight, text)
    if line.share is None:
        return
    groove = QRectF(area.right() - UNIT - 64, area.bottom() - 5, 64, 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.track))
    painter.drawRect(groove)
    painter.setBrush(QColor(colors.accent))
    painter.drawRect(QRectF(groove.topLeft(), groove.size()).adjusted(
        0, 0, -groove.width() * (1 - line.share), 0))  # fmt: skip


class LayerTreeView(QTreeView):
    """A click or the arrows go to another layer; `gone_to` is called with it.

    The space bar and letters are the window's; Page Up and Page Down go to the layers before and
    behind that have a map, as everywhere: `stepped` is called with -1 or 1.
    """

    def __init__(
        self,
        model: LayerModel,
        gone_to: Callable[[LayerFacts], None],
        stepped: Callable[[int], None],
        played: Callable[[], None],
    ) -> None:
        super().__init__()
        self._model = model
        self._gone_to = gone_to
        self._stepped, self._played = stepped, played
        self._is_told = True
        self.setModel(model)
        self.setItemDelegate(LayerDelegate(self))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(INDENT)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(True)
        self.setAccessibleName("Layers")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        head = self.header()
        head.setStretchLastSection(False)
        head.setMinimumSectionSize(24)
        head.setSectionResizeMode(LAYER, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(SHAPE, QHeaderView.ResizeMode.Fixed)
        head.resizeSection(SHAPE, SHAPE_WIDTH)

    def mark(self, name: str) -> None:
        """Make that layer the current one without telling anybody."""
        index = self._model.index_of(name)
        if index != self.currentIndex():
            self._is_told = False
            if index.isValid():
                self.setCurrentIndex(index)
            else:
                self.selectionModel().clear()
            self._is_told = True

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        layer = self._model.layer_at(current)
        same = current.row() == previous.row() and current.parent() == previous.parent()
        if layer is not None and self._is_told and not (same and previous.isValid()):
            self._gone_to(layer)

    def unfold(self, names: list[str]) -> None:
        """Show what lies above each of them."""
        for name in names:
            index = self._model.index_of(name).parent()
            while index.isValid() and not self.isExpanded(index):
                self.expand(index)
                index = index.parent()

    def keyboardSearch(self, search: str) -> None:
        """Letters are commands of the window; there is a field for searching."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        walks = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right,
                 Qt.Key.Key_Home, Qt.Key.Key_End)  # fmt: skip
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if event.key() == Qt.Key.Key_Space and plain:
            if not event.isAutoRepeat():
                self._played()
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) and plain:
            self._stepped(1 if event.key() == Qt.Key.Key_PageDown else -1)
        elif event.key() in walks:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Ground, then the line: one rounded ground behind all columns."""
        colors, area = theme.current(), QRectF(option.rect)
        here = self.currentIndex()
        is_here = here.isValid() and _same_line(here, index)
        under = self.indexAt(self.viewport().mapFromGlobal(self.cursor().pos()))
        is_hovered = self.underMouse() and under.isValid() and _same_line(under, index)
        if is_here or is_hovered:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(
                QColor(colors.accent) if is_here and self.hasFocus() else Qt.PenStyle.NoPen
            )
            painter.setBrush(QColor(colors.accent_soft if is_here else colors.hover))
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            painter.restore()
        super().drawRow(painter, option, index)

    def drawBranches(self, painter: QPainter, rect: QRect, index: Index) -> None:
        """A chevron where there is something to unfold; no lines."""
        if self._model.rowCount(index) == 0:
            return
        ratio = painter.device().devicePixelRatioF()
        name = "chevron-down" if self.isExpanded(index) else "chevron-right"
        picture = icons.pixmap(f"{theme.current().name}/{name}", theme.current().muted, 12, ratio)
        painter.drawPixmap(rect.right() - 12, rect.center().y() - 5, picture)


def _same_line(one: Index, other: Index) -> bool:
    return one.row() == other.row() and one.parent() == other.parent()


class LayerBrowser(QWidget):
    """Search, stages or all, and the tree."""

    def __init__(
        self,
        gone_to: Callable[[LayerFacts], None],
        stepped: Callable[[int], None],
        played: Callable[[], None],
    ) -> None:
        super().__init__()
        self.model = LayerModel(self)
        self.view = LayerTreeView(self.model, gone_to, stepped, played)
        self._which = "taps"
        self._chosen = ""
        self._search = QLineEdit()
        self._search.setPlaceholderText("Find a layer")
        self._search.setAccessibleName("Find a layer by title, name or kind")
        self._search.setClearButtonEnabled(True)
        self._glass = QAction(self._search)
        self._search.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._search.textChanged.connect(lambda _: self._narrow())
        self._search.returnPressed.connect(self.view.setFocus)
        self._segments = Segments(WHICH, self._choose_which)
        self._nothing = label("", tone="muted")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        line = row(self._search, self._segments)
        line.setStretch(0, 1)
        column.addLayout(line)
        column.addWidget(self.view, 1)
        column.addWidget(self._nothing, 1)
        for part in (self.view, self._nothing):
            part.setMinimumHeight(LEAST)  # nothing below moves while one types
        self._later = QTimer(self)  # what is in sight is known after the layout
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._bring_into_sight)
        self._tint()
        self._narrow()

    def show_tree(self, tree: LayerTree | None, chosen: str) -> None:
        """The layers of a model; `chosen` is the one that is looked at."""
        before = self.model.tree
        self._chosen = chosen
        self.model.show_tree(tree)
        if before is None or tree is None or before.layers != tree.layers:
            self._narrow()
        self.view.viewport().update()

    def mark(self, name: str) -> None:
        """The layer that is looked at, wherever it was chosen."""
        if name == self._chosen and self.model.index_of(name) == self.view.currentIndex():
            return
        self._chosen = name
        if not self.model.index_of(name).isValid() and not self._search.text():
            self._narrow()
        self.view.unfold([name])
        self.view.mark(name)
        index = self.model.index_of(name)
        if index.isValid():
            self.view.scrollTo(index)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        self._glass.setIcon(icons.icon("search", tone="faint"))

    def _bring_into_sight(self) -> None:
        self.view.scrollToTop()
        index = self.model.index_of(self._chosen)
        if index.isValid() and not self._search.text().strip():
            self.view.scrollTo(index)

    def _choose_which(self, which: str) -> None:
        self._which = which
        self._narrow()

    def _narrow(self) -> None:
        """List what is asked for, unfolded so far that nobody drowns in it."""
        model, text = self.model, self._search.text().strip()
        which = self._which if model.has_taps else "all"
        self._segments.show_value(which)
        self._segments.setEnabled(model.has_taps and not text)  # all of them are searched
        self._segments.setToolTip(
            "" if model.has_taps or model.tree is None else "This model names no stages."
        )
        model.narrow(text, taps_only=which == "taps", keep=self._chosen)
        if text:
            self.view.unfold(model.matches)
        elif which == "taps" or len(model.matches) <= FEW:
            self.view.expandAll()
        elif model.rowCount() == 1:
            self.view.expand(model.index(0, 0))
        self.view.unfold([self._chosen])
        self.view.mark(self._chosen)
        self._later.start()
        self.view.setHidden(model.is_empty)
        self._nothing.setHidden(not model.is_empty)
        self._nothing.setText(f"No layer is called “{text}”." if text else "")
