"""One file that was chosen out of a folder is that file, and the folder is not read in its place."""

import json

import numpy as np
import pytest

from segstudio.core.classes import CAMVID
from segstudio.engine.exchange.planning import plan_import
from segstudio.errors import FormatError
from segstudio.formats.files.source import open_files
from segstudio.formats.recognise import recognise
from segstudio.store.masks import write_mask

BOX = {"label": "Car", "shape_type": "polygon", "points": [[0, 0], [8, 0], [8, 8]]}


@pytest.fixture
def folder(tmp_path):
    """Masks, and pictures with a labelme file each."""
    for i in range(4):
        write_mask(tmp_path / f"m{i}.png", np.full((16, 24), i, np.uint8), CAMVID.palette())
        shapes = {"shapes": [BOX], "flags": {}, "imagePath": f"p{i}.png"}
        shapes |= {"imageWidth": 24, "imageHeight": 16}
        (tmp_path / f"p{i}.json").write_text(json.dumps(shapes))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", "# Frames of a drive"),
        ("c.json", '{"a": 1}'),
        ("labels.xml", "<annotation/>"),
        ("labelmap.txt", "Car:1,2,3::"),
        ("metadata.csv", "a,b"),
    ],
)
def test_a_file_without_labels_is_not_the_folder_around_it(folder, name, content):
    (folder / name).write_text(content)
    source = open_files(folder / name)
    assert recognise(source) == []
    with pytest.raises(FormatError, match=f"^{name} holds no labels that are known; choose "):
        plan_import(folder / name)


def test_a_text_that_is_called_zip_is_no_zip(folder):
    (folder / "fake.zip").write_text("no archive")
    with pytest.raises(FormatError, match=r"^fake.zip is no zip file that can be read"):
        plan_import(folder / "fake.zip")


def test_one_list_is_its_frames_alone(folder):
    plan = plan_import(folder / "p2.json")
    assert [ref.name for ref in plan.reader.frames] == ["p2"]
    plan.close()


def test_pictures_that_it_names_are_found(folder):
    write_mask(folder / "p1.png", np.zeros((16, 24), np.uint8), CAMVID.palette())
    plan = plan_import(folder / "p1.json")
    assert str(plan.reader.frames[0].picture) == "p1.png"
    plan.close()


def test_a_data_yaml_stands_for_the_folders_that_it_names(tmp_path):
    (tmp_path / "data.yaml").write_text("train: images/train\nnames: [car]\n")
    labels = tmp_path / "labels" / "train"
    labels.mkdir(parents=True)
    (labels / "a.txt").write_text("0 0.1 0.1 0.9 0.1 0.9 0.9\n")
    (guess, *_) = recognise(open_files(tmp_path / "data.yaml"))
    assert guess.format == "yolo"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"images": [], "annotations": [', "it is cut off"),
        ('{"images": [], "annotations": "x', "it is cut off"),
        ('{"images": [], "annotations": !}', "line 1, column 31 cannot be read"),
    ],
)
def test_damaged_json_is_named_once_with_its_place(tmp_path, content, why):
    (tmp_path / "b.json").write_text(content)
    with pytest.raises(FormatError) as error:
        plan_import(tmp_path / "b.json")
    assert str(error.value) == f"b.json is no valid JSON ({why}); export it again."
    source = open_files(tmp_path)
    with pytest.raises(FormatError, match=f"^b.json in {tmp_path.name} is no valid"):
        source.json(source.files[0])
