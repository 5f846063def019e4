"""Files of others, read under limits: a folder, or a zip file, and nothing outside of it.

Only files that were listed can be read, and only files that lie inside are listed: links that lead
out, absolute names and `..` in archives are left out. So whatever a JSON file names, no other file
of the computer is ever opened. Nothing is unpacked to the disk.
"""

import json
import os
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from segstudio.errors import FormatError, SegStudioError
from segstudio.formats import names

MAX_FILES = 2_000_000
MAX_FILE_BYTES = 1_000_000_000
MAX_TEXT_BYTES = 2_000_000_000
"""JSON of a hundred thousand polygons has hundreds of megabytes."""

MAX_UNPACKED = 200_000_000_000
"""Bytes that one archive may unpack to, over all reads."""


_UNIX_LINK = 0o12
"""Kind of file in the highest four bits of a zip member's attributes."""


class Source(ABC):
    """title: what it is called. notes: what was left out and why, sentences. only: the file that
    was chosen, where it was one of a folder: `files` is that file alone then, and others may be
    read as far as it, or what belongs to it, calls them by name."""

    title: str
    only: PurePosixPath | None = None
    notes: list[str]

    @cached_property
    def files(self) -> tuple[PurePosixPath, ...]:
        """What may be labels, relative, sorted by their natural order: all files, or `only`."""
        return self.around if self.only is None else (self.only,)

    @cached_property
    def around(self) -> tuple[PurePosixPath, ...]:
        """All files inside in that order, also around the one that was chosen: for what belongs to
        labels, as pictures and lists of classes do."""
        return tuple(sorted(self._listed(), key=natural))

    @cached_property
    def _known(self) -> frozenset[PurePosixPath]:
        return frozenset(self.around)

    @cached_property
    def _by_name(self) -> Mapping[str, list[PurePosixPath]]:
        found: dict[str, list[PurePosixPath]] = {}
        for path in self.around:
            found.setdefault(path.name, []).append(path)
        return found

    def called(self, path: PurePosixPath) -> str:
        """What messages call a file: with the title, unless it is the very file that was chosen."""
        return str(path) if path == self.only else f"{path} in {self.title}"

    def has(self, path: PurePosixPath | str) -> bool:
        """Whether such a file is inside."""
        return PurePosixPath(path) in self._known

    def below(self, folder: PurePosixPath | str) -> tuple[PurePosixPath, ...]:
        """The files in a folder and the folders inside it."""
        wanted = PurePosixPath(folder)
        return tuple(f for f in self.files if f.is_relative_to(wanted))

    def named(self, text: str, beside: PurePosixPath | None = None) -> PurePosixPath | None:
        """The file that another file calls `text`, whatever computer it was written on.

        Looked for beside that file, from the top, and else by its bare name where only one file
        has it. None when there is none, or it lies outside.
        """
        bare = PurePosixPath(text.replace("\\", "/")).name
        for base in ([beside.parent] if beside is not None else []) + [PurePosixPath()]:
            try:
                path = names.inside((base / text.replace("\\", "/")).as_posix())
            except SegStudioError:
                continue
            if path in self._known:
                return path
        found = self._by_name.get(bare, [])
        return found[0] if len(found) == 1 else None

    def read(self, path: PurePosixPath, limit: int = MAX_FILE_BYTES) -> bytes:
        """A file's bytes. FormatError when it is not inside, over the limit, or unreadable."""
        if path not in self._known:
            raise FormatError(f"There is no {self.called(path)}; check that it is whole.")
        content = self._content(path, limit)
        if len(content) > limit:
            raise FormatError(
                f"{self.called(path)} has more than the {limit // 1_000_000:,} MB that are"
                " read; check that it is what its name says."
            )
        return content

    def head(self, path: PurePosixPath, count: int = 65536) -> bytes:
        """A file's first bytes, to see what it is. FormatError as in `read`."""
        if path not in self._known:
            raise FormatError(f"There is no {self.called(path)}; check that it is whole.")
        return self._content(path, count)[:count]

    def text(self, path: PurePosixPath) -> str:
        """A text file, UTF-8 with or without a mark. FormatError when it is none."""
        try:
            return self.read(path, MAX_TEXT_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{self.called(path)} is no text in UTF-8; save it as such, or leave it out."
            ) from error

    def json(self, path: PurePosixPath) -> Any:  # noqa: ANN401  whatever JSON holds
        """What a JSON file holds. FormatError when it is none, or nested beyond reason."""
        try:
            return json.loads(self.text(path))
        except (ValueError, RecursionError) as error:
            where = _damage(error)
            raise FormatError(
                f"{self.called(path)} is no valid JSON ({where}); export it again."
            ) from error

    @abstractmethod
    def place(self, path: PurePosixPath) -> Path | None:
        """Where the file lies on the disk; None inside an archive."""

    @abstractmethod
    def _listed(self) -> Iterator[PurePosixPath]: ...

    @abstractmethod
    def _content(self, path: PurePosixPath, limit: int) -> bytes:
        """At most limit + 1 bytes of it."""

    def close(self) -> None:  # noqa: B027  a folder has nothing to let go of
        """Let go of the files."""


class FolderSource(Source):
    """A folder on the disk."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FormatError(f"There is no folder {folder}; check the path.")
        self._folder = folder.resolve()
        self.title = folder.name or str(folder)
        self.notes = []

    def place(self, path: PurePosixPath) -> Path | None:
        return self._folder / path

    def _listed(self) -> Iterator[PurePosixPath]:
        count = 0
        for top, folders, files in os.walk(self._folder, followlinks=False):
            here = Path(top)
            folders[:] = [f for f in folders if not f.startswith(".")]
            self.notes += [
                f"{f} is a link to a folder and left out; choose that folder, or copy it here."
                for f in folders
                if (here / f).is_symlink()
            ]
            for name in files:
                path = here / name
                if name.startswith(".") or not self._is_inside(path):
                    continue
                count += 1
                if count > MAX_FILES:
                    raise FormatError(
                        f"{self.title} holds more than {MAX_FILES:,} files; choose a folder inside"
                        " it."
                    )
                yield PurePosixPath(path.relative_to(self._folder).as_posix())

    def _is_inside(self, path: Path) -> bool:
        """Regular files only: a pipe would wait for ever, a device never end."""
        if not path.is_symlink():
            return path.is_file()
        is_inside = path.resolve().is_relative_to(self._folder) and path.is_file()
        if not is_inside:
            self.notes.append(f"{path.name} is a link that leads out of the folder: left out.")
        return is_inside

    def _content(self, path: PurePosixPath, limit: int) -> bytes:
        try:
            with (self._folder / path).open("rb") as file:
                return file.read(limit + 1)
        except OSError as error:
            raise FormatError(
                f"{self.called(path)} cannot be read ({error.strerror}); check its permissions."
            ) from error


class ZipSource(Source):
    """A zip file; its members are read in place."""

    def __init__(self, file: Path) -> None:
        self.title = file.name
        self.notes = []
        self._left = MAX_UNPACKED
        try:
            self._zip = zipfile.ZipFile(file)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise FormatError(
                f"{file.name} is no zip file that can be read ({error}); download or pack it again."
            ) from error

    def place(self, path: PurePosixPath) -> Path | None:  # noqa: ARG002
        return None

    @cached_property
    def _members(self) -> dict[PurePosixPath, zipfile.ZipInfo]:
        found: dict[PurePosixPath, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            if member.is_dir():
                continue
            try:
                path = names.inside(member.filename)
            except SegStudioError:
                self.notes.append(f"'{member.filename[:80]}' leads out of the archive: left out.")
                continue
            if member.external_attr >> 28 == _UNIX_LINK:
                self.notes.append(f"{path} is a link in an archive: left out.")
            elif path.parts and not any(p.startswith((".", "__MACOSX")) for p in path.parts):
                found.setdefault(path, member)
        return found

    def _listed(self) -> Iterator[PurePosixPath]:
        if len(self._zip.infolist()) > MAX_FILES:
            raise FormatError(f"{self.title} holds more than {MAX_FILES:,} files; unpack it first.")
        yield from self._members

    def _content(self, path: PurePosixPath, limit: int) -> bytes:
        try:
            with self._zip.open(self._members[path]) as file:
                content = file.read(min(limit, self._left) + 1)
        # What zipfile raises for damaged or encrypted members.
        except (OSError, ValueError, RuntimeError, EOFError, NotImplementedError,
                zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
            raise FormatError(
                f"{self.called(path)} cannot be unpacked ({str(error)[:80]}); pack it again,"
                " without a password."
            ) from error
        self._left -= len(content)
        if self._left < 0:
            raise FormatError(
                f"{self.title} unpacks to more than {MAX_UNPACKED // 1_000_000_000} GB; unpack it"
                " yourself and open the folder."
            )
        return content

    def close(self) -> None:
        self._zip.close()


def open_files(path: Path) -> Source:
    """A folder, a zip file, or the folder of one file, which is then its `only`."""
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise FormatError(f"There is nothing at {path}; check the path.")
    if not path.is_file():  # who opens a pipe waits until somebody writes
        raise FormatError(f"{path.name} is a pipe or a device; choose a folder or a file.")
    if zipfile.is_zipfile(path):
        return ZipSource(path)
    if path.suffix.lower() == ".zip":
        raise FormatError(
            f"{path.name} is no zip file that can be read; download or pack it again."
        )
    source = FolderSource(path.parent)
    source.title, source.only = path.name, PurePosixPath(path.name)
    return source


def _damage(error: ValueError | RecursionError) -> str:
    """Where JSON is damaged: its files often are one line of megabytes."""
    if not isinstance(error, json.JSONDecodeError):
        return "it cannot be read"
    if not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated"):
        return "it is cut off" if error.doc.strip() else "it is empty"
    return f"line {error.lineno}, column {error.colno} cannot be read"


def natural(path: PurePosixPath) -> tuple[object, ...]:
    """Sort key that puts frame_10 behind frame_9, folder by folder."""
    parts = [re.split(r"(\d+)", part.casefold()) for part in path.parts]
    return (
        tuple(tuple((0, int(t), "") if t.isdecimal() else (1, 0, t) for t in p) for p in parts),
        path.as_posix(),
    )
