"""Evaluation counts every pair once, by the model's own classes."""

import dataclasses

import numpy as np
import pytest

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import scores_of
from segstudio.core.strategy import Strategy
from segstudio.engine.evaluate import Contestant, Labelled, evaluate, take_turns
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


def contestant(card, name, **strategy):
    made = Contestant(
        name, card, Strategy(precision="fp32", **strategy), np.arange(256, dtype=np.uint8)
    )
    made.load("cpu")
    return made


def labelled(count):
    for i in range(count):
        yield Labelled(f"frame {i}", make_frame(i), np.zeros((72, 100), np.uint8))


def test_models_take_turns_on_each_frame(card):
    order = []
    models = [contestant(card, name) for name in "abc"]
    for model in models:
        real = model.labeller.predict
        model.labeller.predict = lambda frame, m=model, p=real: order.append(m.name) or p(frame)
    take_turns(models, labelled(3), ConfusionMatrix.of(card.classes))
    assert "".join(order) == "abcbcacab"
    assert all(list(m.counts) == ["frame 0", "frame 1", "frame 2"] for m in models)
    assert all(len(values) == 3 for m in models for values in m.stages.values())
    for model in models:
        model.close()


def test_labels_are_counted_in_the_classes_of_the_reference(card):
    other_way = np.arange(256, dtype=np.uint8)
    other_way[: len(card.classes)] = VOID
    model = Contestant("a", card, Strategy(), other_way)
    model.load("cpu")
    seen = []
    take_turns(
        [model],
        labelled(1),
        ConfusionMatrix.of(card.classes),
        on_frame=lambda one, answers: seen.append((one.name, answers)),
    )
    full = model.counts["frame 0"]
    assert full[0, len(card.classes)] == 72 * 100
    assert seen[0][0] == "frame 0"
    assert (seen[0][1]["a"] == VOID).all()
    model.close()


def test_a_model_that_cannot_be_loaded_says_why(card):
    broken = contestant(dataclasses.replace(card, weights="nothing.safetensors"), "broken")
    assert "could not be loaded" in broken.failed
    good = contestant(card, "good")
    take_turns([broken, good], labelled(2), ConfusionMatrix.of(card.classes))
    assert not broken.counts
    assert len(good.counts) == 2
    good.close()


def test_no_frame_is_read_for_nobody(card):
    def predict(frame):
        raise MemoryError("all gone")

    model = contestant(card, "a")
    model.labeller.predict = predict
    read = []
    frames = (read.append(one.name) or one for one in labelled(5))
    take_turns([model], frames, ConfusionMatrix.of(card.classes))
    assert read == ["frame 0"]
    assert model.failed == "The model failed at frame 0: MemoryError: all gone"


def test_a_comparison_can_be_stopped(card):
    token = CancelToken()
    model = contestant(card, "a")
    with pytest.raises(Cancelled):
        take_turns(
            [model],
            labelled(5),
            ConfusionMatrix.of(card.classes),
            on_frame=lambda *_: token.cancel(),
            token=token,
        )
    assert len(model.counts) == 1
    model.close()
