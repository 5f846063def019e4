"""Pictures find their label files by name."""

import pytest

from segstudio.errors import MediaError
from segstudio.store.pairs import find_pairs, find_unpaired, instances_beside


def touch(folder, *names):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return folder


def test_equal_stems_belong_together(tmp_path):
    images = touch(tmp_path / "i", "a.jpg", "b.png", "c.png", "notes.txt")
    labels = touch(tmp_path / "l", "a.png", "b.png", "d.png")
    assert [(p.name, p.labels.name) for p in find_pairs(images, labels)] == [
        ("a", "a.png"),
        ("b", "b.png"),
    ]


def test_camvid_and_cityscapes_endings_are_recognised(tmp_path):
    images = touch(
        tmp_path / "i", "0001TP_008550.png", "aachen/aachen_000000_000019_leftImg8bit.png"
    )
    labels = touch(
        tmp_path / "l",
        "0001TP_008550_L.png",
        "aachen/aachen_000000_000019_gtFine_color.png",
        "aachen/aachen_000000_000019_gtFine_instanceIds.png",
        "aachen/aachen_000000_000019_gtFine_labelIds.png",
        "aachen/aachen_000000_000019_gtFine_polygons.json",
    )
    found = {p.name: (p.labels.name, p.ending) for p in find_pairs(images, labels)}
    assert found == {
        "0001TP_008550": ("0001TP_008550_L.png", "_L"),
        "aachen_000000_000019": (
            "aachen_000000_000019_gtFine_labelIds.png",
            "_gtFine_labelIds",
        ),
    }


def test_train_ids_are_preferred(tmp_path):
    images = touch(tmp_path / "i", "x_leftImg8bit.png")
    labels = touch(tmp_path / "l", "x_gtFine_labelIds.png", "x_gtFine_labelTrainIds.png")
    assert find_pairs(images, labels)[0].ending == "_gtFine_labelTrainIds"


def test_jpeg_is_never_a_label_file(tmp_path):
    images = touch(tmp_path / "i", "a.png")
    labels = touch(tmp_path / "l", "a.jpg")
    with pytest.raises(MediaError, match="same name"):
        find_pairs(images, labels)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(MediaError, match="no folder"):
        find_pairs(tmp_path / "none", tmp_path)


def test_equal_stems_in_several_folders_belong_to_the_folder_of_the_same_name(tmp_path):
    images = touch(tmp_path / "i", "one/000.png", "two/000.png", "two/001.png", "three/000.png")
    labels = touch(tmp_path / "l", "one/000.png", "two/000.png", "001.png")
    found = {
        p.name: (p.picture.parent.name, p.labels.parent.name) for p in find_pairs(images, labels)
    }
    assert found == {"one/000": ("one", "one"), "two/000": ("two", "two"), "001": ("two", "l")}
    alone, unused = find_unpaired(images, labels)
    assert [file.parent.name for file in alone] == ["three"]
    assert unused == []


def test_what_belongs_to_nothing_is_told(tmp_path):
    images = touch(tmp_path / "i", "a.png", "b.png")
    labels = touch(tmp_path / "l", "b.png", "c_L.png")
    alone, unused = find_unpaired(images, labels)
    assert [file.name for file in alone] == ["a.png"]
    assert [file.name for file in unused] == ["c_L.png"]


def test_instances_lie_beside_their_labels(tmp_path):
    images = touch(tmp_path / "i", "a.png", "b.png", "c.png", "d.png")
    labels = touch(
        tmp_path / "l",
        *("a_gtFine_labelIds.png", "a_gtFine_instanceIds.png"),
        *("b_gtFine_labelTrainIds.png", "b_gtFine_labelIds.png", "b_gtFine_instanceIds.png"),
        "c_gtFine_labelIds.png",
        *("d.png", "d_instanceIds.png"),
    )
    found = {p.name: instances_beside(p) for p in find_pairs(images, labels)}
    assert {name: file and file.name for name, file in found.items()} == {
        "a": "a_gtFine_instanceIds.png",
        "b": "b_gtFine_instanceIds.png",
        "c": None,
        "d": None,
    }
