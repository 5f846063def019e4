"""A net drawn from its taps: one box per stage, high as its resolution, wide as its channels.

Stages run from left to right. A branch that starts again from a finer resolution gets a row of
its own; what follows the branches stands behind them, in the middle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segstudio.core.catalogue import TapFacts
from segstudio.ui import theme

LABELS = 18
"""Height of a line of labels, above and below the boxes of a row."""

TALLEST = 92
"""Height of a box of stride 1 when the net is one row; several rows share the height."""

_INPUT = TapFacts("", 1, 3)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where stages stand: branches (each a row of stages) and the stages behind all of them."""

    branches: tuple[tuple[TapFacts, ...], ...]
    tail: tuple[TapFacts, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """One drawn stage; `area` in widget coordinates. slot: what is free for its labels."""

    tap: TapFacts
    area: QRectF
    slot: QRectF


def arrange(taps: Sequence[TapFacts]) -> Layout:
    """Split the stages, which come in the order of the forward pass, into rows.

    A branch begins where the stride falls and another part of the net (first word of the dotted
    name) goes down again from there. A single row that rises at its end stays one row.
    """
    rows: list[list[TapFacts]] = []
    tail: list[TapFacts] = []
    for number, tap in enumerate(taps):
        if not rows:
            rows.append([tap])
        elif _begins_branch(taps, number):
            rows.append([tap])
            tail.clear()
        elif len(rows) > 1 and (tail or tap.stride < rows[-1][-1].stride):
            tail.append(tap)
        else:
            rows[-1].append(tap)
    if len(rows) == 1:
        rows[0] += tail
        tail = []
    return Layout(tuple(tuple(row) for row in rows), tuple(tail))


def _begins_branch(taps: Sequence[TapFacts], number: int) -> bool:
    tap, before = taps[number], taps[number - 1]
    if tap.stride >= before.stride or _part(tap) == _part(before):
        return False
    rest = [t for t in taps[number:] if _part(t) == _part(tap)]
    return len(rest) > 1 and rest[-1].stride > tap.stride


def _part(tap: TapFacts) -> str:
    return tap.name.split(".")[0]


class NetDiagram(QWidget):
    """Paints itself at any size and resolution; a tooltip tells each stage's exact shape."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = Layout((), ())
        self._size = (0, 0)
        self._boxes: list[Box] = []
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit_height()

    @property
    def boxes(self) -> tuple[Box, ...]:
        """What is drawn, the input first."""
        return tuple(self._boxes)

    def show_taps(self, taps: Sequence[TapFacts], size: tuple[int, int]) -> None:
        """size: (h, w) of the net's input, for the tooltips."""
        self._layout, self._size = arrange(taps), size
        text = "; ".join(f"{t.name} stride {t.stride}, {t.channels} channels" for t in taps)
        self.setAccessibleName("Diagram of the net")
        self.setAccessibleDescription(text)
        self._fit_height()
        self._place()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.height())

    def _fit_height(self) -> None:
        rows = max(1, len(self._layout.branches))
        self.setFixedHeight(round(rows * (self._tallest() + 2 * LABELS)))

    def _tallest(self) -> float:
        return TALLEST if len(self._layout.branches) < 2 else TALLEST * 0.72

    def resizeEvent(self, event: object) -> None:
        self._place()

    # --- geometry

    def _place(self) -> None:
        """Boxes for the present width."""
        rows, tail = self._layout.branches, self._layout.tail
        self._boxes = []
        if not rows:
            return
        longest = max(len(row) for row in rows)
        slot = self.width() / (1 + longest + len(tail))
        widest = max(_wide(t) for row in (*rows, tail) for t in row)
        scale = min(1.0, 0.68 * slot / widest)
        height = self.height() / len(rows)

        def add(tap: TapFacts, column: int, top: float, high: float) -> None:
            h = max(6.0, self._tallest() / math.sqrt(tap.stride))
            w = max(5.0, scale * _wide(tap))
            middle = QPointF((column + 0.5) * slot, top + high / 2)
            # An even height keeps the middle of every box of a row on one line.
            half_h, half_w = max(3, round(h / 2)), max(2, round(w / 2))
            x, y = round(middle.x()) + 0.5, round(middle.y()) + 0.5
            area = QRectF(x - half_w, y - half_h, 2 * half_w, 2 * half_h)
            self._boxes.append(Box(tap, area, QRectF(column * slot, top, slot, high)))

        add(_INPUT, 0, 0, self.height())
        for line, row in enumerate(rows):
            for column, tap in enumerate(row):
                add(tap, 1 + column, line * height, height)
        for column, tap in enumerate(tail):
            add(tap, 1 + longest + column, 0, self.height())

    def _links(self) -> list[tuple[Box, Box]]:
        """Who feeds whom."""
        boxes = {id(b.tap): b for b in self._boxes[1:]}
        first = self._boxes[0]
        found = []
        ends = []
        for row in self._layout.branches:
            before = first
            for tap in row:
                found.append((before, boxes[id(tap)]))
                before = boxes[id(tap)]
            ends.append(before)
        for tap in self._layout.tail:
            found += [(end, boxes[id(tap)]) for end in ends]
            ends = [boxes[id(tap)]]
        return found

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._boxes:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.current()
        painter.setPen(QPen(QColor(colors.faint), 1))
        for one, other in self._links():
            _paint_link(painter, one.area, other)
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(theme.tabular(font))
        coarsest = max(b.tap.stride for b in self._boxes)
        for box in self._boxes:
            _paint_box(painter, box, coarsest)
        self._paint_labels(painter)
        painter.end()

    def _paint_labels(self, painter: QPainter) -> None:
        """Channels above, stride below; left out where they would run into each other."""
        colors, metrics = theme.current(), painter.fontMetrics()
        ends: dict[tuple[float, bool], float] = {}
        for box in self._boxes:
            is_input = not box.tap.name
            stride = "input" if is_input else f"1/{box.tap.stride}"
            for words, is_above in ((str(box.tap.channels), True), (stride, False)):
                half = metrics.horizontalAdvance(words) / 2
                center = max(half, min(self.width() - half, box.area.center().x()))
                line = (box.slot.top(), is_above)
                if center - half < ends.get(line, 0.0):
                    continue
                ends[line] = center + half + 4
                y = box.area.top() - LABELS if is_above else box.area.bottom() + 2
                painter.setPen(QColor(colors.muted if is_above else colors.faint))
                area = QRectF(center - half - 2, y, 2 * half + 4, LABELS - 2)
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            box = self._box_at(QPointF(event.pos()))
            if box is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.tip(box.tap), self)
            return True
        return super().event(event)

    def _box_at(self, point: QPointF) -> Box | None:
        """Of the boxes under the cursor, labels included, the nearest."""
        near = [b for b in self._boxes if b.slot.contains(point)]
        return min(near, key=lambda b: abs(b.area.center().x() - point.x()), default=None)

    def tip(self, tap: TapFacts) -> str:
        """Name, stride and shape at the present input size."""
        h, w = self._size
        if not tap.name:
            return f"Input: 3 channels, {w} × {h}"
        shape = f"{-(-w // tap.stride)} × {-(-h // tap.stride)}"
        return f"{tap.name}\n{tap.channels} channels, {shape} (1/{tap.stride} of {w} × {h})"


def _paint_box(painter: QPainter, box: Box, coarsest: int) -> None:
    """The coarser, the stronger."""
    colors = theme.current()
    is_input = not box.tap.name
    depth = math.log2(box.tap.stride) / max(1.0, math.log2(coarsest))
    fill = QColor(colors.track if is_input else _mixed(colors.accent_soft, colors.accent, depth))
    painter.setPen(QPen(QColor(colors.faint if is_input else colors.accent), 1))
    painter.setBrush(fill)
    painter.drawRoundedRect(box.area, 2.5, 2.5)


def _wide(tap: TapFacts) -> float:
    """Width of a box in pixels, before it is fitted in: 8 for 3 channels, 46 for 2048."""
    return 2.0 + 4.0 * math.log2(max(2, tap.channels))


def _mixed(one: str, other: str, share: float) -> QColor:
    a, b = QColor(one), QColor(other)
    s = 0.55 * share
    return QColor(
        round(a.red() + s * (b.red() - a.red())),
        round(a.green() + s * (b.green() - a.green())),
        round(a.blue() + s * (b.blue() - a.blue())),
    )


def _paint_link(painter: QPainter, one: QRectF, other: Box) -> None:
    """A straight line in a row; between rows an elbow halfway to the later box."""
    start = QPointF(one.right() + 1, one.center().y())
    end = QPointF(other.area.left() - 1, other.area.center().y())
    if start.y() == end.y():
        painter.drawLine(start, end)
        return
    turn = round(other.slot.left()) + 0.5
    painter.drawPolyline([start, QPointF(turn, start.y()), QPointF(turn, end.y()), end])
