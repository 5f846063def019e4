"""KITTI's folders, its 16-bit objects, and numbers that other tools put there."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("kitti")
CITIES = load_class_set("cityscapes19")


def read_all(folder):
    reader = KIND.open(FolderSource(folder), {})
    return reader, [reader.read(ref) for ref in reader.frames]


def png(folder, content):
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_bytes(content)


def decoded(path):
    return rasters.decode(path.read_bytes(), path.name).values


def test_files_hold_ids_of_cityscapes_and_objects_in_16_bits(there_and_back):
    labels = np.array([[0, 13, 13, VOID]], np.uint8)  # road, car, car
    instances = np.array([[0, 1, 2, 0]], np.int32)
    frame = Labelled("000030_10", labels, instances=instances)
    trip = there_and_back("kitti", [frame], CITIES)
    assert decoded(trip.folder / "training/semantic/000030_10.png").tolist() == [[7, 26, 26, 0]]
    wide = decoded(trip.folder / "training/instance/000030_10.png")
    assert wide.tolist() == [[7 * 256, 26 * 256 + 1, 26 * 256 + 2, 0]]
    read = trip.read["000030_10"]
    assert read.labels.tolist() == [[7, 26, 26, VOID]]
    assert read.instances.tolist() == instances.tolist()


def test_splits_have_its_folder_names_and_pictures_lie_in_image_2(there_and_back, some_frames):
    trip = there_and_back("kitti", some_frames(1, CITIES, split="val"), CITIES, colors=True)
    names = {p.relative_to(trip.folder).as_posix() for p in trip.folder.rglob("*.png")}
    assert names == {
        "validation/image_2/drive_000000.png",
        "validation/instance/drive_000000.png",
        "validation/semantic/drive_000000.png",
        "validation/semantic_rgb/drive_000000.png",
    }
    assert trip.reader.frames[0].split == "val"
    assert trip.reader.frames[0].picture is not None


def test_more_objects_than_it_has_numbers_for_are_refused():
    writer = KIND.writer(CITIES, {"colors": False, "instances": True})
    labels = np.full((1, 2), 13, np.uint8)
    frame = Labelled("crowd", labels, instances=np.array([[1, 256]], np.int32))
    with pytest.raises(
        FormatError, match="crowd has 256 objects of one class, and the format takes 255"
    ):
        writer.frame(frame)


def test_a_number_outside_its_classes_is_named(tmp_path):
    png(tmp_path / "training/semantic/a.png", rasters.encode_grey(np.array([[77]], np.uint8)))
    with pytest.raises(FormatError, match=r"semantic/a\.png holds the number 77"):
        read_all(tmp_path)


def test_objects_of_another_size_are_named(tmp_path):
    png(tmp_path / "training/semantic/a.png", rasters.encode_grey(np.array([[7, 7]], np.uint8)))
    wide = rasters.encode_wide(np.array([[7 * 256]], np.uint16))
    png(tmp_path / "training/instance/a.png", wide)
    with pytest.raises(FormatError, match="1×1 pixels, and"):
        read_all(tmp_path)


@pytest.mark.parametrize("has_semantic", [True, False])
def test_objects_of_8_bits_are_named(tmp_path, has_semantic):
    narrow = rasters.encode_grey(np.array([[7, 7]], np.uint8))
    if has_semantic:
        png(tmp_path / "training/semantic/a.png", narrow)
    png(tmp_path / "training/instance/a.png", narrow)
    with pytest.raises(FormatError, match=r"instance/a\.png has 8 bits a pixel"):
        read_all(tmp_path)


def test_colours_are_read_where_nothing_else_is_there_with_a_note(tmp_path):
    rgb = np.array([[(128, 64, 128), (0, 0, 0), (9, 9, 9)]], np.uint8)
    png(tmp_path / "training/semantic_rgb/a.png", rasters.encode_colors(rgb))
    reader, (read,) = read_all(tmp_path)
    assert read.labels.tolist() == [[7, VOID, VOID]]
    assert "share a colour" in reader.notes[0]
    assert "#090909" in reader.notes[1]


@pytest.mark.realdata
def test_files_of_datumaro_decode_to_the_truth(data_dir):
    folder = data_dir / "importers/camvid_exports/kitti_segmentation"
    assert KIND.sniff(FolderSource(folder)).sure > 0.9
    reader, frames = read_all(folder)
    ids = np.full(256, VOID, np.uint8)
    for known in reader.classes.classes:
        ids[known.id] = next(c.id for c in CAMVID.classes if c.name == known.name)
    assert len(frames) == 2
    for read in frames:
        path = data_dir / "importers/camvid_exports/truth" / f"{read.name}.png"
        expected = decoded(path).copy()
        expected[expected == 11] = VOID
        np.testing.assert_array_equal(ids[read.labels], expected)
        assert read.instances is not None


@pytest.mark.realdata
def test_a_set_with_objects_alone_is_read(data_dir):
    _, frames = read_all(data_dir / "importers/datumaro_assets/kitti_dataset")
    first = next(frame for frame in frames if frame.name == "000030_10")
    assert set(np.unique(first.labels)) == {3, 27}
    assert set(np.unique(first.instances)) == {0, 1, 2}
