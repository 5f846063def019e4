"""What a format is, and all of them by name.

A format is one file in `formats/kinds/`, or an entry point of the group `segstudio.formats` in any
installed package that names a `Format` class. It writes pure: from a frame the bytes of its files,
in any thread; who calls it decides where they go, what must not be overwritten, and proves them by
reading them back with the same format.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import PurePosixPath
from typing import Any, Protocol, runtime_checkable

from segstudio.core.classes import ClassMap
from segstudio.formats.files.source import Source, natural
from segstudio.formats.labelled import Labelled
from segstudio.formats.options import Option, Values
from segstudio.registry import Registry

log = logging.getLogger("segstudio.formats")

Entry = Mapping[str, Any]
"""What a format remembers of a frame for its lists: anything that JSON can hold."""


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file to be written. path: relative, of clean parts. content: its bytes, or pieces of them
    for what may be large."""

    path: PurePosixPath
    content: bytes | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Written:
    """What one frame becomes. files: its label files. picture: where its picture belongs, with the
    suffix of the frame's own picture; None where the format has no place for one or none is there.
    entry: for `Writer.finish`. read_as: the name that the format's own reader gives the frame,
    where that is not the frame's name ("" then), so that the proof finds it.
    """

    files: tuple[OutFile, ...]
    picture: PurePosixPath | None
    entry: Entry
    read_as: str = ""


@runtime_checkable
class Writer(Protocol):
    """One export: immutable once made, so that several threads may call `frame`.

    cannot: what the format cannot carry of this class set, a sentence each.
    ids: uint8 (256,): the labels that reading its files gives (in the reader's class set) for each
    id of the project, 255 where the format has no such class. So the proof of an exact format is
    `ids[labels] == read labels`. A writer may have `is_exact` too, where its options decide that.
    """

    cannot: tuple[str, ...]

    @property
    def ids(self) -> Any:  # noqa: ANN401  NDArray[np.uint8] of a Protocol's property
        """See above."""

    def frame(self, item: Labelled) -> Written:
        """The files of one frame. SegStudioError when this frame cannot be written."""

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """The lists. entries: gives all frames' entries in the order of the export, as often as it
        is called; they may be more than fit into memory."""


@dataclass(frozen=True, slots=True)
class FrameRef:
    """A frame that a reader can read. name: as in Labelled. key: the reader's own.

    picture: where its picture lies in the source, None where it has none.
    """

    name: str
    key: Any = None
    clip: str = ""
    split: str = ""
    picture: PurePosixPath | None = None


def in_order(frames: Iterable[FrameRef]) -> list[FrameRef]:
    """By split, then by name, as people count."""
    return sorted(frames, key=lambda f: natural(PurePosixPath(f.split, f.name)))


@runtime_checkable
class Reader(Protocol):
    """One set of files of others, opened. classes: what its labels mean, as far as the files say.

    frames: all of them, in natural order. notes: what a person should know (sentences): colours
    that no class has, files left out and why.
    """

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]

    def read(self, frame: FrameRef) -> Labelled:
        """Labels (and instances where the files have them); `picture` stays None.

        FormatError with the file and the field when they are damaged. In any thread.
        """


@dataclass(frozen=True, slots=True)
class Guess:
    """What a folder seems to be. format: its name. sure: 0..1. why: a sentence for a person.

    options: of `Format.open`.
    """

    format: str
    sure: float
    why: str
    options: Values


@runtime_checkable
class Format(Protocol):
    """A format; stateless.

    title: as its users call it. about: one sentence. can_write: False for what is only read.
    is_exact: whether labels come back unchanged, but for classes that it has no place for.
    writes_with, reads_with: what can be chosen.
    """

    name: str
    title: str
    about: str
    can_write: bool
    is_exact: bool
    writes_with: tuple[Option, ...]
    reads_with: tuple[Option, ...]

    def writer(self, classes: ClassMap, options: Values) -> Writer:
        """options: complete. FormatError when this class set cannot be written at all."""

    def sniff(self, source: Source) -> Guess | None:
        """Whether the files look like this format; cheap, and never raises for foreign files."""

    def open(self, source: Source, options: Values, classes: ClassMap | None = None) -> Reader:
        """options: complete. classes: what ids mean, for formats whose files do not say.

        FormatError with the file and the field when it is not of this format, or damaged.
        """


class _Formats(Registry[Format]):
    """Those of the folder, then those of other packages."""

    def _load(self) -> None:
        with self._loading:
            if self._is_loaded:
                return
            super()._load()
            for point in entry_points(group="segstudio.formats"):
                try:
                    self.add(point.name)(point.load()())
                # Whatever a foreign package does wrong must not take the others along.
                except Exception:
                    log.exception("the format plug-in %s could not be loaded", point.name)


FORMATS: Registry[Format] = _Formats("format", "segstudio.formats.kinds")


def file_format(cls: Callable[[], Format]) -> Callable[[], Format]:
    """Class decorator: files one instance under its name."""
    made = cls()
    FORMATS.add(made.name)(made)
    return cls
