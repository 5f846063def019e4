"""iIoU in `segstudio eval` and `segstudio compare`, where the labels come with instances."""

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main
from segstudio.cli.reference import ReferenceSet
from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.instances import CITYSCAPES_SIZES
from segstudio.store.masks import write_mask

CAR = CITYSCAPES_SIZES["car"]


def write(tmp_path, name, labels, predicted, instances=None):
    """labels: label ids. predicted: train ids."""
    for folder, ending, rows in (
        ("ref", "gtFine_labelIds", labels),
        ("pred", "leftImg8bit", predicted),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        file = tmp_path / folder / f"{name}_{ending}.png"
        write_mask(file, np.array(rows, np.uint8), None)
    if instances is not None:
        file = tmp_path / "ref" / f"{name}_gtFine_instanceIds.png"
        Image.fromarray(np.array(instances, np.uint16)).save(file)


def write_near_and_far(tmp_path, name="x"):
    """A near car of 4 pixels, found; a far one of 1, missed; a crowd; road taken for a car."""
    write(
        tmp_path,
        name,
        [[26, 26, 26, 26, 26, 26, 7, 7]],
        [[13, 13, 13, 13, 0, 13, 13, 0]],
        [[26000, 26000, 26000, 26000, 26001, 26, 7, 7]],
    )


def measured(tmp_path, capsys, *more):
    words = ["eval", "--pred", str(tmp_path / "pred"), "--labels", str(tmp_path / "ref")]
    assert main([*words, "--classes", "cityscapes19", *more, "--json", "-"]) == 0
    said = capsys.readouterr()
    return json.loads(said.out)["models"]["pred"], said.err


def test_a_far_car_weighs_what_a_near_one_weighs(tmp_path, capsys):
    write_near_and_far(tmp_path)
    found, said = measured(tmp_path, capsys)
    assert found["iou"]["car"] == pytest.approx(5 / 7)
    assert found["iiou"]["car"] == pytest.approx(CAR / (2 * CAR + 1))
    assert found["iiou"]["bus"] is None
    assert "road" not in found["iiou"]
    assert found["miiou"] == found["iiou"]["car"]
    assert found["category_iiou"] == {"human": None, "vehicle": found["iiou"]["car"]}
    assert found["category_miiou"] == found["miiou"]
    assert found["instances"] == 1
    lines = said.splitlines()
    assert "iIoU" in lines[1]
    (car,) = (line for line in lines if line.startswith("  car "))
    assert car.split() == ["car", "71.4", "83.3", "83.3", "83.3", "50.0"]
    assert "  mean iIoU  50.0  (all frames have instances, void ignored)" in lines
    (vehicle,) = (line for line in lines if line.startswith("  vehicle "))
    assert vehicle.split() == ["vehicle", "71.4", "50.0"]


def test_how_many_frames_had_instances_is_said(tmp_path, capsys):
    write_near_and_far(tmp_path)
    # Were it counted, every pixel would be a wrong car.
    write(tmp_path, "y", np.full((50, 80), 7), np.full((50, 80), 13))
    found, said = measured(tmp_path, capsys)
    assert found["iiou"]["car"] == pytest.approx(CAR / (2 * CAR + 1))
    assert (found["instances"], found["frames"]) == (1, 2)
    assert "1 of 2 frames has instances" in said


def test_without_instances_nothing_is_said_of_them(tmp_path, capsys):
    write(tmp_path, "x", [[26, 7]], [[13, 0]])
    found, said = measured(tmp_path, capsys)
    assert not {"iiou", "miiou", "category_iiou", "category_miiou", "instances"} & set(found)
    assert "iIoU" not in said
    assert found["category_iou"]["vehicle"] == 1.0
    assert "  vehicle       100.0" in said.splitlines()


def test_an_id_left_out_belongs_to_no_instance(tmp_path, capsys):
    write_near_and_far(tmp_path)
    found, _ = measured(tmp_path, capsys, "--ignore", "0")
    assert found["iiou"]["car"] == pytest.approx(1 / 2)  # no road that is taken for a car
    found, _ = measured(tmp_path, capsys, "--ignore", "13")
    assert found["iiou"]["car"] == 0


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:50]), "damaged"),
        (
            lambda file: Image.fromarray(np.zeros((2, 8), np.uint16)).save(file),
            "It is 8×2, its labels 8×1.",
        ),
    ],
)
def test_a_file_of_instances_that_is_spoilt_costs_only_its_iiou(spoil, why, tmp_path, capsys):
    write_near_and_far(tmp_path)
    write_near_and_far(tmp_path, "y")
    spoil(tmp_path / "ref" / "y_gtFine_instanceIds.png")
    found, said = measured(tmp_path, capsys)
    assert (found["instances"], found["frames"]) == (1, 2)
    assert "1 file of instances cannot be used, the first is y_gtFine_instanceIds.png:" in said
    assert why in said


def test_classes_that_know_no_instances_have_none(tmp_path, capsys):
    write_near_and_far(tmp_path)
    file = tmp_path / "own.json"
    rows = [{"id": 0, "name": "road", "color": [1, 1, 1]}]
    rows.append({"id": 13, "name": "car", "color": [2, 2, 2]})
    file.write_text(json.dumps({"name": "own", "classes": rows}))
    found, _ = measured(tmp_path, capsys, "--classes", str(file))
    assert "iiou" not in found
    rows[1].update(instances=True, label_id=26, category="vehicle")
    rows[0].update(label_id=7, category="flat")
    file.write_text(json.dumps({"name": "own", "classes": rows}))
    found, _ = measured(tmp_path, capsys, "--classes", str(file))
    assert found["iiou"] == {"car": pytest.approx(CAR / (2 * CAR + 1))}


def test_the_classes_of_a_model_bring_label_ids_categories_and_sizes():
    named = ReferenceSet.named("cityscapes19")
    own = ReferenceSet.of_model(named.classes)
    assert (own.ids, own.sizes) == (named.ids, named.sizes)
    assert own.ids[26] == 13
    assert own.categories is not None
    turned = ClassMap("cityscapes19", (ClassDef(5, "car", (0, 0, 0)),))
    assert ReferenceSet.of_model(turned).ids == {26: 5}
    other = ReferenceSet.of_model(ClassMap("mine", (ClassDef(0, "car", (0, 0, 0)),)))
    assert (other.ids, other.sizes, other.categories) == ({}, {}, None)


def test_the_comparison_shows_it_everywhere(tmp_path, small_model):
    rng = np.random.default_rng(3)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for number in range(2):
        rgb = rng.integers(0, 256, (48, 80, 3), dtype=np.uint8)
        Image.fromarray(rgb).save(tmp_path / "images" / f"ulm_{number}_leftImg8bit.png")
        labels = np.full((48, 80), 7, np.uint8)
        labels[20:40, 10:50] = 26
        instances = labels.astype(np.uint16)
        instances[20:40, 10:30] = 26001
        stem = tmp_path / "labels" / f"ulm_{number}_gtFine_"
        write_mask(stem.with_name(f"{stem.name}labelIds.png"), labels, None)
        if not number:
            Image.fromarray(instances).save(stem.with_name(f"{stem.name}instanceIds.png"))
    models = ["-m", str(small_model), "-m", f"{small_model}@flip"]
    words = ["--device", "cpu", "--data", f"cityscapes:{tmp_path}", "-o", str(tmp_path / "out")]
    assert main(["compare", *models, *words, "-q"]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    for each in report["models"].values():
        assert each["instances"] == 1
        assert each["iiou"]["car"] is not None
    text = (tmp_path / "out" / "per_class.csv").read_text("utf-8")
    rows = {(row["model"], row["class"]): row for row in csv.DictReader(text.splitlines())}
    assert float(rows["small", "car"]["iiou"]) == report["models"]["small"]["iiou"]["car"]
    assert rows["small", "road"]["iiou"] == ""
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    page = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert "By category" in [e.text for e in page.iter() if e.tag.endswith("h2")]
    heads = [e.text for e in page.iter() if e.tag.endswith("th")]
    assert heads.count("iIoU") == 3
    assert "1 of 2 frames has instances" in text
