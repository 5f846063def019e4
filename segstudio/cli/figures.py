"""From confusion matrices, one per frame, to the figures that reports carry."""

import argparse
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segstudio.cli.reference import ReferenceSet
from segstudio.cli.report import Json
from segstudio.core.categories import VOID_CATEGORY, category_scores
from segstudio.core.confusion import Counts
from segstudio.core.instances import Records, instance_scores
from segstudio.core.metrics import Convention, Scores, mean_of_scores, scores_of
from segstudio.errors import UsageError

if TYPE_CHECKING:  # OpenCV comes when outlines are asked for
    from segstudio.core.boundary import OutlineCounts

HEADLINE = ("pixel_accuracy", "mean_accuracy", "miou", "fwiou", "mean_f1")


def convention_names() -> list[str]:
    """As they are written on the command line: void-ignored, …"""
    return [c.value.replace(" ", "-") for c in Convention]


def convention_of(name: str) -> Convention:
    """The convention of that name, blanks or hyphens alike; UsageError for an unknown one."""
    for convention in Convention:
        if convention.value.replace(" ", "-") == name.strip().casefold().replace(" ", "-"):
            return convention
    raise UsageError(f"There is no convention '{name}'; choose {', '.join(convention_names())}.")


def add_figure_options(parser: argparse.ArgumentParser) -> None:
    """Which figures; shared by `eval` and `compare`."""
    parser.add_argument(
        "--convention",
        default=Convention.VOID_IGNORED.value,
        metavar="NAME",
        help=f"what void pixels do: {', '.join(convention_names())} (void-ignored)",
    )
    parser.add_argument(
        "--boundary", action="store_true", help="also the boundary F-score of every class"
    )


def all_scores(counts: Sequence[Counts], classes: int, convention: Convention) -> Scores:
    """Of a whole set. counts: int64 (C + 1, C + 1) of each frame."""
    if convention is Convention.PER_IMAGE:
        return mean_of_scores(counts, classes)
    return scores_of(total(counts, classes), convention)


def total(counts: Sequence[Counts], classes: int) -> Counts:
    """int64 (C + 1, C + 1): the sum over frames."""
    summed = np.zeros((classes + 1, classes + 1), np.int64)
    for one in counts:
        summed += one
    return summed


def entry(frames: Mapping[str, Counts], reference: ReferenceSet, convention: Convention) -> Json:
    """Everything that is said about one model. frames: file → int64 (C + 1, C + 1)."""
    counts, size = list(frames.values()), len(reference.classes)
    scores = {c: all_scores(counts, size, c) for c in Convention}
    full, used = total(counts, size), scores[convention]
    names = reference.names
    by_class = [*names, "void"] if len(used.iou) > size else names
    found: Json = {"convention": convention.value}
    found.update({name: getattr(used, name) for name in HEADLINE})
    for key, field in (("iou", "iou"), ("precision", "precision"), ("recall", "accuracy")):
        found[key] = dict(zip(by_class, getattr(used, field).tolist(), strict=True))
    found["f1"] = dict(zip(by_class, used.f1.tolist(), strict=True))
    found["conventions"] = {
        c.value: {name: getattr(scores[c], name) for name in HEADLINE} for c in Convention
    }
    if reference.categories is not None:
        by_category = category_scores(full, reference.categories)
        named = zip(by_category.names, by_category.iou.tolist(), strict=True)
        found["category_iou"] = {name: iou for name, iou in named if name != VOID_CATEGORY}
        found["category_miou"] = by_category.miou
    found["confusion"] = full[:size].tolist()
    found["confusion_full"] = full.tolist()
    found["columns"] = [*names, "other"]
    found["frames"] = len(counts)
    found["pixels"] = int(full[:size].sum())
    found["ignored"] = int(full[size].sum())
    return found


def boundary(outlines: "Sequence[OutlineCounts]", names: Sequence[str]) -> Json:
    """The boundary F-score by class and image. outlines: int64 (C, 4) of each frame."""
    from segstudio.core.boundary import TOLERANCE, mean_of_boundary_scores

    scores = mean_of_boundary_scores(outlines, len(names))
    return {
        "boundary_f1": dict(zip(names, scores.f1.tolist(), strict=True)),
        "boundary_mean_f1": scores.mean_f1,
        "boundary_tolerance": TOLERANCE,
    }


def instance_figures(
    records: Mapping[str, Records], frames: Mapping[str, Counts], reference: ReferenceSet
) -> Json:
    """iIoU over the frames that have a file of instances: file → what became of each instance.

    frames: file → int64 (C + 1, C + 1), those of all frames. Where some have no instances, hits
    and misses of these alone stand against wrong pixels of these alone.
    """
    full = total([frames[file] for file in records], len(reference.classes))
    scores = instance_scores(
        np.concatenate(list(records.values())),
        full,
        reference.classes,
        reference.categories,
        sizes=reference.sizes,
    )
    by_class = dict(zip(reference.names, scores.iou.tolist(), strict=True))
    found: Json = {
        "iiou": {name: by_class[name] for name in reference.names_with_instances},
        "miiou": scores.miou,
        "instances": len(records),
    }
    if scores.category_names:
        by_category = zip(scores.category_names, scores.category_iou.tolist(), strict=True)
        found["category_iiou"] = dict(by_category)
        found["category_miiou"] = scores.category_miou
    return found


def per_frame(frames: Mapping[str, Counts], convention: Convention) -> list[Json]:
    """Each frame by itself: {"file", "miou", "pixel_accuracy", "pixels"}."""
    rows = []
    for file, counts in frames.items():
        scores = scores_of(counts, convention)
        rows.append(
            {
                "file": file,
                "miou": scores.miou,
                "pixel_accuracy": scores.pixel_accuracy,
                "pixels": int(counts[:-1].sum()),
            }
        )
    return rows


def speed(stages: Mapping[str, Sequence[float]], decode_ms: Sequence[float], models: int) -> Json:
    """How fast a model was while all took turns.

    stages: name → milliseconds per frame, in order. The first frame, which warms things up, is
    left out where there are others. fps: from the mean of what the model itself took.
    """
    from segstudio.engine.run import percentiles

    warm = {
        name: list(values[1:] if len(values) > 1 else values) for name, values in stages.items()
    }
    sums = [sum(each) for each in zip(*warm.values(), strict=True)]
    mean = float(np.mean(sums)) if sums else 0.0
    return {
        "fps": round(1000 / mean, 3) if mean > 0 else None,
        "latency_ms": percentiles(sums),
        "stages_ms": {
            "decode": percentiles(list(decode_ms)),
            **{name: percentiles(values) for name, values in warm.items()},
        },
        "frames": len(sums),
        "models_taking_turns": models,
    }


def table_text(rows: Sequence[Sequence[object]]) -> str:
    """CSV; what is not a number is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow(["" if _is_nothing(cell) else cell for cell in row])
    return buffer.getvalue()


def _is_nothing(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)


def frame_rows(models: Mapping[str, Mapping[str, Counts]], convention: Convention) -> str:
    """The CSV of every frame and model."""
    rows: list[Sequence[object]] = [
        ("model", "file", "miou", "pixel_accuracy", "pixels", "convention")
    ]
    for name, frames in models.items():
        rows += [(name, *row.values(), convention.value) for row in per_frame(frames, convention)]
    return table_text(rows)


def save_text(file: Path, text: str) -> None:
    """Whole or not at all."""
    from segstudio.store.atomic import atomic_write

    atomic_write(file, text.encode("utf-8"))
