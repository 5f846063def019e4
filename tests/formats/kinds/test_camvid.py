"""CamVid's layout: exact names and lines, both codings, both releases, damaged lists."""

from pathlib import PurePosixPath

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("camvid")
TABLE = "".join(f"{r} {g} {b} {c.name}\n" for c in CAMVID.classes for r, g, b in [c.color])


def write_colors(path, rows, palette):
    """A colour PNG of rows of ids."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rasters.encode_colors(palette[np.array(rows, np.uint8)]))


def read_all(folder):
    source = FolderSource(folder)
    reader = KIND.open(source, {})
    return reader, [reader.read(ref) for ref in reader.frames]


def test_files_are_named_and_listed_as_in_the_release(there_and_back, some_frames):
    trip = there_and_back("camvid", some_frames(2, CAMVID, split="val"), CAMVID)
    names = {p.relative_to(trip.folder).as_posix() for p in trip.folder.rglob("*.*")}
    assert {"label_colors.txt", "val.txt", "val/drive_000000.png"} <= names
    assert {"valannot/drive_000000.png", "valannot/drive_000001.png"} <= names
    first = (trip.folder / "val.txt").read_text().splitlines()[0]
    assert first == "/val/drive_000000.png valannot/drive_000000.png"
    table = (trip.folder / "label_colors.txt").read_text()
    assert table == TABLE + "0 0 0 Void\n"
    assert [c.name for c in trip.reader.classes.classes] == [c.name for c in CAMVID.classes]
    assert trip.reader.frames[0].picture == PurePosixPath("val/drive_000000.png")
    assert trip.reader.frames[0].split == "val"


def test_labels_are_colours_and_void_is_black(there_and_back):
    labels = np.array([[0, 3, VOID]], np.uint8)
    trip = there_and_back("camvid", [Labelled("a", labels)], CAMVID)
    raster = rasters.decode((trip.folder / "trainannot/a.png").read_bytes(), "a.png")
    assert raster.values.tolist() == [[[128, 128, 128], [128, 64, 128], [0, 0, 0]]]


def test_numbers_are_those_of_segnet_with_11_for_void(there_and_back):
    labels = np.array([[0, 10, VOID]], np.uint8)
    trip = there_and_back("camvid", [Labelled("a", labels)], CAMVID, coding="numbers")
    raster = rasters.decode((trip.folder / "trainannot/a.png").read_bytes(), "a.png")
    assert raster.values.tolist() == [[0, 10, 11]]
    assert trip.read["a"].labels.tolist() == labels.tolist()
    assert trip.proof.is_exact


def test_classes_that_share_a_colour_get_colours_of_their_own(there_and_back):
    pole, group = (153, 153, 153), (153, 153, 153)
    classes = ClassMap(
        "mine",
        (ClassDef(3, "pole", pole), ClassDef(7, "group", group), ClassDef(9, "ego", (0, 0, 0))),
    )
    labels = np.array([[3, 7, 9, VOID]], np.uint8)
    trip = there_and_back("camvid", [Labelled("a", labels)], classes)
    assert trip.proof.is_exact
    assert trip.read["a"].labels.tolist() == [[0, 1, 2, VOID]]
    assert [text.split()[0] for text in trip.report.cannot] == ["group", "ego"]


def test_names_with_blanks_are_quoted_in_the_list(there_and_back):
    frame = Labelled("a b", np.zeros((2, 2), np.uint8))
    trip = there_and_back("camvid", [frame], CAMVID)
    line = (trip.folder / "train.txt").read_text()
    assert line == '"/train/a b.png" "trainannot/a b.png"\n'


def test_the_32_classes_keep_their_names(there_and_back):
    labels = np.array([[3, 8, VOID]], np.uint8)
    trip = there_and_back("camvid", [Labelled("a", labels)], CAMVID, class_set="camvid32")
    read = trip.read["a"].labels
    names = [trip.reader.classes.name_of(int(i)) for i in read[0]]
    assert names == ["Road", "Car", "void"]
    assert trip.proof.is_exact


def test_the_first_release_is_read_by_its_own_colours(tmp_path):
    road, void = (128, 64, 128), (0, 0, 0)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/0001TP_006690.png").write_bytes(
        rasters.encode_colors(np.ones((1, 3, 3), np.uint8))
    )
    (tmp_path / "labels").mkdir()
    rgb = np.array([[road, void, (1, 2, 3)]], np.uint8)
    (tmp_path / "labels/0001TP_006690_L.png").write_bytes(rasters.encode_colors(rgb))
    reader, (read,) = read_all(tmp_path)
    assert read.name == "0001TP_006690"
    assert reader.classes.name_of(int(read.labels[0, 0])) == "Road"
    assert read.labels[0, 1:].tolist() == [VOID, VOID]
    assert reader.frames[0].picture == PurePosixPath("raw/0001TP_006690.png")
    assert any("#010203 (1 px)" in note for note in reader.notes)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("128 128 128 Sky\n128 0 Building\n", "line 2"),
        ("128 128 900 Sky\n", "colour 1"),
        ("0 0 0 Void\n", "no class"),
        ("\xff\xfe", "UTF-8"),
    ],
)
def test_a_damaged_table_is_one_sentence(tmp_path, text, field):
    write_colors(tmp_path / "trainannot/a.png", [[0, 1]], CAMVID.palette())
    (tmp_path / "label_colors.txt").write_bytes(text.encode("latin-1"))
    with pytest.raises(FormatError, match=field) as error:
        read_all(tmp_path)
    assert "label_colors.txt" in str(error.value)


def test_a_number_that_camvid_does_not_have_is_named(tmp_path):
    (tmp_path / "trainannot").mkdir()
    content = rasters.encode_grey(np.array([[0, 37]], np.uint8))
    (tmp_path / "trainannot/a.png").write_bytes(content)
    with pytest.raises(FormatError, match=r"trainannot/a\.png holds the number 37"):
        read_all(tmp_path)


def test_a_picture_of_another_size_is_named(tmp_path):
    write_colors(tmp_path / "trainannot/a.png", [[0, 1]], CAMVID.palette())
    write_colors(tmp_path / "train/a.png", [[0, 1, 2]], CAMVID.palette())
    (tmp_path / "label_colors.txt").write_text(TABLE)
    with pytest.raises(FormatError, match=r"2×1 pixels, and its picture train/a\.png 3×1"):
        read_all(tmp_path)


def test_a_folder_without_labels_says_what_to_choose(tmp_path):
    assert KIND.sniff(FolderSource(tmp_path)) is None
    with pytest.raises(FormatError, match="trainannot"):
        read_all(tmp_path)


def truth_of(data_dir, name):
    path = data_dir / "importers/camvid_exports/truth" / f"{name}.png"
    return rasters.decode(path.read_bytes(), name).values


@pytest.mark.realdata
def test_files_of_datumaro_decode_to_the_truth(data_dir):
    folder = data_dir / "importers/camvid_exports/camvid"
    assert KIND.sniff(FolderSource(folder)).sure > 0.8
    reader, frames = read_all(folder)
    ids = np.full(256, VOID, np.uint8)
    for known in reader.classes.classes:
        ids[known.id] = next(c.id for c in CAMVID.classes if c.name == known.name)
    assert len(frames) == 2
    for read in frames:
        expected = truth_of(data_dir, read.name).copy()
        expected[expected == 11] = VOID
        np.testing.assert_array_equal(ids[read.labels], expected)
    assert all(ref.picture is not None and ref.split == "train" for ref in reader.frames)
    assert not reader.notes


@pytest.mark.realdata
def test_the_toy_release_with_all_32_classes_is_read(data_dir):
    reader, frames = read_all(data_dir / "importers/datumaro_assets/camvid_dataset")
    names = {
        frame.name: [reader.classes.name_of(int(i)) for i in frame.labels[0]] for frame in frames
    }
    assert names["0001TP_006690"] == ["Road", "Road", "Road", "Bicyclist", "Bicyclist"] or set(
        names["0001TP_006690"]
    ) == {"Road", "Bicyclist"}
    assert {ref.split for ref in reader.frames} == {"train", "val", "test"}
    assert not reader.notes
