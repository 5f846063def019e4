"""Models put to the same frames, and the report's entry of each: for `eval` and `compare`."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from segstudio.cli.contenders import Contender, contenders
from segstudio.cli.figures import boundary, convention_of, entry, instance_figures, speed
from segstudio.cli.merging import Turn
from segstudio.cli.reference import (
    Frames,
    Instances,
    Labels,
    ReferenceSet,
    translation,
    without_void,
)
from segstudio.cli.report import Json, Report
from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import VOID
from segstudio.core.confusion import ConfusionMatrix, Counts
from segstudio.core.instances import Records, instance_records
from segstudio.core.metrics import Convention
from segstudio.engine.ranks import ALONE, Rank
from segstudio.errors import UsageError

if TYPE_CHECKING:  # torch comes when the work starts
    from segstudio.core.boundary import OutlineCounts
    from segstudio.engine.evaluate import Contestant, Labelled

OnFrame = Callable[["Measured", "Labelled", dict[str, Labels]], None]
"""What is known so far, a frame, each model's labels of it: uint8 (H, W), ids of the reference."""


@dataclass(slots=True)
class Measured:
    """What came out. counts: model → file → int64 (C + 1, C + 1). failed: model → one sentence.

    outlines: model → int64 (C, 4) of each frame, where the boundary is asked for. instances: model
    → file → what became of each instance, for the frames that have a file of them. entries: model
    → the report's entry, in the order asked for.
    """

    reference: ReferenceSet
    convention: Convention
    frames: Frames
    counts: dict[str, dict[str, Counts]] = field(default_factory=dict)
    outlines: dict[str, "list[OutlineCounts]"] = field(default_factory=dict)
    instances: dict[str, dict[str, Records]] = field(default_factory=dict)
    entries: dict[str, Json] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def outline(self, name: str, reference: Labels, predicted: Labels, ignore: int | None) -> None:
        """Count the outlines of one frame, uint8 (H, W) each."""
        from segstudio.core.boundary import boundary_counts

        counted = boundary_counts(_without(ignore, reference), predicted, self.reference.classes)
        self.outlines.setdefault(name, []).append(counted)

    def note_instances(
        self,
        name: str,
        file: str,
        reference: Labels,
        predicted: Labels,
        instances: Instances | None,
        ignore: int | None,
    ) -> None:
        """What became of each instance of one frame, (H, W) each; None: it has no file of them."""
        if instances is not None:
            self.instances.setdefault(name, {})[file] = instance_records(
                _without(ignore, reference),
                predicted,
                instances,
                self.reference.classes,
                self.reference.categories,
            )

    def figures(self, name: str) -> Json:
        """Those of one model that has answered every frame."""
        found = entry(self.counts[name], self.reference, self.convention)
        if name in self.outlines:
            found.update(boundary(self.outlines[name], self.reference.names))
        if name in self.instances:
            found.update(instance_figures(self.instances[name], self.counts[name], self.reference))
        return found

    @property
    def scored(self) -> dict[str, Json]:
        """The entries that carry figures."""
        return {name: each for name, each in self.entries.items() if name not in self.failed}


def _without(ignore: int | None, reference: Labels) -> Labels:
    """The reference, void where it says `ignore`."""
    if ignore is None:
        return reference
    return np.where(reference == ignore, np.uint8(VOID), reference)


def measure_models(
    arguments: argparse.Namespace,
    report: Report,
    on_frame: OnFrame | None = None,
    *,
    rank: Rank = ALONE,
) -> Measured:
    """Each `-m` on every frame of --images and --labels, each frame decoded once.

    on_frame: called with every frame. rank: of several processes each takes its turn of the frames,
    and the first has the figures of all; the others have none. A model that fails is told in
    `failed`, and the others go on. UsageError, MediaError or ModelError when there is nothing to
    begin with.
    """
    convention = convention_of(arguments.convention)
    asked = contenders(arguments.model or [None], arguments)
    reference = (
        ReferenceSet.named(arguments.classes)
        if arguments.classes
        else ReferenceSet.of_model(asked[0].card.classes)
    )
    frames = Frames.find(arguments.images, arguments.labels, reference)
    found = Measured(reference, convention, frames)
    runners = _loaded(asked, found)
    try:
        if runners:
            _run(runners, found, arguments, report, on_frame, rank)
        for each in asked if rank.is_first else ():
            runner = next((r for r in runners if r.name == each.name), None)
            found.entries[each.name] = _entry(each, runner, found, len(runners))
    finally:
        for runner in runners:
            runner.close()
    return found


def _loaded(asked: list[Contender], found: Measured) -> "list[Contestant]":
    """Those models that can be held against these labels."""
    from segstudio.engine.evaluate import Contestant

    runners = []
    for each in asked:
        try:
            table = translation(each.card.classes, found.reference.classes)
        except UsageError as error:
            found.failed[each.name] = str(error)
            continue
        runner = Contestant(each.name, each.card, each.strategy, table)
        runner.load(each.device)
        found.counts[each.name] = runner.counts
        runners.append(runner)
    return runners


def _run(
    runners: "list[Contestant]",
    found: Measured,
    arguments: argparse.Namespace,
    report: Report,
    on_frame: OnFrame | None,
    rank: Rank,
) -> None:
    from segstudio.engine.evaluate import take_turns

    def seen(one: "Labelled", answers: dict[str, Labels]) -> None:
        for name, labels in answers.items():
            found.note_instances(
                name, one.name, one.reference, labels, one.instances, arguments.ignore
            )
            if arguments.boundary:
                found.outline(name, one.reference, labels, arguments.ignore)
        if on_frame is not None:
            on_frame(found, one, answers)

    matrix = ConfusionMatrix.of(found.reference.classes)
    turn = Turn(rank)
    turn.take(found.frames)
    was_loaded = not all(runner.failed for runner in runners)
    if was_loaded:
        with report.progress("frames", len(found.frames.pairs)) as bar:
            take_turns(
                runners,
                found.frames.pictures(bar.show),
                matrix,
                ignore=VOID if arguments.ignore is None else arguments.ignore,
                on_frame=seen,
            )
    turn.merge(found, runners)
    if not rank.is_first:
        return
    if was_loaded:
        found.frames.require_one()
    for runner in runners:
        if runner.failed:
            found.failed[runner.name] = runner.failed
            del found.counts[runner.name]


def _entry(each: Contender, runner: "Contestant | None", found: Measured, models: int) -> Json:
    """The report's entry of one model; without figures when it failed."""
    about: Json = {"model": each.card.name, "net": each.card.net}
    if each.name in found.failed:
        done = len(runner.counts) if runner is not None else 0
        return {**about, "failed": found.failed[each.name], "frames": done}
    assert runner is not None
    figures = found.figures(each.name)
    figures.update(about)
    figures["device"] = runner.device
    figures["strategy"] = each.strategy.to_json()
    figures["notes"] = list(runner.notes)
    figures["speed"] = {
        **speed(runner.stages, found.frames.decode_ms, models),
        **_cost(each.card, runner),
    }
    known = set(runner.to_reference[[c.id for c in each.card.classes.classes]].tolist())
    unknown = [c.name for c in found.reference.classes.classes if c.id not in known]
    if unknown:
        figures["unknown"] = unknown
    mapped = _mapping_told(each.card, found.reference)
    if mapped:
        figures["mapping"] = mapped
    return figures


def _cost(card: ModelCard, runner: "Contestant") -> Json:
    """Parameters, multiply-accumulates and memory; null where it cannot be counted."""
    from segstudio.engine.catalogue import count_model

    size = runner.input_size
    counted = None if size is None else count_model(card, size)
    return {
        "input": None if size is None else list(size),
        "parameters": card.params if counted is None else counted.parameters,
        "gmacs": None if counted is None else counted.gmacs,
        "peak_memory_mb": runner.peak_mb,
        "device": runner.device,
        "precision": runner.precision,
    }


def _mapping_told(card: ModelCard, reference: ReferenceSet) -> str:
    """What the way from the model's classes to those of the labels loses; "" for nothing."""
    from segstudio.core.class_mapping import in_words
    from segstudio.store.class_sets import find_mapping

    classes = without_void(card.classes)  # that void stays void is no loss
    return in_words(find_mapping(classes, reference.classes), classes, reference.classes)
