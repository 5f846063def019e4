"""Project files as files: opened, copied, rescued; and where their media are."""

import json
import logging
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

from segstudio import paths
from segstudio.atomic import atomic_path
from segstudio.errors import SegStudioError
from segstudio.store import schema
from segstudio.store.project_lock import ProjectLock
from segstudio.store.project_rows import MediaRecord, StoreNews
from segstudio.store.store_thread import StoreThread, Write, done_in

log = logging.getLogger("segstudio.store")

SUFFIX = ".segproj"

CHEAP_BYTES = 8 << 20
"""Up to this size every page is checked when a project is opened: a few hundredths of a second."""


def auto_path(fingerprint: str, title: str) -> Path:
    """Where a source's own project lies: found again by what the source contains.

    One that was killed while it was made is cleared away, so that it can be made again.
    """
    stem = re.sub(r"[^\w.-]+", "_", Path(title).stem).strip("._")[:60] or "source"
    path = paths.user_data() / "projects" / f"{stem}-{fingerprint[:12]}{SUFFIX}"
    if path.is_file() and time.time() - path.stat().st_mtime > 5 and schema.is_half_made(path):
        schema.remove(path)
    return path


class Listens(Protocol):
    """What is told the news of the store's thread."""

    def tell(self, news: StoreNews) -> None:
        """Called in the store's thread."""


Opened = TypeVar("Opened", bound=Listens)


def open_project(
    path: Path,
    make: Callable[[Path, StoreThread, ProjectLock | None, str], Opened],
    *,
    read_only: bool,
    take_over: bool,
) -> Opened:
    """See Project.open. make: a Project of its path, thread, lock, and why it is read-only."""
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is not there"
        raise SegStudioError(f"{path.name} {kind}; choose a {SUFFIX} file.")
    if path.stat().st_size == 0:
        raise SegStudioError(f"{path.name} is empty, so there is no project in it; choose another.")
    if not schema.may_be_a_database(path):
        raise SegStudioError(
            f"{path.name} is damaged or not a SegStudio project; it is left as it is, open a copy"
            " from before."
        )
    lock, why = (None, "The project was opened for reading only.") if read_only else _take(
        path, take_over=take_over
    )  # fmt: skip
    told: list[Callable[[StoreNews], None]] = []
    try:
        if lock is not None:
            why = _bring_up_to_date(path)
        if why and lock is not None:
            lock.release()
            lock = None
        scratch = Path(tempfile.mkdtemp(prefix="segstudio-")) if why else None

        def tell(news: StoreNews) -> None:
            for listener in told:
                listener(news)

        thread = StoreThread(_opener(path, scratch), tell, reason)
        try:
            project = make(path, thread, lock, why)
        except BaseException as error:
            thread.close(2.0)
            if why == _newer(path):
                raise SegStudioError(
                    f"{path.name} was written by a newer SegStudio and cannot be read by this one;"
                    " update SegStudio to open it."
                ) from error
            raise
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
    except (sqlite3.Error, OSError) as error:
        if lock is not None:
            lock.release()
        raise SegStudioError(_unreadable(path, error)) from error
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    told.append(project.tell)
    return project


def _take(path: Path, *, take_over: bool) -> tuple[ProjectLock | None, str]:
    """The lock, or why there is none."""
    lock = ProjectLock(path)
    try:
        with path.open("r+b"):
            pass
        holder = lock.take(from_other_host=take_over)
    except OSError as error:
        return None, (
            f"{path.name} cannot be written ({error.strerror}), so it is read-only here; save a"
            " copy elsewhere to go on."
        )
    if holder is None:
        return lock, ""
    return None, (
        f"{path.name} is open in another window ({holder.text}), so it is read-only here; close"
        " it there first."
    )


def _bring_up_to_date(path: Path) -> str:
    """Migrate an older file; a sentence when it is newer and can only be read.

    Looked at for reading first: a file that is no project, or a newer one, stays as it is.
    """
    with (
        tempfile.TemporaryDirectory(prefix="segstudio-") as scratch,
        closing(schema.connect_reading(path, Path(scratch))) as connection,
    ):
        version = schema.version_of(connection, path)
        if path.stat().st_size <= CHEAP_BYTES:
            schema.check(connection)
    if version > schema.VERSION:
        return _newer(path)
    if version < schema.VERSION:
        with closing(schema.connect(path)) as connection:
            schema.bring_up_to_date(connection, path, version)
    return ""


def _newer(path: Path) -> str:
    return (
        f"{path.name} was written by a newer SegStudio, so it is read-only here; update SegStudio"
        " to change it."
    )


def _opener(path: Path, scratch: Path | None) -> Callable[[], sqlite3.Connection]:
    """Makes connections to this very file: one that was replaced meanwhile is refused."""
    if scratch is not None:

        def reading() -> sqlite3.Connection:
            return schema.up_to_date_for_reading(path, scratch)

        return reading
    known = path.stat().st_ino

    def writing() -> sqlite3.Connection:
        if path.stat().st_ino != known:
            raise FileNotFoundError(f"{path.name} was replaced")
        return schema.connect(path)

    return writing


def reason(error: Exception) -> str:
    """One sentence for a disk that refuses, with the remedy."""
    text = str(error)
    if "full" in text or getattr(error, "errno", None) == 28:
        what = "the disk is full; make room"
    elif "readonly" in text or "read-only" in text.lower():
        what = "the disk became read-only; allow writing"
    elif isinstance(error, FileNotFoundError) or "unable to open" in text:
        what = "the project file is gone; put it back"
    elif "locked" in text:
        what = "another program holds the project file; close it"
    else:
        what = f"the disk reports an error ({text}); check it"
    return f"Not saved: {what}, or save a copy elsewhere. Nothing is lost, it is tried again."


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return (
            f"{path.name} is damaged or not a SegStudio project ({error}); it is left as it is,"
            " open a copy from before."
        )
    return f"{path.name} cannot be opened ({error}); check the file and its permissions."


# --- copies


def copy_project(
    source: Path,
    target: Path,
    scratch: Path,
    waiting: list[Write],
) -> None:
    """What the file holds, and what waits to be written into it, as one new file."""
    if target.resolve() == source.resolve():
        raise SegStudioError("A copy needs another name than the project; choose one.")
    for end in ("-wal", "-journal"):  # SQLite would mix an old log with the new file
        log_file = target.with_name(target.name + end)
        if log_file.exists() and log_file.stat().st_size:
            raise SegStudioError(
                f"{target.name} is a project that is open or was not closed; choose another name."
            )
    with atomic_path(target) as temporary:
        try:
            with (
                closing(schema.connect_reading(source, scratch)) as have,
                closing(sqlite3.connect(temporary, isolation_level=None)) as copy,
            ):
                have.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
                copy.execute("PRAGMA synchronous=FULL")
                for write in waiting[done_in(copy, waiting) :]:
                    copy.execute("BEGIN IMMEDIATE")
                    write.operation(copy)
                    copy.execute("COMMIT")
                (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
                if verdict != "ok":
                    raise SegStudioError(f"The copy is damaged ({verdict}); try another place.")
        except sqlite3.Error as error:
            raise SegStudioError(
                f"{target.name} could not be written ({error}); choose another place."
            ) from error


def rescue(project: Path, copy_to: Callable[[Path], None]) -> Path | None:
    """A copy in the user's data folder of a project whose own disk refuses."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target = paths.user_data() / "rescue" / f"{project.stem}-{stamp}{SUFFIX}"
    try:
        copy_to(target)
    except SegStudioError:
        log.exception("the rescue copy failed too")
        return None
    log.error("what could not be saved to %s is in %s", project, target)
    with atomic_path(target.with_suffix(".json")) as temporary:
        where = {"project": str(project.absolute()), "copy": str(target)}
        temporary.write_text(json.dumps(where), encoding="utf-8")
    return target


def rescued(project: Path, *, again: bool = False) -> str:
    """A sentence that leads to what could not be saved in this project, said once; else "".

    again: it is said another time.
    """
    for note in sorted((paths.user_data() / "rescue").glob("*.json"), reverse=True):
        try:
            content = json.loads(note.read_text(encoding="utf-8"))
            copy = Path(content["copy"])
            if Path(content["project"]) != project.absolute() or not copy.is_file():
                continue
            if not again:
                note.unlink()
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("%s cannot be read", note, exc_info=True)
            continue
        return (
            f"The last strokes could not be saved in {project.name}; a copy that has them is"
            f" {copy}. Open that copy to go on with them."
        )
    return ""


# --- media


def find_media(
    project: Path, record: MediaRecord, relative: str, is_same: Callable[[Path], bool]
) -> Path | None:
    """Seen from the project, where it was, or a file of that name near the project."""
    folder = project.absolute().parent
    near = [folder / record.path.name, folder.parent / record.path.name]
    named = [folder / relative] if relative else []
    for place in (*named, record.path, *near):
        if place.exists() and is_same(place):
            return place.resolve()
    return None
