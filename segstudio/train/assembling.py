"""What a recipe trains on and is judged by, found on the disk and put together."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import ClassMap
from segstudio.core.frame import Frame
from segstudio.core.prediction import Prediction
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.engine.predictor import Predictor
from segstudio.errors import SegStudioError
from segstudio.store.models import find_model
from segstudio.store.pairs import Pair, find_pairs
from segstudio.train.augment_rules import AugmentRule
from segstudio.train.class_weights import Counts, class_weights
from segstudio.train.corrected import (
    CorrectedSample,
    CorrectedSet,
    Which,
    extract,
    load,
    no_judges,
)
from segstudio.train.counting import check_labels, class_pixels, pixel_counts
from segstudio.train.data import Samples, WeightedSamples, split_held_out
from segstudio.train.distributed import Team
from segstudio.train.labelled import LabelledSource
from segstudio.train.progress import Progress, Tell
from segstudio.train.pseudo import pseudo_label
from segstudio.train.replay import Mix, Replay
from segstudio.train.sources import DriveFrames, FolderFrames
from segstudio.train.splits import Split, split
from segstudio.train.validate import validation_sets

CORRECTED = "corrected"
"""Folder in a run that keeps the corrected frames of a project."""

EARLIER = "earlier"
"""Folder in a run that keeps frames as its base model labelled them."""


@dataclass(slots=True)
class Material:
    """samples: by number. sets: validation pairs by name. weights: of the classes, () for 1 each.

    notes: sentences about what was left out or chosen. corrected: frames of a project that are
    trained on, None without one.
    """

    samples: Dataset[tuple[Tensor, ...]]
    sets: dict[str, list[Pair]]
    weights: tuple[float, ...] = ()
    notes: list[str] = field(default_factory=list)
    corrected: CorrectedSet | None = None


def assemble(
    recipe: TrainRecipe,
    run: Path,
    classes: ClassMap,
    rule: InputRule,
    team: Team,
    tell: Tell = lambda _event: None,
) -> Material:
    """Everything that the recipe names; copies a project's frames into `run` the first time.

    tell: hears how far that is.
    SegStudioError when there is nothing to learn from, or classes differ.
    """
    new: list[LabelledSource] = list(_folders(recipe.train, len(classes)))
    if recipe.augment == "classic" and not (recipe.project or recipe.replay):
        check_labels(new, classes, may_be_one=recipe.synthetic_share > 0)
        samples = Samples(recipe, len(classes), rule, run / "synthetic")
        counts = _counts(recipe, new, len(classes), is_rare_wanted=False)
        weights = class_weights(recipe.class_weights, counts)
        return Material(samples, validation_sets(recipe), weights)
    notes: list[str] = []
    mine: CorrectedSet | None = None
    earlier, share = _earlier(recipe, run, len(classes))
    if recipe.project:
        corrected = _corrected(recipe, run, classes, team, tell)
        parts = split(corrected.samples, seed=recipe.seed)
        drafts = sum(not sample.may_grade for sample in parts.held_out)
        notes += [*corrected.notes, parts.reason, no_judges(drafts, of=len(parts.held_out))]
        mine = corrected.chosen(parts.train)
        new.append(mine)
        if recipe.base and recipe.replay_share > 0 and not recipe.replay:
            said = _said_before(recipe, run, parts, team, tell)
            if len(said):
                earlier.append(said)
                share = min(1.0, share + recipe.replay_share)
                notes.append(
                    f"Against forgetting, {len(said)} frames that nobody labelled are learned as"
                    " the base model sees them, where it is sure."
                )
    check_labels(new, classes, may_be_one=bool(earlier) and share > 0)
    if not new:
        new, earlier, share = earlier, [], 0.0
    augment = _augment(recipe)
    counts = _counts(recipe, new, len(classes), is_rare_wanted=augment.rare > 0)
    samples_of = WeightedSamples(
        Mix(tuple(new), Replay(share, tuple(earlier)), recipe.seed),
        rule,
        augment=augment,
        crop=recipe.crop,
        short_side=recipe.short_side,
        count=recipe.steps * recipe.batch * recipe.accumulation * team.rank.of,
        class_pixels=class_pixels(counts) if len(counts) else None,
    )
    return Material(
        cast("Dataset[tuple[Tensor, ...]]", samples_of),
        judged_by(recipe, run),
        class_weights(recipe.class_weights, counts),
        [note for note in notes if note],
        mine,
    )


def judged_by(recipe: TrainRecipe, run: Path) -> dict[str, list[Pair]]:
    """Validation pairs by name: the recipe's folders, and the held-out frames of its project.

    Held-out frames that are drafts which nobody corrected are left out: they would grade a model on
    the word of another, or on its own.
    """
    sets = validation_sets(recipe)
    if recipe.project and (run / CORRECTED).is_dir():
        corrected = load(run / CORRECTED)
        parts = split(corrected.samples, seed=recipe.seed)
        held = [sample for sample in parts.held_out if sample.may_grade]
        if held:
            sets.setdefault("held out", []).extend(corrected.pair(sample) for sample in held)
    return sets


def _augment(recipe: TrainRecipe) -> AugmentRule:
    """ "classic" of a project or with earlier data is the rule nearest to it."""
    name = "standard" if recipe.augment == "classic" else recipe.augment
    return replace(AugmentRule.named(name), scale=recipe.scale)


def _folders(folders: tuple[LabelledFolder, ...], classes: int) -> list[FolderFrames]:
    """The part of each that is trained on."""
    return [
        FolderFrames(Path(folder.images).name, tuple(split_held_out(folder)[0]), classes)
        for folder in folders
    ]


def _earlier(recipe: TrainRecipe, run: Path, classes: int) -> tuple[list[LabelledSource], float]:
    """Earlier data and the synthetic drive, and their share; given both, each has half of it."""
    sources: list[LabelledSource] = []
    share = 0.0
    if recipe.replay and recipe.replay_share > 0:
        pairs = (find_pairs(Path(f.images), Path(f.labels)) for f in recipe.replay)
        every = tuple(pair for some in pairs for pair in some)
        sources.append(FolderFrames("earlier data", every, classes))
        share += recipe.replay_share
    if recipe.synthetic_share > 0:
        sources.append(DriveFrames(run / "synthetic", recipe.synthetic_pool))
        share += recipe.synthetic_share
    return sources, min(1.0, share)


def _corrected(
    recipe: TrainRecipe, run: Path, classes: ClassMap, team: Team, tell: Tell
) -> CorrectedSet:
    """The first process copies, the others read what it copied."""
    which = cast("Which", recipe.frames)
    if team.rank.is_first:
        progress = Progress("copying the corrected frames", tell)
        extract(Path(recipe.project), run / CORRECTED, which=which, tell=progress)
    team.told(value=True)
    found = extract(Path(recipe.project), run / CORRECTED, which=which)
    if [c.name for c in found.classes.classes] != [c.name for c in classes.classes]:
        raise SegStudioError(
            f"The project {Path(recipe.project).name} has the classes of '{found.classes.name}',"
            f" but the run those of '{classes.name}'; choose the project's with --classes."
        )
    return found


def _said_before(
    recipe: TrainRecipe, run: Path, parts: Split[CorrectedSample], team: Team, tell: Tell
) -> FolderFrames:
    """Frames of the project that nobody labelled, as the base labels them: made once."""
    folder = run / EARLIER
    if team.rank.is_first and not (folder / "manifest.json").is_file():
        predictor = Predictor(find_model(recipe.base), str(team.device))
        try:
            progress = Progress("labelling frames with the old model", tell)
            pseudo_label(Path(recipe.project), parts, predictor.predict, folder, tell=progress)
        finally:
            predictor.close()
    team.told(value=True)
    return pseudo_label(Path(recipe.project), parts, _never, folder)


def _never(_frame: Frame) -> Prediction:
    raise AssertionError("these frames were labelled before")


def _counts(
    recipe: TrainRecipe, sources: list[LabelledSource], classes: int, *, is_rare_wanted: bool
) -> Counts:
    """int64 (frames, C); no frame where nobody needs to know."""
    if recipe.class_weights == "none" and not is_rare_wanted:
        return np.zeros((0, classes), np.int64)
    return pixel_counts(sources, classes)
