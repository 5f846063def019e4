"""Confusions inside a category are right."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.categories import Categories, categories_in, category_scores
from segstudio.core.classes import CAMVID, ClassDef, ClassMap, load_class_map

RESOURCES = Path(__file__).parents[2] / "resources" / "classes"
ROADS = ClassMap(
    "roads", tuple(ClassDef(i, n, (i, 0, 0)) for i, n in enumerate(("road", "car", "bus", "mark")))
)
NAMED = {"road": "flat", "car": "vehicle", "bus": "vehicle", "mark": "void"}
FULL = np.array(
    # predicted: road, car, bus, mark, void
    [[50, 1, 2, 3, 4], [5, 20, 6, 0, 1], [0, 7, 30, 0, 0], [9, 9, 9, 9, 9], [8, 8, 8, 8, 8]],
    np.int64,
)


def test_a_bus_taken_for_a_car_is_a_vehicle():
    categories = Categories.of(ROADS, NAMED)
    scores = category_scores(FULL, categories)
    assert scores.names == ("flat", "vehicle", "void")
    flat, vehicle = 50 / (60 + 5), 63 / (63 + 6 + 3)
    assert scores.iou[:2] == pytest.approx([flat, vehicle])
    assert math.isnan(scores.iou[2])
    assert scores.miou == pytest.approx((flat + vehicle) / 2)


def test_a_class_that_no_figure_counts_is_a_miss_where_it_is_predicted():
    scores = category_scores(FULL, Categories.of(ROADS, NAMED, {"bus"}))
    assert scores.iou[1] == pytest.approx(20 / (20 + 12 + 1))


def test_a_class_set_without_categories_has_no_figures():
    assert Categories.of(CAMVID, NAMED) is None
    assert Categories.of(CAMVID, {}) is None


def test_cityscapes_has_its_seven_categories():
    file = RESOURCES / "cityscapes19.json"
    named, ignored = categories_in(json.loads(file.read_text())["classes"])
    categories = Categories.of(load_class_map(file), named, ignored)
    assert categories.names == (
        "flat",
        "construction",
        "object",
        "nature",
        "sky",
        "human",
        "vehicle",
    )
    assert categories.judged.all()
    assert categories.holds.sum(1).tolist() == [2, 3, 3, 2, 1, 2, 6]


def test_a_file_says_which_classes_no_figure_counts():
    named, ignored = categories_in(
        json.loads((RESOURCES / "cityscapes34.json").read_text())["classes"]
    )
    assert named["parking"] == "flat"
    assert "parking" in ignored
    assert len(ignored) == 34 - 19


def test_nothing_counted_is_not_a_number():
    scores = category_scores(np.zeros((5, 5), np.int64), Categories.of(ROADS, NAMED))
    assert np.isnan(scores.iou).all()
    assert math.isnan(scores.miou)
