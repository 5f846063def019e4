"""What a run has reported so far: curves, newest figures, what is best; from its events alone.

Events come from a living process or from the file of an earlier one, and the same events give the
same record. A run that goes on after a crash starts again at its last checkpoint: whatever it had
reported beyond that is forgotten when it says from where it starts.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.training import TrainEvent

LARGEST_STEP = 2**53
"""What claims to be beyond is a damaged line."""

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Steps, ascending, and a value each; NaN where the run had none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A held-out frame, its reference labels and what the model said; paths of files."""

    frame: Path
    labels: Path
    prediction: Path


@dataclass(frozen=True, slots=True)
class Validation:
    """How good one set was judged after a step. iou: class name → 0..1, NaN where it is nowhere."""

    step: int
    set: str
    miou: float
    iou: Mapping[str, float]
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """On what it runs; "" and 0 where the run did not say. judged: frames, None as well."""

    device: str = ""
    precision: str = ""
    batch: int = 0
    accumulation: int = 1
    processes: int = 1
    judged: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class RunRecord:
    """Fed with events in the order in which they were written. Not thread-safe.

    run: the folder, which relative paths of pictures begin at. state: "waiting" before anything
    was heard, "running", "paused", "stopped", "failed" or "finished". why: of a stop or failure.
    strange: events of kinds that this version does not know, the last few. preparing: what is done
    before the first step, in words, and how many frames of how many; "" when nothing is.
    """

    run: Path = Path()
    state: str = "waiting"
    step: int = 0
    setup: Setup = field(default_factory=Setup)
    why: str = ""
    strange: list[TrainEvent] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    preparing: tuple[str, int, int] = ("", 0, 0)
    _steps: dict[int, tuple[float, float, float, float, float]] = field(default_factory=dict)
    _judged: dict[tuple[str, int], Validation] = field(default_factory=dict)
    _saved: dict[int, bool] = field(default_factory=dict)

    @staticmethod
    def of(events: Iterable[TrainEvent], run: Path = Path()) -> "RunRecord":
        """The record of all of them."""
        record = RunRecord(run)
        for event in events:
            record.add(event)
        return record

    def add(self, event: TrainEvent) -> None:
        """One more; whatever its figures hold, nothing is raised."""
        take = _TAKES.get(event.kind)
        if take is None:
            self.strange = [*self.strange[-19:], event]
            return
        take(self, event.step, event.figures)
        self.step = event.step

    # --- what was reported

    @property
    def loss(self) -> Curve:
        """Of the batch."""
        return self._curve(0)

    @property
    def lr(self) -> Curve:
        """The learning rate."""
        return self._curve(1)

    @property
    def samples_per_s(self) -> float:
        """The newest; NaN when nobody said."""
        return self._newest(2)

    @property
    def eta_s(self) -> float:
        """Seconds that are left, by the newest word; NaN when nobody said."""
        return self._newest(3)

    @property
    def memory_mb(self) -> float:
        """MiB of the device; NaN where nobody counts."""
        return self._newest(4)

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the validation sets, in the order they came."""
        return tuple(dict.fromkeys(name for name, _ in self._judged))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of all classes that were judged, in the order they came."""
        return tuple(dict.fromkeys(c for v in self._judged.values() for c in v.iou))

    def miou(self, set_name: str) -> Curve:
        """Mean IoU of one set, 0..1."""
        found = self._validations(set_name)
        return _curve([v.step for v in found], [v.miou for v in found])

    def iou(self, set_name: str, class_name: str) -> Curve:
        """IoU of one class in one set, 0..1."""
        found = self._validations(set_name)
        return _curve([v.step for v in found], [v.iou.get(class_name, math.nan) for v in found])

    def last(self, set_name: str) -> Validation | None:
        """The newest word on a set."""
        found = self._validations(set_name)
        return found[-1] if found else None

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Held-out frames as the newest weights see them, of all sets."""
        newest = [self.last(name) for name in self.sets]
        return tuple(picture for v in newest if v is not None for picture in v.pictures)

    @property
    def best(self) -> tuple[int, float] | None:
        """The step whose weights are kept as the best, and their mean mIoU, NaN without any."""
        kept = [step for step, is_best in self._saved.items() if is_best]
        if not kept:
            return None
        return max(kept), self._mean_at(max(kept))

    @property
    def is_unjudged(self) -> bool:
        """No frame judges it: the best weights are simply the last ones. An older run does not say
        so; it tells by keeping weights without a validation."""
        if self.setup.judged is not None:
            return self.setup.judged == 0
        return bool(self._saved) and not self._judged

    @property
    def saved_step(self) -> int | None:
        """Where the last checkpoint stands; None before the first."""
        return max(self._saved, default=None)

    def _mean_at(self, step: int) -> float:
        values = [v.miou for (_, at), v in self._judged.items() if at == step and v.miou == v.miou]
        return sum(values) / len(values) if values else math.nan

    def _curve(self, column: int) -> Curve:
        steps = sorted(self._steps)
        return _curve(steps, [self._steps[step][column] for step in steps])

    def _newest(self, column: int) -> float:
        return self._steps[max(self._steps)][column] if self._steps else math.nan

    def _validations(self, set_name: str) -> list[Validation]:
        found = [v for (name, _), v in self._judged.items() if name == set_name]
        return sorted(found, key=lambda v: v.step)

    # --- taking events

    def _started(self, step: int, figures: Mapping[str, Any]) -> None:
        self._steps = {at: row for at, row in self._steps.items() if at <= step}
        self._judged = {key: v for key, v in self._judged.items() if key[1] <= step}
        self._saved = {at: is_best for at, is_best in self._saved.items() if at <= step}
        self.setup = Setup(
            str(figures.get("device", "")),
            str(figures.get("precision", "")).removeprefix("torch."),
            _whole(figures.get("batch"), 0),
            _whole(figures.get("accumulation"), 1),
            _whole(figures.get("processes"), 1),
            _whole(figures["judged_frames"], 0) if "judged_frames" in figures else None,
            _texts(figures.get("notes")),
        )
        self.state, self.why, self.notes = "running", "", []
        self.preparing = ("", 0, 0)

    def _prepares(self, step: int, figures: Mapping[str, Any]) -> None:
        done, of = (max(0, _whole(figures.get(name), 0)) for name in ("done", "of"))
        self.preparing = (str(figures.get("what", "")), done, of)

    def _stepped(self, step: int, figures: Mapping[str, Any]) -> None:
        names = ("loss", "lr", "samples_per_s", "eta_s", "memory_mb")
        loss, lr, rate, eta, memory = (_number(figures.get(name)) for name in names)
        self._steps[step] = (loss, lr, rate, eta, memory)
        self.state = "running"

    def _validated(self, step: int, figures: Mapping[str, Any]) -> None:
        name, iou = str(figures.get("set", "validation")), figures.get("iou")
        each = {str(c): _number(v) for c, v in iou.items()} if isinstance(iou, dict) else {}
        told = figures.get("pictures")
        pictures = [self._picture(row) for row in told] if isinstance(told, list) else []
        self._judged[name, step] = Validation(
            step, name, _number(figures.get("miou")), each, tuple(p for p in pictures if p)
        )

    def _picture(self, row: object) -> Picture | None:
        """None for what is not one."""
        if not isinstance(row, dict):
            return None
        names = [row.get(key) for key in ("frame", "labels", "prediction")]
        if not all(isinstance(name, str) and name for name in names):
            return None
        return Picture(*(self.run / str(name) for name in names))

    def _was_saved(self, step: int, figures: Mapping[str, Any]) -> None:
        self._saved[step] = figures.get("is_best") is True

    def _not_saved(self, step: int, figures: Mapping[str, Any]) -> None:
        self._note(f"Step {step} could not be saved: {figures.get('why', '')}")

    def _smaller(self, step: int, figures: Mapping[str, Any]) -> None:
        batch, parts = _whole(figures.get("batch"), 0), _whole(figures.get("accumulation"), 1)
        self._note(
            f"Memory was short at step {step}: each step now takes {parts} batches of {batch}"
            " instead, which learns the same, only slower."
        )

    def _note(self, text: str) -> None:
        self.notes = [*self.notes[-9:], text]

    def _paused(self, step: int, figures: Mapping[str, Any]) -> None:
        self.state = "paused"

    def _resumed(self, step: int, figures: Mapping[str, Any]) -> None:
        self.state = "running"

    def _stopped(self, step: int, figures: Mapping[str, Any]) -> None:
        self.state, self.why = "stopped", str(figures.get("why", ""))

    def _failed(self, step: int, figures: Mapping[str, Any]) -> None:
        self.state, self.why = "failed", str(figures.get("why", ""))

    def _finished(self, step: int, figures: Mapping[str, Any]) -> None:
        self.state = "finished"


_TAKES = {
    "preparing": RunRecord._prepares,
    "started": RunRecord._started,
    "step": RunRecord._stepped,
    "validated": RunRecord._validated,
    "saved": RunRecord._was_saved,
    "not_saved": RunRecord._not_saved,
    "smaller_batch": RunRecord._smaller,
    "paused": RunRecord._paused,
    "resumed": RunRecord._resumed,
    "stopped": RunRecord._stopped,
    "failed": RunRecord._failed,
    "finished": RunRecord._finished,
}


def parse_event(line: str) -> TrainEvent | None:
    """One line of the stream; None for a torn line and for what is no event.

    A run that was killed while it wrote leaves half a line, and the next one goes on behind it:
    such a line is read from its last event on.
    """
    start = line.rfind('{"event"')
    for text in (line, line[start:] if start > 0 else ""):
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(raw, dict):
            return None
        kind, step = raw.pop("event", None), raw.pop("step", None)
        if isinstance(kind, str) and type(step) is int and 0 <= step <= LARGEST_STEP:
            return TrainEvent(kind, step, raw)
        return None
    return None


def _curve(steps: Sequence[int], values: Sequence[float]) -> Curve:
    return np.array(steps, np.int64), np.array(values, np.float64)


def _number(value: object) -> float:
    """NaN for everything that is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        found = float(value)
    except OverflowError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _whole(value: object, otherwise: int) -> int:
    found = _number(value)
    return int(found) if found == found and abs(found) < LARGEST_STEP else otherwise


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
