"""Which picture belongs to which label file, by their names and folders, and so the frames."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
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

_Folders = tuple[str, ...]
_Picture = tuple[_Folders, PurePosixPath]
_SPLITS = {"training": "train", "validation": "val", "valid": "val", "testing": "test"}


def ending_of(path: PurePosixPath) -> str:
    """The entry of LABEL_ENDINGS that a label file's stem has, "" for none."""
    return _ending(path.stem)


def stem_of(path: PurePosixPath) -> str:
    """The stem of a label file without its ending: the name of its frame."""
    stem = path.stem
    return stem.removesuffix(_ending(stem))


def _ending(stem: str) -> str:
    if not stem.endswith(LABEL_ENDINGS):  # few do, and this is one call
        return ""
    return next((e for e in LABEL_ENDINGS if stem.endswith(e) and len(stem) > len(e)), "")


def split_of(path: PurePosixPath) -> str:
    """The split that a folder of the path names, the nearest first; "" for none."""
    return _split(path.parts[:-1])


@lru_cache(4096)
def _split(folders: _Folders) -> str:
    for part in reversed(folders):
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
    exact: dict[str, list[_Picture]] = defaultdict(list)
    loose: dict[str, list[_Picture]] = defaultdict(list)
    for path in pictures:
        whole = path.stem
        stem = whole.removesuffix(next((e for e in _PICTURE_ENDINGS if whole.endswith(e)), ""))
        picture = (path.parts[:-1], path)
        for each in {stem, whole}:
            exact[each].append(picture)
        loose[_bare(stem)].append(picture)
    # Clips have the same stems in as many folders as there are clips.
    scores: dict[_Folders, dict[_Folders, tuple[int, int]]] = defaultdict(dict)
    found = {}
    for mask in masks:
        stem = stem_of(mask)
        near = exact.get(mask.stem) or exact.get(stem) or loose.get(_bare(stem)) or []
        folders = mask.parts[:-1]
        known = scores[folders]
        best: tuple[tuple[int, int], PurePosixPath] | None = None
        for theirs, path in near:
            score = known.get(theirs)
            if score is None:
                score = known[theirs] = _in_common(folders, theirs)
            if (best is None or score > best[0]) and path != mask:
                best = (score, path)
        if best is not None:
            found[mask] = best[1]
    return found


def _bare(stem: str) -> str:
    return _BEGINNING.sub("", stem, count=1) if _BEGINNING.match(stem) else stem


def _in_common(ours: _Folders, theirs: _Folders) -> tuple[int, int]:
    """How many folders they share, first from the end, then from the beginning."""
    return _same(ours[::-1], theirs[::-1]) + len(set(ours) & set(theirs)), _same(ours, theirs)


def _same(ours: _Folders, theirs: _Folders) -> int:
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

    An ending is no part of the name where all of them have it, and no picture is called so too.
    Where a stem lies in several folders, the drive or folder comes before it. clip: the drive of a
    label file.
    """
    known = list(pictures)
    belonging = paired(masks, known)
    wholes = {path.stem for path in known}
    is_ending = len({ending_of(mask) for mask in masks}) == 1
    stems = [m.stem if m.stem in wholes or not is_ending else stem_of(m) for m in masks]
    count = Counter(stem.casefold() for stem in stems)
    names = Unique()
    found = []
    for mask, stem in zip(masks, stems, strict=True):
        drive = clip(mask)
        folder = "" if count[stem.casefold()] == 1 else drive or mask.parent.name
        name = names.name(f"{folder}_{stem}" if folder else stem)
        found.append(FrameRef(name, mask, drive, split_of(mask), belonging.get(mask)))
    return found
