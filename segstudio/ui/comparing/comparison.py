"""Comparison: which models look at the same frame, and what each of them says. Part of the session.

The first pane is the chosen model of the Model panel, the others are the comparison's own. All
predictions of a frame come in one result, so panes never show different moments. UI thread only.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.prediction import Prediction
from segstudio.engine.play import ModelState
from segstudio.engine.seats import FIRST, sentence
from segstudio.ui.bridge import live
from segstudio.ui.comparing.panes import LABELS, LETTERS, Look, Pane
from segstudio.ui.correcting.drafts import CameFrom, in_classes, mapping_for
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host
from segstudio.ui.models import ModelStatus

if TYPE_CHECKING:
    from segstudio.engine.predictor import Predictor
    from segstudio.ui.tools.registry import Answers


class Comparison(QObject):
    """look: how it is looked at. is_on: whether several models run. is_blinking: the other of the
    pair is shown while a key is held.

    Signals:
        changed(): panes, is_on, look or the state of a model is new.
        arrived(): answers about another frame, or newer ones.
        blinked(): is_blinking is new.
    """

    changed = Signal()
    arrived = Signal()
    blinked = Signal()

    def __init__(self, host: Host, editor: Editor, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._editor = editor
        self.is_on = False
        self.is_blinking = False
        self.look = Look()
        self._others: tuple[Pane, ...] = ()
        self._loads: dict[str, tuple[Pane, Callable[[], Predictor]]] = {}
        self._since: dict[str, int] = {}  # the request from which on answers are of this pane
        self._states: dict[str, ModelState] = {}
        self._mapped: dict[str, tuple[Prediction, ClassMap, NDArray[np.uint8]]] = {}
        host.player.compared_changed.connect(self._take_states)
        host.player.source_changed.connect(self._follow_source)
        host.models.changed.connect(self.changed)
        editor.projects.changed.connect(self._forget_mapped)
        self._source = ""
        editor.answers = self.answers

    # --- who is compared

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The chosen model alone while nothing is compared."""
        shelf = self._host.models
        first = Pane(FIRST, shelf.chosen, shelf.device, shelf.strategy)
        return (first, *self._others) if self.is_on else (first,)

    @property
    def letters(self) -> tuple[str, ...]:
        """Of the panes."""
        return tuple(pane.letter for pane in self.panes)

    def pane(self, letter: str) -> Pane | None:
        """The pane with that letter."""
        return next((pane for pane in self.panes if pane.letter == letter), None)

    def title(self, member: str) -> str:
        """Of a pane or of the labels, for people."""
        pane = self.pane(member)
        if member == LABELS or pane is None:
            return "Labels"
        return " · ".join(part for part in (pane.letter, pane.title, pane.how) if part)

    def status(self, letter: str) -> ModelStatus:
        """How the model of a pane is doing."""
        if letter == FIRST:
            return self._host.models.status
        state = self._states.get(letter)
        if state is None:
            return ModelStatus("idle")
        return ModelStatus(state.kind, sentence(state.error), state.device)

    def restore(self, kept: str) -> None:
        """Take what the settings say about the other models; those that are gone are left out."""
        try:
            rows = json.loads(kept) if kept else []
        except ValueError:
            rows = []
        cards = self._host.models.cards
        found: list[Pane] = []
        for row in rows[: len(LETTERS) - 1] if isinstance(rows, list) else []:
            pane = Pane.from_json(LETTERS[len(found) + 1], row, cards)
            if pane is not None:
                found.append(pane)
        self._others = tuple(found)

    @property
    def kept(self) -> str:
        """What the settings keep."""
        return json.dumps([pane.to_json() for pane in self._others]) if self._others else ""

    def turn_on(self) -> None:
        """Run the other models too; a second one is found when there is none yet."""
        if not self.is_on:
            self._others = self._others or self._second()
            self.is_on = True
            self._apply()

    def turn_off(self) -> None:
        """Only the chosen model; the others are remembered."""
        if self.is_on:
            self.is_on = self.is_blinking = False
            self._apply()

    def add(self, card: ModelCard) -> None:
        """One more model; nothing happens when there are six."""
        if len(self._others) + 1 < len(LETTERS):
            shelf = self._host.models
            letter = next(n for n in LETTERS[1:] if n not in {p.letter for p in self._others})
            pane = Pane(letter, card, shelf.device, shelf.strategy)
            self._others = tuple(sorted((*self._others, pane), key=lambda p: p.letter))
            self.is_on = True
            self._apply()

    def remove(self, letter: str) -> None:
        """Without that model; without the last of the others nothing is compared any more."""
        self._others = tuple(pane for pane in self._others if pane.letter != letter)
        self.is_on = self.is_on and bool(self._others)
        self._apply()

    def set_pane(self, letter: str, **changes: Any) -> None:  # noqa: ANN401 - fields of Pane
        """Another card, device or strategy for one of the others."""
        self._others = tuple(
            replace(pane, **changes) if pane.letter == letter else pane for pane in self._others
        )
        self._apply()

    def set_look(self, look: Look) -> None:
        """Look at it in another way."""
        if look != self.look:
            self.look = look
            self.changed.emit()

    def blink(self, *, on: bool) -> None:
        """Show the other of the pair, or stop."""
        if on != self.is_blinking and (self.is_on or not on):
            self.is_blinking = on
            self.blinked.emit()

    def _second(self) -> tuple[Pane, ...]:
        """Another model, of the same classes if possible; the same one mirrored if it is alone."""
        shelf = self._host.models
        chosen = "" if shelf.chosen is None else shelf.chosen.name
        rest = [card for card in shelf.cards if card.name != chosen]
        classes = self._host.model_classes
        rest.sort(key=lambda card: card.classes != classes)
        if rest:
            return (Pane("B", rest[0], shelf.device, shelf.strategy),)
        if shelf.chosen is None:
            return ()
        other = replace(shelf.strategy, flip=not shelf.strategy.flip)
        return (Pane("B", shelf.chosen, shelf.device, other),)

    def _apply(self) -> None:
        """The infer thread gets what changed; a model whose pane is as before stays loaded."""
        wanted = self._others if self.is_on else ()
        before = self._loads
        self._loads = {
            pane.letter: self._loads[pane.letter]
            if self._loads.get(pane.letter, (None,))[0] == pane
            else (pane, live.loader(pane.card, pane.device, pane.strategy))
            for pane in wanted
            if pane.card is not None
        }
        for letter in self._states.keys() - self._loads.keys():
            del self._states[letter]
            self._host.player.speeds.begin(letter)
        self._mapped.clear()
        if self.is_on:
            self.look = self.look.fitted(self.letters)
        request = self._host.player.compare({n: load for n, (_, load) in self._loads.items()})
        self._since = {
            n: self._since[n] if before.get(n) is self._loads[n] else request for n in self._loads
        }
        self.changed.emit()

    @Slot()
    def _follow_source(self) -> None:
        """Another source has a pipeline of its own, which does not know whom to compare."""
        info = self._host.player.info
        source = "" if info is None else f"{info.id} {info.path}"
        if source != self._source:
            self._source = source
            self._mapped.clear()
            if self._loads and source:
                loads = {letter: load for letter, (_, load) in self._loads.items()}
                self._since = dict.fromkeys(loads, self._host.player.compare(loads))

    @Slot(object)
    def _take_states(self, states: dict[str, ModelState]) -> None:
        old, self._states = self._states, {n: s for n, s in states.items() if n in self._loads}
        for letter in old.keys() | self._states.keys():
            if old.get(letter) is not self._states.get(letter):
                self._host.player.speeds.begin(letter)
        self.changed.emit()

    # --- what they say about the frame on the screen

    def prediction(self, letter: str) -> Prediction | None:
        """None while there is none about this very frame."""
        result = self._host.result
        if result is None:
            return None
        since = self._host.player.model_since if letter == FIRST else self._since.get(letter, 0)
        if result.request < since:  # of the model that was there before
            return None
        if letter == FIRST:
            return result.prediction
        found = next((a for a in result.others if a.letter == letter), None)
        return None if found is None else found.prediction

    def labels(self, letter: str) -> NDArray[np.uint8] | None:
        """uint8 (H, W), read-only, in the project's classes; None while there is no prediction."""
        prediction, classes = self.prediction(letter), self._editor.classes
        if prediction is None or not has_common(prediction.classes, classes, self._came_from):
            return None
        have = self._mapped.get(letter)
        if have is None or have[0] is not prediction or have[1] != classes:
            have = prediction, classes, in_classes(prediction, classes, self._came_from)
            self._mapped[letter] = have
        return have[2]

    def answers(self) -> "Answers":
        """What every model says about the frame on the screen, those that said something."""
        found = ((letter, self.labels(letter)) for letter in self.letters)
        return tuple((letter, labels) for letter, labels in found if labels is not None)

    def member_labels(self, member: str) -> NDArray[np.uint8] | None:
        """The same for a member of a pair: of a pane, or the labels of the frame."""
        if member != LABELS:
            return self.labels(member)
        held = self._editor.held
        return None if held is None or held.is_blank else held.document.labels

    def trouble(self, letter: str) -> str:
        """Why a pane shows nothing, one sentence; "" when it does or soon will."""
        pane, status, result = self.pane(letter), self.status(letter), self._host.result
        if pane is None or pane.card is None:
            return "Choose a model."
        if status.kind == "failed":
            return status.text
        if not has_common(pane.card.classes, self._editor.classes, self._came_from):
            return (
                f"The classes of '{pane.card.classes.name}' have nothing in common with those of"
                f" '{self._editor.classes.name}'; choose a model of these classes."
            )
        if result is not None and result.frame.note:
            return "This frame is damaged; it can be seen but not labelled."
        return ""

    def mapped(self, letter: str) -> tuple[str, str]:
        """What is lost where a model has other classes: a few words, and a sentence; "" for none.

        ("15 of 19 classes", "Held against camvid; nothing there corresponds to …").
        """
        pane, target = self.pane(letter), self._editor.classes
        if pane is None or pane.card is None or pane.card.classes == target:
            return "", ""
        source = pane.card.classes
        table = mapping_for(source, target, self._came_from).table
        lost = [c.name for c in source.classes if table[c.id] == VOID and not _is_void(c.name)]
        never = {table[c.id] for c in source.classes}
        missing = [c.name for c in target.classes if c.id not in never]
        sentences = [f"Its classes ({source.name}) are held against {target.name}."]
        if lost:
            sentences.append(f"Shown as void: {', '.join(lost)}.")
        if missing:
            sentences.append(f"It never says: {', '.join(missing)}.")
        if not (lost or missing):
            return "", " ".join(sentences)
        return f"{len(source) - len(lost)} of {len(source)} classes", "\n".join(sentences)

    def reading(self, letter: str, y: int, x: int) -> str:
        """ "Road 97 %": what a model says at a pixel, "" when it says nothing."""
        labels, prediction = self.labels(letter), self.prediction(letter)
        if (
            labels is None
            or prediction is None
            or not (0 <= y < labels.shape[0] and 0 <= x < labels.shape[1])
        ):
            return ""
        own = int(prediction.labels[y, x])
        name = self._editor.classes.name_of(int(labels[y, x]))
        chance = prediction.logits.probabilities_at(y, x)
        where = np.flatnonzero(prediction.logits.class_ids == own)
        return f"{name} {100 * float(chance[where[0]]):.0f} %" if len(where) else name

    @property
    def _came_from(self) -> CameFrom:
        return self._editor.projects.came_from

    @Slot()
    def _forget_mapped(self) -> None:
        self._mapped.clear()

    def follow(self) -> None:
        """Another result is on the screen."""
        self.arrived.emit()


@lru_cache(maxsize=64)
def has_common(source: ClassMap, target: ClassMap, came_from: CameFrom = None) -> bool:
    """True when at least one class of the one set is one of the other."""
    if source == target:
        return True
    table = mapping_for(source, target, came_from).table
    return any(table[c.id] != VOID for c in source.classes)


def _is_void(name: str) -> bool:
    """A class of some nets that is void everywhere else."""
    return name.casefold() in ("void", "unlabelled", "unlabeled", "ignore")
