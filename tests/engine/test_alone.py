"""A model measured alone: warm-up, percentiles, an end on request, memory of its own."""

import dataclasses

import numpy as np
import pytest
import torch

from segstudio.engine import device as devices
from segstudio.engine.alone import LEAST, WARM_UP, measure_alone
from segstudio.engine.bench import make_frame
from segstudio.engine.catalogue import count_model, measure_net
from segstudio.engine.flow import CancelToken
from segstudio.engine.predictor import Predictor
from segstudio.errors import Cancelled


class Timed:
    """A predictor whose every prediction takes the next of `costs`, on a clock of its own."""

    device = "cpu"

    def __init__(self, prediction, costs, peaks=()):
        self.now = 0.0
        self._prediction, self._costs, self._peaks = prediction, iter(costs), iter(peaks)
        self.frames = []

    def clock(self):
        return self.now

    def predict(self, frame):
        self.frames.append(frame)
        self.now += next(self._costs) / 1000
        return dataclasses.replace(self._prediction, peak_mb=next(self._peaks, None))


@pytest.fixture(scope="module")
def frame():
    return make_frame((64, 96))


@pytest.fixture
def prediction(card, frame):
    predictor = Predictor(card, "cpu")
    yield predictor.predict(frame)
    predictor.close()


def test_the_warm_up_does_not_count(prediction, frame):
    costs = [5000.0, 900.0, 800.0] + [10.0 * n for n in range(1, 11)]
    timed = Timed(prediction, costs)
    found = measure_alone(timed, frame, runs=10, clock=timed.clock)
    assert (found.p50, found.p95, found.p99) == pytest.approx(
        tuple(np.percentile(costs[WARM_UP:], (50, 95, 99)))
    )
    assert found.fps == pytest.approx(1000 / 55)
    assert (found.runs, found.frame, found.device) == (10, frame.id, "cpu")
    assert len(timed.frames) == 10 + WARM_UP
    assert all(one is frame for one in timed.frames)


def test_the_most_memory_of_any_run_is_told_and_none_where_nobody_can_tell(prediction, frame):
    peaks = [900.0] * WARM_UP + [10.0, 30.0, 20.0]
    timed = Timed(prediction, [1.0] * len(peaks), peaks)
    assert measure_alone(timed, frame, runs=3, clock=timed.clock).peak_mb == 30.0
    timed = Timed(prediction, [1.0] * len(peaks))
    assert measure_alone(timed, frame, runs=3, clock=timed.clock).peak_mb is None


def test_a_very_slow_model_gets_fewer_runs_and_says_so(prediction, frame):
    timed = Timed(prediction, [6000.0] * 30)
    found = measure_alone(timed, frame, clock=timed.clock)
    assert found.runs == LEAST
    assert len(timed.frames) == WARM_UP - 1 + LEAST
    timed = Timed(prediction, [600.0] * 30)
    assert measure_alone(timed, frame, clock=timed.clock).runs == 17


def test_it_stops_between_two_runs(prediction, frame):
    token = CancelToken()

    def costs():
        yield 1.0
        token.cancel()
        yield 1.0

    timed = Timed(prediction, costs())
    with pytest.raises(Cancelled):
        measure_alone(timed, frame, token=token, clock=timed.clock)
    assert len(timed.frames) == 2


def test_a_real_model_is_measured(card, frame):
    predictor = Predictor(card, "cpu")
    found = measure_alone(predictor, frame, runs=2)
    predictor.close()
    assert found.input_size == card.input.size_for(64, 96)
    assert 0 < found.p50 <= found.p95 <= found.p99
    assert found.peak_mb is None


def test_memory_is_that_of_the_model_and_not_of_its_neighbours(monkeypatch):
    held = {"now": 700 * 2**20, "peak": 5000 * 2**20}  # 300 MiB are another model's
    monkeypatch.setattr(
        torch.cuda, "reset_peak_memory_stats", lambda device: held.update(peak=held["now"])
    )
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: held["now"])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: held["peak"])
    peak = devices.PeakMemory(torch.device("cuda", 0), own=400 * 2**20)
    held["peak"] = 1200 * 2**20
    assert peak.mb() == 400 + 500
    assert devices.PeakMemory(torch.device("cpu"), own=1).mb() is None


def test_a_model_is_counted_as_its_net_is(card):
    whole = measure_net(card.net, card.net_args, len(card.classes), 64, 96)
    found = count_model(card, (64, 96))
    assert (found.parameters, found.gmacs) == (whole.parameters, whole.gmacs)
    assert found.gmacs > 0


def test_what_cannot_be_counted_stays_unknown(card):
    file = dataclasses.replace(card, net="onnx", params=12)
    found = count_model(file, (64, 96))
    assert (found.parameters, found.gmacs) == (12, None)
    misbuilt = dataclasses.replace(card, net_args={"no_such": 1}, params=None)
    assert count_model(misbuilt, (64, 96)).parameters is None
