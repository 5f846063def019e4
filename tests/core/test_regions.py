"""Connected regions: the one under a pixel, all by size, and from one to the next."""

import numpy as np
import pytest

from segstudio.core.regions import (
    next_region,
    region_at,
    regions,
    regions_of_answers,
    same_answers_at,
)


def spread(mask, place):
    """The region by spreading from pixel to pixel: slow and plain."""
    found = np.zeros(mask.shape, bool)
    waiting = [place]
    while waiting:
        y, x = waiting.pop()
        if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not found[y, x]:
            found[y, x] = True
            waiting += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return found


def whole(area, shape):
    found = np.zeros(shape, bool)
    found[area.rect.slices] = area.mask
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_region_is_what_spreading_by_sides_reaches(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, (23, 31)).astype(np.uint8)
    codes.setflags(write=False)
    for place in ((0, 0), (22, 30), (11, 7)):
        assert (
            whole(region_at(codes, place), codes.shape) == spread(codes == codes[place], place)
        ).all()
    mask = codes == 1
    area = region_at(mask, (5, 5))
    assert (whole(area, codes.shape) == spread(mask == mask[5, 5], (5, 5))).all()


def test_corners_do_not_connect():
    assert region_at(np.eye(4, dtype=bool), (1, 1)).mask.sum() == 1
    assert len(regions(np.eye(4, dtype=bool))) == 4


@pytest.mark.parametrize("seed", range(4))
def test_every_answer_is_the_same_in_a_region_of_answers(seed):
    rng = np.random.default_rng(seed)
    answers = [rng.integers(0, 2, (20, 26)).astype(np.uint8) for _ in range(3)]
    place = (int(rng.integers(20)), int(rng.integers(26)))
    same = np.logical_and.reduce([a == a[place] for a in answers])
    assert (whole(same_answers_at(answers, place), (20, 26)) == spread(same, place)).all()


def test_beside_the_raster_there_is_no_region():
    codes = np.zeros((5, 5), np.uint8)
    for place in ((-1, 0), (0, 5), (5, 0)):
        assert region_at(codes, place).rect.is_empty
        assert same_answers_at([codes, codes], place).rect.is_empty
    with pytest.raises(ValueError, match="no raster"):
        same_answers_at([], (0, 0))


@pytest.mark.parametrize("seed", range(4))
def test_regions_part_the_mask_and_come_largest_first(seed):
    mask = np.random.default_rng(seed).random((40, 50)) < 0.5
    areas = regions(mask)
    assert (sum(whole(a, mask.shape).astype(int) for a in areas) == mask).all()
    sizes = [int(a.mask.sum()) for a in areas]
    assert sizes == sorted(sizes, reverse=True)
    for area in areas[:5]:
        assert area.mask[0].any()
        assert area.mask[-1].any()
        assert area.mask[:, 0].any()
        assert area.mask[:, -1].any()
    assert [int(a.mask.sum()) for a in regions(mask, 6)] == [n for n in sizes if n >= 6]


@pytest.mark.parametrize("seed", range(6))
def test_regions_of_answers_part_what_counts_as_single_regions_do(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 40)), int(rng.integers(1, 50)))
    answers = [rng.integers(0, 2 + seed % 2, shape).astype(np.uint8) for _ in range(1 + seed % 3)]
    drawn = rng.random(shape) < 0.8
    areas = regions_of_answers(answers, drawn)
    assert (sum(whole(a, shape).astype(int) for a in areas) == drawn).all()
    for area in areas[:: max(1, len(areas) // 20)]:
        y, x = np.argwhere(whole(area, shape))[0]
        same = np.logical_and.reduce([a == a[y, x] for a in answers]) & drawn
        assert (whole(area, shape) == spread(same, (y, x))).all()
        assert area.mask[[0, -1]].any(axis=1).all()
        assert area.mask[:, [0, -1]].any(axis=0).all()
    sizes = [int(a.mask.sum()) for a in areas]
    assert sizes == sorted(sizes, reverse=True)


def test_no_mask_has_no_regions():
    assert regions_of_answers([np.zeros((4, 6), np.uint8)], np.zeros((4, 6), bool)) == []
    assert regions(np.zeros((4, 6), bool)) == []
    assert next_region([], None) is None
    assert next_region([], None, forward=False) is None


def test_forward_visits_all_by_size_and_ends_and_backward_returns():
    mask = np.random.default_rng(5).random((30, 40)) < 0.4
    areas = regions(mask)
    seen, here = [], None
    while (here := next_region(areas, here)) is not None:
        seen.append(here)
    assert seen == areas
    here = seen[-1]
    back = [here]
    while (here := next_region(areas, here, forward=False)) is not None:
        back.append(here)
    assert back == areas[::-1]
    assert next_region(areas, None, forward=False) is areas[-1]


def test_what_was_painted_over_is_followed_by_the_next_in_size():
    mask = np.zeros((20, 20), bool)
    mask[0:5, 0:5] = mask[10:14, 0:4] = mask[10:13, 10:13] = True
    first, second, third = regions(mask)
    mask[second.rect.slices] &= ~second.mask
    assert next_region(regions(mask), second).rect == third.rect
    assert next_region(regions(mask), second, forward=False).rect == first.rect
