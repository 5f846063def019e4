"""A file is the old one or the new one, never something between."""

import os
import sys
from pathlib import Path

import pytest

from segstudio.errors import SegStudioError
from segstudio.store.atomic import atomic_path, atomic_write


def test_it_writes_and_overwrites(tmp_path):
    file = tmp_path / "deep" / "down" / "a.txt"
    atomic_write(file, b"one")
    atomic_write(file, b"two")
    assert file.read_bytes() == b"two"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("call", ["fsync", "write", "replace"])
def test_a_failure_anywhere_keeps_the_old_file(call, tmp_path, monkeypatch):
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")

    def fail(*_args, **_more):
        raise OSError(28, "No space left on device")

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
        monkeypatch.setattr("fcntl.fcntl", fail, raising=False)
    elif call == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(SegStudioError, match=r"a\.bin could not be written .*No space left"):
        atomic_write(file, b"new")
    monkeypatch.undo()
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    """fsync of the file, then the rename, then fsync of the folder."""
    happened = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(descriptor):
        kind = "folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file"
        happened.append(kind)
        real_sync(descriptor)

    def replace(self, target):
        happened.append("rename")
        return real_replace(self, target)

    if not sys.platform.startswith("linux"):
        pytest.skip("looks at /proc")
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    atomic_write(tmp_path / "a", b"x")
    assert happened == ["file", "rename", "folder"]


def test_an_exception_in_the_block_keeps_the_old_file(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"old")

    def fail():
        with atomic_path(file) as temporary:
            assert temporary.parent == tmp_path
            assert temporary.suffix == ".mp4"
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path):
    real = tmp_path / "real.txt"
    real.write_bytes(b"old")
    link = tmp_path / "link.txt"
    link.symlink_to(real)
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_the_mode_is_kept(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o640)
    atomic_write(file, b"new")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SegStudioError, match="read-only"):
        atomic_write(file, b"new")
    assert file.read_bytes() == b"old"


def test_what_a_killed_program_left_goes_after_a_day(tmp_path):
    file = tmp_path / "a[1].png"
    old = tmp_path / ".a[1].png.0123.tmp.png"
    young = tmp_path / ".a[1].png.4567.tmp.png"
    other = tmp_path / ".a1.png.0123.tmp.png"
    for left in (old, young, other):
        left.write_bytes(b"half")
    for left in (old, other):
        os.utime(left, (1, 1))
    atomic_write(file, b"new")
    assert sorted(tmp_path.iterdir()) == sorted([file, young, other])


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(SegStudioError, match="could not be written"):
        atomic_write(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
