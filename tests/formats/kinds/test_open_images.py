"""Open Images: masks one by one and lists of them, ours and those of others."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from segstudio.core.class_mapping import plain
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import open_files
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("open_images")
HEADER = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
SEGMENTS = "annotations/train-annotations-object-segmentation.csv"


def put(folder, name, content):
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())


def write(folder, items, classes, **options):
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    written = [writer.frame(item) for item in items]
    lists = writer.finish(lambda: (w.entry for w in written))
    for file in [f for w in written for f in w.files] + list(lists):
        content = file.content
        put(folder, str(file.path), content if isinstance(content, bytes) else b"".join(content))
    return writer


def opened(folder):
    return KIND.open(open_files(folder), {})


def mask(folder, name, values):
    put(folder, f"masks/train/{name}", rasters.encode_grey(np.array(values, np.uint8)))


def labelled(labels, name="a", **more):
    return Labelled(name, np.array(labels, np.uint8), **more)


def test_files_and_lists_are_those_of_open_images(tmp_path):
    write(tmp_path, [labelled([[0, 0, 255, 3]], "x", split="val")], CAMVID)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")) == [
        "annotations/bbox_labels_600_hierarchy.json",
        "annotations/class-descriptions.csv",
        "annotations/images.meta",
        "annotations/validation-annotations-object-segmentation.csv",
        "annotations/validation-images-with-rotation.csv",
        "masks/validation/x_Road_00000002.png",
        "masks/validation/x_Sky_00000001.png",
    ]
    with (tmp_path / "annotations/validation-annotations-object-segmentation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "MaskPath": "x_Sky_00000001.png", "ImageID": "x", "LabelName": "Sky", "BoxID": "00000001",
        "BoxXMin": "0.000000", "BoxXMax": "0.500000", "BoxYMin": "0.000000",
        "BoxYMax": "1.000000", "PredictedIoU": "", "Clicks": "",
    }  # fmt: skip
    listed = (tmp_path / "annotations/validation-images-with-rotation.csv").read_text()
    assert [len(line.split(",")) for line in listed.splitlines()] == [12, 12]
    assert (tmp_path / "annotations/images.meta").read_text() == '"x" 1 4\n'
    assert (tmp_path / "annotations/class-descriptions.csv").read_text().startswith("Sky,Sky\n")


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_all_ids_come_back(tmp_path_factory, labels):
    folder = tmp_path_factory.mktemp("oi")
    every = ClassMap("all", tuple(ClassDef(i, f"class {i}", (i, 0, 9)) for i in range(VOID)))
    writer = write(folder, [labelled(labels)], every)
    reader = opened(folder)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])


def test_classes_called_alike_stay_apart(tmp_path):
    rows = (ClassDef(4, "a, b", (1, 2, 3)), ClassDef(9, "a, b", (3, 2, 1)))
    writer = write(tmp_path, [labelled([[4, 9, 255]])], ClassMap("x", rows))
    reader = opened(tmp_path)
    assert reader.read(reader.frames[0]).labels.tolist() == [[0, 1, 255]]
    assert [c.name for c in reader.classes.classes] == ["a, b", "a, b"]
    assert writer.ids[[4, 9]].tolist() == [0, 1]


def test_objects_come_back(tmp_path):
    instances = np.array([[1, 2, 0, 0]], np.int32)
    write(tmp_path, [labelled([[8, 8, 8, 3]], instances=instances)], CAMVID)
    reader = opened(tmp_path)
    found = reader.read(reader.frames[0]).instances
    assert len(np.unique(found[0, :3])) == 3
    write(tmp_path / "b", [labelled([[8, 8, 8, 3]], instances=instances)], CAMVID, objects=False)
    assert len(list((tmp_path / "b").rglob("*.png"))) == 2


def test_later_masks_cover_earlier_ones_and_void_is_no_class(tmp_path):
    mask(tmp_path, "a_m.png", [[255, 255, 255, 0]])
    mask(tmp_path, "a_n.png", [[0, 1, 1, 0]])
    mask(tmp_path, "a_v.png", [[0, 0, 1, 0]])
    put(
        tmp_path,
        SEGMENTS,
        f"{HEADER}\nA_M.png,a,/m/1,,,,,,,\na_n.png,a,/m/2,,,,,,,\na_v.png,a,/m/3,,,,,,,\n"
        "gone.png,a,/m/1,,,,,,,\n",
    )
    put(tmp_path, "annotations/class-descriptions.csv", "/m/1,Car\n/m/2,Road\n/m/3,Void\n")
    reader = opened(tmp_path)
    assert [c.name for c in reader.classes.classes] == ["Car", "Road"]
    assert reader.read(reader.frames[0]).labels.tolist() == [[0, 1, VOID, VOID]]
    assert reader.notes == ("1 masks of the lists are not there, and were left out.",)


def test_of_more_classes_than_fit_only_those_with_masks_count(tmp_path):
    mask(tmp_path, "a.png", [[1]])
    put(tmp_path, SEGMENTS, f"{HEADER}\na.png,a,/m/700,,,,,,,\n")
    rows = "\n".join(f"/m/{n},name {n}" for n in range(1000))
    put(tmp_path, "annotations/oidv6-class-descriptions.csv", f"LabelName,DisplayName\n{rows}\n")
    reader = opened(tmp_path)
    assert [(c.id, c.name) for c in reader.classes.classes] == [(0, "name 700")]


def test_more_classes_with_masks_than_fit_are_an_error(tmp_path):
    mask(tmp_path, "a.png", [[1]])
    rows = "\n".join(f"a.png,a,/m/{n},,,,,,," for n in range(300))
    put(tmp_path, SEGMENTS, f"{HEADER}\n{rows}\n")
    with pytest.raises(FormatError, match="300 classes"):
        opened(tmp_path)


def test_masks_of_different_sizes_are_an_error(tmp_path):
    mask(tmp_path, "a.png", [[1]])
    mask(tmp_path, "b.png", [[1, 1]])
    put(tmp_path, SEGMENTS, f"{HEADER}\na.png,a,x,,,,,,,\nb.png,a,x,,,,,,,\n")
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match=r"b\.png has 2×1"):
        reader.read(reader.frames[0])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (SEGMENTS, "", "MaskPath"),
        (SEGMENTS, "a,b,c\n1,2,3\n", "MaskPath"),
        (SEGMENTS, f"{HEADER}\na.png,,x,,,,,,,\n", "line 2 has no ImageID"),
        (SEGMENTS, f"{HEADER}\na.png\n", "line 2 has no ImageID"),
        (SEGMENTS, f"{HEADER}\n{'a' * 200_000},a,x\n", "no CSV"),
        (SEGMENTS, b"\xff\xfe\x00\xd8", "UTF-8"),
        ("annotations/images.meta", "a b c\n", "line 1"),
        ("annotations/images.meta", "a 99999999999 1\n", "line 1"),
        ("annotations/images.meta", "a 1000000 1000000\n", "line 1"),
        ("annotations/images.meta", "a 0 1\n", "line 1"),
    ],
)
def test_damaged_lists_are_one_sentence(tmp_path, name, content, said):
    mask(tmp_path, "a.png", [[1]])
    put(tmp_path, SEGMENTS, f"{HEADER}\na.png,a,x,,,,,,,\n")
    put(tmp_path, name, content)
    with pytest.raises(FormatError, match=said):
        opened(tmp_path)


def test_other_folders_are_not_recognised(tmp_path):
    put(tmp_path, "a.csv", "x")
    assert KIND.sniff(open_files(tmp_path)) is None
    with pytest.raises(FormatError, match="object-segmentation"):
        opened(tmp_path)


@pytest.mark.realdata
def test_what_datumaro_wrote_is_the_truth(data_dir):
    base = data_dir / "importers/camvid_exports"
    reader = opened(base / "open_images")
    ids = {plain(c.name): c.id for c in reader.classes.classes}
    table = np.full(256, VOID, np.uint8)
    for known in CAMVID.classes:
        table[known.id] = ids[plain(known.name)]
    assert sorted(ref.name for ref in reader.frames) == ["0006R0_f03780", "0016E5_01860"]
    for ref in reader.frames:
        assert (ref.split, ref.picture is not None) == ("train", True)
        truth = np.asarray(Image.open(base / f"truth/{ref.name}.png"))
        assert np.array_equal(reader.read(ref).labels, table[truth])


@pytest.mark.realdata
def test_datumaros_own_example_loads(data_dir):
    reader = opened(data_dir / "importers/datumaro_assets/open_images_dataset/v6")
    (ref,) = reader.frames
    read = reader.read(replace(ref, picture=None))
    assert (ref.name, ref.split, read.labels.shape) == ("b", "train", (2, 8))
    assert np.unique(read.labels).tolist() == [0, VOID]
