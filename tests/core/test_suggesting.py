"""Which frames are offered, in which order, and why."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from segstudio.core.classes import CAMVID
from segstudio.core.frame import FrameId
from segstudio.core.frame_worth import DoubtfulRegion, FrameWorth
from segstudio.core.geometry import Rect
from segstudio.core.likeness import GAP_S
from segstudio.core.suggesting import Weights, rank, rank_regions

ROAD, FENCE, BUILDING, BICYCLIST = 3, 7, 1, 10


def worth(index, *, shown=None, seconds=None, shares=None, media=0, **measures):
    """Frame `index` of a drive at 10 frames a second that shows something else all the time."""
    rng = np.random.default_rng(index if shown is None else shown)
    seconds = index / 10 if seconds is None else seconds
    class_shares = np.zeros(256, np.float32)
    for class_id, share in (shares or {ROAD: 1.0}).items():
        class_shares[class_id] = share
    return FrameWorth(
        FrameId("clip", index, round(seconds * 1e6), 0), media, class_shares=class_shares,
        descriptor=rng.normal(0, 0.1, 60).astype(np.float32), **measures,
    )  # fmt: skip


def drive(n=100, hard=(), **measures):
    """Mostly easy; `hard` frames are as the measures say."""
    rng = np.random.default_rng(1)
    return [
        worth(i, **measures)
        if i in hard
        else worth(i, entropy=0.03 + rng.random() / 100, unsure=0.01 + rng.random() / 200)
        for i in range(n)
    ]


def indices(picks):
    return [p.frame.frame.index for p in picks]


def test_the_hard_frames_come_first():
    hard = (10, 40, 70)
    picks = rank(drive(hard=hard, entropy=0.2, unsure=0.15), 5, CAMVID)
    assert sorted(indices(picks)[:3]) == list(hard)
    scores = [p.score for p in picks]
    assert scores == sorted(scores, reverse=True)
    assert scores[2] > 2 * scores[3]


def test_of_ten_hard_neighbours_few_are_offered_and_none_within_half_a_second():
    frames = drive(hard=range(40, 50), entropy=0.2, unsure=0.15)
    times = sorted(index / 10 for index in indices(rank(frames, 10, CAMVID)))
    assert len(times) == 10
    assert all(b - a >= GAP_S - 1e-9 for a, b in pairwise(times))
    assert sum(4 <= t < 5 for t in times) <= 2


def test_frames_that_show_the_same_are_offered_once_however_far_apart():
    frames = drive(hard=(10, 60, 90), entropy=0.2, unsure=0.15)
    frames[60] = worth(60, shown=10, entropy=0.21, unsure=0.16)
    found = indices(rank(frames, 20, CAMVID))
    assert found[0] == 60
    assert 10 not in found
    assert found[1] == 90


def test_what_is_near_to_corrected_frames_is_worth_less():
    hard = (10, 50)
    frames = drive(hard=hard, entropy=0.2, unsure=0.15)
    frames[10] = worth(10, entropy=0.25, unsure=0.2)
    assert indices(rank(frames, 1, CAMVID)) == [10]
    in_time = worth(15, shown=2000)
    assert indices(rank(frames, 1, CAMVID, taken=[in_time])) == [50]
    alike = worth(90, shown=10)
    found = indices(rank(frames, 30, CAMVID, taken=[alike]))
    assert found[0] == 50
    assert 10 not in found
    elsewhere = replace(in_time, media=1)
    assert indices(rank(frames, 1, CAMVID, taken=[elsewhere])) == [10]


def test_corrected_frames_without_a_descriptor_count_by_their_time():
    frames = drive(hard=(10, 50), entropy=0.2, unsure=0.15)
    bare = FrameWorth(FrameId("clip", 10, 1_000_000, 0))
    assert indices(rank(frames, 1, CAMVID, taken=[bare])) == [50]


def test_classes_that_were_hardly_corrected_are_wanted():
    frames = drive()
    frames[33] = worth(33, entropy=0.035, unsure=0.012, shares={ROAD: 0.98, BICYCLIST: 0.02})
    corrected = np.zeros(256, np.int64)
    corrected[ROAD] = 1_000_000
    (pick,) = rank(frames, 1, CAMVID, corrected=corrected)
    assert pick.frame.frame.index == 33
    assert "Bicyclist is rare in what you corrected" in pick.reason
    corrected[BICYCLIST] = 200_000
    (pick,) = rank(frames, 1, CAMVID, corrected=corrected)
    assert "rare" not in pick.reason


def test_while_nothing_was_corrected_rare_is_what_few_frames_show():
    frames = drive()
    frames[33] = worth(33, entropy=0.035, unsure=0.012, shares={ROAD: 0.98, BICYCLIST: 0.02})
    (pick,) = rank(frames, 1, CAMVID, corrected=np.zeros(256, np.int64))
    assert pick.frame.frame.index == 33
    assert "Bicyclist is rare among these frames" in pick.reason


def test_void_is_no_class_that_one_looks_for():
    frames = [worth(i, shares={ROAD: 0.999, 255: 0.001}) for i in range(0, 100, 10)]
    assert rank(frames, 3, CAMVID) == []


def test_the_reason_is_one_sentence_that_begins_with_the_largest():
    frames = drive()
    frames[20] = worth(
        20, entropy=0.2, unsure=0.12, meeting=(FENCE, BUILDING), meeting_share=0.6,
        shares={ROAD: 0.99, BICYCLIST: 0.01},
    )  # fmt: skip
    corrected = np.zeros(256, np.int64)
    corrected[ROAD] = 10**6
    (pick,) = rank(frames, 1, CAMVID, corrected=corrected)
    assert pick.reason == (
        "Unsure on 12 % of the frame, most of it where Fence meets Building;"
        " Bicyclist is rare in what you corrected."
    )
    heavy = Weights(rarity=5.0)
    (pick,) = rank(frames, 1, CAMVID, corrected=corrected, weights=heavy)
    assert pick.reason == "Bicyclist is rare in what you corrected."


def test_models_that_disagree_and_classes_that_flicker_are_said():
    frames = [
        worth(i, entropy=0.03, unsure=0.01, disagreement=0.01, flicker=None if i == 0 else 0.0)
        for i in range(50)
    ]
    frames[20] = worth(
        20, entropy=0.03, unsure=0.01, disagreement=0.2, disputed=(FENCE, BUILDING),
        disputed_share=0.3, flicker=0.31,
    )  # fmt: skip
    (pick,) = rank(frames, 1, CAMVID)
    assert pick.reason == (
        "The models disagree on 20 % of the frame, much of it Fence or Building;"
        " the class of 31 % of it flickers."
    )
    assert set(pick.terms) == {"entropy", "unsure", "disagreement", "flicker", "rarity"}


def test_the_same_frames_in_any_order_give_the_same_list():
    frames = drive(hard=(10, 40), entropy=0.2, unsure=0.15)
    first = rank(frames, 12, CAMVID)
    again = rank(frames[::-1], 12, CAMVID)
    assert indices(first) == indices(again)
    assert [p.score for p in first] == [p.score for p in again]
    assert [p.reason for p in first] == [p.reason for p in again]


def test_equal_frames_are_taken_by_their_number():
    frames = [worth(i, shown=1, entropy=0.2, unsure=0.1) for i in range(0, 100, 30)]
    assert indices(rank(frames, 1, CAMVID)) == [0]


@pytest.mark.parametrize("n", [1, 10])
def test_of_frames_that_a_model_is_sure_of_none_is_offered(n):
    assert rank([worth(i) for i in range(40)], n, CAMVID) == []


def test_one_frame_alone_is_offered_when_it_is_unsure():
    (pick,) = rank([worth(0, entropy=0.3, unsure=0.2)], 5, CAMVID)
    assert pick.reason == "Unsure on 20 % of the frame."
    assert pick.score > 0.5


def test_no_frames_no_picks():
    assert rank([], 5, CAMVID) == []
    assert rank([worth(0, entropy=0.3)], 0, CAMVID) == []


def test_a_clip_that_is_hard_all_through_is_spread_over():
    found = sorted(
        indices(rank([worth(i, entropy=0.3, unsure=0.2) for i in range(100)], 5, CAMVID))
    )
    assert len(found) == 5
    assert min(b - a for a, b in pairwise(found)) >= 10


def test_the_frames_of_several_clips_are_not_near_in_time():
    frames = [worth(5, shown=k, media=k, entropy=0.3, unsure=0.2) for k in range(4)]
    assert sorted(p.frame.media for p in rank(frames, 9, CAMVID)) == [0, 1, 2, 3]


def crowd(n=20, strange=1, **measures):
    """n frames that are somewhat alike, 10 s apart, and behind them some like none."""
    rng = np.random.default_rng(3)
    shown = [rng.normal(0, 0.1, 60) for _ in range(n)]
    shown += [rng.normal(0, 0.1, 60) + 2 * (k + 1) for k in range(strange)]
    frames = [worth(100 * i, **measures) for i in range(n + strange)]
    return [
        replace(frame, descriptor=each.astype(np.float32))
        for frame, each in zip(frames, shown, strict=True)
    ]


def test_a_frame_that_stands_for_many_comes_before_a_strange_one():
    frames = crowd(entropy=0.3, unsure=0.2)
    strange = frames[-1].frame.index
    found = indices(rank(frames, 9, CAMVID))
    assert strange not in found[:1]
    assert strange in found
    worse = [*frames[:-1], replace(frames[-1], entropy=0.9, unsure=0.9)]
    assert strange in indices(rank(worse, 3, CAMVID))  # it may well be offered for its own sake


def test_what_a_confirmed_frame_stands_for_is_worth_less():
    frames = crowd(strange=0, entropy=0.3, unsure=0.2)
    before = {p.frame.frame.index: p.score for p in rank(frames[1:], 1, CAMVID)}
    after = {p.frame.frame.index: p.score for p in rank(frames[1:], 1, CAMVID, taken=frames[:1])}
    assert max(after.values()) < max(before.values())


def test_where_nothing_is_known_of_what_frames_show_their_own_worth_decides():
    none = np.zeros(0, np.float32)
    frames = [
        replace(worth(100 * i, entropy=0.1 * i, unsure=0.1), descriptor=none) for i in range(1, 6)
    ]
    found = rank(frames, 9, CAMVID)
    assert indices(found) == [500, 400, 300, 200, 100]
    assert indices(rank(frames, 9, CAMVID, taken=crowd(2, media=1))) == indices(found)
    assert np.isfinite([p.score for p in found]).all()


def test_regions_are_listed_by_doubt_times_area():
    small = DoubtfulRegion(Rect(0, 0, 9, 9), 81, (FENCE, BUILDING), 0.9, 0.0, 0.1)
    big = DoubtfulRegion(Rect(0, 0, 70, 60), 2140, (ROAD, 4), 0.5, 1.0, 0.7)
    frames = [
        worth(0, entropy=0.4, unsure=0.2, regions=(small,)),
        worth(50, entropy=0.3, unsure=0.2, regions=(big,)),
    ]
    found = rank_regions(rank(frames, 2, CAMVID), 5, CAMVID)
    assert [(p.frame.frame.index, p.region) for p in found] == [(50, big), (0, small)]
    assert found[0].reason == "Road or Pavement? The models disagree on 2,140 px."
    assert found[1].reason == "Fence or Building? The model is unsure on 81 px."
    assert len(rank_regions(rank(frames, 2, CAMVID), 1, CAMVID)) == 1


def test_the_same_doubt_at_the_same_place_is_offered_once_before_others():
    def doubt(at, score, classes=(FENCE, BUILDING)):
        return DoubtfulRegion(Rect(*at), 2000, classes, 0.9, 0.0, score)

    frames = [
        worth(0, entropy=0.4, unsure=0.2, regions=(doubt((0, 0, 50, 40), 0.50),)),
        worth(20, entropy=0.4, unsure=0.2, regions=(doubt((2, 2, 48, 44), 0.45, (BUILDING, FENCE)),
                                                    doubt((80, 0, 130, 40), 0.20))),
        worth(900, entropy=0.4, unsure=0.2, regions=(doubt((0, 0, 50, 40), 0.40),)),
        worth(20, shown=77, media=1, entropy=0.4, unsure=0.2,
              regions=(doubt((0, 0, 50, 40), 0.30),)),
    ]  # fmt: skip
    picks = rank(frames, 9, CAMVID)
    assert len(picks) == 4
    found = rank_regions(picks, 9, CAMVID)
    order = [(p.frame.media, p.frame.frame.index, p.region.rect.y0) for p in found]
    assert order == [(0, 0, 0), (0, 900, 0), (1, 20, 0), (0, 20, 80), (0, 20, 2)]
    scores = [p.score for p in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[:4] == pytest.approx([0.5, 0.4, 0.3, 0.2], abs=1e-3)
    assert 0 < scores[4] < 0.15
    assert [p.region for p in rank_regions(picks, 2, CAMVID)] == [p.region for p in found[:2]]
