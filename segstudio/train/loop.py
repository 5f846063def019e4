"""The training loop, on one screen: batch, loss, step; now and then validate and save."""

import dataclasses
import json
import math
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.engine.allocator import keep_freed_memory
from segstudio.errors import SegStudioError
from segstudio.train import checkpoint
from segstudio.train.assembling import assemble
from segstudio.train.border_weights import with_borders
from segstudio.train.control import POLL_S, Control
from segstudio.train.criterion import criterion
from segstudio.train.distributed import Team, team
from segstudio.train.feeding import feed
from segstudio.train.judging import Judge
from segstudio.train.lineage import origin_of
from segstudio.train.precision import limit_threads, precision
from segstudio.train.preparing import Training, prepare
from segstudio.train.progress import Tell
from segstudio.train.stepping import Stepper
from segstudio.train.watching import Meter, Watch, lost, memory_mb

REPORT_EVERY = 20
"""Steps between two "step" events."""


def fit(
    recipe: TrainRecipe,
    run: Path,
    classes: ClassMap,
    rule: InputRule,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    tell: Tell = lambda _event: None,
) -> Iterator[TrainEvent]:
    """Train until `recipe.steps` or until `should_stop`; go on where `run`/last.pt stands.

    Yields an event every few steps, after every validation and at the end. Writes last.pt and
    best.pt (best mean IoU over all validation pictures). Started by torchrun, each process yields
    the same events and the first one writes.

    tell: hears the "preparing" events at once, which come before the first that is yielded.

    SegStudioError when the loss is no number any more, when memory is too small for any batch, and
    when the weights of the end cannot be written; best.pt and last.pt are whole in every case.
    """
    keep_freed_memory()
    limit_threads(recipe.threads)
    with team(recipe.device) as together:
        yield from _fit(recipe, run, classes, rule, together, should_stop, tell)


def _fit(
    recipe: TrainRecipe,
    run: Path,
    classes: ClassMap,
    rule: InputRule,
    together: Team,
    should_stop: Callable[[], bool],
    tell: Tell,
) -> Iterator[TrainEvent]:
    dtype, note = precision(recipe.precision, together.device)
    recipe, borders = with_borders(recipe, classes)
    training = prepare(recipe, classes, run, together, dtype)
    spec = training.spec
    spec.check_size(*recipe.crop)
    rule = dataclasses.replace(
        rule, multiple_of=math.lcm(rule.multiple_of, spec.multiple_of), remainder=spec.remainder
    )
    material = assemble(recipe, run, classes, rule, together, tell)
    if together.rank.is_first and not training.origin:
        origin = origin_of(recipe, run, together.device, material.corrected)
        training.origin = json.dumps(origin.to_json())
    judge = Judge(training, material.sets, classes, rule, run, together)
    stepper = Stepper(training, recipe, together, dtype, criterion(recipe, spec, material.weights))
    wishes = _Wishes(run, together, should_stop)
    watch, meter = Watch(together.device), Meter()
    judged = sum(len(pairs) for pairs in material.sets.values())
    yield _started(training, together, dtype, [note, borders, *material.notes], judged)
    if training.step >= recipe.steps:
        yield TrainEvent("finished", training.step, {"best_miou": training.best})
        return
    for batch in feed(
        material.samples,
        training.share,
        first=training.step,
        last=recipe.steps,
        workers=recipe.workers,
    ):
        values, is_smaller = stepper.step(*batch)
        meter.add(training.share.effective)
        if is_smaller:
            yield _smaller(training)
        wish = yield from wishes.heed(training, meter)
        is_last = training.step >= recipe.steps or wish == "stop"
        is_due = training.step % recipe.validate_every == 0 or is_last
        yield from _stop_when_lost(training, together, run, watch.put(training.step, values))
        if training.step % REPORT_EVERY == 0:
            yield _told(values, training, recipe, meter, together)
            meter.restart()
        if is_due:
            yield from _stop_when_lost(training, together, run, watch.look() or lost(training))
            yield from judge.judge()
            meter.restart()
            if 0 < recipe.patience <= training.without_gain and not is_last:
                yield TrainEvent(
                    "stopped",
                    training.step,
                    {"why": f"no better mIoU in {training.without_gain} validations"},
                )
                is_last = True
        if is_last:
            break
    if not judge.is_saved:
        raise SegStudioError(
            f"The weights of step {training.step} could not be written to {run}; make room there"
            " and go on with the same command from the last checkpoint."
        )
    yield TrainEvent("finished", training.step, {"best_miou": training.best})


class _Wishes:
    """What is asked of the run between two steps, by its caller or by its control file."""

    def __init__(self, run: Path, together: Team, should_stop: Callable[[], bool]) -> None:
        self._control = Control(run) if together.rank.is_first else None
        self._together = together
        self._should_stop = should_stop

    def heed(self, training: Training, meter: Meter) -> Generator[TrainEvent, None, str]:
        """Waits while a pause is asked for; returns "go" or "stop", the same in every process."""
        wish, step = self._wish(), training.step
        if wish == "pause":
            yield TrainEvent("paused", step, {})
            began = time.perf_counter()
            while (wish := self._wish()) == "pause":
                time.sleep(POLL_S)
            training.since += time.perf_counter() - began
            yield TrainEvent("resumed", step, {})
            meter.restart()
        if wish == "stop":
            yield TrainEvent("stopped", step, {"why": "asked to"})
            if self._control is not None:
                self._control.answered()
        return wish

    def _wish(self) -> str:
        wish = "go"
        if self._control is not None:
            wish = "stop" if self._should_stop() else self._control.wish()
        return str(self._together.told(wish))


def _started(
    training: Training, together: Team, dtype: torch.dtype, notes: list[str], judged: int
) -> TrainEvent:
    figures = {
        "device": str(together.device),
        "precision": str(dtype),
        "batch": -(-training.share.size // training.parts),
        "accumulation": training.parts,
        "processes": together.rank.of,
        "effective_batch": training.share.effective,
        "trained_weights": training.trained.numbers,
        "weights": training.trained.of,
        "judged_frames": judged,
        "notes": [note for note in notes if note],
    }
    return TrainEvent("started", training.step, figures)


def _smaller(training: Training) -> TrainEvent:
    figures = {
        "batch": -(-training.share.size // training.parts),
        "accumulation": training.parts,
        "why": "memory was short",
    }
    return TrainEvent("smaller_batch", training.step, figures)


def _told(
    values: Tensor, training: Training, recipe: TrainRecipe, meter: Meter, together: Team
) -> TrainEvent:
    loss = together.summed(float(values[0]))[0]
    rate = meter.rate()
    left = (recipe.steps - training.step) * training.share.effective / rate
    figures: dict[str, Any] = {
        "loss": loss if math.isfinite(loss) else None,
        "lr": training.optimiser.param_groups[0]["lr"],
        "samples_per_s": round(rate, 2),
        "eta_s": round(left),
        "memory_mb": memory_mb(together),
    }
    return TrainEvent("step", training.step, figures)


def _stop_when_lost(
    training: Training, together: Team, run: Path, at: int | None
) -> Iterator[TrainEvent]:
    """Event and SegStudioError when the loss or the gradient of step `at` was no number.

    The run is put back to where its best weights were: later ones were on their way to this.
    """
    step = max(together.gathered(at or 0))  # one process may be lost alone
    if not step:
        return
    effective = training.share.effective
    numbers = list(range((step - 1) * effective, step * effective))
    if together.rank.is_first and checkpoint.exists(run / "best.pt"):
        checkpoint.go_back(run / "last.pt", to=run / "best.pt")
    why = (
        f"The loss of step {step} is not a finite number (samples {numbers[0]} to {numbers[-1]});"
        " the best weights are kept, so go on from them with a lower learning rate (--lr) or with"
        " --precision fp32."
    )
    yield TrainEvent("failed", training.step, {"why": why, "samples": numbers})
    raise SegStudioError(why)
