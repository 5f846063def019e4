"""What is measured of a frame."""

import numpy as np
import pytest

from segstudio.core.classes import VOID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.frame_worth import CELLS, measured
from segstudio.core.geometry import Rect
from segstudio.core.prediction import Logits

H, W, STRIDE = 72, 128, 4
IDS = np.arange(4, dtype=np.uint8)


def frame(seed=0):
    rgb = np.random.default_rng(seed).integers(0, 256, (H, W, 3), dtype=np.uint8)
    return Frame(FrameId("clip", seed, None, 0), rgb, 0.0)


def answer(cells, sure=12.0):
    """Logits that say the classes of `cells`, uint8 (h, w), with that lead."""
    values = np.zeros((4, *cells.shape), np.float32)
    np.put_along_axis(values, cells[None].astype(np.intp), sure, axis=0)
    return Logits(values, (H, W), False, IDS)


def halves(size=(H // STRIDE, W // STRIDE)):
    """Class 0 above, class 1 below."""
    cells = np.zeros(size, np.uint8)
    cells[size[0] // 2 :] = 1
    return cells


def large(cells):
    return cells.repeat(H // cells.shape[0], 0).repeat(W // cells.shape[1], 1)


def look(logits, cells, **more):
    return measured(frame(), logits, IDS, large(cells), **more)


def test_a_sure_answer_leaves_nothing_to_correct():
    cells = halves()
    worth = look(answer(cells), cells, others=[large(cells)])
    assert worth.entropy < 0.001
    assert (worth.unsure, worth.disagreement, worth.flicker) == (0.0, 0.0, None)
    assert (worth.regions, worth.meeting, worth.disputed) == ((), None, None)
    assert worth.class_shares[:2].tolist() == [0.5, 0.5]


def test_a_patch_between_two_classes_is_found_where_it_is_and_named():
    cells = halves()
    logits = answer(cells)
    logits.values[:, 4:10, 8:16] = 0
    logits.values[2, 4:10, 8:16], logits.values[3, 4:10, 8:16] = 5.0, 4.9
    cells[4:10, 8:16] = 2
    worth = look(logits, cells)
    assert worth.unsure == pytest.approx(48 / cells.size)
    assert (worth.meeting, worth.meeting_share) == ((2, 3), 1.0)
    (region,) = worth.regions
    assert region.rect == Rect(16, 32, 40, 64)
    assert region.pixels == 24 * 32
    assert region.classes == (2, 3)
    assert region.disputed == 0
    assert region.score == pytest.approx(region.entropy * 48 / cells.size)


def test_where_another_model_says_another_class_is_a_region_although_both_are_sure():
    cells = halves()
    other = large(cells).copy()
    other[8:24, 40:80] = 3
    worth = look(answer(cells), cells, others=[other])
    assert worth.disagreement == pytest.approx(16 * 40 / (H * W))
    assert (worth.disputed, worth.disputed_share) == ((0, 3), 1.0)
    (region,) = worth.regions
    assert (region.rect, region.classes, region.disputed) == (Rect(8, 40, 24, 80), (0, 3), 1.0)


def test_what_no_model_names_is_no_disagreement():
    cells = halves()
    other = large(cells).copy()
    other[:, 64:] = VOID
    assert look(answer(cells), cells, others=[other]).disagreement == 0.0


def test_the_line_of_doubt_along_a_border_is_no_region():
    cells = halves()
    logits = answer(cells)
    middle = cells.shape[0] // 2
    logits.values[:2, middle - 1 : middle + 1] = 0.5
    worth = look(logits, cells)
    assert worth.unsure > 0.1
    assert worth.regions == ()


def test_no_more_than_three_regions_the_weightiest_first():
    cells = np.zeros((H // STRIDE, W // STRIDE), np.uint8)
    logits = answer(cells)
    for k, size in enumerate((3, 6, 4, 5)):
        place = np.s_[1 : 1 + size, 1 + 8 * k : 1 + 8 * k + size]
        logits.values[0][place] = logits.values[1][place] = 6.0
    worth = look(logits, cells)
    assert [r.pixels for r in worth.regions] == [16 * 36, 16 * 25, 16 * 16]


def test_flicker_is_the_share_of_places_that_changed():
    cells = halves()
    flickers = np.zeros((18, 32), np.bool_)
    flickers[:9, :8] = True
    assert look(answer(cells), cells, flickers=flickers).flicker == pytest.approx(72 / 576)


def test_classes_of_the_net_are_told_as_those_of_the_labels():
    cells = halves()
    logits = answer(cells)
    logits.values[:, 4:10, 8:16] = 0
    logits.values[0, 4:10, 8:16], logits.values[1, 4:10, 8:16] = 5.0, 4.9
    ids = np.array([7, 9, 9, VOID], np.uint8)
    worth = measured(frame(), logits, ids, ids[large(cells)])
    assert worth.meeting == (7, 9)
    assert worth.regions[0].classes == (7, 9)
    logits.values[2, 4:10, 8:16] = 6.0  # between two channels of one class there is no question
    logits.values[0, 4:10, 8:16] = 0
    logits.values[1, 4:10, 8:16] = 5.9
    assert measured(frame(), logits, ids, ids[large(cells)]).regions == ()


def test_frames_that_show_the_same_have_descriptors_close_by():
    cells, other = halves(), np.full((18, 32), 2, np.uint8)
    one = measured(frame(0), answer(cells), IDS, large(cells)).descriptor
    again = measured(frame(1), answer(cells), IDS, large(cells)).descriptor
    far = measured(frame(1), answer(other), IDS, large(other)).descriptor
    assert np.linalg.norm(one - again) < 0.1 < 1 < np.linalg.norm(one - far)


def test_a_fine_answer_is_thinned_without_changing_shares():
    rng = np.random.default_rng(3)
    values = rng.normal(0, 2, (4, 360, 640)).astype(np.float32)
    logits = Logits(values, (360, 640), False, IDS)
    assert values[0].size > 10 * CELLS
    rgb = np.zeros((360, 640, 3), np.uint8)
    labels = values.argmax(0).astype(np.uint8)
    fine = measured(Frame(FrameId("x", 0, None, 0), rgb, 0.0), logits, IDS, labels)
    odds = np.exp(values - values.max(0))
    assert fine.unsure == pytest.approx(float((1 / odds.sum(0) < 0.6).mean()), abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 2)])
def test_answers_of_few_cells_are_measured_too(size):
    cells = np.zeros(size, np.uint8)
    worth = measured(frame(), answer(cells), IDS, np.zeros((H, W), np.uint8))
    assert worth.unsure == 0


def test_a_model_of_one_class_is_always_sure():
    logits = Logits(np.zeros((1, 18, 32), np.float32), (H, W), False, IDS[:1])
    worth = measured(frame(), logits, IDS[:1], np.zeros((H, W), np.uint8))
    assert (worth.entropy, worth.unsure, worth.regions) == (0.0, 0.0, ())
