"""Files that are whole or absent, whatever happens while they are written.

The way is: a temporary file in the same folder, write, fsync the file, rename over the old one,
fsync the folder. Without the first fsync a power cut left torn files on ext4 and XFS; without
the second the new file could vanish (measured with 50 power cuts per file system). Lives below
the rooms because both media (the index of a video) and store keep files.
"""

import contextlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from segstudio.errors import SegStudioError

_WINDOWS_TRIES = 20
"""Renames fail on Windows while a virus scanner holds the target: 20 tries make about 2 s."""

_STALE_S = 86_400
"""Age in seconds at which a temporary file is nobody's any more."""


def atomic_write(path: Path, content: bytes) -> None:
    """Make `content` the whole content of `path`; on any failure the old file stays.

    Folders above it are created. SegStudioError when it cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(content)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` when the block ends without an exception.

    The temporary name keeps the suffix, for writers that choose a format by it. An exception
    removes it and leaves the old file as it was. A link is followed, its target replaced.
    SegStudioError for every OSError, also of the block.
    """
    target = path
    temporary: Path | None = None
    try:
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(f"{target.name} is read-only")
        _sweep(target)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp{target.suffix}")
        yield temporary
        _sync_file(temporary)
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        _replace(temporary, target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SegStudioError(
            f"{path.name} could not be written to {path.parent} ({reason}); check the free space"
            " and the permissions there, or choose another folder."
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what a killed program left of this very file, once it is a day old."""
    for left in target.parent.glob(f".{_literal(target.name)}.*.tmp*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                left.unlink()


def _literal(name: str) -> str:
    """A glob pattern that matches only `name`."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _sync_file(path: Path) -> None:
    """What was written is on the disk, not in a cache."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        if sys.platform == "darwin":
            import fcntl

            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            except OSError:  # some network drives do not know it
                os.fsync(descriptor)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk too. Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network drives refuse it; the file is written
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(temporary: Path, target: Path) -> None:
    tries = _WINDOWS_TRIES if os.name == "nt" else 1
    for left in reversed(range(tries)):
        try:
            temporary.replace(target)
        except PermissionError:
            if not left:
                raise
            time.sleep(0.1)
        else:
            return
