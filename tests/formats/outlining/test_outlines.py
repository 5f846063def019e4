import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from segstudio.errors import FormatError
from segstudio.formats.outlining import outlines as module
from segstudio.formats.outlining.filling import error_of, fill
from segstudio.formats.outlining.outlines import nested, outlines


def masks(*ids):
    """Small rasters of few classes: noise has every way in which regions can meet."""
    shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
    return arrays(np.uint8, shapes, elements=st.sampled_from(ids))


def grown(seed, shape=(90, 120), classes=5):
    """Patches with smooth borders, islands among them."""
    rng = np.random.default_rng(seed)
    fields = [cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 4) for _ in range(classes)]
    return np.argmax(fields, axis=0).astype(np.uint8)


def covered(labels, regions):
    """How many regions cover each pixel."""
    count = np.zeros(labels.shape, int)
    for region in regions:
        count += fill(region.rings, *labels.shape)
    return count


def doubled(ring):
    x, y = ring.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def crossings(regions):
    """Pairs of edges that meet anywhere but in a common end."""
    edges = {
        tuple(sorted((tuple(p), tuple(q))))
        for region in regions
        for ring in region.rings
        for p, q in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True)
    }
    edges = [np.array(e, np.int64) for e in sorted(edges)]

    def side(a, b, c):
        return int(np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])))

    found = []
    for i, (a, b) in enumerate(edges):
        for c, d in edges[:i]:
            if (max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0])
                    or max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1])):  # fmt: skip
                continue
            shared = {tuple(a), tuple(b)} & {tuple(c), tuple(d)}
            signs = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
            if signs[0] * signs[1] < 0 and signs[2] * signs[3] < 0 and not shared:
                found.append((a, b, c, d))
    return found


CHECKERBOARD = (np.indices((9, 13)).sum(axis=0) % 2).astype(np.uint8)
LINES = np.tile(np.arange(7, dtype=np.uint8), (5, 1))
NESTED = np.zeros((15, 15), np.uint8)
for ring in range(1, 8):
    NESTED[ring:-ring, ring:-ring] = ring % 2


@pytest.mark.parametrize(
    "labels", [CHECKERBOARD, LINES, LINES.T.copy(), NESTED, np.zeros((1, 1), np.uint8)]
)
@pytest.mark.parametrize("with_void", [False, True])
def test_hard_rasters_come_back_exactly(labels, with_void):
    assert error_of(labels, outlines(labels, with_void=with_void)) == 0


@given(masks(0, 1, 255))
def test_filling_exact_outlines_gives_back_every_pixel(labels):
    regions = outlines(labels)
    assert error_of(labels, regions) == 0
    assert covered(labels, regions).max(initial=0) <= 1
    assert all(r.class_id != 255 for r in regions)
    assert sum(r.area for r in regions) == np.count_nonzero(labels != 255)


@given(masks(*range(255)))
def test_many_classes_come_back_exactly(labels):
    assert error_of(labels, outlines(labels)) == 0


@given(masks(0, 1, 2))
def test_exact_rings_turn_at_every_point_and_never_touch_themselves(labels):
    for region in outlines(labels):
        size = sum(
            abs(doubled(r)) * s
            for r, s in zip(region.rings, [1] + [-1] * len(region.holes), strict=True)
        )
        assert size == 2 * region.area
        assert doubled(region.outer) > 0
        assert all(doubled(hole) < 0 for hole in region.holes)
        for ring in region.rings:
            steps = np.roll(ring, -1, axis=0) - ring
            assert np.all(np.count_nonzero(steps, axis=1) == 1)
            assert np.all((steps * np.roll(steps, -1, axis=0)).sum(axis=1) == 0)
            assert len({tuple(p) for p in ring.tolist()}) == len(ring)


def test_nothing_but_void_has_no_outlines():
    assert outlines(np.full((4, 5), 255, np.uint8), 1.0) == []


def test_pixels_that_touch_in_a_corner_are_two_regions_on_either_diagonal():
    labels = np.array([[0, 1], [1, 0]], np.uint8)
    assert [r.class_id for r in outlines(labels)] == [0, 1, 1, 0]


def test_a_region_that_touches_itself_in_a_corner_has_a_hole():
    labels = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8)
    around, inner, last = outlines(labels)
    assert (len(around.holes), inner.area, last.area) == (1, 1, 1)


@settings(deadline=None)
@given(masks(0, 1, 2, 3), st.sampled_from([0.4, 0.8, 1.5, 3.0, 50.0]))
def test_simplified_regions_leave_no_gap_and_do_not_overlap(labels, tolerance):
    regions = outlines(labels, tolerance)
    assert np.all(covered(labels, regions) == 1)
    assert not crossings(regions)


@settings(deadline=None)
@given(masks(0, 1, 2, 3), st.sampled_from([0.8, 1.5, 50.0]))
def test_simplified_regions_stay_areas_of_the_right_turn(labels, tolerance):
    exact, regions = outlines(labels), outlines(labels, tolerance)
    assert [(r.class_id, r.area, len(r.holes)) for r in regions] == [
        (r.class_id, r.area, len(r.holes)) for r in exact
    ]
    for region in regions:
        assert doubled(region.outer) > 0
        assert all(doubled(hole) < 0 for hole in region.holes)
        assert all(len(ring) >= 3 for ring in region.rings)
    whole = sum(sum(doubled(r) for r in region.rings) for region in regions)
    assert whole == 2 * labels.size


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tolerance", [0.5, 1.0, 2.0, 8.0])
def test_smooth_borders_stay_within_the_tolerance_and_lose_points(seed, tolerance):
    labels = grown(seed)
    exact, regions = outlines(labels), outlines(labels, tolerance)
    assert np.all(covered(labels, regions) == 1)
    assert sum(len(r.outer) for r in regions) < sum(len(r.outer) for r in exact)
    again = np.zeros_like(labels)
    for region in regions:
        again[fill(region.rings, *labels.shape)] = region.class_id
    wrong = again != labels
    # What changed lies near a border: nothing is left of it when the borders are taken away.
    edges = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    reach = int(np.ceil(2 * tolerance))
    near = cv2.dilate(edges.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    assert not np.any(wrong & ~near)


def test_a_border_that_meets_no_other_keeps_four_corners():
    labels = np.zeros((20, 20), np.uint8)
    labels[5, 5] = 1
    labels[8:16, 8:16] = cv2.circle(np.zeros((8, 8), np.uint8), (4, 4), 3, 1, -1)
    _, dot, disc = outlines(labels, 1000.0)
    assert len(dot.outer) == 4
    assert len(disc.outer) == 4


def test_an_island_in_a_bay_stays_on_its_side():
    """A shortcut across the bay would be within the tolerance, and swallow the island."""
    labels = np.zeros((12, 20), np.uint8)
    labels[6:] = 1
    labels[6:10, 6:14] = 0
    labels[7, 9] = 2
    regions = outlines(labels, 6.0)
    assert np.all(covered(labels, regions) == 1)
    sea = next(r for r in regions if r.class_id == 0)
    island = next(r for r in regions if r.class_id == 2)
    assert len(sea.holes) == 1
    assert fill((sea.outer,), *labels.shape)[7, 9]
    assert fill(island.rings, *labels.shape)[7, 9]


def test_the_picture_keeps_its_corners():
    labels = np.zeros((6, 9), np.uint8)
    (region,) = outlines(labels, 100.0)
    assert sorted(region.outer.tolist()) == [[0, 0], [0, 6], [9, 0], [9, 6]]


@given(masks(0, 1, 2, 255))
def test_painting_outer_rings_in_nested_order_needs_no_holes(labels):
    again = np.zeros_like(labels)
    for region in nested(outlines(labels, with_void=True)):
        again[fill((region.outer,), *labels.shape)] = region.class_id
    assert np.array_equal(again, labels)


@settings(max_examples=300)
@given(masks(0, 1, 2, 255), st.sampled_from(["pil", "cv2"]))
def test_rings_through_centres_come_back_from_those_who_fill_borders(labels, rule):
    again = np.full_like(labels, 77)
    for region in nested(outlines(labels, with_void=True, through="centres")):
        again[fill((region.outer - 0.5 * (rule == "cv2"),), *labels.shape, rule)] = region.class_id
    assert np.array_equal(again, labels)


@given(masks(0, 1, 2), st.sampled_from([0.0, 1.0, 4.0]))
def test_rings_through_centres_lie_inside_the_pixels_of_their_region(labels, tolerance):
    for region in outlines(labels, tolerance, through="centres"):
        for ring in region.rings:
            assert len(ring) >= 1
            x, y = (ring - 0.5).astype(int).T
            assert np.array_equal(ring, np.stack((x, y), axis=1) + 0.5)
            assert np.all(labels[y, x] == region.class_id)


@pytest.mark.parametrize("tolerance", [0.5, 1.0, 2.0])
def test_who_fills_borders_loses_less_by_rings_through_centres(tolerance):
    labels = grown(3)
    lost = {
        through: error_of(labels, outlines(labels, tolerance, through=through), "pil")
        for through in ("corners", "centres")
    }
    assert 0 < lost["centres"] < 0.8 * lost["corners"]


def test_instances_keep_regions_of_one_class_apart():
    labels = np.zeros((2, 6), np.uint8)
    instances = np.array([[1, 1, 2, 2, 2, 0]] * 2, np.int32)
    regions = outlines(labels, instances=instances)
    assert [(r.class_id, r.instance, r.area) for r in regions] == [(0, 1, 4), (0, 2, 6), (0, 0, 2)]


def test_more_regions_than_anything_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_REGIONS", 10)
    with pytest.raises(FormatError, match="117 separate regions"):
        outlines(CHECKERBOARD)


def test_a_staircase_of_a_million_corners_is_no_matter():
    """The longest arcs are cut, or choosing their corners would take the square of them."""
    y, x = np.indices((600, 600))
    labels = ((x + y) % 40 < 20).astype(np.uint8)
    assert error_of(labels, outlines(labels)) == 0
    assert len(outlines(labels, 1.0)) == len(outlines(labels))
