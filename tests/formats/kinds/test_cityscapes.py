"""Cityscapes: its files exactly, its own scripts as the reference, and what others made of it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.core.class_mapping import plain
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import fitted
from segstudio.formats.detail.cityscapes_labels import numbers
from segstudio.formats.detail.cityscapes_polygons import drawn
from segstudio.formats.files.source import open_files
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.recognise import recognise
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

CITYSCAPES = load_class_set("cityscapes34")
KIND = FORMATS.get("cityscapes")


def frame(labels, **more):
    return Labelled("drive_000010", np.array(labels, np.uint8), clip="drive", index=10, **more)


def files_of(item, classes=CITYSCAPES, **options):
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    return {str(f.path): f.content for f in writer.frame(item).files}


def png(content):
    return np.asarray(rasters.decode(content, "x").values)


def opened(folder, **options):
    source = open_files(folder)
    guess = KIND.sniff(source)
    return KIND.open(source, complete(KIND.reads_with, options or guess.options))


def put(folder, files):
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def test_names_and_values_are_those_of_cityscapes():
    files = files_of(frame([[7, 26, 255], [7, 26, 9]], instances=np.array([[0, 2, 0], [0, 2, 0]])))
    base = "gtFine/train/drive/drive_000000_000010_gtFine_"
    assert sorted(files) == [
        f"{base}{ending}"
        for ending in (
            "color.png", "instanceIds.png", "labelIds.png", "labelTrainIds.png", "polygons.json",
        )
    ]  # fmt: skip
    assert png(files[f"{base}labelIds.png"]).tolist() == [[7, 26, 0], [7, 26, 9]]
    assert png(files[f"{base}labelTrainIds.png"]).tolist() == [[0, 13, 255], [0, 13, 255]]
    assert png(files[f"{base}instanceIds.png"]).tolist() == [[7, 26001, 0], [7, 26001, 9]]
    color = png(files[f"{base}color.png"])
    assert color[0, 0].tolist() == [128, 64, 128, 255]
    assert color[0, 1].tolist() == [0, 0, 142, 255]


def test_pictures_lie_in_left_img_8bit(some_frames):
    (item,) = some_frames(1, CITYSCAPES, split="val", clip="drive_1")
    written = KIND.writer(CITYSCAPES, complete(KIND.writes_with, {})).frame(item)
    stem = written.entry["stem"]
    assert str(written.picture) == f"leftImg8bit/val/drive-1/{stem}_leftImg8bit.png"
    assert stem.count("_") == 2  # the scripts split names at underscores


def test_names_of_cityscapes_stay_and_others_never_meet():
    def stem(name, **more):
        item = replace(frame([[7]]), name=name, **more)
        options = complete(KIND.writes_with, {"polygons": False})
        return KIND.writer(CITYSCAPES, options).frame(item).entry["stem"]

    assert stem("aachen_000012_000019") == "aachen_000012_000019"
    assert stem("drive_000010") == "drive_000000_000010"
    assert len({stem(f"still {n}", clip="", index=0) for n in range(500)}) == 500
    assert len({stem(f"a_{n}", clip="a_b", index=3) for n in range(500)}) == 500


def test_the_label_tables_are_those_of_its_scripts():
    labels = pytest.importorskip("cityscapesscripts.helpers.labels").labels
    shown = {(c.id, c.name, c.color) for c in CITYSCAPES.classes}
    assert shown == {(x.id, x.name, x.color) for x in labels if x.id >= 0}
    for label in labels:
        if label.id > 0:
            train_id = 255 if label.trainId < 0 else label.trainId
            assert numbers().train_ids[label.id] == train_id
            assert (label.id in numbers().things) == label.hasInstances


def test_simplified_polygons_have_fewer_corners_and_nearly_the_same_pixels(some_frames):
    (item,) = some_frames(1, CITYSCAPES, size=(120, 160))
    y, x = np.indices((120, 160))
    labels = np.where((x - 80) ** 2 + (y - 60) ** 2 < 2000, 26, 7).astype(np.uint8)
    labels[(x - 80) ** 2 + (y - 60) ** 2 < 300] = 11
    labels[x + 2 * y > 330] = VOID
    found = {}
    for tolerance in (0.0, 1.5):
        files = files_of(replace(item, labels=labels), tolerance=tolerance)
        content = json.loads(next(c for p, c in files.items() if p.endswith(".json")))
        read, _ = drawn(content, numbers().classes, "x")
        corners = sum(len(one["polygon"]) for one in content["objects"])
        found[tolerance] = corners, np.mean(read != labels)
    assert found[0.0][1] == 0
    assert found[1.5][1] < 0.03
    assert found[1.5][0] < found[0.0][0] / 2


def test_groups_are_what_nobody_told_apart():
    files = files_of(frame([[26, 26, 17]], instances=np.array([[1, 0, 0]])))
    content = json.loads(next(c for p, c in files.items() if p.endswith(".json")))
    assert sorted(one["label"] for one in content["objects"]) == ["car", "cargroup", "pole"]


@pytest.mark.parametrize("kind", ["auto", "labelIds", "polygons"])
def test_frames_come_back_under_their_own_names(kind, some_frames, there_and_back):
    frames = some_frames(3, CITYSCAPES)
    trip = there_and_back("cityscapes", frames, CITYSCAPES)
    assert trip.proof.different == 0
    reader = opened(trip.folder, labels_from=kind)
    assert [ref.name for ref in reader.frames] == [item.name for item in frames]
    writer = KIND.writer(CITYSCAPES, complete(KIND.writes_with, {}))
    for ref, item in zip(reader.frames, frames, strict=True):
        assert ref.picture is not None
        assert ref.split == "train"
        assert np.array_equal(reader.read(ref).labels, writer.ids[item.labels])


def test_instances_come_back(tmp_path):
    labels = np.array([[26, 26, 26], [24, 24, 7]], np.uint8)
    instances = np.array([[1, 2, 0], [1, 1, 0]], np.int32)
    put(tmp_path, files_of(frame(labels, instances=instances)))
    for kind in ("auto", "instanceIds", "polygons"):
        reader = opened(tmp_path, labels_from=kind)
        read = reader.read(reader.frames[0])
        assert np.array_equal(read.labels, labels)
        assert np.array_equal(read.instances, instances)


def test_more_objects_than_it_counts_are_an_error():
    instances = np.full((1, 1), 1001, np.int32)
    with pytest.raises(FormatError, match=r"drive_000010.*1,001"):
        files_of(frame([[26]], instances=instances))


def test_predictions_are_ids_alone(some_frames, there_and_back):
    frames = some_frames(2, CITYSCAPES, split="val")
    trip = there_and_back("cityscapes", frames, CITYSCAPES, layout="predictions")
    assert trip.proof.different == 0
    assert len(list(trip.folder.rglob("*_pred.png"))) == 2
    assert not list(trip.folder.rglob("*gtFine*"))


def test_predictions_of_others_are_recognised_by_their_numbers(tmp_path):
    for folder, values, wanted in (("ids", [7, 26], "ids"), ("train", [0, 2, 13], "trainIds")):
        place = tmp_path / folder / "frankfurt_000000_000294_leftImg8bit_x.png"
        put(tmp_path, {str(place.relative_to(tmp_path)): rasters.encode_grey(np.uint8([values]))})
        assert KIND.sniff(open_files(place.parent)).options == {"labels_from": wanted}
    reader = opened(tmp_path / "train")
    assert reader.read(reader.frames[0]).labels.tolist() == [[7, 11, 26]]
    assert reader.frames[0].name == "frankfurt_000000_000294"


def test_what_has_no_counterpart_is_said():
    classes = ClassMap("x", (ClassDef(0, "road", (1, 2, 3)), ClassDef(1, "cow", (3, 2, 1))))
    writer = KIND.writer(classes, complete(KIND.writes_with, {}))
    assert writer.ids[:2].tolist() == [7, VOID]
    assert "cow" in writer.cannot[0]


def test_nothing_is_recognised_in_other_folders(tmp_path):
    put(tmp_path, {"masks/a.png": rasters.encode_grey(np.zeros((2, 2), np.uint8))})
    assert KIND.sniff(open_files(tmp_path)) is None
    with pytest.raises(FormatError, match="gtFine"):
        KIND.open(open_files(tmp_path), complete(KIND.reads_with, {}))


def test_colours_alone_are_read_only_on_request(tmp_path):
    name = "a_000000_000000_gtFine_color.png"
    put(
        tmp_path,
        {name: rasters.encode_colors(np.uint8([[[128, 64, 128], [0, 0, 0], [0, 0, 142]]]))},
    )
    assert KIND.sniff(open_files(tmp_path)).options == {"labels_from": "color"}
    with pytest.raises(FormatError):
        opened(tmp_path, labels_from="auto")
    reader = opened(tmp_path, labels_from="color")
    assert reader.read(reader.frames[0]).labels.tolist() == [[7, VOID, 26]]


def test_a_picture_of_another_size_is_an_error(tmp_path):
    put(tmp_path, files_of(frame([[7, 8]])))
    picture = "leftImg8bit/train/drive/drive_000000_000010_leftImg8bit.png"
    put(tmp_path, {picture: rasters.encode_colors(np.zeros((3, 3, 3), np.uint8))})
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match="leftImg8bit"):
        reader.read(reader.frames[0])


def test_numbers_that_cityscapes_does_not_have_are_an_error(tmp_path):
    put(
        tmp_path, {"a_000000_000000_gtFine_labelIds.png": rasters.encode_grey(np.uint8([[34, 99]]))}
    )
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match=r"labelIds\.png.*34 and 99"):
        reader.read(reader.frames[0])


def panoptic(folder, annotation, values):
    (folder / "cityscapes_panoptic_val").mkdir()
    name = "a_000000_000000_gtFine_panoptic.png"
    numbers_of = np.uint32(values)
    rgb = np.stack([numbers_of % 256, numbers_of // 256 % 256, numbers_of // 65536], -1)
    (folder / "cityscapes_panoptic_val" / name).write_bytes(
        rasters.encode_colors(rgb.astype(np.uint8))
    )
    content = {"annotations": [{"file_name": name} | annotation]}
    (folder / "cityscapes_panoptic_val.json").write_text(json.dumps(content))


def test_panoptic_files_are_read(tmp_path):
    segments = [{"id": 7, "category_id": 7}, {"id": 26001, "category_id": 26}]
    panoptic(tmp_path, {"segments_info": segments}, [[7, 26001, 0]])
    assert rasters.decode(
        next(tmp_path.rglob("*.png")).read_bytes(), "x"
    ).values[0, 1].tolist() == [145, 101, 0]  # fmt: skip
    assert recognise(open_files(tmp_path))[0].format == "cityscapes"
    reader = opened(tmp_path)
    assert reader.frames[0].split == "val"
    read = reader.read(reader.frames[0])
    assert read.labels.tolist() == [[7, 26, VOID]]
    assert read.instances.tolist() == [[0, 2, 0]]


@pytest.mark.parametrize(
    ("annotation", "field"),
    [
        ({"file_name": 3}, "file_name"),
        ({"segments_info": None}, "segments_info"),
        ({"segments_info": [3]}, "category_id"),
        ({"segments_info": [{"id": 7, "category_id": "road"}]}, "category_id"),
        ({"segments_info": [{"id": -7, "category_id": 7}]}, "'id'"),
        ({"segments_info": [{"id": True, "category_id": 7}]}, "'id'"),
        ({"segments_info": []}, "segments_info"),
    ],
)
def test_damaged_panoptic_files_are_one_sentence_with_the_field(tmp_path, annotation, field):
    panoptic(tmp_path, annotation, [[7]])

    def read():
        reader = opened(tmp_path)
        reader.read(reader.frames[0])

    with pytest.raises(FormatError, match=f"panoptic.*{field}"):
        read()


@pytest.mark.slow
@pytest.mark.parametrize("with_instances", [False, True])
def test_its_own_evaluation_gives_our_export_full_marks(
    tmp_path, with_instances, some_frames, there_and_back, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["x"])
    # The scripts call a function that NumPy 2.4 took out.
    monkeypatch.setattr(np, "in1d", np.isin, raising=False)
    scripts = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")

    frames = some_frames(4, CITYSCAPES, split="val")
    if with_instances:
        frames = [
            replace(f, instances=np.where(np.arange(53) % 2, 1, 2) * np.ones((37, 1), np.int32))
            for f in frames
        ]
    truth = there_and_back("cityscapes", frames, CITYSCAPES, instances="always")
    guess = there_and_back("cityscapes", frames, CITYSCAPES, layout="predictions", folder="pred")
    args = scripts.args
    args.predictionPath, args.predictionWalk = str(guess.folder / "predictions"), None
    args.exportFile = str(tmp_path / "result.json")
    args.colorized, args.bold, args.nocol = False, "", ""
    there = sorted(str(f) for f in truth.folder.rglob("*_labelIds.png"))
    found = [scripts.getPrediction(args, file) for file in there]
    result = scripts.evaluateImgLists(found, there, args)
    assert result["averageScoreClasses"] == 1.0
    assert result["averageScoreCategories"] == 1.0
    if with_instances:
        assert result["averageScoreInstClasses"] == 1.0
    assert Path(args.exportFile).is_file()


@pytest.fixture
def truth(data_dir):
    return {
        file.stem: np.asarray(Image.open(file))
        for file in (data_dir / "importers/camvid_exports/truth").glob("*.png")
    }


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["auto", "instanceIds", "color"])
def test_what_datumaro_wrote_is_the_truth(kind, data_dir, truth):
    reader = opened(data_dir / "importers/camvid_exports/cityscapes", labels_from=kind)
    assert {ref.name for ref in reader.frames} == set(truth)
    ids = {plain(c.name): c.id for c in reader.classes.classes}
    table = np.full(256, VOID, np.uint8)
    for known in CAMVID.classes:
        table[known.id] = ids[plain(known.name)]
    for ref in reader.frames:
        assert ref.split == "train"
        assert np.array_equal(reader.read(ref).labels, table[truth[ref.name]])


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["polygons", "labelIds"])
def test_what_its_scripts_made_is_the_truth_but_for_polygons(kind, data_dir, truth):
    reader = opened(data_dir / "importers/camvid_exports/cityscapes_official", labels_from=kind)
    table = fitted(CAMVID, "cityscapes34").ids
    for ref, name in zip(reader.frames, ("0016E5_01860", "0006R0_f03780"), strict=True):
        known = truth[name] < 11  # void became "static" there
        assert np.mean((reader.read(ref).labels != table[truth[name]])[known]) < 0.01


@pytest.mark.realdata
def test_their_polygons_are_drawn_to_their_label_ids(data_dir):
    folder = data_dir / "importers/camvid_exports/cityscapes_official"
    rasters_, polygons = (
        opened(folder, labels_from="labelIds"),
        opened(folder, labels_from="polygons"),
    )
    for one, other in zip(rasters_.frames, polygons.frames, strict=True):
        different = np.count_nonzero(rasters_.read(one).labels != polygons.read(other).labels)
        assert different < 10  # Pillow's polygons changed a little since


@pytest.mark.realdata
@pytest.mark.parametrize("folder", ["dataset", "train_dataset"])
def test_datumaros_own_examples_load(folder, data_dir):
    base = data_dir / "importers/datumaro_assets/cityscapes_dataset"
    reader = opened(base / folder)
    assert [(ref.name, ref.split) for ref in reader.frames] == [
        ("defaultcity_000001_000031", "test"),
        ("defaultcity_000001_000032", "test"),
        ("defaultcity_000002_000045", "train"),
        ("defaultcity_000001_000019", "val"),
    ]
    assert all(reader.read(ref).labels.shape == (1, 5) for ref in reader.frames)
    assert all(ref.picture is not None for ref in reader.frames)
