"""The right side of the model dialog: everything about one model or one network."""

from html import escape
from urllib.parse import urlsplit

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.catalogue import ModelCard, NetFacts, NetFigures, Score
from segstudio.core.classes import ClassMap
from segstudio.ui import words
from segstudio.ui.panels.class_figures import ClassFigures
from segstudio.ui.panels.diagram import NetDiagram
from segstudio.ui.panels.parts import label, row, rule
from segstudio.ui.panels.swatches import Swatches
from segstudio.ui.theme import UNIT
from segstudio.ui.zoo import ONNX

TITLES = 116
"""Width of the column of titles."""

NO_WEIGHTS = "No weights yet: import a checkpoint or train it."


def text(value: str, *, tone: str = "", look: str = "") -> QLabel:
    """A paragraph that wraps and can be copied from."""
    result = label(value, tone=tone, look=look)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(True)
    result.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.LinksAccessibleByMouse
    )
    result.setOpenExternalLinks(True)
    return result


def link(address: str) -> str:
    """Rich text of an address: what is shown leaves out https://."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return escape(address)
    shown = f"{parts.netloc}{parts.path}".rstrip("/")
    return f'<a href="{escape(address, quote=True)}">{escape(shown)}</a>'


class OneLine(QLabel):
    """A path or digest on one line, shortened in the middle; the tooltip has all of it."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setToolTip(value)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()


class Facts(QGridLayout):
    """Lines of a title and a text."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(2 * UNIT)
        self.setVerticalSpacing(6)
        self.setColumnMinimumWidth(0, TITLES)
        self.setColumnStretch(1, 1)
        self.values: dict[str, QLabel] = {}

    def show_fact(
        self, title: str, value: str, *, is_one_line: bool = False, is_link: bool = False
    ) -> None:
        """Add a line, or bring it up to date; an empty value adds none.

        is_one_line: shortened in the middle where there is no room, never broken. is_link: made by
        `link`; every other value is plain text, whatever a card holds.
        """
        if title in self.values:
            self.values[title].setText(value)
            return
        if not value:
            return
        line = self.rowCount()
        name = label(title, tone="muted")
        name.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.values[title] = OneLine(value) if is_one_line else text(value)
        if is_link:
            self.values[title].setTextFormat(Qt.TextFormat.RichText)
        self.addWidget(name, line, 0, Qt.AlignmentFlag.AlignTop)
        self.addWidget(self.values[title], line, 1)


class DetailsPage(QScrollArea):
    """Shows one thing at a time, made anew for each; figures are filled in when they come."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.diagram = NetDiagram()
        self._no_taps = label()
        self._facts = Facts()
        self.show_nothing("")

    @property
    def facts(self) -> dict[str, str]:
        """The lines on show, by title."""
        return {title: value.text() for title, value in self._facts.values.items()}

    def show_nothing(self, sentence: str) -> None:
        """An empty page with a reason."""
        box = self._page()
        message = label(sentence, tone="muted")
        message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        message.setWordWrap(True)
        box.addStretch(1)
        box.addWidget(message)
        box.addStretch(2)

    def show_model(self, card: ModelCard, facts: NetFacts | None, size: tuple[int, int]) -> None:
        """size: (h, w) of the net's input."""
        box = self._page()
        if card.description:
            box.addWidget(text(card.description, tone="muted"))
            box.addSpacing(UNIT)
        is_drawn = card.net != ONNX
        if is_drawn:
            self._add_net(box, facts, size)
        show = self._facts.show_fact
        show("Network", facts.title if facts else card.net)
        show("Built with", ", ".join(f"{k} = {v}" for k, v in card.net_args.items()))
        show("Paper", link(facts.paper) if facts else "", is_link=True)
        if is_drawn:
            self.show_figures(None)
        show("Input", words.input_rule(card.input))
        box.addLayout(self._facts)
        self._section(box, f"Classes · {len(card.classes)} · {card.classes.name}")
        box.addWidget(Swatches(card.classes))
        self._section(box, "Scores")
        if not card.scores:
            box.addWidget(text("Nobody has measured it yet: segstudio eval does.", tone="muted"))
        for score in card.scores:
            box.addLayout(_score(score, card.classes))
        self._section(box, "Origin")
        origin = Facts()
        for title, value in (
            ("Trained on", card.trained_on or "not said"),
            ("Licence", card.licence or "not said"),
            *(card.lineage.facts().items() if card.lineage is not None else ()),
            ("Command", card.command),
        ):
            origin.show_fact(title, value)
        origin.show_fact("File", str(card.folder / card.weights), is_one_line=True)
        origin.show_fact("SHA-256", card.sha256, is_one_line=True)
        box.addLayout(origin)
        box.addStretch(1)
        self._facts.values |= origin.values

    def show_net(self, facts: NetFacts, models: list[ModelCard], size: tuple[int, int]) -> None:
        """models: installed ones of this net."""
        box = self._page()
        if facts.trouble:
            box.addWidget(text(facts.trouble, tone="warn"))
            box.addSpacing(UNIT)
        self._add_net(box, facts, size)
        show = self._facts.show_fact
        show("Models", ", ".join(c.title for c in models) or NO_WEIGHTS)
        show("Paper", link(facts.paper), is_link=True)
        self.show_figures(None)
        show("Input", words.net_input(facts))
        show("Needs", f"segstudio[{facts.extra}]" if facts.extra else "")
        show("Registered as", facts.name)
        box.addLayout(self._facts)
        box.addStretch(1)

    def show_taps(self, facts: NetFacts, size: tuple[int, int]) -> None:
        """The stages of the net as it was built."""
        self.diagram.show_taps(facts.taps, size)
        self.diagram.setVisible(bool(facts.taps))
        self._no_taps.setVisible(not facts.taps)
        self._no_taps.setText("" if facts.trouble else "This net declares no stages to draw.")

    def show_figures(self, figures: NetFigures | None) -> None:
        """What was counted; None: still counting."""
        for title, value in words.figures(figures).items():
            self._facts.show_fact(title, value)

    def _page(self) -> QVBoxLayout:
        """A fresh page; the old one goes."""
        inside = QWidget()
        inside.setProperty("look", "panel")
        inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        box = QVBoxLayout(inside)
        box.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        box.setSpacing(UNIT)
        self._facts = Facts()
        self.setWidget(inside)
        return box

    def _add_net(self, box: QVBoxLayout, facts: NetFacts | None, size: tuple[int, int]) -> None:
        self.diagram = NetDiagram()
        self._no_taps = label("Building the net…", tone="faint")
        frame = QFrame()
        frame.setProperty("look", "card")
        holder = QVBoxLayout(frame)
        holder.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        holder.addWidget(self.diagram)
        holder.addWidget(self._no_taps, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(frame)
        box.addSpacing(UNIT)
        self.diagram.setVisible(False)
        if facts is not None and facts.taps:
            self.show_taps(facts, size)
        if facts is not None and facts.trouble:
            frame.hide()

    def _section(self, box: QVBoxLayout, title: str) -> None:
        box.addSpacing(UNIT)
        box.addWidget(rule())
        box.addWidget(label(title, look="section"))


def _score(score: Score, classes: ClassMap) -> QVBoxLayout:
    box = QVBoxLayout()
    box.setSpacing(2)
    figure = label(f"{100 * score.miou:.2f} % mIoU", look="title")
    box.addLayout(row(figure, label(f"on {score.dataset}"), 1))
    if score.detail:
        box.addWidget(text(score.detail, tone="muted", look="small"))
    if score.per_class:
        box.addSpacing(UNIT // 2)
        box.addWidget(ClassFigures(classes, score.per_class))
        box.addSpacing(UNIT)
    return box
