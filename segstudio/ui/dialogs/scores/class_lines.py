"""The table of classes as values: its lines, which figure is best, and the file it is saved as."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segstudio import paths
from segstudio.core.categories import Categories, categories_in, category_scores
from segstudio.core.classes import ClassMap
from segstudio.core.confusion import Counts
from segstudio.core.metrics import Convention, Scores
from segstudio.ui.comparing.wording import CONVENTIONS
from segstudio.ui.dialogs.scores.matrix import VOID_NAME
from segstudio.ui.dialogs.scores.source import Graded

MEASURES = (
    ("IoU", "Intersection over union: right, by right, missed and wrongly said together"),
    ("Precision", "Of the pixels that the model gave this class, how many have it"),
    ("Recall", "Of the pixels of this class, how many the model found; also called accuracy"),
    ("F1", "Harmonic mean of precision and recall; also called Dice"),
)
NAN = float("nan")
Values = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One model on the frames in question. full: int64 (C + 1, C + 1). own: frames left out."""

    graded: Graded
    scores: Scores
    full: Counts
    frames: int
    own: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """kind: "class", "mean", "whole" or "category".

    row: of the matrix, -1 for none. pixels: in the reference, NaN where that means nothing.
    values: for each model four figures as in MEASURES, 0..1; one alone of the whole
    and of a category.
    """

    kind: str
    name: str
    row: int
    color: tuple[int, int, int] | None
    pixels: float
    values: tuple[Values, ...]
    tip: str = ""

    @property
    def is_single(self) -> bool:
        """One figure for each model, that belongs to none of its columns."""
        return self.kind in ("whole", "category")

    def value(self, model: int, measure: int) -> float:
        """0..1 or NaN."""
        return self.values[model][measure]


def lines_of(
    classes: ClassMap, models: Sequence[Measured], categories: Categories | None
) -> list[Line]:
    """Classes in their order, then the mean, figures of the whole, and categories if any."""
    if not models:
        return []
    found = [
        Line("class", known.name, row, known.color, _pixels(models, row), _of_class(models, row))
        for row, known in enumerate(classes.classes)
    ]
    if any(len(m.scores.iou) > len(classes) for m in models):
        row = len(classes)
        values = _of_class(models, row)
        found.append(Line("class", VOID_NAME, row, (0, 0, 0), _pixels(models, row), values))
    found.append(
        Line("mean", "Mean", -1, None, NAN, tuple(_means(m.scores) for m in models),
             "Mean over classes that have a figure")
    )  # fmt: skip
    for title, tip, name in (
        ("Pixel accuracy", "Share of all pixels that are right", "pixel_accuracy"),
        ("Mean accuracy", "Mean recall of the classes in the reference", "mean_accuracy"),
        ("Frequency-weighted IoU", "IoU of each class, weighted by its pixels", "fwiou"),
    ):
        each = tuple((float(getattr(m.scores, name)),) for m in models)
        found.append(Line("whole", title, -1, None, NAN, each, tip))
    return found + _of_categories(models, categories)


def _pixels(models: Sequence[Measured], row: int) -> float:
    """In the reference, of the model that saw most of it."""
    return max(float(m.scores.reference[row]) for m in models)


def _of_class(models: Sequence[Measured], row: int) -> tuple[Values, ...]:
    return tuple(
        tuple(float(each[row]) for each in (s.iou, s.precision, s.accuracy, s.f1))
        for s in (m.scores for m in models)
    )


def _means(scores: Scores) -> Values:
    precision = scores.precision
    if scores.convention is Convention.PRESENT:
        precision = np.where(scores.reference > 0, precision, np.nan)
    known = precision[~np.isnan(precision)]
    mean = float(known.mean()) if known.size else NAN
    return scores.miou, mean, scores.mean_accuracy, scores.mean_f1


def _of_categories(models: Sequence[Measured], categories: Categories | None) -> list[Line]:
    """IoU only, as cityscapesScripts reports it."""
    if categories is None:
        return []
    tip = "A class taken for another one of the same category is right"
    each = [category_scores(m.full, categories) for m in models]
    found = [
        Line("category", name, -1, None, NAN,
             tuple((float(s.iou[k]),) for s in each), tip)
        for k, name in enumerate(categories.names)
        if any(s.iou[k] == s.iou[k] for s in each)
    ]  # fmt: skip
    mean = tuple((s.miou,) for s in each)
    return [*found, Line("whole", "Mean category IoU", -1, None, NAN, mean, tip)] if found else []


def best_of(line: Line, measure: int, shown: Sequence[int]) -> frozenset[int]:
    """Models with the best figure, as it is shown; none while all are alike. shown: their places.

    Lines of the whole and of categories have one measure, 0.
    """
    figures = {m: round(line.value(m, measure), 3) for m in shown}
    known = {m: value for m, value in figures.items() if value == value}
    if len(known) < 2 or len(set(known.values())) < 2:
        return frozenset()
    top = max(known.values())
    return frozenset(m for m, value in known.items() if value == top)


def categories_of(classes: ClassMap) -> Categories | None:
    """What the class set of that name says about categories; None where it says nothing."""
    file = paths.resources() / "classes" / f"{classes.name}.json"
    if file.parent not in file.resolve().parents or not file.is_file():
        return None
    try:
        named, ignored = categories_in(json.loads(file.read_text(encoding="utf-8"))["classes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if any(known.name not in named for known in classes.classes):
        return None  # a set of the same name, but another one
    return Categories.of(classes, named, ignored)


def as_text(
    lines: Sequence[Line],
    models: Sequence[Measured],
    convention: Convention,
    *,
    shown: Sequence[int],
    is_reference: bool,
    separator: str = ",",
) -> str:
    """CSV or TSV with a head; figures 0..1 with six digits, empty where there is none.

    shown: places of the models that are wanted. The last rows say on what it all stands, so that
    a figure never travels without.
    """
    out = io.StringIO()
    write = csv.writer(out, delimiter=separator, lineterminator="\n").writerow
    some = [models[m] for m in shown]
    heads = [f"{m.graded.letter} {m.graded.title} {name}" for m in some for name, _ in MEASURES]
    write(["class", "reference pixels", *heads])
    for line in lines:
        cells = [cell for m in shown for cell in _padded(line.values[m])]
        number = "" if line.pixels != line.pixels else f"{line.pixels:.0f}"
        write([line.name, number, *cells])
    write(["convention", CONVENTIONS[convention][0]])
    what = "confirmed frames" if is_reference else "frames of unconfirmed labels (agreement only)"
    write([what, "", *(cell for m in some for cell in (str(m.frames), "", "", ""))])
    if is_reference and any(m.own for m in some):
        lost = (cell for m in some for cell in (str(m.own), "", "", ""))
        write(["its own drafts, left out", "", *lost])
    return out.getvalue()


def _padded(values: Values) -> list[str]:
    cells = ["" if v != v else f"{v:.6f}" for v in values]
    return cells + [""] * (len(MEASURES) - len(cells))
