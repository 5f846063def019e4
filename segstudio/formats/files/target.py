"""Where an export is written: a folder or a zip file, and nothing outside of it.

A file appears whole or not at all, and never in the place of another one. A journal in the folder
remembers what is finished, so that an export that was stopped, by a person or by a power cut, goes
on; a zip file is packed from such a folder when all of it is there.
"""

import filecmp
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from segstudio.errors import FormatError, SegStudioError
from segstudio.formats import names

JOURNAL = ".segstudio-export.jsonl"

Existing = Literal["refuse", "resume", "add"]
"""refuse: only into an empty or new folder. resume: also go on with an export that was stopped.
add: among other files, none of which is ever replaced."""

_PACKED = (".png", ".jpg", ".jpeg", ".webp", ".parquet", ".mp4")
"""What deflate makes no smaller."""


def open_target(path: Path, *, zipped: bool = False, existing: Existing = "refuse") -> "Target":
    """FormatError when something is there already that must not be touched."""
    if zipped and path.suffix.lower() != ".zip":
        path = path.with_name(path.name + ".zip")
    try:
        if zipped:
            if path.exists():
                raise FormatError(f"{path.name} exists already; choose another name.")
            return ZipTarget(path, existing)
        return Target(path, existing)
    except OSError as error:
        raise _not_written(path, error) from error


class Target:
    """A folder. path: as chosen. Its methods may be called from several threads, the journal's
    from one."""

    def __init__(self, folder: Path, existing: Existing = "refuse") -> None:
        self.path = folder
        self._folder = folder.resolve()
        if self._folder.exists() and not self._folder.is_dir():
            raise FormatError(f"{folder.name} is a file; choose a folder.")
        self._journal = self._folder / JOURNAL
        self._has_journal = self._journal.is_file()
        self._is_alone = not self._folder.exists() or not any(self._folder.iterdir())
        if self._has_journal and existing == "refuse":
            raise FormatError(
                f"An export into {folder.name} was stopped half-way; go on with it (--resume), or"
                " choose another folder."
            )
        if not self._is_alone and not self._has_journal and existing != "add":
            raise FormatError(
                f"{folder.name} is not empty, and nothing in it is replaced; choose a new folder."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        self._checked: set[Path] = set()

    # --- files

    def write(self, path: PurePosixPath, content: bytes | Iterable[bytes]) -> int:
        """Its bytes. FormatError when such a file exists, the name is unsafe, or the disk is full.

        In a folder that was empty when the export began, and went on after a stop, what lies there
        is its own and written again.
        """
        place = self._place(path)
        temporary = place.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("xb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    file.writelines(content)
                size = file.tell()
            self._settle(temporary, place)
        except OSError as error:
            raise _not_written(place, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return size

    def link(self, path: PurePosixPath, file: Path) -> int:
        """A hard link to `file`, or a copy where the disks differ; its bytes."""
        place = self._place(path)
        try:
            if self._is_own:
                place.unlink(missing_ok=True)
            os.link(file.resolve(), place)
        except FileExistsError as error:
            if not _is_same(file, place):
                raise _exists(place) from error
        except OSError:
            temporary = place.with_name(f".{uuid.uuid4().hex}.tmp")
            try:
                shutil.copyfile(file, temporary)
                self._settle(temporary, place)
            except OSError as error:
                raise _not_written(place, error) from error
            finally:
                temporary.unlink(missing_ok=True)
        return place.stat().st_size

    def remove(self, path: PurePosixPath) -> None:
        """A file of a frame that is not of this export any more; only where all files are its own.

        Of a format that finds its frames by their files, it would come back with the others.
        """
        if self._is_own:
            try:
                self._place(path).unlink(missing_ok=True)
            except OSError as error:
                raise FormatError(
                    f"{path} of frames that are not exported any more cannot be removed from"
                    f" {self.path.name} ({error.strerror}); choose a new folder."
                ) from error

    def holds(self, path: PurePosixPath, size: int) -> bool:
        """Whether a file of so many bytes is there."""
        return self._size(path) == size

    def _size(self, path: PurePosixPath) -> int:
        try:
            return (self._folder / path).stat().st_size
        except OSError:
            return -1

    def finish(self) -> None:
        """All of it is written: the journal goes."""
        self._journal.unlink(missing_ok=True)
        if hasattr(os, "sync"):
            # Once for all files: an fsync for each would cost more than writing it, and an export
            # that a power cut stops is gone on with by its journal.
            os.sync()

    # --- what is finished

    def begin(self, header: dict[str, Any]) -> dict[str, int]:
        """Begin the journal with this line, or go on with the one of an export that was stopped.

        Returns where the lines of its frames lie, by the frames' names. FormatError when it was
        another export.
        """
        found: dict[str, int] = {}
        at, end = 0, 0
        if self._has_journal:
            with self._journal.open("rb") as file:
                first = _line(file.readline())
                alone = bool(first and first.pop("alone", False))
                if first != json.loads(json.dumps(header)):
                    raise FormatError(
                        f"{self.path.name} holds another export that was stopped, of another format"
                        " or with other options; choose another folder."
                    )
                self._is_alone = alone
                at = end = file.tell()
                for raw in file:
                    line = _line(raw)
                    if line is None or "name" not in line:
                        break  # torn by a power cut: it and what follows is done again
                    found[line["name"]] = at
                    at = end = at + len(raw)
            os.truncate(self._journal, end)
        else:
            try:
                with self._journal.open("xb") as file:
                    file.write(_bytes({**header, "alone": self._is_alone}))
            except FileExistsError as error:
                raise FormatError(
                    f"Another export into {self.path.name} has begun; choose another folder."
                ) from error
        return found

    def remember(self, line: dict[str, Any]) -> int:
        """Add a line to the journal; where it lies there."""
        with self._journal.open("ab") as file:
            at = file.tell()
            file.write(_bytes(line))
        return at

    def remembered(self, places: Iterable[int]) -> Iterator[dict[str, Any]]:
        """The lines at these places."""
        with self._journal.open("rb") as file:
            for at in places:
                file.seek(at)
                yield json.loads(file.readline())

    @property
    def folder(self) -> Path:
        """Where the files lie (of a zip file: until it is packed)."""
        return self._folder

    def _place(self, path: PurePosixPath) -> Path:
        if path.is_absolute() or not names.is_clean(path):
            raise FormatError(f"'{path}' is no safe name for a file; nothing was written there.")
        place = self._folder / path
        if place.parent not in self._checked:
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                is_inside = place.parent.resolve().is_relative_to(self._folder)
            except OSError as error:
                raise _not_written(place, error) from error
            if not is_inside:  # a link that somebody put there
                raise FormatError(
                    f"{path.parent} leads out of {self.path.name}; remove the link, or choose a new"
                    " folder."
                )
            self._checked.add(place.parent)
        return place

    @property
    def _is_own(self) -> bool:
        """Whether every file there is one of this very export."""
        return self._has_journal and self._is_alone

    def _settle(self, temporary: Path, place: Path) -> None:
        """Give the file its name, unless another one has it."""
        if self._is_own:
            temporary.replace(place)
            return
        try:
            os.link(temporary, place)  # fails where a rename would replace
        except FileExistsError as error:
            if not _is_same(temporary, place):
                raise _exists(place) from error
        except OSError:  # no hard links there: exFAT, some network drives
            if not place.exists() and not place.is_symlink():
                temporary.replace(place)
            elif not _is_same(temporary, place):
                raise _exists(place) from None


class ZipTarget(Target):
    """A zip file, packed from a hidden folder beside it when everything is there."""

    def __init__(self, path: Path, existing: Existing = "refuse") -> None:
        self._file = path
        super().__init__(path.with_name(f".{path.stem}.export"), existing)
        self.path = path

    def finish(self) -> None:
        """Pack, then remove the folder."""
        temporary = self._file.with_name(f".{self._file.name}.{uuid.uuid4().hex}.tmp")
        try:
            with zipfile.ZipFile(temporary, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
                for file in sorted(self._written()):
                    kind = zipfile.ZIP_STORED if file.suffix in _PACKED else zipfile.ZIP_DEFLATED
                    packed.write(file, file.relative_to(self._folder).as_posix(), kind)
            if self._file.exists():
                raise _exists(self._file)
            temporary.replace(self._file)
        except OSError as error:
            raise _not_written(self._file, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        # The journal goes last: an export that could not be packed can be gone on with.
        super().finish()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _written(self) -> Iterator[Path]:
        """Without the journal, and what a power cut left of files that were being written."""
        return (p for p in self._folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def _is_same(file: Path, place: Path) -> bool:
    """Whether what is there has the same bytes: then nothing is lost by leaving it."""
    return place.is_file() and not place.is_symlink() and filecmp.cmp(file, place, shallow=False)


def _exists(place: Path) -> SegStudioError:
    return FormatError(
        f"{place.name} exists already in {place.parent.name} and is not replaced; choose a new"
        " folder."
    )


def _not_written(place: Path, error: OSError) -> SegStudioError:
    reason = error.strerror or str(error)
    return FormatError(
        f"{place.name} could not be written to {place.parent} ({reason}); check the free space and"
        " the permissions there, or choose another folder."
    )


def _bytes(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _line(raw: bytes) -> dict[str, Any] | None:
    """A line of the journal; None when it was torn."""
    try:
        found = json.loads(raw) if raw.endswith(b"\n") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
