"""The XML of the LabelMe tool: its elements, masks and polygons, and damaged files."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import open_files
from segstudio.formats.labelled import Labelled, Picture
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("label_me_xml")
SOME = ClassMap("x", (ClassDef(0, "a road", (1, 2, 3)), ClassDef(7, "car & <co>", (4, 5, 6))))


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


def polygon(name, points, number=0, more="", of=""):
    corners = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in points)
    return (
        f"<object><name>{name}</name><deleted>0</deleted><id>{number}</id><parts><hasparts/>"
        f"<ispartof>{of}</ispartof></parts>{more}<polygon>{corners}</polygon></object>"
    )


def document(*objects, size="<imagesize><nrows>8</nrows><ncols>10</ncols></imagesize>"):
    return (
        f"<annotation><filename>a.png</filename><folder/>{size}"
        f"<source><sourceAnnotation>x</sourceAnnotation></source>{''.join(objects)}</annotation>"
    )


def box(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def read(folder, text, **options):
    (folder / "a.xml").write_text(text)
    reader = opened(folder, **options)
    return reader.read(reader.frames[0]), {c.name: c.id for c in reader.classes.classes}


def test_files_and_elements_are_label_mes(tmp_path):
    labels = np.array([[0, 7, 255], [0, 7, 7]], np.uint8)
    picture = Picture(".jpg", lambda: b"")
    writer = write(tmp_path, [Labelled("a b", labels, picture, split="val")], SOME)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")) == [
        "dataset_meta.json", "val/Masks/a b_mask_0.png", "val/Masks/a b_mask_1.png", "val/a b.xml",
    ]  # fmt: skip
    root = ElementTree.parse(tmp_path / "val" / "a b.xml").getroot()
    assert root.tag == "annotation"
    assert root.findtext("filename") == "a b.jpg"
    assert root.findtext("imagesize/nrows") == "2"
    assert root.findtext("imagesize/ncols") == "3"
    road, car = root.findall("object")
    assert [road.findtext("name"), car.findtext("name")] == ["a road", "car & <co>"]
    assert [car.findtext(n) for n in ("id", "deleted", "occluded")] == ["1", "0", "no"]
    assert car.findtext("segm/mask") == "a b_mask_1.png"
    sides = [car.findtext(f"segm/box/{n}") for n in ("xmin", "ymin", "xmax", "ymax")]
    assert sides == ["1", "0", "3", "2"]
    with Image.open(tmp_path / "val" / "Masks" / "a b_mask_1.png") as image:
        assert image.mode == "RGBA"
        assert np.asarray(image)[..., 3].tolist() == [[0, 255, 0], [0, 255, 255]]
        assert np.asarray(image)[0, 1].tolist() == [4, 5, 6, 255]
    assert writer.frame(Labelled("b", labels, picture)).picture.as_posix() == "b.jpg"


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.sampled_from([0, 1, 2, 9, 255]),
    ),
    st.sampled_from(["polygons", "masks"]),
)
def test_hard_masks_come_back(tmp_path_factory, labels, shapes):
    folder = tmp_path_factory.mktemp("label_me")
    writer = write(folder, [Labelled("a", labels)], CAMVID, shapes=shapes)
    reader = opened(folder)
    assert np.array_equal(reader.read(reader.frames[0]).labels, writer.ids[labels])
    assert writer.is_exact


@pytest.mark.parametrize("shapes", ["polygons", "masks"])
def test_255_classes_come_back(tmp_path, shapes):
    rows = tuple(ClassDef(i, f"class {i}", (i, 0, 0)) for i in range(255))
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    writer = write(tmp_path, [Labelled("a", labels)], ClassMap("many", rows), shapes=shapes)
    reader = opened(tmp_path)
    assert np.array_equal(reader.read(reader.frames[0]).labels, labels)
    assert np.array_equal(writer.ids, np.arange(256))
    assert [c.name for c in reader.classes.classes] == [c.name for c in rows]


@pytest.mark.parametrize("shapes", ["polygons", "masks"])
def test_single_objects_come_back(tmp_path, shapes):
    labels = np.array([[7, 7, 7, 0, 7, 7]] * 2, np.uint8)
    instances = np.array([[1, 1, 2, 0, 1, 0]] * 2, np.int32)
    write(tmp_path, [Labelled("a", labels, instances=instances)], SOME, shapes=shapes)
    reader = opened(tmp_path)
    back = reader.read(reader.frames[0]).instances
    pairs = set(zip(back[0].tolist(), instances[0].tolist(), labels[0].tolist(), strict=True))
    assert len(pairs) == 4
    assert len({p[0] for p in pairs if p[2] == 7}) == 3
    assert opened(tmp_path, objects=False).read(reader.frames[0]).instances is None


def test_a_tolerance_says_so():
    writer = KIND.writer(SOME, complete(KIND.writes_with, {"shapes": "polygons", "tolerance": 2}))
    assert not writer.is_exact
    assert writer.cannot == ("Borders are moved by up to about 2 px.",)


def test_smaller_polygons_lie_above_larger_ones_and_deleted_ones_nowhere(tmp_path):
    found, ids = read(
        tmp_path,
        document(
            polygon("car", box(2, 2, 4, 4)),
            polygon("road", box(0, 0, 10, 6)),
            polygon("sky", box(0, 0, 9, 9)).replace(">0</deleted>", ">1</deleted>"),
        ),
    )
    assert ids == {"car": 0, "road": 1}
    assert found.labels[2:7, 3].tolist() == [0, 0, 1, 1, VOID]


def test_outlines_run_between_pixels_or_through_them(tmp_path):
    text = document(polygon("car", box(2, 2, 4, 5)))
    assert np.count_nonzero(read(tmp_path, text)[0].labels == 0) == 6
    assert np.count_nonzero(read(tmp_path, text, outlines="through")[0].labels == 0) == 12


def test_parts_of_one_name_are_one_object(tmp_path):
    found, _ = read(
        tmp_path,
        document(
            polygon("car", box(0, 0, 2, 2), 5),
            polygon("car", box(4, 0, 6, 2), 6, of="5"),
            polygon("wheel", box(4, 4, 6, 6), 7, of="5"),
            polygon("car", box(8, 0, 10, 2), 8),
        ),
    )
    row = found.instances[0]
    assert row[0] == row[4] != row[8]
    assert row[2] == 0
    assert found.instances[4, 4] == 1


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L"])
def test_masks_are_what_is_not_transparent_or_black(tmp_path, mode):
    (tmp_path / "Masks").mkdir()
    pixels = np.zeros((8, 10, 4), np.uint8)
    pixels[2:4, 3:7] = (0, 203, 255, 153)
    Image.fromarray(pixels).convert(mode).save(tmp_path / "Masks" / "m.png")
    row = "<object><name>car</name><id>0</id><segm><mask>m.png</mask></segm></object>"
    found, _ = read(tmp_path, document(polygon("road", box(0, 0, 10, 8)), row))
    assert np.argwhere(found.labels == 1).tolist() == [[y, x] for y in (2, 3) for x in range(3, 7)]


def test_names_and_sizes_come_from_where_they_are(tmp_path):
    Image.new("RGB", (12, 9)).save(tmp_path / "a.png")
    (tmp_path / "dataset_meta.json").write_text('{"label_map": {"0": "bus", "1": "car"}}')
    found, ids = read(tmp_path, document(polygon("van", box(0, 0, 2, 2)), size=""))
    assert found.size == (9, 12)
    assert ids == {"bus": 0, "car": 1, "van": 2}


def test_other_xml_is_not_label_mes(tmp_path):
    (tmp_path / "voc.xml").write_text("<annotation><object><bndbox/></object></annotation>")
    assert KIND.sniff(open_files(tmp_path)) is None
    (tmp_path / "a.xml").write_text(document())
    assert KIND.sniff(open_files(tmp_path)).options == {"outlines": "between"}
    (tmp_path / "a.xml").write_text(document().replace(">x<", ">Datumaro<"))
    assert KIND.sniff(open_files(tmp_path)).options == {"outlines": "through"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (document(polygon("car", [(1, 2), ("one", 3), (3, 4)])), "object 0: 'x' of point 1"),
        (document(polygon("car", [(1, 2), (3, "nan"), (3, 4)])), "'y' of point 1"),
        (document(polygon("car", [(1, 2), (3, "1e999"), (3, 4)])), "'y' of point 1"),
        (document(polygon("car", box(0, 0, 1, 1)), polygon("", box(0, 0, 1, 1))), "object 1 has no 'name'"),
        (document("<object><name>a</name><segm/></object>"), "'segm' names no 'mask'"),
        (document("<object><name>a</name><segm><mask>../../etc/m.png</mask></segm></object>"), "is not there"),
        (document("<object><name>a</name><segm><mask>small.png</mask></segm></object>"), "has 3×2 pixels"),
        (document("<object><name>a</name><segm><mask>no.png</mask></segm></object>"), "no.png is no picture"),
        (document(polygon("car", box(0, 0, 1, 1)), size="<imagesize><nrows>x</nrows></imagesize>"), "'nrows' is 'x'"),
        (document(polygon("car", box(0, 0, 1, 1)), size="<imagesize><nrows>8</nrows></imagesize>"), "'ncols' is ''"),
        (document(polygon("car", box(0, 0, 1, 1)), size=""), "no 'imagesize'"),
        (document(polygon("car", box(0, 0, 1, 1))).replace(">8<", ">800000000<"), "is not read"),
    ],
)  # fmt: skip
def test_damage_is_told_by_file_and_field(tmp_path, text, said):
    (tmp_path / "Masks").mkdir()
    Image.new("L", (3, 2), 1).save(tmp_path / "Masks" / "small.png")
    (tmp_path / "Masks" / "no.png").write_bytes(b"no")
    with pytest.raises(FormatError) as error:
        read(tmp_path, text)
    assert said in str(error.value)
    assert "a.xml" in str(error.value) or ".png" in str(error.value)


def test_a_damaged_file_among_others_is_told_when_it_is_read(tmp_path):
    (tmp_path / "b.xml").write_text(document(polygon("car", box(0, 0, 1, 1))))
    (tmp_path / "a.xml").write_text(document()[:-5])
    reader = opened(tmp_path)
    with pytest.raises(FormatError, match=r"a\.xml .* no valid XML"):
        reader.read(reader.frames[0])
    assert reader.read(reader.frames[1]).size == (8, 10)


def test_entities_are_refused(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY b "bb">]>' + document(polygon("&b;", box(0, 0, 1, 1)))
    (tmp_path / "b.xml").write_text(document(polygon("car", box(0, 0, 1, 1))))
    with pytest.raises(FormatError, match="DOCTYPE"):
        read(tmp_path, bomb)


def test_a_folder_without_its_files_is_an_error(tmp_path):
    (tmp_path / "x.xml").write_text("<html/>")
    with pytest.raises(FormatError, match="holds no XML file of LabelMe"):
        opened(tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize(("folder", "most"), [("label_me", 0.0), ("label_me_polygons", 0.02)])
def test_datumaros_files_become_the_truth(data_dir, folder, most):
    """Polygons of Datumaro have no holes and leave small regions out."""
    exports = data_dir / "importers" / "camvid_exports"
    source = open_files(exports / folder)
    reader = KIND.open(source, complete(KIND.reads_with, KIND.sniff(source).options))
    names = [c.name for c in reader.classes.classes]
    assert names == [c.name for c in CAMVID.classes] + ["Void"][: len(names) - 11]
    assert [f.name for f in reader.frames] == ["0006R0_f03780", "0016E5_01860"]
    for frame in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{frame.name}.png"))
        found = reader.read(frame).labels
        assert frame.picture.stem == frame.name
        counted = truth < 11 if most else truth < VOID
        assert np.mean(found[counted] != truth[counted]) <= most


@pytest.mark.realdata
def test_the_tools_own_file_is_read(data_dir):
    reader = opened(data_dir / "importers" / "datumaro_assets" / "labelme_dataset")
    (frame,) = reader.frames
    found = reader.read(frame)
    ids = {c.name: c.id for c in reader.classes.classes}
    assert list(ids) == ["window", "license plate", "o1", "q1", "b1", "m1", "hg"]
    assert found.size == (77, 102)
    assert np.count_nonzero(found.labels == ids["window"]) == 2 * 3
    assert np.count_nonzero(found.labels == ids["m1"]) == 10 * 15 - 20
