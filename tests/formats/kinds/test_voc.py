"""Pascal VOC: its palette, lists and files, and what others made of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from segstudio.core.class_mapping import plain
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.voc_files import voc_palette
from segstudio.formats.files.source import open_files
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("voc")


def write(folder, items, classes, **options):
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    written = [writer.frame(item) for item in items]
    lists = writer.finish(lambda: (w.entry for w in written))
    for file in [f for w in written for f in w.files] + list(lists):
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        content = file.content
        place.write_bytes(content if isinstance(content, bytes) else b"".join(content))
    return writer


def opened(folder, classes=None, **options):
    return KIND.open(open_files(folder), complete(KIND.reads_with, options), classes)


def labelled(labels, name="a", **more):
    return Labelled(name, np.array(labels, np.uint8), **more)


def full(count=255):
    colors = voc_palette()
    rows = (ClassDef(i, f"class {i}", tuple(map(int, colors[i]))) for i in range(count))
    return ClassMap("full", tuple(rows))


def test_the_palette_is_vocs():
    palette = voc_palette()
    assert palette[:10].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 0, 128],
        [0, 128, 128], [128, 128, 128], [64, 0, 0], [192, 0, 0],
    ]  # fmt: skip
    assert palette[[20, 21, 255]].tolist() == [[0, 64, 128], [128, 64, 128], [224, 224, 192]]
    assert len(np.unique(palette, axis=0)) == 256


def test_files_lists_and_names_are_vocs(tmp_path):
    items = [
        labelled([[0, 3, 255]], "a", split="train", instances=np.array([[0, 1, 0]])),
        labelled([[3, 3, 0]], "b c", split="val"),
        labelled([[3, 3, 0]], "d", split="test"),
    ]
    write(tmp_path, items, ClassMap("x", CAMVID.classes[:4]))
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")) == [
        "ImageSets/Segmentation/test.txt",
        "ImageSets/Segmentation/train.txt",
        "ImageSets/Segmentation/trainval.txt",
        "ImageSets/Segmentation/val.txt",
        "SegmentationClass/a.png",
        "SegmentationClass/b c.png",
        "SegmentationClass/d.png",
        "SegmentationObject/a.png",
        "class_names.txt",
        "labelmap.txt",
    ]
    assert (tmp_path / "ImageSets/Segmentation/trainval.txt").read_text() == "a\nb c\n"
    assert (tmp_path / "labelmap.txt").read_text().splitlines() == [
        "# label:color_rgb:parts:actions",
        "background:0,0,0::",
        "Sky:128,0,0::",
        "Building:0,128,0::",
        "Pole:128,128,0::",
        "Road:0,0,128::",
        "ignored:224,224,192::",
    ]
    assert (tmp_path / "class_names.txt").read_text().split() == [
        "_background_", "Sky", "Building", "Pole", "Road",
    ]  # fmt: skip
    with Image.open(tmp_path / "SegmentationClass/a.png") as image:
        assert image.mode == "P"
        assert np.asarray(image).tolist() == [[1, 4, 255]]
        assert np.asarray(image.convert("RGB"))[0].tolist() == [
            [128, 0, 0], [0, 0, 128], [224, 224, 192],
        ]  # fmt: skip


def test_frames_without_a_split_are_in_trainval(tmp_path):
    write(tmp_path, [labelled([[1]])], CAMVID)
    assert [p.name for p in (tmp_path / "ImageSets/Segmentation").iterdir()] == ["trainval.txt"]
    (ref,) = opened(tmp_path).frames
    assert ref.split == ""


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12)),
    st.sampled_from(["background", "own"]),
)
def test_all_ids_come_back(tmp_path_factory, labels, ids):
    folder = tmp_path_factory.mktemp("voc")
    classes = full(254 if ids == "background" else 255)
    writer = write(folder, [labelled(labels)], classes, ids=ids)
    assert writer.cannot == ()
    reader = opened(folder)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])
    names = {c.id: c.name for c in reader.classes.classes}
    assert all(names[int(writer.ids[c.id])] == c.name for c in classes.classes)


def test_own_ids_with_gaps_come_back(tmp_path):
    classes = ClassMap("x", (ClassDef(7, "car", (1, 2, 3)), ClassDef(200, "road", (1, 2, 3))))
    write(tmp_path, [labelled([[7, 200, 255, 9]])], classes, ids="own")
    reader = opened(tmp_path)
    assert reader.read(reader.frames[0]).labels.tolist() == [[7, 200, 255, 255]]
    assert [(c.id, c.name) for c in reader.classes.classes] == [(7, "car"), (200, "road")]


def test_a_background_of_the_project_is_the_background(tmp_path):
    classes = ClassMap("x", (ClassDef(3, "car", (1, 2, 3)), ClassDef(5, "Background", (0, 0, 0))))
    writer = write(tmp_path, [labelled([[3, 5]])], classes)
    assert writer.ids[[3, 5]].tolist() == [1, 0]


def test_the_class_that_has_no_number_left_is_named():
    writer = KIND.writer(full(255), complete(KIND.writes_with, {}))
    assert "class 254" in writer.cannot[0]
    assert writer.ids[254] == VOID
    assert writer.ids[253] == 254


def test_objects_come_back(tmp_path):
    labels = [[8, 8, 9], [8, 0, 255]]
    instances = np.array([[1, 2, 1], [0, 0, 0]], np.int32)
    write(tmp_path, [labelled(labels, instances=instances)], CAMVID)
    stored = rasters.decode((tmp_path / "SegmentationObject/a.png").read_bytes(), "a")
    assert stored.values.tolist() == [[1, 2, 3], [0, 0, 255]]
    reader = opened(tmp_path)
    assert np.array_equal(reader.read(reader.frames[0]).instances, instances)


def test_more_objects_than_vocs_numbers_are_an_error():
    numbers = np.arange(1, 256, dtype=np.int32)[None]
    item = labelled(np.full((1, 255), 8), instances=numbers)
    writer = KIND.writer(CAMVID, complete(KIND.writes_with, {}))
    with pytest.raises(FormatError, match="a has 255"):
        writer.frame(item)
    assert (
        len(KIND.writer(CAMVID, complete(KIND.writes_with, {"objects": False})).frame(item).files)
        == 1
    )


def put(folder, name, content):
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_without_a_list_the_classes_are_vocs(tmp_path):
    put(tmp_path, "VOC2012/SegmentationClass/x.png", rasters.encode_grey(np.uint8([[0, 20, 255]])))
    reader = opened(tmp_path)
    assert reader.classes.classes == load_class_set("voc21").classes
    assert reader.read(reader.frames[0]).labels.tolist() == [[0, 20, 255]]


def test_numbers_that_no_class_has_are_an_error(tmp_path):
    put(tmp_path, "SegmentationClass/x.png", rasters.encode_grey(np.uint8([[0, 21]])))
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match=r"SegmentationClass/x\.png.*21"):
        reader.read(reader.frames[0])
    reader = opened(tmp_path, full(30), ids="project")
    assert reader.read(reader.frames[0]).labels.tolist() == [[0, 21]]


def test_colours_that_no_class_has_are_void_and_said(tmp_path):
    put(tmp_path, "labelmap.txt", "car:1,2,3::\nroad:3,2,1::\n")
    rgb = np.uint8([[[1, 2, 3], [3, 2, 1], [1, 2, 4]]])
    put(tmp_path, "SegmentationClass/x.png", rasters.encode_colors(rgb))
    reader = opened(tmp_path)
    assert reader.read(reader.frames[0]).labels.tolist() == [[0, 1, VOID]]
    assert "#010204" in reader.notes[-1]


@pytest.mark.parametrize(
    "content", ["car", "car:1,2::", "car:1,2,300::", "car:a,b,c::", "void:0,0,0::", ""]
)
def test_a_damaged_labelmap_is_one_sentence(tmp_path, content):
    put(tmp_path, "labelmap.txt", content)
    put(tmp_path, "SegmentationClass/x.png", rasters.encode_grey(np.uint8([[0]])))
    with pytest.raises(FormatError, match=r"labelmap\.txt"):
        opened(tmp_path)


def test_object_files_of_another_size_are_an_error(tmp_path):
    put(tmp_path, "SegmentationClass/x.png", rasters.encode_grey(np.uint8([[0]])))
    put(tmp_path, "SegmentationObject/x.png", rasters.encode_grey(np.uint8([[0, 1]])))
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match="SegmentationObject/x"):
        reader.read(reader.frames[0])


def test_lists_that_name_frames_without_labels_are_a_note(tmp_path):
    write(tmp_path, [labelled([[1]], split="train")], CAMVID)
    put(tmp_path, "ImageSets/Segmentation/val.txt", "b\n")
    reader = opened(tmp_path)
    assert [ref.split for ref in reader.frames] == ["train"]
    assert "1 frames of the lists have no labels, as b." in reader.notes


def test_other_folders_are_not_recognised(tmp_path):
    put(tmp_path, "masks/x.png", rasters.encode_grey(np.uint8([[0]])))
    assert KIND.sniff(open_files(tmp_path)) is None
    with pytest.raises(FormatError, match="SegmentationClass"):
        opened(tmp_path)


@pytest.mark.realdata
def test_what_datumaro_wrote_is_the_truth(data_dir):
    base = data_dir / "importers/camvid_exports"
    reader = opened(base / "voc_segmentation")
    ids = {plain(c.name): c.id for c in reader.classes.classes}
    table = np.full(256, VOID, np.uint8)
    for known in CAMVID.classes:
        table[known.id] = ids[plain(known.name)]
    assert [ref.name for ref in reader.frames] == ["0006R0_f03780", "0016E5_01860"]
    for ref in reader.frames:
        assert (ref.split, ref.picture is not None) == ("train", True)
        read = reader.read(ref)
        truth = np.asarray(Image.open(base / f"truth/{ref.name}.png"))
        assert np.array_equal(read.labels, table[truth])
        assert read.instances is not None
    assert not [note for note in reader.notes if "colour" in note]


@pytest.mark.realdata
def test_labelmes_own_voc_output_is_read(data_dir):
    folders = [p.parent for p in (data_dir / "importers/labelme").rglob("SegmentationClass*")]
    assert folders
    for folder in set(folders):
        reader = opened(folder)
        for ref in reader.frames:
            assert reader.read(ref).labels.size


@pytest.mark.realdata
def test_datumaros_own_example_loads(data_dir):
    reader = opened(data_dir / "importers/datumaro_assets/voc_dataset/voc_dataset1")
    (ref,) = reader.frames
    read = reader.read(ref)
    assert (ref.name, ref.split) == ("2007_000001", "train")
    assert np.unique(read.labels).tolist() == [2]
    assert read.instances.max() == 1
