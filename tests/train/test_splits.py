"""What is judged is never a neighbour of what was trained on."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.train.splits import Gap, split


@dataclass(frozen=True)
class At:
    clip: str
    place: int
    time_s: float | None = None


def every(seconds, count, clip="a"):
    return [At(clip, i, i * seconds) for i in range(count)]


placed = st.builds(
    At,
    st.sampled_from(("a", "b", "c")),
    st.integers(0, 200),
    st.one_of(st.none(), st.floats(0, 60, allow_nan=False)),
)


@settings(max_examples=300, deadline=None)
@given(
    frames=st.lists(placed, max_size=40, unique=True),
    fraction=st.floats(0.01, 0.9),
    seconds=st.floats(0, 20),
    count=st.integers(0, 50),
    seed=st.integers(0, 9),
)
def test_every_frame_is_in_one_part_and_the_gap_is_kept(frames, fraction, seconds, count, seed):
    gap = Gap(seconds, count)
    found = split(frames, fraction=fraction, gap=gap, seed=seed)
    parts = [*found.train, *found.held_out, *found.dropped]
    assert sorted(parts, key=repr) == sorted(frames, key=repr)
    for part in (found.train, found.held_out, found.dropped):
        assert list(part) == [f for f in frames if f in part]
    if frames:
        assert found.train
    has_times = all(f.time_s is not None for f in frames)
    for judged in found.held_out:
        for learned in found.train:
            if judged.clip != learned.clip:
                continue
            if has_times:
                assert abs(judged.time_s - learned.time_s) >= seconds - 1e-9
            else:
                assert abs(judged.place - learned.place) >= count
    assert found == split(frames, fraction=fraction, gap=gap, seed=seed)
    if len({f.clip for f in frames}) > 1:
        assert {f.clip for f in found.held_out}.isdisjoint(f.clip for f in found.train)
        assert found.held_out
        assert not found.dropped
    assert found.reason.endswith(".")
    assert found.is_validated == found.reason.startswith("Held out")


def test_of_several_clips_whole_ones_are_held_out():
    frames = every(1, 8) + every(1, 2, "b") + every(1, 10, "c")
    found = split(frames, fraction=0.1)
    assert found.reason == "Held out: clip 2 of 3 (2 of 20 frames)."
    assert {f.clip for f in found.held_out} == {"b"}
    assert len(found.train) == 18
    assert not found.dropped


def test_several_clips_are_named_together():
    frames = [f for clip in "abcde" for f in every(1, 4, clip)]
    found = split(frames, fraction=0.4)
    assert len({f.clip for f in found.held_out}) == 2
    assert " and " in found.reason


def test_one_of_two_clips_is_held_out_even_when_it_is_half_of_all():
    found = split(every(1, 5) + every(1, 5, "b"))
    assert len(found.held_out) == len(found.train) == 5


@pytest.mark.parametrize("seed", range(6))
def test_one_clip_gives_an_end_of_it_and_a_gap(seed):
    found = split(every(1, 20), gap=Gap(seconds=3), seed=seed)
    assert found.reason in (
        "Held out: the last 20 % of the clip, 3 s apart (4 of 20 frames).",
        "Held out: the first 20 % of the clip, 3 s apart (4 of 20 frames).",
    )
    assert [len(p) for p in (found.train, found.held_out, found.dropped)] == [14, 4, 2]


def test_a_stretch_that_stands_alone_is_taken_before_one_that_costs_frames():
    near = [At("a", i, t) for i, t in enumerate((0.0, 0.5, 1.0, 1.5, 30.0, 60.0, 60.5, 61.0))]
    found = split(near, fraction=0.125)
    assert [f.time_s for f in found.held_out] == [30.0]
    assert not found.dropped
    assert "from its middle" in found.reason


def test_stills_without_a_time_are_kept_apart_by_their_numbers():
    found = split([At("a", i) for i in range(40)], gap=Gap(frames=5))
    assert "5 frames apart" in found.reason
    assert len(found.dropped) == 4


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        (every(1, 1), "there is one frame only"),
        (
            every(0.1, 20),
            "keeping them 3 s apart would leave less than half of the 20 frames to train on",
        ),
        (
            every(0.1, 2),
            "keeping them 3 s apart would leave less than half of the 2 frames to train on",
        ),
    ],
)
def test_too_few_frames_are_all_trained_on_and_nobody_calls_that_validation(frames, why):
    found = split(frames)
    assert not found.is_validated
    assert found.train == tuple(frames)
    assert found.reason == (
        f"Nothing is held out, because {why}; figures on trained frames are not validation."
    )


def test_a_shorter_stretch_is_held_out_where_the_gap_eats_too_much():
    found = split(every(1 / 15, 101))  # 6.7 s
    assert [len(p) for p in (found.train, found.held_out, found.dropped)] == [45, 12, 44]
    assert found.reason.endswith(
        "12 % of the clip, 3 s apart (12 of 101 frames); more would leave too little to train on."
    )


def test_no_frame_at_all_is_said():
    assert split([]).reason == "There is no frame to train on."
    assert not split(every(9, 9), fraction=0).is_validated
