"""Difference, errors, agreement: every code against its plain definition, also box by box."""

from dataclasses import replace

import numpy as np
import pytest

from segstudio.core import differing
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.differing import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    NOTHING,
    OTHERS,
    RIGHT,
    TRUE_POSITIVE,
    WRONG,
    agreement,
    colors,
    difference,
    error_palette,
    errors,
    errors_of_class,
    majority,
)
from segstudio.core.geometry import Rect
from segstudio.core.palettes import least_difference, seen

SHAPES = [(9, 13), (1, 1), (211, 307)]  # by NumPy and by runs
MANY = ClassMap("many", tuple(ClassDef(i, f"c{i}", (i, 255 - i, 9)) for i in range(60)))


def rasters(shape, number, seed, ids=(*range(11), 255)):
    """Blocky rasters that agree in many places."""
    rng = np.random.default_rng(seed)
    base = rng.choice(ids, (shape[0] // 5 + 1, shape[1] // 7 + 1)).astype(np.uint8)
    base = base.repeat(5, 0).repeat(7, 1)[: shape[0], : shape[1]]
    other = rng.choice(ids, (number, *shape)).astype(np.uint8)
    return list(np.where(rng.random((number, *shape)) < 0.2, other, base))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_codes_part_the_frame_by_pairs_of_classes(shape, seed):
    a, b = rasters(shape, 2, seed)
    found = difference(a, b, CAMVID)
    assert ((found.codes == NOTHING) == (a == b)).all()
    total = 0
    for code, (i, j, pixels) in enumerate(found.pairs):
        where = (a == i) & (b == j)
        assert ((found.codes == code) == where).all()
        assert pixels == where.sum() > 0
        total += pixels
    assert total == found.pixels == (a != b).sum()
    numbers = [n for _, _, n in found.pairs]
    assert numbers == sorted(numbers, reverse=True)


def test_labels_outside_the_set_are_void():
    a = np.array([[17, 200, 3, 17]], np.uint8)
    b = np.array([[255, 90, 44, 3]], np.uint8)
    found = difference(a, b, CAMVID)
    assert set(found.pairs) == {(3, 255, 1), (255, 3, 1)}
    assert (found.codes == NOTHING).tolist() == [[True, True, False, False]]


def test_more_pairs_than_codes_share_one():
    a, b = np.meshgrid(np.arange(60, dtype=np.uint8), np.arange(60, dtype=np.uint8))
    a, b = np.tile(a, (10, 10)), np.tile(b, (10, 10))
    found = difference(a, b, MANY)
    assert len(found.pairs) == OTHERS
    assert found.others == (found.codes == OTHERS).sum() == found.pixels - 254 * 100
    assert ((found.codes == NOTHING) == (a == b)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stroke_brings_only_its_box_up_to_date(shape):
    a, b = rasters(shape, 2, 7, ids=(1, 2, 3))
    found = difference(a, b, CAMVID)
    rng = np.random.default_rng(1)
    for step in range(12):
        y, x = int(rng.integers(shape[0])), int(rng.integers(shape[1]))
        rect = Rect(y, x, y + 40, x + 30).clipped(*shape)
        b[rect.slices] = step % 9  # classes that nobody said before, too
        old = [pair[:2] for pair in found.pairs]
        found = found.after(a, b, rect)
        assert [pair[:2] for pair in found.pairs][: len(old)] == old
        for code, (i, j, pixels) in enumerate(found.pairs):
            assert ((found.codes == code) == ((a == i) & (b == j))).all()
            assert pixels == ((a == i) & (b == j)).sum()
        assert ((found.codes == NOTHING) == (a == b)).all()
        assert found.others == 0


def test_pairs_without_a_code_stay_without_one_after_a_stroke():
    a, b = np.meshgrid(np.arange(60, dtype=np.uint8), np.arange(60, dtype=np.uint8))
    a, b = a.copy(), b.copy()
    found = difference(a, b, MANY)
    b[10:20, 10:20] = 59
    found = found.after(a, b, Rect(10, 10, 20, 20))
    assert found.pixels == (a != b).sum()
    assert found.others == (found.codes == OTHERS).sum()


@pytest.mark.parametrize("shape", SHAPES)
def test_errors_are_right_or_wrong_where_there_is_a_reference(shape):
    reference, predicted = rasters(shape, 2, 3)
    void = reference == 255
    expected = np.where(void, NOTHING, np.where(reference == predicted, RIGHT, WRONG))
    assert (errors(reference, predicted) == expected).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("class_id", [0, 3, 10])
def test_errors_of_a_class(shape, class_id):
    reference, predicted = rasters(shape, 2, 4)
    found = errors_of_class(reference, predicted, class_id)
    is_there, is_said = reference == class_id, predicted == class_id
    assert ((found == TRUE_POSITIVE) == (is_there & is_said)).all()
    assert ((found == FALSE_POSITIVE) == (is_said & ~is_there & (reference != 255))).all()
    assert ((found == FALSE_NEGATIVE) == (is_there & ~is_said)).all()
    assert set(np.unique(found)) <= {2, 3, 4, NOTHING}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6])
def test_agreement_counts_who_says_what_most_say(number):
    labels = rasters((37, 53), number, number)
    stack = np.stack(labels)
    votes = (stack[:, None] == stack[None]).sum(0)
    assert (agreement(labels) == votes.max(0)).all()
    first = votes.argmax(0)
    assert (majority(labels) == np.take_along_axis(stack, first[None], 0)[0]).all()


def test_votes_do_not_depend_on_how_many_rows_are_taken_at_once(monkeypatch):
    labels = rasters((37, 53), 3, 8)
    counts, said = agreement(labels), majority(labels)
    monkeypatch.setattr(differing, "_BLOCK", 1)
    assert (agreement(labels) == counts).all()
    assert (majority(labels) == said).all()


@pytest.mark.parametrize("seed", range(3))
def test_every_map_can_be_renewed_in_a_box_alone(seed):
    a, b, c = rasters((60, 80), 3, seed)
    error, of_class, votes = errors(a, b), errors_of_class(a, b, 4), agreement([a, b, c])
    rect = Rect(10 + seed, 5, 44, 61)
    a[rect.slices] = 4
    assert errors(a, b, rect=rect, into=error) is error
    errors_of_class(a, b, 4, rect=rect, into=of_class)
    agreement([a, b, c], rect=rect, into=votes)
    assert (error == errors(a, b)).all()
    assert (of_class == errors_of_class(a, b, 4)).all()
    assert (votes == agreement([a, b, c])).all()


def test_rasters_that_are_views_or_cannot_be_written_are_read():
    a, b = (r[3:200, 5:300] for r in rasters((211, 307), 2, 5))
    a.setflags(write=False)
    assert ((difference(a, b, CAMVID).codes == NOTHING) == (a == b)).all()


def test_rasters_of_different_shapes_are_refused():
    a, b = np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8)
    for each in (lambda: difference(a, b, CAMVID), lambda: errors(a, b), lambda: agreement([a, b])):
        with pytest.raises(ValueError, match="shapes differ"):
            each()
    with pytest.raises(ValueError, match="0 rasters"):
        agreement([])


# --- colours


def all_pairs(number):
    return [(i, j, 1) for i in range(number) for j in range(number) if i != j]


def test_pairs_of_classes_can_be_told_apart_by_everybody():
    table = colors(all_pairs(11), CAMVID.palette())
    assert min(least_difference(table[:110]).values()) >= 4.9
    assert (table[NOTHING] == 0).all()


def test_pairs_that_share_a_class_are_far_apart():
    pairs = all_pairs(11)
    views = seen(colors(pairs, CAMVID.palette())[: len(pairs)])[0]
    gaps = np.linalg.norm(views[:, None] - views, axis=-1)
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min() >= 12
    are_kin = [[bool({i, j} & {k, m}) for k, m, _ in pairs] for i, j, _ in pairs]
    assert gaps[np.array(are_kin)].min() >= 21


def test_no_pair_passes_for_the_grey_of_all_others():
    pairs = all_pairs(11)
    table = colors(pairs, CAMVID.palette())
    views = seen(np.concatenate([table[: len(pairs)], table[[OTHERS]]]))
    gaps = np.linalg.norm(views[:, :-1] - views[:, -1:], axis=-1)
    assert gaps[0].min() >= 24
    assert gaps.min() >= 9


def test_a_pair_has_one_colour_whatever_else_is_on_the_frame():
    pairs = all_pairs(11)
    table = colors(pairs, CAMVID.palette())
    some = pairs[70:20:-3]
    again = colors(some, CAMVID.palette())
    for code, pair in enumerate(some):
        assert (again[code] == table[pairs.index(pair)]).all()


def test_a_pair_looks_like_both_its_classes():
    palette = replace(CAMVID, classes=CAMVID.classes[:4]).palette()
    table = colors([(1, 3, 9), (3, 1, 5)], palette).astype(int)
    for code, (one, other) in enumerate(((1, 3), (3, 1))):
        mix = (palette[one].astype(int) + 2 * palette[other].astype(int)) / 3
        assert np.abs(table[code] - mix).max() <= 60


def test_errors_seen_together_are_told_apart_by_everybody():
    palette = error_palette()
    assert min(least_difference(palette[[RIGHT, WRONG]]).values()) > 20
    assert (
        min(least_difference(palette[[TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE]]).values())
        > 20
    )


def test_a_set_of_many_classes_gets_plain_mixes_at_once():
    palette = np.zeros((256, 3), np.uint8)
    palette[:150] = np.random.default_rng(0).integers(1, 256, (150, 3))
    table = colors([(0, 1, 5), (149, 3, 2)], palette)
    assert np.abs(table[0].astype(int) - (palette[0].astype(int) + 2 * palette[1]) / 3).max() <= 1
    assert table[254].tolist() == [127, 127, 127]
