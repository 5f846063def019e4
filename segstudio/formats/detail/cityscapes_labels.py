"""The numbers of Cityscapes: ids, trainIds and instance ids, and what our labels are in them.

"unlabeled" (0) and void (255) are one and the same: nobody said what is there.
"""

import json
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import fitted
from segstudio.store.class_sets import class_set_file, load_class_set

CLASS_SET = "cityscapes34"
UNLABELED = 0
_STEP = 1000
"""An instance id is class · 1000 + number; below 1000 it is a class without a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """classes: all but "unlabeled". train_ids: uint8 (256,), id → trainId, 255 where none.
    from_train_ids: the way back. things: ids whose single objects are told apart.
    """

    classes: ClassMap
    train_ids: NDArray[np.uint8]
    from_train_ids: NDArray[np.uint8]
    things: frozenset[int]


@cache
def numbers() -> Numbers:
    """As cityscapesScripts has them."""
    rows = json.loads(class_set_file(CLASS_SET).read_text(encoding="utf-8"))["classes"]
    train_ids = np.full(256, VOID, np.uint8)
    back = np.full(256, VOID, np.uint8)
    for row in rows:
        train_ids[row["id"]] = row["train_id"]
        if row["train_id"] != VOID:
            back[row["train_id"]] = row["id"]
    whole = load_class_set(CLASS_SET)
    classes = replace(whole, classes=tuple(c for c in whole.classes if c.id != UNLABELED))
    things = frozenset(row["id"] for row in rows if row["instances"])
    return Numbers(classes, train_ids, back, things)


def fit(classes: ClassMap) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """uint8 (256,): the Cityscapes id of each id of the project, 255 = unlabeled; and what is lost,
    in sentences."""
    found = fitted(classes, CLASS_SET)
    ids = found.ids.copy()
    unlabeled = [c.name for c in classes.classes if ids[c.id] == UNLABELED]
    ids[ids == UNLABELED] = VOID
    lost = tuple(f"{name} is void in Cityscapes." for name in unlabeled)
    return ids, found.cannot + lost


def instance_ids(
    ids: NDArray[np.uint8], instances: NDArray[np.int32] | None, name: str
) -> NDArray[np.uint16]:
    """uint16 (H, W) as in instanceIds.png. ids: as in labelIds.png, 0 = unlabeled.

    instances: numbers from 1 inside each class, which Cityscapes counts from 0. FormatError when a
    class has more than 1000; `name` is what the message calls the frame.
    """
    found = ids.astype(np.uint16)
    if instances is None:
        return found
    is_thing = np.zeros(256, bool)
    is_thing[list(numbers().things)] = True
    one = is_thing[ids] & (instances > 0)
    if int(instances[one].max(initial=0)) > _STEP:
        raise FormatError(
            f"{name} has an object with the number {int(instances[one].max()):,}; Cityscapes"
            f" counts up to {_STEP} in each class, so number them anew or leave the objects out."
        )
    found[one] = found[one] * _STEP + (instances[one] - 1).astype(np.uint16)
    return found


def from_instance_ids(
    values: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32] | None]:
    """The other way round: ids int32 (H, W), and instances where any pixel has a number."""
    single = values >= _STEP
    ids = np.where(single, values // _STEP, values).astype(np.int32)
    if not single.any():
        return ids, None
    return ids, np.where(single, values % _STEP + 1, 0).astype(np.int32)
