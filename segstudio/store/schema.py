"""The tables of a *.segproj file, and how a connection to one is opened.

SQLite, WAL and every commit synced: a committed transaction survives a crash and a power cut. On
network drives, where WAL does not work, a rollback journal takes its place. The file carries an
application id and a version; an older version is brought up to date after a copy was put aside, a
newer one is only read, and tables or settings that nobody here knows stay as they are.
"""

import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from segstudio.atomic import atomic_path
from segstudio.errors import SegStudioError

APPLICATION_ID = 0x53475052  # "SGPR"
VERSION = 3

_FRAMES = """
CREATE TABLE frames(
  media INTEGER NOT NULL REFERENCES media(id), idx INTEGER NOT NULL,
  time_us INTEGER, fingerprint INTEGER NOT NULL, name TEXT NOT NULL,
  height INTEGER NOT NULL, width INTEGER NOT NULL, drafted_by TEXT NOT NULL,
  nobody INTEGER NOT NULL, model INTEGER NOT NULL, propagated INTEGER NOT NULL,
  painted INTEGER NOT NULL, confirmed INTEGER NOT NULL,
  position INTEGER NOT NULL, steps INTEGER NOT NULL,
  flag TEXT, bookmark INTEGER NOT NULL DEFAULT 0, confidence REAL, by_hand INTEGER,
  PRIMARY KEY(media, idx)) WITHOUT ROWID
"""

TABLES = (
    "CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """
CREATE TABLE media(
  id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
  kind TEXT NOT NULL, path TEXT NOT NULL, relative TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, frames INTEGER NOT NULL)
""",
    _FRAMES,
    # The labels as they are now, by tile: zstd of uint8 (2, h, w), labels and origin. A tile that
    # was never touched has no row: all void, nobody.
    """
CREATE TABLE tiles(
  media INTEGER NOT NULL, idx INTEGER NOT NULL, row INTEGER NOT NULL, col INTEGER NOT NULL,
  planes BLOB NOT NULL, PRIMARY KEY(media, idx, row, col)) WITHOUT ROWID
""",
    # The history. `step` is core.step_bytes; the other columns are what the list shows.
    """
CREATE TABLE steps(
  media INTEGER NOT NULL, idx INTEGER NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL,
  class_id INTEGER, pixels INTEGER NOT NULL, y0 INTEGER NOT NULL, x0 INTEGER NOT NULL,
  y1 INTEGER NOT NULL, x1 INTEGER NOT NULL, step BLOB NOT NULL,
  PRIMARY KEY(media, idx, number))
""",
)


def _from_1(connection: sqlite3.Connection) -> None:
    """Version 1 knew neither bookmarks nor the confidence of a propagation."""
    connection.execute("ALTER TABLE frames ADD COLUMN bookmark INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE frames ADD COLUMN confidence REAL")


def _from_2(connection: sqlite3.Connection) -> None:
    """Version 2 forgot how much of a frame had been painted when it was confirmed: unknown."""
    connection.execute("ALTER TABLE frames ADD COLUMN by_hand INTEGER")


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _from_1, 2: _from_2}
"""What brings a file of that version to the next one."""


def create(path: Path, settings: dict[str, str]) -> None:
    """A new, empty project; FileExistsError when there is something already.

    With a rollback journal, so that one that was killed meanwhile leaves an empty file: see
    `is_half_made`. One that fails leaves nothing.
    """
    if path.exists() and not is_half_made(path):
        raise FileExistsError(path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise FileExistsError(path)  # another window was quicker
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
            for table in TABLES:
                connection.execute(table)
            connection.executemany(
                "INSERT INTO settings(name, value) VALUES(?, ?)", settings.items()
            )
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        if not isinstance(error, FileExistsError):
            remove(path)
        raise


def is_half_made(path: Path) -> bool:
    """True for what is left when a program was killed in `create`: it holds nothing."""
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists() and journal.stat().st_size:
        with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # rolls back
    return path.is_file() and path.stat().st_size == 0


def may_be_a_database(path: Path) -> bool:
    """False for a file of another kind.

    A journal or a log beside it holds the first page when a power cut spoilt the one in the file,
    so only SQLite can tell then.
    """
    for end in ("-journal", "-wal"):
        beside = path.with_name(path.name + end)
        if beside.exists() and beside.stat().st_size:
            return True
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"
    return True


def remove(path: Path) -> None:
    """A project that holds nothing."""
    for end in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + end).unlink(missing_ok=True)


def connect(path: Path) -> sqlite3.Connection:
    """For writing; transactions are begun and ended by hand."""
    connection = sqlite3.connect(
        path, timeout=5.0, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    mode = "DELETE" if is_network_drive(path) else "WAL"
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute(f"PRAGMA journal_mode={mode}")
        # EXTRA syncs the folder too when a rollback journal was deleted, which is what commits;
        # otherwise the same as FULL.
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA wal_autocheckpoint=8000")  # pages; see StoreThread._tidy
        connection.execute("PRAGMA mmap_size=0")  # a failing disk must be an error, not a signal
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def connect_reading(path: Path, scratch: Path) -> sqlite3.Connection:
    """Only for reading, also from a folder that nobody may write to.

    scratch: an empty folder; the file is copied there when it cannot be read in place.
    """
    uri = path.absolute().as_uri()
    logs = [path.with_name(f"{path.name}{end}") for end in ("-wal", "-journal")]
    try:
        return _reading(f"{uri}?mode=ro")
    except sqlite3.OperationalError:
        logs = [each for each in logs if each.exists() and each.stat().st_size]
        if not logs:
            return _reading(f"{uri}?mode=ro&immutable=1")
    # A log holds the newest strokes, a journal what was there before a half-done one; merging
    # either needs a folder that can be written.
    for source in (path, *logs):
        shutil.copyfile(source, scratch / source.name)
    return _reading(f"{(scratch / path.name).as_uri()}?mode=rw")


def up_to_date_for_reading(path: Path, scratch: Path) -> sqlite3.Connection:
    """As connect_reading; an older file is migrated in a copy, and stays as it is."""
    connection = connect_reading(path, scratch)
    try:
        version = version_of(connection, path)
        if version >= VERSION:
            return connection
        _refuse_unknown(path, version)
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.backup(copy)
    except BaseException:
        connection.close()
        raise
    connection.close()
    migrate(copy, version)
    copy.execute("PRAGMA query_only=ON")
    return copy


def check(connection: sqlite3.Connection) -> None:
    """DatabaseError when a page is damaged."""
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict).splitlines()[-1])


def _reading(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA mmap_size=0")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """SegStudioError when it is no project."""
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if found != APPLICATION_ID:
        raise SegStudioError(
            f"{path.name} is not a SegStudio project; open the .segproj file itself."
        )
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def bring_up_to_date(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Migrate; a copy of the old file stays beside it as <name>.v1.bak."""
    _refuse_unknown(path, version)
    kept = path.with_name(f"{path.name}.v{version}.bak")
    if not kept.exists():
        with atomic_path(kept) as temporary, closing(sqlite3.connect(temporary)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # all of it in the one file
    migrate(connection, version)


def _refuse_unknown(path: Path, version: int) -> None:
    if version not in MIGRATIONS:
        raise SegStudioError(
            f"{path.name} has the unknown version {version}; ask who made it for a newer copy."
        )


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """From `version`, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        while version < VERSION:
            MIGRATIONS[version](connection)
            version += 1
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "fuse.rclone",
            "fuse.gvfsd-fuse", "ceph", "glusterfs", "lustre", "beegfs")  # fmt: skip


def is_network_drive(path: Path) -> bool:
    """True where WAL's shared memory would not be shared. False when it cannot be known."""
    if sys.platform == "win32":
        import ctypes

        anchor = path.absolute().anchor
        remote = 4
        return anchor.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(anchor) == remote
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    where = str(path.absolute().parent.resolve())
    for line in mounts:
        _, at, system, *_ = line.split(" ")
        at = at.replace("\\040", " ")
        inside = where == at or where.startswith(at.rstrip("/") + "/")
        if inside and len(at) >= len(best):
            best, kind = at, system
    return kind in _NETWORK
