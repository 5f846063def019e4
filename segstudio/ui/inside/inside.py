"""Inside: what is looked at inside the models. Part of the session; UI thread only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.feature_map import FeatureMap
from segstudio.core.layers import LayerTree
from segstudio.core.look import EvidenceLook, LayerLook, Look, Pixel, Seen, UnsureLook
from segstudio.core.map_style import MapStyle
from segstudio.core.votes import Vote
from segstudio.engine.seats import FIRST, sentence
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.correcting.host import Host
from segstudio.ui.inside.layers import Layers
from segstudio.ui.inside.telling import Telling
from segstudio.ui.inside.unsure_record import UnsureRecord


@dataclass(frozen=True, slots=True)
class Chance:
    """One line of what a model says at a pixel. color: RGB. probability: 0..1."""

    class_id: int
    name: str
    color: tuple[int, int, int]
    probability: float


class Inside(QObject):
    """is_on: whether anything is looked at. letter: whose model. look: what at. style: how it is
    drawn. shows_labels: masks over the map. note: what people should know about the layer shown.
    pixel: under the cursor; pinned: chosen with a click. record: how unsure each frame was.

    Signals:
        changed(): is_on, letter, look, style, shows_labels, is_reading or trouble is new.
        arrived(): `seen` is new.
        tree_changed(), votes_changed(): what they say.
        pointed(): pixel or pinned is new.
        asked(): is_asking or progress is new.
    """

    changed = Signal()
    arrived = Signal()
    tree_changed = Signal()
    votes_changed = Signal()
    pointed = Signal()
    asked = Signal()

    def __init__(self, host: Host, comparison: Comparison, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._comparison = comparison
        self.is_on = self.shows_labels = False
        self.letter = FIRST
        self.look: Look | None = None
        self.style = MapStyle()
        self.note = ""
        self.pixel: Pixel | None = None
        self.pinned: Pixel | None = None
        self._trouble = ""
        self._source = host.player.opened
        self._states: dict[str, object] = {}
        self.record = UnsureRecord(self, host, comparison)
        self._telling = Telling(host.player, self._wanted)
        self._layers = Layers(host.player)
        self._telling.answered.connect(self.arrived)
        self._telling.failed.connect(self._take_trouble)
        self._telling.asked.connect(self.asked)
        self._layers.came.connect(self._take_tree)
        self._layers.voted.connect(self.votes_changed)
        self._layers.changed.connect(self.changed)
        host.player.model_changed.connect(self._follow_model)
        host.player.compared_changed.connect(self._follow_compared)
        host.player.source_changed.connect(self._follow_source)
        host.player.changed.connect(self._follow_playing)
        comparison.changed.connect(self._follow_panes)
        comparison.arrived.connect(self._follow_result)

    # --- what is asked for

    def turn_on(self) -> None:
        """Look into the model; the layers are read first."""
        if not self.is_on:
            self.is_on = True
            self.changed.emit()
            self._ask()

    def turn_off(self) -> None:
        """No hook, no copy, no map; what was looked at is remembered."""
        if self.is_on:
            self.is_on = False
            self._telling.apply()
            self.changed.emit()

    def set_letter(self, letter: str) -> None:
        """Look into the model of another pane."""
        if letter != self.letter and letter in self._comparison.letters:
            self.letter = letter
            self._layers.forget()
            self.changed.emit()
            self._ask()

    def set_look(self, look: Look) -> None:
        """Look at something else."""
        if look != self.look:
            is_other = _without_pixel(look) != _without_pixel(self.look)
            self.look, self._trouble = look, ""
            self._telling.apply()
            if is_other:
                self.note = ""
                self.changed.emit()

    def set_style(self, style: MapStyle) -> None:
        """Draw it in another way."""
        if style != self.style:
            self.style = style
            self.changed.emit()

    def set_shows_labels(self, *, on: bool) -> None:
        """Masks over the map, or the map alone."""
        if on != self.shows_labels:
            self.shows_labels = on
            self.changed.emit()

    def point(self, pixel: Pixel | None) -> None:
        """Another frame pixel is under the cursor."""
        if pixel != self.pixel:
            self.pixel = pixel
            self.pointed.emit()
            if pixel is not None and self.pinned is None:
                self._aim(pixel, is_click=False)

    def pin(self, pixel: Pixel | None) -> None:
        """Keep one frame pixel: evidence and votes are about it; None: follow the cursor again."""
        self.pinned = pixel
        self._layers.forget_votes()
        self.pointed.emit()
        if pixel is not None:
            self._aim(pixel, is_click=True)
            self._ask_votes()

    def _aim(self, pixel: Pixel, *, is_click: bool) -> None:
        """Looks that are about a pixel follow it; evidence costs too much to follow the cursor."""
        look = self.look
        if isinstance(look, EvidenceLook):
            if is_click:
                self.set_look(replace(look, pixel=pixel))
        elif isinstance(look, LayerLook):
            by_pixel = look.show == "grid" and look.order == "pixel"
            if look.show == "similar" or by_pixel:
                self.set_look(replace(look, pixel=pixel))

    def _wanted(self) -> Mapping[str, Look | None]:
        return {letter: self.look_of(letter) for letter in self._comparison.letters}

    def look_of(self, letter: str) -> Look | None:
        """What the model of a pane is asked for: uncertainty is seen in every pane."""
        if not self.is_on or self.look is None:
            return None
        is_meant = letter == self.letter or isinstance(self.look, UnsureLook)
        return self.look if is_meant else None

    # --- what is seen

    @property
    def seen(self) -> Seen | None:
        """What the chosen model shows of the frame on the screen."""
        return self.seen_by(self.letter)

    def seen_by(self, letter: str) -> Seen | None:
        """The same for a pane; None while there is nothing about this frame and this look."""
        result, wanted = self._host.result, self.look_of(letter)
        if result is None or wanted is None:
            return None
        asked = self._telling.answer(letter, result.frame.id, wanted)
        if asked is not None:
            return asked
        prediction = self._comparison.prediction(letter)
        seen = None if prediction is None else prediction.seen
        return seen if seen is not None and seen.look == wanted else None

    def map_of(self, letter: str) -> FeatureMap | None:
        """What is drawn over the frame in a pane."""
        seen = self.seen_by(letter)
        return None if seen is None else seen.map

    @property
    def is_asking(self) -> bool:
        """True while the model works on what was asked for, which may take long."""
        return self.is_on and self._telling.is_busy(self.letter)

    @property
    def progress(self) -> float | None:
        """How far it is with what takes long, 0..1; None when that is not known."""
        return self._telling.progress(self.letter) if self.is_on else None

    def stop(self) -> None:
        """Give up what is being worked on."""
        self._telling.cancel()

    @property
    def trouble(self) -> str:
        """Why nothing is seen, one sentence; "" when something is or soon will be."""
        if self._host.models.chosen is None:
            return "Choose a model to look inside."
        seen = self.seen
        return (seen.trouble if seen is not None else "") or self._trouble or self._layers.trouble

    def probabilities(self, letter: str) -> list[Chance]:
        """What a model says at the pinned pixel, else under the cursor; the most likely first."""
        at, prediction = self.pinned or self.pixel, self._comparison.prediction(letter)
        if at is None or prediction is None:
            return []
        height, width = prediction.labels.shape
        if not (0 <= at[0] < height and 0 <= at[1] < width):
            return []
        chances, ids = prediction.logits.probabilities_at(*at), prediction.logits.class_ids
        colors, found = prediction.classes.palette(), []
        for channel in np.argsort(-chances, kind="stable"):
            class_id = int(ids[channel])
            red, green, blue = (int(c) for c in colors[class_id])
            name = prediction.classes.name_of(class_id)
            found.append(Chance(class_id, name, (red, green, blue), float(chances[channel])))
        return found

    @property
    def letters(self) -> tuple[str, ...]:
        """Of the panes."""
        return self._comparison.letters

    # --- layers and stages

    @property
    def tree(self) -> LayerTree | None:
        """The layers of the chosen model; None until they are known."""
        return self._layers.tree

    @property
    def is_reading(self) -> bool:
        """True while layers are read or measured."""
        return self._layers.is_reading

    @property
    def votes(self) -> tuple[Vote, ...]:
        """What the stages say at the pinned pixel."""
        return self._layers.votes

    def measure_costs(self) -> None:
        """Time and memory of every layer; frames wait meanwhile."""
        self._layers.measure_costs(self.letter)

    def measure_field(self, name: str, then: Callable[[tuple[int, int] | str], None]) -> None:
        """What one cell of a layer really sees: `then` gets (h, w) in input pixels, or why not."""
        call = self.look.call if isinstance(self.look, LayerLook) else -1
        self._layers.measure_field(self.letter, name, call, then)

    def _ask(self) -> None:
        """Models that have come or changed are told, and asked for their layers."""
        self._telling.apply()
        if self.is_on:
            self._layers.read(self.letter)

    def _ask_votes(self) -> None:
        if self.is_on and self.pinned is not None:
            self._layers.ask_votes(self.letter, self.pinned)

    @Slot()
    def _take_tree(self) -> None:
        tree, look = self._layers.tree, self.look
        if tree is not None and not (look is not None and _fits(look, tree)):
            layer = telling_layer(tree)
            if layer is not None and look is None:
                self.set_look(LayerLook(layer, show="pca"))
            elif layer is not None and isinstance(look, LayerLook | EvidenceLook):
                gone = look.layer
                self.set_look(_of_layer(look, layer))
                if gone:
                    self.note = f"This model has no layer '{gone}': '{layer}' is shown."
                    self.changed.emit()
        self.tree_changed.emit()

    @Slot(object)
    def _take_trouble(self, error: Exception) -> None:
        self._trouble = sentence(error)
        self.changed.emit()

    # --- what happens elsewhere

    @Slot(object)
    def _follow_model(self, state: Any) -> None:  # noqa: ANN401 - a ModelState
        self._telling.forget(FIRST)
        if self.letter == FIRST:
            self._layers.forget()
        if state.kind == "ready":
            self._ask()
        self.changed.emit()

    @Slot(object)
    def _follow_compared(self, states: dict[str, Any]) -> None:
        for letter, state in states.items():
            if self._states.get(letter) is not state:
                self._telling.forget(letter)
                if self.letter == letter:
                    self._layers.forget()
        self._states = dict(states)
        self._ask()

    @Slot()
    def _follow_source(self) -> None:
        if self._host.player.opened != self._source:  # another pipeline, with models of its own
            self._source = self._host.player.opened
            self._telling.keep(())
            self._layers.forget()
            self.pixel = self.pinned = None
            self.pointed.emit()

    @Slot()
    def _follow_panes(self) -> None:
        letters = self._comparison.letters
        self._telling.keep(letters)
        if self.letter not in letters:
            self.letter = FIRST
            self._layers.forget()
            self.changed.emit()
        self._ask()

    @Slot()
    def _follow_playing(self) -> None:
        if self._host.player.playing.is_playing and isinstance(self.look, EvidenceLook):
            self._telling.cancel()

    @Slot()
    def _follow_result(self) -> None:
        if not self.is_on:
            return
        self._layers.forget_votes()
        prediction = self._comparison.prediction(self.letter)
        if prediction is not None:
            self._layers.follow(self.letter, prediction.input_size)
        if not self._host.player.playing.is_playing:
            if isinstance(self.look, EvidenceLook) and self.look.kind == "occlusion":
                self._telling.repeat(self.letter)
            self._ask_votes()
        self.arrived.emit()


def telling_layer(tree: LayerTree) -> str | None:
    """A layer to begin with: a declared stage in the middle of the net, else any map there."""
    maps = [layer for layer in tree.layers if layer.calls and layer.calls[-1].is_map]
    good = [layer for layer in maps if layer.is_tap] or maps
    return good[len(good) // 2].name if good else None


def _fits(look: Look, tree: LayerTree) -> bool:
    if not isinstance(look, LayerLook | EvidenceLook):
        return True
    facts = tree.get(look.layer)
    if facts is None:
        return False
    return not isinstance(look, LayerLook) or not facts.calls or -1 <= look.call < len(facts.calls)


def _of_layer(look: LayerLook | EvidenceLook, layer: str) -> Look:
    """The same of another layer, which has other channels and may run once only."""
    if isinstance(look, LayerLook):
        return replace(look, layer=layer, call=-1, channel=0)
    return replace(look, layer=layer, call=-1)


def _without_pixel(look: Look | None) -> Look | None:
    return replace(look, pixel=None) if isinstance(look, LayerLook | EvidenceLook) else look
