"""Which frames and regions to correct next, and which labels to look at again.

Every model sees each frame once, and everything is measured on the way: what stays of a frame is
a few hundred numbers, so a clip may be of any length.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import remap
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.flicker import HALF_LIFE, MOST_SKIPPED, Flicker
from segstudio.core.frame import Frame, FrameId
from segstudio.core.frame_worth import FrameWorth, measured
from segstudio.core.geometry import Rect
from segstudio.core.label_errors import LabelError, LabelErrors
from segstudio.core.origins import PAINTED
from segstudio.core.prediction import Prediction
from segstudio.core.suggesting import Pick, Weights, rank, rank_regions
from segstudio.engine.flow import CancelToken
from segstudio.engine.project_sources import Medium
from segstudio.engine.run import Labeller
from segstudio.errors import FrameMissing, SegStudioError
from segstudio.media.source import SourceInfo
from segstudio.store.class_sets import find_mapping
from segstudio.store.project import FrameSummary, Project, StoredFrame

Labels = NDArray[np.uint8]
Progress: TypeAlias = Callable[[int, int], None]
"""Called with the frames of a medium that are through, and how many there are."""

PER_SECOND = 3.0
"""Frames of a video that are looked at: more would be too near to each other to be offered."""

MOST_CORRECTED = 48
"""Corrected frames of a medium that are looked at too, so that what is like them is known."""

FIRST_FRAMES = 3
"""After so many it is known what a frame takes."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something worth correcting. media, title: of its source. name: of the picture, "" in a video.

    region: frame pixels; None for the whole frame. score: falls down the list. terms: what each
    reason contributed to the score of the frame; of a label error its pixels, probability and
    margin. classes: what is in question in the region; the label first, then what it looks like.
    """

    frame: FrameId
    media: int
    title: str
    name: str
    region: Rect | None
    score: float
    reason: str
    terms: Mapping[str, float]
    classes: tuple[int, ...] = ()


@dataclass(slots=True)
class Told:
    """What else there is to say. looked: frames that models saw. offered: those of them that were
    not confirmed. missing: one sentence for each frame or medium that was left out. predict_s,
    measure_s: seconds that went into each.
    """

    looked: int = 0
    offered: int = 0
    missing: list[str] = field(default_factory=list)
    predict_s: float = 0.0
    measure_s: float = 0.0


@dataclass(slots=True, eq=False)
class Looked:
    """What is known of the frames of one medium, so that it can be gone on with. found: those that
    may be offered. taken: those that a human confirmed.
    """

    found: list[FrameWorth] = field(default_factory=list)
    taken: list[FrameWorth] = field(default_factory=list)

    @property
    def indices(self) -> frozenset[int]:
        """Of all of them."""
        return frozenset(each.frame.index for each in (*self.found, *self.taken))


class Looker:
    """Models that look at the same frames. For one thread.

    classes: of everything that is told. SegStudioError when a model has none of them.
    """

    def __init__(self, labellers: Sequence[Labeller], classes: ClassMap) -> None:
        self.classes = classes
        self._labellers = labellers
        self._mappings = [find_mapping(each.card.classes, classes) for each in labellers]
        self._flicker, self._last = Flicker(), 0
        for each, mapping in zip(labellers, self._mappings, strict=True):
            if not any(mapping.table[c.id] != VOID for c in each.card.classes.classes):
                raise SegStudioError(
                    f"The classes of the model '{each.card.name}' and of '{classes.name}' have no"
                    " name in common; choose a model of the same classes."
                )

    def look(
        self, frame: Frame, told: Told, *, media: int = 0, flickers: bool = True
    ) -> FrameWorth:
        """What a frame is worth. flickers: it belongs to a clip whose frames come in order."""
        start = time.perf_counter()
        answers = [each.predict(frame) for each in self._labellers]
        predicted = time.perf_counter()
        labels = [
            remap(answer.labels, mapping)
            for answer, mapping in zip(answers, self._mappings, strict=True)
        ]
        worth = measured(
            frame,
            answers[0].logits,
            self.ids(answers[0]),
            labels[0],
            others=labels[1:],
            flickers=self._flickering(frame, labels[0]) if flickers else None,
            media=media,
        )
        told.looked += 1
        told.predict_s += predicted - start
        told.measure_s += time.perf_counter() - predicted
        return worth

    def answer(self, frame: Frame) -> tuple[Prediction, Labels]:
        """The first model's word, and its labels in the common classes."""
        answer = self._labellers[0].predict(frame)
        return answer, remap(answer.labels, self._mappings[0])

    def ids(self, answer: Prediction) -> Labels:
        """uint8 (C,): the common class of each channel of the first model."""
        found: Labels = self._mappings[0].lut()[answer.logits.class_ids]
        return found

    def _flickering(self, frame: Frame, labels: Labels) -> NDArray[np.bool_] | None:
        """bool (h, w): the class changed since the frame before, or several times lately.

        One change adds so much to the mean of the last frames, which fades from then on.
        """
        found = self._flicker.see(frame, labels)
        step, self._last = frame.id.index - self._last, frame.id.index
        if self._flicker.is_new:
            return None
        return np.asarray(found >= 0.999 * (1 - 0.5 ** (step / HALF_LIFE)))


def suggest(
    media: Iterable[Medium],
    looker: Looker,
    n: int,
    *,
    regions: bool = False,
    corrected: NDArray[np.int64] | None = None,
    weights: Weights | None = None,
    every: int | None = None,
    budget_s: float | None = None,
    told: Told | None = None,
    on_progress: Progress | None = None,
    token: CancelToken | None = None,
) -> list[Suggestion]:
    """The n frames of all media together that are most worth correcting, best first.

    regions: of these frames the n regions with most doubt instead. corrected: see `rank`.
    every: each so many-th frame; None: PER_SECOND of a video, all pictures of a folder. budget_s:
    seconds for each medium; as many frames as that allows, evenly. Cancelled by `token`.
    """
    told = Told() if told is None else told
    found: list[FrameWorth] = []
    taken: list[FrameWorth] = []
    sources: dict[int, tuple[str, tuple[str, ...]]] = {}
    for medium in media:
        sources[medium.number] = (medium.title, medium.info.names)
        new, old = look_through(
            medium, looker, told, every=every, budget_s=budget_s, on_progress=on_progress,
            token=token,
        )  # fmt: skip
        found += new
        taken += old
        told.offered += len(new)
    picks = rank(found, n, looker.classes, weights=weights, taken=taken, corrected=corrected)
    if regions:
        picks = rank_regions(picks, n, looker.classes)
    return [suggestion_of(pick, *sources[pick.frame.media]) for pick in picks]


def look_through(
    medium: Medium,
    looker: Looker,
    told: Told,
    *,
    every: int | None = None,
    budget_s: float | None = None,
    on_progress: Progress | None = None,
    token: CancelToken | None = None,
    known: Looked | None = None,
) -> tuple[list[FrameWorth], list[FrameWorth]]:
    """What the frames are worth, and the confirmed ones apart from them, which are not offered.

    Options as of `suggest`. Frames that cannot be read whole are told and passed over. known: is
    added to frame by frame, so that it holds what was seen when this is cancelled; what it has is
    not looked at again.
    """
    known = Looked() if known is None else known
    info = medium.info
    step = usual_step(info) if every is None else every
    seen = _spread(sorted(medium.confirmed), MOST_CORRECTED)
    plan = sorted({*range(0, info.frames, step), *seen} - (medium.confirmed - set(seen)))
    if medium.confirmed.issuperset(plan):
        return known.found, known.taken
    before = known.indices
    plan = [index for index in plan if index not in before]
    known.taken += [
        FrameWorth(FrameId(info.id, i, medium.source.time_us(i), 0), medium.number)
        for i in sorted(medium.confirmed - set(seen) - before)
    ]
    flickers = info.kind != "image" and step <= MOST_SKIPPED
    start, done = time.perf_counter(), 0
    while done < len(plan):
        if token is not None:
            token.check()
        frame = _read(medium, plan[done], told)
        if frame is not None:
            worth = looker.look(frame, told, media=medium.number, flickers=flickers)
            (known.taken if frame.id.index in medium.confirmed else known.found).append(worth)
        done += 1
        if budget_s is not None:
            spent = time.perf_counter() - start
            if spent >= budget_s:
                break
            if done == FIRST_FRAMES:
                can_be = int((budget_s - spent) / (spent / done))
                plan[done:] = _spread(plan[done:], can_be)
        if on_progress is not None:
            on_progress(done, len(plan))
    return known.found, known.taken


@dataclass(frozen=True, slots=True)
class Place:
    """Which frame of which source. name: of the picture, "" in a video."""

    media: int
    frame: FrameId
    title: str
    name: str


class ErrorFinder:
    """Labels of people that the first model doubts; frames come one after the other.

    errors: what is asked of a doubt, see core.label_errors.
    """

    def __init__(self, looker: Looker, errors: LabelErrors[Place] | None = None) -> None:
        self._looker = looker
        self._errors = LabelErrors(looker.classes) if errors is None else errors

    def add(self, place: Place, frame: Frame, labels: Labels, by_people: NDArray[np.bool_]) -> None:
        """One frame; labels, by_people: (H, W)."""
        prediction, answer = self._looker.answer(frame)
        ids = self._looker.ids(prediction)
        self._errors.add(place, labels, by_people, answer, prediction.logits, ids)

    def found(self, n: int | None = None) -> list[Suggestion]:
        """The n worst, the worst first."""
        return [_suspected(error) for error in self._errors.found(n)]


def find_label_errors(
    media: Iterable[Medium],
    project: Project,
    finder: ErrorFinder,
    told: Told,
    *,
    on_progress: Progress | None = None,
    token: CancelToken | None = None,
) -> None:
    """Everything that people labelled in a project, into `finder`.

    Frames that are not the ones that were labelled are told and left out. Cancelled by `token`.
    """
    for medium in media:
        for done, (index, summary) in enumerate(sorted(medium.labelled.items()), start=1):
            if token is not None:
                token.check()
            found = _labelled(medium, project, index, summary, told)
            if found is not None:
                frame, stored = found
                place = Place(medium.number, frame.id, medium.title, medium.name(index))
                finder.add(place, frame, stored.labels, stored.origin >= PAINTED)
                told.looked += 1
            if on_progress is not None:
                on_progress(done, len(medium.labelled))


def _labelled(
    medium: Medium, project: Project, index: int, summary: FrameSummary, told: Told
) -> tuple[Frame, StoredFrame] | None:
    """A frame with its labels; None, and told, when they do not belong together."""
    frame = _read(medium, index, told)
    if frame is None:
        return None
    try:
        stored = project.load(summary.key)
    except SegStudioError as error:
        told.missing.append(str(error))
        return None
    is_it = frame.id.fingerprint == summary.about.fingerprint
    if stored is not None and is_it and stored.labels.shape == (frame.height, frame.width):
        return frame, stored
    told.missing.append(
        f"Frame {index} of {medium.title} is not the picture that was labelled any more, so it was"
        " left out."
    )
    return None


def usual_step(info: SourceInfo) -> int:
    """From one frame that is looked at to the next, when nobody says."""
    if info.kind != "video":
        return 1
    return max(1, round((info.fps or 30.0) / PER_SECOND))


def _read(medium: Medium, index: int, told: Told) -> Frame | None:
    try:
        frame = medium.source.read(index)
    except FrameMissing as error:
        told.missing.append(str(error))
        return None
    if frame.note:
        told.missing.append(f"Frame {index}: {frame.note}")
        return None
    return frame


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(indices) <= most:
        return list(indices)
    places = np.linspace(0, len(indices) - 1, max(0, most)).round().astype(int)
    return [indices[i] for i in places]


def suggestion_of(pick: Pick, title: str, names: tuple[str, ...]) -> Suggestion:
    """title, names: of the source, and of its pictures by frame."""
    frame, region = pick.frame.frame, pick.region
    return Suggestion(
        frame,
        pick.frame.media,
        title,
        names[frame.index] if frame.index < len(names) else "",
        None if region is None else region.rect,
        pick.score,
        pick.reason,
        pick.terms,
        () if region is None else region.classes,
    )


def _suspected(error: LabelError[Place]) -> Suggestion:
    place = error.key
    figures = {
        "pixels": float(error.pixels),
        "probability": error.probability,
        "margin": error.margin,
    }
    return Suggestion(
        place.frame, place.media, place.title, place.name, error.rect, error.score, error.reason,
        figures, (error.labelled, error.looks_like),
    )  # fmt: skip
