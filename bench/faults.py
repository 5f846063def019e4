"""Faults under SQLite: every call to the file system counted, recorded, failed, or the last one.

A VFS of our own is put in front of the one of the very library that Python's `sqlite3` uses, so
the program under test runs as it is, without a switch for tests. It is the unix VFS with five
methods replaced (open, delete; read, write, truncate, sync of a file). SQLite's list of replaceable
system calls would be simpler but does not hold fsync and fdatasync; `openDirectory` is in it and
tells when the name of a file is made durable. What Python itself does to names (os.link, replace,
unlink) and folders (os.fsync) is caught in `os`.
"""

import atexit
import ctypes
import errno
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

CHANGES = frozenset({"write", "truncate", "sync", "delete", "create", "link", "directory"})
"""The calls after which the disk is another one."""

OPEN_CREATE = 0x4  # SQLITE_OPEN_CREATE; the other numbers are those of sqlite3.h too
FULL, CANTOPEN = 13, 14
IOERR = {"read": 266, "write": 778, "sync": 1034, "truncate": 1546, "delete": 2570}


class NoHooks(Exception):
    """This Python has SQLite inside, where nothing can be put in front of its files."""


class Fault(Enum):
    """What happens instead of the call. HALF: the first half of the bytes is still written."""

    IO_ERROR = "EIO"
    DISK_FULL = "ENOSPC"
    HALF_THEN_FULL = "ENOSPC after half"
    KILL = "SIGKILL before"
    KILL_HALF = "SIGKILL after half"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. number: of those that were counted since `start`, from 0."""

    number: int
    kind: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to the disk, or a mark put between by the caller.

    kind: write (offset, data), truncate (offset: the new size), sync, delete, create, link (data:
    the name that the same file had, and has on), directory (names in it are durable from now on),
    failed sync, mark (offset: its number).
    """

    kind: str
    path: str
    offset: int = 0
    data: bytes = b""


class _File(Structure):
    _fields_ = (("methods", c_void_p),)


class _Vfs(Structure):
    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        *((f"rest{i}", c_void_p) for i in range(11)),
        ("set_call", c_void_p),
        ("get_call", c_void_p),
        ("next_call", c_void_p),
    )


class _Methods(Structure):
    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        *((f"rest{i}", c_void_p) for i in range(13)),
    )


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_TRANSFER = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)  # read and write
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_DIRECTORY = CFUNCTYPE(c_int, c_void_p, c_void_p)


class Faults:
    """In front of all files that SQLite opens in this process, from the first one on.

    Lives as long as the process. Calls come from any thread; between `start` and `stop` those of
    the kinds asked for are numbered, and `plan` may name a fault for each.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.seen: dict[str, int] = {}
        self.log: list[Event] | None = None
        self.trouble: str = ""
        self._plan: Callable[[Call], Fault | None] | None = None
        self._kinds: frozenset[str] = CHANGES
        self._paths: dict[int, str] = {}
        self._tables: dict[int, tuple[_Methods, _Methods]] = {}
        self._lock = threading.RLock()
        self._library = ctypes.CDLL(library())
        self._library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._unix = self._library.sqlite3_vfs_find(None)
        if not self._unix or self._unix.contents.version < 3:
            raise NoHooks("this SQLite has no VFS to stand in front of")
        self._keep: list[object] = []
        self._install()
        self._install_names()

    def start(
        self,
        plan: Callable[[Call], Fault | None] | None = None,
        *,
        kinds: frozenset[str] = CHANGES,
        record: bool = False,
    ) -> None:
        """Count from 0; record: keep all that happens to the disk in `log`."""
        with self._lock:
            self.calls, self.seen, self._kinds, self._plan = 0, {}, kinds, plan
            self.log = [] if record else None

    def stop(self) -> list[Event]:
        """Files behave as usual again; what was recorded. A broken harness is told here."""
        with self._lock:
            self._plan, log, self.log = None, self.log or [], None
        if self.trouble:
            raise RuntimeError(f"the harness itself failed: {self.trouble}")
        return log

    def mark(self, number: int) -> None:
        """Between what is recorded: a caller was told that `number` was on the disk."""
        self._note("mark", "", number)

    def _note(self, kind: str, path: str, offset: int = 0, data: bytes = b"") -> None:
        with self._lock:
            if self.log is not None:
                self.log.append(Event(kind, path, offset, data))

    def _fault(self, kind: str, path: str, size: int = 0) -> Fault | None:
        """Count the call; dies here when that is the plan."""
        with self._lock:
            self.seen[kind] = self.seen.get(kind, 0) + 1
            if kind not in self._kinds:
                return None
            call = Call(self.calls, kind, path, size)
            self.calls += 1
            fault = self._plan(call) if self._plan is not None else None
        if fault is Fault.KILL or (fault is Fault.KILL_HALF and kind != "write"):
            os.kill(os.getpid(), signal.SIGKILL)
        return fault

    def _install(self) -> None:
        unix = self._unix.contents
        ours = _Vfs.from_buffer_copy(unix)
        ours.name = b"faults"
        real_open, real_delete = _OPEN(unix.open), _DELETE(unix.delete)

        @self._guarded(_OPEN)
        def open_file(vfs: int, name: int, file: int, flags: int, out: int) -> int:
            path = _text(name)
            new = bool(path and flags & OPEN_CREATE and not Path(path).exists())
            if path and (fault := self._fault("create" if new else "open", path)):
                return CANTOPEN if fault is Fault.IO_ERROR else FULL
            result = int(real_open(vfs, name, file, flags, out))
            if result == 0 and path:
                if new:
                    self._note("create", path)
                self._paths[file] = path
                handle = _File.from_address(file)
                handle.methods = ctypes.addressof(self._replaced(handle.methods))
            return result

        @self._guarded(_DELETE)
        def delete(vfs: int, name: int, directory: int) -> int:
            path = _text(name)
            if self._fault("delete", path):
                return IOERR["delete"]
            if Path(path).exists():
                self._note("delete", path)
            return int(real_delete(vfs, name, directory))

        get = CFUNCTYPE(c_void_p, c_void_p, c_char_p)(unix.get_call)
        swap = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)(unix.set_call)
        where = ctypes.addressof(unix)
        real_directory = _DIRECTORY(get(where, b"openDirectory"))

        @_DIRECTORY
        def directory(name: int, descriptor: int) -> int:
            self._note("directory", os.path.dirname(_text(name)))  # noqa: PTH120 as SQLite cuts it
            return int(real_directory(name, descriptor))

        swap(where, b"openDirectory", ctypes.cast(directory, c_void_p))
        ours.open = ctypes.cast(open_file, c_void_p)
        ours.delete = ctypes.cast(delete, c_void_p)
        self._keep += [ours, open_file, delete, directory]
        if self._library.sqlite3_vfs_register(byref(ours), 1):
            raise NoHooks("this SQLite refuses a VFS")
        atexit.register(self._retire)

    def _retire(self) -> None:
        """Files that outlive the interpreter are closed by the methods they were opened with."""
        for real, ours in self._tables.values():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(ours))
            ctypes.memmove(byref(ours), byref(real), ctypes.sizeof(ours))

    def _install_names(self) -> None:
        """Names that Python gives and takes."""
        real_link, real_replace, real_unlink, real_fsync = os.link, os.replace, os.unlink, os.fsync

        def link(source: object, target: object, **rest: object) -> None:
            self._refuse("link", str(target))
            real_link(source, target, **rest)  # type: ignore[arg-type]
            self._note("link", str(target), data=os.fsencode(str(source)))

        def replace(source: object, target: object, **rest: object) -> None:
            self._refuse("link", str(target))
            real_replace(source, target, **rest)  # type: ignore[arg-type]
            self._note("link", str(target), data=os.fsencode(str(source)))
            self._note("delete", str(source))

        def unlink(path: object, **rest: object) -> None:
            self._refuse("delete", str(path))
            real_unlink(path, **rest)  # type: ignore[arg-type]
            self._note("delete", str(path))

        def fsync(file: int) -> None:
            path = os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else ""  # noqa: PTH115
            kind = "directory" if os.path.isdir(path) else "sync"  # noqa: PTH112
            self._refuse(kind, path)
            real_fsync(file)
            self._note(kind, path)

        os.link, os.replace, os.unlink, os.fsync = link, replace, unlink, fsync

    def _refuse(self, kind: str, path: str) -> None:
        """OSError when that is the plan."""
        if fault := self._fault(kind, path):
            number = errno.EIO if fault is Fault.IO_ERROR else errno.ENOSPC
            raise OSError(number, os.strerror(number), path)

    def _replaced(self, table: int) -> _Methods:
        """A copy of a table of file methods with ours in it; one for each that SQLite has."""
        if table in self._tables:
            return self._tables[table][1]
        real = _Methods.from_address(table)
        ours = _Methods.from_buffer_copy(real)
        read_it, write_it = _TRANSFER(real.read), _TRANSFER(real.write)
        truncate_it, sync_it = _TRUNCATE(real.truncate), _SYNC(real.sync)

        @self._guarded(_TRANSFER)
        def read(file: int, buffer: int, size: int, offset: int) -> int:
            if self._fault("read", self._paths.get(file, ""), size):
                return IOERR["read"]
            return int(read_it(file, buffer, size, offset))

        @self._guarded(_TRANSFER)
        def write(file: int, buffer: int, size: int, offset: int) -> int:
            path = self._paths.get(file, "")
            fault = self._fault("write", path, size)
            if fault is Fault.IO_ERROR or fault is Fault.DISK_FULL:
                return IOERR["write"] if fault is Fault.IO_ERROR else FULL
            length = size // 2 if fault else size
            self._note("write", path, offset, ctypes.string_at(buffer, length))
            result = int(write_it(file, buffer, length, offset))
            if fault is Fault.KILL_HALF:
                os.kill(os.getpid(), signal.SIGKILL)
            return FULL if fault else result

        @self._guarded(_TRUNCATE)
        def truncate(file: int, size: int) -> int:
            path = self._paths.get(file, "")
            if self._fault("truncate", path, size):
                return IOERR["truncate"]
            self._note("truncate", path, size)
            return int(truncate_it(file, size))

        @self._guarded(_SYNC)
        def sync(file: int, flags: int) -> int:
            path = self._paths.get(file, "")
            if self._fault("sync", path):
                self._note("failed sync", path)
                return IOERR["sync"]
            result = int(sync_it(file, flags))
            self._note("sync", path)
            return result

        for name, method in (("read", read), ("write", write), ("truncate", truncate)):
            setattr(ours, name, ctypes.cast(method, c_void_p))
        ours.sync = ctypes.cast(sync, c_void_p)
        self._keep += [read, write, truncate, sync]
        self._tables[table] = (real, ours)
        return ours

    def _guarded(self, kind: Callable[..., object]) -> Callable[[Callable[..., int]], object]:
        """An exception in a callback would be printed and taken for success."""

        def wrap(method: Callable[..., int]) -> object:
            def call(*arguments: int) -> int:
                try:
                    return method(*arguments)
                except Exception as error:
                    self.trouble = f"{method.__name__}: {error!r}"
                    return IOERR["read"]

            return kind(call)

        return wrap


def library() -> str:
    """The file of the library that Python's `sqlite3` calls; NoHooks when it is part of Python."""
    sqlite3.connect(":memory:").close()
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            path = line.partition("/")[1] + line.partition("/")[2]
            if Path(path).name.startswith("libsqlite3"):
                return path
    raise NoHooks("SQLite is not a shared library here, so its calls cannot be caught")


def _text(name: int | None) -> str:
    return ctypes.string_at(name).decode() if name else ""


_installed: list[Faults] = []


def install() -> Faults:
    """The one of this process; NoHooks where that cannot be."""
    if not _installed:
        _installed.append(Faults())
    return _installed[0]
