"""Many steps of many frames, with the media and classes they need, as one transaction.

Everything of an import reaches the disk together or not at all, however it ends: a frame that does
not fit, a disk that fills, a program that is killed.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from segstudio.core.classes import ClassMap
from segstudio.core.steps import Step
from segstudio.errors import SegStudioError
from segstudio.store import frame_rows
from segstudio.store.picture_names import SETTING, PictureNames
from segstudio.store.project_media import ProjectMedia
from segstudio.store.project_rows import Counts, FrameAbout, FrameKey, MediaRecord


@dataclass(frozen=True, slots=True)
class NewStep:
    """What `Project.push` takes. key: media below 0 are new ones of the same import, -1 the first.

    number: how many steps of the frame are done before it.
    """

    key: FrameKey
    number: int
    step: Step
    counts: Counts
    about: FrameAbout


@dataclass(frozen=True, slots=True)
class NewMedium:
    """record: its id does not count. pictures: of a folder or list, None for all else."""

    record: MediaRecord
    pictures: PictureNames | None = None


class ProjectImports(ProjectMedia):
    """Part of Project, which makes everything that is named here."""

    _classes: ClassMap

    def push_all(
        self,
        steps: Callable[[], Iterable[NewStep]],
        *,
        media: Iterable[NewMedium] = (),
        classes: ClassMap | None = None,
    ) -> "tuple[tuple[MediaRecord, ...], Future[None]]":
        """All of these, or none. Returns the records of the new media, and when it is done.

        steps: gives them as often as it is called, in the store's thread; at most one of each
        frame. What it raises (SegStudioError) ends the import, as StaleFrame does for a frame that
        was changed since, and a disk that refuses. classes: the set from now on, in which all ids
        keep their meaning.
        """
        self._check_writable()
        wanted = tuple(media)
        with self._guard:
            before = {record.id for record in self._media.all()}
            records = tuple(
                self._media.added(replace(new.record, id=0, path=new.record.path.absolute()))
                for new in wanted
            )
            added = {record.id for record in records} - before
            writings = [self._media.writing(record, self.path) for record in records]
            names = {
                f"{SETTING}{record.id}": new.pictures.to_json()
                for record, new in zip(records, wanted, strict=True)
                if new.pictures is not None
            }
            texts = names if classes is None else {**names, "classes": classes_json(classes)}
            batch = _Batch(steps, records, writings, texts)

            def operation(connection: sqlite3.Connection) -> None:
                if connection.execute("PRAGMA database_list").fetchone()[2]:
                    rows = batch.write(connection, self.path.name)
                    self._show(rows, batch, classes)
                else:
                    batch.write_copy(connection)

            future = self._thread.write(None, operation)
        future.add_done_callback(lambda done: self._imported(done, batch, added))
        return records, future

    def _show(
        self, rows: dict[FrameKey, frame_rows.Row], batch: "_Batch", classes: ClassMap | None
    ) -> None:
        """The store's thread: what was written is what the window shows."""
        with self._guard:
            batch.before = {key: (self._rows.get(key), row) for key, row in rows.items()}
            batch.settings = {name: self._settings.get(name) for name in batch.texts}
            batch.classes = self._classes
            self._rows.update(rows)
            self._settings.update(batch.texts)
            self._classes = self._classes if classes is None else classes

    def _imported(self, done: "Future[None]", batch: "_Batch", added: set[int]) -> None:
        """The store's thread: an import that failed was never there."""
        if done.exception() is None:
            return
        with self._guard:
            for media in added:
                self._media.removed(media)
            for key, (old, new) in batch.before.items():
                if self._rows.get(key) is new:
                    self._rows.pop(key)
                    if old is not None:
                        self._rows[key] = old
            for name, text in batch.settings.items():
                self._settings.pop(name, None)
                if text is not None:
                    self._settings[name] = text
            self._classes = batch.classes or self._classes


@dataclass(slots=True, eq=False)
class _Batch:
    """What one import writes. before, settings, classes: what memory held, to go back to."""

    steps: Callable[[], Iterable[NewStep]]
    records: tuple[MediaRecord, ...]
    writings: list[Callable[[sqlite3.Connection], None] | None]
    texts: dict[str, str]
    before: dict[FrameKey, tuple[frame_rows.Row | None, frame_rows.Row]] = field(
        default_factory=dict
    )
    settings: dict[str, str | None] = field(default_factory=dict)
    classes: ClassMap | None = None
    _tries: int = 0

    def write(self, connection: sqlite3.Connection, project: str) -> dict[FrameKey, frame_rows.Row]:
        """All of it, inside a transaction; SegStudioError when any of it cannot be.

        Strokes that a disk refuses are kept and tried again, because nobody could do them twice.
        An import is: it ends, and a person decides.
        """
        self._tries += 1
        if self._tries > 1:
            raise SegStudioError(_refused(project, "its disk reports an error"))
        try:
            self._begin(connection)
            return {
                new.key: frame_rows.push_row(
                    connection, new.key, new.number, new.step, new.counts, new.about
                )
                for new in self._each()
            }
        except sqlite3.Error as error:
            raise SegStudioError(_refused(project, str(error))) from error

    def write_copy(self, connection: sqlite3.Connection) -> None:
        """Into a copy in memory, which holds one frame and no others."""
        self._begin(connection)
        for new in self._each():
            with contextlib.suppress(frame_rows.StaleFrame):
                frame_rows.push(connection, new.key, new.number, new.step, new.counts, new.about)

    def _begin(self, connection: sqlite3.Connection) -> None:
        for writing in self.writings:
            if writing is not None:
                writing(connection)
        for name, text in self.texts.items():
            frame_rows.write_setting(connection, name, text)

    def _each(self) -> Iterator[NewStep]:
        """With the ids of new media. OSError would be the project's own disk: told apart here."""
        try:
            for new in self.steps():
                if new.key.media >= 0:
                    yield new
                else:
                    media = self.records[-1 - new.key.media].id
                    yield replace(new, key=replace(new.key, media=media))
        except OSError as error:
            raise SegStudioError(
                f"The frames to import could not be read ({error}); free some space for temporary"
                " files and import them again."
            ) from error


def _refused(project: str, why: str) -> str:
    return (
        f"The import could not be saved in {project} ({why}), so nothing in it has changed; make"
        " room on its disk, or check it, and import again."
    )


def classes_json(classes: ClassMap) -> str:
    """As the setting "classes" keeps a class set."""
    return json.dumps({"name": classes.name, "classes": classes.to_json()})
