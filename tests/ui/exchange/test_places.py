"""Where an export may go: whatever is typed gets an answer."""

import os
from pathlib import Path

import pytest

from segstudio.formats.files.target import JOURNAL
from segstudio.ui.exchange.places import free_place, is_half_done, trouble_with, typed, writable

STRANGE = (
    "/", ".", "..", "~nobody-of-this-name", "C:", "", "  ", "a/b", "\0", "/tmp/\0", "/" + "x" * 5000,
    "/" + "x" * 300, "//", "/..", "~", "/dev/null", "/dev/null/a", ".zip", "/.zip",
)  # fmt: skip


@pytest.mark.parametrize("text", STRANGE)
def test_what_is_no_place_is_told_in_a_sentence(text):
    said = trouble_with(text)
    assert said.endswith(".") or text in ("/.zip",)
    place = typed(text)
    assert place is None or place.is_absolute()
    if place is not None:
        is_half_done(place)


def test_a_new_folder_is_fine(tmp_path):
    assert trouble_with(str(tmp_path / "new" / "below")) == ""
    (tmp_path / "empty").mkdir()
    assert trouble_with(str(tmp_path / "empty")) == ""


def test_relative_paths_are_refused_because_nobody_sees_where_they_lead():
    assert "whole path" in trouble_with("labels")


def test_what_is_there_is_said(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("mine")
    assert "mine.txt exists already" in trouble_with(str(tmp_path / "mine.txt"))
    assert "mine.txt is a file" in trouble_with(str(tmp_path / "mine.txt" / "out"))
    assert "not empty" in trouble_with(str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert f"may not write into {tmp_path.name}" in trouble_with(str(tmp_path / "new"))


def test_a_stopped_export_is_gone_on_with(tmp_path):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / JOURNAL).write_text("{}")
    assert trouble_with(str(tmp_path / "half")) == ""
    assert free_place(tmp_path, "half") == tmp_path / "half"
    (tmp_path / "half" / JOURNAL).rename(tmp_path / "half" / "other")
    assert free_place(tmp_path, "half") == tmp_path / "half-2"


def test_the_first_folder_that_can_be_written_into(tmp_path, monkeypatch):
    locked, free = tmp_path / "locked", tmp_path / "free"
    locked.mkdir()
    assert writable(locked, free) == locked
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != locked)
    assert writable(locked, free) == free
    assert writable(locked) == Path.home()
