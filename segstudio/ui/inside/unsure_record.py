"""How unsure each frame was that has gone by. Part of the session.

The figures are those that were made in the infer thread together with each prediction, also of
frames that the screen passed over; nothing is calculated here. A result is written down in the
infer thread, so that playing costs the window nothing.

A model that is looked into again, or a kind of uncertainty, has its figures still: they are kept by
what they are of, not by the letter that the model had.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core.frame import FrameId
from segstudio.core.look import Seen, UnsureKind, UnsureLook
from segstudio.core.peaks import peaks
from segstudio.engine.play import ModelState, PipelineResult
from segstudio.engine.seats import FIRST
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.comparing.panes import Pane
from segstudio.ui.correcting.host import Host

if TYPE_CHECKING:
    from segstudio.ui.inside.inside import Inside

TELL_MS = 100

MOST = 24
"""Curves that are kept; the one that was not looked at for longest goes."""

MOST_EARLY = 32
"""Answers that are kept until it is known that their model is the one that was chosen."""

Identity = tuple[str, ...]
"""Of a model as it is put to frames: name, place, device, settings and state of its weights."""


@dataclass(slots=True, eq=False)
class _Curve:
    """Of one model and kind on one medium. values: float32, by frame; NaN where none is known."""

    values: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def put(self, index: int, share: float) -> None:
        if index >= len(self.values):
            longer = np.full(max(256, 2 * index), np.nan, np.float32)
            longer[: len(self.values)] = self.values
            self.values = longer
        self.values[index] = share


class UnsureRecord(QObject):
    """kind: of uncertainty that is looked at now; None while there is none.

    Signals:
        changed(): values or kind are new; at most ten times a second.
    """

    changed = Signal()

    def __init__(self, inside: "Inside", host: Host, comparison: Comparison) -> None:
        super().__init__(inside)
        self._inside = inside
        self._host = host
        self._comparison = comparison
        self._lock = threading.Lock()
        # Guarded by the lock:
        self._kind: UnsureKind | None = None
        self._models: dict[str, Identity] = {}  # by letter; none of one that is being changed
        self._early: dict[tuple[str, FrameId], tuple[str, Seen]] = {}
        self._curves: dict[tuple[Identity, UnsureKind, str], _Curve] = {}  # the newest last
        self._is_new = False
        self._peaks: tuple[str, str, NDArray[np.int64]] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TELL_MS)
        self._timer.timeout.connect(self._tell)
        host.player.watchers.append(self.take)
        host.player.model_changed.connect(self._follow_model)
        host.player.compared_changed.connect(self._follow_compared)
        comparison.changed.connect(self._follow_panes)
        inside.changed.connect(self._follow_look)
        inside.arrived.connect(self._take_shown)

    @property
    def kind(self) -> UnsureKind | None:
        """See above."""
        return self._kind

    # --- what is known

    def values(self, letter: str, count: int) -> NDArray[np.float32]:
        """float32 (count,), 0..1: of the frames of the open medium; NaN where nothing is known."""
        result = np.full(count, np.nan, np.float32)
        info = self._host.player.info
        with self._lock:
            model, kind = self._models.get(letter), self._kind
            if info is not None and model is not None and kind is not None:
                curve = self._curves.get((model, kind, info.id))
                known = np.zeros(0, np.float32) if curve is None else curve.values[:count]
                result[: len(known)] = known
        return result

    def peaks(self) -> NDArray[np.int64]:
        """Frames of the open medium that stand out, in order: of the model that is looked into."""
        letter, info = self._inside.letter, self._host.player.info
        if info is None:
            return np.zeros(0, np.int64)
        if self._peaks is None or self._peaks[:2] != (letter, info.id):
            self._peaks = (letter, info.id, peaks(self.values(letter, info.frames)))
        return self._peaks[2]

    def next_peak(self, index: int, *, by: int = 1) -> int | None:
        """The next frame after `index` that stands out, or with by=-1 the one before it."""
        found = self.peaks()
        beyond = found[found > index] if by > 0 else found[found < index][::-1]
        return int(beyond[0]) if len(beyond) else None

    # --- writing it down

    def take(self, result: PipelineResult) -> None:
        """In the infer thread, with every result."""
        said = [(FIRST, result.prediction)]
        said += [(answer.letter, answer.prediction) for answer in result.others]
        for letter, prediction in said:
            if prediction is not None and prediction.seen is not None:
                self._put(letter, prediction.model, result.frame.id, prediction.seen)

    def _put(self, letter: str, model: str, frame: FrameId, seen: Seen) -> None:
        """model: its name; "" is whichever it was."""
        share, look = seen.frame_share, seen.look
        with self._lock:
            if share is None or not isinstance(look, UnsureLook) or look.kind != self._kind:
                return
            identity = self._models.get(letter)
            if identity is None or model not in ("", identity[0]):
                self._early.pop((letter, frame), None)
                self._early[letter, frame] = (model, seen)
                while len(self._early) > MOST_EARLY:
                    del self._early[next(iter(self._early))]
                return
            key = (identity, look.kind, frame.source)
            curve = self._curves.pop(key, None) or _Curve()
            self._curves[key] = curve  # now the newest
            while len(self._curves) > MOST:
                del self._curves[next(iter(self._curves))]
            curve.put(frame.index, share)
            self._is_new = True

    @Slot()
    def _take_shown(self) -> None:
        """A frame on the screen that was looked at without being predicted again."""
        result = self._host.result
        for letter in self._inside.letters if result is not None else ():
            seen = self._inside.seen_by(letter)
            if seen is not None and result is not None:
                self._put(letter, "", result.frame.id, seen)

    # --- following

    @Slot()
    def _follow_look(self) -> None:
        look = self._inside.look if self._inside.is_on else None
        kind = look.kind if isinstance(look, UnsureLook) else None
        if kind == self._kind:
            return
        for letter in self._inside.letters:
            if letter not in self._models:
                self._identify(letter)
        with self._lock:
            self._kind = kind
            self._is_new = True
        if kind is None:
            self._timer.stop()
        else:
            self._timer.start()
        self._tell()

    @Slot(object)
    def _follow_model(self, state: ModelState) -> None:
        """Another model, or the same put to frames in another way: figures do not mix."""
        self._follow_compared({FIRST: state})

    @Slot(object)
    def _follow_compared(self, states: dict[str, ModelState]) -> None:
        for letter, state in states.items():
            if state.kind in ("loading", "ready"):
                self._identify(letter, state.name)

    @Slot()
    def _follow_panes(self) -> None:
        """What is chosen differs from what answers until the model says that it is loaded."""
        with self._lock:
            for letter, known in list(self._models.items()):
                pane = self._comparison.pane(letter)
                if pane is None or known[:-1] != _settings_of(pane):
                    del self._models[letter]
                    self._is_new = True

    def _identify(self, letter: str, name: str = "") -> None:
        """Whose figures come under that letter from now on. name: of the model that says so."""
        pane = self._comparison.pane(letter)
        card = None if pane is None else pane.card
        if pane is None or card is None or name not in ("", card.name):
            return
        identity = (*_settings_of(pane), _stamp(card.folder / card.weights))
        with self._lock:
            early = [(key, said) for key, said in self._early.items() if key[0] == letter]
            self._early = {key: said for key, said in self._early.items() if key[0] != letter}
            self._models[letter] = identity
            self._is_new = True
        for (_, frame), (model, seen) in early:
            if model in ("", card.name):
                self._put(letter, model, frame, seen)

    @Slot()
    def _tell(self) -> None:
        with self._lock:
            is_new, self._is_new = self._is_new, False
        if is_new:
            self._peaks = None
            self.changed.emit()


def _settings_of(pane: Pane) -> Identity:
    """All of an identity but the state of the weights."""
    card = pane.card
    name, folder = ("", "") if card is None else (card.name, str(card.folder))
    return name, folder, pane.device, repr(pane.strategy)


def _stamp(weights: Path) -> str:
    """Another one when the file is another; "" when there is none."""
    try:
        found = weights.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size}"
