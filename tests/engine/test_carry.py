"""Labels brought to many frames: human pixels stay, each frame is one step, drift stops the run."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.origins import CONFIRMED, MODEL, NONE, PAINTED, PROPAGATED
from segstudio.engine import carry
from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled, FrameMissing, SegStudioError
from segstudio.store.project import FrameKey, Project

SIZE = (96, 128)


class Moving:
    """A textured wall that moves 3 pixels to the right with every frame; a cut at frame 7."""

    def __init__(self, frames=9, cut=99):
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 256, (24, 60, 3), np.uint8)
        self._wall = np.kron(coarse, np.ones((4, 4, 1), np.uint8))
        self._other = np.ascontiguousarray(255 - self._wall[::-1, ::-1])
        self.frames, self.cut = frames, cut

    def read(self, index):
        if not 0 <= index < self.frames:
            raise FrameMissing(f"There is no frame {index}; choose another.")
        wall = self._wall if index < self.cut else self._other
        left = 60 - 3 * index
        rgb = np.ascontiguousarray(wall[: SIZE[0], left : left + SIZE[1]])
        return Frame(FrameId("x", index, index * 40_000, index + 1), rgb, 0.0)


@pytest.fixture
def project(tmp_path):
    made = Project.create(tmp_path / "a.segproj", CAMVID)
    made.add_media(fingerprint="x", title="x", kind="video", path=tmp_path / "x.mp4",
                   width=SIZE[1], height=SIZE[0], frames=9)  # fmt: skip
    yield made
    assert made.close()


def paint(project, source, index, class_id, box, origin=PAINTED):
    """A rectangle (y0, x0, y1, x1) of one class on a frame."""

    def change(document):
        mask = np.zeros(SIZE, np.bool_)
        mask[box[0] : box[2], box[1] : box[3]] = True
        patch = np.full(SIZE, class_id, np.uint8)
        document.put(carry._whole(mask), patch, origin=origin, over_human=True)

    return carry.edit_frame(project, 1, source.read(index), "Brush", change)


def test_labels_move_with_the_picture_and_carry_their_origin(project):
    source, told = Moving(), []
    paint(project, source, 0, 3, (20, 30, 60, 80))
    text = carry.propagate(project, 1, source, range(4), token=CancelToken(), tell=told.append)
    assert "over 3 frames" in text
    assert [c.key.index for c in told] == [1, 2, 3]
    for index in (1, 2, 3):
        stored = project.load(FrameKey(1, index))
        inside = stored.labels[24:56, 34 + 3 * index : 76 + 3 * index]
        assert (inside == 3).mean() > 0.98
        assert set(np.unique(stored.labels)) <= {3, VOID}
        assert (stored.origin[stored.labels == 3] == PROPAGATED).all()
        assert (stored.origin[stored.labels == VOID] == NONE).all()
        assert [s.title for s in stored.history] == ["Propagated from frame 0"]
        assert stored.summary.confidence == pytest.approx(told[index - 1].confidence)


def test_what_a_human_painted_or_confirmed_stays(project):
    source = Moving()
    paint(project, source, 0, 3, (20, 30, 60, 80))
    paint(project, source, 1, 5, (20, 30, 40, 60))
    paint(project, source, 1, 6, (40, 30, 50, 60), CONFIRMED)
    before = project.load(FrameKey(1, 1))
    carry.propagate(project, 1, source, range(2), token=CancelToken(), tell=lambda _: None)
    after = project.load(FrameKey(1, 1))
    human = before.origin >= PAINTED
    assert (after.labels[human] == before.labels[human]).all()
    assert (after.origin[human] == before.origin[human]).all()
    assert (after.origin == PROPAGATED).any()


def test_it_stops_where_the_picture_changes(project):
    source, told = Moving(cut=3), []
    paint(project, source, 0, 3, (20, 30, 60, 80))
    text = carry.propagate(project, 1, source, range(6), token=CancelToken(), tell=told.append)
    assert text.startswith("Stopped at frame 3")
    assert [c.key.index for c in told] == [1, 2]
    assert project.load(FrameKey(1, 3)) is None


def test_it_goes_back_in_time_and_ends_at_the_clip(project):
    source, told = Moving(), []
    paint(project, source, 2, 3, (20, 30, 60, 80))
    text = carry.propagate(project, 1, source, [2, 1, 0, -1], token=CancelToken(), tell=told.append)
    assert text == "Stopped at frame -1: it cannot be read."
    assert [c.key.index for c in told] == [1, 0]


def test_a_frame_without_labels_cannot_be_carried_on(project):
    with pytest.raises(SegStudioError, match="no labels"):
        carry.propagate(project, 1, Moving(), range(3), token=CancelToken(), tell=lambda _: None)


def test_a_cancelled_run_leaves_whole_frames(project):
    source, token = Moving(), CancelToken()
    paint(project, source, 0, 3, (20, 30, 60, 80))
    with pytest.raises(Cancelled):
        carry.propagate(
            project, 1, source, range(9), token=token,
            tell=lambda c: c.key.index == 2 and token.cancel(),
        )  # fmt: skip
    assert [f.key.index for f in project.frames(1)] == [0, 1, 2]


def draft(project, source, indices, value=7):
    return carry.draft(
        project, 1, source, indices, model="net", token=CancelToken(), tell=lambda _: None,
        predict=lambda frame: np.full(SIZE, value, np.uint8),
    )  # fmt: skip


def test_a_draft_fills_only_what_nobody_painted_or_carried_there(project):
    source = Moving()
    paint(project, source, 0, 3, (20, 30, 60, 80))
    paint(project, source, 0, 4, (0, 0, 10, 10), PROPAGATED)
    assert "2 frames; 1 could not be read" in draft(project, source, [0, 1, 99])
    stored = project.load(FrameKey(1, 0))
    assert (stored.labels[20:60, 30:80] == 3).all()
    assert (stored.labels[:10, :10] == 4).all()
    assert (stored.origin == MODEL).sum() == stored.labels.size - 40 * 50 - 100
    assert stored.summary.about.drafted_by == "net"
    draft(project, source, [1], value=8)  # a better model's draft replaces a worse one's
    assert (project.load(FrameKey(1, 1)).labels == 8).all()


def test_a_hood_holds_for_every_frame_that_is_labelled(project):
    source = Moving()
    mask = np.zeros(SIZE, np.bool_)
    mask[80:] = True
    project.put_setting("hood.1", carry.Hood(10, mask).to_json())
    draft(project, source, [0, 1])
    paint(project, source, 2, 3, (70, 0, 96, 20))
    carry.apply_hood(project, 1, source, [2], token=CancelToken(), tell=lambda _: None)
    for index in (0, 1):
        assert (project.load(FrameKey(1, index)).labels[80:] == 10).all()
    third = project.load(FrameKey(1, 2))
    assert (third.labels[80:, 20:] == 10).all()
    assert (third.labels[70:, :20] == 3).all(), "painted by a human"
    assert (carry.hood_of(project, 1).mask == mask).all()


@pytest.mark.parametrize("content", [None, 3, {}, {"class_id": 1, "size": [9, 9], "mask": "%"}])
def test_a_broken_hood_is_no_hood(content):
    assert carry.Hood.from_json(content) is None


def test_a_frame_that_somebody_else_wrote_meanwhile_is_done_again(project):
    source, calls = Moving(), []

    def change(document):
        if not calls:
            paint(project, source, 0, 5, (0, 0, 4, 4))
        calls.append(document.labels[0, 0])
        patch = np.full(SIZE, 9, np.uint8)
        document.put(carry._whole(np.ones(SIZE, np.bool_)), patch, origin=MODEL)

    carry.edit_frame(project, 1, source.read(0), "Draft", change)
    assert calls == [VOID, 5]
    assert project.load(FrameKey(1, 0)).labels[0, 0] == 5
