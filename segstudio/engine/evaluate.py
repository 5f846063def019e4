"""How good models are: every frame, in order, none dropped, each decoded once for all of them."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import VOID
from segstudio.core.confusion import ConfusionMatrix, Counts
from segstudio.core.frame import Frame
from segstudio.core.strategy import Strategy
from segstudio.engine.flow import CancelToken
from segstudio.engine.predictor import Predictor
from segstudio.engine.run import Labeller
from segstudio.engine.strategies import labeller
from segstudio.errors import Cancelled, SegStudioError

log = logging.getLogger("segstudio.engine")

Labels = NDArray[np.uint8]

STAGES = ("prepare", "forward", "post")
"""What a model's time for one frame goes to; decoding is shared by all."""


def evaluate(
    predictor: Predictor,
    pairs: Iterable[tuple[Frame, Labels]],
    *,
    ignore: int = VOID,
    on_progress: Callable[[int], None] | None = None,
    token: CancelToken | None = None,
) -> ConfusionMatrix:
    """One confusion matrix over all pairs; row and column are positions in the model's class set.

    pairs: a frame and its reference labels, uint8 (H, W) in the ids of the model's class set. ids
    outside it, and `ignore`, are left out. on_progress: pairs done. Cancelled by `token`.
    """
    matrix = ConfusionMatrix.of(predictor.card.classes)
    for done, (frame, reference) in enumerate(pairs, start=1):
        if token is not None:
            token.check()
        if reference.shape != frame.rgb.shape[:2]:
            raise ValueError(
                f"Frame {frame.id.index} is {frame.width}×{frame.height}, but its labels are"
                f" {reference.shape[1]}×{reference.shape[0]}; give labels of the frame's size."
            )
        matrix.add(reference, predictor.predict(frame).labels, ignore=ignore)
        if on_progress is not None:
            on_progress(done)
    return matrix


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A frame and its reference labels, uint8 (H, W) of the frame's size. name: among the set.

    instances: int32 (H, W), Cityscapes' numbers of instances; None where there are none.
    """

    name: str
    frame: Frame
    reference: Labels
    instances: NDArray[np.int32] | None = None


@dataclass(slots=True, eq=False)
class Contestant:
    """One of the models that are measured on the same frames, and what it did so far.

    name: unique among them. to_reference: uint8 (256,), ids of the model's class set → ids of the
    labels'. counts: frame's name → int64 (C + 1, C + 1). stages: name → milliseconds per frame, in
    order. input_size: (h, w) that the net saw last. peak_mb: as in Prediction, the most of all
    frames. failed: one sentence, and it is asked no more.
    """

    name: str
    card: ModelCard
    strategy: Strategy
    to_reference: Labels
    labeller: Labeller | None = None
    device: str = ""
    precision: str = ""
    counts: dict[str, Counts] = field(default_factory=dict)
    stages: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STAGES})
    input_size: tuple[int, int] | None = None
    notes: dict[str, None] = field(default_factory=dict)
    peak_mb: float | None = None
    failed: str = ""

    def load(self, device: str) -> None:
        """Take the model into memory; a failure is kept in `failed`."""
        try:
            self.labeller = labeller(self.card, device, self.strategy)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  the others go on
            self._fail("could not be loaded", error)
            return
        self.device, self.precision = self.labeller.device, self.labeller.precision

    def answer(self, one: Labelled, matrix: ConfusionMatrix, ignore: int = VOID) -> Labels | None:
        """uint8 (H, W) in ids of the reference, counted; None when it failed, now or before."""
        if self.labeller is None:
            return None
        try:
            prediction = self.labeller.predict(one.frame)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  the others go on
            self._fail(f"failed at {one.name}", error)
            return None
        timing = prediction.timing
        for stage, ms in zip(
            STAGES, (timing.prepare, timing.forward, timing.upsample), strict=True
        ):
            self.stages[stage].append(ms)
        self.input_size = prediction.input_size
        self.precision = self.labeller.precision
        if prediction.peak_mb is not None:
            self.peak_mb = max(self.peak_mb or 0.0, prediction.peak_mb)
        self.notes.update(dict.fromkeys(prediction.notes))
        labels: Labels = np.take(self.to_reference, prediction.labels)
        self.counts[one.name] = matrix.counted(one.reference, labels, ignore=ignore)
        return labels

    def close(self) -> None:
        """Let go of the net. Twice is fine."""
        if self.labeller is not None:
            self.labeller.close()
            self.labeller = None

    def _fail(self, what: str, error: Exception) -> None:
        log.warning("%s %s", self.name, what, exc_info=error)
        said = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        is_told = isinstance(error, SegStudioError)
        self.failed = f"The model {what}: {said if is_told else f'{type(error).__name__}: {said}'}"
        self.close()


def take_turns(
    contestants: Sequence[Contestant],
    frames: Iterable[Labelled],
    matrix: ConfusionMatrix,
    *,
    ignore: int = VOID,
    on_frame: Callable[[Labelled, dict[str, Labels]], None] | None = None,
    token: CancelToken | None = None,
) -> None:
    """Every frame to every model that has not failed; the first to go changes with each frame.

    frames: reference labels in ids of the class set that `matrix` counts; labels of another size
    than the frame's must not be among them. on_frame: the frame and each model's labels by name,
    uint8 (H, W) in ids of the reference. Ends early when no model is left. Cancelled by `token`.
    """
    for index, one in enumerate(frames):
        if token is not None:
            token.check()
        first = index % len(contestants)
        answers = {
            each.name: each.answer(one, matrix, ignore)
            for each in (*contestants[first:], *contestants[:first])
        }
        if on_frame is not None:
            # In the order of the models, whoever was first to go.
            known = {each.name: answers[each.name] for each in contestants}
            on_frame(one, {name: labels for name, labels in known.items() if labels is not None})
        if all(each.failed for each in contestants):
            return
