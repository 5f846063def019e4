"""COCO panoptic: colours are numbers, and every one of them is in the list."""

import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.coco_panoptic import CocoPanoptic
from segstudio.formats.labelled import Labelled

LIST = "annotations/panoptic_train.json"
PNG = "annotations/panoptic_train/a.png"


@pytest.fixture
def classes():
    """Two of one colour, one of them black."""
    return ClassMap(
        "three",
        (
            ClassDef(0, "x", (0, 0, 0)),
            ClassDef(1, "y", (0, 0, 0)),
            ClassDef(7, "car", (145, 101, 0)),
        ),
    )


@pytest.fixture
def trip(there_and_back, classes):
    labels = np.array([[0, 1, VOID], [7, 7, 7]], np.uint8)
    instances = np.array([[0, 0, 0], [1, 2, 0]], np.int32)
    return there_and_back("coco_panoptic", [Labelled("a", labels, instances=instances)], classes)


def read_first(folder):
    reader = CocoPanoptic().open(FolderSource(folder), {})
    return reader.read(reader.frames[0])


def test_a_number_is_red_plus_256_green_plus_65536_blue(trip):
    """26001 is (145, 101, 0); its class has that colour, so its first segment has that number."""
    colors = np.asarray(Image.open(trip.folder / PNG)).tolist()
    assert colors[0] == [[1, 0, 0], [2, 0, 0], [0, 0, 0]]
    assert colors[1] == [[146, 101, 0], [147, 101, 0], [145, 101, 0]]
    (row,) = json.loads((trip.folder / LIST).read_text())["annotations"]
    assert (row["image_id"], row["file_name"]) == (1, "a.png")
    assert [(s["id"], s["category_id"], s["area"], s["iscrowd"]) for s in row["segments_info"]] == [
        (1, 1, 1, 0),
        (2, 2, 1, 0),
        (26001, 3, 1, 1),
        (26002, 3, 1, 0),
        (26003, 3, 1, 0),
    ]
    assert row["segments_info"][2]["bbox"] == [2, 1, 1, 1]


def test_classes_with_instances_are_things(trip):
    rows = json.loads((trip.folder / LIST).read_text())["categories"]
    assert [(c["id"], c["name"], c["isthing"], c["color"]) for c in rows] == [
        (1, "x", 0, [0, 0, 0]),
        (2, "y", 0, [0, 0, 0]),
        (3, "car", 1, [145, 101, 0]),
    ]


def test_instances_come_back(trip):
    back = trip.read["a"]
    assert trip.proof.is_exact
    assert back.instances[1].tolist() == [1, 2, 0]
    assert (back.instances[0] > 0).tolist() == [True, True, False]


@given(
    arrays.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 7, VOID])),
    arrays.arrays(np.int32, (5, 7), elements=st.integers(0, 70000)),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_pixel_has_its_segment(classes, labels, instances):
    """As panopticapi checks it: numbers of the PNG are those of the list, with their areas."""
    writer = CocoPanoptic().writer(classes, {})
    made = writer.frame(Labelled("a", labels, instances=instances))
    with Image.open(io.BytesIO(made.files[0].content)) as image:
        wide = np.asarray(image).astype(int)
    numbers = wide[..., 0] + 256 * wide[..., 1] + 65536 * wide[..., 2]
    found = dict(zip(*np.unique(numbers, return_counts=True), strict=True))
    assert found.pop(0, 0) == (labels == VOID).sum()
    assert found == {row["id"]: row["area"] for row in made.entry["annotations"]}
    for row in made.entry["annotations"]:
        assert (writer.ids[labels[numbers == row["id"]]] == row["category_id"] - 1).all()


def test_all_255_classes_survive(there_and_back, some_classes):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert there_and_back(
        "coco_panoptic", [Labelled("a", labels)], some_classes(255)
    ).proof.is_exact


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": 5}, "the segment 1,"),
        ({"id": "x"}, "'id' is 'x'"),
        ({"id": 1 << 24}, "'id' is '16777216'"),
        ({"category_id": 9}, "category_id 9"),
        ({"category_id": None}, "'category_id' is null"),
    ],
)
def test_damaged_segments_are_one_sentence(trip, change, field):
    path = trip.folder / LIST
    content = json.loads(path.read_text())
    content["annotations"][0]["segments_info"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError) as told:
        read_first(trip.folder)
    assert field in str(told.value)
    assert "panoptic_train" in str(told.value)


def test_a_png_of_another_kind_is_one_sentence(trip):
    for picture in (np.zeros((2, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)):
        Image.fromarray(picture).save(trip.folder / PNG)
        with pytest.raises(FormatError, match="no colour PNG of 3×2"):
            read_first(trip.folder)
    (trip.folder / PNG).write_bytes(b"\x89PNG\r\n\x1a\nrest")
    with pytest.raises(FormatError, match="panoptic_train/a"):
        read_first(trip.folder)
    (trip.folder / PNG).unlink()
    reader = CocoPanoptic().open(FolderSource(trip.folder), {})
    assert (list(reader.frames), len(reader.notes)) == ([], 1)


def test_no_segments_are_all_void(trip):
    path = trip.folder / LIST
    content = json.loads(path.read_text())
    content["annotations"][0]["segments_info"] = []
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match="does not have"):
        read_first(trip.folder)
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(trip.folder / PNG)
    assert (read_first(trip.folder).labels == VOID).all()


@pytest.mark.realdata
def test_camvid_is_the_truth(data_dir):
    exports = data_dir / "importers/camvid_exports"
    reader = CocoPanoptic().open(open_files(exports / "coco_panoptic"), {})
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        assert (reader.read(ref).labels == np.where(truth < 11, truth, VOID)).all()
    assert len(reader.frames) == 2


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    reader = CocoPanoptic().open(
        open_files(data_dir / "importers/coco_panopticapi/sample_data"), {}
    )
    assert len(reader.classes) == 133
    assert reader.classes.classes[0].color == (220, 20, 60)
    assert [ref.picture.parent.name for ref in reader.frames] == ["input_images"] * 2
    assert all(reader.read(ref).instances.max() == 13 for ref in reader.frames)
    reader = CocoPanoptic().open(
        open_files(data_dir / "importers/datumaro_assets/coco_dataset/coco"), {}
    )
    assert [c.name for c in reader.classes.classes] == ["a", "b"]
