"""The first page: what is trained on, from which model, how thoroughly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QGridLayout, QVBoxLayout, QWidget

from segstudio.core.catalogue import ModelCard
from segstudio.core.training import TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.ui.dialogs.training.advanced import Advanced
from segstudio.ui.dialogs.training.interrupted import InterruptedCard
from segstudio.ui.dialogs.training.preset_card import PresetCard
from segstudio.ui.panels.parts import Picker, Segments, button, label, row, set_tone
from segstudio.ui.theme import UNIT
from segstudio.ui.training.offers import Offer
from segstudio.ui.training.plans import (
    CHOICES,
    Order,
    Plan,
    Which,
    class_change,
    described,
    duration,
    recipe_of,
    seconds_of,
    suggested,
)

COUNTING = "Counting what was corrected…"
YIELD = "Pause the live view while it trains"
YIELD_TIP = (
    "Its model leaves the memory, so that the training has the device to itself, and is loaded"
    " again afterwards. Pictures and labels stay."
)
NO_MODEL = "There is no model to start from; install or import one first."


@dataclass(slots=True)
class _Choice:
    which: Which = "confirmed"
    preset: str = "standard"
    changes: dict[str, Any] = field(default_factory=dict)


class WhatPage(QWidget):
    """Signals:
    train_wanted(TrainRecipe): go. resume_wanted(Path): go on with that run. yield_wanted(bool):
        whether the live view shall rest meanwhile.
    """

    train_wanted = Signal(object)
    resume_wanted = Signal(object)
    yield_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._offer: Offer | None = None
        self._choice = _Choice()
        self._base: ModelCard | None = None
        self._which = Segments(
            (("confirmed", "Confirmed frames", "Frames that a human confirmed whole"),
             ("painted", "Every painted pixel", "All that a human painted; the rest is ignored")),
            self._choose_frames,
        )  # fmt: skip
        self._which.setAccessibleName("What is trained on")
        self._sentence = label(look="title")
        self._held = label(look="small", tone="muted")
        self._held.setWordWrap(True)
        self._bases = Picker("The model that training starts from", self._choose_base)
        self._bases.setMinimumContentsLength(24)
        self._change = label(look="small", tone="muted")
        self._change.setWordWrap(True)
        self._cards = {name: PresetCard(title) for name, title in CHOICES.items()}
        self._group = QButtonGroup(self)
        for name, card in self._cards.items():
            self._group.addButton(card)
            card.clicked.connect(lambda _=False, name=name: self._choose_preset(name))
        self._more = button("Advanced", "link", self._toggle_more)
        self._more.setCheckable(True)
        self._advanced = Advanced()
        self._advanced.changed.connect(self._change_by_hand)
        self._advanced.hide()
        self._yield = yield_box()
        self._yield.clicked.connect(self.yield_wanted)
        self._meanwhile = QWidget()
        self._meanwhile.hide()
        self._why = label(tone="warn")
        self._why.setWordWrap(True)
        self._train = button("Train", "primary", self._go)
        self._train.setDefault(True)
        self._left = InterruptedCard()
        self._left.resume_wanted.connect(self.resume_wanted)
        self._build()
        self._sentence.setText(COUNTING)
        self._train.setEnabled(False)

    def _build(self) -> None:
        grid = QGridLayout()
        _columns(grid)
        for number, (name, parts) in enumerate((
            ("Frames", (row(self._which, 1), self._sentence, self._held)),
            ("Start from", (row(self._bases, 1), self._change)),
        )):  # fmt: skip
            _put(grid, number, name, parts)
        cards = QGridLayout()
        cards.setSpacing(UNIT)
        for number, card in enumerate(self._cards.values()):
            cards.addWidget(card, number // 2, number % 2)
        _put(grid, 2, "How", (cards, row(self._more, 1), self._advanced))
        meanwhile = QGridLayout(self._meanwhile)
        meanwhile.setContentsMargins(0, 0, 0, 0)
        _columns(meanwhile)
        _put(meanwhile, 0, "Meanwhile", (self._yield,), above=UNIT // 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addWidget(self._left)
        column.addLayout(grid)
        column.addWidget(self._meanwhile)
        column.addStretch(1)
        foot = row(self._why, self._train)
        foot.setStretch(0, 1)
        column.addLayout(foot)

    # --- what is offered

    @property
    def recipe(self) -> TrainRecipe | None:
        """Of what is chosen; None when that is no recipe."""
        try:
            return self._recipe(self._choice.preset, self._choice.changes)
        except SegStudioError:
            return None

    @property
    def message(self) -> str:
        """What the page says, for tests and for reading aloud."""
        says = (self._sentence, self._held, self._change, self._why)
        return " ".join(one.text() for one in says if one.text())

    @property
    def can_train(self) -> bool:
        """The button can be pressed."""
        return self._train.isEnabled()

    def show_offer(self, offer: Offer) -> None:
        """Choices that were made stay where they are still offered."""
        is_first = self._offer is None
        self._offer = offer
        if is_first:
            confirmed, painted = (offer.plans.get(w) for w in ("confirmed", "painted"))
            is_better = confirmed is not None and confirmed.why_not and painted is not None
            if is_better and painted is not None and not painted.why_not:
                self._choice.which = "painted"
            plan = offer.plans.get(self._choice.which)
            self._choice.preset = suggested(plan.train if plan is not None else 0)
        names = [card.name for card in offer.bases]
        wanted = self._base.name if self._base is not None else offer.base
        number = names.index(wanted) if wanted in names else 0
        self._base = offer.bases[number] if offer.bases else None
        self._left.show_run(offer.unfinished[0] if offer.unfinished else None)
        self._refresh()

    def show_yielding(self, *, is_on: bool) -> None:
        """Whether the live view will rest; without a call nobody is asked."""
        self._meanwhile.show()
        self._yield.setChecked(is_on)

    def show_trouble(self, text: str) -> None:
        """What was wanted could not be done; stays until something else is chosen."""
        self._why.setText(text)

    def _refresh(self) -> None:
        offer, choice = self._offer, self._choice
        if offer is None:
            return
        plan = offer.plans.get(choice.which, Plan(choice.which))
        self._which.show_value(choice.which)
        self._sentence.setText(plan.sentence if plan.frames else "No frame yet")
        self._held.setText(plan.held)
        self._held.setVisible(bool(plan.held))
        set_tone(self._held, "muted" if plan.is_validated else "warn")
        self._bases.fill([(c.name, c.title) for c in offer.bases], self._base and self._base.name)
        change = "" if self._base is None else class_change(self._base.classes, offer.classes)
        if choice.preset == "scratch" and self._base is not None:
            change = f"Only the net is taken from it, {self._base.net}; its weights are not."
        self._change.setText(change)
        self._change.setVisible(bool(change))
        has_frames = plan.frames > 0
        for name, card in self._cards.items():
            card.setChecked(name == choice.preset)
            card.show_text(
                described(name), self._time(name), has_frames and name == suggested(plan.train)
            )
        self._show_advanced()
        why = offer.trouble or ("" if offer.bases else NO_MODEL) or plan.why_not or self._wrong()
        self._why.setText(why)
        self._train.setEnabled(not why)

    def _show_advanced(self) -> None:
        if self._offer is None or self._base is None:
            return
        try:
            plain = self._recipe(self._choice.preset, {})
        except SegStudioError:
            return
        self._advanced.show_recipe(
            plain, self._choice.changes, self._offer.classes, self._base.input.multiple_of
        )

    def _wrong(self) -> str:
        """Why what was set by hand is no recipe."""
        try:
            self._recipe(self._choice.preset, self._choice.changes)
        except SegStudioError as error:
            return str(error)
        return ""

    def _recipe(self, preset: str, changes: Mapping[str, Any]) -> TrainRecipe:
        if self._offer is None or self._base is None:
            raise SegStudioError(NO_MODEL)
        order = Order(self._choice.which, preset, self._base, changes)
        return recipe_of(order, self._offer.project, self._offer.classes)

    def _time(self, preset: str) -> str:
        if self._offer is None:
            return ""
        changes = self._choice.changes if preset == self._choice.preset else {}
        try:
            recipe = self._recipe(preset, changes)
        except SegStudioError:
            return ""
        seconds = seconds_of(recipe, self._offer.speeds)
        steps = f"{recipe.steps:,} steps"
        return steps if seconds is None else f"{steps}, about {duration(seconds)}"

    # --- what people choose

    def _choose_frames(self, which: str) -> None:
        self._choice.which = "painted" if which == "painted" else "confirmed"
        self._refresh()

    def _choose_base(self, name: object) -> None:
        if self._offer is not None:
            self._base = next(card for card in self._offer.bases if card.name == name)
            self._refresh()

    def _choose_preset(self, name: str) -> None:
        crop = self._choice.changes.get("crop")
        self._choice.preset = name
        self._choice.changes = {} if crop is None else {"crop": crop}
        self._refresh()

    def _change_by_hand(self, name: str, value: object) -> None:
        self._choice.changes[name] = value
        self._refresh()

    def _toggle_more(self) -> None:
        self._advanced.setVisible(self._more.isChecked())

    def _go(self) -> None:
        recipe = self.recipe
        if recipe is not None and self.can_train:
            self.train_wanted.emit(recipe)


def yield_box() -> QCheckBox:
    """The question whether the live view shall rest while a run goes on."""
    box = QCheckBox(YIELD)
    box.setToolTip(YIELD_TIP)
    return box


def _columns(grid: QGridLayout) -> None:
    """Titles at the left, as wide on every part of the page."""
    grid.setHorizontalSpacing(3 * UNIT)
    grid.setVerticalSpacing(3 * UNIT)
    grid.setColumnMinimumWidth(0, 104)
    grid.setColumnStretch(1, 1)


def _put(
    grid: QGridLayout, number: int, name: str, parts: Sequence[Any], above: int = UNIT
) -> None:
    """A titled row of the page. above: pixels over the title."""
    title = label(name, look="section")
    title.setAlignment(Qt.AlignmentFlag.AlignTop)
    title.setContentsMargins(0, above, 0, 0)
    box = QVBoxLayout()
    box.setSpacing(UNIT)
    for part in parts:
        if isinstance(part, QWidget):
            box.addWidget(part)
        else:
            box.addLayout(part)
    grid.addWidget(title, number, 0)
    grid.addLayout(box, number, 1)
