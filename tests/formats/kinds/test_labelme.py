"""labelme: its keys, its own examples, polygons and masks, and damaged files."""

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageDraw

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import open_files
from segstudio.formats.labelled import Labelled, Picture
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("labelme")
SOME = ClassMap("x", (ClassDef(0, "road", (1, 2, 3)), ClassDef(7, "car", (4, 5, 6))))


def write(folder, items, classes, **options):
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    written = [writer.frame(item) for item in items]
    lists = writer.finish(lambda: (w.entry for w in written))
    for file in [f for w in written for f in w.files] + list(lists):
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.content)
    return writer


def opened(folder, **options):
    return KIND.open(open_files(folder), complete(KIND.reads_with, options))


def shape(label="car", points=((1, 1), (5, 1), (5, 4)), kind="polygon", **more):
    return {"label": label, "points": [list(p) for p in points], "shape_type": kind, **more}


def content(*shapes, size=(8, 10), **more):
    return {
        "version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.png",
        "imageData": None, "imageHeight": size[0], "imageWidth": size[1], **more,
    }  # fmt: skip


def read(folder, *shapes, name="a", **more):
    options = {k: more.pop(k) for k in ("unlabelled", "objects") if k in more}
    (folder / f"{name}.json").write_text(json.dumps(content(*shapes, **more)))
    reader = opened(folder, **options)
    found = reader.read(reader.frames[0])
    return found, {c.name: c.id for c in reader.classes.classes}


def png(mask):
    file = io.BytesIO()
    Image.fromarray(np.array(mask, np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def drawn(size=(8, 10)):
    image = Image.new("L", size[::-1])
    return image, ImageDraw.Draw(image)


def test_the_golden_mask_has_the_box_and_the_png_of_labelme(tmp_path):
    labels = np.array([[255, 7, 7, 255], [255, 7, 7, 255], [255, 255, 7, 255]], np.uint8)
    write(tmp_path, [Labelled("a", labels)], SOME, shapes="masks")
    found = json.loads((tmp_path / "a.json").read_text())
    assert list(found) == [
        "version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth",
    ]  # fmt: skip
    assert (found["imageHeight"], found["imageWidth"], found["imageData"]) == (3, 4, None)
    void, car = found["shapes"]
    assert void["label"] == "__ignore__"
    assert list(car) == [
        "label", "points", "group_id", "description", "shape_type", "flags", "mask",
    ]  # fmt: skip
    assert (car["label"], car["shape_type"], car["group_id"]) == ("car", "mask", None)
    assert car["points"] == [[1, 0], [2, 2]]
    with Image.open(io.BytesIO(base64.b64decode(car["mask"]))) as image:
        assert image.size == (2, 3)
        assert np.asarray(image).tolist() == [[1, 1], [1, 1], [0, 1]]


def test_files_lie_beside_their_pictures(tmp_path):
    picture = Picture(".jpg", lambda: b"")
    items = [Labelled("b", np.zeros((2, 3), np.uint8), picture, split="val")]
    writer = write(tmp_path, items, SOME)
    assert (tmp_path / "labels.txt").read_text() == "__ignore__\n_background_\nroad\ncar\n"
    assert json.loads((tmp_path / "val" / "b.json").read_text())["imagePath"] == "b.jpg"
    assert writer.frame(items[0]).picture.as_posix() == "val/b.jpg"
    (ref,) = opened(tmp_path).frames
    assert (ref.name, ref.split) == ("b", "val")


def test_polygons_have_three_points_and_lie_inside_their_pixels(tmp_path):
    labels = np.array([[0, 7, 0, 0], [0, 0, 0, 0]], np.uint8)
    write(tmp_path, [Labelled("a", labels)], SOME)
    road, car = json.loads((tmp_path / "a.json").read_text())["shapes"]
    assert car["points"] == [[1.5, 0.5]] * 3
    assert {v % 1 for p in road["points"] for v in p} == {0.5}


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, max_side=14),
        elements=st.sampled_from([0, 1, 2, 9, 255]),
    ),
    st.sampled_from(["polygons", "masks"]),
)
def test_hard_masks_come_back(tmp_path_factory, labels, shapes):
    folder = tmp_path_factory.mktemp("labelme")
    writer = write(folder, [Labelled("a", labels)], CAMVID, shapes=shapes)
    reader = opened(folder)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])
    assert writer.is_exact
    assert writer.cannot == ()


@pytest.mark.parametrize("count", [254, 255])
def test_as_many_classes_as_there_are_come_back(tmp_path, count):
    rows = tuple(ClassDef(i, f"class {i}", (i, 0, 0)) for i in range(count))
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    writer = write(tmp_path, [Labelled("a", labels)], ClassMap("many", rows))
    reader = opened(tmp_path)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])
    assert writer.ids[count - 1] == reader.classes.classes[-1].id
    assert len(reader.classes) == 255


def test_a_tolerance_loses_a_little_and_says_so(tmp_path):
    y, x = np.indices((60, 80))
    labels = np.where((y - 30) ** 2 + (x - 35) ** 2 < 400, 7, 0).astype(np.uint8)
    writer = write(tmp_path, [Labelled("a", labels)], SOME, tolerance=1.5)
    assert not writer.is_exact
    assert writer.cannot == ("Borders are moved by up to about 1.5 px.",)
    reader = opened(tmp_path)
    lost = np.count_nonzero(reader.read(reader.frames[0]).labels != writer.ids[labels])
    assert 0 < lost < 0.03 * labels.size
    points = json.loads((tmp_path / "a.json").read_text())["shapes"][1]["points"]
    assert len(points) < 30


def test_names_that_labelme_keeps_for_itself(tmp_path):
    rows = (ClassDef(1, "__ignore__", (1, 1, 1)), ClassDef(2, "car", (2, 2, 2)),
            ClassDef(3, "_background_", (3, 3, 3)), ClassDef(4, "car", (4, 4, 4)),
            ClassDef(5, "two\nlines", (5, 5, 5)))  # fmt: skip
    labels = np.array([[1, 2, 3, 4, 5, 99, 255]], np.uint8)
    writer = write(tmp_path, [Labelled("a", labels)], ClassMap("x", rows))
    assert (tmp_path / "labels.txt").read_text().split("\n")[:-1] == [
        "__ignore__", "_background_", "car", "car 2", "two lines",
    ]  # fmt: skip
    assert "__ignore__ becomes void" in writer.cannot[0]
    reader = opened(tmp_path)
    found = reader.read(reader.frames[0]).labels
    assert found.tolist() == writer.ids[labels].tolist() == [[255, 1, 0, 2, 3, 255, 255]]


def test_small_shapes_lie_above_large_ones(tmp_path):
    """So what fills a hole covers what has it, and every shape can be clicked on."""
    labels = np.zeros((9, 12), np.uint8)
    labels[0, 0] = labels[4, 4] = 7
    labels[6:8, 6:10] = VOID
    write(tmp_path, [Labelled("a", labels)], SOME)
    shapes = json.loads((tmp_path / "a.json").read_text())["shapes"]
    assert [s["label"] for s in shapes] == ["road", "__ignore__", "car", "car"]


@pytest.mark.parametrize("shapes", ["polygons", "masks"])
def test_objects_are_groups(tmp_path, shapes):
    labels = np.array([[7, 7, 7, 0, 7, 7]] * 2, np.uint8)
    instances = np.array([[1, 1, 2, 0, 1, 0]] * 2, np.int32)
    write(tmp_path, [Labelled("a", labels, instances=instances)], SOME, shapes=shapes)
    found = json.loads((tmp_path / "a.json").read_text())["shapes"]
    assert {(s["label"], s["group_id"]) for s in found} == {
        ("road", None), ("car", 1), ("car", 2), ("car", None),
    }  # fmt: skip
    reader = opened(tmp_path)
    back = reader.read(reader.frames[0]).instances
    pairs = set(zip(back[0].tolist(), instances[0].tolist(), labels[0].tolist(), strict=True))
    assert len({p[0] for p in pairs if p[2] == 7}) == 3
    assert len(pairs) == 4


def test_each_shape_is_drawn_as_labelme_draws_it(tmp_path):
    cases = {
        "polygon": (((1, 1), (7.9, 2.2), (3, 6.5)), lambda p, xy: p.polygon(xy, 1, 1)),
        "rectangle": (((2.7, 1.2), (6.1, 5.9)), lambda p, xy: p.rectangle(xy, 1, 1)),
        "circle": (((4, 4), (6, 5)), lambda p, xy: p.ellipse([4 - 5**0.5, 4 - 5**0.5, 4 + 5**0.5, 4 + 5**0.5], 1, 1)),
        "line": (((1, 1), (30, 20)), lambda p, xy: p.line(xy, 1, 10)),
        "linestrip": (((1, 1), (30, 2), (15, 20)), lambda p, xy: p.line(xy, 1, 10)),
        "point": (((12, 9),), lambda p, xy: p.ellipse([7, 4, 17, 14], 1, 1)),
    }  # fmt: skip
    for kind, (points, draw) in cases.items():
        image, pen = drawn((24, 32))
        draw(pen, [tuple(p) for p in points])
        found, ids = read(tmp_path, shape("car", points, kind), size=(24, 32))
        assert np.array_equal(found.labels == ids["car"], np.asarray(image) > 0), kind
        assert set(np.unique(found.labels)) <= {ids["car"], VOID}


def test_rectangles_may_be_drawn_from_any_corner_and_have_four(tmp_path):
    expected, _ = read(tmp_path, shape("car", ((2, 1), (6, 5)), "rectangle"))
    for points in (((6, 5), (2, 1)), ((2, 5), (6, 1)), ((2, 1), (6, 1), (6, 5), (2, 5))):
        found, _ = read(tmp_path, shape("car", points, "rectangle"))
        assert np.array_equal(found.labels, expected.labels)


def test_files_of_x_anylabeling_are_the_same_with_more_in_them(tmp_path):
    more = {"score": 0.9, "difficult": False, "attributes": {}, "kie_linking": [], "direction": 0.5}
    corners = ((2, 1), (6, 1), (6, 5), (2, 5))
    turned = shape("car", ((4, 0), (8, 4), (4, 7), (0, 4)), "rotation", **more)
    found, ids = read(
        tmp_path, turned, shape("box", corners, "rectangle", **more), checked=True, version="2.4.4"
    )
    assert np.count_nonzero(found.labels == ids["box"]) == 5 * 5
    assert found.labels[4, [0, 8]].tolist() == [ids["car"]] * 2


def test_a_mask_lies_where_its_box_says(tmp_path):
    mask = shape("car", ((2.9, 1.2), (4.7, 2.3)), "mask", mask=png([[1, 0, 1], [0, 1, 0]]))
    found, ids = read(tmp_path, mask)
    assert np.argwhere(found.labels == ids["car"]).tolist() == [[1, 2], [1, 4], [2, 3]]


def test_later_shapes_lie_above_and_ignored_ones_are_void(tmp_path):
    found, ids = read(
        tmp_path,
        shape("road", ((0, 0), (9, 7)), "rectangle"),
        shape("car", ((2, 2), (6, 6)), "rectangle"),
        shape("__ignore__", ((4, 4), (9, 5)), "rectangle"),
    )
    assert ids == {"road": 0, "car": 1}
    assert found.labels[[0, 3, 4], [0, 3, 5]].tolist() == [0, 1, VOID]


def test_what_no_shape_covers_is_as_the_list_or_the_reader_says(tmp_path):
    box = shape("car", ((0, 0), (4, 7)), "rectangle")
    assert read(tmp_path, box)[0].labels[0].tolist() == [0] * 5 + [255] * 5
    found, ids = read(tmp_path, box, unlabelled="background")
    assert ids == {"_background_": 0, "car": 1}
    assert found.labels[0].tolist() == [1] * 5 + [0] * 5
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\nbus\r\ncar")
    found, ids = read(tmp_path, box)
    assert ids == {"_background_": 0, "bus": 1, "car": 2}
    assert found.labels[0].tolist() == [2] * 5 + [0] * 5
    assert read(tmp_path, box, unlabelled="void")[0].labels[0].tolist() == [2] * 5 + [255] * 5


def test_each_shape_is_an_object_and_a_group_is_one(tmp_path):
    boxes = [
        shape("car", ((0, 0), (1, 1)), "rectangle", group_id=3),
        shape("car", ((4, 0), (5, 1)), "rectangle"),
        shape("road", ((0, 4), (9, 7)), "rectangle", group_id=3),
        shape("car", ((8, 0), (9, 1)), "rectangle", group_id=3),
    ]
    found, _ = read(tmp_path, *boxes)
    assert found.instances[0].tolist() == [1, 1, 0, 0, 2, 2, 0, 0, 1, 1]
    assert found.instances[5].tolist() == [1] * 10
    assert read(tmp_path, *boxes, objects=False)[0].instances is None


@pytest.mark.parametrize(
    ("named", "where"),
    [
        ("..\\JPEG\\x.jpg", "JPEG/x.jpg"),
        ("D:\\photos\\x.jpg", "JPEG/x.jpg"),
        ("../../../etc/passwd", "json/a.png"),
        ("/etc/passwd", "json/a.png"),
        ("", "json/a.png"),
    ],
)
def test_the_picture_is_found_whatever_computer_wrote_its_path(tmp_path, named, where):
    for place in ("json/a.png", "JPEG/x.jpg"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        Image.new("RGB", (10, 8)).save(tmp_path / place)
    (tmp_path / "json" / "a.json").write_text(json.dumps(content(shape(), imagePath=named)))
    (ref,) = opened(tmp_path).frames
    assert ref.picture.as_posix() == where


def test_a_file_without_its_size_has_that_of_its_picture(tmp_path):
    Image.new("RGB", (12, 9)).save(tmp_path / "a.png")
    found, _ = read(tmp_path, shape(), imageHeight=None, imageWidth=None)
    assert found.size == (9, 12)


def test_frames_of_one_name_get_the_names_of_their_folders(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.json").write_text(json.dumps(content(shape())))
    assert [f.name for f in opened(tmp_path).frames] == ["one_a", "two_a"]


def test_other_json_is_left_out_and_said(tmp_path):
    (tmp_path / "annotations.json").write_text('{"images": []}')
    (tmp_path / "a.json").write_text(json.dumps(content(shape())))
    (tmp_path / "b.json").write_text('{"flags": {}, "shapes": [')
    reader = opened(tmp_path)
    assert [f.name for f in reader.frames] == ["a", "b"]
    assert reader.notes == ["Left out: 1 JSON files that have no shapes."]
    with pytest.raises(FormatError, match=r"b\.json .* no valid JSON"):
        reader.read(reader.frames[1])


def test_one_file_may_be_chosen(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.json").write_text(json.dumps(content(shape())))
    assert [f.name for f in opened(tmp_path / "b.json").frames] == ["b"]


def test_it_is_recognised_and_others_are_not(tmp_path):
    assert KIND.sniff(open_files(tmp_path)) is None
    (tmp_path / "coco.json").write_text('{"images": [], "annotations": []}')
    assert KIND.sniff(open_files(tmp_path)) is None
    (tmp_path / "a.json").write_text(json.dumps(content(shape())))
    guess = KIND.sniff(open_files(tmp_path))
    assert (guess.format, guess.why) == ("labelme", "a.json holds shapes, as labelme writes them.")


@pytest.mark.parametrize(
    ("shapes", "more", "said"),
    [
        ([shape(), shape(label=None)], {}, "'shapes' 1: 'label' is null"),
        ([shape(), shape(label=[1])], {}, "'label' is a list"),
        ([shape(), 7], {}, "'shapes' 1 is '7'"),
        ([shape(points=())], {"shapes": [{"label": "a", "points": 5}]}, "'points' is '5'"),
        ([shape(points=((1, 2, 3),) * 3)], {}, "'points' is no list"),
        ([shape(points=(("1", "2"),) * 3)], {}, "'points' is no list"),
        ([shape(points=((True, 2),) * 3)], {}, "'points' is no list"),
        ([shape(points=((float("nan"), 2),) * 3)], {}, "'points' is no list"),
        ([shape(points=((10**400, 2),) * 3)], {}, "'points' is no list"),
        ([shape(kind="spline")], {}, "'shape_type' is 'spline'"),
        ([shape(kind=3.5)], {}, "'shape_type' is '3.5'"),
        ([shape(kind="circle", points=((1, 2),))], {}, "'points' has 1 of the 2"),
        ([shape(kind="point", points=())], {}, "'points' has 0 of the 1"),
        ([shape(kind="mask", points=((1, 2),), mask="")], {}, "a mask needs two 'points'"),
        ([shape(kind="mask", points=((1, 2), (10, 3)), mask="")], {}, "lie outside"),
        ([shape(kind="mask", points=((3, 3), (1, 1)), mask="")], {}, "lie outside"),
        ([shape(kind="mask", points=((1, 1), (2, 2)), mask="?")], {}, "'mask' is no base64"),
        ([shape(kind="mask", points=((1, 1), (2, 2)), mask="ä")], {}, "'mask' is no base64"),
        ([shape(kind="mask", points=((1, 1), (2, 2)), mask="YWJj")], {}, "'mask' is no picture"),
        ([shape(kind="mask", points=((1, 1), (2, 2)))], {}, "'mask' is missing"),
        (
            [shape(kind="mask", points=((1, 1), (3, 2)), mask=png([[1, 1], [1, 1]]))],
            {},
            "'points' say",
        ),
        ([shape()], {"imageHeight": "high"}, "'imageHeight' is 'high'"),
        ([shape()], {"imageHeight": 0}, "'imageHeight' is '0'"),
        ([shape()], {"imageHeight": 10**9, "imageWidth": 10**9}, "is not read"),
        ([shape()], {"imageHeight": None}, "'imageHeight' is null"),
        ([shape()], {"imageHeight": None, "imageWidth": None}, "no 'imageHeight' and 'imageWidth'"),
    ],
)
def test_damage_is_told_by_file_and_field(tmp_path, shapes, more, said):
    with pytest.raises(FormatError) as error:
        read(tmp_path, *shapes, **more)
    assert "a.json" in str(error.value)
    assert said in str(error.value)


def test_a_picture_of_another_size_is_an_error(tmp_path):
    Image.new("RGB", (12, 9)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"say 10×8, and a\.png has 12×9"):
        read(tmp_path, shape())


def test_no_shapes_at_all_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="holds no JSON file with 'shapes'"):
        opened(tmp_path)


def test_points_at_the_end_of_the_world_take_no_time(tmp_path):
    points = ((-1e15, -1e15), (1e15, 3), (1e15, 1e15), (2, 1e15)) * 50
    for kind in ("polygon", "rectangle", "circle", "linestrip", "point"):
        found, _ = read(tmp_path, shape("car", points, kind))
        assert found.size == (8, 10)


@pytest.mark.realdata
@pytest.mark.parametrize("example", ["semantic_segmentation", "instance_segmentation"])
def test_labelmes_own_examples_become_its_own_masks(data_dir, example):
    folder = data_dir / "importers" / "labelme" / "examples" / example
    reader = opened(folder)
    truth = folder / "data_dataset_voc"
    names = (truth / "class_names.txt").read_text().split("\n")
    assert [c.name for c in reader.classes.classes] == names
    frames = [f for f in reader.frames if "data_annotated" in str(f.key)]
    assert len(frames) == 3
    for frame in frames:
        found = reader.read(frame)
        assert frame.picture.stem == frame.name
        labels = np.asarray(Image.open(truth / "SegmentationClass" / f"{frame.name}.png"))
        # Pillow 9.5 to 10.4 drew a pixel past the end of one line, those before and after do not.
        assert np.count_nonzero(found.labels != labels) <= (frame.name == "2011_000006")
        if example == "instance_segmentation":
            objects = np.asarray(Image.open(truth / "SegmentationObject" / f"{frame.name}.png"))
            inside = (labels == found.labels) & (labels > 0) & (labels < VOID)
            ours = found.instances[inside] + 1000 * found.labels[inside].astype(int)
            pairs = set(zip(ours.tolist(), objects[inside].tolist(), strict=True))
            assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)


@pytest.mark.realdata
def test_labelmes_primitives_and_video_are_read(data_dir):
    examples = data_dir / "importers" / "labelme" / "examples"
    reader = opened(examples / "primitives")
    found = reader.read(reader.frames[0])
    ids = {c.name: c.id for c in reader.classes.classes}
    assert {int(i) for i in np.unique(found.labels)} == {*ids.values(), VOID}
    assert np.count_nonzero(found.labels == ids["rectangle"]) == 101 * 101 + 152 * 103
    assert np.count_nonzero(found.labels[305:405, 417:517] == ids["octagon"]) > 5000
    folder = examples / "video_annotation"
    reader = opened(folder)
    assert len(reader.frames) == 5
    for frame in reader.frames:
        truth = Image.open(
            folder / "data_dataset_voc" / "SegmentationClassPNG" / f"{frame.name}.png"
        )
        assert np.array_equal(reader.read(frame).labels, np.asarray(truth))


@pytest.mark.realdata
def test_a_street_drawn_as_polygons_comes_back(data_dir, tmp_path):
    place = data_dir / "importers" / "camvid_exports" / "truth" / "0016E5_01860.png"
    labels = np.asarray(Image.open(place)).copy()
    labels[labels == 11] = VOID
    writer = write(tmp_path, [Labelled("a", labels)], CAMVID)
    reader = opened(tmp_path)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])
