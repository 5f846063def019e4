"""Mapillary Vistas: its config, its numbers, its objects, both versions."""

import json

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("mapillary")
V1, V2 = load_class_set("mapillary66"), load_class_set("mapillary124")


def read_all(folder):
    reader = KIND.open(FolderSource(folder), {})
    return reader, [reader.read(ref) for ref in reader.frames]


def decoded(path):
    return rasters.decode(path.read_bytes(), path.name)


@pytest.mark.parametrize(("version", "classes"), [("v1.2", V1), ("v2.0", V2)])
def test_files_hold_numbers_of_its_config(version, classes, there_and_back, some_frames):
    unlabeled = len(classes) - 1
    labels = np.array([[13, 0, unlabeled, VOID]], np.uint8)
    frame = Labelled("a", labels, split="val", instances=np.array([[0, 2, 0, 0]], np.int32))
    trip = there_and_back("mapillary", [frame], classes, version=version)
    raster = decoded(trip.folder / f"validation/{version}/labels/a.png")
    assert raster.values.tolist() == [[13, 0, unlabeled, unlabeled]]
    assert tuple(raster.palette[13]) == classes.by_id(13).color
    wide = decoded(trip.folder / f"validation/{version}/instances/a.png").values
    assert wide.tolist() == [[13 * 256, 2, unlabeled * 256, unlabeled * 256]]
    assert trip.read["a"].labels.tolist() == [[13, 0, VOID, VOID]]
    assert trip.read["a"].instances.tolist() == [[0, 1, 0, 0]]
    assert trip.proof.is_exact
    config = json.loads((trip.folder / f"config_{version}.json").read_text())
    assert len(config["labels"]) == len(classes)
    assert config["labels"][0] == {
        "color": [165, 42, 42],
        "instances": True,
        "readable": "Bird",
        "name": "animal--bird",
        "evaluate": True,
    }


def test_pictures_lie_beside_the_version(there_and_back, some_frames):
    trip = there_and_back("mapillary", some_frames(1, CAMVID), CAMVID)
    assert (trip.folder / "training/images/drive_000000.png").is_file()
    assert trip.reader.frames[0].picture is not None
    assert trip.reader.frames[0].split == "train"
    assert not trip.report.cannot


def test_what_is_lost_is_said():
    (lost,) = KIND.writer(load_class_set("comma10k"), {"version": "v1.2"}).cannot
    assert "void" in lost


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"labels": 3}', "no list 'labels'"),
        ("[]", "no list 'labels'"),
        ('{"labels": [{"color": [1, 2], "readable": "x"}]}', r"labels\[0\] needs a 'color'"),
        ('{"labels": [{"color": [1, 2, 300], "readable": "x"}]}', r"labels\[0\] needs a 'color'"),
        ('{"labels": [{"color": [1, 2, 3], "readable": 4}]}', r"labels\[0\] needs a 'readable'"),
        ('{"labels": [7]}', r"labels\[0\]"),
        ("{", "no valid JSON"),
    ],
)
def test_a_damaged_config_is_one_sentence(tmp_path, config, words):
    (tmp_path / "training/v1.2/labels").mkdir(parents=True)
    content = rasters.encode_grey(np.zeros((2, 2), np.uint8))
    (tmp_path / "training/v1.2/labels/a.png").write_bytes(content)
    (tmp_path / "config_v1.2.json").write_text(config)
    with pytest.raises(FormatError, match=words) as error:
        read_all(tmp_path)
    assert "config_v1.2.json" in str(error.value)


def test_a_number_behind_the_config_is_named(tmp_path):
    (tmp_path / "training/v1.2/labels").mkdir(parents=True)
    content = rasters.encode_grey(np.full((2, 2), 66, np.uint8))
    (tmp_path / "training/v1.2/labels/a.png").write_bytes(content)
    with pytest.raises(FormatError, match=r"labels/a\.png holds the number 66"):
        read_all(tmp_path)


def test_objects_of_8_bits_are_named(tmp_path):
    content = rasters.encode_grey(np.full((2, 2), 6, np.uint8))
    for folder in ("labels", "instances"):
        (tmp_path / "training/v1.2" / folder).mkdir(parents=True)
        (tmp_path / "training/v1.2" / folder / "a.png").write_bytes(content)
    with pytest.raises(FormatError, match=r"instances/a\.png has 8 bits a pixel"):
        read_all(tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "frames", "names"),
    [
        ("v1.2", 3, {"Bird", "Curb", "Person"}),
        ("v2.0", 3, {"Bird", "Separator", "Bicycle"}),
        ("dataset_with_meta_file", 2, {"Bird", "Curb", "Person"}),
    ],
)
def test_toy_sets_with_configs_of_their_own_are_read(data_dir, folder, frames, names):
    top = data_dir / "importers/datumaro_assets/mapillary_vistas_dataset" / folder
    assert KIND.sniff(FolderSource(top)).sure > 0.9
    reader, read = read_all(top)
    assert len(read) == frames
    assert {c.name for c in reader.classes.classes} == names
    assert any(frame.instances is not None for frame in read)
    assert all(ref.picture is not None for ref in reader.frames)
