"""From frame to frame by what is left to do; what the timeline shows of it."""

import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from segstudio.core.brush import rectangle
from segstudio.store.project import FrameAbout, FrameKey, FrameSummary
from segstudio.ui import theme
from segstudio.ui.correcting.marks import DONE, DRAFTED, STATES, Columns, _rows_of
from segstudio.ui.panels.timeline import Timeline
from segstudio.ui.panels.timeline_strips import (
    STATE_HEIGHT,
    STATE_TOP,
    SURE_TOP,
    TONES,
    strips,
)
from tests.ui.conftest import wait_for


@pytest.fixture
def keys(qtbot, window):
    """Press keys as a person would: on the canvas that has the keyboard."""
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    window.canvas.setFocus()

    def press(key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(window.canvas, key, modifier)

    return press


@pytest.fixture
def labelled(qtbot, session):
    """Go to a frame and paint a box there, or confirm it."""

    def label(index, *, confirm=False):
        session.player.seek(index)
        wait_for(qtbot, session, index)
        editor = session.editor
        qtbot.waitUntil(
            lambda: editor.held is not None and editor.held.key.index == index, timeout=20_000
        )
        assert editor.begin("Brush")
        editor.paint(rectangle((10, 10), (30, 30), editor.shape), 5)
        editor.commit()
        if confirm:
            editor.confirm()
        qtbot.waitUntil(lambda: editor.held.unsaved == 0, timeout=20_000)

    return label


def ready(qtbot, session):
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.frames.is_ready, timeout=20_000)
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)


def test_n_goes_over_what_is_left_to_do_in_a_video(qtbot, session, shown, keys, labelled, told):
    shown(0)
    ready(qtbot, session)
    labelled(20)
    labelled(12, confirm=True)
    labelled(6)
    session.player.seek(0)
    wait_for(qtbot, session, 0)
    keys(Qt.Key.Key_N)
    wait_for(qtbot, session, 6)
    keys(Qt.Key.Key_N)
    wait_for(qtbot, session, 20)
    keys(Qt.Key.Key_N)
    assert "No frame to do after this frame." in told[-1].text
    keys(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    wait_for(qtbot, session, 6)
    keys(Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    wait_for(qtbot, session, 12)


def test_k_bookmarks_and_finds_again(qtbot, session, shown, keys):
    shown(5)
    ready(qtbot, session)
    keys(Qt.Key.Key_K)
    assert session.frames.summary(5).is_bookmarked
    session.player.seek(9)
    wait_for(qtbot, session, 9)
    keys(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    wait_for(qtbot, session, 5)
    ready(qtbot, session)
    keys(Qt.Key.Key_K)
    assert not session.frames.summary(5).is_bookmarked


# --- the strips


def columns_of(count, **values):
    made = Columns.blank(count)
    for name, (at, value) in values.items():
        getattr(made, name)[at] = value
    return made


@pytest.mark.parametrize("colors", [theme.DARK, theme.LIGHT], ids=lambda c: c.name)
@pytest.mark.parametrize(("count", "width", "ratio"), [(40, 700, 1.0), (7, 301, 2.0), (2, 9, 1.0)])
def test_where_a_frame_is_on_the_track_the_strip_has_the_colour_of_its_state(
    colors, count, width, ratio
):
    codes = np.random.default_rng(3).integers(0, 4, count)
    made = strips(columns_of(count, code=(slice(None), codes)), width, colors, ratio)
    row = made[round((STATE_TOP + STATE_HEIGHT) * ratio) - 1]
    for index, code in enumerate(codes):
        x = min(round(index / (count - 1) * width * ratio), made.shape[1] - 1)
        want = QColor(getattr(colors, TONES[code])).getRgb() if code else (0, 0, 0, 0)
        assert tuple(row[x].tolist()) == want, index


def test_of_frames_that_share_a_pixel_what_is_left_to_do_is_seen():
    many = columns_of(100_000, code=(slice(None), DONE))
    many.code[[500, 77_777]] = DRAFTED
    made = strips(many, 800, theme.DARK)
    row = made[STATE_TOP + STATE_HEIGHT - 1, :, :3]
    drafted = (row == QColor(theme.DARK.warn).getRgb()[:3]).all(1)
    assert sorted(np.flatnonzero(drafted).tolist()) == [4, 622]
    assert (made[STATE_TOP, ~drafted, :3] == QColor(theme.DARK.good).getRgb()[:3]).all()


def test_a_hundred_thousand_frames_are_painted_without_a_loop_over_them():
    rng = np.random.default_rng(1)
    many = columns_of(
        100_000,
        code=(slice(None), rng.integers(0, 4, 100_000)),
        confidence=(slice(None), rng.random(100_000)),
        flagged=(slice(0, None, 7), True),
        bookmarked=(slice(0, None, 9), True),
    )
    calls = 0

    def count(*_):
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        strips(many, 1000, theme.DARK)
    finally:
        sys.setprofile(None)
    assert calls < 1500


def test_low_confidence_is_red_and_none_is_nothing():
    made = strips(columns_of(3, confidence=([0, 2], [0.4, 1.0])), 90, theme.DARK)
    assert tuple(made[SURE_TOP, 0].tolist()) == QColor(theme.DARK.bad).getRgb()
    assert tuple(made[SURE_TOP, 89].tolist()) == QColor(theme.DARK.good).getRgb()
    assert made[SURE_TOP, 45, 3] == 0


def test_flags_and_bookmarks_stand_above_the_track_also_at_both_ends():
    made = strips(
        columns_of(11, flagged=([0, 10], True), bookmarked=([0, 5], True)), 200, theme.DARK
    )
    top = made[0]
    flagged = (top[:, :3] == QColor(theme.DARK.bad).getRgb()[:3]).all(1)
    marked = (top[:, :3] == QColor(theme.DARK.accent).getRgb()[:3]).all(1)
    assert flagged[1]
    assert flagged[-1]
    assert marked[0]
    assert marked[96]


def test_the_timeline_in_the_window_shows_states_and_says_them(
    qtbot, session, window, shown, labelled
):
    shown(0)
    ready(qtbot, session)
    labelled(20, confirm=True)
    line = window.findChild(Timeline)
    x = round(line._x_of(20))
    picture = line.grab().toImage()
    ratio = picture.devicePixelRatio()
    at = picture.pixelColor(round(x * ratio), round((STATE_TOP + 3) * ratio))
    assert at.name() == theme.DARK.good
    assert "Confirmed · 100 % by hand" in line._text_of(20)
    assert "\n" not in line._text_of(21)
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(round(line._x_of(9)), 27))
    wait_for(qtbot, session, 9)


# --- the table


def test_the_table_says_of_every_frame_what_its_summary_says():
    rng = np.random.default_rng(7)
    about = FrameAbout(None, 0, "", 8, 8)
    summaries = tuple(
        FrameSummary(
            FrameKey(1, 3 * i), about, tuple((rng.integers(0, 9, 5) * rng.integers(0, 2, 5)).tolist()),
            0, 0, [None, "", "note"][i % 3], bool(i % 2), [None, 0.25][i % 2],
        )
        for i in range(300)
    )  # fmt: skip
    summaries += (FrameSummary(FrameKey(1, 1000), about, (0, 0, 0, 0, 64), 1, 1),)
    at, rows = _rows_of(summaries)
    columns = Columns.blank(0).grown(int(at.max()) + 1)
    columns.put(at, rows)
    columns = columns.grown(5000)
    for one in summaries:
        index = one.key.index
        assert STATES[columns.code[index]] == one.state
        assert columns.share[index] == np.float32(one.human_share)
        assert columns.flagged[index] == (one.flag is not None)
        assert columns.bookmarked[index] == one.is_bookmarked
        assert np.isnan(columns.confidence[index]) == (one.confidence is None)
    assert not columns.code[[1, 2, 4000]].any()


def test_the_table_is_empty_without_a_source_and_reads_the_next_one(
    qtbot, session, shown, labelled
):
    shown(0)
    ready(qtbot, session)
    labelled(20, confirm=True)
    session.close_source()
    assert not session.frames.columns(40).code.any()
    shown(0)
    ready(qtbot, session)
    assert np.flatnonzero(session.frames.columns(40).code).tolist() == [20]
