"""Evaluation counts every pair once, by the model's own classes."""

import dataclasses

import numpy as np
import pytest

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.metrics import scores_of
from segstudio.engine.evaluate import evaluate
from segstudio.engine.flow import CancelToken
from segstudio.engine.predictor import Predictor
from segstudio.errors import Cancelled
from tests.engine.conftest import make_frame


@pytest.fixture
def predictor(card):
    made = Predictor(card, "cpu", precision="fp32")
    yield made
    made.close()


def test_a_model_agrees_with_itself(predictor):
    frames = [make_frame(i) for i in range(3)]
    pairs = [(f, predictor.predict(f).labels) for f in frames]
    seen = []
    matrix = evaluate(predictor, pairs, on_progress=seen.append)
    assert seen == [1, 2, 3]
    assert matrix.pixels == sum(f.height * f.width for f in frames)
    assert scores_of(matrix.full).miou == 1.0


def test_void_and_unknown_reference_pixels_are_left_out(predictor):
    frame = make_frame(0)
    reference = predictor.predict(frame).labels.copy()
    reference[:10], reference[10:20] = VOID, 200
    matrix = evaluate(predictor, [(frame, reference)])
    assert matrix.ignored == 20 * frame.width
    assert scores_of(matrix.full).pixel_accuracy == 1.0


def test_class_ids_that_are_no_positions_are_counted_right(card):
    odd = ClassMap(
        "odd", tuple(ClassDef(c.id * 20 + 3, c.name, c.color) for c in card.classes.classes)
    )
    predictor = Predictor(dataclasses.replace(card, classes=odd), "cpu", precision="fp32")
    frame = make_frame(1)
    labels = predictor.predict(frame).labels
    assert set(np.unique(labels)) <= {c.id for c in odd.classes}
    assert scores_of(evaluate(predictor, [(frame, labels)]).full).pixel_accuracy == 1.0


def test_labels_of_another_size_are_refused(predictor):
    with pytest.raises(ValueError, match="give labels of the frame's size"):
        evaluate(predictor, [(make_frame(0), np.zeros((5, 5), np.uint8))])


def test_an_evaluation_can_be_stopped(predictor):
    token = CancelToken()
    pairs = ((make_frame(i), np.zeros((72, 100), np.uint8)) for i in range(100))
    with pytest.raises(Cancelled):
        evaluate(predictor, pairs, on_progress=lambda n: n == 2 and token.cancel(), token=token)
