"""Names of frames, splits and pictures by the places of label files."""

from pathlib import PurePosixPath

import pytest

from segstudio.formats.files.pairing import ending_of, frames_of, paired, split_of, stem_of
from segstudio.formats.masks.mask_sets import clip_of


def paths(*texts):
    return [PurePosixPath(text) for text in texts]


@pytest.mark.parametrize(
    ("file", "stem", "ending"),
    [
        ("a/aachen_000000_000019_gtFine_labelIds.png", "aachen_000000_000019", "_gtFine_labelIds"),
        ("0001TP_006690_L.png", "0001TP_006690", "_L"),
        ("a_train_id.png", "a", "_train_id"),
        ("a_mask.png", "a", "_mask"),
        ("_mask.png", "_mask", ""),
        ("plain.png", "plain", ""),
    ],
)
def test_endings_of_label_files_are_no_part_of_their_names(file, stem, ending):
    path = PurePosixPath(file)
    assert stem_of(path) == stem
    assert ending_of(path) == ending


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("train/masks/a.png", "train"),
        ("Validation/a.png", "val"),
        ("valannot/a.png", "val"),
        ("training/testing/a.png", "test"),
        ("trainer/a.png", ""),
        ("train.png", ""),
    ],
)
def test_the_nearest_folder_that_is_a_split_counts(file, split):
    assert split_of(PurePosixPath(file)) == split


@pytest.mark.parametrize(
    ("file", "clip"),
    [
        ("gtFine/train/aachen/a.png", "aachen"),
        ("drive_7/masks/train/a.png", "drive_7"),
        ("masks/train/a.png", ""),
        ("trainannot/a.png", ""),
    ],
)
def test_a_folder_that_says_nothing_else_is_a_drive(file, clip):
    assert clip_of(PurePosixPath(file)) == clip


def test_of_several_pictures_the_one_of_the_same_place_is_taken():
    masks = paths("b/masks/0.png", "a/masks/0.png")
    pictures = paths("a/frames/0.jpg", "b/frames/0.jpg", "c/0.jpg")
    found = paired(masks, pictures)
    assert [str(found[m]) for m in masks] == ["b/frames/0.jpg", "a/frames/0.jpg"]


def test_a_label_file_is_not_its_own_picture():
    (mask,) = paths("a.png")
    assert paired([mask], [mask]) == {}


def test_names_are_unique_whatever_the_folders():
    masks = paths("x/1.png", "y/1.png", "z/2.png", "Z/2.png", "1.png")
    refs = frames_of(masks, [])
    assert [ref.name for ref in refs] == ["x_1", "y_1", "z_2", "Z_2_2", "1"]
    assert len({ref.name.casefold() for ref in refs}) == len(refs)


def test_drives_name_frames_where_stems_repeat():
    masks = paths("one/masks/1.png", "two/masks/1.png")
    refs = frames_of(masks, [], clip_of)
    assert [(ref.name, ref.clip) for ref in refs] == [("one_1", "one"), ("two_1", "two")]
