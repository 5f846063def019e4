"""Speeds of compared models on a clock of the test's own, and the words they are told in."""

import dataclasses
import importlib
import sys
from itertools import pairwise

import numpy as np
import pytest

from segstudio.core.catalogue import NetFigures
from segstudio.core.classes import CAMVID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine import catalogue
from segstudio.engine.alone import AloneFigures
from segstudio.engine.play import Answer, PipelineResult
from segstudio.ui.bridge.background import Background
from segstudio.ui.comparing import speed_words
from segstudio.ui.comparing.net_counts import ENGINE, NetCounts
from segstudio.ui.comparing.speeds import Speeds

SIZE = (32, 64)


def frame_of(index: int = 0) -> Frame:
    return Frame(FrameId("clip", index, None, 0), np.zeros((4, 6, 3), np.uint8), 0.0)


def said(frame, *, ms=(1.0, 7.0, 2.0), model="fast", size=SIZE, device="cpu", peak=None):
    logits = Logits(np.zeros((11, 2, 2), np.float32), (4, 6), False, np.arange(11, dtype=np.uint8))
    return Prediction(
        frame, model, CAMVID, np.zeros((4, 6), np.uint8), np.zeros(256, np.int64), logits,
        Timing(*ms), size, device, peak_mb=peak,
    )  # fmt: skip


def alone(**changes) -> AloneFigures:
    figures = AloneFigures(
        "fast", 8.3, 120.0, 130.0, 140.0, 20, None, SIZE, "cpu", FrameId("clip", 3, None, 0)
    )
    return dataclasses.replace(figures, **changes)


@pytest.fixture
def clock():
    """Seconds, in a list."""
    return [0.0]


@pytest.fixture
def speeds(clock):
    return Speeds(clock=lambda: clock[0], warm_up=1)


@pytest.fixture
def play(speeds, clock):
    """Frames through one model or several, `every` seconds one."""

    def go(frames: int, *, every=0.25, others=(), a_ms=None, start=0):
        for index in range(start, start + frames):
            clock[0] += every
            frame = frame_of(index)
            answers = tuple(
                Answer(letter, said(frame, model=f"model {letter}", ms=(1, 90, 9)))
                for letter in others
            )
            first = said(frame) if a_ms is None else said(frame, ms=(0, a_ms[index - start], 0))
            speeds.add_result(PipelineResult(frame, first, 0, 0.0, 0, answers))

    return go


def test_nothing_is_told_before_the_first_prediction(speeds):
    assert speeds.reading("A") is None


def test_the_first_prediction_is_warm_up_and_counts_for_nothing(speeds, play):
    play(1, a_ms=[5000])
    first = speeds.reading("A")
    assert (first.total, first.fps_turn, first.fps_shared, first.stages) == (None, None, None, {})
    assert len(first.history) == 0
    assert (first.input_size, first.device) == (SIZE, "cpu")
    play(3, a_ms=[10, 20, 30], start=1)
    assert speeds.reading("A").history.tolist() == [10, 20, 30]


def test_two_predictions_are_warm_up_in_the_window(clock):
    speeds = Speeds(clock=lambda: clock[0])
    for ms in (5000, 900, 10):
        speeds.add("A", said(frame_of(), ms=(0, ms, 0)))
    assert speeds.reading("A").history.tolist() == [10]


def test_percentiles_are_those_of_every_stage_and_of_the_total(speeds):
    rng = np.random.default_rng(0)
    times = rng.gamma(2, 10, (100, 3))
    speeds.add("A", said(frame_of(), ms=(999, 999, 999)))
    for row in times:
        speeds.add("A", said(frame_of(), ms=tuple(row)))
    found = speeds.reading("A")
    for index, name in enumerate(("prepare", "forward", "upsample")):
        spread = found.stages[name]
        wanted = np.percentile(times[:, index], (50, 95, 99))
        assert (spread.p50, spread.p95, spread.p99) == pytest.approx(tuple(wanted), rel=1e-5)
    wanted = np.percentile(times.sum(1), (50, 95, 99))
    assert (found.total.p50, found.total.p95, found.total.p99) == pytest.approx(
        tuple(wanted), rel=1e-5
    )
    assert found.fps_turn == pytest.approx(1000 / found.total.p50)


def test_the_history_is_the_last_240_and_nobody_can_write_into_it(speeds, play):
    play(301, a_ms=range(301))
    history = speeds.reading("A").history
    assert history.dtype == np.float32
    assert history.tolist() == list(range(61, 301))
    with pytest.raises(ValueError, match="read-only"):
        history[0] = 1


def test_shared_fps_are_the_frames_that_came_and_turn_fps_the_models_own(speeds, play):
    play(20, every=0.25, others=("B",))
    a, b = speeds.reading("A"), speeds.reading("B")
    assert a.fps_shared == pytest.approx(4)
    assert b.fps_shared == pytest.approx(4)
    assert a.fps_turn == pytest.approx(100)
    assert b.fps_turn == pytest.approx(10)
    assert (a.shared_with, b.shared_with) == (1, 1)


def test_only_models_that_took_turns_just_now_are_counted(speeds, play):
    play(5, others=("B", "C"))
    assert speeds.reading("A").shared_with == 2
    play(5, every=1.0, others=("C",))
    assert speeds.reading("A").shared_with == 1
    speeds.begin("C")
    assert speeds.reading("A").shared_with == 0


def test_very_slow_models_have_a_rate_too(speeds, play):
    play(4, every=5.0, others=("B",))
    assert speeds.reading("A").fps_shared == pytest.approx(0.2)
    assert speeds.reading("A").shared_with == 1


def test_stepping_by_hand_makes_no_rate(speeds, play):
    play(8)
    speeds.set_playing(playing=False)
    play(5, every=0.5, start=8)
    found = speeds.reading("A")
    assert found.fps_shared is None
    assert found.fps_turn == pytest.approx(100)
    assert len(found.history) == 12
    speeds.set_playing(playing=True)
    play(3, every=0.1, start=13)
    assert speeds.reading("A").fps_shared == pytest.approx(10), "the pause is not part of it"


@pytest.mark.parametrize("change", [{"model": "other"}, {"device": "cuda:0"}, {"size": (64, 128)}])
def test_another_model_device_or_size_starts_anew_with_a_warm_up_of_its_own(speeds, change):
    for ms in (900, 10, 12):
        speeds.add("A", said(frame_of(), ms=(0, ms, 0)))
    speeds.set_alone("A", alone())
    for ms in (800, 30):
        speeds.add("A", said(frame_of(), ms=(0, ms, 0), **change))
    found = speeds.reading("A")
    assert found.history.tolist() == [30]
    assert found.alone is None


def test_other_panes_go_on_when_one_begins_anew(speeds, play):
    play(5, others=("B",))
    speeds.begin("B")
    assert speeds.reading("B") is None
    assert len(speeds.reading("A").history) == 4
    speeds.clear()
    assert speeds.reading("A") is None


def test_the_most_memory_is_told_and_none_where_nobody_knows(speeds):
    speeds.add("A", said(frame_of()))
    assert speeds.reading("A").peak_mb is None
    for peak in (900.0, 300.0, 500.0, 400.0):
        speeds.add("B", said(frame_of(), peak=peak))
    assert speeds.reading("B").peak_mb == 500, "the first one is warm-up"


def test_figures_measured_alone_belong_to_the_model_that_was_measured(speeds, play):
    play(2)
    speeds.set_alone("A", alone(model="one that went away"))
    assert speeds.reading("A").alone is None
    speeds.set_alone("A", alone())
    assert speeds.reading("A").alone.fps == 8.3
    speeds.set_alone("Z", alone())
    assert speeds.reading("Z") is None


def test_the_same_object_comes_while_there_is_nothing_new(speeds, play, clock):
    play(4)
    first = speeds.reading("A")
    assert speeds.reading("A") is first
    clock[0] += 0.01
    assert speeds.reading("A") is first
    counted = NetFigures(*SIZE, parameters=5, gmacs=1.5)
    found = speeds.reading("A", lambda size: counted if size == SIZE else None)
    assert (found.params, found.gmacs) == (5, 1.5)
    play(1, start=4)
    assert speeds.reading("A") is not first


# --- words


def test_every_figure_says_how_it_was_measured(speeds, play):
    play(20, every=0.25, others=("B",))
    speeds.set_alone("A", alone())
    reading = speeds.reading("A")
    assert speed_words.headline(reading) == "4.0 fps"
    assert speed_words.summary(reading) == (
        "4.0 fps while 2 models take turns · 8.3 fps alone (20 runs on frame 3)"
    )
    play(1, every=0.25, others=("B",), start=3)
    assert speed_words.circumstances(speeds.reading("A"))[0].endswith("(20 runs on this frame)")
    shorter = speed_words.circumstances(reading)
    assert all(len(a) > len(b) for a, b in pairwise(shorter))
    assert all("alone" in text for text in shorter)


def test_a_model_that_shares_with_nobody_is_not_called_alone(speeds, play):
    play(20, every=0.1)
    text = speed_words.summary(speeds.reading("A"))
    assert text == "10.0 fps while it is the only model"


def test_paused_the_models_own_time_speaks(speeds, play):
    speeds.set_playing(playing=False)
    play(1, others=("B",))
    assert speed_words.summary(speeds.reading("A")) == "Play or step to measure"
    play(3, others=("B",), start=1)
    assert speed_words.summary(speeds.reading("A")) == "100 fps by its own time, stepping"


def test_stages_costs_and_the_table(speeds, play):
    play(5)
    speeds.set_alone("A", alone())
    reading = dataclasses.replace(speeds.reading("A"), params=3_340_000, gmacs=24.6, peak_mb=1612.4)
    assert speed_words.latencies(reading) == (
        "p50 10 · p95 10 · p99 10 ms",
        "prepare 1.0 · model 7.0 · upsample 2.0 ms",
    )
    assert speed_words.costs(reading) == (
        "3.34 M params · 24.6 GMAC",
        "peak 1,612 MB · 64 × 32 · cpu",
    )
    table = speed_words.table(reading)
    for text in ("7.0", "3,340,000 parameters", "for one pass", "last 4 frames", "130", "1,612 MB"):
        assert text in table
    bare = dataclasses.replace(reading, params=None, gmacs=None, peak_mb=None)
    assert speed_words.costs(bare) == ("", "64 × 32 · cpu")
    assert "None" not in speed_words.table(bare)


# --- counting nets


def test_nothing_is_counted_before_torch_is_there(qtbot, card, monkeypatch):
    background = Background()
    monkeypatch.setattr(background, "run", lambda *_, **__: pytest.fail("torch was fetched"))
    monkeypatch.delitem(sys.modules, ENGINE, raising=False)
    assert NetCounts(background).of(card, SIZE) is None


def test_nets_are_counted_once_in_the_background_and_failures_too(qtbot, card, monkeypatch):
    asked = []

    def count_model(card, size):
        asked.append((card.name, size))
        if card.name == "bad":
            raise RuntimeError("no such operator")
        return NetFigures(*size, parameters=7, gmacs=0.5)

    background = Background()
    counts = NetCounts(background)
    monkeypatch.setattr(catalogue, "count_model", count_model)
    importlib.import_module(ENGINE)
    assert counts.of(card, SIZE) is None
    bad = dataclasses.replace(card, name="bad", params=3)
    assert counts.of(bad, SIZE) is None
    assert counts.of(card, SIZE) is None, "it is being counted"
    qtbot.waitUntil(lambda: counts.of(bad, SIZE) is not None, timeout=20_000)
    assert counts.of(card, SIZE) == NetFigures(*SIZE, parameters=7, gmacs=0.5)
    assert counts.of(bad, SIZE) == NetFigures(*SIZE, parameters=3)
    assert asked == [("fake", SIZE), ("bad", SIZE)]
    assert background.close() == []
