"""The live view gives way to a training, where both would share one GPU."""

from typing import Protocol

from PySide6.QtCore import QObject, Signal, Slot

from segstudio.ui.training.process import State, TrainingProcess

AWAY: tuple[State, ...] = ("starting", "running", "pausing", "stopping", "cancelling")
"""States in which a run computes; a run that is paused does not."""


class Live(Protocol):
    """The live view, as it is seen from here."""

    @property
    def device(self) -> str:
        """Where its model runs: "cuda:0", "mps", "cpu"; "" while nobody knows."""
        ...

    def rest(self, *, on: bool) -> None:
        """Take its models out of memory, or load them again."""
        ...


class Yielding(QObject):
    """UI thread only.

    Signals:
        changed(): is_wanted may be another.
    """

    changed = Signal()

    def __init__(self, process: TrainingProcess, live: Live, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process, self._live = process, live
        self._said: bool | None = None
        self.is_resting = False
        process.state_changed.connect(self._follow)

    @property
    def is_wanted(self) -> bool:
        """What a person said, else by the device: memory of a GPU is short, a CPU is shared."""
        if self._said is not None:
            return self._said
        return self._live.device.startswith(("cuda", "mps"))

    @Slot(bool)
    def want(self, on: bool) -> None:  # noqa: FBT001  a signal's argument
        """A person said so; it holds at once."""
        self._said = on
        self._follow()
        self.changed.emit()

    @Slot()
    def _follow(self) -> None:
        shall_rest = self._process.state in AWAY and (self.is_resting or self.is_wanted)
        if self._said is False:
            shall_rest = False
        if shall_rest != self.is_resting:
            self.is_resting = shall_rest
            self._live.rest(on=shall_rest)
