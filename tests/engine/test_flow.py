"""One newest value between two threads, and the word to stop."""

import threading

import pytest

from segstudio.engine.flow import CancelToken, LatestSlot
from segstudio.errors import Cancelled


def test_a_newer_value_replaces_an_older_one_and_is_counted():
    slot = LatestSlot()
    assert slot.put(1)
    assert not slot.put(2)
    assert slot.replaced == 1
    assert slot.take(0) == 2
    assert slot.take(0) is None
    assert slot.put(3)


def test_a_taker_waits_for_the_value():
    slot, got = LatestSlot(), []
    taker = threading.Thread(target=lambda: got.append(slot.take(5)))
    taker.start()
    slot.put("frame")
    taker.join(5)
    assert got == ["frame"]


def test_closing_wakes_the_taker_with_nothing():
    slot, got = LatestSlot(), []
    taker = threading.Thread(target=lambda: got.append(slot.take()))
    taker.start()
    slot.close()
    taker.join(5)
    assert got == [None]
    assert not slot.put(1)
    assert slot.take(0) is None


def test_none_is_a_value_like_any_other_for_the_counter():
    slot = LatestSlot()
    assert slot.put(None)
    assert not slot.put(None)


def test_waiting_until_it_was_taken():
    slot = LatestSlot()
    slot.put(1)
    assert not slot.wait_empty(0)
    slot.take(0)
    assert slot.wait_empty(0)


def test_a_cancelled_token_stops_at_the_next_look():
    token = CancelToken()
    token.check()
    assert not token.wait(0)
    token.cancel()
    assert token.cancelled
    assert token.wait(5)
    with pytest.raises(Cancelled):
        token.check()
