"""COCO-Stuff: pixel maps and lists that say the same."""

import json

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.coco_stuff import CocoStuff
from segstudio.formats.labelled import Labelled

MAP = "annotations/stuff_train_pixelmaps/a.png"


@pytest.fixture
def trip(there_and_back, some_classes):
    labels = np.array([[0, 1, VOID], [2, 2, 2]], np.uint8)
    return there_and_back("coco_stuff", [Labelled("a", labels)], some_classes(3))


def read_first(folder):
    reader = CocoStuff().open(FolderSource(folder), {})
    return reader.read(reader.frames[0]).labels


def test_a_pixel_map_holds_category_ids_and_zero_is_void(trip):
    with Image.open(trip.folder / MAP) as image:
        assert np.asarray(image).tolist() == [[1, 2, 0], [3, 3, 3]]
        assert image.getpalette()[:6] == [0, 0, 0, 40, 0, 7]
    rows = json.loads((trip.folder / "annotations/stuff_train.json").read_text())["annotations"]
    assert [(row["id"], row["category_id"], row["area"]) for row in rows] == [
        (1, 1, 1),
        (2, 2, 1),
        (3, 3, 3),
    ]


def test_the_list_alone_has_the_same_pixels(trip):
    with_map = read_first(trip.folder)
    (trip.folder / MAP).unlink()
    assert (read_first(trip.folder) == with_map).all()
    assert with_map.tolist() == [[0, 1, VOID], [2, 2, 2]]


def test_all_255_classes_survive(there_and_back, some_classes):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for maps in (True, False):
        trip = there_and_back(
            "coco_stuff",
            [Labelled("a", labels)],
            some_classes(255),
            pixel_maps=maps,
            folder=str(maps),
        )
        assert trip.proof.is_exact
        assert (trip.folder / MAP).exists() == maps


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((2, 3), 9, np.uint8), "the number 9"),
        (np.zeros((3, 2), np.uint8), "no map of 3×2"),
        (np.zeros((2, 3, 3), np.uint8), "no map of 3×2"),
        (np.full((2, 3), 700, np.uint16), "the number 700"),
    ],
)
def test_a_map_that_does_not_fit_its_list_is_one_sentence(trip, picture, reason):
    Image.fromarray(picture).save(trip.folder / MAP)
    with pytest.raises(FormatError, match=reason) as told:
        read_first(trip.folder)
    assert MAP in str(told.value)


def test_a_folder_without_lists_says_so(tmp_path):
    assert CocoStuff().sniff(FolderSource(tmp_path)) is None
    with pytest.raises(FormatError, match="holds no annotations/stuff"):
        CocoStuff().open(FolderSource(tmp_path), {})


@pytest.mark.realdata
def test_camvid_is_the_truth(data_dir):
    exports = data_dir / "importers/camvid_exports"
    source = open_files(exports / "coco_stuff")
    assert CocoStuff().sniff(source).sure > 0.9
    reader = CocoStuff().open(source, {})
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        assert (reader.read(ref).labels == truth).all()
    assert len(reader.frames) == 2


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    reader = CocoStuff().open(
        open_files(data_dir / "importers/datumaro_assets/coco_dataset/coco_stuff"), {}
    )
    found = {
        ref.split: np.bincount(reader.read(ref).labels.ravel(), minlength=256)
        for ref in reader.frames
    }
    assert (found["val"][1], found["val"][VOID]) == (20, 30)
    assert [ref.picture.name for ref in reader.frames] == ["a.jpg", "b.jpg"]
