"""What the models have seen of one source so far, and what that makes worth correcting.

Predictions are made by the models that play, one question at a time between the frames of the
screen, so none is loaded twice; frames are read from a source of the job's own. One job at a time
uses it, in the job's thread; a later one goes on where the last one stopped.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from segstudio.engine.flow import CancelToken
from segstudio.engine.seats import sentence
from segstudio.errors import Cancelled, MediaError, ModelError
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.ui.bridge.waiting import Ask, answer_of
from segstudio.ui.comparing.panes import Pane

if TYPE_CHECKING:
    from segstudio.core.catalogue import ModelCard
    from segstudio.core.frame import Frame
    from segstudio.core.prediction import Prediction
    from segstudio.engine.predictor import Predictor
    from segstudio.engine.project_sources import Medium
    from segstudio.engine.suggest import ErrorFinder, Looked, Looker, Suggestion, Told
    from segstudio.store.project import FrameSummary, MediaRecord, Project

Kind = Literal["frames", "regions", "errors"]

MOST = 20
"""Suggestions of a kind: a sitting's worth; then another look knows what was corrected."""

Progress = Callable[[int, int], None]


class Stop(CancelToken):
    """Says that what was seen so far is enough; also when the whole `job` is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.job = CancelToken()  # that of the job, once it runs

    @property
    def cancelled(self) -> bool:
        """True once either was asked for."""
        return self.job.cancelled or super().cancelled

    def check(self) -> None:
        """Raise Cancelled once either was asked for."""
        if self.cancelled:
            raise Cancelled


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What came of a look. by_kind: best first, of the kinds that were looked for. looked: frames
    so far. is_whole: there is no more to look at. missing: sentences about what was left out.
    """

    by_kind: "dict[Kind, tuple[Suggestion, ...]]"
    looked: int
    is_whole: bool
    missing: tuple[str, ...] = ()


class Search:
    """Made in the UI thread, where it does nothing; `look` is for a job's."""

    def __init__(
        self, info: SourceInfo, project: "Project", media: "MediaRecord", panes: tuple[Pane, ...]
    ) -> None:
        """panes: who looks; the first one's doubts count, the others may contradict it."""
        self._info = info
        self._project = project
        self._media = media
        self._asked = [_Asked(p.letter, p.card) for p in panes if p.card is not None]
        self._looker: Looker | None = None
        self._looked: Looked | None = None
        self._finder: ErrorFinder | None = None
        self._checked: dict[int, FrameSummary] = {}  # labelled frames that the finder has

    def look(
        self, kind: Kind, ask: Ask, stop: Stop, budget_s: float, on_progress: Progress
    ) -> Found:
        """Go on for so many seconds and rank; when stopped, rank what was seen until then.

        SegStudioError when a model or the source fails; what was seen before is kept.
        """
        from segstudio.engine.project_sources import of_project
        from segstudio.engine.suggest import Looker, Told

        if self._looker is None:
            self._looker = Looker(self._asked, self._project.classes)
        told, is_whole = Told(), False
        with _opened(self._info) as source:
            medium = of_project(self._project, self._media, source)
            go_on = self._check if kind == "errors" else self._look_through
            for each in self._asked:
                each.ask, each.stop = ask, stop
            try:
                for each in self._asked[:1] if kind == "errors" else self._asked:
                    each.wait()  # until it is loaded, which is not to count as the first frame's
                is_whole = go_on(medium, self._looker, told, stop, budget_s, on_progress)
            except Cancelled:
                stop.job.check()
        if kind == "errors":
            return self._doubted(medium, told, is_whole=is_whole)
        return self._ranked(medium, self._looker, told, is_whole=is_whole)

    def _look_through(
        self, medium: "Medium", looker: "Looker", told: "Told", stop: Stop, budget_s: float,
        on_progress: Progress,
    ) -> bool:  # fmt: skip
        """More frames; True when there are no others."""
        from segstudio.engine.suggest import Looked, look_through, usual_step

        before = self._looked or Looked()
        seen = [e for e in (*before.found, *before.taken) if e.descriptor.size]
        self._looked = Looked(  # what was confirmed since is no longer offered, and the reverse
            [each for each in seen if each.frame.index not in medium.confirmed],
            [each for each in seen if each.frame.index in medium.confirmed],
        )
        known = medium.confirmed | self._looked.indices
        left = len(set(range(0, medium.info.frames, usual_step(medium.info))) - known)
        new = 0

        def progress(done: int, total: int) -> None:
            nonlocal new
            new = done
            on_progress(done, total)

        look_through(
            medium, looker, told, budget_s=budget_s, on_progress=progress, token=stop,
            known=self._looked,
        )  # fmt: skip
        return new >= left

    def _ranked(self, medium: "Medium", looker: "Looker", told: "Told", *, is_whole: bool) -> Found:
        from segstudio.core.suggesting import rank, rank_regions
        from segstudio.engine.project_sources import human_pixels
        from segstudio.engine.suggest import Looked, suggestion_of

        known, classes = self._looked or Looked(), looker.classes
        corrected = human_pixels(self._project, told.missing)
        picks = rank(known.found, MOST, classes, taken=known.taken, corrected=corrected)
        of = medium.title, medium.info.names
        frames = tuple(suggestion_of(pick, *of) for pick in picks)
        regions = tuple(suggestion_of(p, *of) for p in rank_regions(picks, MOST, classes))
        looked = len(known.found) + len(known.taken)
        return Found({"frames": frames, "regions": regions}, looked, is_whole, tuple(told.missing))

    def _check(
        self, medium: "Medium", looker: "Looker", told: "Told", stop: Stop, budget_s: float,
        on_progress: Progress,
    ) -> bool:  # fmt: skip
        """More frames that people labelled, spread over the clip; True when there are no others."""
        from segstudio.engine.suggest import ErrorFinder, find_label_errors

        left = [index for index in sorted(medium.labelled) if index not in self._checked]
        if self._finder is None or (not left and self._changed(medium)):
            self._finder, self._checked, left = ErrorFinder(looker), {}, sorted(medium.labelled)
        left = spread(left)
        end = time.perf_counter() + budget_s
        for done, index in enumerate(left, start=1):
            stop.check()
            one = replace(medium, labelled={index: medium.labelled[index]})
            find_label_errors([one], self._project, self._finder, told, token=stop)
            self._checked[index] = medium.labelled[index]
            on_progress(done, len(left))
            if time.perf_counter() >= end:
                return done == len(left)
        return True

    def _changed(self, medium: "Medium") -> set[int]:
        """Frames that somebody corrected since they were checked."""
        return {i for i, was in self._checked.items() if medium.labelled.get(i) != was}

    def _doubted(self, medium: "Medium", told: "Told", *, is_whole: bool) -> Found:
        changed = self._changed(medium)
        every = [] if self._finder is None else self._finder.found()
        found = tuple(each for each in every if each.frame.index not in changed)
        looked = len(self._checked)
        return Found({"errors": found[:MOST]}, looked, is_whole, tuple(told.missing))


class _Asked:
    """A Labeller: the model of a pane, which lives in the infer thread."""

    device = ""
    precision = ""

    def __init__(self, letter: str, card: "ModelCard") -> None:
        self._letter = letter
        self.card = card
        self.ask: Ask | None = None
        self.stop = Stop()

    def wait(self) -> None:
        """Until the model can answer; ModelError when it cannot be loaded."""
        self._answer(lambda predictor, _: self._same(predictor))

    def predict(self, frame: "Frame", *, request: int = 0) -> "Prediction":
        """ModelError when the model fails or is gone."""
        found: Prediction = self._answer(partial(_predict, of=self._same, frame=frame))
        return found

    def close(self) -> None:
        """Nothing of its own."""

    def _answer(self, op: "Callable[[Predictor, Frame], object]") -> "Prediction":
        title = self.card.title
        if self.ask is None:
            raise Cancelled
        try:
            answer: Prediction = answer_of(self.ask, self._letter, op, self.stop)
        except Cancelled:
            self.stop.check()
            raise ModelError(
                f"The model '{title}' is not there to look at the frames; see what the Model panel"
                " says about it and look again."
            ) from None
        except Exception as error:
            said = sentence(error).rstrip(".")
            raise ModelError(
                f"The model '{title}' could not look at the frames: {said}."
            ) from error
        return answer

    def _same(self, predictor: "Predictor") -> "Predictor":
        """Figures of two models do not mix: Cancelled when another one sits there by now."""
        if predictor.card.folder != self.card.folder:
            raise Cancelled
        return predictor


def _predict(
    predictor: "Predictor",
    _: "Frame",
    *,
    of: "Callable[[Predictor], Predictor]",
    frame: "Frame",
) -> "Prediction":
    """In the infer thread; what is looked at inside the model is not made for these frames."""
    with of(predictor).looking.paused():
        return predictor.predict(frame)


@contextmanager
def _opened(info: SourceInfo) -> Iterator[FrameSource]:
    """The open source once more; MediaError when something else lies there now."""
    from segstudio.media.open import complete_info, open_source

    is_list = info.kind == "sequence"  # more pictures may lie there by now
    files = [info.path / name for name in info.names] if is_list else info.path
    source = open_source(files, cache_bytes=64 << 20)
    try:
        if complete_info(source).id != info.id:
            raise MediaError(
                f"{info.path} has changed since it was opened; open it again and look again."
            )
        yield source
    finally:
        source.close()


def spread(indices: list[int]) -> list[int]:
    """The same in an order of which every beginning is spread over all of them: the first, the
    middle, the quarters, …"""
    bits = max(1, (len(indices) - 1).bit_length())
    turned = (int(f"{n:0{bits}b}"[::-1], 2) for n in range(1 << bits))
    return [indices[n] for n in turned if n < len(indices)]
