"""Superpixels on pictures whose edges are known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.brush import rectangle, round_segment
from segstudio.core.geometry import Rect
from segstudio.core.superpixels import superpixels
from segstudio.errors import Cancelled

SHAPE = (150, 210)


def street(shape=SHAPE):
    """Regions with curved and slanted borders (uint8 labels), and their picture with noise."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = (y > 90 + 0.3 * (x - 100)).astype(np.uint8)
    labels[(y - 60) ** 2 + (x - 70) ** 2 <= 33**2] = 2
    labels[20:110, 150:158] = 3
    colors = np.array([(90, 130, 190), (90, 90, 90), (170, 60, 60), (200, 190, 90)], np.float64)
    noise = np.random.default_rng(0).normal(0, 8, (*shape, 3))
    return np.clip(colors[labels] + noise, 0, 255).astype(np.uint8), labels


def edges(ids):
    """True on both sides of every border."""
    found = np.zeros(ids.shape, np.bool_)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= down
    found[:-1] |= down
    return found


def assert_every_pixel_is_in_one_joined_segment(segments, shape):
    assert segments.ids.shape == shape
    assert segments.ids.dtype == np.int32
    np.testing.assert_array_equal(np.unique(segments.ids), np.arange(segments.count))
    for number in range(segments.count):
        mask = segments.ids == number
        count, _ = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
        assert count == 2
        y, x = np.nonzero(mask)
        box = (y.min(), x.min(), y.max() + 1, x.max() + 1)
        assert tuple(segments.boxes[number]) == box


def test_every_pixel_is_in_one_joined_segment():
    assert_every_pixel_is_in_one_joined_segment(superpixels(street()[0], size=12), SHAPE)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(4, 30), st.integers(0, 9))
def test_frames_of_any_size_and_pure_noise(height, width, size, seed):
    rgb = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    segments = superpixels(rgb, size=size)
    assert_every_pixel_is_in_one_joined_segment(segments, (height, width))


def test_strong_edges_are_followed():
    rgb, labels = street()
    segments = superpixels(rgb, size=16)
    wanted = edges(labels)
    reach = np.ones((5, 5), np.uint8)
    near = cv2.dilate(edges(segments.ids).astype(np.uint8), reach).astype(np.bool_)
    assert near[wanted].mean() > 0.97
    # A regular grid of as many pieces would have far less of them.
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    grid = cv2.dilate(edges(y // 16 * 100 + x // 16).astype(np.uint8), reach).astype(np.bool_)
    assert grid[wanted].mean() < 0.7


def test_a_segment_lies_in_one_region():
    rgb, labels = street()
    segments = superpixels(rgb, size=12)
    counts = np.zeros((segments.count, 4), np.int64)
    np.add.at(counts, (segments.ids.reshape(-1), labels.reshape(-1)), 1)
    assert counts.max(1).sum() / labels.size > 0.985


@pytest.mark.parametrize("size", [8, 24, 40])
def test_segments_are_about_as_large_as_asked(size):
    rgb = cv2.GaussianBlur(street()[0], (0, 0), 3)
    segments = superpixels(rgb, size=size)
    areas = np.bincount(segments.ids.reshape(-1))
    assert 0.5 * size**2 < np.median(areas) < 1.5 * size**2
    assert areas.min() >= round(0.25 * size**2)


def test_one_single_colour_gives_squares():
    segments = superpixels(np.full((48, 72, 3), 90, np.uint8), size=24)
    np.testing.assert_array_equal(
        segments.ids, np.arange(6).reshape(2, 3).repeat(24, 0).repeat(24, 1)
    )


def test_more_compactness_gives_shorter_borders():
    rgb = np.random.default_rng(1).integers(60, 200, (*SHAPE, 3), np.uint8)
    loose = edges(superpixels(rgb, size=16, compactness=4).ids).sum()
    tight = edges(superpixels(rgb, size=16, compactness=40).ids).sum()
    assert tight < loose


def test_the_same_frame_has_the_same_segments():
    rgb, _ = street()
    kept = rgb.copy()
    np.testing.assert_array_equal(superpixels(rgb).ids, superpixels(rgb).ids)
    np.testing.assert_array_equal(rgb, kept)


def test_a_point_has_its_segment():
    segments = superpixels(street()[0], size=16)
    area = segments.segment_at((60, 70))
    np.testing.assert_array_equal(
        np.argwhere(area.mask) + np.array((area.rect.y0, area.rect.x0)),
        np.argwhere(segments.ids == segments.ids[60, 70]),
    )
    assert segments.segment_at((-1, 0)).rect.is_empty
    assert segments.segment_at((0, SHAPE[1])).rect.is_empty


def test_a_stroke_touches_whole_segments():
    segments = superpixels(street()[0], size=16)
    stroke = round_segment((40, -3), (60, 70), 5, SHAPE)
    touched = np.unique(segments.ids[stroke.rect.slices][stroke.mask])
    areas = segments.areas_touching(stroke)
    assert len(areas) == len(touched)
    whole = np.zeros(SHAPE, np.bool_)
    for area in areas:
        whole[area.rect.slices] |= area.mask
    np.testing.assert_array_equal(whole, np.isin(segments.ids, touched))
    union = np.zeros(SHAPE, np.bool_)
    together = segments.area_touching(stroke)
    union[together.rect.slices] = together.mask
    np.testing.assert_array_equal(union, whole)


def test_an_empty_stroke_touches_nothing():
    segments = superpixels(street()[0], size=16)
    nothing = rectangle((-9, -9), (-5, -5), SHAPE)
    assert segments.areas_touching(nothing) == []
    assert segments.area_touching(nothing).rect == Rect(0, 0, 0, 0)


@pytest.mark.parametrize("calls", [0, 3, 9])
def test_it_can_be_cancelled(calls):
    asked = []

    def is_cancelled():
        asked.append(1)
        return len(asked) > calls

    with pytest.raises(Cancelled):
        superpixels(street()[0], size=16, is_cancelled=is_cancelled)
    assert len(asked) == calls + 1
