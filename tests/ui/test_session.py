"""What is open: opening, playing, models, views, and what people are told."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import CAMVID
from segstudio.errors import SettingsError
from segstudio.ui import opening
from segstudio.ui.view_state import ViewState
from tests.ui.conftest import FRAMES, NO_MODEL, picture, wait_for


def is_frame(result, index: int) -> bool:
    """The picture is really frame `index`, whatever its number says."""
    wanted = int(picture(index)[0, 0, 0])
    return abs(int(result.frame.rgb[10, 10, 0]) - wanted) <= 2


def test_a_video_opens_on_its_first_frame_with_its_own_mask(shown):
    session = shown()
    assert session.info.title == "drive.mp4"
    assert is_frame(session.result, 0)
    assert session.result.prediction.frame is session.result.frame
    assert session.models.status.kind == "ready"


def test_seeking_shows_exactly_that_frame(shown, qtbot):
    session = shown()
    for index in (17, 3, FRAMES - 1):
        session.player.seek(index)
        assert session.player.playing.index == index
        wait_for(qtbot, session, index)
        assert is_frame(session.result, index)


def test_steps_stay_inside_the_clip(shown, qtbot):
    session = shown(FRAMES - 2)
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)
    session.player.step(10)
    assert session.player.playing.index == FRAMES - 1
    session.player.step(-1000)
    assert session.player.playing.index == 0
    wait_for(qtbot, session, 0)


def test_a_broken_frame_is_said_and_the_position_stays_on_what_is_shown(
    session, tmp_path, told, qtbot
):
    for index in range(3):
        Image.fromarray(picture(index)).save(tmp_path / f"{index:03d}.png")
    (tmp_path / "001.png").write_bytes(b"\x89PNG broken")
    session.open([tmp_path])
    wait_for(qtbot, session, 0)
    session.player.seek(1)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "001.png" in told[0].text
    assert session.player.playing.index == 0
    session.player.seek(2)
    wait_for(qtbot, session, 2)


def test_playing_ends_on_the_last_frame(shown, qtbot):
    session = shown(FRAMES - 5)
    session.player.play()
    assert session.player.playing.is_playing
    qtbot.waitUntil(lambda: not session.player.playing.is_playing, timeout=20_000)
    wait_for(qtbot, session, FRAMES - 1)
    assert session.player.playing.index == FRAMES - 1


def test_a_video_starts_playing_when_settings_say_so(session, clip, qtbot):
    session.set_setting("play_on_open", True)
    session.open([clip])
    qtbot.waitUntil(lambda: session.player.playing.is_playing, timeout=20_000)
    qtbot.waitUntil(lambda: session.player.playing.index > 2, timeout=20_000)


def test_a_picture_and_a_folder_open_too(session, tmp_path, qtbot):
    for index in range(3):
        Image.fromarray(picture(index)).save(tmp_path / f"{index:03d}.png")
    session.open([tmp_path / "001.png"])
    wait_for(qtbot, session, 0)
    assert session.info.kind == "image"
    assert not session.player.can_play
    session.open([tmp_path])
    qtbot.waitUntil(lambda: session.info.kind == "sequence", timeout=20_000)
    session.player.seek(2)
    wait_for(qtbot, session, 2)
    np.testing.assert_array_equal(session.result.frame.rgb, picture(2))


def test_a_file_that_is_no_video_is_said_and_the_old_picture_stays(shown, tmp_path, told, qtbot):
    session = shown(4)
    before = session.result
    bad = tmp_path / "holiday.mp4"
    bad.write_text("this is no video")
    session.open([bad])
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert told[0].kind == "error"
    assert "holiday.mp4" in told[0].text
    assert session.result is before
    assert session.info.title == "drive.mp4"
    assert session.opening is None


@pytest.mark.parametrize("name", ["gone.mp4", "gone.png", "gone"])
def test_a_file_that_is_gone_is_said(session, tmp_path, told, qtbot, name):
    session.open([tmp_path / name])
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert name in told[0].text
    assert session.info is None


def test_cancelled_opening_tells_nobody_and_closes_what_was_opened(
    session, clip, told, monkeypatch, qtbot
):
    started, go_on, closed = threading.Event(), threading.Event(), threading.Event()
    real = opening._read_ahead

    def slow(*args):
        started.set()
        go_on.wait(20)
        source = real(*args[:2], FreeJob())
        close = source.close
        source.close = lambda: (close(), closed.set())
        return source

    monkeypatch.setattr(opening, "_read_ahead", slow)
    session.open([clip])
    assert started.wait(20)
    assert session.opening is not None
    session.cancel_opening()
    assert session.opening is None
    go_on.set()
    qtbot.waitUntil(closed.is_set, timeout=20_000)
    assert session.info is None
    assert told == []


class FreeJob:
    """A job that nobody cancels."""

    class token:  # noqa: N801
        cancelled = False

        @staticmethod
        def check():
            pass


def test_the_newest_of_two_openings_wins(session, clip, tmp_path, qtbot):
    Image.fromarray(picture(9)).save(tmp_path / "one.png")
    session.open([clip])
    session.open([tmp_path / "one.png"])
    wait_for(qtbot, session, 0)
    assert session.info.title == "one.png"


def test_what_was_opened_is_remembered_newest_first(shown, clip, tmp_path, qtbot):
    session = shown()
    Image.fromarray(picture(0)).save(tmp_path / "one.png")
    session.open([tmp_path / "one.png"])
    qtbot.waitUntil(lambda: session.info.title == "one.png", timeout=20_000)
    assert session.settings.recent == (str(tmp_path / "one.png"), str(clip))


def test_closing_shows_nothing_and_lets_go(shown):
    session = shown()
    session.close_source()
    assert session.info is None
    assert session.result is None
    assert not session.player.can_play


def test_a_model_that_does_not_load_leaves_the_pictures(session, clip, loads, qtbot):
    loads.error = NO_MODEL
    session.open([clip])
    qtbot.waitUntil(lambda: session.models.status.kind == "failed", timeout=20_000)
    assert session.models.status.text == str(NO_MODEL)
    session.player.seek(7)
    wait_for(qtbot, session, 7)
    assert session.result.prediction is None
    loads.error = None
    session.models.reload()
    qtbot.waitUntil(lambda: session.models.status.kind == "ready", timeout=20_000)
    wait_for(qtbot, session, 7)


def test_choosing_no_model_takes_the_masks_away(shown, qtbot):
    session = shown(5)
    session.models.choose(None)
    qtbot.waitUntil(lambda: session.result.prediction is None, timeout=20_000)
    assert session.result.frame.id.index == 5
    assert session.models.status.kind == "none"
    session.models.choose("fake")
    wait_for(qtbot, session, 5)


def test_another_input_size_loads_the_model_again_and_is_remembered(shown, loads, qtbot):
    session = shown()
    session.set_setting("input_scale", 0.5)
    qtbot.waitUntil(lambda: len(loads.made) == 2, timeout=20_000)
    assert loads.made[-1].strategy.input_scale == 0.5
    assert session.settings.input_scale == 0.5
    qtbot.waitUntil(lambda: loads.made[0].is_closed, timeout=20_000)


@pytest.mark.parametrize(
    ("key", "value", "name", "expected"),
    [
        ("how", "sliding", "kind", "sliding"),
        ("how", "mirror", "full_resolution", True),
        ("precision", "bf16", "precision", "bf16"),
        ("flip", True, "flip", True),
        ("crf", True, "crf", True),
        ("compile", True, "compile", True),
    ],
)
def test_a_strategy_applies_to_what_is_shown_at_once(
    shown, loads, qtbot, key, value, name, expected
):
    session = shown()
    session.set_setting(key, value)
    qtbot.waitUntil(lambda: len(loads.made) == 2, timeout=20_000)
    assert getattr(loads.made[-1].strategy, name) == expected
    assert getattr(session.settings, key) == value


def test_a_bug_in_a_background_job_is_not_told_as_a_mistake_of_the_file(session):
    with pytest.raises(KeyError):
        session.tell_error(KeyError("oops"))


def test_an_error_brings_its_causes_along(session, told):
    error = NO_MODEL
    error.__cause__ = ValueError("bad header")
    session.tell_error(error)
    error.__cause__ = None
    assert told[0].detail == "ValueError: bad header"


def test_mode_and_opacity_are_remembered(session):
    session.set_view(replace(session.view, mode="hatched", opacity=0.25))
    assert (session.settings.mask_mode, session.settings.opacity) == ("hatched", 0.25)
    session.set_setting("mask_mode", "outline")
    assert session.view.mode == "outline"


def test_a_wrong_setting_changes_nothing(session):
    before = session.settings
    with pytest.raises(SettingsError):
        session.set_setting("opacity", 7)
    assert session.settings is before


def test_speed_and_loop_outlive_the_window(session):
    session.player.set_speed(2.0)
    session.player.set_loop(loop=True)
    assert (session.settings.speed, session.settings.loop) == (2.0, True)


def test_style_hides_what_is_hidden():
    style = ViewState(hidden=frozenset({3, 8})).style(CAMVID)
    assert not style.visible[3]
    assert not style.visible[8]
    assert style.visible[[0, 1, 2]].all()
    assert not style.visible[255]


def test_solo_shows_one_class_and_solo_again_all():
    alone = ViewState().soloed(4, CAMVID)
    assert [c.id for c in CAMVID.classes if c.id not in alone.hidden] == [4]
    assert alone.soloed(4, CAMVID).hidden == frozenset()
    assert alone.soloed(5, CAMVID).hidden == alone.hidden ^ {4, 5}


@pytest.mark.parametrize(
    ("off", "peeking", "shows"),
    [(False, False, True), (True, False, False), (False, True, False), (True, True, True)],
)
def test_peeking_turns_masks_around(off, peeking, shows):
    view = ViewState(are_masks_off=off, is_peeking=peeking)
    assert view.shows_masks is shows
    assert view.style(CAMVID).hidden is not shows


def test_a_stroke_while_it_plays_stays_on_the_frame_that_is_seen(window, shown, qtbot, loads):
    """Frames that are on their way when the brush comes down do not replace it."""
    session = shown(5)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    session.tools.choose("brush")
    seen = []
    session.shown_changed.connect(lambda: seen.append(session.result.frame.id.index))
    session.player.play()
    qtbot.waitUntil(lambda: len(seen) > 2, timeout=20_000)
    there = session.result.frame.id.index
    assert session.editor.begin("Brush") or session.editor.held is None
    qtbot.waitUntil(lambda: session.result.request >= session.player._dropped_below, timeout=20_000)
    qtbot.wait(200)
    assert session.result.frame.id.index == there
    assert session.player.playing.index == there
    assert not session.player.playing.is_playing
    session.player.step(1)
    qtbot.waitUntil(lambda: session.result.frame.id.index == there + 1, timeout=20_000)
