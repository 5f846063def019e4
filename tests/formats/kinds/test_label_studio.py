"""Label Studio: tasks that are written, results that are read, and damaged ones."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.label_studio import LabelStudio
from segstudio.formats.labelled import Labelled

A = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]], np.uint8)
A_BITS = [0, 0, 0, 48, 57, 27, 252, 96, 19, 255, 206, 1, 63, 253, 176, 8, 255, 227, 0, 0]
SIZE = {"original_width": 4, "original_height": 3, "image_rotation": 0}


def written(folder, frames, classes):
    writer = LabelStudio().writer(classes, {})
    entries = [json.loads(json.dumps(writer.frame(item).entry)) for item in frames]
    for file in writer.finish(lambda: iter(entries)):
        content = file.content if isinstance(file.content, bytes) else b"".join(file.content)
        (folder / str(file.path)).write_bytes(content)
    return FolderSource(folder)


def read_first(source):
    reader = LabelStudio().open(source, {})
    return reader.read(reader.frames[0])


def result(kind="brushlabels", value=None, **more):
    value = {"format": "rle", "rle": A_BITS, "brushlabels": ["Car"]} if value is None else value
    return {"type": kind, "value": value, **SIZE, **more}


@pytest.fixture
def tasks_of(tmp_path):
    """make(results) → the source of a file with one task."""

    def make(*results, task=None, data=None):
        row = {
            "id": 1,
            "annotations": [{"result": list(results)}],
            "data": data or {"image": "/data/a.png"},
        }
        (tmp_path / "tasks.json").write_text(json.dumps([{**row, **(task or {})}]))
        return FolderSource(tmp_path)

    return make


def test_a_task_is_label_studio_s(tmp_path):
    classes = ClassMap("two", (ClassDef(3, "sky", (1, 2, 255)), ClassDef(8, 'my "car"', (4, 5, 6))))
    written(tmp_path, [Labelled("drive_0", np.where(A, 8, VOID).astype(np.uint8))], classes)
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    assert (task["id"], task["data"]["image"]) == (1, "/data/local-files/?d=images/drive_0.png")
    assert task["annotations"][0]["result"] == [
        {
            "id": "drive_0_0",
            "type": "brushlabels",
            "origin": "manual",
            "from_name": "tag",
            "to_name": "image",
            "image_rotation": 0,
            "original_width": 4,
            "original_height": 3,
            "value": {"format": "rle", "rle": A_BITS, "brushlabels": ['my "car"']},
        }
    ]
    root = ET.parse(tmp_path / "label_config.xml").getroot()
    (brush,) = root.iter("BrushLabels")
    assert (brush.get("name"), brush.get("toName")) == ("tag", "image")
    assert [(x.get("value"), x.get("background")) for x in brush] == [
        ("sky", "#0102ff"),
        ('my "car"', "#040506"),
    ]


def test_pictures_are_found_under_their_local_names(there_and_back, some_classes, some_frames):
    classes = some_classes()
    frames = some_frames(2, classes, split="val") + some_frames(1, classes, clip="other")
    trip = there_and_back("label_studio", frames, classes)
    assert trip.proof.is_exact
    assert {ref.name: (ref.split, str(ref.picture)) for ref in trip.reader.frames} == {
        "drive_000000": ("val", "images/val/drive_000000.png"),
        "drive_000001": ("val", "images/val/drive_000001.png"),
        "other_000000": ("", "images/other_000000.png"),
    }


@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.sampled_from([0, 1, 2, VOID]),
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_labels_come_back(tmp_path_factory, some_classes, labels):
    source = written(tmp_path_factory.mktemp("ls"), [Labelled("a", labels)], some_classes(3))
    assert read_first(source).labels.tolist() == labels.tolist()


def test_all_255_classes_and_instances_survive(tmp_path, some_classes):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    labels[0, :4] = 3
    instances = np.zeros((16, 16), np.int32)
    instances[0, :2], instances[0, 2:4] = 1, 2
    back = read_first(
        written(tmp_path, [Labelled("a", labels, instances=instances)], some_classes(255))
    )
    assert (back.labels == labels).all()
    assert back.instances[0, :4].tolist() == [1, 1, 2, 2]


def test_an_export_without_frames_or_results_is_still_json(tmp_path, some_classes):
    writer = LabelStudio().writer(some_classes(2), {})
    tasks, _ = writer.finish(lambda: iter(()))
    assert json.loads(b"".join(tasks.content)) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("polygonlabels", {"points": [[25, 0], [75, 0], [75, 200 / 3], [25, 200 / 3]]}),
        ("rectanglelabels", {"x": 25, "y": 0, "width": 50, "height": 200 / 3}),
        ("rectanglelabels", {"x": 75, "y": 0, "width": 50, "height": 200 / 3, "rotation": 90}),
        ("ellipselabels", {"x": 50, "y": 100 / 3, "radiusX": 25, "radiusY": 100 / 3}),
    ],
)
def test_shapes_are_in_percent_of_the_picture(tasks_of, kind, value):
    labels = read_first(tasks_of(result(kind, {**value, kind: ["Car"]}))).labels
    assert labels.tolist() == [[VOID, 0, 0, VOID], [VOID, 0, 0, VOID], [VOID] * 4]


def test_the_first_annotation_that_was_not_cancelled_counts(tasks_of):
    car, sky = ({"format": "rle", "rle": A_BITS, "brushlabels": [name]} for name in ("Car", "Sky"))
    cancelled = {"was_cancelled": True, "result": [result(value=car)]}
    task = {"annotations": [cancelled, {"result": [result(value=sky)]}], "predictions": [cancelled]}
    reader = LabelStudio().open(tasks_of(task=task), {})
    assert [c.name for c in reader.classes.classes] == ["Sky"]
    task = {"annotations": [], "predictions": [{"result": [result(value=car)]}]}
    assert (read_first(tasks_of(task=task)).labels == np.where(A, 0, VOID)).all()


def test_what_has_no_area_is_noted_and_a_task_of_unknown_size_too(tasks_of):
    source = tasks_of(result("choices", {"choices": ["day"]}), result(value={"rle": A_BITS}))
    with pytest.raises(FormatError, match="names no classes"):
        LabelStudio().open(source, {})
    other = {"id": 2, "data": {"image": "b.png"}, "annotations": []}
    (source.place("tasks.json")).write_text(
        json.dumps(
            [
                {
                    "data": {"image": "x/a.png"},
                    "annotations": [{"result": [result(), result("choices", {})]}],
                },
                other,
            ]
        )
    )
    reader = LabelStudio().open(source, {})
    assert [ref.name for ref in reader.frames] == ["a"]
    assert "1 × choices" in reader.notes[0]
    assert "1 tasks without results" in reader.notes[1]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (result(value={"rle": A_BITS[:-4], "brushlabels": ["Car"]}), "'rle' ends before"),
        (
            result(value={"rle": [*A_BITS, 300], "brushlabels": ["Car"]}),
            "'rle' is no list of bytes",
        ),
        (result(value={"rle": "AAAA", "brushlabels": ["Car"]}), "'rle' is no list of bytes"),
        (result(value={"brushlabels": ["Car"]}), "'rle' is no list of bytes"),
        (result(value=3), "'value' is '3'"),
        (result(original_width=5), "'rle' is of 12 pixels and its picture has 15"),
        (result(original_width=10**9), "1000000000×3"),
        (result(original_width=0), "0×3"),
        (result(original_height="x"), "'original_height' is 'x'"),
        (result(image_rotation=90), "'image_rotation' is not 0"),
        (result(image_rotation="x"), "'image_rotation' is 'x'"),
        (
            result("polygonlabels", {"points": [[1, 2, 3]], "polygonlabels": ["Car"]}),
            "'points' is no list of pairs",
        ),
        (
            result("polygonlabels", {"points": [["a", 2]] * 3, "polygonlabels": ["Car"]}),
            "'points' is no list of numbers",
        ),
        (result("polygonlabels", {"points": 7, "polygonlabels": ["Car"]}), "'points' is '7'"),
        (result("rectanglelabels", {"x": None, "rectanglelabels": ["Car"]}), "'x' is null"),
        (result("rectanglelabels", {"x": 10**300, "rectanglelabels": ["Car"]}), "'x' is"),
        (7, "'result' 0 is '7'"),
    ],
)
def test_damaged_results_are_one_sentence_with_file_and_field(tasks_of, row, field):
    with pytest.raises(FormatError) as told:
        read_first(tasks_of(row))
    assert field in str(told.value)
    assert "tasks.json in" in str(told.value)
    assert "task 0" in str(told.value)


def test_results_of_two_sizes_are_one_sentence(tasks_of):
    with pytest.raises(FormatError, match=r"'original_height' are 5×3 and its picture has 4×3"):
        read_first(tasks_of(result(), result(original_width=5)))


@pytest.mark.realdata
def test_camvid_brushes_are_the_truth(data_dir):
    exports = data_dir / "importers/camvid_exports"
    source = open_files(exports / "label_studio_brush")
    assert LabelStudio().sniff(source).sure > 0.9
    reader = LabelStudio().open(source, {})
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        assert (reader.read(ref).labels == np.where(truth < 11, truth, VOID)).all()
        assert str(ref.picture) == f"images/{ref.name}.png"
    assert len(reader.frames) == 2


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    tests = data_dir / "importers/label_studio_tests"
    reader = LabelStudio().open(open_files(tests / "test_export_yolo/data.json"), {})
    assert [c.name for c in reader.classes.classes][:2] == ["parasites", "white"]
    sizes = [reader.read(ref).labels.shape for ref in reader.frames]
    assert sizes == [(2800, 2800)] * 2
    reader = LabelStudio().open(open_files(tests / "test_export_json_min"), {})
    (ref,) = reader.frames
    assert ref.name == "example"
    assert 80 < (reader.read(ref).labels == 0).sum() < 120
