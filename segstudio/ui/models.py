"""ModelShelf: which models there are, which one is chosen, where it runs, how it is doing.

Part of the session. Cards are read without torch, so the list is there when the window opens;
devices are only known once torch is loaded.
"""

import logging
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.catalogue import ModelCard
from segstudio.core.settings import Settings
from segstudio.core.strategy import Strategy
from segstudio.engine.pipeline import ModelState
from segstudio.errors import SegStudioError
from segstudio.store import models as store

log = logging.getLogger("segstudio.ui")

NO_MODEL = "-"
"""The setting that says: pictures without masks, on purpose. "" means: the best there is."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """kind: "none" (no model chosen), "idle" (loads with the first picture), "loading", "ready",
    "resting" (out of memory for a while) or "failed". text: the sentence of a failure. device:
    where it really runs, once ready.
    """

    kind: str = "none"
    text: str = ""
    device: str = ""


class ModelShelf(QObject):
    """Signals:
    changed(): any of `cards`, `chosen`, `device`, `devices`, `status`, `strategy` is new.
    wanted(): another model, device or strategy was chosen: load it.
    """

    changed = Signal()
    wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cards: tuple[ModelCard, ...] = ()
        self.broken: tuple[str, ...] = ()
        self.chosen: ModelCard | None = None
        self.device = "auto"
        self.devices: tuple[Any, ...] = ()  # engine.device.DeviceChoice
        self.strategy = Strategy()
        self.status = ModelStatus()
        self._is_resting = False
        self._added: dict[str, ModelCard] = {}

    def scan(self) -> None:
        """Read the cards of every model folder; the chosen model stays chosen."""
        cards, self.broken = store.scan_models()
        known = {card.name: card for card in cards} | self._added
        self.cards = tuple(known.values())
        if self.chosen is not None:
            self.chosen = known.get(self.chosen.name, self.chosen)
        self.changed.emit()

    def restore(self, settings: Settings) -> str:
        """Take what the settings say; a sentence when their model is gone, else ""."""
        self.device, self.strategy = settings.device, settings.strategy
        trouble = ""
        if settings.model == NO_MODEL:
            self.chosen = None
        else:
            try:
                self.chosen = store.find_model(settings.model) if settings.model else None
            except SegStudioError as error:
                trouble = str(error)
            if self.chosen is None:
                self.chosen = store.default_model()
            elif self.chosen.name not in {card.name for card in self.cards}:
                self._added[self.chosen.name] = self.chosen
                self.cards = (*self.cards, self.chosen)
        self.show_idle()
        return trouble

    @property
    def name_to_remember(self) -> str:
        """What the settings keep of the choice: a name, a folder, or NO_MODEL."""
        name = NO_MODEL
        if self.chosen is not None:
            is_added = self.chosen.name in self._added
            name = str(self.chosen.folder) if is_added else self.chosen.name
        elif not self.cards:
            name = ""
        return name

    def choose(self, name: str | None) -> None:
        """Use the model with that name; None: none. An unknown name is ignored with a log line."""
        card = next((c for c in self.cards if c.name == name), None)
        if name is not None and card is None:
            log.warning("there is no model %s to choose", name)
            return
        self.chosen = card
        self._want()

    def add(self, card: ModelCard) -> None:
        """Put a model from anywhere on the shelf and choose it."""
        self._added[card.name] = card
        self.cards = (*(c for c in self.cards if c.name != card.name), card)
        self.chosen = card
        self._want()

    def remove(self, card: ModelCard) -> None:
        """Its folder is gone: take it off the shelf, and out of use if it was in use."""
        self._added.pop(card.name, None)
        was_used = self.chosen is not None and self.chosen.name == card.name
        self.scan()
        if was_used:
            best = store.default_model()
            self.choose(None if best is None else best.name)

    def choose_device(self, name: str) -> None:
        """ "auto" or a device's name."""
        if name != self.device:
            self.device = name
            self._want()

    def set_strategy(self, strategy: Strategy) -> None:
        """How the model is put to a frame, from now on."""
        if strategy != self.strategy:
            self.strategy = strategy
            self._want()

    def reload(self) -> None:
        """Load the chosen model again, as after a failure."""
        self._want()

    def show_idle(self) -> None:
        """Nothing runs: say what would."""
        kind = "resting" if self._is_resting else "idle"
        self._set_status(ModelStatus("none" if self.chosen is None else kind))

    def rest(self, *, on: bool) -> None:
        """Models are taken out of memory for a while, or come back; the player does it."""
        self._is_resting = on
        if self.status.kind in ("idle", "resting"):
            self.show_idle()

    @Slot(object)
    def show_state(self, state: ModelState) -> None:
        """A ModelState of the pipeline."""
        if state.kind == "failed":
            error = state.error
            known = isinstance(error, SegStudioError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            self._set_status(ModelStatus("failed", text))
        elif state.kind == "none":
            self.show_idle()
        else:
            self._set_status(ModelStatus(state.kind, device=state.device))

    def show_devices(self, devices: tuple[Any, ...]) -> None:
        """What this computer has, once it is known."""
        self.devices = devices
        self.changed.emit()

    def _want(self) -> None:
        self.show_idle()
        self.wanted.emit()

    def _set_status(self, status: ModelStatus) -> None:
        self.status = status
        self.changed.emit()
