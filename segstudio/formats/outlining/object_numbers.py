"""Numbers of single objects: from 1 inside each class, as `Labelled.instances`, or over a frame."""

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.errors import FormatError

STEP = 256
"""Between classes in numbers that say class and object in one, as in KITTI."""


def numbered_inside(
    labels: NDArray[np.uint8], objects: NDArray[np.int32]
) -> NDArray[np.int32] | None:
    """Objects numbered from 1 inside each class, in the order of their numbers.

    labels: uint8 (H, W), 255 void. objects: int32 (H, W), any numbers, 0 where there is none. None
    where no object is. An object whose pixels have two classes becomes two.
    """
    is_one = (objects > 0) & (labels != VOID)
    if not is_one.any():
        return None
    known, places = np.unique(_codes(labels, objects, is_one), return_inverse=True)
    owners = known >> 32
    before = np.searchsorted(owners, owners)  # objects of smaller classes
    found = np.zeros(labels.shape, np.int32)
    found[is_one] = (np.arange(1, known.size + 1) - before).astype(np.int32)[places]
    return found


def numbered_over_all(
    labels: NDArray[np.uint8], instances: NDArray[np.int32], most: int, name: str
) -> NDArray[np.int32]:
    """The other way: int32 (H, W), numbers from 1 over all classes, 0 where there is no object.

    FormatError when there are more than `most`; `name` is what the message calls the frame.
    """
    is_one = (instances > 0) & (labels != VOID)
    known, places = np.unique(_codes(labels, instances, is_one), return_inverse=True)
    if known.size > most:
        raise FormatError(
            f"{name} has {known.size:,} single objects, and the format takes {most:,}; export it"
            " without objects."
        )
    found = np.zeros(labels.shape, np.int32)
    found[is_one] = places.astype(np.int32) + 1
    return found


def in_one(
    labels: NDArray[np.uint8], instances: NDArray[np.int32] | None, name: str
) -> NDArray[np.uint16]:
    """uint16 (H, W): class × 256 + object, as KITTI and Mapillary have it.

    FormatError when a class has more than 255 objects; `name` is what the message calls the frame.
    """
    wide: NDArray[np.uint16] = labels.astype(np.uint16) * np.uint16(STEP)
    if instances is None:
        return wide
    most = int(instances.max(initial=0))
    if most >= STEP:
        raise FormatError(
            f"{name} has {most:,} objects of one class, and the format takes {STEP - 1}; export it"
            " without objects."
        )
    wide += np.maximum(instances, 0).astype(np.uint16)
    return wide


def _codes(
    labels: NDArray[np.uint8], objects: NDArray[np.int32], where: NDArray[np.bool_]
) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = labels[where].astype(np.int64) << 32 | objects[where]
    return codes
