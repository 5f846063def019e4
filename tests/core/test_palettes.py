"""Colours that stay apart, measured as four kinds of eyes see them."""

import itertools

import numpy as np
import pytest

from segstudio.core import palettes
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.compose import Colors
from segstudio.core.mask_style import MaskStyle
from segstudio.store.class_sets import class_set_names, load_class_set

LEAST = {8: 16.0, 11: 16.0, 19: 16.0, 34: 12.0, 66: 8.0, 150: 5.0, 182: 4.8}
"""Number of classes → the least distance in CIELAB, for every sight; measured, rounded down."""


def least(classes):
    colors = np.array([c.color for c in classes.classes], np.uint8)
    return min(palettes.least_difference(colors).values())


@pytest.mark.parametrize("count", LEAST)
def test_so_many_colors_stay_apart_for_everybody(count):
    colors = np.array(palettes.safe_colors(count), np.uint8)
    apart = palettes.least_difference(colors)
    assert set(apart) == {"normal", "protanopia", "deuteranopia", "tritanopia"}
    assert all(gap >= LEAST[count] for gap in apart.values())


@pytest.mark.parametrize("name", class_set_names())
def test_a_shipped_set_is_never_harder_to_tell_apart_than_before(name):
    before = load_class_set(name)
    after = palettes.colour_blind_safe(before)
    assert [(c.id, c.name, c.key) for c in after.classes] == [
        (c.id, c.name, c.key) for c in before.classes
    ]
    assert least(after) >= least(before)
    assert least(after) >= 4.8


def test_camvid_becomes_easier_to_tell_apart():
    assert least(CAMVID) < 7
    assert least(palettes.colour_blind_safe(CAMVID)) >= 16


def test_the_colors_are_the_same_every_time_and_fewer_are_the_beginning_of_more():
    again = palettes.safe_colors.__wrapped__(30)
    assert again == palettes.safe_colors(30)
    assert again[:19] == palettes.safe_colors(19)
    assert set(palettes.safe_colors(8)) == set(palettes.OKABE_ITO)


def test_a_set_that_is_apart_already_keeps_its_colors():
    two = ClassMap("two", (ClassDef(3, "night", (0, 0, 0)), ClassDef(9, "day", (255, 255, 255))))
    one = ClassMap("one", (ClassDef(3, "night", (0, 0, 0)),))
    assert palettes.colour_blind_safe(two) is two
    assert palettes.colour_blind_safe(one) is one


def test_a_new_class_gets_a_color_unlike_the_others():
    assert palettes.farthest_from([]) == palettes.OKABE_ITO[0]
    taken = [c.color for c in CAMVID.classes]
    new = palettes.farthest_from(taken)
    apart = [palettes.least_difference(np.array([new, c], np.uint8)).values() for c in taken]
    assert min(min(gaps) for gaps in apart) >= 16


def test_colors_are_measured_as_the_standard_says():
    white, red, gray = palettes.seen(
        np.array([[255, 255, 255], [255, 0, 0], [119, 119, 119]], np.uint8)
    )[0]
    np.testing.assert_allclose(white, [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(red, [53.24, 80.09, 67.20], atol=0.02)
    np.testing.assert_allclose(gray, [50.03, 0, 0], atol=0.02)


def test_without_the_middle_cones_red_and_green_come_close():
    red_and_green = np.array([[190, 90, 20], [110, 120, 20]], np.uint8)
    apart = palettes.least_difference(red_and_green)
    assert apart["deuteranopia"] < apart["normal"] / 3
    assert apart["tritanopia"] > apart["normal"] / 2


def test_hatched_classes_with_near_ids_differ_in_their_stripes_not_only_in_colour():
    colors = Colors(MaskStyle.of(load_class_set("cityscapes19"), "hatched"))
    drawn = [colors.mask(np.full((24, 24), i, np.uint8), (0, 0)) != 0 for i in range(len(CAMVID))]
    for a, b in itertools.combinations(range(len(drawn)), 2):
        alike = np.mean(drawn[a] == drawn[b])
        assert (alike == 1.0) == ((a - b) % 8 == 0)
        assert alike == 1.0 or alike < 0.85
