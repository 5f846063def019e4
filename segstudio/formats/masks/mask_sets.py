"""The sets of label files in a folder: masks beside pictures, ids beside colours, splits, clips."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from segstudio.formats.files.pairing import LABEL_ENDINGS, PICTURES, RASTERS, ending_of, split_of
from segstudio.formats.files.source import Source
from segstudio.formats.masks.mask_look import COLORS, NUMBERS, PICTURE, WIDE, Look, look_at
from segstudio.store import pairs

_LABEL_WORD = re.compile(
    r"(gt|gtfine|gtcoarse|masks?\d*|labels?|labels?ids?|ids|trainids|annotations?|annots?"
    r"|segmentations?|segmentationclass(raw|aug)?|semantic|seg|segmaps?|indices|index|groundtruth"
    r"|ground_truth|predictions?|preds?|pixellabeldata)"
)
_COLOR_WORD = re.compile(r"(colou?rs?|colou?rmaps?|semantic_rgb|gtcolor|labels_colou?r|visual.*)")
_OBJECT_WORD = re.compile(r"(instances?|instanceids|segmentationobject|panoptic|objects|bitmasks)")
_PICTURE_WORD = re.compile(
    r"(images?|imgs?|imgsfine|leftimg8bit|image_\d+|jpegimages|pictures|photos|frames|rgb|raw)"
)
_SPLIT = r"train(?:ing)?|val(?:idation)?|test(?:ing)?"
_BESIDE_SPLIT = re.compile(rf"(?:(?:{_SPLIT})[_-]+(.+)|(.+)[_-]+(?:{_SPLIT})|(?:{_SPLIT})(annot))")
"""masks_train, train-masks and trainannot are masks and annot."""

HERE = "."
"""What a set is called whose folders and endings say nothing."""

_SAMPLE = 3
_MOST_SETS = 200
"""Folders and endings that are looked at; trees of more are no set of label files."""

_CODINGS = (NUMBERS, COLORS, WIDE)


@dataclass(frozen=True, slots=True)
class MaskSet:
    """Files of one kind. where: what tells them from others: folders, then * and the ending.

    words: what the names say these are: 0 pictures, 1 nothing, 2 objects, 3 colours, 4 labels.
    """

    where: str
    files: tuple[PurePosixPath, ...]
    look: Look
    ending: str
    words: int


def find_masks(source: Source) -> list[MaskSet]:
    """All sets of files that could be labels, the likeliest first."""
    found: dict[tuple[str, str, str], list[MaskSet]] = defaultdict(list)
    for (where, top, ending), files in _grouped(source).items():
        words = _words(where, ending)
        look = look_at(source, files, _SAMPLE, is_named=words > 1)
        if look is None or look.coding == PICTURE:
            continue
        named = f"{where}/*{ending}".strip("/") if ending else where or HERE
        known = MaskSet(named, tuple(files), look, ending, words)
        # Folders that say nothing are clips or splits of one set when they look the same.
        found[where, ending, look.coding if not where else top].append(known)
    return sorted(map(_united, found.values()), key=_rank)


def clip_of(file: PurePosixPath) -> str:
    """The folder that is a drive: the nearest that names no split and no kind of file."""
    return _clip(file.parts[:-1])


@lru_cache(4096)
def _clip(folders: tuple[str, ...]) -> str:
    for part in reversed(folders):
        if not split_of(PurePosixPath(part, "x")) and not _is_role(part):
            return part
    return ""


def _grouped(source: Source) -> dict[tuple[str, str, str], list[PurePosixPath]]:
    """(folders that say what lies there, else the first folder, ending) → files."""
    found: dict[tuple[str, str, str], list[PurePosixPath]] = defaultdict(list)
    pictures = {
        f.stem for f in source.around if f.suffix.casefold() in PICTURES and _is_in_pictures(f)
    }
    for file in source.files:
        if file.suffix.casefold() not in RASTERS:
            continue
        where = _where(file.parts[:-1])
        top = file.parts[0] if not where and len(file.parts) > 1 else ""
        # What its picture ends with too is part of the name.
        ending = "" if file.stem in pictures else ending_of(file)
        found[where, top, ending].append(file)
    kept = sorted(found, key=lambda key: -len(found[key]))[:_MOST_SETS]
    return {key: found[key] for key in kept}


def _word(part: str) -> str:
    """A folder's name in small letters, without the split that it may say."""
    match = _BESIDE_SPLIT.fullmatch(part.casefold())
    return match[match.lastindex or 0] if match else part.casefold()


@lru_cache(4096)
def _is_role(part: str) -> bool:
    kinds = (_LABEL_WORD, _COLOR_WORD, _OBJECT_WORD, _PICTURE_WORD)
    return any(kind.fullmatch(_word(part)) for kind in kinds)


def _words(where: str, ending: str) -> int:
    """See `MaskSet`: by the ending, else by the nearest folder that says anything."""
    if ending:
        text = ending.casefold()
        return 2 if "instance" in text else 3 if "color" in text else 4
    for part in reversed(where.split("/")):
        for words, kind in ((2, _OBJECT_WORD), (3, _COLOR_WORD), (4, _LABEL_WORD)):
            if kind.fullmatch(part):
                return words
        if _PICTURE_WORD.fullmatch(part):
            return 0
    return 1


def _united(sets: list[MaskSet]) -> MaskSet:
    first = sets[0]
    files = tuple(file for known in sets for file in known.files)
    for other in sets[1:]:
        first.look.values += other.look.values
        first.look.colors += other.look.colors
        first.look.palette |= other.look.palette
        first.look.files += other.look.files
    return MaskSet(first.where, files, first.look, first.ending, first.words)


def _rank(known: MaskSet) -> tuple[int, int, int, int, str]:
    endings = (*pairs.LABEL_ENDINGS, *LABEL_ENDINGS)
    place = endings.index(known.ending) if known.ending else len(endings)
    coding = _CODINGS.index(known.look.coding)
    return -known.words, coding, place, -len(known.files), known.where


def pictures_beside(source: Source, sets: Sequence[MaskSet]) -> list[PurePosixPath]:
    """What may be pictures: no file of these sets, but for those in folders of pictures."""
    taken = {file for known in sets if known.words for file in known.files}
    return [
        file
        for file in source.around
        if file.suffix.casefold() in PICTURES
        and file not in taken
        and _words(_where(file.parts[:-1]), "") < 2
        and (file.suffix.casefold() not in RASTERS or not ending_of(file) or _is_in_pictures(file))
    ]


def _is_in_pictures(file: PurePosixPath) -> bool:
    """Whether it lies in a folder of pictures by the names of its folders."""
    where = _where(file.parts[:-1])
    return bool(where) and not _words(where, "")


@lru_cache(4096)
def _where(folders: tuple[str, ...]) -> str:
    return "/".join(_word(part) for part in folders if _is_role(part))
