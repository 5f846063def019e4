"""BDD100K: masks of trainIds, panoptic bitmasks, and files of its own tests."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("bdd100k")
CITIES = load_class_set("cityscapes19")
PANOPTIC = load_class_set("bdd100k41")


def read_all(folder):
    reader = KIND.open(FolderSource(folder), {})
    return reader, [reader.read(ref) for ref in reader.frames]


def decoded(path):
    return rasters.decode(path.read_bytes(), path.name).values


def test_masks_hold_train_ids_in_its_folders(there_and_back, some_frames):
    labels = np.array([[0, 18, VOID]], np.uint8)
    trip = there_and_back("bdd100k", [Labelled("a", labels)], CITIES)
    path = trip.folder / "labels/sem_seg/masks/train/a.png"
    assert decoded(path).tolist() == [[0, 18, 255]]
    frames = some_frames(1, CITIES, split="val")
    trip = there_and_back("bdd100k", frames, CITIES, folder="two", colors=True)
    names = {p.relative_to(trip.folder).as_posix() for p in trip.folder.rglob("*.png")}
    assert names == {
        "images/10k/val/drive_000000.png",
        "labels/sem_seg/masks/val/drive_000000.png",
        "labels/sem_seg/colormaps/val/drive_000000.png",
    }
    assert trip.reader.frames[0].picture is not None


def test_bitmasks_hold_class_and_object(there_and_back):
    labels = np.array([[7, 35, 35, VOID, 0]], np.uint8)  # road, car, car, void, unlabeled
    instances = np.array([[0, 1, 2, 0, 0]], np.int32)
    frame = Labelled("a", labels, instances=instances)
    trip = there_and_back("bdd100k", [frame], PANOPTIC, task="pan_seg")
    rgba = decoded(trip.folder / "labels/pan_seg/bitmasks/train/a.png")
    assert rgba[0].tolist() == [[7, 0, 0, 7], [35, 0, 1, 0], [35, 0, 1, 1], [0] * 4, [0] * 4]
    assert trip.proof.is_exact
    assert trip.read["a"].labels.tolist() == [[7, 35, 35, VOID, VOID]]
    assert trip.read["a"].instances.tolist() == instances.tolist()


def test_what_is_lost_is_said():
    classes = load_class_set("cityscapes34")
    (lost,) = KIND.writer(classes, {"task": "sem_seg", "colors": False}).cannot
    assert "become void" in lost


@pytest.mark.parametrize(
    ("folder", "content", "words"),
    [
        ("sem_seg/masks", rasters.encode_grey(np.array([[77]], np.uint8)), "the number 77"),
        ("sem_seg/masks", rasters.encode_wide(np.array([[900]], np.uint16)), "the number 900"),
        ("sem_seg/masks", b"\x89PNG\r\n\x1a\n", "a.png"),
        ("pan_seg/bitmasks", rasters.encode_grey(np.array([[7]], np.uint8)), "four channels"),
        ("pan_seg/bitmasks", rasters.encode_colors(np.full((1, 1, 4), 99, np.uint8)), "99"),
    ],
)
def test_damaged_files_are_one_sentence(tmp_path, folder, content, words):
    path = tmp_path / "labels" / folder / "train/a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(FormatError, match=words):
        read_all(tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "place", "classes"),
    [
        ("label/testcases/semseg_mask.png", "sem_seg/masks", {"car"}),
        (
            "label/testcases/bitmasks/quasi-video/insseg_bitmask.png",
            "ins_seg/bitmasks",
            {"car"},
        ),
        ("eval/testcases/pan_seg/gt/a.png", "pan_seg/bitmasks", {"road", "sky", "car"}),
    ],
)
def test_its_own_files_are_read(data_dir, tmp_path, file, place, classes):
    path = tmp_path / "labels" / place / "val/a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes((data_dir / "importers/bdd100k_tests" / file).read_bytes())
    assert KIND.sniff(FolderSource(tmp_path)).sure > 0.9
    reader, (read,) = read_all(tmp_path)
    names = {reader.classes.name_of(int(i)) for i in np.unique(read.labels)} - {"void"}
    assert classes <= names
    assert (read.instances is not None) == ("bitmasks" in place)


def test_camvid_fits_into_its_19_classes(there_and_back, some_frames):
    trip = there_and_back("bdd100k", some_frames(2, CAMVID), CAMVID)
    assert trip.proof.is_exact
