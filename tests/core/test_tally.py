"""What may be summed, and how it follows a stroke."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import Convention, mean_of_scores, scores_of
from segstudio.core.origins import CONFIRMED, MODEL, NONE, PAINTED
from segstudio.core.tally import Standing, Tally

TRUE = Standing(is_reference=True, human_share=1.0)
DRAFT = Standing(is_reference=False, human_share=0.2, drafted_by="bisenet")


def counts(*rows):
    return np.array(rows, np.int64)


def origins(**shares):
    found = np.zeros(5, np.int64)
    for name, pixels in shares.items():
        found[{"none": NONE, "model": MODEL, "painted": PAINTED, "confirmed": CONFIRMED}[name]] = (
            pixels
        )
    return found


GOOD = counts([9, 1, 0], [0, 5, 0], [0, 0, 0])
BAD = counts([2, 8, 0], [5, 0, 3], [0, 0, 4])


def test_a_draft_is_no_part_of_the_headline():
    tally = Tally(2)
    tally.put("a", GOOD, TRUE)
    tally.put("b", BAD, DRAFT)
    assert (tally.full() == GOOD).all()
    assert (tally.full(reference=False) == BAD).all()
    assert tally.scores().miou == scores_of(GOOD).miou
    assert tally.scores(reference=False).miou == scores_of(BAD).miou
    assert [f.key for f in tally.frames()] == ["a"]


def test_confirming_a_frame_moves_it_to_the_headline():
    tally = Tally(2)
    tally.put("a", GOOD, TRUE)
    tally.put("b", BAD, DRAFT)
    tally.change("b", np.zeros((3, 3), np.int64), TRUE)
    assert (tally.full() == GOOD + BAD).all()
    assert tally.full(reference=False).sum() == 0


@pytest.mark.parametrize(
    ("drafted_by", "share", "is_own"),
    [
        ("bisenet", 0.0, True),
        ("bisenet", 0.049, True),
        ("bisenet", None, True),  # nobody counted what had been painted
        ("bisenet", 0.05, False),
        ("fcn", 0.0, False),
        ("", 1.0, False),
    ],
)
def test_no_model_is_graded_on_its_own_draft_as_it_was(drafted_by, share, is_own):
    standing = Standing(is_reference=True, human_share=share, drafted_by=drafted_by)
    assert standing.is_own_work("bisenet") == is_own
    tally = Tally(2, model="bisenet")
    tally.put("other", GOOD, TRUE)
    tally.put("draft", BAD, standing)
    counted = GOOD if is_own else GOOD + BAD
    assert (tally.full() == counted).all()
    assert tally.scores().miou == scores_of(counted).miou
    assert tally.scores(Convention.PER_IMAGE).images == (1 if is_own else 2)
    assert [f.key for f in tally.own()] == (["draft"] if is_own else [])
    assert tally.full(reference=False).sum() == 0
    assert [key for key, _ in tally.worst()] == (["other"] if is_own else ["draft", "other"])


def test_a_draft_grades_its_model_once_it_was_corrected_and_no_longer_when_that_is_undone():
    untouched = Standing(is_reference=True, human_share=0.01, drafted_by="bisenet")
    corrected = Standing(is_reference=True, human_share=0.2, drafted_by="bisenet")
    tally = Tally(2, model="bisenet")
    nothing = np.zeros((3, 3), np.int64)
    tally.put("a", GOOD, untouched)
    assert math.isnan(tally.scores().miou)
    tally.change("a", nothing, corrected)
    assert (tally.full() == GOOD).all()
    assert not tally.own()
    tally.change("a", nothing, untouched)
    assert tally.full().sum() == 0
    tally.drop("a")
    assert tally.is_empty


def test_without_a_name_no_draft_is_its_own():
    assert not Standing(is_reference=True, human_share=0.0).is_own_work("")


def test_a_frame_that_nobody_counted_cannot_be_changed():
    tally = Tally(2)
    tally.change("a", GOOD, TRUE)
    assert tally.get("a") is None
    assert tally.full().sum() == 0


def test_a_frame_that_was_dropped_is_gone():
    tally = Tally(2)
    tally.put("a", GOOD, TRUE)
    tally.drop("a")
    tally.drop("a")
    assert tally.full().sum() == 0
    assert math.isnan(tally.scores().miou)
    assert math.isnan(tally.scores(Convention.PER_IMAGE).miou)


def test_the_mean_of_images_is_over_the_frames_that_count():
    tally = Tally(2)
    tally.put("a", GOOD, TRUE)
    tally.put("b", BAD, TRUE)
    tally.put("c", BAD, DRAFT)
    found = tally.scores(Convention.PER_IMAGE)
    assert found.miou == mean_of_scores([GOOD, BAD], 2).miou
    assert found.images == 2


def test_behind_a_cell_stand_its_frames_most_first():
    tally = Tally(2)
    for key, pixels in (("few", 1), ("none", 0), ("many", 7)):
        tally.put(key, counts([5, pixels, 0], [0, 5, 0], [0, 0, 0]), TRUE)
    tally.put("draft", counts([5, 99, 0], [0, 5, 0], [0, 0, 0]), DRAFT)
    assert tally.behind(0, 1) == [("many", 7), ("few", 1)]
    assert tally.behind(0, 1, reference=False) == [("draft", 99)]


def test_the_worst_frames_come_first_and_empty_ones_not_at_all():
    tally = Tally(2)
    tally.put("good", GOOD, TRUE)
    tally.put("empty", counts([0, 0, 0], [0, 0, 0], [3, 3, 3]), TRUE)
    tally.put("bad", BAD, TRUE)
    assert [key for key, _ in tally.worst()] == ["bad", "good"]


def test_what_was_handed_out_is_not_touched_by_what_comes_later():
    tally = Tally(2)
    tally.put("a", GOOD, TRUE)
    full, kept = tally.full(), tally.get("a").counts.copy()
    tally.change("a", BAD, TRUE)
    assert (full == GOOD).all()
    assert (kept == GOOD).all()


@pytest.mark.parametrize(
    ("pixels", "by_hand", "is_reference", "share"),
    [
        ({"confirmed": 10}, 0, True, 0.0),  # a draft that was confirmed as it was
        ({"confirmed": 10}, 4, True, 0.4),
        ({"confirmed": 10}, None, True, None),  # nobody counted
        ({"confirmed": 8, "painted": 2}, 3, True, 0.5),
        ({"confirmed": 2, "painted": 8}, 9, True, 1.0),  # painted over what had been painted
        ({"painted": 10}, None, False, 1.0),  # painted all over, but never confirmed
        ({"confirmed": 9, "model": 1}, 9, False, 0.9),
        ({"confirmed": 9, "none": 1}, 1, False, 0.1),
        ({"model": 10}, None, False, 0.0),
        ({"model": 10}, 5, False, 0.0),  # its confirmation was undone
        ({}, None, False, 0.0),
    ],
)
def test_only_a_human_behind_every_pixel_makes_a_reference(pixels, by_hand, is_reference, share):
    standing = Standing.of(origins(**pixels), "net", by_hand)
    assert standing.is_reference == is_reference
    assert standing.human_share == (None if share is None else pytest.approx(share))
    assert standing.drafted_by == "net"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_strokes_counted_by_their_rectangle_add_up_to_counting_all_anew(seed):
    rng = np.random.default_rng(seed)
    matrix = ConfusionMatrix(4)
    labels, said = rng.integers(0, 5, (2, 3, 20, 30)).astype(np.uint8)
    tally = Tally(4)
    for key in range(3):
        tally.put(key, matrix.counted(labels[key], said[key]), TRUE if key else DRAFT)
    for _ in range(12):
        key, y, x = (int(rng.integers(0, n)) for n in (3, 20, 30))
        area = np.s_[y : y + rng.integers(1, 12), x : x + rng.integers(1, 12)]
        gone = matrix.counted(labels[key][area], said[key][area])
        labels[key][area] = rng.choice([0, 1, 2, 3, 255])
        came = matrix.counted(labels[key][area], said[key][area])
        tally.change(key, came - gone, TRUE if rng.random() < 0.5 else DRAFT)
    for is_reference in (True, False):
        frames = tally.frames(reference=is_reference)
        anew = sum(
            (matrix.counted(labels[f.key], said[f.key]) for f in frames), np.zeros((5, 5), np.int64)
        )
        assert (tally.full(reference=is_reference) == anew).all()
