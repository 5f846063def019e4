"""Labels of a project in the class set that a format prescribes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core import class_mapping
from segstudio.core.classes import VOID, ClassMap
from segstudio.store.class_sets import find_mapping, load_class_set


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """classes: the prescribed set. ids: uint8 (256,), its id for each id of the project, 255 where
    it has no such class. cannot: what is lost, sentences."""

    classes: ClassMap
    ids: NDArray[np.uint8]
    cannot: tuple[str, ...]


def fitted(classes: ClassMap, name: str) -> Fitted:
    """How labels of `classes` become labels of the shipped class set of that name."""
    target = load_class_set(name)
    mapping = find_mapping(classes, target)
    words = class_mapping.in_words(mapping, classes, target)
    return Fitted(target, mapping.lut(), (words,) if words else ())


def own(classes: ClassMap) -> Fitted:
    """The project's own set: every id stays."""
    ids = np.full(256, VOID, np.uint8)
    for known in classes.classes:
        ids[known.id] = known.id
    return Fitted(classes, ids, ())


def numbered(classes: ClassMap, first: int = 0) -> tuple[ClassMap, NDArray[np.uint8]]:
    """The same classes numbered without gaps from `first`, by id; and uint8 (256,) id → number."""
    from dataclasses import replace

    order = sorted(classes.classes, key=lambda c: c.id)
    ids = np.full(256, VOID, np.uint8)
    for number, known in enumerate(order, first):
        ids[known.id] = number
    renumbered = tuple(replace(known, id=n) for n, known in enumerate(order, first) if n < VOID)
    return ClassMap(classes.name, renumbered), ids
