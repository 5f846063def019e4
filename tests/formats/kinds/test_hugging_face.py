"""The image folder of Hugging Face's `datasets`: its lists, its files, its reader where it is there."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.parquet import encode_texts, texts_in
from segstudio.formats.files.source import open_files
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("hugging_face")
GAPS = ClassMap("gaps", (ClassDef(3, "road", (1, 2, 3)), ClassDef(254, "car", (200, 100, 50))))


def write(folder, items, classes, **options):
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    written = [writer.frame(item) for item in items]
    for file in [f for w in written for f in w.files] + list(
        writer.finish(lambda: (w.entry for w in written))
    ):
        content = file.content
        put(folder, str(file.path), content if isinstance(content, bytes) else b"".join(content))
    return writer


def put(folder, name, content):
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())


def opened(folder, classes=None):
    return KIND.open(open_files(folder), {}, classes)


def labelled(labels, name="a", **more):
    return Labelled(name, np.array(labels, np.uint8), **more)


def test_files_and_lists_are_as_datasets_wants_them(some_frames, there_and_back):
    frames = [
        *some_frames(1, CAMVID, split="train", clip="a"),
        *some_frames(1, CAMVID, split="val", clip="b"),
        *some_frames(1, CAMVID, split="test", clip="c"),
    ]
    trip = there_and_back("hugging_face", frames, CAMVID, list="jsonl")
    assert trip.proof.different == 0
    assert sorted(str(p.relative_to(trip.folder)) for p in trip.folder.rglob("*.*")) == [
        "id2label.json",
        "test/images/c_000000.png",
        "test/labels/c_000000.png",
        "test/metadata.jsonl",
        "train/images/a_000000.png",
        "train/labels/a_000000.png",
        "train/metadata.jsonl",
        "validation/images/b_000000.png",
        "validation/labels/b_000000.png",
        "validation/metadata.jsonl",
    ]
    assert json.loads((trip.folder / "validation/metadata.jsonl").read_text()) == {
        "file_name": "images/b_000000.png",
        "label_file_name": "labels/b_000000.png",
        "clip": "b",
    }
    named = json.loads((trip.folder / "id2label.json").read_text())
    assert named == {str(c.id): c.name for c in CAMVID.classes}
    found = {ref.name: (ref.split, ref.clip) for ref in trip.reader.frames}
    assert found == {
        "a_000000": ("train", "a"), "b_000000": ("val", "b"), "c_000000": ("test", "c"),
    }  # fmt: skip
    assert all(ref.picture is not None for ref in trip.reader.frames)


def test_the_list_is_parquet_where_pyarrow_is(tmp_path):
    pytest.importorskip("pyarrow")
    write(tmp_path, [labelled([[0]], "a", clip="c"), labelled([[1]], "b", clip="c")], CAMVID)
    rows = list(texts_in((tmp_path / "train/metadata.parquet").read_bytes(), "x"))
    assert rows == [
        {"label_file_name": "labels/a.png", "clip": "c"},
        {"label_file_name": "labels/b.png", "clip": "c"},
    ]
    assert [ref.name for ref in opened(tmp_path).frames] == ["a", "b"]


def test_without_pyarrow_the_list_is_jsonl(tmp_path, monkeypatch):
    monkeypatch.setattr("segstudio.formats.files.parquet.find_spec", lambda name: None)
    write(tmp_path, [labelled([[0]])], CAMVID)
    assert (tmp_path / "train/metadata.jsonl").is_file()


def test_parquet_without_pyarrow_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FormatError, match="pyarrow"):
        KIND.writer(CAMVID, complete(KIND.writes_with, {"list": "parquet"}))


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12)),
    st.sampled_from(["dense", "own"]),
)
def test_all_ids_come_back(tmp_path_factory, labels, ids):
    folder = tmp_path_factory.mktemp("hf")
    every = ClassMap("all", tuple(ClassDef(i, f"class {i}", (i, 0, 9)) for i in range(VOID)))
    writer = write(folder, [labelled(labels)], every, ids=ids, list="jsonl")
    reader = opened(folder)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])


def test_ids_are_dense_and_colours_come_back(tmp_path):
    writer = write(tmp_path, [labelled([[3, 254, 255, 7]])], GAPS, list="jsonl")
    assert writer.ids[[3, 254]].tolist() == [0, 1]
    reader = opened(tmp_path)
    assert reader.read(reader.frames[0]).labels.tolist() == [[0, 1, 255, 255]]
    assert [(c.id, c.name, c.color) for c in reader.classes.classes] == [
        (0, "road", (1, 2, 3)),
        (1, "car", (200, 100, 50)),
    ]
    with Image.open(tmp_path / "train/labels/a.png") as image:
        assert image.mode == "P"


def test_lists_of_others_are_read(tmp_path):
    put(tmp_path, "data/masks/x y.png", rasters.encode_grey(np.uint8([[0, 1]])))
    put(tmp_path, "data/masks/z.png", rasters.encode_grey(np.uint8([[1, 1]])))
    put(tmp_path, "data/metadata.csv", "file_name,mask_file_name\na.jpg,masks/x y.png\nb.jpg,\n")
    put(tmp_path, "id2label.json", json.dumps({"0": "road", "1": "car"}))
    reader = opened(tmp_path)
    assert [ref.name for ref in reader.frames] == ["x y"]
    assert reader.notes == ("1 pictures of the lists have no label file.",)


def test_without_names_the_project_says_what_ids_mean(tmp_path):
    put(tmp_path, "l.png", rasters.encode_grey(np.uint8([[3]])))
    put(tmp_path, "metadata.jsonl", '{"label_file_name": "l.png"}')
    with pytest.raises(FormatError, match=r"id2label\.json"):
        opened(tmp_path)
    reader = opened(tmp_path, CAMVID)
    assert reader.read(reader.frames[0]).labels.tolist() == [[3]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1"),
        ("[1]", "line 1"),
        ("[" * 100_000, "line 1"),
        ('{"label_file_name": 3}', "row 1"),
        ('{"label_file_name": ["a.png"]}', "row 1"),
        ('{"label_file_name": "a.jpg"}', "row 1"),
        ('{"label_file_name": "gone.png"}', "row 1"),
        ('{"label_file_name": "../../../etc/x.png"}', "row 1"),
        ('{"file_name": "a.png"}', "metadata"),
    ],
)
def test_damaged_lists_are_one_sentence(tmp_path, line, said):
    put(tmp_path, "metadata.jsonl", line)
    with pytest.raises(FormatError, match=said):
        opened(tmp_path, CAMVID)


@pytest.mark.parametrize("content", ["[]", "3", '{"a": "road"}', '{"300": "road"}', "{}"])
def test_damaged_names_are_one_sentence(tmp_path, content):
    put(tmp_path, "l.png", rasters.encode_grey(np.uint8([[3]])))
    put(tmp_path, "metadata.jsonl", '{"label_file_name": "l.png"}')
    put(tmp_path, "id2label.json", content)
    with pytest.raises(FormatError, match=r"id2label\.json"):
        opened(tmp_path)


def test_ids_without_a_name_are_an_error(tmp_path):
    write(tmp_path, [labelled([[0]])], CAMVID, list="jsonl")
    put(tmp_path, "train/labels/a.png", rasters.encode_grey(np.uint8([[11]])))
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match=r"labels/a\.png.*11"):
        reader.read(reader.frames[0])


def test_mutated_parquet_files_are_one_sentence():
    pytest.importorskip("pyarrow")
    whole = encode_texts(["a", "b"], [{"a": f"text {i}", "b": None} for i in range(50)])
    rng = np.random.default_rng(5)
    for _ in range(150):
        damaged = np.frombuffer(whole, np.uint8).copy()
        places = rng.integers(0, damaged.size, 4)
        damaged[places] = rng.integers(0, 256, 4)
        content = damaged.tobytes()[: rng.integers(0, damaged.size * 2)]
        try:
            list(texts_in(content, "x.parquet"))
        except FormatError as error:
            assert str(error).startswith("x.parquet")  # noqa: PT017  it may as well not fail
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.slow
def test_its_own_library_finds_the_same_pixels(tmp_path, some_frames, there_and_back):
    datasets = pytest.importorskip("datasets")
    frames = some_frames(3, CAMVID, split="train") + some_frames(2, CAMVID, split="val", clip="b")
    trip = there_and_back("hugging_face", frames, CAMVID)
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(trip.folder), cache_dir=str(tmp_path / "cache")
    )
    rows = [row for split in ("train", "validation") for row in loaded[split]]
    assert len(rows) == 5
    for row, frame in zip(rows, frames, strict=True):
        assert np.array_equal(np.asarray(row["label"]), frame.labels)
        assert np.array_equal(
            np.asarray(row["image"]), rasters.decode(frame.picture.content(), "x").values
        )
