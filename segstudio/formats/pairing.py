"""Which picture belongs to which label file, by their names and folders, and so the frames."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from segstudio.formats.labelled import SPLITS
from segstudio.formats.names import Unique
from segstudio.formats.registry import FrameRef

RASTERS = (".png", ".tif", ".tiff", ".bmp", ".gif")
"""Kinds of files that can hold labels exactly."""

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

LABEL_ENDINGS = (
    "_gtFine_labelTrainIds",
    "_gtFine_labelIds",
    "_gtFine_color",
    "_gtFine_instanceTrainIds",
    "_gtFine_instanceIds",
    "_gtCoarse_labelTrainIds",
    "_gtCoarse_labelIds",
    "_gtCoarse_color",
    "_labelTrainIds",
    "_labelIds",
    "_trainIds",
    "_instanceIds",
    "_segmentation",
    "_labels",
    "_label",
    "_masks",
    "_mask",
    "_color",
    "_train_id",
    "_train_color",
    "_seg",
    "_gt",
    "_L",
)
"""What label files carry after the stem of their picture; longer ones before what they end with."""

_PICTURE_ENDINGS = ("_leftImg8bit", "_image", "_img", "_rgb")
_BEGINNING = re.compile(r"(gt|mask|masks|label|labels|seg|image|img|frame|picture)[_-]+", re.I)
_SPLITS = {"training": "train", "validation": "val", "valid": "val", "testing": "test"}


def ending_of(path: PurePosixPath) -> str:
    """The entry of LABEL_ENDINGS that a label file's stem has, "" for none."""
    return next((e for e in LABEL_ENDINGS if path.stem.endswith(e) and len(path.stem) > len(e)), "")


def stem_of(path: PurePosixPath) -> str:
    """The stem of a label file without its ending: the name of its frame."""
    return path.stem.removesuffix(ending_of(path))


def split_of(path: PurePosixPath) -> str:
    """The split that a folder of the path names, the nearest first; "" for none."""
    for part in reversed(path.parts[:-1]):
        word = part.casefold().removesuffix("annot")
        split = _SPLITS.get(word, word)
        if split in SPLITS:
            return split
    return ""


def paired(
    masks: Iterable[PurePosixPath], pictures: Iterable[PurePosixPath]
) -> Mapping[PurePosixPath, PurePosixPath]:
    """Label file → its picture, for those that have one.

    Of several pictures with the stem the one whose folders have most in common with the label
    file's; where nothing has the stem, words like gt_ and image_ before it do not count.
    """
    exact: dict[str, list[PurePosixPath]] = defaultdict(list)
    loose: dict[str, list[PurePosixPath]] = defaultdict(list)
    for picture in pictures:
        stem = picture.stem
        stem = stem.removesuffix(next((e for e in _PICTURE_ENDINGS if stem.endswith(e)), ""))
        exact[stem].append(picture)
        loose[_bare(stem)].append(picture)
    found = {}
    for mask in masks:
        stem = stem_of(mask)
        near = exact.get(stem) or exact.get(mask.stem) or loose.get(_bare(stem)) or []
        near = [p for p in near if p != mask]
        if near:
            found[mask] = max(near, key=lambda p: _in_common(mask, p))
    return found


def _bare(stem: str) -> str:
    return _BEGINNING.sub("", stem, count=1) if _BEGINNING.match(stem) else stem


def _in_common(mask: PurePosixPath, picture: PurePosixPath) -> tuple[int, int]:
    """How many folders they share, first from the end, then from the beginning."""
    ours, theirs = mask.parts[:-1], picture.parts[:-1]
    return _same(ours[::-1], theirs[::-1]) + len(set(ours) & set(theirs)), _same(ours, theirs)


def _same(ours: tuple[str, ...], theirs: tuple[str, ...]) -> int:
    count = 0
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        count += 1
    return count


def frames_of(
    masks: Sequence[PurePosixPath],
    pictures: Iterable[PurePosixPath],
    clip: Callable[[PurePosixPath], str] = lambda _: "",
) -> list[FrameRef]:
    """Frames by their label files (the keys), in their order, each with a name of its own.

    Where a stem lies in several folders, the drive or folder comes before it. clip: the drive of a
    label file.
    """
    belonging = paired(masks, pictures)
    count = Counter(stem_of(mask).casefold() for mask in masks)
    names = Unique()
    found = []
    for mask in masks:
        stem = stem_of(mask)
        drive = clip(mask)
        folder = "" if count[stem.casefold()] == 1 else drive or mask.parent.name
        name = names.name(f"{folder}_{stem}" if folder else stem)
        found.append(FrameRef(name, mask, drive, split_of(mask), belonging.get(mask)))
    return found
