"""A run that is over becomes a model, and is held against the one it came from.

Both models see the same frames, those that the run held out, by the predictor that people use. It
runs as a job; torch comes in here and never in the window's thread.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from segstudio import paths
from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import ClassMap
from segstudio.core.frame import Frame, FrameId
from segstudio.core.training import TrainRecipe
from segstudio.engine.flow import CancelToken
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import find_mapping, load_class_set
from segstudio.store.models import find_model
from segstudio.store.pairs import Pair
from segstudio.ui.training.gains import Gains, gains_of
from segstudio.ui.words import counted

if TYPE_CHECKING:
    from segstudio.engine.evaluate import Labelled

Report = Callable[[float, str], None]


Place: TypeAlias = tuple[str, int]
"""Fingerprint of a medium, and a frame's index in it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """card: of the new model, which is among the user's now. gains: None when nothing was held
    out or nothing could be compared, which trouble says; with gains it says what does not count.
    frames: names, in the order of the gains. places: of frames of a project, by name.
    """

    card: ModelCard
    gains: Gains | None = None
    frames: tuple[str, ...] = ()
    trouble: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a run is judged on. clips: of each pair. trained: a sentence about the rest. drafts:
    held out too, but a model's word with next to nothing painted: they would grade a model on its
    own work. places: of the pairs, by name, where they are of a project.
    """

    pairs: tuple[Pair, ...]
    clips: tuple[str, ...]
    trained: str = ""
    drafts: int = 0
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def left_out(self) -> str:
        """What people are told of the drafts, one sentence; "" without any."""
        if not self.drafts:
            return ""
        are = "is a draft" if self.drafts == 1 else "are drafts"
        return (
            f"{counted(self.drafts, 'held-out frame')} {are} that nobody corrected and would grade"
            " the old model on its own work: not counted."
        )


def outcome_of(
    run: Path,
    report: Report = lambda _fraction, _text: None,
    token: CancelToken | None = None,
) -> Outcome:
    """Any thread but the window's. SegStudioError when no model can be made; Cancelled."""
    from segstudio.train.export import export_model

    recipe = TrainRecipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
    classes = load_class_set(recipe.classes)
    old = find_model(recipe.base) if recipe.base else None
    held = held_out_of(run, recipe)
    report(-1.0, "Writing the model")
    card = export_model(run / "best.pt", recipe, _card(run, recipe, classes, old, held))
    if token is not None:
        token.check()
    if not held.pairs:
        return Outcome(card, trouble=held.left_out)
    if old is None:
        trouble = "It began from scratch, so there is no old model to compare it with."
        return Outcome(card, trouble=trouble)
    return _compared(old, card, held, report, token)


def held_out_of(run: Path, recipe: TrainRecipe) -> HeldOut:
    """The frames that the run held out, by the same rule as itself."""
    if not recipe.project:
        from segstudio.train.validate import validation_sets

        pairs = tuple(pair for some in validation_sets(recipe).values() for pair in some)
        return HeldOut(pairs, tuple(pair.picture.parent.name for pair in pairs))
    from segstudio.train.corrected import load
    from segstudio.train.splits import split

    found = load(run / "corrected")
    parts = split(found.samples, seed=recipe.seed)
    what = "confirmed frame" if found.which == "confirmed" else "corrected frame"
    judged = [sample for sample in parts.held_out if sample.may_grade]
    return HeldOut(
        tuple(found.pair(sample) for sample in judged),
        tuple(sample.clip for sample in judged),
        f"{counted(len(parts.train), what)} of {Path(recipe.project).name} (content"
        f" {found.fingerprint[:12]}). {parts.reason}",
        len(parts.held_out) - len(judged),
        {sample.name: (sample.media, sample.index) for sample in judged},
    )


def _card(
    run: Path, recipe: TrainRecipe, classes: ClassMap, old: ModelCard | None, held: HeldOut
) -> ModelCard:
    """Where it comes from stands in it: base, frames, steps, seed."""
    rule = old.input if old is not None else InputRule()
    came, title = "Trained from scratch", f"{recipe.net}, trained"
    if old is not None:
        came = f"Fine-tuned from {old.name}"
        title = old.title.split(", fine-tuned")[0] + ", fine-tuned"
    steps = counted(recipe.steps, "step")
    return ModelCard(
        name=run.name,
        title=f"{title} {datetime.now().astimezone():%Y-%m-%d %H:%M}",
        net=recipe.net,
        classes=classes,
        input=replace(rule, short_side=recipe.short_side),
        folder=paths.user_models() / run.name,
        weights="weights.safetensors",
        trained_on=held.trained,
        licence=old.licence if old is not None else "",
        description=f"{came} in {steps} with seed {recipe.seed}; run {run.name}.",
        command=f"segstudio train {run.name}",
    )


def _compared(
    old: ModelCard, new: ModelCard, held: HeldOut, report: Report, token: CancelToken | None
) -> Outcome:
    from segstudio.core.confusion import ConfusionMatrix
    from segstudio.core.strategy import Strategy
    from segstudio.engine.evaluate import Contestant, take_turns

    classes = new.classes
    both = (
        Contestant("old", old, Strategy(), find_mapping(old.classes, classes).lut()),
        Contestant("new", new, Strategy(), np.arange(256, dtype=np.uint8)),
    )
    total, done = len(held.pairs), 0

    def tell(_one: "Labelled", _answers: object) -> None:
        nonlocal done
        done += 1
        report(done / total, f"{done} of {total} frames")

    try:
        for one in both:
            one.load("auto")
        matrix = ConfusionMatrix.of(classes)
        take_turns(both, _read(held.pairs), matrix, on_frame=tell, token=token)
    finally:
        for one in both:
            one.close()
    failed = [one.failed for one in both if one.failed]
    if failed:
        return Outcome(new, trouble=f"The two could not be compared. {failed[0]}")
    names = [pair.name for pair in held.pairs if pair.name in both[0].counts]
    clips = [clip for pair, clip in zip(held.pairs, held.clips, strict=True) if pair.name in names]
    if not names:
        return Outcome(new, trouble="None of the held-out frames can be read any more.")
    before, after = ([one.counts[name] for name in names] for one in both)
    gains = gains_of(before, after, classes, clips=clips)
    return Outcome(new, gains, tuple(names), held.left_out, held.places)


def _read(pairs: Sequence[Pair]) -> "Iterator[Labelled]":
    """What cannot be read any more is left out."""
    from segstudio.engine.evaluate import Labelled
    from segstudio.media.images import read_image
    from segstudio.store.masks import read_mask

    for pair in pairs:
        try:
            rgb, labels = read_image(pair.picture), read_mask(pair.labels)
        except SegStudioError:
            continue
        if labels.shape == rgb.shape[:2]:
            which = FrameId(pair.name, 0, None, zlib.crc32(rgb.data))
            yield Labelled(pair.name, Frame(which, rgb, 0.0), labels)
