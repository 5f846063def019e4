"""The layers of the model that is looked into, as its own thread says them. Part of Inside."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.core.layers import LayerCost, LayerTree
from segstudio.core.look import Pixel
from segstudio.core.votes import Vote
from segstudio.errors import Cancelled, SegStudioError
from segstudio.ui.player import Player

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor


class Layers(QObject):
    """tree: None until it is known. is_reading: it is being read or measured. trouble: why there is
    none, one sentence. votes: of the stages at the pixel that was asked for.

    Signals:
        came(): tree is new.
        voted(): votes is new.
        changed(): is_reading or trouble is new.
    """

    came = Signal()
    voted = Signal()
    changed = Signal()

    def __init__(self, player: Player) -> None:
        super().__init__(player)
        self._player = player
        self.tree: LayerTree | None = None
        self.votes: tuple[Vote, ...] = ()
        self.is_reading = False
        self.trouble = ""
        self._asked: object | None = None  # one for each model that was asked
        self._voting: Pixel | None = None

    def forget(self) -> None:
        """Another model, or none."""
        self._asked = None
        self._set(reading=False)
        self.forget_votes()
        if self.tree is not None:
            self.tree = None
            self.came.emit()

    def forget_votes(self) -> None:
        """They were about another frame or pixel."""
        self._voting = None
        if self.votes:
            self.votes = ()
            self.voted.emit()

    def read(self, letter: str) -> None:
        """Ask the model of that pane, unless it has been asked."""
        if self._asked is None and self._player.has_source:
            self._asked = object()
            self._set(reading=True)
            self._player.ask(letter, _tree, partial(self._take, self._asked))

    def follow(self, letter: str, size: tuple[int, int]) -> None:
        """Frames of another size go into the net as (h, w): shapes are read anew."""
        if self.tree is not None and self.tree.input_size != size and not self.is_reading:
            self._asked = object()
            self._set(reading=True)
            self._player.ask(letter, _tree, partial(self._take, self._asked))

    def _take(self, asked: object, value: object) -> None:
        if asked is not self._asked:
            return
        if isinstance(value, Cancelled):  # no model there: it is asked when there is one
            self._asked = None
        if isinstance(value, LayerTree):
            self.tree = value
        self._set(reading=False, trouble=_words(value))
        self.came.emit()

    def measure_costs(self, letter: str) -> None:
        """Time and memory of every layer; frames wait meanwhile."""
        if self.tree is not None and not self.is_reading:
            self._set(reading=True)
            self._player.ask(letter, _costs, partial(self._take_costs, self._asked))

    def _take_costs(self, asked: object, value: object) -> None:
        if asked is not self._asked or self.tree is None:
            return
        if isinstance(value, dict):
            self.tree = replace(self.tree, costs=value)
        self._set(reading=False, trouble=_words(value))
        self.came.emit()

    def measure_field(
        self, letter: str, name: str, call: int, then: Callable[[tuple[int, int] | str], None]
    ) -> None:
        """What a cell really depends on: `then` gets (h, w) in input pixels, or why not."""

        def take(value: object) -> None:
            if isinstance(value, tuple):
                then((int(value[0]), int(value[1])))
            else:
                then(_words(value) or "Nothing of the picture reaches this layer.")

        self._player.ask(letter, partial(_field, name=name, call=call), take)

    def ask_votes(self, letter: str, pixel: Pixel) -> None:
        """What every stage says at a frame pixel."""

        def take(value: object) -> None:
            if pixel == self._voting:
                self.votes = value if isinstance(value, tuple) else ()
                self._set(reading=self.is_reading, trouble=_words(value))
                self.voted.emit()

        self._voting = pixel
        self._player.ask(letter, partial(_votes, pixel=pixel), take)

    def _set(self, *, reading: bool, trouble: str = "") -> None:
        if (reading, trouble) != (self.is_reading, self.trouble):
            self.is_reading, self.trouble = reading, trouble
            self.changed.emit()


def _words(value: object) -> str:
    """What people are told when it is an error, else ""."""
    if not isinstance(value, Exception) or isinstance(value, Cancelled):
        return ""
    return str(value) if isinstance(value, SegStudioError) else f"{type(value).__name__}: {value}"


# --- what is done in the infer thread


def _tree(predictor: "Predictor", frame: "Frame") -> LayerTree:
    return predictor.looking.tree(predictor.input_size(frame.height, frame.width))


def _costs(predictor: "Predictor", frame: "Frame") -> dict[str, LayerCost]:
    return predictor.looking.costs(frame.rgb, predictor.input_size(frame.height, frame.width))


def _field(
    predictor: "Predictor", frame: "Frame", *, name: str, call: int
) -> tuple[int, int] | None:
    size = predictor.input_size(frame.height, frame.width)
    return predictor.looking.field(name, size, call)


def _votes(predictor: "Predictor", frame: "Frame", *, pixel: Pixel) -> tuple[Vote, ...]:
    size = predictor.input_size(frame.height, frame.width)
    return predictor.looking.votes(frame, size, pixel)
