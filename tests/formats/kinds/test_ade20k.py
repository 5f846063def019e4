"""ADE20K: numbers from 1, its list of classes, and the full sets of 2017 and 2020."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("ade20k")
ADE = load_class_set("ade20k150")


def read_all(folder, classes=None):
    reader = KIND.open(FolderSource(folder), {}, classes)
    return reader, [reader.read(ref) for ref in reader.frames]


def names_in(reader, frame):
    return {reader.classes.name_of(int(i)) for i in np.unique(frame.labels)}


def test_files_count_from_one_and_void_is_zero(there_and_back):
    labels = np.array([[0, 149, VOID]], np.uint8)
    trip = there_and_back("ade20k", [Labelled("a", labels)], ADE)
    path = trip.folder / "annotations/training/a.png"
    assert rasters.decode(path.read_bytes(), "a").values.tolist() == [[1, 150, 0]]
    lines = (trip.folder / "objectInfo150.txt").read_text().splitlines()
    assert lines[:2] == ["Idx\tRatio\tTrain\tVal\tStuff\tName", "1\t0.5000\t1\t0\t0\twall"]
    assert len(lines) == 151
    assert trip.proof.is_exact
    assert [c.color for c in trip.reader.classes.classes] == [c.color for c in ADE.classes]


def test_own_classes_and_splits_keep_their_names(there_and_back, some_frames):
    classes = ClassMap("x", (ClassDef(3, "a b", (1, 2, 3)), ClassDef(200, "c", (4, 5, 6))))
    frames = some_frames(2, classes, split="val")
    trip = there_and_back("ade20k", frames, classes, class_set="own")
    assert trip.proof.is_exact
    assert [c.name for c in trip.reader.classes.classes] == ["a b", "c"]
    assert (trip.folder / "images/validation/drive_000000.png").is_file()
    assert trip.reader.frames[0].split == "val"
    assert trip.reader.frames[0].picture is not None


def test_more_classes_than_numbers_are_refused():
    rows = tuple(ClassDef(i, f"c{i}", (i, 0, 0)) for i in range(255))
    with pytest.raises(FormatError, match="254 classes"):
        KIND.writer(ClassMap("x", rows), {"class_set": "own"})


def test_all_254_classes_survive(there_and_back):
    classes = ClassMap("x", tuple(ClassDef(i, f"c{i}", (i, 0, 0)) for i in range(254)))
    labels = np.append(np.arange(254), VOID).astype(np.uint8)[None]
    trip = there_and_back("ade20k", [Labelled("a", labels)], classes, class_set="own")
    assert trip.proof.is_exact


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Idx\tName\nx\twall\n", "line 2"),
        ("Idx\tName\n0\twall\n", "number 0"),
        ("Idx\tName\n1\twall\n1\ttree\n", "line 3"),
        ("Idx\tName\n", "no class"),
    ],
)
def test_a_damaged_list_is_one_sentence(tmp_path, text, words):
    (tmp_path / "annotations/training").mkdir(parents=True)
    content = rasters.encode_grey(np.ones((2, 2), np.uint8))
    (tmp_path / "annotations/training/a.png").write_bytes(content)
    (tmp_path / "objectInfo150.txt").write_text(text)
    with pytest.raises(FormatError, match=words) as error:
        read_all(tmp_path)
    assert "objectInfo150.txt" in str(error.value)


def write_full(folder, listing, rgb, name="1_atr.txt"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1_seg.png").write_bytes(rasters.encode_colors(np.array(rgb, np.uint8)))
    (folder / name).write_text(listing)


def test_objects_of_2017_are_found_by_their_ranks(tmp_path):
    listing = '001 # 0 # 0 # sky # sky # ""\n002 # 0 # 0 # car, auto # car # ""\n'
    listing += '001 # 1 # 0 # wheel # wheel # ""\n'
    write_full(tmp_path, listing, [[(0, 0, 0), (9, 9, 40), (9, 9, 90)]])
    reader, (read,) = read_all(tmp_path)
    assert [reader.classes.name_of(int(i)) for i in read.labels[0]] == ["void", "sky", "car"]
    assert {c.name for c in reader.classes.classes} == {"sky", "car"}  # no parts of objects
    assert read.instances.tolist() == [[0, 1, 1]]


def test_given_classes_take_the_names_they_know(tmp_path):
    listing = '001 # 0 # 0 # sky # sky # ""\n002 # 0 # 0 # zebra # zebra # ""\n'
    write_full(tmp_path, listing, [[(0, 0, 1), (0, 0, 2)]])
    given = ClassMap("two", (ClassDef(4, "Sky", (0, 0, 9)), ClassDef(5, "road", (9, 0, 0))))
    reader, (read,) = read_all(tmp_path, given)
    assert read.labels.tolist() == [[4, VOID]]
    assert reader.notes == ("1 names that 'two' does not have are void.",)


@pytest.mark.parametrize(
    ("name", "listing", "words"),
    [
        ("1_atr.txt", "001 sky\n", "line 1"),
        ("1_atr.txt", '999999999 # 0 # 0 # sky # sky # ""\n', "line 1"),
        ("1.json", "[]", "annotation.object"),
        ("1.json", '{"annotation": {"object": [{"name": 3, "name_ndx": 1}]}}', r"object\[0\]"),
        ("1.json", '{"annotation": {"object": [{"name": "a", "name_ndx": 1e9}]}}', r"object\[0\]"),
        ("1.json", '{"annotation": {"object": [5]}}', r"object\[0\]"),
        ("1.json", '{"annotation": {"object": []}}', "name no object"),
    ],
)
def test_damaged_lists_of_objects_are_one_sentence(tmp_path, name, listing, words):
    write_full(tmp_path, listing, [[(0, 0, 1)]], name)
    with pytest.raises(FormatError, match=words):
        read_all(tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("year", "names"),
    [("2017", {"sky", "person"}), ("2020", {"car", "person"})],
)
def test_toy_sets_of_both_years_are_read(data_dir, year, names):
    folder = data_dir / f"importers/datumaro_assets/ade20k{year}_dataset/dataset"
    assert KIND.sniff(FolderSource(folder)).sure > 0.8
    reader, frames = read_all(folder)
    assert len(frames) == 2
    for frame in frames:
        assert names_in(reader, frame) - {"void"} == names
    assert {ref.split for ref in reader.frames} == {"train", "val"}
    assert all(ref.picture is not None for ref in reader.frames)


def test_camvid_fits_as_far_as_it_goes(there_and_back, some_frames):
    trip = there_and_back("ade20k", some_frames(2, CAMVID), CAMVID)
    assert trip.proof.is_exact
    assert list(trip.report.cannot) == ["Pedestrian and Bicyclist become person."]
