"""Between steps: how good the weights are, three pictures of it, and the files that keep them."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import ClassMap
from segstudio.core.metrics import Scores
from segstudio.core.training import TrainEvent
from segstudio.errors import SegStudioError
from segstudio.store.masks import write_mask
from segstudio.store.pairs import Pair
from segstudio.train.distributed import Team
from segstudio.train.preparing import Training
from segstudio.train.validate import Labels, validate

PICTURES = 3
"""Held-out frames whose predictions are kept as pictures at every validation."""


class Judge:
    """Validates, and writes last.pt always and best.pt when they are the best so far.

    Every process of a team must call it at the same step. is_saved: whether last.pt holds what was
    judged last.
    """

    def __init__(
        self,
        training: Training,
        sets: dict[str, list[Pair]],
        classes: ClassMap,
        rule: InputRule,
        run: Path,
        team: Team,
    ) -> None:
        self._training = training
        self._sets = sets
        self._classes = classes
        self._rule = rule
        self._run = run
        self._team = team
        self._shown = _spread([pair for pairs in sets.values() for pair in pairs])
        self.is_saved = True

    def judge(self) -> Iterator[TrainEvent]:
        """ "validated" for each set, then "saved" or "not_saved"."""
        training = self._training
        self._team.align_buffers(training.net)
        self._team.align_buffers(training.judged)
        pictures: dict[str, list[dict[str, str]]] = {name: [] for name in self._sets}
        scores = {name: self._score(name, pictures[name]) for name in self._sets}
        known = [s.miou for s in scores.values() if not math.isnan(s.miou)]
        mean = sum(known) / len(known) if known else 0.0
        is_best = mean > training.best or not known
        for name, score in scores.items():
            yield TrainEvent(
                "validated",
                training.step,
                {**_told(score, name, self._classes), "pictures": pictures[name]},
            )
        yield from self._save(mean, is_best=is_best)

    def _score(self, name: str, pictures: list[dict[str, str]]) -> Scores:
        def show(pair: Pair, labels: Labels) -> None:
            if pair in self._shown:
                shown = self._picture(pair, labels)
                if shown:
                    pictures.append(shown)

        found = validate(
            self._training.spec,
            self._training.judged,
            self._sets[name],
            len(self._classes),
            self._rule,
            team=self._team,
            on_frame=show,
        )
        everyone = self._team.gathered(pictures)
        pictures[:] = [each for some in everyone for each in some]
        return found

    def _picture(self, pair: Pair, labels: Labels) -> dict[str, str]:
        """Written, and where it lies; nothing when the disk does not take it."""
        file = f"pictures/{self._training.step:06d}_{self._shown.index(pair)}.png"
        try:
            write_mask(self._run / file, labels, self._classes.palette())
        except SegStudioError:
            return {}
        return {"frame": str(pair.picture), "labels": str(pair.labels), "prediction": file}

    def _save(self, mean: float, *, is_best: bool) -> Iterator[TrainEvent]:
        """best.pt first: a run that is killed between the two goes on from before both."""
        training = self._training
        before = training.best, training.without_gain
        training.best = max(training.best, mean)
        training.without_gain = 0 if is_best else training.without_gain + 1
        why = ""
        if self._team.rank.is_first:
            try:
                for name in ("best", "last") if is_best else ("last",):
                    training.save(self._run / f"{name}.pt")
            except SegStudioError as error:
                why = str(error)
        why = self._team.told(why)
        self.is_saved = not why
        if why:
            training.best, training.without_gain = before
            yield TrainEvent("not_saved", training.step, {"why": why})
        else:
            yield TrainEvent("saved", training.step, {"file": "last.pt", "is_best": is_best})


def _spread(pairs: list[Pair]) -> list[Pair]:
    """Three of them, far apart."""
    if not pairs:
        return []
    places = np.linspace(0, len(pairs) - 1, PICTURES).round().astype(int).tolist()
    return [pairs[i] for i in dict.fromkeys(places)]


def _told(score: Scores, name: str, classes: ClassMap) -> dict[str, Any]:
    """The figures of one set; null for a class that is nowhere in it."""
    return {
        "set": name,
        "miou": round(score.miou, 4),
        "iou": {
            c.name: None if math.isnan(score.iou[c.id]) else round(float(score.iou[c.id]), 4)
            for c in classes.classes
        },
    }
