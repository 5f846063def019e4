"""Frames into files of another program: in parallel, resumable, and read back."""

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from isal import isal_zlib

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.labels import pixels_by_class
from segstudio.errors import Cancelled, FormatError
from segstudio.formats.files.target import Target
from segstudio.formats.labelled import Labelled
from segstudio.formats.options import Values
from segstudio.formats.registry import Entry, Format, Writer
from segstudio.formats.report import ExportReport, Progress

WORKERS = 2
_AHEAD = 4
"""Frames that wait for a worker or for their turn: so much memory, however long the export is."""

_VERSION = 1


def export(
    frames: Iterable[Labelled],
    total: int,
    kind: Format,
    classes: ClassMap,
    target: Target,
    options: Values,
    *,
    pictures: bool = True,
    chosen: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ExportReport:
    """Write every frame; the report has no proof yet, see `proof.prove`.

    frames: in any order that is the same each time. total: how many, for the progress. options:
    complete. pictures: whether they are written too. chosen: how the frames were, as JSON holds it;
    an export that was stopped is only gone on with by the same choice.

    Cancelled when it was stopped: what is finished stays, and the same export into the same target
    goes on from there. FormatError when a file exists already, cannot be written, or a frame does
    not fit the format.
    """
    started = time.monotonic()
    writer = kind.writer(classes, options)
    run = _Run(writer, classes, target, kind.name, options, with_pictures=pictures)
    run.take_up(chosen or {})
    with ThreadPoolExecutor(WORKERS, "export") as pool:
        waiting: deque[tuple[Labelled, Future[_Done]]] = deque()
        try:
            for item in frames:
                if should_stop():
                    raise Cancelled
                waiting.append((item, pool.submit(run.frame, item)))
                if len(waiting) >= _AHEAD:
                    run.settle(*waiting.popleft())
                    progress(Progress("writing", run.count, total, run.last))
            while waiting:
                run.settle(*waiting.popleft())
                progress(Progress("writing", run.count, total, run.last))
        finally:
            run.keep([future for _, future in waiting if not future.cancel()])
    if not run.count:
        raise FormatError("There is no frame to export; confirm some, or choose a wider scope.")
    run.drop_others()
    progress(Progress("lists", run.count, total))
    for file in writer.finish(run.entries):
        run.files += 1
        run.bytes += target.write(file.path, file.content)
    return run.report(kind, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Done:
    """A frame that lies on the disk. line: what the journal remembers of it, at that place there
    already where it was done before the export was stopped."""

    line: dict[str, Any]
    at: int | None = None


@dataclass(slots=True)
class _Run:
    """The state of one export; `frame` runs in workers, everything else in the caller's thread."""

    writer: Writer
    classes: ClassMap
    target: Target
    name: str
    options: Values
    with_pictures: bool
    count: int = 0
    files: int = 0
    bytes: int = 0
    resumed: int = 0
    last: str = ""
    splits: Counter[str] = field(default_factory=Counter)
    pixels: Any = field(default_factory=lambda: np.zeros(256, np.int64))
    _before: dict[str, int] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)

    def take_up(self, chosen: Mapping[str, Any]) -> None:
        """Begin the journal, or read what an export that was stopped had finished."""
        header = {
            "version": _VERSION,
            "format": self.name,
            "options": dict(self.options),
            "classes": self.classes.to_json(),
            "pictures": self.with_pictures,
            "chosen": dict(chosen),
        }
        self._before = self.target.begin(header)

    def frame(self, item: Labelled) -> _Done:
        """Write the files of one frame, unless they are there from before."""
        labels = isal_zlib.crc32(np.ascontiguousarray(item.labels).data)
        at = self._before.get(item.name)
        if at is not None:
            (old,) = self.target.remembered([at])
            is_same = old["labels"] == labels and old["split"] == item.split
            if is_same and all(self.target.holds(PurePosixPath(p), n) for p, n in old["files"]):
                return _Done(old, at)
        written = self.writer.frame(item if self.with_pictures else replace(item, picture=None))
        sizes = [(str(f.path), self.target.write(f.path, f.content)) for f in written.files]
        if written.picture is not None and item.picture is not None:
            sizes.append((str(written.picture), self._picture(written.picture, item)))
        counts = pixels_by_class(item.labels)
        return _Done(
            {
                "name": item.name,
                "read_as": written.read_as or item.name,
                "split": item.split,
                "labels": labels,
                "files": sizes,
                "pixels": {int(i): int(counts[i]) for i in np.flatnonzero(counts)},
                "entry": dict(written.entry),
            },
        )

    def _picture(self, path: PurePosixPath, item: Labelled) -> int:
        assert item.picture is not None
        if item.picture.file is not None:
            return self.target.link(path, item.picture.file)
        return self.target.write(path, item.picture.content())

    def settle(self, item: Labelled, future: "Future[_Done]") -> None:
        """A frame is done: in the order of the frames."""
        done = future.result()
        if item.name in self._places:
            raise FormatError(f"Two frames are called {item.name}; give them names of their own.")
        self._places[item.name] = self.target.remember(done.line) if done.at is None else done.at
        self.count += 1
        self.resumed += done.at is not None
        self.last = item.name
        self.splits[item.split] += 1
        self.files += len(done.line["files"])
        self.bytes += sum(size for _, size in done.line["files"])
        for class_id, pixels in done.line["pixels"].items():
            self.pixels[int(class_id)] += pixels

    def keep(self, futures: "list[Future[_Done]]") -> None:
        """What workers still wrote when it was stopped is remembered too."""
        for future in futures:
            with contextlib.suppress(Exception):  # what went wrong first is being told
                done = future.result()
                if done.at is None:
                    self.target.remember(done.line)

    def drop_others(self) -> None:
        """Remove what was written before the stop and is not of this export any more: files of
        frames that are not chosen now, or went to another split."""
        gone: set[str] = set()
        for name, at in self._before.items():
            if self._places.get(name) != at:
                gone.update(path for path, _ in next(self.target.remembered([at]))["files"])
        for line in self.target.remembered(self._places.values()) if gone else ():
            gone.difference_update(path for path, _ in line["files"])
        for path in gone:
            self.target.remove(PurePosixPath(path))

    def entries(self) -> Iterator[Entry]:
        """What the format remembers of each frame, from the journal: none of it is in memory."""
        return (line["entry"] for line in self.target.remembered(self._places.values()))

    def report(self, kind: Format, seconds: float) -> ExportReport:
        """So far."""
        ids = np.asarray(self.writer.ids)
        names = {c.id: c.name for c in self.classes.classes}
        present = [int(i) for i in np.flatnonzero(self.pixels)]
        lost = [i for i in present if i != VOID and ids[i] == VOID]
        return ExportReport(
            kind.name,
            kind.title,
            str(self.target.path),
            self.options,
            self.count,
            dict(self.splits),
            {names.get(i, "void"): int(self.pixels[i]) for i in present},
            {names.get(i, f"id {i}"): int(self.pixels[i]) for i in lost},
            self.files,
            self.bytes,
            seconds,
            self.resumed,
            self.writer.cannot,
            read_as={
                line["name"]: line["read_as"]
                for line in self.target.remembered(self._places.values())
                if line["read_as"] != line["name"]
            },
        )
