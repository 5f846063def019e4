"""A net drawn from its taps: one box per stage, high as its resolution, wide as its channels.

Stages run from left to right in the order of the forward pass. A branch that starts from a finer
resolution gets a row of its own; what follows the branches stands behind them, in the middle. Only
the declared stages are known, not what feeds them, so a line says no more than "then".
"""

import itertools
import math
import re
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
class Row:
    """Stages one behind the other. fork: after how many stages of the first row it leaves it."""

    taps: tuple[TapFacts, ...]
    fork: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where stages stand: branches, each a row, and the stages behind all of them."""

    rows: tuple[Row, ...]
    tail: tuple[TapFacts, ...]

    @property
    def columns(self) -> int:
        """Of the rows; those of the tail come after."""
        return max((row.fork + len(row.taps) for row in self.rows), default=0)


@dataclass(frozen=True, slots=True)
class Box:
    """One drawn stage; `area` in widget coordinates. slot: what is free for its labels."""

    tap: TapFacts
    area: QRectF
    slot: QRectF


def arrange(taps: Sequence[TapFacts]) -> Layout:
    """Split the stages, which come in the order of the forward pass, into rows.

    Where the stride falls and comes back later, a branch begins: a chain of stages would not get
    finer just to get coarse again. Later stages go to the branch of their own part of the net
    (the first word of the name). What is finer again for good joins the branches behind them.
    """
    rows: list[list[TapFacts]] = [[]]
    tail: list[TapFacts] = []
    forks, last = [0], 0
    for number, tap in enumerate(taps):
        before = taps[number - 1] if number else tap
        same = [i for i, row in enumerate(rows) if row and _part(row[-1]) == _part(tap)]
        if tail:
            tail.append(tap)
        elif len(rows) > 1 and same:
            last = same[-1]
            rows[last].append(tap)
        elif tap.stride >= before.stride:
            last = _nearest(rows, tap.stride) if tap.stride > before.stride else last
            rows[last].append(tap)
        elif max((t.stride for t in taps[number:]), default=0) >= before.stride:
            forks.append(_trunk(rows[0], before, tap.stride))
            rows.append([tap])
            last = len(rows) - 1
        elif len(rows) > 1:
            tail.append(tap)
        else:
            rows[0].append(tap)
    found = (Row(tuple(r), fork) for r, fork in zip(rows, forks, strict=True) if r)
    return Layout(tuple(found), tuple(tail))


def _part(tap: TapFacts) -> str:
    return re.split(r"[._]", tap.name)[0]


def _nearest(rows: Sequence[Sequence[TapFacts]], stride: int) -> int:
    """The row whose end is the coarsest that is not coarser than that."""
    ends = [(row[-1].stride if row else 1) for row in rows]
    return max(range(len(rows)), key=lambda i: (ends[i] <= stride, ends[i], i))


def _trunk(row: Sequence[TapFacts], before: TapFacts, stride: int) -> int:
    """How many stages both branches share: those before the part that `before` belongs to."""
    shared = itertools.takewhile(lambda t: _part(t) != _part(before) and t.stride <= stride, row)
    return sum(1 for _ in shared)


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
        rows = max(1, len(self._layout.rows))
        self.setFixedHeight(round(rows * (self._tallest() + 2 * LABELS)))

    def _tallest(self) -> float:
        return TALLEST if len(self._layout.rows) < 2 else TALLEST * 0.72

    def resizeEvent(self, event: object) -> None:
        self._place()

    # --- geometry

    def _place(self) -> None:
        """Boxes for the present width."""
        rows, tail = self._layout.rows, self._layout.tail
        self._boxes = []
        if not rows:
            return
        columns = self._layout.columns
        slot = self.width() / (1 + columns + len(tail))
        widest = max(_wide(t) for taps in (*(r.taps for r in rows), tail) for t in taps)
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
        trunk = min((row.fork for row in rows[1:]), default=0)  # stands in the middle
        for line, row in enumerate(rows):
            for column, tap in enumerate(row.taps):
                if line == 0 and column < trunk:
                    add(tap, 1 + column, 0, self.height())
                else:
                    add(tap, 1 + row.fork + column, line * height, height)
        for column, tap in enumerate(tail):
            add(tap, 1 + columns + column, 0, self.height())

    def _links(self) -> list[tuple[Box, Box]]:
        """Who feeds whom."""
        boxes = {id(b.tap): b for b in self._boxes[1:]}
        first, rows = self._boxes[0], self._layout.rows
        found, ends = [], []
        for row in rows:
            before = boxes[id(rows[0].taps[row.fork - 1])] if row.fork else first
            for tap in row.taps:
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
