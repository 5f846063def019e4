"""Index PNG: exact files, every mask there can be, and what becomes of other class sets."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("index_png")
FULL = ClassMap("full", tuple(ClassDef(i, f"c{i}", (i, 255 - i, i % 7)) for i in range(255)))


def test_files_are_palette_png_with_a_list_of_classes(there_and_back, some_frames):
    labels = np.array([[0, 10, VOID]], np.uint8)
    trip = there_and_back("index_png", [Labelled("a", labels, split="val")], CAMVID)
    raster = rasters.decode((trip.folder / "masks/val/a.png").read_bytes(), "a")
    assert raster.values.tolist() == [[0, 10, 255]]
    assert [tuple(raster.palette[i]) for i in (0, 10, 255)] == [
        (128, 128, 128),
        (0, 128, 192),
        (224, 224, 192),
    ]
    about = json.loads((trip.folder / "classes.json").read_text())
    assert about["name"] == "camvid"
    assert about["void"] == 255
    assert about["classes"][3] == {"id": 3, "name": "Road", "color": [128, 64, 128]}
    trip = there_and_back("index_png", some_frames(1, CAMVID), CAMVID, folder="b", colors=True)
    names = {p.relative_to(trip.folder).as_posix() for p in trip.folder.rglob("*.*g")}
    assert names == {f"{top}/drive_000000.png" for top in ("images", "masks", "colors")}


def test_it_is_recognised_surely_and_read_by_its_own_list(there_and_back, some_frames):
    trip = there_and_back("index_png", some_frames(2, CAMVID, split="train"), CAMVID, colors=True)
    guess = KIND.sniff(FolderSource(trip.folder))
    assert guess.sure > 0.95
    assert guess.why.startswith("2 palette masks in masks, whose classes classes.json names.")
    assert trip.reader.classes == CAMVID
    assert [ref.picture.as_posix() for ref in trip.reader.frames] == [
        "images/train/drive_000000.png",
        "images/train/drive_000001.png",
    ]
    assert {ref.split for ref in trip.reader.frames} == {"train"}


@pytest.mark.parametrize("ids", ["cityscapes19", "cityscapes34", "camvid"])
def test_other_numbers_are_as_that_class_set_has_them(ids, there_and_back, some_frames):
    trip = there_and_back("index_png", some_frames(2, CAMVID), CAMVID, ids=ids)
    assert trip.proof.is_exact
    assert trip.reader.classes.name == load_class_set(ids).name


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["random", "lines", "board", "rings", "void", "one"]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_any_mask_comes_back_unchanged(height, width, kind, random):
    rng = np.random.default_rng(random.randrange(2**32))
    rows, columns = np.indices((height, width))
    labels = {
        "random": rng.integers(0, 256, (height, width)),
        "lines": np.where(columns % 3 == 0, rng.integers(0, 256), 7),
        "board": (rows + columns) % 2 * 254,
        "rings": np.minimum(np.minimum(rows, columns), 254),
        "void": np.full((height, width), VOID),
        "one": np.full((height, width), 254),
    }[kind].astype(np.uint8)
    writer = KIND.writer(FULL, complete(KIND.writes_with, {}))
    (file,) = writer.frame(Labelled("a", labels)).files
    raster = rasters.decode(file.content, "a.png")
    np.testing.assert_array_equal(raster.values, labels)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no valid JSON"),
        ('{"void": "x", "classes": []}', "'void'"),
        ('{"classes": 3}', "'classes' needs rows"),
        ('{"classes": [{"id": 0, "name": "a"}]}', "'classes' needs rows"),
        ('{"classes": [{"id": 300, "name": "a", "color": [1, 2, 3]}]}', "'classes' needs rows"),
        ('{"classes": [{"id": 1e400, "name": "a", "color": [1, 2, 3]}]}', "'classes' needs rows"),
    ],
)
def test_a_damaged_list_is_one_sentence(tmp_path, text, words):
    (tmp_path / "masks").mkdir()
    content = rasters.encode_grey(np.zeros((2, 2), np.uint8))
    (tmp_path / "masks/a.png").write_bytes(content)
    (tmp_path / "classes.json").write_text(text)
    source = FolderSource(tmp_path)
    KIND.sniff(source)
    with pytest.raises(FormatError, match=words) as error:
        KIND.open(source, complete(KIND.reads_with, {}))
    assert "classes.json" in str(error.value)
