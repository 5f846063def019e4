"""Whole clips, or stretches with a gap: neighbours never lie in two splits."""

from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.placed import Gap
from segstudio.engine.exchange.splits import Splits, divide
from segstudio.errors import UsageError


@dataclass(frozen=True)
class Shot:
    clip: str
    place: int
    time_s: float | None = None


def shots(**clips):
    return [Shot(clip, i, i / 10) for clip, count in clips.items() for i in range(count)]


def test_clips_stay_whole_and_come_near_to_the_shares():
    frames = shots(**{f"c{i}": 10 for i in range(20)})
    found = divide(frames, Splits())
    assert found.counts() == {"train": 160, "val": 20, "test": 20}
    by_clip = {}
    for frame, split in zip(frames, found.of, strict=True):
        by_clip.setdefault(frame.clip, set()).add(split)
    assert all(len(each) == 1 for each in by_clip.values())
    assert found.notes == ()


def test_the_seed_decides_and_repeats():
    frames = shots(**{f"c{i}": 10 for i in range(20)})
    assert divide(frames, Splits(seed=1)) == divide(frames, Splits(seed=1))
    assert divide(frames, Splits(seed=1)).of != divide(frames, Splits(seed=2)).of


def test_no_split_stays_empty_while_there_are_clips():
    found = divide(shots(a=100, b=1, c=1), Splits())
    assert found.counts() == {"train": 100, "val": 1, "test": 1}
    found = divide(shots(a=5, b=5), Splits())
    assert set(found.counts()) == {"train", "val"}
    assert found.notes == ("The test split stays empty: only 2 clips are there.",)


def test_what_a_person_chose_is_kept_and_the_rest_is_divided():
    frames = shots(a=10, b=10, c=10, d=10)
    found = divide(frames, Splits((50, 25, 25), {"a": "test", "b": "val"}))
    by_clip = dict(zip((f.clip for f in frames), found.of, strict=True))
    assert by_clip == {"a": "test", "b": "val", "c": "train", "d": "train"}


def test_a_single_clip_is_cut_with_gaps():
    frames = shots(a=300)  # 30 s
    found = divide(frames, Splits(gap=Gap(seconds=2)))
    assert found.counts() == {"train": 221, "val": 11, "test": 30}
    for split in ("train", "val", "test"):
        where = [i for i, s in enumerate(found.of) if s == split]
        assert where == list(range(where[0], where[-1] + 1))
    assert found.notes[0].startswith("a is the only clip, so it is cut into stretches 2 s apart;")


def test_a_clip_that_is_too_short_is_not_divided():
    found = divide(shots(a=20), Splits())
    assert set(found.of) == {"train"}
    assert found.notes[0].startswith("Nothing is divided: a is the only clip")
    assert divide([], Splits()).of == ()


def test_pictures_without_times_keep_apart_by_number():
    frames = [Shot("a", 7 * i) for i in range(10)]
    found = divide(frames, Splits((80, 20, 0), gap=Gap(frames=7)))
    assert found.counts() == {"train": 8, "val": 2}
    assert "left out" not in found.notes[0]


@given(
    st.lists(st.floats(0, 60), min_size=1, max_size=60),
    st.tuples(st.floats(0.01, 5), st.floats(0, 5), st.floats(0, 5)),
    st.floats(0, 10),
)
@settings(deadline=None, max_examples=150)
def test_frames_of_two_splits_are_never_nearer_than_the_gap(times, shares, wide):
    frames = [Shot("a", i, t) for i, t in enumerate(times)]
    found = divide(frames, Splits(shares, gap=Gap(seconds=wide)))
    placed = [(t, s) for t, s in zip(times, found.of, strict=True) if s is not None]
    assert placed
    for (one, first), (two, second) in product(placed, placed):
        assert first == second or abs(one - two) >= wide - 1e-9


@pytest.mark.parametrize("text", ["80", "a/b", "1/2/3/4", "0/0", "-1/2", "nan/1", "inf/1"])
def test_shares_that_divide_nothing_are_refused(text):
    with pytest.raises(UsageError):
        Splits.parse(text)


def test_shares_are_read_from_text():
    assert Splits.parse("80/10/10") == (80, 10, 10)
    assert Splits.parse("90/10") == (90, 10, 0)


def test_a_clip_or_split_that_is_not_there_is_told():
    with pytest.raises(UsageError, match="no clip 'x'"):
        divide(shots(a=3, b=3), Splits(fixed={"x": "val"}))
    with pytest.raises(UsageError, match="'dev' is no split"):
        Splits(fixed={"a": "dev"})
