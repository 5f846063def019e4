"""Labels that are probably wrong."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.core.geometry import Rect
from segstudio.core.label_errors import LabelErrors
from segstudio.core.prediction import Logits

H, W, STRIDE = 144, 256, 4
SKY, BUILDING, ROAD, PAVEMENT, CAR = 0, 1, 3, 4, 8
IDS = np.arange(len(CAMVID), dtype=np.uint8)
PEOPLE = np.ones((H, W), np.bool_)


def street():
    """Sky above, road below, pavement to its right: uint8 (H, W)."""
    labels = np.full((H, W), SKY, np.uint8)
    labels[H // 2 :] = ROAD
    labels[H // 2 :, 3 * W // 4 :] = PAVEMENT
    return labels


def says(truth, seed=0, lead=4.0):
    """What a model that knows the truth, but is not sure of it, says: answer and logits."""
    cells = truth[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    values = np.random.default_rng(seed).normal(0, 0.7, (len(CAMVID), *cells.shape))
    np.put_along_axis(values, cells[None].astype(np.intp), lead, axis=0)
    logits = Logits(values.astype(np.float32), (H, W), False, IDS)
    answer = values.argmax(0).astype(np.uint8).repeat(STRIDE, 0).repeat(STRIDE, 1)
    return answer, logits


def collected(*frames, **options):
    """frames: (labels, truth) or (labels, truth, by people)."""
    errors = LabelErrors(CAMVID, **options)
    for key, (labels, truth, *people) in enumerate(frames):
        answer, logits = says(truth, seed=key)
        errors.add(key, labels, people[0] if people else PEOPLE, answer, logits, IDS)
    return errors


def test_clean_labels_yield_nothing():
    assert collected(*[(street(), street())] * 3).found() == []


def test_a_rectangle_of_a_wrong_class_is_found_first_and_told():
    wrong = street()
    wrong[84:124, 40:100] = PAVEMENT
    smaller = street()
    smaller[20:40, 40:80] = CAR
    found = collected((street(), street()), (smaller, street()), (wrong, street())).found()
    assert [(e.key, e.labelled, e.looks_like) for e in found] == [
        (2, PAVEMENT, ROAD),
        (1, CAR, SKY),
    ]
    assert found[0].rect == Rect(84, 40, 124, 100)
    assert found[0].pixels == 40 * 60
    assert found[0].reason.startswith("2,400 px labelled Pavement look like Road (")
    assert found[0].probability > 0.7
    assert found[0].score == pytest.approx(2400 * found[0].margin)
    assert found[0].score > found[1].score


def test_a_thing_that_was_never_labelled_is_found():
    truth = street()
    truth[88:120, 60:100] = CAR
    (error,) = collected((street(), truth)).found()
    assert (error.labelled, error.looks_like, error.rect) == (ROAD, CAR, Rect(88, 60, 120, 100))


def test_a_border_drawn_a_little_elsewhere_is_no_error():
    shifted = street()
    shifted[H // 2 : H // 2 + 5] = SKY
    assert collected((shifted, street())).found() == []
    assert collected((shifted, street()), border=0.0).found() == []  # at least 3 px all the same
    far = street()
    far[H // 2 : H // 2 + 16] = SKY
    assert [(e.labelled, e.looks_like) for e in collected((far, street())).found()] == [
        (SKY, ROAD),
        (SKY, PAVEMENT),
    ]


def test_small_regions_are_left_out():
    wrong = street()
    wrong[100:112, 40:52] = CAR
    assert len(collected((wrong, street())).found()) == 1
    assert collected((wrong, street()), least_area=0.01).found() == []


def test_only_what_people_labelled_is_questioned():
    wrong = street()
    wrong[84:124, 40:100] = CAR
    people = PEOPLE.copy()
    people[:, :128] = False
    assert collected((wrong, street(), people)).found() == []
    wrong[84:124, 40:100] = VOID
    assert collected((wrong, street())).found() == []


def test_a_class_the_model_is_never_sure_of_needs_less_than_one_it_always_is_sure_of():
    """The threshold of each class is the mean probability on what people gave that class."""
    errors = LabelErrors(CAMVID)
    labels = street()
    labels[84:124, 40:100] = CAR
    cells = street()[2::4, 2::4]
    for lead in (6.0, 2.3):
        answer, logits = says(street(), lead=lead)
        logits.values[:, cells == SKY] = 0
        logits.values[SKY, cells == SKY] = 9.0
        errors.add(lead, labels, PEOPLE, answer, logits, IDS)
    levels = errors.thresholds()
    assert levels[SKY] > 0.99
    assert 0.5 < levels[ROAD] < 0.9
    assert [e.key for e in errors.found()] == [6.0]  # the other is below what road usually has


def test_one_threshold_may_be_named_for_all():
    wrong = street()
    wrong[84:124, 40:100] = PAVEMENT
    assert len(collected((wrong, street()), probability=0.6).found()) == 1
    assert collected((wrong, street()), probability=0.999).found() == []


def test_an_unsure_answer_accuses_nobody():
    labels = street()
    answer, logits = says(np.full_like(labels, BUILDING), lead=0.5)
    errors = LabelErrors(CAMVID)
    errors.add(0, labels, PEOPLE, answer, logits, IDS)
    assert errors.found() == []


def test_frames_without_labels_and_no_frames_yield_nothing():
    assert LabelErrors(CAMVID).found() == []
    nobody = np.full((H, W), VOID, np.uint8)
    assert collected((nobody, street(), ~PEOPLE)).found() == []


def test_only_so_many_are_told_and_always_the_same():
    wrong = street()
    for k in range(4):
        wrong[80:110, 10 + 44 * k : 20 + 44 * k + 4 * k] = CAR
    first = collected((wrong, street())).found()
    assert len(first) == 4
    again = collected((wrong, street())).found(2)
    assert [(e.rect, e.score, e.reason) for e in again] == [
        (e.rect, e.score, e.reason) for e in first[:2]
    ]
    assert [e.score for e in first] == sorted((e.score for e in first), reverse=True)
