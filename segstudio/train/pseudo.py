"""Labels that the old model gives to frames nobody labelled, against forgetting what it knew.

Only pixels of which it is sure count, and never a frame near one that the new model is judged on:
a held-out clip gives none, and of a clip that is held out in part that stretch and its gap give
none. They are made once and kept in the run's folder, so that a resumed run learns the same.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segstudio.atomic import atomic_write
from segstudio.core.classes import VOID
from segstudio.core.confidence import top_confidence
from segstudio.core.frame import Frame
from segstudio.core.prediction import Prediction
from segstudio.engine.project_sources import Medium, media_of
from segstudio.errors import Cancelled, MediaError, SegStudioError
from segstudio.store.class_sets import find_mapping
from segstudio.store.masks import write_mask, write_picture
from segstudio.store.pairs import Pair
from segstudio.store.project import MediaRecord, Project
from segstudio.train.corrected import CorrectedSample
from segstudio.train.corrected_media import clip_of
from segstudio.train.labelled import in_units
from segstudio.train.sources import FolderFrames
from segstudio.train.splits import Gap, Split

NAME = "labels of the old model"


@dataclass(frozen=True, slots=True)
class PseudoRule:
    """count: frames, about. threshold: probability that a pixel's class must exceed, 0..1.

    weight: how much such a pixel counts beside one of a human.
    """

    count: int = 60
    threshold: float = 0.9
    weight: float = 0.5

    def __post_init__(self) -> None:
        in_units(self.weight)
        if self.count < 1 or not 0 <= self.threshold < 1:
            raise SegStudioError(
                "Labels of the old model need at least one frame and a probability below 1;"
                " correct the recipe."
            )


def pseudo_label(
    project_path: Path,
    split: Split[CorrectedSample],
    predict: Callable[[Frame], Prediction],
    folder: Path,
    *,
    rule: PseudoRule | None = None,
    gap: Gap | None = None,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> FolderFrames:
    """Frames of the project's media that nobody labelled, with what `predict` is sure of.

    As they are in `folder` already, if so; empty when there is no frame to take. tell: frames done,
    of about how many.
    """
    rule = rule or PseudoRule()
    manifest = folder / "manifest.json"
    if manifest.is_file():
        return load(folder)
    project = Project.open(project_path, read_only=True)
    names = []
    try:
        for done, (name, frame) in enumerate(
            _unlabelled(project, split, rule.count, gap or Gap()), start=1
        ):
            if should_stop():
                raise Cancelled
            if _write(project, predict(frame), rule, folder, name):
                names.append(name)
            tell(done, max(done, rule.count))
        classes = 1 + max(c.id for c in project.classes.classes)
    finally:
        project.close()
    content = {"names": names, "classes": classes, "weight": rule.weight}
    atomic_write(manifest, json.dumps(content).encode())
    return load(folder)


def load(folder: Path) -> FolderFrames:
    """What was made before; SegStudioError when it is not there or damaged."""
    try:
        content: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        files = [f"{name}.png" for name in content["names"]]
        pairs = tuple(
            Pair(Path(f).stem, folder / "pictures" / f, folder / "labels" / f, "") for f in files
        )
        return FolderFrames(NAME, pairs, int(content["classes"]), float(content["weight"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SegStudioError(
            f"The labels of the old model in {folder} cannot be read ({error}); delete that folder"
            " to have them made again."
        ) from error


def _write(project: Project, said: Prediction, rule: PseudoRule, folder: Path, name: str) -> bool:
    """False when the model is sure of nothing that the project's classes have a name for."""
    table = find_mapping(said.classes, project.classes).lut()
    is_sure = top_confidence(said.logits) > 255 * rule.threshold
    labels = np.where(is_sure, table[said.labels], VOID).astype(np.uint8)
    if not (labels != VOID).any():
        return False
    write_picture(folder / "pictures" / f"{name}.png", said.frame.rgb)
    write_mask(folder / "labels" / f"{name}.png", labels, project.classes.palette())
    return True


def _unlabelled(
    project: Project, split: Split[CorrectedSample], count: int, gap: Gap
) -> Iterator[tuple[str, Frame]]:
    """Evenly over all media; what cannot be read is passed over."""
    records = {record.id: record for record in project.media()}
    total = max(1, sum(record.frames for record in records.values()))
    for medium in media_of(project, []):
        free = _free(medium, records[medium.number], split, gap)
        wanted = min(len(free), max(1, round(count * medium.info.frames / total)))
        for place in np.linspace(0, len(free) - 1, wanted):
            index = free[round(float(place))]
            try:
                yield f"clip{medium.number}_{index:06d}", medium.source.read(index)
            except MediaError:
                continue


def _free(
    medium: Medium, record: MediaRecord, split: Split[CorrectedSample], gap: Gap
) -> list[int]:
    """Indices of frames that are neither labelled nor near a frame that is judged."""
    clip = clip_of(record, 0)[0]
    judged = [s for s in split.held_out if s.clip == clip]
    every = [i for i in range(medium.info.frames) if i not in medium.labelled]
    if not judged:
        return every
    if not any(s.clip == clip for s in split.train):
        return []
    times = [medium.source.time_us(i) for i in every]
    at: Sequence[float | None] = [s.time_s for s in judged]
    known = [t for t in at if t is not None]
    if len(known) < len(at) or None in times:
        now = {summary.key.index: i for i, summary in medium.labelled.items()}
        places = [now.get(s.index, s.place) for s in judged]
        low, high = min(places) - gap.frames, max(places) + gap.frames
        return [i for i in every if i <= low or i >= high]
    first, last = min(known) - gap.seconds, max(known) + gap.seconds
    seconds = [(t or 0) / 1e6 for t in times]
    return [i for i, t in zip(every, seconds, strict=True) if t <= first or t >= last]
