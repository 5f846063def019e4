"""The class legend: colour, name, share of the frame, and an eye to hide what is in the way."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from segstudio.core.classes import VOID, ClassMap
from segstudio.ui import icons, theme
from segstudio.ui.panels.parts import Section, button, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

ROW = 28
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class _Row:
    """share: of the frame, 0..1, None before the first prediction. is_void: the last row."""

    name: str
    color: tuple[int, int, int]
    class_id: int
    share: float | None
    is_hidden: bool

    @property
    def is_void(self) -> bool:
        return self.class_id == VOID


class ClassModel(QAbstractListModel):
    """The rows of the legend; `show_rows` replaces them and tells the view what differs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[_Row] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        share = "" if row.share is None else f"{100 * row.share:.1f} % of the frame"
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            if row.is_void:
                return "Pixels without a class; never drawn, never counted."
            return "Click: hide or show · Alt+click or double-click: only this class"
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.name}, {'hidden' if row.is_hidden else 'shown'}, {share}".rstrip(", ")
        return None

    def show_rows(self, rows: list[_Row]) -> None:
        """Reset when the classes differ, else repaint what changed."""
        if [r.class_id for r in rows] != [r.class_id for r in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        changed = [i for i, (a, b) in enumerate(zip(self.rows, rows, strict=True)) if a != b]
        self.rows = rows
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))


class ClassDelegate(QStyledItemDelegate):
    """Paints one row: swatch, name, bar, per cent, eye."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: _Row = index.data(Qt.ItemDataRole.UserRole)
        colors = theme.current()
        area = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        is_under_mouse = bool(state & QStyle.StateFlag.State_MouseOver)
        if is_under_mouse or state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(QColor(colors.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        _paint_swatch(painter, area, row)
        painter.setPen(QColor(colors.faint if row.is_hidden or row.is_void else colors.text))
        painter.setFont(option.font)
        right = 124
        name = area.adjusted(32, 0, -right, 0)
        metrics = painter.fontMetrics()
        text = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, int(name.width()))
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, text)
        _paint_share(painter, area, row)
        if not row.is_void:
            drawing = "eye-off" if row.is_hidden else "eye"
            tone = colors.text if is_under_mouse else colors.faint
            ratio = painter.device().devicePixelRatioF()
            picture = icons.pixmap(drawing, tone, 16, ratio)
            painter.drawPixmap(int(area.right() - 24), int(area.center().y() - 7), picture)
        painter.restore()


def _paint_swatch(painter: QPainter, area: QRectF, row: _Row) -> None:
    swatch = QRectF(area.left() + 8, area.center().y() - 6.5, 14, 14)
    color = QColor(*row.color)
    painter.setPen(QColor(theme.current().line_strong))
    painter.setBrush(Qt.BrushStyle.NoBrush if row.is_hidden or row.is_void else color)
    if row.is_hidden:
        painter.setPen(color if color.lightness() > 60 else QColor(theme.current().faint))
    painter.drawRoundedRect(swatch.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)


def _paint_share(painter: QPainter, area: QRectF, row: _Row) -> None:
    """The bar and the figure; a class with any pixel at all gets at least a sliver."""
    if row.share is None:
        return
    colors = theme.current()
    bar = QRectF(area.right() - 122, area.center().y() - 1.5, 40, 4)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.track))
    painter.drawRoundedRect(bar, 2, 2)
    if row.share > 0:
        bar.setWidth(max(2.0, bar.width() * row.share))
        painter.setBrush(QColor(colors.faint if row.is_hidden else colors.accent))
        painter.drawRoundedRect(bar, 2, 2)
    painter.setPen(QColor(colors.muted if row.share > 0 else colors.faint))
    painter.setFont(tabular(painter.font()))
    figure = QRectF(area.right() - 80, area.top(), 50, area.height())
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(figure, flags, f"{100 * row.share:.1f} %")


class ClassList(QListView):
    """As high as its rows: the panel around it scrolls."""

    def __init__(self, session: Session, model: ClassModel) -> None:
        super().__init__()
        self._session = session
        self._model = model
        self._is_double = False
        self.setModel(model)
        self.setItemDelegate(ClassDelegate(self))
        self.setMouseTracking(True)
        self.setAccessibleName("Classes")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._is_double:  # the second release of a double click is no click of its own
            self._is_double = False
            return
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._act(index, solo=bool(event.modifiers() & Qt.KeyboardModifier.AltModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._act(index)  # takes back what the first click did
            self._act(index, solo=True)
            self._is_double = True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return) and self.currentIndex().isValid():
            self._act(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _act(self, index: QModelIndex, *, solo: bool = False) -> None:
        row = self._model.rows[index.row()]
        if row.is_void:
            return
        session = self._session
        view = session.view
        session.set_view(
            view.soloed(row.class_id, session.classes) if solo else view.toggled(row.class_id)
        )


class ClassesPanel(Section):
    """The legend with its head."""

    def __init__(self, session: Session) -> None:
        self._set = label(look="small", tone="faint")
        self._all = button("Show all", "link", self._show_all)
        super().__init__("Classes", self._set, self._all)
        self._session = session
        self._model = ClassModel()
        self._list = ClassList(session, self._model)
        # What is hovered reaches out to both sides of the text.
        self.body.setContentsMargins(UNIT, UNIT + 4, UNIT, 2 * UNIT)
        self.head.setContentsMargins(UNIT, 0, UNIT, 0)
        self.body.addWidget(self._list)
        session.view_changed.connect(self.show_rows)
        session.shown_changed.connect(self.show_rows)
        session.models.changed.connect(self.show_rows)
        self.show_rows()

    @Slot()
    def show_rows(self) -> None:
        """Follow the session."""
        session = self._session
        classes = session.classes
        prediction = None if session.result is None else session.result.prediction
        shares = None if prediction is None else _shares(prediction.class_pixels)
        self._model.show_rows(_rows(classes, shares, session.view.hidden))
        self._list.setFixedHeight(ROW * len(self._model.rows) + 2)
        self._set.setText(f"{len(classes)}")
        self._set.setToolTip(f"Class set: {classes.name}")
        self._all.setVisible(bool(session.view.hidden))

    def _show_all(self) -> None:
        self._session.set_view(replace(self._session.view, hidden=frozenset()))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)


def _shares(pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the frame of each of 256 ids, 0..1."""
    return pixels / max(1, int(pixels.sum()))


def _rows(
    classes: ClassMap, shares: NDArray[np.float64] | None, hidden: frozenset[int]
) -> list[_Row]:
    rows = [
        _Row(
            _pretty(c.name),
            c.color,
            c.id,
            None if shares is None else round(float(shares[c.id]), 4),
            c.id in hidden,
        )
        for c in classes.classes
    ]
    void = None if shares is None else round(float(shares[VOID]), 4)
    rows.append(_Row("Void", (0, 0, 0), VOID, void, is_hidden=False))
    return rows


def _pretty(name: str) -> str:
    """A class name with a capital first letter; the rest is the set's own spelling."""
    return name[:1].upper() + name[1:]
