"""The clock that frames are shown by; its wall time is made up here."""

import pytest

from segstudio.engine import play
from segstudio.engine.play import SLIP_S, PlayClock


@pytest.fixture
def wall(monkeypatch):
    """wall[0] is now, in seconds."""
    now = [100.0]
    monkeypatch.setattr(play.time, "monotonic", lambda: now[0])
    return now


def test_frames_are_due_by_their_stamps_and_not_by_a_rate(wall):
    clock = PlayClock()
    stamps = [40_000, 73_000, 2_073_000, 2_080_000]
    assert [round(clock.due(s, 1.0) - 100, 6) for s in stamps] == [0, 0.033, 2.033, 2.04]


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_speed_scales_the_time_between_frames(wall, speed):
    clock = PlayClock()
    clock.due(0, speed)
    assert clock.due(1_000_000, speed) == pytest.approx(100 + 1 / speed)


def test_a_short_stall_is_made_good(wall):
    clock = PlayClock()
    clock.due(0, 1.0)
    clock.slip(SLIP_S * 0.9)
    assert clock.due(1_000_000, 1.0) == 101


def test_a_long_stall_is_accepted(wall):
    clock = PlayClock()
    clock.due(0, 1.0)
    clock.slip(3.0)
    assert clock.due(1_000_000, 1.0) == 104


def test_after_forgetting_the_next_frame_is_due_at_once(wall):
    clock = PlayClock()
    clock.due(0, 1.0)
    clock.forget()
    assert not clock.is_past(0, 1.0)
    wall[0] = 200.0
    assert clock.due(7_000_000, 1.0) == 200
    assert clock.due(7_500_000, 1.0) == 200.5


def test_a_frame_is_past_once_its_time_has_come(wall):
    clock = PlayClock()
    clock.due(0, 1.0)
    assert not clock.is_past(10_000, 1.0)
    assert not clock.is_past(None, 1.0)
    wall[0] = 100.01
    assert clock.is_past(10_000, 1.0)


def test_a_clock_can_begin_later_than_now(wall):
    clock = PlayClock()
    assert not clock.is_running
    clock.begin(5_000_000, delay_s=0.04)
    assert clock.is_running
    assert clock.due(5_000_000, 1.0) == pytest.approx(100.04)
    assert clock.due(6_000_000, 2.0) == pytest.approx(100.54)
