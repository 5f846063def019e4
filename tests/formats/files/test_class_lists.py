"""Class lists of other programs, whole and damaged."""

from pathlib import PurePosixPath

import pytest

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.class_lists import find_class_list, with_own_colors
from segstudio.formats.files.source import FolderSource


def found(folder, name, text, near=None):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return find_class_list(FolderSource(folder), near)


def test_lines_are_numbers_and_void_lines_none(tmp_path):
    known = found(tmp_path, "label_colors.txt", "0 0 0 Void\n128 64 128\tRoad\n1 2 3 Car park\n")
    assert [(c.id, c.name, c.color) for c in known.classes.classes] == [
        (1, "Road", (128, 64, 128)),
        (2, "Car park", (1, 2, 3)),
    ]
    assert known.ids == {0: VOID, 1: 1, 2: 2}
    assert known.void == ((0, 0, 0),)


def test_classes_without_colours_get_some(tmp_path):
    known = found(tmp_path, "labels.txt", "__ignore__\n_background_\nroad\n")
    assert [c.name for c in known.classes.classes] == ["background", "road"]
    assert len({c.color for c in known.classes.classes}) == 2


def test_the_list_of_the_nearest_folder_counts(tmp_path):
    found(tmp_path, "classes.txt", "far\n")
    known = found(tmp_path, "a/classes.txt", "near\n", PurePosixPath("a/masks"))
    assert known.classes.classes[0].name == "near"
    other = find_class_list(FolderSource(tmp_path), PurePosixPath("b/masks"))
    assert other.classes.classes[0].name == "far"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("label_colors.txt", "1 2 road\n", "line 1"),
        ("label_colors.txt", "1 2 999 road\n", "colour 1"),
        ("label_colors.txt", "".join(f"1 2 3 c{i}\n" for i in range(300)), "outside 0 to 254"),
        ("labelmap.txt", "road\n", "line 1"),
        ("labelmap.txt", "road:1,2::\n", "line 1"),
        ("labelmap.txt", "road:1,2,x::\n", "colour 1"),
        ("dataset_meta.json", '{"label_map": [1]}', "'label_map'"),
        ("dataset_meta.json", '{"label_map": {"a": "b"}}', "'label_map'"),
        ("dataset_meta.json", '{"label_map": {"0": "b"}, "segmentation_colors": [7]}', "colour 1"),
        ("id2label.json", "[]", "'id2label'"),
        ("id2label.json", '{"-1": "x"}', "outside 0 to 254"),
        ("id2label.json", '{"1": "x", "01": "y"}', "one number"),
        ("id2label.json", "[" * 50_000, "no valid JSON"),
    ],
)
def test_damaged_lists_are_one_sentence(tmp_path, name, text, words):
    with pytest.raises(FormatError, match=words) as error:
        found(tmp_path, name, text)
    assert name in str(error.value)


def test_json_of_others_by_the_same_name_is_left_alone(tmp_path):
    assert found(tmp_path, "dataset_meta.json", '{"something": "else"}') is None
    assert found(tmp_path, "classes.json", '["road"]') is None


def test_colours_become_each_class_its_own():
    rows = [(0, "a", (0, 0, 0)), (1, "b", (9, 9, 9)), (2, "c", (9, 9, 9))]
    classes = ClassMap("x", tuple(ClassDef(*row) for row in rows))
    changed, said = with_own_colors(classes, [(0, 0, 0)])
    colors = [c.color for c in changed.classes]
    assert len({*colors, (0, 0, 0)}) == 4
    assert colors[1] == (9, 9, 9)
    assert [text.split()[0] for text in said] == ["a", "c"]


def test_254_black_classes_get_254_colours():
    classes = ClassMap("x", tuple(ClassDef(i, f"c{i}", (0, 0, 0)) for i in range(254)))
    changed, _ = with_own_colors(classes, [(0, 0, 0)])
    assert len({c.color for c in changed.classes}) == 254
