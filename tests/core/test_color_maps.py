"""Colour maps, measured in CIE L*, and the colours of groups."""

import subprocess
import sys

import numpy as np
import pytest

from segstudio.core import palettes
from segstudio.core.color_maps import COLOR_MAPS, DIVERGING, SEGMENT_COLORS, table
from segstudio.core.map_style import MapStyle
from segstudio.errors import UnknownName


def lightness(name):
    return palettes.seen(table(name))[0, :, 0]


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_a_table_has_256_colors_that_nobody_can_change(name):
    colors = table(name)
    assert colors.shape == (256, 3)
    assert colors.dtype == np.uint8
    assert COLOR_MAPS[name]
    with pytest.raises(ValueError, match="read-only"):
        colors[0] = 0


@pytest.mark.parametrize("name", sorted(COLOR_MAPS.keys() - DIVERGING))
def test_more_is_lighter(name):
    steps = np.diff(lightness(name))
    assert steps.min() > -0.05  # rounding to bytes
    assert steps.max() < 1
    assert lightness(name)[-1] - lightness(name)[0] > 70


@pytest.mark.parametrize("name", sorted(DIVERGING))
def test_both_sides_of_a_signed_map_weigh_the_same(name):
    light = lightness(name)
    assert np.abs(light - light[::-1]).max() < 0.5
    assert light[127] == pytest.approx(light[128], abs=0.1)
    away = np.diff(light[128:]) * np.sign(light[-1] - light[128])
    assert away.min() > -0.1  # rounding to bytes
    red, blue = table(name)[-1].astype(int), table(name)[0].astype(int)
    assert red[0] > red[2]
    assert blue[2] > blue[0]


def test_the_colors_of_twelve_groups_stay_apart_for_everybody():
    assert SEGMENT_COLORS.shape == (12, 3)
    assert np.array_equal(SEGMENT_COLORS, palettes.safe_colors(12))
    assert min(palettes.least_difference(SEGMENT_COLORS).values()) >= 16


def test_an_unknown_map_is_named_with_those_there_are():
    with pytest.raises(UnknownName, match=r"no colour map 'jet'; choose one of viridis, inferno,"):
        table("jet")


def test_the_first_style_is_one_of_them():
    assert MapStyle().color_map in COLOR_MAPS


def test_tables_are_read_without_qt_and_without_plotting():
    code = (
        "import sys; from segstudio.core.color_maps import COLOR_MAPS, table;"
        "[table(n) for n in COLOR_MAPS];"
        "print({'pyqtgraph', 'PySide6', 'matplotlib', 'colorcet', 'torch'} & sys.modules.keys())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
