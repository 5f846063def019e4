import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from segstudio.formats.outlining.filling import error_of, fill, fill_area, paint
from segstudio.formats.outlining.outlines import outlines

SQUARE = np.array([[1, 1], [4, 1], [4, 4], [1, 4]], float)
HOLE = np.array([[2, 2], [3, 2], [3, 3], [2, 3]], float)
points = st.integers(3, 9).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.floats(-9, 25, width=32))
)


def test_even_odd_takes_the_pixels_whose_centres_lie_inside():
    mask = fill((SQUARE, HOLE), 6, 5)
    assert mask.astype(int).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 0, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("rule", ["pil", "cv2"])
def test_the_rules_of_others_take_the_border_as_well(rule):
    assert np.argwhere(fill((SQUARE,), 9, 9, rule)).tolist() == [
        [y, x] for y in range(1, 5) for x in range(1, 5)
    ]


def test_pil_cuts_fractions_off_and_cv2_rounds():
    assert np.argwhere(fill((SQUARE + 0.9,), 9, 9, "pil"))[0].tolist() == [1, 1]
    assert np.argwhere(fill((SQUARE + 0.9,), 9, 9, "cv2"))[0].tolist() == [2, 2]


@given(points)
def test_pil_is_what_pillow_draws(ring):
    image = Image.new("L", (17, 13))
    ImageDraw.Draw(image).polygon([tuple(p) for p in ring.tolist()], outline=1, fill=1)
    assert np.array_equal(fill((ring,), 13, 17, "pil"), np.asarray(image) > 0)


@given(points)
def test_even_odd_counts_the_borders_left_of_each_centre(ring):
    expected = np.zeros((13, 17), bool)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        for y in range(13):
            if min(y0, y1) <= y + 0.5 < max(y0, y1):
                if y0 > y1:
                    x0, y0, x1, y1 = x1, y1, x0, y0
                at = x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                expected[y] ^= np.arange(17) + 0.5 >= at
    assert np.array_equal(fill((ring,), 13, 17), expected)


@given(points, st.integers(-5, 25), st.integers(-5, 25))
def test_two_parts_of_a_polygon_are_the_whole(ring, x, y):
    """An edge taken back and forth, as two neighbours do, neither adds nor loses a pixel."""
    cut = np.array([[x, y]], float)
    first = fill((np.concatenate([ring[:3], cut]),), 13, 17)
    second = fill((np.concatenate([ring[:1], ring[2:], ring[:1]])[:0],), 13, 17)
    other = fill((np.concatenate([ring[2:], ring[:1], cut]),), 13, 17)
    assert not second.any()
    assert np.array_equal(first ^ other, fill((ring,), 13, 17))


@pytest.mark.parametrize("rule", ["even_odd", "pil", "cv2"])
@pytest.mark.parametrize(
    "ring",
    [
        np.zeros((0, 2)),
        np.array([[2.0, 2.0]]),
        np.array([[2.0, 2.0], [3.0, 3.0]]),
        np.array([[-5.0, -5.0], [-3.0, -5.0], [-3.0, -3.0]]),
        np.array([[np.nan, 1.0], [np.inf, 1.0], [-np.inf, 9.0]]),
        np.array([[-1e300, -1e300], [1e300, -1e300], [1e300, 1e300], [-1e300, 1e300]]),
    ],
)
def test_strange_rings_are_filled_as_far_as_they_reach(rule, ring):
    mask = fill((ring,), 7, 6, rule)
    assert mask.shape == (7, 6)
    assert mask.all() == (abs(ring).max(initial=0) == 1e300)


@pytest.mark.parametrize("rule", ["pil", "cv2"])
def test_a_scribble_that_would_take_minutes_is_filled_even_odd(rule):
    ring = np.random.default_rng(0).uniform(0, 1000, (200_000, 2))
    assert np.array_equal(fill((ring,), 1000, 1000, rule), fill((ring,), 1000, 1000))


def test_no_ring_covers_nothing():
    assert not fill((), 3, 4).any()
    assert fill_area((), 3, 4).rect.is_empty


def test_an_area_is_cut_to_the_polygon():
    area = fill_area((SQUARE,), 100, 100)
    assert area.rect.height <= 5
    assert np.count_nonzero(area.mask) == 9


def test_later_polygons_cover_earlier_ones():
    labels = np.zeros((6, 6), np.uint8)
    paint(labels, [(1, (SQUARE,)), (2, (HOLE,))])
    assert labels[1:4, 1:4].tolist() == [[1, 1, 1], [1, 2, 1], [1, 1, 1]]


def test_the_error_counts_pixels_that_changed():
    labels = np.zeros((8, 8), np.uint8)
    labels[2, 2:6] = 1
    labels[6] = 255
    regions = outlines(labels)
    assert error_of(labels, regions) == 0
    labels[0, 0] = 7
    assert error_of(labels, regions) == 1
    assert error_of(labels, regions, "pil") > 1


@pytest.mark.realdata
@pytest.mark.parametrize("folder", ["semantic_segmentation", "instance_segmentation"])
@pytest.mark.parametrize("name", ["2011_000003", "2011_000006", "2011_000025"])
def test_pil_fills_as_labelme_did(data_dir, folder, name):
    example = data_dir / "importers" / "labelme" / "examples" / folder
    names = (example / "labels.txt").read_text().split("\n")
    truth = np.asarray(
        Image.open(example / "data_dataset_voc" / "SegmentationClass" / f"{name}.png")
    )
    labels = np.zeros(truth.shape, np.uint8)
    shapes = json.loads((example / "data_annotated" / f"{name}.json").read_text())["shapes"]
    paint(
        labels,
        [((names.index(s["label"]) - 1) % 256, [np.array(s["points"])]) for s in shapes],
        "pil",
    )
    # Pillow 9.5 to 10.4 drew a pixel past the end of one line, those before and after do not.
    assert np.count_nonzero(labels != truth) <= (name == "2011_000006")
