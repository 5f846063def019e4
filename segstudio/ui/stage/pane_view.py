"""One pane: which model, how it does, its picture, its speed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from segstudio.core.settings import HOWS, INPUT_SCALES
from segstudio.core.strategy import PRECISIONS
from segstudio.engine.seats import FIRST
from segstudio.ui.canvas.view import CanvasView
from segstudio.ui.comparing.panes import LABELS, Pane
from segstudio.ui.comparing.wording import CONVENTIONS, OWN_TIP, headline
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Dot, Elided, Picker, Spinner, label, set_tone
from segstudio.ui.panels.speed_strip import HEIGHT as STRIP
from segstudio.ui.panels.speed_strip import SpeedStrip
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

HEADER = 36
NARROW = 210
"""Pixels across of a header that has room for a figure or for the settings."""

TONES = {"ready": "good", "failed": "bad"}


class PaneHeader(QFrame):
    """Letter, model, settings; what it says under the cursor, and its figure.

    Signals:
        removed(): this model is not wanted any more.
    """

    removed = Signal()

    def __init__(self, session: Session, letter: str) -> None:
        super().__init__()
        self._session = session
        self.letter = letter
        self.setProperty("look", "top")
        self.setFixedHeight(HEADER)
        self._chip = label(letter, look="key")
        self._chip.setFixedSize(22, 22)
        self._chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = label("Labels", look="title")
        self._spinner, self._dot = Spinner(), Dot()
        self._model = Picker("Model of this pane", self._pick)
        self._model.setMinimumWidth(48)
        self._model.setProperty("look", "tight")
        self._model.setMaximumWidth(280)
        self._how = Elided(look="small", tone="muted")
        self._score = label(look="title")
        self._score.setFont(tabular(self._score.font()))
        self._settings = IconButton("settings", "Device, input size, precision of this pane")
        self._remove = IconButton("close", "Take this model out of the comparison")
        self._settings.clicked.connect(self._show_settings)
        self._remove.clicked.connect(lambda _=False: self.removed.emit())
        box = QHBoxLayout(self)
        box.setContentsMargins(UNIT, 0, UNIT // 2, 0)
        box.setSpacing(UNIT // 2)
        parts: tuple[QWidget, ...] = (
            self._chip, self._title, self._spinner, self._dot, self._model, self._how,
            self._score, self._settings, self._remove,
        )  # fmt: skip
        for part in parts:
            box.addWidget(part, {self._model: 3, self._how: 1}.get(part, 0))
        session.scores.changed.connect(self.show_score)
        self.follow()

    @Slot()
    def show_score(self) -> None:
        """The headline of this model; nothing while it was held against no confirmed frame."""
        text, tip = "", ""
        if self.letter != LABELS and self.isVisible():
            session, scores = self._session, self._session.scores
            tally, convention = scores.tally(self.letter), scores.convention
            titles = {card.name: card.title for card in session.models.cards}
            said = headline(tally, convention, model=tally.model, titles=titles)
            text = "" if said.is_unseen else said.figure
            title = CONVENTIONS[convention][0]
            tip = f"mIoU: {said.about}\nConvention: {title}" if said.is_scored else said.about
            tip += f"\n\n{OWN_TIP}" if tally.own() else ""
        self._score.setText(text)
        self._score.setToolTip(tip)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_score()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A narrow pane has room for its letter, its model and the cross."""
        has_score, width = bool(self._score.text()), self.width()
        self._score.setVisible(has_score and width >= NARROW)
        has_settings = self.letter not in (FIRST, LABELS)
        self._settings.setVisible(has_settings and width >= NARROW + 50 * has_score)

    @Slot()
    def follow(self) -> None:
        """Another model, another state."""
        session, comparison = self._session, self._session.comparison
        is_labels = self.letter == LABELS
        self._chip.setText("" if is_labels else self.letter)
        self._title.setVisible(is_labels)
        for part in (self._chip, self._spinner, self._dot, self._model):
            part.setVisible(not is_labels)
        self._remove.setVisible(self.letter != FIRST)
        self.show_score()
        if is_labels:
            self._how.show_text("what tools paint")
            self._remove.setToolTip("Without a pane for the labels")
        pane, status = comparison.pane(self.letter), comparison.status(self.letter)
        if pane is None:
            return
        entries: list[tuple[object, str]] = [(c.name, c.title) for c in session.models.cards]
        self._model.fill(entries, None if pane.card is None else pane.card.name)
        self._model.setToolTip(pane.title)
        self._spinner.setVisible(status.kind == "loading")
        self._dot.setVisible(status.kind != "loading")
        self._dot.set_tone(TONES.get(status.kind, "faint"))
        self._dot.setToolTip(status.text or status.kind)
        words, sentence = comparison.mapped(self.letter)
        self._how.show_text(", ".join(part for part in (words, pane.how) if part))
        self._how.setToolTip("\n".join(part for part in (sentence, pane.how) if part))

    def show_blink(self, other: Pane | None) -> None:
        """While another model is in the place of this one: whose pixels are seen."""
        is_other = other is not None and other.letter != self.letter
        self._chip.setText(other.letter if other is not None else self.letter)
        set_tone(self._chip, "accent" if is_other else "")
        if is_other and other is not None:
            self._how.show_text(f"now {other.title}")
        else:
            self.follow()

    def _pick(self, name: object) -> None:
        session = self._session
        card = next((c for c in session.models.cards if c.name == name), None)
        if card is None:
            return
        if self.letter == FIRST:
            session.models.choose(card.name)
        else:
            session.comparison.set_pane(self.letter, card=card)

    def _show_settings(self) -> None:
        pane = self._session.comparison.pane(self.letter)
        if pane is not None:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            action = QWidgetAction(menu)
            action.setDefaultWidget(PaneSettings(self._session, pane))
            menu.addAction(action)
            menu.popup(self._settings.mapToGlobal(self._settings.rect().bottomLeft()))


class PaneSettings(QWidget):
    """How a pane's model is put to frames, applied at once."""

    def __init__(self, session: Session, pane: Pane) -> None:
        super().__init__()
        self._session, self._letter = session, pane.letter
        strategy = pane.strategy
        grid = QGridLayout(self)
        grid.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, UNIT)
        grid.setSpacing(UNIT)
        devices: list[tuple[object, str]] = [("auto", "Automatic")]
        devices += [(d.name, d.title) for d in session.models.devices]
        rows: tuple[tuple[str, list[tuple[object, str]], object, Callable[[object], None]], ...] = (
            ("Device", devices, pane.device, partial(self._set, "device")),
            ("Input", [(s, "Full size" if s == 1 else f"{round(100 * s)} %") for s in INPUT_SCALES],
             strategy.input_scale, partial(self._set_strategy, "input_scale")),
            ("How", list(HOWS), strategy.kind, self._set_kind),
            ("Precision", [(p, "Automatic" if p == "auto" else p) for p in PRECISIONS],
             strategy.precision, partial(self._set_strategy, "precision")),
        )  # fmt: skip
        for line, (title, entries, value, picked) in enumerate(rows):
            picker = Picker(title, picked)
            picker.setMinimumWidth(150)
            picker.fill(entries, value)
            grid.addWidget(label(title, tone="muted"), line, 0)
            grid.addWidget(picker, line, 1)
        for line, (name, title, is_on) in enumerate(
            (
                ("flip", "Mirror image too", strategy.flip),
                ("scales", "Three scales", len(strategy.scales) > 1),
                ("crf", "Dense CRF", strategy.crf),
            ),
            start=len(rows),
        ):
            box = QCheckBox(title)
            box.setChecked(is_on)
            box.toggled.connect(partial(self._toggle, name))
            grid.addWidget(box, line, 1)

    def _set(self, name: str, value: object) -> None:
        self._session.comparison.set_pane(self._letter, **{name: value})

    def _set_strategy(self, name: str, value: object) -> None:
        pane = self._session.comparison.pane(self._letter)
        if pane is not None:
            self._set("strategy", replace(pane.strategy, **{name: value}))  # type: ignore[arg-type]  # its own

    def _set_kind(self, kind: object) -> None:
        pane = self._session.comparison.pane(self._letter)
        if pane is not None:
            is_whole = kind == "whole"
            self._set(
                "strategy", replace(pane.strategy, kind=str(kind), full_resolution=not is_whole)
            )

    def _toggle(self, name: str, on: bool) -> None:  # noqa: FBT001 - Qt's own signature
        value: object = ((0.75, 1.0, 1.25) if on else (1.0,)) if name == "scales" else on
        self._set_strategy(name, value)


class PaneView(QFrame):
    """Header and strip are there only while models stand beside each other."""

    def __init__(self, session: Session, letter: str, canvas: CanvasView) -> None:
        super().__init__()
        self._session = session
        self.canvas = canvas
        self.header = PaneHeader(session, letter)
        self.header.removed.connect(self._remove)
        self.strip = SpeedStrip()
        self._trouble = label(tone="bad")
        self._trouble.setParent(canvas)
        self._trouble.setWordWrap(True)
        self._trouble.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._trouble.setProperty("look", "veil")
        self._trouble.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._trouble.hide()
        self._reading = label()
        self._reading.setParent(canvas)
        self._reading.setProperty("look", "veil")
        self._reading.setFont(tabular(self._reading.font()))
        self._reading.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._reading.move(UNIT, UNIT)
        self._reading.hide()
        self._blank = QWidget()
        self._blank.setFixedHeight(STRIP)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(canvas, 1)
        column.addWidget(self.strip)
        column.addWidget(self._blank)

    @property
    def letter(self) -> str:
        """Of the model, or LABELS."""
        return self.header.letter

    def show_parts(self, letter: str, *, shown: bool) -> None:
        """Header and strip, or the picture alone. letter: whose pane this is now."""
        self.header.letter = letter
        self.header.follow()
        self.header.setVisible(shown)
        self.strip.setVisible(shown and letter != LABELS)
        self._blank.setVisible(shown and letter == LABELS)  # all pictures stand at one height

    def _remove(self) -> None:
        comparison = self._session.comparison
        if self.letter == LABELS:
            comparison.set_look(replace(comparison.look, shows_labels=False))
        else:
            comparison.remove(self.letter)

    def show_reading(self, text: str) -> None:
        """What is said under the cursor, in a place of its own: nothing moves."""
        if text != self._reading.text():
            self._reading.setText(text)
            self._reading.adjustSize()
        self._reading.setVisible(bool(text))

    @property
    def reading(self) -> str:
        """What is said there now."""
        return self._reading.text()

    def show_trouble(self, text: str) -> None:
        """Say over the picture why there is nothing on it; "" for nothing to say."""
        if text != self._trouble.text():
            self._trouble.setText(text)
            set_tone(self._trouble, "bad")
        self._trouble.setVisible(bool(text))
        self._place_trouble()

    def minimumSizeHint(self) -> QSize:
        """Whatever is written on it: all panes are of one width."""
        return QSize(120, 120)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # a QResizeEvent
        self._place_trouble()

    def _place_trouble(self) -> None:
        width = max(100, self.canvas.width() - 4 * UNIT)
        width = min(width, self._trouble.sizeHint().width())
        size = QSize(width, self._trouble.heightForWidth(width))
        self._trouble.resize(size)
        self._trouble.move(
            (self.canvas.width() - size.width()) // 2, (self.canvas.height() - size.height()) // 2
        )
