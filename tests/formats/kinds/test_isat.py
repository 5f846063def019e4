"""ISAT's files: layers, groups, edges, and damaged ones."""

import json

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import open_files
from segstudio.formats.registry import FORMATS

KIND = FORMATS.get("isat")


def one(category="car", points=((1, 1), (4, 1), (4, 3), (1, 3)), **more):
    return {
        "category": category, "group": 1, "segmentation": [list(p) for p in points], "area": 6.0,
        "layer": 1.0, "bbox": [1, 1, 4, 3], "iscrowd": False, "note": "", **more,
    }  # fmt: skip


def content(*objects, **more):
    info = {
        "description": "ISAT", "folder": "somewhere", "name": "a.jpg", "width": 8, "height": 6,
        "depth": 3, "note": "", **more,
    }  # fmt: skip
    return {"info": info, "objects": list(objects)}


def read(folder, *objects, **more):
    (folder / "a.json").write_text(json.dumps(content(*objects, **more)))
    reader = KIND.open(open_files(folder), {})
    return reader.read(reader.frames[0])


def test_edges_belong_to_a_polygon_and_fractions_are_cut_off(tmp_path):
    expected = [[y, x] for y in (1, 2, 3) for x in (1, 2, 3, 4)]
    assert np.argwhere(read(tmp_path, one()).labels == 0).tolist() == expected
    found = read(tmp_path, one(points=((1.9, 1.9), (4.9, 1.2), (4.1, 3.9), (1.5, 3.5))))
    assert np.argwhere(found.labels == 0).tolist() == expected


def test_slanted_edges_have_the_pixels_that_lie_on_them(tmp_path):
    found = read(tmp_path, one(points=((0, 0), (4, 2), (0, 4))))
    rows = [np.flatnonzero(row == 0).tolist() for row in found.labels]
    assert rows == [[0], [0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 2], [0], []]


def test_higher_layers_lie_above(tmp_path):
    whole = ((0, 0), (7, 0), (7, 5), (0, 5))
    found = read(tmp_path, one("car", layer=2.0), one("road", whole, layer=1.0))
    assert found.labels[2].tolist() == [1, 0, 0, 0, 0, 1, 1, 1]


def test_groups_of_a_category_are_single_objects(tmp_path):
    boxes = [((x, 0), (x + 1, 0), (x + 1, 5), (x, 5)) for x in (0, 3, 6)]
    found = read(
        tmp_path, *(one(points=b, group=g) for b, g in zip(boxes, (4, 4, ""), strict=True))
    )
    assert found.instances[0].tolist() == [1, 1, 0, 1, 1, 0, 2, 2]
    assert found.labels[0].tolist() == [0, 0, VOID, 0, 0, VOID, 0, 0]


def test_pictures_and_frames_have_their_names(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "other.json").write_text("{}")
    read(tmp_path, one())
    source = open_files(tmp_path)
    (frame,) = KIND.open(source, {}).frames
    assert (frame.name, str(frame.picture)) == ("a", "a.jpg")
    assert KIND.sniff(source).why == "a.json says that it is ISAT's."


def test_points_at_the_end_of_the_world_are_drawn_near(tmp_path):
    found = read(
        tmp_path, one(points=((-1e300, -1e300), (1e300, -1e300), (1e300, 1e300), (-1e300, 1e300)))
    )
    assert (found.labels == 0).all()


@pytest.mark.parametrize(
    ("objects", "more", "said"),
    [
        ([one(), one(category=None)], {}, "'objects' 1: 'category' is null"),
        ([one(), 5], {}, "'objects' 1 is '5'"),
        ([one(points=((1, 2, 3),) * 3)], {}, "'segmentation' is no list"),
        ([one(segmentation=3)], {}, "'segmentation' is '3'"),
        ([one(layer="top")], {}, "'layer' is 'top'"),
        ([one()], {"width": 0}, "'width' is '0'"),
        ([one()], {"width": 10**7, "height": 10**7}, "is not read"),
    ],
)
def test_damage_is_told_by_file_and_field(tmp_path, objects, more, said):
    with pytest.raises(FormatError) as error:
        read(tmp_path, *objects, **more)
    assert "a.json" in str(error.value)
    assert said in str(error.value)


def test_it_is_only_read(tmp_path):
    assert not KIND.can_write
    with pytest.raises(FormatError, match="only read"):
        KIND.writer(CAMVID, {})
    with pytest.raises(FormatError, match="no JSON file"):
        KIND.open(open_files(tmp_path), {})
    assert KIND.sniff(open_files(tmp_path)) is None
