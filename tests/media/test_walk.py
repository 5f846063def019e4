"""Numbers of pictures that come out of a decoder, and what is kept of them."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from segstudio.media.video_index import VideoIndex
from segstudio.media.walk import DAMAGED, Picture, PictureCache, Walk


class Scripted:
    """A decoder that shows what it is told to."""

    def __init__(self, images, entry_pts=None):
        self.images = list(images)
        self.entry_pts = entry_pts
        self.errors = self.broken = 0
        self.sought = []

    def restart(self):
        self.sought.append("start")

    def seek(self, stamp):
        self.sought.append(stamp)
        return True

    def next(self):
        return self.images.pop(0) if self.images else None


def image(pts, *, corrupt=False, key=False, size=100):
    planes = [SimpleNamespace(buffer_size=size)]
    return SimpleNamespace(pts=pts, is_corrupt=corrupt, key_frame=key, planes=planes)


def stamped(pts, restarts, *, by_time=True):
    return VideoIndex(
        by_time=by_time,
        pts=np.array(pts, np.int64),
        restarts=np.array(restarts, np.int64).reshape(-1, 3),
        damaged=np.zeros(len(pts), np.bool_),
        crc=None,
        time_base=Fraction(1, 1000),
    )


def numbers(walk):
    found = []
    while (item := walk.next()) is not None:
        found.append(item[0])
    return found


def test_pictures_before_the_key_frame_of_a_seek_are_not_trusted():
    """They may be predicted from pictures that were never decoded."""
    index = stamped([0, 10, 20, 30, 40, 50], [(0, 0, 0), (4, 40, 0)])
    decoder = Scripted([image(20), image(30), image(40), image(50)], entry_pts=40)
    walk = Walk(decoder, index, 1)
    assert decoder.sought == [40]
    assert numbers(walk) == [4, 5]


def test_from_the_very_beginning_they_are_shown():
    index = stamped([0, 10, 20], [(1, 10, 0)])
    decoder = Scripted([image(0), image(10), image(20)], entry_pts=10)
    assert numbers(Walk(decoder, index, -1)) == [0, 1, 2]


def test_a_stamp_that_is_not_in_the_index_has_no_number():
    index = stamped([0, 10, 20], [(0, 0, 0)])
    assert numbers(Walk(Scripted([image(0), image(7), image(20)]), index, 0)) == [0, 2]


def test_counting_begins_behind_the_skipped_pictures():
    index = stamped([0] * 9, [(0, 0, 0), (5, 77, 2)], by_time=False)
    decoder = Scripted([image(None) for _ in range(5)])
    walk = Walk(decoder, index, 1)
    assert decoder.sought == [77]
    assert numbers(walk) == [5, 6, 7]


def test_a_restart_point_behind_the_end_is_unusable():
    index = stamped([0] * 9, [(5, 77, 2)], by_time=False)
    assert Walk(Scripted([image(None)]), index, 0).is_usable is False


@pytest.mark.parametrize("by_error", [False, True])
def test_damage_lasts_until_the_next_key_picture(by_error):
    images = [image(n, key=n in (0, 4), corrupt=n == 2 and not by_error) for n in range(6)]
    decoder = Scripted(images)
    walk = Walk(decoder, None, -1)
    notes = []
    for n in range(6):
        decoder.errors += by_error and n == 2
        notes.append(walk.next()[1].note)
    assert notes == ["", "", DAMAGED, DAMAGED, "", ""]


def test_the_cache_drops_what_lies_farthest():
    cache = PictureCache(500)
    cache.focus = cache.aim = 50
    for n in (48, 49, 50, 51, 58, 46):
        cache.put(n, Picture(image(n)))
    assert cache.used_bytes == 500
    assert cache.get(58) is None
    assert cache.get(46) is not None


def test_what_is_aimed_at_is_kept_whatever_was_read_last():
    cache = PictureCache(100)
    cache.focus, cache.aim = 0, 500
    for n in (0, 400, 499, 500):
        cache.put(n, Picture(image(n)))
    assert len(cache) == 1
    assert cache.get(500) is not None
