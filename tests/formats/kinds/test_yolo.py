"""YOLO segmentation: text files, data.yaml in its many forms, and what polygons lose."""

import json
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.yolo_files import class_names
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.yolo import Yolo
from segstudio.formats.labelled import Labelled
from segstudio.formats.options import complete

KIND = Yolo()


def written(folder, frames, classes, **options):
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    made = [writer.frame(item) for item in frames]
    entries = [json.loads(json.dumps(one.entry)) for one in made]
    files = [file for one in made for file in one.files]
    for file in [*files, *writer.finish(lambda: iter(entries))]:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            file.content if isinstance(file.content, bytes) else b"".join(file.content)
        )
    return FolderSource(folder)


def read_first(source, **options):
    reader = KIND.open(source, options)
    return reader.read(reader.frames[0])


@pytest.fixture
def folder_of(tmp_path):
    """make(lines, yaml) → the source of one label file of a 10×20 px picture, and data.yaml."""

    def make(lines, yaml="names:\n  0: road\n  1: sky\n"):
        for name in ("labels/train", "images/train"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "labels/train/a.txt").write_bytes(
            lines if isinstance(lines, bytes) else lines.encode()
        )
        (tmp_path / "data.yaml").write_text(yaml)
        Image.new("RGB", (20, 10)).save(tmp_path / "images/train/a.png")
        return FolderSource(tmp_path)

    return make


def test_a_line_is_a_class_and_corners_from_0_to_1(tmp_path):
    labels = np.full((10, 20), VOID, np.uint8)
    labels[2:4, 5:10] = 7
    classes = ClassMap("two", (ClassDef(3, "sky", (1, 2, 3)), ClassDef(7, 'a "car"', (4, 5, 6))))
    written(tmp_path, [Labelled("a", labels, split="val")], classes, tolerance=0)
    words = (tmp_path / "labels/val/a.txt").read_text().split()
    assert words[0] == "1"
    corners = [tuple(map(float, words[i : i + 2])) for i in range(1, len(words), 2)]
    assert sorted(corners) == [(0.25, 0.2), (0.25, 0.4), (0.5, 0.2), (0.5, 0.4)]
    assert (tmp_path / "data.yaml").read_text() == (
        'path: .\ntrain: images/val\nval: images/val\nnames:\n  0: "sky"\n  1: "a \\"car\\""\n'
    )
    assert (tmp_path / "sizes.txt").read_text() == "val/a 10 20\n"


def test_pictures_say_their_size_and_splits_are_listed(there_and_back, some_classes, some_frames):
    classes = some_classes()
    frames = some_frames(2, classes, split="train") + some_frames(1, classes, split="val", clip="b")
    trip = there_and_back("yolo", frames, classes, tolerance=0.0)
    files = sorted(
        p.relative_to(trip.folder).as_posix() for p in trip.folder.rglob("*") if p.is_file()
    )
    assert files == [
        "data.yaml",
        "images/train/drive_000000.png",
        "images/train/drive_000001.png",
        "images/val/b_000000.png",
        "labels/train/drive_000000.txt",
        "labels/train/drive_000001.txt",
        "labels/val/b_000000.txt",
    ]
    assert "train: images/train\nval: images/val\n" in (trip.folder / "data.yaml").read_text()
    assert [(ref.split, str(ref.picture)) for ref in trip.reader.frames] == [
        ("train", files[1]),
        ("train", files[2]),
        ("val", files[3]),
    ]
    assert trip.proof.is_exact


@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=14),
        elements=st.sampled_from([0, 1, 2, VOID]),
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_without_a_tolerance_every_pixel_comes_back(tmp_path_factory, some_classes, labels):
    source = written(
        tmp_path_factory.mktemp("yolo"), [Labelled("a", labels)], some_classes(3), tolerance=0
    )
    assert read_first(source).labels.tolist() == labels.tolist()


def test_holes_of_holes_are_joined_by_cuts(tmp_path, some_classes):
    labels = np.zeros((41, 57), np.uint8)
    for step, value in enumerate((1, VOID, 1, VOID, 2)):
        labels[3 + 3 * step : 38 - 3 * step, 5 + 3 * step : 50 - 3 * step] = value
    source = written(tmp_path, [Labelled("a", labels)], some_classes(3), tolerance=0)
    assert len((tmp_path / "labels/train/a.txt").read_text().splitlines()) == 4
    assert (read_first(source).labels == labels).all()


def test_many_holes_are_joined_too(tmp_path, some_classes):
    labels = np.zeros((60, 60), np.uint8)
    labels[1:-1:2, 1:-1:2] = VOID
    assert (labels == VOID).sum() > 800
    source = written(tmp_path, [Labelled("a", labels)], some_classes(1), tolerance=0)
    assert (read_first(source).labels == labels).all()


def test_an_instance_is_one_line_also_in_two_parts(tmp_path, some_classes):
    labels = np.array([[1, 0, 1, 0, 1, 1]], np.uint8).repeat(3, 0)
    instances = np.array([[1, 0, 1, 0, 2, 2]], np.int32).repeat(3, 0)
    source = written(
        tmp_path, [Labelled("a", labels, instances=instances)], some_classes(2), tolerance=0
    )
    back = read_first(source)
    assert back.labels.tolist() == labels.tolist()
    assert back.instances[0, [0, 2, 4, 5]].tolist() == [1, 1, 2, 2]


def test_a_tolerance_loses_little_and_says_so(tmp_path, some_classes):
    yy, xx = np.mgrid[:200, :300]
    labels = np.where(
        (yy - 90) ** 2 + (xx - 120) ** 2 < 4000, 1, np.where(yy > 120 + xx / 9, 2, 0)
    ).astype(np.uint8)
    source = written(tmp_path, [Labelled("a", labels)], some_classes(3))
    assert 0 < (read_first(source).labels != labels).mean() < 0.01
    assert KIND.writer(some_classes(3), {"tolerance": 1.0}).cannot == (
        "Borders are moved by up to about 1 px.",
    )
    assert KIND.writer(some_classes(3), {"tolerance": 0.0}).cannot == ()


def test_smaller_regions_lie_above_larger_ones(folder_of):
    small = "1 0 0 0.5 0 0.5 1 0 1\n"
    large = "0 0 0 1 0 1 1 0 1\n"
    for lines in (small + large, large + small):
        labels = read_first(folder_of(lines)).labels
        assert (labels[:, :10] == 1).all()
        assert (labels[:, 10:] == 0).all()


@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        (
            "names:\n  0: road\n  1: 'my ''sky'''\n  2: \"a: b # c\" # comment\nnc: 3",
            ["road", "my 'sky'", "a: b # c"],
        ),
        ("names:\n- road\n- sky\n\nval: x", ["road", "sky"]),
        ("nc: 2\nnames: ['road', \"sky, blue\", x]  # three\n", ["road", "sky, blue", "x"]),
        ("names: {0: road,\n  1: 'sky'}\n", ["road", "sky"]),
        ("names: [road,\n  sky]\ntrain: x", ["road", "sky"]),
        ("  other: 1\nnames:   # all\n\n    0: it's\n", ["it's"]),
    ],
)
def test_names_are_read_in_every_form(folder_of, yaml, names):
    assert list(class_names(folder_of("", yaml), PurePosixPath("data.yaml")).values()) == names


@pytest.mark.parametrize(
    "yaml",
    ["names: 3", "names:\nval: x", "names: [road", "names:\n  0: ''", "names:\n  9999999: x"],
)
def test_names_of_no_form_are_one_sentence(folder_of, yaml):
    with pytest.raises(FormatError, match=r"data.yaml in .*'names'"):
        KIND.open(folder_of("", yaml), {})


def test_numbers_that_names_leave_out_have_a_class_too(folder_of):
    reader = KIND.open(folder_of("3 0 0 1 0 1 1", "names:\n  3: car\n  1: sky\n"), {})
    assert [c.name for c in reader.classes.classes] == ["class 0", "sky", "class 2", "car"]
    with pytest.raises(FormatError, match="numbers up to 300"):
        KIND.open(folder_of("", "names:\n  300: x\n"), {})


def test_without_names_the_class_set_says_what_numbers_mean(folder_of, some_classes):
    source = folder_of("1 0 0 1 0 1 1", "nc: 2")
    with pytest.raises(FormatError, match="choose a class set"):
        KIND.open(source, {})
    assert [c.name for c in KIND.open(source, {}, some_classes(3)).classes.classes] == [
        "class 0",
        "class 1",
        "class 2",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.1 0.1 0.5 0.5", "line 2 is a box"),
        ("2 0 0 1 0 1 1", "begins with '2', which is none of the 2 classes"),
        ("-1 0 0 1 0 1 1", "begins with '-1'"),
        ("0.5 0 0 1 0 1 1", "begins with '0.5'"),
        ("1e300 0 0 1 0 1 1", "begins with '1e300'"),
        ("0 0 0 1 0 1", "has 5 numbers instead of"),
        ("0 0 0 1 0 1 1 0", "has 7 numbers"),
        ("0", "has 0 numbers"),
        ("0 0 0 20 0 20 10", "point outside the picture"),
        ("0 0 0 1 0 1 nan", "no line of numbers"),
        ("0 0 0 1 0 1 inf", "no line of numbers"),
        ("road 0 0 1 0 1 1", "no line of numbers"),
    ],
)
def test_damaged_lines_are_one_sentence_with_file_and_line(folder_of, line, reason):
    with pytest.raises(FormatError) as told:
        read_first(folder_of(f"0 0 0 1 0 1 1\n{line}\n"))
    assert reason in str(told.value)
    assert "labels/train/a.txt in" in str(told.value)
    assert "line 2" in str(told.value)


def test_bytes_that_are_no_text_are_one_sentence(folder_of):
    with pytest.raises(FormatError, match="line 1 is no line of numbers"):
        read_first(folder_of(b"\xff\xfe\x00 1 2"))


def test_the_size_is_the_upright_picture_s_or_the_list_s(folder_of, tmp_path):
    source = folder_of("0 0 0 1 0 1 1 0 1")
    assert read_first(source).labels.shape == (10, 20)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "images/train/a.jpg", exif=exif)
    (tmp_path / "images/train/a.png").unlink()
    assert read_first(FolderSource(tmp_path)).labels.shape == (20, 10)
    (tmp_path / "images/train/a.jpg").write_bytes(b"no picture")
    with pytest.raises(FormatError, match=r"a.jpg in .* is no picture"):
        read_first(FolderSource(tmp_path))
    (tmp_path / "images/train/a.jpg").unlink()
    with pytest.raises(FormatError, match="has no picture beside it"):
        read_first(FolderSource(tmp_path))
    (tmp_path / "sizes.txt").write_text("nonsense\ntrain/a 3 4\n")
    assert read_first(FolderSource(tmp_path)).labels.shape == (3, 4)
    (tmp_path / "sizes.txt").write_text("train/a 300000 400000\n")
    with pytest.raises(FormatError, match="400000×300000"):
        read_first(FolderSource(tmp_path))


def test_other_text_files_are_no_yolo(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/readme.txt").write_text("These are labels.")
    assert KIND.sniff(FolderSource(tmp_path)) is None


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("outlines", "low", "high"), [("through", 0.012, 0.021), ("between", 0.04, 0.055)]
)
def test_camvid_polygons_lose_what_contours_lose(data_dir, outlines, low, high):
    """Made by OpenCV from masks, so they run through the outermost pixels."""
    exports = data_dir / "importers/camvid_exports"
    source = open_files(exports / "yolov8_segmentation_polygons")
    assert KIND.sniff(source).sure >= 0.9
    reader = KIND.open(source, {"outlines": outlines})
    assert len(reader.frames) == 2
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        wrong = (reader.read(ref).labels != truth) & (truth < 11)
        assert low < wrong.sum() / (truth < 11).sum() < high


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    reader = KIND.open(
        open_files(data_dir / "importers/datumaro_assets/yolo_dataset/yolov8_segmentation"), {}
    )
    (ref,) = reader.frames
    labels = reader.read(ref).labels
    assert labels.shape == (10, 15)
    assert set(np.unique(labels)) == {2, 4, VOID}
    assert len(reader.classes) == 10


def test_any_yaml_reader_finds_the_names(tmp_path, some_classes):
    yaml = pytest.importorskip("yaml")
    names = ["yes", "12", "a: b", "# c", 'say "hi"', "it's", "- x", "日本 é", "{a}", "\\n"]
    classes = ClassMap("odd", tuple(ClassDef(i, n, (i, i, i)) for i, n in enumerate(names)))
    source = written(tmp_path, [Labelled("a", np.zeros((3, 3), np.uint8))], classes)
    assert yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8"))["names"] == dict(
        enumerate(names)
    )
    assert [c.name for c in KIND.open(source, {}).classes.classes] == names
