"""Labels over a frame."""

import numpy as np

from segstudio.core.classes import CAMVID
from segstudio.core.overlay import Overlay


def test_half_of_each_and_the_bare_picture_under_void():
    rgb = np.full((2, 3, 3), 200, np.uint8)
    labels = np.array([[0, 3, 255], [8, 200, 255]], np.uint8)
    shown = Overlay(CAMVID, opacity=0.5).paint(rgb, labels)
    for (y, x), class_id in {(0, 0): 0, (0, 1): 3, (1, 0): 8}.items():
        color = np.array(CAMVID.by_id(class_id).color)
        np.testing.assert_allclose(shown[y, x], 100 + color / 2, atol=1)
    assert (shown[0, 2] == 200).all()
    assert (shown[1, 1] == 200).all()
    assert (rgb == 200).all()


def test_full_opacity_shows_the_colour_alone():
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (4, 11, 3), dtype=np.uint8)
    labels = np.tile(np.arange(11, dtype=np.uint8), (4, 1))
    shown = Overlay(CAMVID, opacity=1.0).paint(rgb, labels)
    np.testing.assert_array_equal(shown, CAMVID.palette()[labels])
