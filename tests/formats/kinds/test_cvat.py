"""CVAT: the XML that is written, the shapes that are read, and XML that must not be."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.markup import parsed
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.cvat import Cvat
from segstudio.formats.labelled import Labelled

A = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]], np.uint8)
MASK = '<mask label="car" rle="0, 4, 1, 1" left="1" top="0" width="2" height="3" z_order="{z}"/>'


def written(folder, frames, classes):
    writer = Cvat().writer(classes, {})
    entries = [writer.frame(item).entry for item in frames]
    (file,) = writer.finish(lambda: iter(entries))
    (folder / str(file.path)).write_bytes(b"".join(file.content))
    return FolderSource(folder)


def read_first(source):
    reader = Cvat().open(source, {})
    return reader.read(reader.frames[0])


@pytest.fixture
def image_of(tmp_path):
    """make(shapes) → the source of a file with one image of 4×3 px, and two labels."""

    def make(shapes, image='id="0" name="a.jpg" width="4" height="3"', head=""):
        labels = "".join(f"<label><name>{n}</name></label>" for n in ("sky", "car"))
        (tmp_path / "annotations.xml").write_text(
            f"{head}<annotations><meta><task><labels>{labels}</labels></task></meta>"
            f"<image {image}>{shapes}</image></annotations>"
        )
        return FolderSource(tmp_path)

    return make


def test_the_document_is_cvat_s(tmp_path):
    classes = ClassMap(
        "two", (ClassDef(3, 'a "b" <c> & d', (1, 2, 255)), ClassDef(8, "car", (4, 5, 6)))
    )
    written(
        tmp_path, [Labelled("drive_0", np.where(A, 8, VOID).astype(np.uint8), split="val")], classes
    )
    root = ET.parse(tmp_path / "annotations.xml").getroot()
    assert (root.tag, root.findtext("version")) == ("annotations", "1.1")
    assert [
        (x.findtext("name"), x.findtext("color"))
        for x in root.iterfind("meta/project/labels/label")
    ] == [
        ('a "b" <c> & d', "#0102ff"),
        ("car", "#040506"),
    ]
    (task,) = root.iterfind("meta/project/tasks/task")
    assert (task.findtext("subset"), task.findtext("size")) == ("val", "1")
    (image,) = root.iterfind("image")
    assert image.attrib == {
        "id": "0",
        "name": "drive_0.png",
        "subset": "val",
        "width": "4",
        "height": "3",
    }
    (mask,) = image
    assert mask.attrib == {
        "label": "car",
        "source": "manual",
        "occluded": "0",
        "rle": "0, 4, 1, 1",
        "left": "1",
        "top": "0",
        "width": "2",
        "height": "3",
        "z_order": "0",
    }


def test_without_subsets_it_is_a_task(tmp_path, some_classes, some_frames):
    classes = some_classes()
    written(tmp_path, some_frames(3, classes), classes)
    root = ET.parse(tmp_path / "annotations.xml").getroot()
    assert (
        root.findtext("meta/task/size"),
        len(list(root.iterfind("meta/task/labels/label"))),
    ) == ("3", 5)
    assert "subset" not in root.find("image").attrib


def test_pictures_lie_in_images(there_and_back, some_classes, some_frames):
    classes = some_classes()
    frames = some_frames(1, classes, split="train") + some_frames(1, classes, clip="other")
    trip = there_and_back("cvat", frames, classes)
    assert trip.proof.is_exact
    assert {ref.name: (ref.split, str(ref.picture)) for ref in trip.reader.frames} == {
        "drive_000000": ("train", "images/train/drive_000000.png"),
        "other_000000": ("", "images/other_000000.png"),
    }


@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.sampled_from([0, 1, 2, VOID]),
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_labels_come_back(tmp_path_factory, some_classes, labels):
    source = written(tmp_path_factory.mktemp("cvat"), [Labelled("a", labels)], some_classes(3))
    assert read_first(source).labels.tolist() == labels.tolist()


def test_classes_of_one_name_stay_apart(tmp_path):
    names = ("car", "car", "", "a\nb", "a b", "\x00")
    classes = ClassMap("odd", tuple(ClassDef(i, n, (i, i, i)) for i, n in enumerate(names)))
    labels = np.array([[0, 1, 2, 3, 4, 5, VOID]], np.uint8)
    reader = Cvat().open(written(tmp_path, [Labelled("a", labels)], classes), {})
    assert reader.read(reader.frames[0]).labels.tolist() == labels.tolist()
    assert [c.name for c in reader.classes.classes] == [
        "car",
        "car 2",
        "class 2",
        "a b",
        "a b 2",
        "class 5",
    ]


def test_all_255_classes_and_instances_survive(tmp_path, some_classes):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    labels[0, :4] = 3
    instances = np.zeros((16, 16), np.int32)
    instances[0, :2], instances[0, 2:4] = 1, 2
    back = read_first(
        written(tmp_path, [Labelled("a", labels, instances=instances)], some_classes(255))
    )
    assert (back.labels == labels).all()
    assert back.instances[0, :4].tolist() == [1, 1, 2, 2]


def test_higher_z_order_lies_above_and_then_what_comes_later(image_of):
    square = '<polygon label="sky" points="1,0;3,0;3,3;1,3" z_order="{z}"/>'
    above = read_first(image_of(MASK.format(z=2) + square.format(z=1))).labels
    assert (above[A == 1] == 1).all()
    assert above[2, 1] == 0
    for shapes in (MASK.format(z=1) + square.format(z=1), square.format(z=1) + MASK.format(z=-1)):
        assert (read_first(image_of(shapes)).labels[:, 1:3] == 0).all()


@pytest.mark.parametrize(
    "shape",
    [
        '<polygon label="car" points="1,0;3,0;3,2;1,2"/>',
        '<box label="car" xtl="1" ytl="0" xbr="3" ybr="2"/>',
        '<box label="car" xtl="1" ytl="0" xbr="3" ybr="2" rotation="90"/>',
        '<ellipse label="car" cx="2" cy="1" rx="1" ry="1" rotation="0"/>',
        '<mask label="car" rle="0, 4" left="1" top="0" width="2" height="2.0"/>',
    ],
)
def test_areas_of_every_kind_are_filled(image_of, shape):
    labels = read_first(image_of(shape)).labels
    assert labels.tolist() == [[VOID, 1, 1, VOID], [VOID, 1, 1, VOID], [VOID] * 4]


def test_what_has_no_area_or_class_is_noted(image_of):
    source = image_of('<points label="car" points="1,1"/><polygon label="" points="0,0;1,0;1,1"/>')
    (note,) = Cvat().open(source, {}).notes
    assert "1 × points, 1 × polygon without a label" in note


def test_tracks_stay_until_they_say_otherwise(tmp_path):
    (tmp_path / "annotations.xml").write_text(
        "<annotations><meta><task><original_size><width>4</width><height>3</height></original_size></task></meta>"
        '<track id="0" label="car">'
        '<box frame="2" outside="0" xtl="0" ytl="0" xbr="1" ybr="1"/>'
        '<box frame="8" outside="1" xtl="0" ytl="0" xbr="1" ybr="1"/></track>'
        '<track id="1" label="sky"><box frame="5" outside="0" xtl="3" ytl="2" xbr="4" ybr="3"/></track>'
        "</annotations>"
    )
    reader = Cvat().open(FolderSource(tmp_path), {})
    found = {ref.name: reader.read(ref).labels for ref in reader.frames}
    assert list(found) == ["frame_000002", "frame_000005", "frame_000008"]
    assert [(labels[0, 0], labels[2, 3]) for labels in found.values()] == [
        (0, VOID),
        (0, 1),
        (VOID, 1),
    ]


@pytest.mark.parametrize(
    ("shapes", "field"),
    [
        (MASK.format(z=0).replace("4, 1, 1", "4, 1, 2"), "'rle' sums to 7"),
        (MASK.format(z=0).replace("4, 1, 1", "4, x"), "'rle' is no list"),
        (MASK.format(z=0).replace("0, 4, 1, 1", "7, -1"), "'rle' holds a run of -1"),
        (MASK.format(z=0).replace("0, 4, 1, 1", "9" * 5000), "'rle' is no list"),
        (MASK.format(z=0).replace("rle=", "lre="), "'rle' is missing"),
        (MASK.format(z=0).replace('left="1"', 'left="3"'), "reaches out of the picture of 4×3"),
        (MASK.format(z=0).replace('left="1"', 'left="-1"'), "'left' is '-1'"),
        (MASK.format(z=0).replace('top="0"', 'top="1e300"'), "'top' is '1e300'"),
        (MASK.format(z=0).replace('width="2"', 'width="99999999999"'), "'width' is"),
        (MASK.format(z="x"), "'z_order' is 'x'"),
        ('<polygon label="car" points="1,0;3,0;3"/>', "5 numbers instead of pairs"),
        ('<polygon label="car" points="1,0;a,0;3,3"/>', "'points' is no list"),
        ('<polygon label="car" points="1,0;inf,0;3,3"/>', "not finite"),
        ('<polygon label="car"/>', "'points' is missing"),
        ('<box label="car" xtl="1" ytl="0" xbr="nan" ybr="2"/>', "'xbr' is 'nan'"),
    ],
)
def test_damaged_shapes_are_one_sentence_with_file_and_field(image_of, shapes, field):
    with pytest.raises(FormatError) as told:
        read_first(image_of(shapes))
    assert field in str(told.value)
    assert "annotations.xml in" in str(told.value)


@pytest.mark.parametrize(
    ("image", "field"),
    [
        ('name="a" width="999999" height="999999"', "999999×999999"),
        ('name="a" width="0" height="3"', "0×3"),
        ('name="a" width="4"', "'height' is missing"),
        ('width="4" height="3"', "'name' is missing"),
        ('name="a" width="4.5" height="3"', "'width' is '4.5'"),
    ],
)
def test_damaged_images_are_one_sentence(image_of, image, field):
    with pytest.raises(FormatError) as told:
        read_first(image_of("", image))
    assert field in str(told.value)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY a "b">]>',
        '<!DOCTYPE annotations SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>',
        '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;">]>',
    ],
)
def test_document_types_are_refused(image_of, head):
    with pytest.raises(FormatError, match="document type"):
        Cvat().open(image_of(MASK.format(z=0), head=head), {})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"<a>&x;</a>",
        b"<a" * 100_000,
        b"<a>" * 1000,
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"\xff\xfe<",
    ],
)
def test_what_is_no_xml_is_one_sentence(content):
    with pytest.raises(FormatError, match=r"^here is n"):
        parsed(content, "here")


@pytest.mark.realdata
def test_camvid_masks_are_the_truth(data_dir):
    exports = data_dir / "importers/camvid_exports"
    reader = Cvat().open(open_files(exports / "cvat_images_1.1_masks"), {})
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        assert (reader.read(ref).labels == np.where(truth < 11, truth, VOID)).all()
        assert ref.picture.name == f"{ref.name}.png"
    assert len(reader.frames) == 2


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("outlines", "low", "high"), [("through", 0.013, 0.02), ("between", 0.04, 0.055)]
)
def test_camvid_polygons_lose_what_contours_lose(data_dir, outlines, low, high):
    """Made by OpenCV from masks, so they run through the outermost pixels."""
    exports = data_dir / "importers/camvid_exports"
    reader = Cvat().open(open_files(exports / "cvat_polygons"), {"outlines": outlines})
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        wrong = (reader.read(ref).labels != truth) & (truth < 11)
        assert low < wrong.sum() / (truth < 11).sum() < high


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    assets = data_dir / "importers/datumaro_assets/cvat_dataset"
    reader = Cvat().open(open_files(assets / "for_images"), {})
    assert [c.name for c in reader.classes.classes] == ["label1", "label2"]
    assert (reader.read(reader.frames[0]).labels == 0).sum() == 8
    reader = Cvat().open(open_files(assets / "for_video"), {})
    assert [ref.name for ref in reader.frames] == ["frame_000010", "frame_000013", "frame_000016"]
    assert [(reader.read(ref).labels == 2).sum() for ref in reader.frames] == [7, 0, 0]
    reader = Cvat().open(open_files(data_dir / "importers/camvid_exports/cvat_empty"), {})
    assert all((reader.read(ref).labels == VOID).all() for ref in reader.frames)
