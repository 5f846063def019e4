"""A curve as a picture, column by column."""

import numpy as np
import pytest

from segstudio.ui.panels.filled_curve import FILL, filled, heights

NAN = np.nan


def curve(*values):
    return np.array(values, np.float32)


def test_of_frames_that_share_a_column_the_greatest_is_drawn():
    values = np.zeros(1000, np.float32)
    values[[123, 700]] = 0.5, 0.9
    values[124] = 0.2
    found = heights(values, 100, near=20)
    assert found[round(123 * 99 / 999)] == 0.5
    assert found[round(700 * 99 / 999)] == np.float32(0.9)
    assert (found > 0).sum() == 2


def test_columns_between_near_frames_lie_on_a_line():
    assert heights(curve(0, 1), 5, near=1).tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_frames_far_from_each_other_are_not_joined():
    found = heights(curve(NAN, 0.4, 0.4, NAN, NAN, NAN, 0.2, NAN), 8, near=2)
    np.testing.assert_array_equal(found, curve(NAN, 0.4, 0.4, NAN, NAN, NAN, 0.2, NAN))


@pytest.mark.parametrize("count", [0, 1, 300])
def test_nothing_known_is_nothing_drawn(count):
    found = heights(np.full(count, np.nan, np.float32), 20, near=3)
    assert np.isnan(found).all()
    assert not filled(found, 10, (1, 2, 3), 1.0)[..., 3].any()


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_level_line_has_its_fill_below_and_nothing_above(ratio):
    picture = filled(np.full(9, 0.5, np.float32), 40, (10, 20, 30), ratio)
    assert (picture.dtype, picture.shape) == (np.uint8, (40, 9, 4))
    alpha = picture[:, 4, 3]
    assert not alpha[:18].any()
    assert alpha[18:22].max() == 255 if ratio == 2 else alpha[18:22].max() > 120
    np.testing.assert_allclose(alpha[22:], 255 * FILL, atol=1)
    assert (picture[..., :3] == (10, 20, 30)).all()


def test_a_steep_line_has_no_holes():
    alpha = filled(curve(0, 0, 1, 1), 60, (0, 0, 0), 1.0)[..., 3]
    strong = alpha > 200
    assert (strong[:, 1] | strong[:, 2])[2:-2].all()


def test_a_frame_by_itself_is_a_line_down_to_the_ground():
    alpha = filled(curve(NAN, 0.5, NAN), 40, (0, 0, 0), 1.0)[..., 3]
    assert (alpha[22:, 1] == 255).all()
    assert not alpha[:, [0, 2]].any()
