"""Work on strangers' files in a child process under limits, watched: what it did that it must not.

The child is forked from a process that has imported everything, so a case costs milliseconds. It
has its own folders; Python's audit hooks tell of every file that is opened to be written, renamed,
linked or removed elsewhere, of every file beside the sandbox that is read, and of every program and
connection that is started. A case has so many seconds of the processor and so much memory; whoever
dies is told with where its threads were.
"""

import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import segstudio

SECONDS = 10
WALL_S = 120
"""A machine may be busy; what waits for ever is ended by this."""

MOST_RSS = 2_000_000_000
ROOM = 6_000_000_000
"""Address space beyond what the child has at its start: more than that hurts the machine."""

BATCH = 50
_OWN = Path(segstudio.__file__).parent
"""Numba keeps what it compiled in folders called __pycache__ there."""

SECRETS = {"secret.txt": b"canary", "secret.png": b"\x89PNG\r\n\x1a\n"}
"""Files of the neighbours."""

_STARTS = frozenset({
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.fork", "os.forkpty", "pty.spawn", "socket.connect", "socket.bind", "socket.getaddrinfo",
    "socket.gethostbyname", "urllib.Request", "webbrowser.open", "ftplib.connect",
    "smtplib.connect",
})  # fmt: skip
_CHANGES = frozenset({
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod",
    "os.chown", "os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile",
    "sqlite3.connect",
})  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one case. what: "" when all was well. note: what the case itself said."""

    name: str
    what: str
    note: str = ""
    seconds: float = 0.0
    rss: int = 0


@dataclass(slots=True)
class Sandbox:
    """The folders of a case. given: files of strangers, only to be read. work: where all may be
    done. home: of the program. outside: the neighbours' folder, not even to be read."""

    top: Path
    seen: list[str] = field(default_factory=list)
    is_watching: bool = False

    @property
    def given(self) -> Path:
        return self.top / "given"

    @property
    def work(self) -> Path:
        return self.top / "work"

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def outside(self) -> Path:
        return self.top / "outside"

    def prepare(self) -> None:
        """Empty folders; the current one is `given`, where relative names would lead."""
        import shutil

        for folder in (self.given, self.work, self.outside):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self.home.mkdir(exist_ok=True)
        for name, content in SECRETS.items():
            (self.outside / name).write_bytes(content)
        tempfile.tempdir = str(self.work)
        os.environ["SEGSTUDIO_HOME"] = str(self.home)
        os.chdir(self.given)

    def put(self, name: str, content: bytes) -> Path:
        """A file of strangers, which the case finds there."""
        self.is_watching = False
        place = self.given / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.is_watching = True
        return place

    def watch(self) -> None:
        """From now on; for the rest of the process."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_watching:
            return
        if event == "open":
            path, mode, flags = args
            is_change = bool((flags or 0) & _WRITES) if isinstance(flags, int) else False
            if isinstance(mode, str) and set(mode) & set("wax+"):
                is_change = True
            self._check("writes", path) if is_change else self._check_read(path)
        elif event in _CHANGES:
            for path, folder in _changed(event, args):
                self._check(event, path, folder)
        elif event in _STARTS and not _is_local(event, args):
            self.seen.append(f"{event} {str(args)[:80]}")

    def _check(self, what: str, path: object, folder: int = -1) -> None:
        place = _place(path, folder)
        allowed = (self.work, self.home, Path("/dev/null"))
        is_own = place is not None and _OWN in place.parents and "__pycache__" in place.parts
        if place is not None and not is_own and not any(place.is_relative_to(a) for a in allowed):
            self.seen.append(f"{what} {place}")

    def _check_read(self, path: object) -> None:
        place = _place(path)
        if place is not None and place.is_relative_to(self.outside):
            self.seen.append(f"reads {place.name} of the neighbours")

    def is_clean(self) -> str:
        """ "" or what is different in the folder of the neighbours."""
        found = {p.name: p.read_bytes() for p in self.outside.iterdir() if p.is_file()}
        return "" if found == SECRETS else f"the neighbours have {list(found)} now"


def _is_local(event: str, args: tuple[Any, ...]) -> bool:
    """Sockets of the machine itself, as event loops use."""
    return event in ("socket.connect", "socket.bind") and isinstance(args[1], str | bytes)


def _changed(event: str, args: tuple[Any, ...]) -> list[tuple[object, int]]:
    """What an event changes: (path, descriptor of the folder that it is relative to, or -1)."""
    if event in ("os.rename", "os.link"):
        return [(args[0], args[2]), (args[1], args[3])]
    if event == "os.symlink":
        return [(args[1], args[2])]
    if event == "shutil.move":
        return [(args[0], -1), (args[1], -1)]
    if event == "shutil.copyfile":
        return [(args[1], -1)]
    folder = args[-1] if event in ("os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree") else -1
    return [(args[0], folder if isinstance(folder, int) else -1)]


def _place(path: object, folder: int = -1) -> Path | None:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str | os.PathLike):
        return None  # a descriptor that is open already
    text = os.fspath(path)
    text = text.removeprefix("file:").partition("?")[0] if text.startswith("file:") else text
    if not text or text.startswith(":memory:"):
        return None
    base = Path(f"/proc/self/fd/{folder}").readlink() if folder >= 0 else Path()
    return Path(os.path.realpath(base / text))


Act = Callable[[Sandbox, Any], str]


def run_all(
    act: Act, cases: Sequence[tuple[str, Any]], scratch: Path, *, seconds: int = SECONDS
) -> list[Outcome]:
    """Each case, (name, whatever `act` wants), in order. act: raises Bad for what must not be, and
    returns a note."""
    found: list[Outcome] = []
    while len(found) < len(cases):
        batch = cases[len(found) : len(found) + BATCH]
        found += _batch(act, batch, scratch, seconds)
    return found


class Bad(Exception):
    """A case went wrong."""


def _batch(
    act: Act, cases: Sequence[tuple[str, Any]], scratch: Path, seconds: int
) -> list[Outcome]:
    """Until the first that kills the child."""
    last_words = scratch / "last words.txt"
    read, write = os.pipe()
    gc.freeze()
    child = os.fork()
    if not child:
        os.close(read)
        with suppress(BaseException):
            _in_child(act, cases, scratch, seconds, write, last_words)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    found = [Outcome(**json.loads(line)) for line in lines]
    if len(found) < len(cases):
        code = os.waitstatus_to_exitcode(status)
        why = "hangs" if code == -signal.SIGXCPU else f"dies ({code})"
        told = last_words.read_text(errors="replace") if last_words.exists() else ""
        why = "hangs" if "Timeout" in told else why
        found.append(Outcome(cases[len(found)][0], why, _where(told)))
    return found


def _where(told: str) -> str:
    """The innermost lines of a dump of threads that are of this program."""
    rows = [row.strip() for row in told.splitlines() if row.strip().startswith("File ")]
    return " < ".join(row.replace('"', "").rpartition("/")[2] for row in rows[:5])


def _in_child(
    act: Act,
    cases: Sequence[tuple[str, Any]],
    scratch: Path,
    seconds: int,
    pipe: int,
    last_words: Path,
) -> None:
    sandbox = Sandbox(scratch)
    sys.dont_write_bytecode = True
    words = last_words.open("w")
    faulthandler.enable(words)
    faulthandler.register(signal.SIGXCPU, words, chain=True)
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)  # libraries in C that talk of damage
    _limit_room()
    sandbox.watch()
    for name, case in cases:
        sandbox.prepare()
        sandbox.seen.clear()
        before = _cpu()
        resource.setrlimit(resource.RLIMIT_CPU, (int(before) + 1 + seconds, resource.RLIM_INFINITY))
        faulthandler.dump_traceback_later(min(WALL_S, seconds * 12), exit=True, file=words)
        _forget_peak()
        sandbox.is_watching = True
        what, note = _tried(act, sandbox, case)
        sandbox.is_watching = False
        faulthandler.cancel_dump_traceback_later()
        rss = _peak()
        what = what or "; ".join(sandbox.seen[:3]) or sandbox.is_clean()
        if not what and rss > MOST_RSS:
            what = f"takes {rss / 1e9:.1f} GB"
        line = json.dumps(
            {"name": name, "what": what, "note": note, "seconds": _cpu() - before, "rss": rss}
        )
        os.write(pipe, line.encode() + b"\n")


def _tried(act: Act, sandbox: Sandbox, case: object) -> tuple[str, str]:
    try:
        return "", act(sandbox, case)
    except Bad as error:
        return str(error), ""
    except BaseException as error:
        at = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in at[::-1][:5])
        return f"{type(error).__name__}: {str(error)[:120]}", where


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _limit_room() -> None:
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Bytes in memory at most since `_forget_peak`."""
    with suppress(OSError, StopIteration, ValueError):
        rows = Path("/proc/self/status").read_text().splitlines()
        return int(next(row for row in rows if row.startswith("VmHWM")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
