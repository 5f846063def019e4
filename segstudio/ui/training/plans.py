"""What would be trained on, and how: counted from the project before anybody presses Train.

The frames are chosen and held out by the same code as in the run itself, which needs no torch.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.origins import CONFIRMED, PAINTED
from segstudio.core.training import TrainRecipe
from segstudio.store.project import FrameSummary, Project
from segstudio.ui.training.run_folder import record_of
from segstudio.ui.words import counted

Which: TypeAlias = Literal["confirmed", "painted"]

CHOICES: Mapping[str, str] = {
    "quick": "Quick",
    "standard": "Standard",
    "full": "Full",
    "scratch": "From scratch",
}
"""Presets that the window offers, by their names in train.presets."""

SEED = TrainRecipe(synthetic_share=1.0).seed
"""Of a recipe that says nothing else: which clips are held out hangs on it."""

RUNS_LOOKED_AT = 12
"""Newest runs that are asked how fast they were."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one choice of frames would bring.

    frames, clips: that are chosen. train, held_out: parts of them. held: a sentence about what is
    held out. is_validated: False when nothing is judged. why_not: a sentence why
    nothing can be trained, "" when it can.
    """

    which: Which
    frames: int = 0
    clips: int = 0
    train: int = 0
    held_out: int = 0
    held: str = ""
    is_validated: bool = False
    why_not: str = ""

    @property
    def sentence(self) -> str:
        """ "23 confirmed frames of 4 clips"."""
        clips = f" of {counted(self.clips, 'clip')}" if self.clips else ""
        if self.which == "confirmed":
            return f"{counted(self.frames, 'confirmed frame')}{clips}"
        return f"Human-painted pixels of {counted(self.frames, 'frame')}{clips}"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person chose. base: where weights, or at least the net, come from. changes: fields
    of the recipe that were set by hand.
    """

    which: Which
    preset: str
    base: ModelCard
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A frame as train.splits wants it."""

    clip: str
    place: int
    time_s: float | None
    may_grade: bool


def plan_of(project: Project, which: Which, *, seed: int = SEED) -> Plan:
    """Reads labels until two classes are found: not in the window's thread."""
    from segstudio.train.corrected import corrected_frames, may_grade, no_judges
    from segstudio.train.corrected_media import clip_of
    from segstudio.train.splits import split

    frames = corrected_frames(project, which)
    if not frames:
        return Plan(which, why_not=_none(project, which))
    media = {record.id: record for record in project.media()}
    placed = []
    for frame in frames:
        clip, place = clip_of(media[frame.key.media], frame.key.index)
        time = frame.about.time_us
        seconds = None if time is None else time / 1e6
        placed.append(_Placed(clip, place, seconds, may_grade(frame)))
    found = split(placed, seed=seed)
    drafts = sum(not one.may_grade for one in found.held_out)
    told = (found.reason, no_judges(drafts, of=len(found.held_out)))
    return Plan(
        which,
        frames=len(frames),
        clips=len({one.clip for one in placed}),
        train=len(found.train),
        held_out=len(found.held_out),
        held=" ".join(text for text in told if text),
        is_validated=len(found.held_out) > drafts,
        why_not=_one_class(project, frames),
    )


def _none(project: Project, which: Which) -> str:
    """Nothing was chosen: what can be done about it."""
    summaries = [s for record in project.media() for s in project.frames(record.id)]
    has_painted = any(s.counts[PAINTED] or s.counts[CONFIRMED] for s in summaries)
    if which == "confirmed" and has_painted:
        return "No frame is confirmed yet; confirm some, or train on every painted pixel."
    if which == "confirmed":
        return "No frame is confirmed yet; correct some frames and confirm them."
    return "Nobody painted a pixel yet; correct some frames first."


def _one_class(project: Project, frames: Sequence[FrameSummary]) -> str:
    """Why the labels of these frames teach nothing; "" when they hold two classes."""
    known: set[int] = set()
    for summary in frames:
        stored = project.load(summary.key)
        if stored is None:
            continue
        by_hand = (stored.origin >= PAINTED) & (stored.labels != VOID)
        known.update(int(i) for i in np.unique(stored.labels[by_hand]))
        if len(known) > 1:
            return ""
    if not known:
        return "Everything in these frames is void; give some pixels a class first."
    one = project.classes.by_id(known.pop())
    name = one.name if one is not None else "one class"
    return f"All labels are {name}; label a second class, or there is nothing to tell apart."


# --- presets


def described(preset: str) -> str:
    """One sentence about a preset."""
    from segstudio.train.presets import describe

    return describe(preset)


def suggested(frames: int) -> str:
    """The preset for so many frames."""
    return "quick" if frames <= 10 else "standard" if frames <= 50 else "full"


def recipe_of(order: Order, project: Path, classes: ClassMap) -> TrainRecipe:
    """The recipe of an order; SegStudioError when what was set by hand is no recipe."""
    from segstudio.train.presets import preset

    card = order.base
    settings: dict[str, Any] = {
        "net_args": dict(card.net_args),
        "base": "" if order.preset == "scratch" else str(card.folder),
        "classes": classes.name,
        "project": str(project),
        "frames": order.which,
    }
    if card.input.short_side:
        settings["short_side"] = card.input.short_side
    recipe = preset(order.preset, card.net, **settings)
    return replace(recipe, **order.changes)


def class_change(base: ClassMap, wanted: ClassMap) -> str:
    """What happens to the classifier of a base that knows other classes; "" when it stays."""
    have, want = ([c.name for c in one.classes] for one in (base, wanted))
    if have == want:
        return ""
    new = [name for name in want if name not in have]
    if not new:
        return "The base knows more classes than are trained here; the others are forgotten."
    names = ", ".join(new[:3]) + (" and more" if len(new) > 3 else "")
    verb = "is" if len(new) == 1 else "are"
    return f"{names} {verb} new to the base and learned from nothing; the rest keeps what it knows."


# --- time


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a run of some net was: pixels of samples per second."""

    net: str
    pixels_per_s: float


def speeds(runs: Path) -> tuple[Speed, ...]:
    """Of the newest runs, newest first. Reads files: not in the window's thread."""
    from segstudio.errors import SegStudioError

    try:
        folders = sorted(runs.iterdir(), key=lambda run: run.stat().st_mtime, reverse=True)
    except OSError:
        return ()
    found = []
    for run in folders[:RUNS_LOOKED_AT]:
        try:
            recipe = TrainRecipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, SegStudioError):
            continue
        rate = record_of(run).samples_per_s
        if rate == rate and rate > 0:
            found.append(Speed(recipe.net, rate * recipe.crop[0] * recipe.crop[1]))
    return tuple(found)


def seconds_of(recipe: TrainRecipe, known: Sequence[Speed]) -> float | None:
    """About how long the steps take, by runs of the same net; None when there were none."""
    same = [speed.pixels_per_s for speed in known if speed.net == recipe.net]
    if not same:
        return None
    pixels = recipe.steps * recipe.batch * recipe.accumulation * recipe.crop[0] * recipe.crop[1]
    return pixels / statistics.median(same[:3])


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 20 min"; "–" for NaN."""
    if seconds != seconds:
        return "–"
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 10 else f"{hours} h"
