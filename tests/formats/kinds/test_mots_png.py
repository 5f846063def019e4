"""MOTS: class · 1000 + object in 16 bits, as KITTI and Datumaro have it."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from segstudio.core.class_mapping import plain
from segstudio.core.classes import CAMVID, VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import open_files
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("mots_png")


def put(folder, name, values):
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(rasters.encode_wide(np.array(values, np.uint16)))


def opened(folder):
    return KIND.open(open_files(folder), {})


def test_kittis_drives_are_read(tmp_path):
    put(tmp_path, "instances/0002/000010.png", [[0, 1000, 1003, 2001, 10000]])
    assert KIND.sniff(open_files(tmp_path)).sure == 0.7
    reader = opened(tmp_path)
    (ref,) = reader.frames
    read = reader.read(ref)
    assert (ref.clip, ref.name) == ("0002", "000010")
    assert read.labels.tolist() == [[VOID, 1, 1, 2, VOID]]
    assert read.instances.tolist() == [[0, 1, 4, 2, 0]]


def test_the_list_names_the_classes(tmp_path):
    put(tmp_path, "val/instances/a.png", [[1001, 2001, 3000]])
    (tmp_path / "val/instances/labels.txt").write_text("road\nvoid\ncar\n")
    reader = opened(tmp_path)
    assert [(c.id, c.name) for c in reader.classes.classes] == [(1, "road"), (3, "car")]
    assert reader.frames[0].split == "val"
    assert reader.read(reader.frames[0]).labels.tolist() == [[1, VOID, 3]]


@pytest.mark.parametrize(("values", "said"), [([[5]], "5"), ([[9001]], "9"), ([[65535]], "65")])
def test_numbers_that_mean_nothing_are_an_error(tmp_path, values, said):
    put(tmp_path, "instances/0002/000010.png", values)
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match=rf"000010\.png.*{said}"):
        reader.read(reader.frames[0])


def test_lists_that_differ_are_an_error(tmp_path):
    for split, names in (("train", "car\n"), ("val", "road\n")):
        put(tmp_path, f"{split}/instances/a.png", [[1001]])
        (tmp_path / split / "instances/labels.txt").write_text(names)
    with pytest.raises(FormatError, match="different classes"):
        opened(tmp_path)


def test_it_is_not_written_and_says_so():
    assert not KIND.can_write
    with pytest.raises(FormatError, match="only read"):
        KIND.writer(CAMVID, {})


def test_other_folders_are_not_recognised(tmp_path):
    put(tmp_path, "v1.2/instances/a.png", [[1001]])
    assert KIND.sniff(open_files(tmp_path)) is None


@pytest.mark.realdata
def test_what_datumaro_wrote_is_the_truth(data_dir):
    base = data_dir / "importers/camvid_exports"
    reader = opened(base / "mots_png")
    ids = {plain(c.name): c.id for c in reader.classes.classes}
    table = np.full(256, VOID, np.uint8)
    for known in CAMVID.classes:
        table[known.id] = ids[plain(known.name)]
    assert len(reader.frames) == 2
    for ref in reader.frames:
        assert (ref.split, ref.picture is not None) == ("train", True)
        truth = np.asarray(Image.open(base / f"truth/{ref.name}.png"))
        assert np.array_equal(reader.read(ref).labels, table[truth])


@pytest.mark.realdata
def test_datumaros_own_example_loads(data_dir):
    reader = opened(data_dir / "importers/datumaro_assets/mots_dataset")
    assert [(ref.name, ref.split) for ref in reader.frames] == [
        ("1", "train"), ("2", "train"), ("3", "val"),
    ]  # fmt: skip
    with pytest.raises(FormatError, match="5×1"):
        reader.read(reader.frames[0])  # its picture stands upright, its labels do not
    read = reader.read(replace(reader.frames[0], picture=None))
    assert sorted(np.unique(read.labels)) == [3, 4, VOID]
    assert sorted(np.unique(read.instances)) == [0, 2, 3, 4]
