"""What a run reported, told again: curves, the newest figures, the best step."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.training import TrainEvent
from segstudio.ui.training.run_record import RunRecord, parse_event

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=3,
)
KINDS = ("preparing", "started", "step", "validated", "saved", "not_saved", "smaller_batch", "paused",
         "resumed", "stopped", "failed", "finished", "novelty")  # fmt: skip
FIGURES = st.dictionaries(
    st.sampled_from(("loss", "lr", "samples_per_s", "eta_s", "memory_mb", "set", "miou", "iou",
                     "pictures", "is_best", "why", "batch", "accumulation", "notes",
                     "what", "done", "of")),
    ANYTHING,
)  # fmt: skip
EVENTS = st.builds(TrainEvent, st.sampled_from(KINDS), st.integers(0, 2**53), FIGURES)


def same(a, b):
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


def curves(record):
    found = [record.loss, record.lr]
    for name in record.sets:
        found.append(record.miou(name))
        found.extend(record.iou(name, c) for c in record.classes)
    return [part for curve in found for part in curve]


def test_a_run_is_told_again_from_its_events(story):
    record = RunRecord.of(story())
    steps, loss = record.loss
    assert steps.tolist() == list(range(20, 1201, 20))
    assert loss[0] > 1.3 > 0.5 > loss[-1]
    assert record.lr[1][-1] == 0
    assert record.sets == ("held out",)
    assert record.miou("held out")[0].tolist() == [200, 400, 600, 800, 1000, 1200]
    assert math.isnan(record.iou("held out", "Pedestrian")[1][0])
    assert record.iou("held out", "Road")[1][-1] > record.iou("held out", "Road")[1][0]
    assert (record.state, record.step, record.saved_step) == ("finished", 1200, 1200)
    assert record.best is not None
    assert record.best[0] == 1200
    assert record.setup.precision == "bfloat16"
    assert record.memory_mb == 5120.4


def test_the_best_step_is_the_one_whose_weights_were_kept(story):
    record = RunRecord.of(e for e in story() if e.step <= 800)
    assert record.best is not None
    assert record.best[0] == 600
    assert record.best[1] == pytest.approx(record.miou("held out")[1][2])
    assert record.saved_step == 800


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_run_that_crashed_and_went_on_has_the_curves_of_one_that_did_not(data):
    whole = list(_plain(400))
    saved = [e.step for e in whole if e.kind == "saved"]
    told: list[TrainEvent] = []
    start = 0
    for _ in range(data.draw(st.integers(0, 3))):
        end = data.draw(st.integers(start, 400))
        told += [TrainEvent("started", start, {})]
        told += [e for e in whole if start < e.step <= end]
        start = max((s for s in saved if s <= end), default=0)
    told += [TrainEvent("started", start, {}), *(e for e in whole if e.step > start)]
    crashed, plain = RunRecord.of(told), RunRecord.of(whole)
    assert same(curves(crashed), curves(plain))
    assert (crashed.best, crashed.saved_step) == (plain.best, plain.saved_step)


def test_what_was_reported_beyond_the_checkpoint_is_forgotten_at_once():
    record = RunRecord.of(_plain(390))
    record.add(TrainEvent("started", 350, {}))
    assert record.loss[0].max() == 350
    assert record.miou("a")[0].max() == 350
    assert (record.best, record.saved_step) == ((300, 300 / 390), 350)
    record = RunRecord.of(_plain(390))
    record.add(TrainEvent("started", 100, {}))
    assert record.loss[0].max() == record.miou("a")[0].max() == record.saved_step == 100


def _plain(steps):
    for step in range(10, steps + 1, 10):
        yield TrainEvent("step", step, {"loss": math.cos(step), "lr": 1 / step})
        if step % 50 == 0:
            yield TrainEvent("validated", step, {"set": "a", "miou": step / steps, "iou": {"x": 0}})
            yield TrainEvent("saved", step, {"is_best": step % 100 == 0})


@given(st.lists(EVENTS, max_size=8))
@settings(max_examples=50, deadline=None)
def test_nothing_that_a_run_says_breaks_the_record(events):
    record = RunRecord.of(events)
    for part in curves(record):
        assert part.ndim == 1
    for steps, values in (record.loss, record.lr):
        assert (np.diff(steps) > 0).all()
        assert not np.isinf(values).any()
    assert record.step >= 0
    assert record.best is None or record.best[0] >= 0
    _ = record.pictures, record.eta_s, record.samples_per_s


@given(EVENTS)
@settings(max_examples=40, deadline=None)
def test_an_event_survives_its_line(event):
    told = parse_event(event.to_json())
    if told is None:  # a figure of the name of the line's own keys, or no number of JSON's
        assert {"event", "step"} & event.figures.keys()
        return
    assert (told.kind, told.step) == (event.kind, event.step)


@given(st.text(max_size=60) | ANYTHING.map(lambda v: json.dumps(v)))
@settings(max_examples=50, deadline=None)
def test_a_strange_line_is_no_event_and_no_error(line):
    found = parse_event(line)
    assert found is None or isinstance(found.step, int)


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_line_is_no_event(cut):
    line = TrainEvent("step", 20, {"loss": 1.0, "lr": 0.1}).to_json()
    assert parse_event(line[:cut]) is None


def test_what_a_later_run_wrote_behind_a_torn_line_is_read():
    torn = TrainEvent("step", 20, {"loss": 1.0}).to_json()[:25]
    found = parse_event(torn + TrainEvent("started", 10, {"device": "cpu"}).to_json())
    assert found is not None
    assert (found.kind, found.step) == ("started", 10)


@pytest.mark.parametrize("line", ['{"event": "step"}', '{"event": 1, "step": 1}', "[1]", "null",
                                  '{"event": "step", "step": true}', "[" * 100_000,
                                  '{"event": "step", "step": -1}', '{"step": 1e400}'])  # fmt: skip
def test_what_is_no_event_is_passed_over(line):
    assert parse_event(line) is None


def test_kinds_of_a_later_version_are_kept():
    record = RunRecord.of([TrainEvent("novelty", 3, {"a": 1})] * 30)
    assert len(record.strange) == 20
    assert record.state == "waiting"


def test_what_comes_before_the_first_step_is_known_until_the_run_starts():
    copying = {"what": "copying the corrected frames", "done": 3, "of": 8}
    record = RunRecord.of([TrainEvent("preparing", 0, copying)])
    assert record.preparing == ("copying the corrected frames", 3, 8)
    assert record.state == "waiting"
    record.add(TrainEvent("started", 0, {}))
    assert record.preparing[0] == ""


def test_what_went_wrong_on_the_way_is_noted():
    record = RunRecord.of([
        TrainEvent("started", 0, {}),
        TrainEvent("smaller_batch", 12, {"batch": 4, "accumulation": 2, "why": "memory"}),
        TrainEvent("not_saved", 20, {"why": "The disk is full."}),
    ])  # fmt: skip
    assert "2 batches of 4" in record.notes[0]
    assert "The disk is full." in record.notes[1]


def test_relative_pictures_lie_in_the_run(tmp_path):
    rows = [{"frame": "/a.png", "labels": "/b.png", "prediction": "pictures/1.png"}, {"frame": 3}]
    record = RunRecord.of([TrainEvent("validated", 1, {"set": "s", "pictures": rows})], tmp_path)
    (picture,) = record.pictures
    assert picture.prediction == tmp_path / "pictures" / "1.png"
    assert str(picture.frame) == "/a.png"
