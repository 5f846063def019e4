"""IoU of groups of classes, as cityscapesScripts counts it.

A pixel of a class taken for another class of the same category is right. Cityscapes names seven
categories with figures: flat, construction, object, nature, sky, human, vehicle.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.core.confusion import Counts
from segstudio.core.metrics import mean_of, ratio

VOID_CATEGORY = "void"
"""A category of this name is never judged."""


@dataclass(frozen=True, slots=True, eq=False)
class CategoryScores:
    """iou: float64 (K,), 0..1, in the order of names; NaN where there is no pixel to speak of."""

    names: tuple[str, ...]
    iou: NDArray[np.float64]
    miou: float


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """Which class belongs where.

    names: in the order in which the classes name them. of_class: intp (C,), class row → category,
    -1 for none. judged: bool (C,), False for a class that no figure counts: its reference pixels
    are left out, and a prediction of it is a miss. holds: bool (K, C), the judged classes of each.
    """

    names: tuple[str, ...]
    of_class: NDArray[np.intp]
    judged: NDArray[np.bool_]
    holds: NDArray[np.bool_]

    @staticmethod
    def of(
        classes: ClassMap, named: Mapping[str, str], ignored: Collection[str] = ()
    ) -> "Categories | None":
        """From class name → category, and the names of classes that no figure counts.

        None for a class set of which no class has a category.
        """
        found = [named.get(known.name, "") for known in classes.classes]
        names = tuple(dict.fromkeys(name for name in found if name))
        if not names:
            return None
        of_class = np.array([names.index(name) if name else -1 for name in found], np.intp)
        judged = np.array([name not in ("", VOID_CATEGORY) for name in found])
        judged &= [known.name not in ignored for known in classes.classes]
        holds = (np.arange(len(names))[:, None] == of_class) & judged
        return Categories(names, of_class, judged, holds)


def categories_in(rows: Iterable[Mapping[str, object]]) -> tuple[dict[str, str], frozenset[str]]:
    """Class name → category, and the classes that no figure counts, from a class set file's rows.

    rows: its "classes"; a row may have "category" and "ignore_in_eval".
    """
    named: dict[str, str] = {}
    ignored = set()
    for row in rows:
        if row.get("category"):
            named[str(row["name"])] = str(row["category"])
        if row.get("ignore_in_eval"):
            ignored.add(str(row["name"]))
    return named, frozenset(ignored)


def category_scores(full: Counts, categories: Categories) -> CategoryScores:
    """From int64 (C + 1, C + 1), a `ConfusionMatrix.full`. The void category is NaN."""
    hit, missed, wrong = blocks(full, categories)
    iou = ratio(hit, hit + missed + wrong)
    return CategoryScores(categories.names, iou, mean_of(iou))


def blocks(
    full: Counts, categories: Categories
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """float64 (K,) each: pixels right inside a category, missed, and wrongly taken for it."""
    rows = full[:-1]
    hit, missed, wrong = np.zeros((3, len(categories.names)))
    for k, inside in enumerate(categories.holds):
        hit[k] = rows[inside][:, :-1][:, inside].sum()
        missed[k] = rows[inside].sum() - hit[k]
        wrong[k] = rows[categories.judged & ~inside][:, :-1][:, inside].sum()
    return hit, missed, wrong
