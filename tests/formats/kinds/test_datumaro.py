"""Datumaro's own JSON: written as it reads it, and read as it writes it."""

import json

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.datumaro import Datumaro
from segstudio.formats.labelled import Labelled

A = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]], np.uint8)
MASK = {"type": "mask", "label_id": 1, "rle": {"counts": "32112", "size": [3, 4]}}
SQUARE = {"type": "polygon", "label_id": 0, "points": [1, 0, 3, 0, 3, 3, 1, 3]}


def read_first(source):
    reader = Datumaro().open(source, {})
    return reader.read(reader.frames[0])


@pytest.fixture
def item_of(tmp_path):
    """make(annotations) → the source of a list with one item of 4×3 px, and two labels."""

    def make(*annotations, item=None, categories=None):
        row = {
            "id": "sub/a",
            "annotations": list(annotations),
            "image": {"path": "a.png", "size": [3, 4]},
        }
        labels = {"label": {"labels": [{"name": "sky"}, {"name": "car"}]}}
        (tmp_path / "annotations").mkdir(exist_ok=True)
        (tmp_path / "annotations/val.json").write_text(
            json.dumps({"categories": categories or labels, "items": [{**row, **(item or {})}]})
        )
        return FolderSource(tmp_path)

    return make


def test_the_list_is_datumaro_s(there_and_back):
    classes = ClassMap("two", (ClassDef(3, "sky", (1, 2, 3)), ClassDef(8, "car", (4, 5, 6))))
    frames = [Labelled("drive_0", np.where(A, 8, VOID).astype(np.uint8))]
    trip = there_and_back("datumaro", frames, classes)
    content = json.loads((trip.folder / "annotations/default.json").read_text())
    assert content["categories"]["label"]["labels"][1] == {
        "name": "car",
        "parent": "",
        "attributes": [],
    }
    assert content["categories"]["mask"]["colormap"][1] == {"label_id": 1, "r": 4, "g": 5, "b": 6}
    assert content["items"] == [
        {
            "id": "drive_0",
            "annotations": [
                {
                    "id": 1,
                    "type": "mask",
                    "attributes": {"is_crowd": False},
                    "group": 1,
                    "label_id": 1,
                    "rle": {"counts": "32112", "size": [3, 4]},
                    "z_order": 0,
                }
            ],
            "image": {"path": "drive_0.png", "size": [3, 4]},
        }
    ]
    assert trip.proof.is_exact
    assert trip.reader.classes.classes[1].color == (4, 5, 6)


def test_splits_pictures_and_instances_come_back(there_and_back, some_classes, some_frames):
    classes = some_classes(255)
    frames = some_frames(2, classes, split="train") + some_frames(1, classes, split="val", clip="b")
    labels = np.zeros((1, 4), np.uint8)
    frames.append(Labelled("c", labels, split="val", instances=np.array([[1, 1, 2, 3]], np.int32)))
    trip = there_and_back("datumaro", frames, classes)
    assert trip.proof.is_exact
    assert [str(ref.picture) for ref in trip.reader.frames][:3] == [
        "images/train/drive_000000.png",
        "images/train/drive_000001.png",
        "images/val/b_000000.png",
    ]
    assert trip.read["c"].instances.tolist() == [[1, 1, 2, 3]]


def test_higher_z_order_lies_above_and_then_what_comes_later(item_of):
    above = read_first(item_of({**MASK, "z_order": 2}, SQUARE)).labels
    assert (above[A == 1] == 1).all()
    assert above[2, 1] == 0
    assert (read_first(item_of(MASK, SQUARE)).labels[:, 1:3] == 0).all()


def test_what_has_no_area_or_class_is_noted(item_of):
    source = item_of({"type": "bbox", "label_id": 0}, {**MASK, "label_id": None})
    reader = Datumaro().open(source, {})
    assert "1 × bbox, 1 × mask without a label" in reader.notes[0]
    assert [(ref.name, ref.split) for ref in reader.frames] == [("a", "val")]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({**MASK, "rle": {"counts": "32112", "size": [4, 3]}}, "'size' is [4, 3]"),
        ({**MASK, "rle": {"counts": "3211", "size": [3, 4]}}, "'counts' sums to"),
        ({**MASK, "rle": {"counts": [1, "x"], "size": [3, 4]}}, "'counts' is no list"),
        ({**MASK, "rle": 3}, "'rle' is '3'"),
        ({**MASK, "label_id": 2}, "'label_id' is '2'"),
        ({**MASK, "label_id": "car"}, "'label_id' is 'car'"),
        ({**MASK, "z_order": "x"}, "'z_order' is 'x'"),
        ({**SQUARE, "points": [1, 2, 3]}, "3 numbers instead of pairs"),
        ({**SQUARE, "points": "x"}, "'points' is no list"),
        ([], "'annotations' 0 is a list"),
    ],
)
def test_damaged_annotations_are_one_sentence_with_file_and_field(item_of, row, field):
    with pytest.raises(FormatError) as told:
        read_first(item_of(row))
    assert field in str(told.value)
    assert "annotations/val.json in" in str(told.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"item": {"image": {"path": "a", "size": [10**6, 10**6]}}}, "1000000×1000000"),
        ({"item": {"image": 7}}, "'image' is '7'"),
        ({"item": {"id": None}}, "'id' is null"),
        ({"item": {"annotations": {}}}, "'annotations' is an object"),
        ({"categories": {"label": {"labels": [{}]}}}, "'name' is missing"),
        ({"categories": {"label": {"labels": []}}}, "names no classes"),
        (
            {
                "categories": {
                    "label": {"labels": [{"name": "a"}]},
                    "mask": {"colormap": [{"label_id": 0, "r": 300}]},
                }
            },
            "'r' is '300'",
        ),
    ],
)
def test_damaged_lists_are_one_sentence(item_of, change, field):
    with pytest.raises(FormatError) as told:
        read_first(item_of(MASK, **change))
    assert field in str(told.value)


def test_lists_of_other_classes_are_not_mixed(item_of, tmp_path):
    item_of(MASK)
    other = {"categories": {"label": {"labels": [{"name": "x"}]}}, "items": []}
    (tmp_path / "annotations/train.json").write_text(json.dumps(other))
    with pytest.raises(FormatError, match="has other 'categories'"):
        Datumaro().open(FolderSource(tmp_path), {})


@pytest.mark.realdata
def test_camvid_is_the_truth(data_dir):
    exports = data_dir / "importers/camvid_exports"
    reader = Datumaro().open(open_files(exports / "datumaro"), {})
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        assert (reader.read(ref).labels == np.where(truth < 11, truth, VOID)).all()
    assert len(reader.frames) == 2
    assert reader.classes.classes[3].color == (128, 64, 128)


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    """One of its masks is smaller than its picture on purpose: that one frame says so."""
    assets = data_dir / "importers/datumaro_assets/datumaro_dataset/diverse"
    reader = Datumaro().open(open_files(assets), {})
    by_name = {ref.name: ref for ref in reader.frames}
    assert (reader.read(by_name["43"]).labels == VOID).all()
    with pytest.raises(FormatError, match=r"'size' is \[2, 3\]"):
        reader.read(by_name["100"])
    assert len(reader.notes) == 2
