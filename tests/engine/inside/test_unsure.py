"""Where a real, tiny net is unsure, and what it says about one class."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from segstudio.core.look import ClassLook, Scale, UnsureKind, UnsureLook
from segstudio.core.prediction import Logits
from segstudio.core.strategy import Strategy
from segstudio.core.uncertainty import MEASURES
from segstudio.engine.inside.unsure import UnsureReader, class_map
from segstudio.engine.predictor import Predictor
from segstudio.errors import ModelError
from segstudio.nets.registry import NetOutput
from tests.engine.conftest import make_frame

FRAME = make_frame(3, (150, 220))


@pytest.fixture(scope="module")
def predictor(card):
    made = Predictor(card, "cpu", precision="fp32")
    yield made
    made.close()


@pytest.fixture(scope="module")
def said(predictor):
    """(prediction, the frame as the net got it)."""
    done = predictor.predict(FRAME)
    return done, predictor.runner.prepare(FRAME.rgb, done.input_size)


@pytest.fixture
def see(predictor, said):
    reader = UnsureReader()

    def ask(kind, prediction=said[0], **more):
        with torch.inference_mode():
            return reader.see(kind, prediction, predictor.runner, said[1], **more)

    ask.reader = reader
    return ask


def probabilities(logits):
    return torch.tensor(logits.values).softmax(0).numpy()


@pytest.mark.parametrize("kind", ["entropy", "margin", "probability"])
def test_a_map_of_the_answer_alone_is_its_measure(see, said, kind):
    found, share = see(kind)
    expected = MEASURES[kind](said[0].logits)
    np.testing.assert_array_equal(found.exact, expected)
    assert share == pytest.approx(expected.mean(), abs=1e-6)
    assert np.abs(found.values / 255 - expected).max() <= 0.5 / 255 + 1e-6
    assert (found.kind, found.low, found.high) == ("values", 0.0, 1.0)
    assert not found.values.flags.writeable
    assert found.histogram.sum() == expected.size
    low, high = np.quantile(expected, (0, 1))
    assert found.histogram[: int(low * 64)].sum() == 0
    assert found.histogram[int(high * 64) + 2 :].sum() == 0


def test_cells_cover_the_frame(see):
    lattice, (h, w) = see("entropy")[0].lattice, see("entropy")[0].values.shape
    assert lattice.place_of(0, 0) == (0, 0)
    assert lattice.place_of(h, w) == pytest.approx((150, 220))


def test_flip_is_how_far_the_mirrored_picture_is_answered_otherwise(see, said, predictor):
    found, share = see("flip")
    with torch.inference_mode():
        mirrored = predictor.runner.whole(said[1].flip(3)).flip(2).softmax(0).numpy()
    expected = np.abs(probabilities(said[0].logits) - mirrored).sum(0) / 2
    np.testing.assert_allclose(found.exact, expected, atol=1e-5)
    assert 0 < share < 1


def test_flip_of_an_answer_that_was_averaged_asks_the_net_for_both(see, said):
    plain = see("flip")[0]
    averaged = replace(
        said[0], logits=Logits(np.zeros((11, 4, 5), np.float32), (150, 220), False, np.arange(11))
    )
    found = see("flip", averaged, is_plain=False)[0]
    np.testing.assert_allclose(found.exact, plain.exact, atol=1e-5)
    assert found.lattice == plain.lattice


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy(flip=True),
        Strategy(scales=(1.0, 1.5)),
        Strategy("sliding", tile=(64, 64)),
        Strategy(crf=True),
    ],
)
def test_flip_is_about_the_net_whatever_the_strategy_makes_of_its_answers(card, see, strategy):
    made = Predictor(card, "cpu", strategy=replace(strategy, precision="fp32"))
    made.look_for(UnsureLook("flip"))
    seen = made.predict(FRAME).seen
    made.close()
    assert seen.trouble == ""
    np.testing.assert_allclose(seen.map.exact, see("flip")[0].exact, atol=1e-4)


def test_windows_cost_no_pass_more_for_what_the_answer_tells(card, monkeypatch):
    made = Predictor(card, "cpu", strategy=Strategy("sliding", tile=(64, 64), precision="fp32"))
    passes = []
    forward = made.runner.forward
    monkeypatch.setattr(made.runner, "forward", lambda x: passes.append(x.shape) or forward(x))
    made.predict(FRAME)
    plain = len(passes)
    made.look_for(UnsureLook("entropy"))
    made.predict(FRAME)
    made.close()
    assert len(passes) == 2 * plain


@pytest.mark.parametrize("kind", get_args(UnsureKind))
def test_every_kind_is_seen_with_each_prediction(card, kind):
    made = Predictor(card, "cpu", precision="fp32")
    made.look_for(UnsureLook(kind))
    for index in (3, 4):
        done = made.predict(make_frame(index, (150, 220)))
        assert done.seen.trouble == ""
        assert done.seen.frame_share == pytest.approx(done.seen.map.exact.mean(), abs=1e-6)
    made.close()


class Even(torch.nn.Module):
    """Answers what it answers for the mirror image, mirrored."""

    def forward(self, x):
        return NetOutput(torch.nn.functional.avg_pool2d(x, 8))


def test_a_net_without_a_left_and_a_right_is_sure_of_flips(predictor, card, said):
    with torch.inference_mode():
        made = Predictor(card, "cpu", precision="fp32")
        made.runner.net = Even()
        values = made.runner.whole(said[1]).numpy()
        logits = Logits(values, (150, 220), False, np.arange(3, dtype=np.uint8))
        done = replace(said[0], logits=logits)
        found, share = UnsureReader().see("flip", done, made.runner, said[1])
    assert found.exact.max() < 1e-6
    assert share < 1e-6


def test_flicker_is_kept_from_frame_to_frame(see, said):
    other = np.where(said[0].labels == 3, 4, 3).astype(np.uint8)
    for index, labels in enumerate((said[0].labels, other, said[0].labels)):
        frame = replace(FRAME, id=replace(FRAME.id, index=index))
        found, share = see("flicker", replace(said[0], frame=frame, labels=labels))
        assert (share > 0.05) == (index > 0)
        assert ("follow each other" in see.reader.note) == (index == 0)
    see("entropy")
    assert see.reader.note == ""
    assert found.high == 0.5
    h, w = found.values.shape
    assert found.lattice.place_of(h, w) == pytest.approx((150, 220))


def test_a_class_is_shown_by_its_probability(said):
    found = class_map(said[0], ClassLook(5))
    np.testing.assert_allclose(found.exact, probabilities(said[0].logits)[5], atol=1e-5)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("kind", ["robust", "full"])
def test_a_scale_can_follow_the_numbers(said, kind):
    found = class_map(said[0], ClassLook(5, scale=Scale(kind)))
    ends = {"robust": (1, 99), "full": (0, 100)}[kind]
    assert (found.low, found.high) == pytest.approx(np.percentile(found.exact, ends), abs=1e-5)
    assert found.values.min() == 0
    assert found.values.max() == 255


@pytest.mark.parametrize(
    "scale", [Scale("fixed", 0, 1), Scale("full"), Scale("robust"), Scale("fixed", -3, 3)]
)
def test_two_classes_are_held_against_each_other_around_zero(said, scale):
    values = said[0].logits.values
    found = class_map(said[0], ClassLook(5, 2, scale))
    np.testing.assert_array_equal(found.exact, values[5] - values[2])
    assert found.low == -found.high
    sizes = np.abs(found.exact)
    expected = {"full": sizes.max(), "robust": np.percentile(sizes, 99)}
    reach = 3 if scale.low == -3 else expected.get(scale.kind, expected["robust"])
    assert found.high == pytest.approx(reach, rel=1e-5)
    opposite = class_map(said[0], ClassLook(2, 5, scale))
    assert np.abs(found.values.astype(int) + opposite.values - 255).max() <= 1


def test_a_class_of_another_model_is_told(said):
    with pytest.raises(ModelError, match="'seeded' has no class 77"):
        class_map(said[0], ClassLook(77))
    with pytest.raises(ModelError, match="no class 78"):
        class_map(said[0], ClassLook(5, 78))
