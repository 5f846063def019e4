"""Which project is open, and which of its media is on the screen. Part of the editor.

A source that is opened without a project gets one of its own in the user's data folder, found
again by what the file contains. A project that a person opened or made takes in every source that
is opened while it is there.
"""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.core.classes import CAMVID, ClassMap
from segstudio.errors import SegStudioError
from segstudio.media.source import SourceInfo
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.correcting.belonging import media_of, own_project
from segstudio.ui.correcting.drafts import CameFrom

if TYPE_CHECKING:
    from concurrent.futures import Future

    from segstudio.core.class_mapping import ClassMapping
    from segstudio.store.project import MediaRecord, Project

log = logging.getLogger("segstudio.ui")

CLOSE_S = 10.0
"""How long a disk that refuses is waited for before what it does not take goes elsewhere."""


class ProjectShelf(QObject):
    """Lives in the UI thread; files are opened and closed in background jobs.

    project, media: None while there is none. is_own: the project was made by itself. trouble: why
    what is shown has no project, "" when it has one or soon will.

    Signals:
        leaving(): the project goes; what is half-done belongs to it.
        changed(): another project or medium, or none.
        noted(str): what people should know of a project or medium that was opened.
        news(object): StoreNews of the open project.
        failed(object): the exception that kept a project from being opened.
        opened(object): a Project that a person opened, before any of its media is shown.
    """

    leaving = Signal()
    changed = Signal()
    noted = Signal(str)
    news = Signal(object)
    failed = Signal(object)
    opened = Signal(object)

    def __init__(self, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.media: MediaRecord | None = None
        self.is_own = False
        self._origin: tuple[Project, ClassMap, CameFrom] | None = None
        self.trouble = ""
        self._background = background
        self._job: Job | None = None
        self._retired = threading.Event()  # set when every project that was left is closed
        self._retired.set()

    # --- what is shown

    def follow(self, info: SourceInfo | None, classes: ClassMap | None) -> None:
        """Another source is on the screen, or none. classes: for a project that is made now."""
        if self._job is not None:
            self._job.token.cancel()
            self._job = None
        self.trouble = ""
        self._set(self.project if not self.is_own else None, None)
        if info is None:
            return
        given, left = self.project, self._retired

        def op(_: Job) -> "tuple[Project, MediaRecord, list[str]]":
            left.wait()  # the same clip again: its project must be let go first
            project = given if given is not None else own_project(info, classes or CAMVID)
            try:
                media, notes = media_of(project, info, is_own=given is None)
            except BaseException:
                if given is None:
                    _close(project, is_own=True)
                raise
            if given is None:  # of one that a person opened, people were told when it was
                notes = [n for n in (project.why_read_only, _rescued(project), *notes) if n]
            return project, media, notes

        def success(found: "tuple[Project, MediaRecord, list[str]]") -> None:
            self._job = None
            project, media, notes = found
            self._set(project, media, is_own=given is None)
            for note in notes:
                self.noted.emit(note)

        def failure(error: Exception) -> None:
            self._job = None
            self.trouble = str(error)
            self.failed.emit(error)

        def discard(found: "tuple[Project, MediaRecord, list[str]]") -> None:
            if given is None:
                _close(found[0], is_own=True)

        self._job = self._background.run(
            op, success=success, failure=failure, discard=discard, name="project"
        )

    def open(self, path: Path) -> None:
        """Open a project that a person chose."""

        left = self._retired

        def op(_: Job) -> "tuple[Project, str]":
            from segstudio.store.project import Project

            left.wait()
            project = Project.open(path)
            return project, _rescued(project)

        def success(found: "tuple[Project, str]") -> None:
            project, note = found
            self.adopt(project)
            if note:
                self.noted.emit(note)

        self._background.run(
            op, success=success, failure=self.failed.emit, discard=lambda found: _let_go(found[0]),
            name="project",
        )  # fmt: skip

    def create(self, path: Path, classes: ClassMap) -> None:
        """Make a new project where a person said."""

        def op(_: Job) -> "Project":
            from segstudio.store.project import Project

            return Project.create(path, classes)

        self._background.run(
            op, success=self.adopt, failure=self.failed.emit, discard=_let_go, name="project"
        )

    def adopt(self, project: "Project") -> None:
        """From now on this project; its media are shown by whoever listens to `opened`."""
        self._set(project, None)
        self.opened.emit(project)

    def leave(self) -> None:
        """Close the project that a person opened."""
        self._set(None, None)

    def follow_classes(self, classes: ClassMap) -> None:
        """A model with other classes was chosen: a project of its own that is empty gets them."""
        project = self.project
        if project is None or project.classes == classes or not self._is_fresh(project):
            return
        self.leaving.emit()  # a stroke that is under way may be what it will not be empty for
        if self._is_fresh(project):
            project.follow_classes(classes)
        self.changed.emit()

    def _is_fresh(self, project: "Project") -> bool:
        return self.is_own and not project.is_read_only and project.is_untouched

    @property
    def came_from(self) -> CameFrom:
        """The class set that the project had before a person edited it, and what became of it."""
        project, have = self.project, self._origin
        if project is None:
            return None
        if have is None or have[0] is not project or have[1] is not project.classes:
            have = self._origin = (project, project.classes, _came_from(project))
        return have[2]

    def reclass(self, classes: ClassMap, mapping: "ClassMapping | None") -> None:
        """Another class set; what is read from now on waits until all labels were mapped."""
        if self.project is None:
            return

        def told(done: "Future[None]") -> None:  # in the store's thread; Qt queues the signal
            if (error := done.exception()) is not None:
                self.failed.emit(error)

        before = self.came_from or (self.project.classes, None)
        self.project.remap(classes, mapping).add_done_callback(told)
        _remember(self.project, before, mapping)
        self._origin = None
        self.changed.emit()

    def count(self, info: SourceInfo) -> None:
        """What is on the screen is indexed: only now is known how many frames it has."""
        project, media = self.project, self.media
        if project is None or media is None or project.is_read_only or not info.is_complete:
            return
        is_it = media.kind == info.kind == "video" and media.path == info.path.absolute()
        if is_it and media.frames != info.frames:
            self.media = project.add_media(
                fingerprint=media.fingerprint, title=media.title, kind=media.kind,
                path=media.path, width=info.width, height=info.height, frames=info.frames,
            )  # fmt: skip

    def renew(self) -> None:
        """The open project's classes or media changed."""
        self.changed.emit()

    def _set(
        self, project: "Project | None", media: "MediaRecord | None", *, is_own: bool = False
    ) -> None:
        old, was_own = self.project, self.is_own
        if old is not None and old is not project:
            self.leaving.emit()
        self.project, self.media, self.is_own = project, media, is_own
        if old is not None and old is not project:
            self._retire(old, is_own=was_own)
        if project is not None and project is not old:
            project.add_listener(self.news.emit)  # from the store's thread: Qt queues it
        self.changed.emit()

    def _retire(self, project: "Project", *, is_own: bool) -> None:
        before, done = self._retired, threading.Event()
        self._retired = done

        def op(_: Job) -> str:
            try:
                before.wait()
                return "" if _close(project, is_own=is_own) else _rescued(project, again=True)
            finally:
                done.set()

        def success(note: str) -> None:
            if note:
                self.noted.emit(note)

        self._background.run(op, success=success, failure=self.failed.emit, name="project-close")

    def is_let_go(self) -> bool:
        """Whether every project that was left is closed: its file may be moved."""
        return self._retired.is_set()

    def close(self, timeout_s: float) -> list[str]:
        """The end of the program: write what waits, then let go of the file."""
        project, self.project, self.media = self.project, None, None
        if project is None or _close(project, timeout_s, is_own=self.is_own):
            return []
        return ["segstudio-store"]


def _let_go(project: "Project") -> None:
    project.close(CLOSE_S)


def _close(project: "Project", timeout_s: float | None = None, *, is_own: bool) -> bool:
    """True when everything is on the disk. A project of its own that holds nothing goes."""
    is_whole = project.close(CLOSE_S if timeout_s is None else timeout_s, remove_untouched=is_own)
    if is_own and not project.path.exists():
        from segstudio.store import own_projects

        own_projects.forget(project.path)
    return is_whole


def _rescued(project: "Project", *, again: bool = False) -> str:
    """Where the strokes are that could not be saved; said once more next time with `again`."""
    from segstudio.store.project_files import rescued

    return rescued(project.path, again=again)


def _came_from(project: "Project") -> CameFrom:
    from segstudio.core.class_mapping import ClassMapping

    kept = project.setting("came_from")
    try:
        classes = ClassMap.from_json(kept["name"], kept["classes"])
        table = tuple(int(v) for v in kept["table"])
        return classes, ClassMapping(classes.name, project.classes.name, table)
    except (KeyError, TypeError, ValueError, SegStudioError):
        return None


def _remember(
    project: "Project",
    before: "tuple[ClassMap, ClassMapping | None]",
    mapping: "ClassMapping | None",
) -> None:
    """Drafts of models that know the first set go the way that its labels went."""
    classes, so_far = before
    table = tuple(range(256)) if so_far is None else so_far.table
    if mapping is not None:
        table = tuple(mapping.table[v] for v in table)
    project.put_setting(
        "came_from", {"name": classes.name, "classes": classes.to_json(), "table": list(table)}
    )
