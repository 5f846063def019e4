"""Every instance weighs what an average one weighs."""

import math

import numpy as np
import pytest

from segstudio.core.categories import Categories
from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.instances import instance_records, instance_scores

STREET = ClassMap(
    "street",
    tuple(ClassDef(i, n, (i, 0, 0)) for i, n in enumerate(("road", "person", "car", "bus"))),
)
CATEGORIES = Categories.of(
    STREET, {"road": "flat", "person": "human", "car": "vehicle", "bus": "vehicle"}
)
SIZES = {"person": 2.0, "car": 8.0, "bus": 16.0}

# A large car (10 px, all found), a small one (2 px, taken for a bus), a bus (4 px, half of it
# found and half taken for a car), a crowd of cars without numbers (2 px, found), road.
REFERENCE = np.array([2] * 10 + [2] * 2 + [3] * 4 + [2] * 2 + [0] * 6, np.uint8)[None]
PREDICTED = np.array([2] * 10 + [3] * 2 + [3, 3, 2, 2] + [2] * 2 + [0] * 5 + [1], np.uint8)[None]
INSTANCES = np.array([2001] * 10 + [2002] * 2 + [3001] * 4 + [2] * 2 + [0] * 6, np.uint16)[None]


def scores(records, *pairs, categories=CATEGORIES, sizes=SIZES):
    matrix = ConfusionMatrix.of(STREET)
    for reference, predicted in pairs:
        matrix.add(reference, predicted)
    return instance_scores(records, matrix.full, STREET, categories, sizes=sizes)


def test_what_became_of_each_instance():
    records = instance_records(REFERENCE, PREDICTED, INSTANCES, STREET, CATEGORIES)
    assert records.tolist() == [[2, 10, 10, 10], [2, 2, 0, 2], [3, 4, 2, 4]]


def test_a_small_instance_weighs_as_much_as_a_large_one():
    found = scores(
        instance_records(REFERENCE, PREDICTED, INSTANCES, STREET, CATEGORIES),
        (REFERENCE, PREDICTED),
    )
    car = 8 / (8 + 8 + 2)  # one whole, one missed, two pixels of bus taken for car
    bus = 8 / (8 + 8 + 2)
    assert found.iou[2:] == pytest.approx([car, bus])
    assert math.isnan(found.iou[0])
    assert found.iou[1] == 0  # nobody there, a pixel of road taken for a person
    assert found.category_names == ("human", "vehicle")
    assert found.category_iou == pytest.approx([0, 1])
    assert found.miou == pytest.approx((car + bus + 0) / 3)
    assert found.category_miou == pytest.approx(0.5)


def test_frames_are_concatenated():
    records = instance_records(REFERENCE, PREDICTED, INSTANCES, STREET, CATEGORIES)
    once = scores(records, (REFERENCE, PREDICTED))
    twice = scores(
        np.concatenate([records, records]), (REFERENCE, PREDICTED), (REFERENCE, PREDICTED)
    )
    assert twice.iou == pytest.approx(once.iou, nan_ok=True)


def test_a_category_needs_instances_in_all_its_classes():
    records = instance_records(REFERENCE, PREDICTED, INSTANCES, STREET, CATEGORIES)
    found = scores(records, (REFERENCE, PREDICTED), sizes={"person": 2.0, "car": 8.0})
    assert found.category_names == ("human",)
    assert math.isnan(found.iou[3])


def test_without_categories_classes_are_judged_all_the_same():
    records = instance_records(REFERENCE, PREDICTED, INSTANCES, STREET)
    found = scores(records, (REFERENCE, PREDICTED), categories=None)
    assert found.iou[2:] == pytest.approx([8 / 18, 8 / 18])
    assert found.category_names == ()
    assert math.isnan(found.category_miou)


def test_what_no_figure_counts_is_no_false_positive():
    named = {"road": "flat", "person": "human", "car": "vehicle", "bus": "vehicle"}
    less = Categories.of(STREET, named, {"bus", "road"})
    records = instance_records(REFERENCE, PREDICTED, INSTANCES, STREET, less)
    found = scores(records, (REFERENCE, PREDICTED), categories=less)
    assert found.iou[2] == pytest.approx(8 / 16)  # bus taken for car is left out
    assert np.isnan(found.iou[[0, 1, 3]]).all()
    assert found.category_names == ("human", "vehicle")
    assert found.category_iou[1] == 1


def test_void_in_the_reference_belongs_to_no_instance():
    reference = REFERENCE.copy()
    reference[0, :4] = 255
    records = instance_records(reference, PREDICTED, INSTANCES, STREET, CATEGORIES)
    assert records[0].tolist() == [2, 6, 6, 6]


def test_a_frame_without_instances_and_a_set_without_any():
    records = instance_records(REFERENCE, PREDICTED, np.zeros_like(INSTANCES), STREET, CATEGORIES)
    assert records.shape == (0, 4)
    found = scores(records, (REFERENCE[:, -6:-1], PREDICTED[:, -6:-1]))
    assert np.isnan(found.iou).all()
    assert math.isnan(found.miou)


def test_ids_of_another_numbering_and_of_32_bits():
    ids = INSTANCES.astype(np.int32) * 100_000
    records = instance_records(REFERENCE, PREDICTED, ids, STREET, CATEGORIES, first=2_000_000)
    assert records.tolist() == [[2, 10, 10, 10], [2, 2, 0, 2], [3, 4, 2, 4]]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        instance_records(REFERENCE, PREDICTED, INSTANCES[:, 1:], STREET)
