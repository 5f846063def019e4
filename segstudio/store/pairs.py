"""Pictures and the label files that belong to them, found by name in two folders."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import MediaError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
LABELS = (".png", ".tif", ".tiff", ".bmp")
"""Lossless kinds only: JPEG invents class ids along every edge."""

PICTURE_ENDINGS = ("_leftImg8bit",)
LABEL_ENDINGS = ("_gtFine_labelTrainIds", "_gtFine_labelIds", "_labelTrainIds", "_labelIds", "_L")
"""What label files carry after the picture's stem, the preferred first: Cityscapes, CamVid."""

_OTHER_ENDINGS = ("_color", "_instanceIds", "_instanceTrainIds", "_polygons")


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture (or one prediction) and its reference labels.

    name: the stem they share, after its folder where that stem lies in several.
    ending: the entry of LABEL_ENDINGS that the label file's name carries, "" for none.
    """

    name: str
    picture: Path
    labels: Path
    ending: str


def find_pairs(pictures: Path, labels: Path, *, predictions: bool = False) -> list[Pair]:
    """The pairs of the same stem in two folders and the folders inside them, sorted by name.

    A stem that lies in several folders (000000 of one clip and of the next) belongs to the one in
    the folder of the same name.
    predictions: the first folder holds label files too. MediaError when a folder is missing or
    nothing belongs together.
    """
    found, reference = _both(pictures, labels, predictions=predictions)
    pairs = [
        Pair(stem, picture, reference[stem][0], reference[stem][1])
        for stem, (picture, _) in sorted(found.items())
        if stem in reference
    ]
    if not pairs:
        raise MediaError(
            f"No file in {pictures} has a label file of the same name in {labels}; check that the"
            " stems are equal (endings like _leftImg8bit, _gtFine_labelIds and _L may differ)."
        )
    return pairs


def find_unpaired(
    pictures: Path, labels: Path, *, predictions: bool = False
) -> tuple[list[Path], list[Path]]:
    """What `find_pairs` leaves out: pictures without labels, and label files without a picture."""
    found, reference = _both(pictures, labels, predictions=predictions)
    return (
        [file for stem, (file, _) in sorted(found.items()) if stem not in reference],
        [file for stem, (file, _) in sorted(reference.items()) if stem not in found],
    )


_Named = Mapping[str, tuple[Path, str]]
"""Name → file and ending."""


def instances_beside(pair: Pair) -> Path | None:
    """Cityscapes' raster of instances of the same frame; None where there is none."""
    named, _, _ = pair.labels.stem.rpartition("_")
    file = pair.labels.with_name(f"{named}_instanceIds{pair.labels.suffix}")
    return file if "_label" in pair.ending and file.is_file() else None


def _both(pictures: Path, labels: Path, *, predictions: bool) -> tuple[_Named, _Named]:
    """The two folders by stem; by place and stem where one has a stem in several places."""
    reference = _by_place(labels, LABELS, LABEL_ENDINGS)
    found = _by_place(
        pictures,
        LABELS if predictions else PICTURES,
        (*LABEL_ENDINGS, *PICTURE_ENDINGS) if predictions else PICTURE_ENDINGS,
    )
    counted = [Counter(stem for _, stem in each) for each in (found, reference)]
    twice = {stem for each in counted for stem, count in each.items() if count > 1}

    def named(files: Mapping[tuple[str, str], tuple[Path, str]]) -> _Named:
        return {
            f"{place}/{stem}" if stem in twice and place != "." else stem: file
            for (place, stem), file in files.items()
        }

    return named(found), named(reference)


def _by_place(
    folder: Path, kinds: tuple[str, ...], endings: tuple[str, ...]
) -> Mapping[tuple[str, str], tuple[Path, str]]:
    """Folder inside `folder` and stem without its ending -> (file, ending)."""
    if not folder.is_dir():
        raise MediaError(f"There is no folder {folder}; check the path.")
    found: dict[tuple[str, str], tuple[Path, str]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in kinds or file.stem.endswith(_OTHER_ENDINGS):
            continue
        ending = next((e for e in endings if file.stem.endswith(e)), "")
        key = (file.parent.relative_to(folder).as_posix(), file.stem.removesuffix(ending))
        known = found.get(key)
        if known is None or _rank(ending, endings) < _rank(known[1], endings):
            found[key] = (file, ending)
    return found


def _rank(ending: str, endings: tuple[str, ...]) -> int:
    return endings.index(ending) if ending in endings else len(endings)
