"""The weight between two objects: against loops over every pixel, and hand values."""

import math
from dataclasses import replace

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.train.border_weights import border_weights, with_borders
from segstudio.train.presets import preset


def regions_of(labels, classes):
    """4-connected regions by flooding, each a list of (y, x)."""
    left = {(int(y), int(x)) for y, x in np.argwhere(np.isin(labels, classes))}
    found = []
    while left:
        region, edge = [], [left.pop()]
        while edge:
            y, x = edge.pop()
            region.append((y, x))
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if near in left and labels[near] == labels[y, x]:
                    left.remove(near)
                    edge.append(near)
        found.append(region)
    return found


def plain(labels, classes, most, sigma):
    found = regions_of(labels, classes)
    weight = np.zeros(labels.shape)
    for y, x in np.ndindex(*labels.shape):
        if labels[y, x] in classes or len(found) < 2:
            continue
        away = sorted(min(math.dist((y, x), pixel) for pixel in region) for region in found)
        weight[y, x] = most * math.exp(-((away[0] + away[1]) ** 2) / (2 * sigma**2))
    return weight


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sigma", [1.0, 5.0])
def test_it_is_the_paper_s_equation_pixel_by_pixel(seed, sigma):
    rng = np.random.default_rng(seed)
    labels = np.zeros((22, 31), np.int64)
    for class_id in (3, 3, 3, 5, 5, 9):
        y, x, h, w = rng.integers((0, 0, 1, 1), (18, 26, 5, 7))
        labels[y : y + h, x : x + w] = class_id
    ours = border_weights(labels, (3, 5), most=10, sigma=sigma)
    assert ours.dtype == np.float32
    # What lies beyond its reach is less than exp(-18).
    np.testing.assert_allclose(ours, plain(labels, (3, 5), 10, sigma), atol=2e-6, rtol=1e-5)
    assert ours.max() > 0


def test_a_gap_of_one_pixel_weighs_most():
    labels = np.ones((9, 9), np.uint8)
    labels[:, 4] = 0
    ours = border_weights(labels, (1,))
    assert ours[:, 4] == pytest.approx(10 * math.exp(-4 / 50))
    assert not ours[labels == 1].any()


def test_one_object_alone_gives_no_weight():
    labels = np.zeros((12, 12), np.uint8)
    labels[3:6, 3:6] = 1
    assert not border_weights(labels, (1,)).any()
    assert not border_weights(labels, (2,)).any()
    assert not border_weights(labels, ()).any()


def test_far_objects_give_no_weight_and_void_is_ground():
    labels = np.zeros((5, 100), np.uint8)
    labels[:, :3] = labels[:, -3:] = 1
    labels[:, 50] = 255
    assert not border_weights(labels, (1,)).any()


def test_objects_that_touch_at_a_corner_are_two():
    labels = np.zeros((6, 6), np.uint8)
    labels[1:3, 1:3] = labels[3:5, 3:5] = 1
    # At (2, 3) either is one pixel away.
    assert border_weights(labels, (1,))[2, 3] == pytest.approx(10 * math.exp(-4 / 50))


def test_without_a_choice_borders_are_those_between_things_that_come_one_by_one():
    recipe = preset("unet", "unet")
    chosen, note = with_borders(recipe, CAMVID)
    assert [CAMVID.name_of(i) for i in chosen.border_classes] == ["Car", "Pedestrian", "Bicyclist"]
    assert note == (
        "Pixels between regions of Car, Pedestrian, Bicyclist weigh more; --border-classes says"
        " otherwise."
    )
    cells = ClassMap("cells", (ClassDef(0, "Cell", (1, 2, 3)), ClassDef(4, "Ground", (9, 9, 9))))
    chosen, note = with_borders(recipe, cells)
    assert chosen.border_classes == (0, 4)
    assert "any class" in note


def test_a_choice_of_borders_stays_and_none_is_made_where_none_are_weighed():
    said = replace(preset("unet", "unet"), border_classes=(3,))
    assert with_borders(said, CAMVID) == (said, "")
    plain = preset("full", "unet")
    assert with_borders(plain, CAMVID) == (plain, "")
