"""The simulated person of the loop's benchmark counts strokes as a person would."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).resolve().parents[2] / "bench" / "annotator.py"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="only in a checkout")

ROAD, CAR, POLE = 3, 8, 2


@pytest.fixture(scope="module")
def annotator():
    spec = importlib.util.spec_from_file_location("bench_annotator", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_annotator"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bench_annotator"]


def road(height=360, width=480):
    return np.full((height, width), ROAD, np.uint8)


def disk(labels, y, x, radius, value):
    rows, cols = np.ogrid[: labels.shape[0], : labels.shape[1]]
    labels[(rows - y) ** 2 + (cols - x) ** 2 <= radius**2] = value
    return labels


def test_nothing_wrong_takes_no_stroke(annotator):
    work = annotator.work_of(road(), road())
    assert (work.strokes, work.wrong, work.left) == (0, 0, 0)
    assert work.labelled == 360 * 480


def test_one_blob_takes_one_stroke_and_two_take_two(annotator):
    truth = disk(road(), 100, 100, 15, CAR)
    assert annotator.work_of(road(), truth).strokes == 1
    work = annotator.work_of(road(), disk(truth, 250, 300, 15, CAR))
    assert (work.strokes, work.regions, work.left) == (2, 2, 0)


def test_a_blob_of_too_much_and_one_of_too_little_cost_the_same(annotator):
    drawn = disk(road(), 100, 100, 15, CAR)
    assert annotator.work_of(drawn, road()) == annotator.work_of(road(), drawn)


def test_holes_in_one_road_are_painted_without_lifting_the_brush_while_they_are_near(annotator):
    near, far = road(), road()
    disk(disk(near, 100, 100, 8, CAR), 100, 130, 8, CAR)
    disk(disk(far, 100, 100, 8, CAR), 100, 300, 8, CAR)
    assert annotator.work_of(near, road()).strokes == 1
    assert annotator.work_of(near, road()).regions == 2
    assert annotator.work_of(far, road()).strokes == 2


def test_many_small_places_fill_a_drag_each_way_from_one_to_the_next(annotator):
    drawn = road()
    for col in range(20, 460, 30):
        disk(drawn, 100, col, 6, CAR)
    assert annotator.work_of(drawn, road()).strokes == 2


def test_blobs_of_two_classes_that_touch_take_a_stroke_each(annotator):
    truth = road()
    truth[100:130, 100:130], truth[100:130, 130:160] = CAR, POLE
    assert annotator.work_of(road(), truth).strokes == 2


@pytest.mark.parametrize("shape", ["disk", "square", "bar"])
def test_more_to_paint_never_takes_fewer_strokes(annotator, shape):
    counts = []
    for size in range(8, 160, 16):
        truth = road()
        if shape == "disk":
            disk(truth, 180, 240, size, CAR)
        elif shape == "square":
            truth[180 - size : 180 + size, 240 - size : 240 + size] = CAR
        else:
            truth[170:190, 240 - size : 240 + size] = CAR
        counts.append(annotator.work_of(road(), truth).strokes)
    assert counts == sorted(counts)
    assert counts[0] == 1
    if shape != "bar":
        assert counts[-1] > 3


def test_a_thin_long_thing_is_one_stroke_along_it(annotator):
    truth = road()
    truth[40:320, 200:205] = POLE
    work = annotator.work_of(road(), truth)
    assert (work.strokes, work.left) == (1, 0)


def test_a_border_drawn_a_little_beside_is_left_and_counted(annotator):
    truth, drawn = road(), road()
    truth[100:200, 100:200] = CAR
    drawn[100:200, 103:203] = CAR
    work = annotator.work_of(drawn, truth)
    assert (work.strokes, work.painted) == (0, 0)
    assert work.left == work.wrong == 600


def test_a_border_far_beside_is_redrawn(annotator):
    truth, drawn = road(), road()
    truth[100:200, 100:200] = CAR
    drawn[100:200, 110:210] = CAR
    work = annotator.work_of(drawn, truth)
    assert work.strokes == 2
    assert 0 < work.left < 0.3 * work.wrong


def test_specks_are_left_and_counted(annotator):
    truth = road()
    truth[10:16, 10:16] = CAR
    work = annotator.work_of(road(), truth)
    assert (work.strokes, work.left) == (0, 36)


def test_what_is_void_is_nobodys_work(annotator):
    truth = disk(road(), 100, 100, 30, 255)
    work = annotator.work_of(disk(road(), 100, 100, 30, CAR), truth)
    assert (work.strokes, work.wrong) == (0, 0)
    assert work.labelled < 360 * 480


def test_a_frame_twice_as_large_takes_the_same_strokes(annotator):
    truth = disk(disk(road(), 100, 100, 40, CAR), 250, 300, 9, POLE)
    large = np.repeat(np.repeat(truth, 2, axis=0), 2, axis=1)
    small = annotator.work_of(road(), truth)
    assert annotator.work_of(road(720, 960), large).strokes == small.strokes


def test_noise_takes_many_strokes_and_no_pixel_is_counted_twice(annotator):
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 11, (12, 16)).astype(np.uint8)
    truth = np.repeat(np.repeat(coarse, 30, axis=0), 30, axis=1)
    work = annotator.work_of(road(), truth)
    assert work.strokes > 100
    assert 0 <= work.left <= work.wrong
    assert annotator.work_of(road(), truth) == work


def test_labels_of_two_sizes_are_refused(annotator):
    with pytest.raises(ValueError, match="predicted"):
        annotator.work_of(road(), road(180, 240))


def test_the_most_rewarding_places_come_first_until_enough_is_right(annotator):
    work = annotator.Work(5, 3, 400, 400, 1000, 400, ((1, 300), (2, 60), (2, 40)))
    assert [work.strokes_to(s) for s in (0.5, 0.6, 0.9, 0.93, 0.97, 1.0)] == [0, 0, 1, 2, 4, 5]
    assert work.strokes_to(1.0) == work.strokes


def test_strokes_to_a_share_are_never_more_than_all_and_grow_with_it(annotator):
    rng = np.random.default_rng(3)
    truth = np.kron(rng.integers(0, 5, (6, 8)), np.ones((60, 60))).astype(np.uint8)
    said = truth.copy()
    said[40:200, 30:260] = 1
    said[300:320] = 2
    work = annotator.work_of(said, truth)
    counts = [work.strokes_to(share) for share in (0.5, 0.8, 0.9, 0.95, 0.99)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert 0 < counts[-1] <= work.strokes
