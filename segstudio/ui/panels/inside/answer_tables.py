"""What models and stages say about one pixel, in rows.

They paint their own text: at the rate of a mouse, labels in layouts would cost more than all the
rest. They keep their height while the classes in them change, so that nothing below jumps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.ui import theme
from segstudio.ui.theme import UNIT, tabular

if TYPE_CHECKING:
    from segstudio.ui.inside.inside import Chance

ROW = 3 * UNIT
DOT = 2 * UNIT
"""A disc and the gap behind it."""

FIGURE = 6 * UNIT + 4
"""Room for "100.0 %"."""

BAR = 4
BESIDE = 2
"""So many models stand in columns; more stand below each other."""

RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """shares: the class's probability by each model, None for one that does not know it."""

    name: str
    color: RGB
    shares: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class StageRow:
    """title: of the stage. name, color, share: its best class. differs: from the net's answer."""

    title: str
    name: str
    color: RGB
    share: float
    differs: bool = False


def class_rows(answers: Sequence[Sequence["Chance"]], most: int) -> tuple[ClassRow, ...]:
    """The best classes of all models, `most` at the most, in the order of the first model.

    answers: of each model, best first. Every model's best comes in before any second. Classes of
    two models are one when they have one name: ids are each class set's own.
    """
    known: list[dict[str, Chance]] = []
    for answer in answers:
        of_model: dict[str, Chance] = {}
        for one in answer:
            of_model.setdefault(one.name.casefold(), one)
        known.append(of_model)
    ranks = max((len(of_model) for of_model in known), default=0)
    ranked = [list(of_model) for of_model in known]
    chosen: dict[str, Chance] = {}
    for rank in range(ranks):
        for names, of_model in zip(ranked, known, strict=True):
            if rank < len(names) and len(chosen) < most:
                chosen.setdefault(names[rank], of_model[names[rank]])
    rows = [
        ClassRow(
            one.name, one.color, tuple(of[key].probability if key in of else None for of in known)
        )
        for key, one in chosen.items()
    ]
    rows.sort(key=lambda row: [-1.0 if s is None else s for s in row.shares], reverse=True)
    return tuple(rows)


class ClassTable(QWidget):
    """Rows are classes, columns are models; from three models on they stand below each other."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Classes at the pixel")
        self.rows: tuple[ClassRow, ...] = ()
        self.titles: tuple[str, ...] = ()

    def show_rows(self, rows: tuple[ClassRow, ...], titles: tuple[str, ...]) -> None:
        """titles: of the models; a single one needs no head."""
        if (rows, titles) == (self.rows, self.titles):
            return
        self.rows, self.titles = rows, titles
        blocks = len(titles) if len(titles) > BESIDE else 1
        height = blocks * (len(rows) + self._heads) * ROW + (blocks - 1) * UNIT
        if height != self.height():
            self.setFixedHeight(height)
        said = [f"{row.name} " + ", ".join(map(percent, row.shares)) for row in rows]
        self.setAccessibleDescription("; ".join(said))
        self.update()

    @property
    def _heads(self) -> int:
        return 1 if len(self.titles) > 1 else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fonts = Fonts(self.font())
        models, top = len(self.titles), 0
        if models <= BESIDE:
            self._paint_block(painter, fonts, top, range(models))
        else:
            for model in range(models):
                self._paint_block(painter, fonts, top, range(model, model + 1))
                top += (len(self.rows) + 1) * ROW + UNIT
        painter.end()

    def _paint_block(self, painter: QPainter, fonts: "Fonts", top: int, models: range) -> None:
        """Some models beside each other: heads, then a row for each class."""
        colors, width = theme.current(), self.width()
        names = width * (44 if len(models) == 1 else 36) // 100
        across = (width - names - (len(models) - 1) * UNIT) / max(1, len(models))
        columns = [names + place * (across + UNIT) for place in range(len(models))]
        for model, left in zip(models, columns, strict=True):
            if not self._heads:
                continue
            area = QRectF(left, top, across, ROW)
            if len(models) == 1:
                area = QRectF(0, top, width, ROW)
            _text(painter, area, self.titles[model], fonts.small, colors.muted)
        top += self._heads * ROW
        for number, line in enumerate(self.rows):
            area = QRectF(0, top + number * ROW, names - UNIT, ROW)
            _class(painter, area, line.name, line.color, fonts.plain, colors.text)
            for model, left in zip(models, columns, strict=True):
                share = line.shares[model]
                best = max((row.shares[model] or 0.0 for row in self.rows), default=0.0)
                is_best = share is not None and share == best
                area = QRectF(left, top + number * ROW, across, ROW)
                _bar(painter, area.adjusted(0, 0, -FIGURE, 0), share, is_strong=is_best)
                tone = colors.text if is_best else colors.muted
                _text(painter, area, percent(share), fonts.figure(is_best), tone, at_right=True)


class StageTable(QWidget):
    """What every stage of one net says; a stage that says another class is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Stages at the pixel")
        self.rows: tuple[StageRow, ...] = ()

    def show_rows(self, rows: tuple[StageRow, ...]) -> None:
        """Other votes."""
        if rows == self.rows:
            return
        self.rows = rows
        if len(rows) * ROW != self.height():
            self.setFixedHeight(len(rows) * ROW)
        said = [
            f"{row.title}: {row.name}, {percent(row.share)}"
            + (" (not what the model answers)" if row.differs else "")
            for row in rows
        ]
        self.setToolTip("\n".join(said))
        self.setAccessibleDescription("; ".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fonts, colors, width = Fonts(self.font()), theme.current(), self.width()
        left = width * 45 // 100
        middle = Qt.TextElideMode.ElideMiddle  # stages of one branch differ at the end
        for number, line in enumerate(self.rows):
            y = number * ROW
            tone = colors.warn if line.differs else colors.text
            title = QRectF(0, y, left - UNIT, ROW)
            _text(painter, title, line.title, fonts.plain, colors.muted, elide=middle)
            name = QRectF(left, y, width - left - FIGURE, ROW)
            if line.differs:
                mark = QRectF(name.right() - DOT, y, DOT, ROW)
                _text(painter, mark, "≠", fonts.strong, tone)
                name.setWidth(name.width() - DOT)
            _class(painter, name, line.name, line.color, fonts.plain, tone)
            figure = QRectF(width - FIGURE, y, FIGURE, ROW)
            _text(painter, figure, percent(line.share), fonts.plain, colors.muted, at_right=True)
        painter.end()


class Fonts:
    """The three weights of a table, figures of one width."""

    def __init__(self, base: QFont) -> None:
        self.plain, self.small, self.strong = tabular(base), tabular(base), tabular(base)
        self.small.setPixelSize(12)
        self.strong.setWeight(QFont.Weight.DemiBold)

    def figure(self, is_best: bool) -> QFont:  # noqa: FBT001  reads as a sentence
        """Of a share: the best one is strong."""
        return self.strong if is_best else self.plain


def percent(share: float | None) -> str:
    """0.973 → "97.3 %"; a dash for a class that the model does not know."""
    return "–" if share is None else f"{100 * share:.1f} %"


def _text(
    painter: QPainter,
    area: QRectF,
    text: str,
    font: QFont,
    tone: str,
    *,
    at_right: bool = False,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    painter.setFont(font)
    painter.setPen(QColor(tone))
    side = Qt.AlignmentFlag.AlignRight if at_right else Qt.AlignmentFlag.AlignLeft
    fitted = painter.fontMetrics().elidedText(text, elide, int(area.width()))
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, fitted)


def _class(painter: QPainter, area: QRectF, name: str, color: RGB, font: QFont, tone: str) -> None:
    """A disc in the class's colour, and its name."""
    painter.setPen(QColor(theme.current().line_strong))
    painter.setBrush(QColor(*color))
    painter.drawEllipse(QPointF(area.left() + 5, area.center().y()), 4.5, 4.5)
    _text(painter, area.adjusted(DOT, 0, 0, 0), name, font, tone)


def _bar(painter: QPainter, area: QRectF, share: float | None, *, is_strong: bool) -> None:
    """How much of 1; anything at all is at least a sliver."""
    if share is None or area.width() < 2 * UNIT:
        return
    colors = theme.current()
    track = QRectF(area.left(), area.center().y() - BAR / 2, area.width(), BAR)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.track))
    painter.drawRoundedRect(track, BAR / 2, BAR / 2)
    if share >= 0.0005:
        track.setWidth(max(float(BAR), track.width() * min(1.0, share)))
        painter.setBrush(QColor(colors.accent if is_strong else colors.faint))
        painter.drawRoundedRect(track, BAR / 2, BAR / 2)
