"""Who may write a project: the one who holds the lock file beside it.

The lock is the operating system's, on a file of its own (a lock on the project itself would hide
it from copying), so it is free the moment its holder dies. The file says who it is. What another
computer left there is never taken by itself: on network drives a lock may not be seen.
"""

import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    """since: seconds since 1970."""

    host: str
    pid: int
    since: float

    @property
    def text(self) -> str:
        """ "process 4711 on desk since 14:05"."""
        when = time.strftime("%H:%M", time.localtime(self.since))
        return f"process {self.pid} on {self.host} since {when}"


class ProjectLock:
    """Call `take`; `release` when the project is closed."""

    def __init__(self, project: Path) -> None:
        self._path = project.with_name(f"{project.name}.lock")
        self._file: int | None = None

    def take(self, *, from_other_host: bool = False) -> Holder | None:
        """None when it is ours now, else who holds it. OSError when the folder is read-only."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        holder = _read(file)
        is_foreign = holder is not None and holder.host != socket.gethostname()
        if not _try_lock(file) or (is_foreign and not from_other_host):
            os.close(file)
            return holder if holder is not None else Holder("this computer", 0, time.time())
        os.ftruncate(file, 0)
        mine = Holder(socket.gethostname(), os.getpid(), time.time())
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, json.dumps(asdict(mine)).encode())
        self._file = file
        return None

    def release(self) -> None:
        """Let somebody else write. The file stays: removing it would race with who opens it."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(file, 0)
            os.close(file)


def _read(file: int) -> Holder | None:
    """Who wrote it last; None for an empty file (let go in order) and for nonsense."""
    try:
        os.lseek(file, 0, os.SEEK_SET)
        content = json.loads(os.read(file, 4096))
        return Holder(str(content["host"]), int(content["pid"]), float(content["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        """One byte far behind the content, so that others can read who it is."""
        try:
            os.lseek(file, 1 << 30, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        """The whole file; another opening of this very process is refused too."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
