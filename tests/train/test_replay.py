"""New frames in epochs, earlier ones evenly in between, and all of it by number alone."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.errors import SegStudioError
from segstudio.train.replay import Draw, Mix, Replay


@dataclass(frozen=True)
class Frames:
    name: str
    count: int

    def __len__(self):
        return self.count

    def read(self, number):
        raise NotImplementedError


def test_every_epoch_shows_all_new_frames_once_in_an_order_of_its_own():
    mix = Mix((Frames("a", 3), Frames("b", 4)), Replay(0.3, (Frames("old", 5),)), seed=1)
    new = [d for d in map(mix.draw, range(100)) if d.source < 2]
    epochs = [new[i : i + 7] for i in range(0, 63, 7)]
    every = {Draw(0, i) for i in range(3)} | {Draw(1, i) for i in range(4)}
    assert all(set(epoch) == every for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 5
    old = [d.frame for d in map(mix.draw, range(100)) if d.source == 2]
    assert len(old) == 30
    assert sorted(old[:5]) == list(range(5))


@settings(max_examples=100, deadline=None)
@given(share=st.floats(0, 1), batch=st.integers(1, 16), step=st.integers(0, 10_000))
def test_every_batch_holds_its_share_of_earlier_data(share, batch, step):
    mix = Mix((Frames("new", 6),), Replay(share, (Frames("x", 2), Frames("y", 3))), seed=3)
    drawn = [mix.draw(step * batch + i) for i in range(batch)]
    assert abs(sum(d.source > 0 for d in drawn) - share * batch) <= 1
    assert drawn == [mix.draw(step * batch + i) for i in range(batch)]
    assert all(0 <= d.frame < len(mix.sources[d.source]) for d in drawn)


def test_earlier_sources_are_drawn_from_alike_and_counted_by_name():
    mix = Mix((Frames("new", 6),), Replay(0.5, (Frames("x", 2), Frames("y", 300))))
    assert mix.counts(0, 400) == {"new": 200, "x": 100, "y": 100}
    assert Counter(mix.counts(0, 100)) + Counter(mix.counts(100, 400)) == mix.counts(0, 400)


def test_seeds_and_streams_are_unlike():
    one, two = (Mix((Frames("a", 50),), Replay(0.5, (Frames("b", 50),)), seed=s) for s in (1, 2))
    orders = [
        [m.draw(i + odd).frame for i in range(0, 100, 2)] for m in (one, two) for odd in (0, 1)
    ]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4


def test_a_mix_of_nothing_is_refused():
    for made in (
        lambda: Mix(()),
        lambda: Mix((Frames("none", 0),)),
    ):
        with pytest.raises(SegStudioError, match="no frame to train on"):
            made()
    with pytest.raises(SegStudioError, match=r"30 % of the samples should be earlier data"):
        Replay(0.3)
    with pytest.raises(SegStudioError, match="every source of it has frames"):
        Replay(0.3, (Frames("none", 0),))
    with pytest.raises(SegStudioError, match="between 0 and 1"):
        Replay(1.5, (Frames("x", 1),))
    assert Mix((), Replay(1.0, (Frames("x", 2),))).draw(7).source == 0
