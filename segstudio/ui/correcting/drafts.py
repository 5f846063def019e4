"""What models say about the current frame, in the classes of the project. Part of the editor."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.feature_map import FeatureMap
from segstudio.core.frame import Frame, FrameId
from segstudio.core.look import Measure, Seen, UnsureKind, UnsureLook
from segstudio.core.prediction import Logits, Prediction
from segstudio.ui.bridge import live
from segstudio.ui.bridge.background import Job
from segstudio.ui.correcting.host import Host

if TYPE_CHECKING:
    from segstudio.core.class_mapping import ClassMapping
    from segstudio.engine.predictor import Predictor


CameFrom: TypeAlias = "tuple[ClassMap, ClassMapping] | None"
"""The set that a project's classes were edited from, and what became of each id."""


class Drafts(QObject):
    """Remembers the last answer of each question, because tools ask at every mouse move.

    Signals:
        arrived(): labels of a second model are there.
    """

    arrived = Signal()

    def __init__(self, host: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._mapped: tuple[Prediction, ClassMap, NDArray[np.uint8]] | None = None
        self.seen: Callable[[], Seen | None] = lambda: None  # the session puts Inside's here
        self._sure: tuple[object, UnsureKind, NDArray[np.uint8]] | None = None
        self._second: tuple[FrameId, str, Prediction] | None = None
        self._second_mapped: tuple[Prediction, ClassMap, NDArray[np.uint8]] | None = None
        self._asked: tuple[FrameId, str] | None = None
        self._job: Job | None = None

    def prediction(self, frame: Frame | None) -> Prediction | None:
        """The chosen model's, when the one on the screen is about this very frame."""
        result = self._host.result
        if frame is None or result is None or result.prediction is None:
            return None
        return result.prediction if result.prediction.frame.id == frame.id else None

    def of(
        self, frame: Frame, classes: ClassMap, came_from: "CameFrom" = None
    ) -> NDArray[np.uint8] | None:
        """uint8 (H, W), read-only; None while there is no prediction."""
        prediction = self.prediction(frame)
        if prediction is None:
            return None
        have = self._mapped
        if have is None or have[0] is not prediction or have[1] != classes:
            have = self._mapped = (prediction, classes, in_classes(prediction, classes, came_from))
        return have[2]

    def model_of(self, frame: Frame | None) -> str:
        """The name of the model that drafted it, "" for none."""
        prediction = self.prediction(frame)
        return "" if prediction is None else prediction.model

    def sureness(self, frame: Frame, measure: UnsureKind) -> NDArray[np.uint8] | None:
        """uint8 (H, W), 0..255 = 0..1 by that measure; None while there is no prediction.

        What one answer does not tell ("flip", "flicker") is known while it is looked at; otherwise
        everything counts as sure.
        """
        prediction = self.prediction(frame)
        if prediction is None:
            return None
        if measure == "flip" or measure == "flicker":
            seen = self.seen()
            about = seen.map if seen is not None and seen.look == UnsureLook(measure) else None
            if about is None:
                return np.full(prediction.labels.shape, 255, np.uint8)
            return self._sure_of(about, measure, lambda: _sure_by_map(about, frame))
        logits = prediction.logits
        return self._sure_of(prediction, measure, lambda: _sure_by_answer(logits, measure))

    def _sure_of(
        self, about: object, measure: UnsureKind, make: Callable[[], NDArray[np.uint8]]
    ) -> NDArray[np.uint8]:
        have = self._sure
        if have is None or have[0] is not about or have[1] != measure:
            have = self._sure = (about, measure, make())
        return have[2]

    def second(
        self, frame: Frame, classes: ClassMap, model: str, came_from: "CameFrom" = None
    ) -> NDArray[np.uint8] | None:
        """Labels of another model; begins to make them when they are not there."""
        have = self._second
        if have is not None and have[:2] == (frame.id, model):
            done = self._second_mapped
            if done is None or done[0] is not have[2] or done[1] != classes:
                done = self._second_mapped = (
                    have[2],
                    classes,
                    in_classes(have[2], classes, came_from),
                )
            return done[2]
        if self._asked != (frame.id, model):
            self._ask(frame, model)
        return None

    def _ask(self, frame: Frame, model: str) -> None:
        card = next((c for c in self._host.models.cards if c.name == model), None)
        if card is None:
            return
        if self._job is not None:
            self._job.token.cancel()
        self._asked = asked = (frame.id, model)
        shelf = self._host.models
        load = live.loader(card, shelf.device, shelf.strategy)

        def op(_: Job) -> Prediction:
            predictor: Predictor = load()
            try:
                return predictor.predict(frame)
            finally:
                predictor.close()

        def success(prediction: Prediction) -> None:
            self._second = (*asked, prediction)
            self.arrived.emit()

        def failure(error: Exception) -> None:
            self._asked = None
            self._host.tell_error(error)

        self._job = self._host.background.run(
            op, success=success, failure=failure, name="second-model"
        )


def _sure_by_answer(logits: Logits, measure: Measure) -> NDArray[np.uint8]:
    from segstudio.core.confidence import sureness

    return sureness(logits, measure)


def _sure_by_map(found: FeatureMap, frame: Frame) -> NDArray[np.uint8]:
    from segstudio.core.confidence import sureness_seen

    return sureness_seen(found, (frame.height, frame.width))


def in_classes(
    prediction: Prediction, classes: ClassMap, came_from: "CameFrom" = None
) -> NDArray[np.uint8]:
    """The prediction's labels in another class set; ids that correspond to nothing are void."""
    if prediction.classes == classes:
        return prediction.labels
    from segstudio.core.class_mapping import remap

    labels = remap(prediction.labels, mapping_for(prediction.classes, classes, came_from))
    labels.setflags(write=False)
    return labels


@lru_cache(maxsize=16)
def mapping_for(source: ClassMap, target: ClassMap, came_from: "CameFrom" = None) -> "ClassMapping":
    """Found once for each pair of sets: it reads files.

    came_from: a set that the target was edited from, and what became of its ids: a merged class
    goes where its labels went, whatever it is called now.
    """
    from segstudio.core.class_mapping import ClassMapping
    from segstudio.store.class_sets import find_mapping

    direct = find_mapping(source, target)
    if came_from is None:
        return direct
    edited_from, edits = came_from
    first = find_mapping(source, edited_from)
    table = (
        edits.table[v] if edits.table[v] != VOID else straight
        for v, straight in zip(first.table, direct.table, strict=True)
    )
    return ClassMapping(source.name, target.name, tuple(table))
