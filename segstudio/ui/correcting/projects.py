"""Which project is open, and which of its media is on the screen. Part of the editor.

A source that is opened without a project gets one of its own in the user's data folder, found
again by what the file contains. A project that a person opened or made takes in every source that
is opened while it is there.
"""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.classes import CAMVID, ClassMap
from segstudio.errors import SegStudioError
from segstudio.media.source import SourceInfo
from segstudio.ui.bridge.background import Background, Job

if TYPE_CHECKING:
    from segstudio.store.project import MediaRecord, Project

log = logging.getLogger("segstudio.ui")


class ProjectShelf(QObject):
    """Lives in the UI thread; files are opened and closed in background jobs.

    project, media: None while there is none. is_own: the project was made by itself.

    Signals:
        changed(): another project or medium, or none.
        news(object): StoreNews of the open project.
        failed(object): the exception that kept a project from being opened.
        opened(object): a Project that a person opened, before any of its media is shown.
    """

    changed = Signal()
    news = Signal(object)
    failed = Signal(object)
    opened = Signal(object)

    def __init__(self, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.media: MediaRecord | None = None
        self.is_own = False
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
        self._set(self.project if not self.is_own else None, None)
        if info is None:
            return
        given, left = self.project, self._retired

        def op(_: Job) -> "tuple[Project, MediaRecord]":
            left.wait()  # the same clip again: its project must be let go first
            project = given if given is not None else _own_project(info, classes or CAMVID)
            try:
                return project, _media_of(project, info)
            except BaseException:
                if given is None:
                    project.close()
                raise

        def success(found: "tuple[Project, MediaRecord]") -> None:
            self._job = None
            self.is_own = given is None
            self._set(*found)

        def discard(found: "tuple[Project, MediaRecord]") -> None:
            if given is None:
                found[0].close()

        self._job = self._background.run(
            op, success=success, failure=self.failed.emit, discard=discard, name="project"
        )

    def open(self, path: Path) -> None:
        """Open a project that a person chose."""

        left = self._retired

        def op(_: Job) -> "Project":
            from segstudio.store.project import Project

            left.wait()
            return Project.open(path)

        self._background.run(
            op, success=self.adopt, failure=self.failed.emit, discard=_let_go, name="project"
        )

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
        self.is_own = False
        self._set(project, None)
        self.opened.emit(project)

    def leave(self) -> None:
        """Close the project that a person opened."""
        self._set(None, None)
        self.is_own = False

    def renew(self) -> None:
        """The open project's classes or media changed."""
        self.changed.emit()

    def _set(self, project: "Project | None", media: "MediaRecord | None") -> None:
        old, self.project, self.media = self.project, project, media
        if old is not None and old is not project:
            self._retire(old)
        if project is not None and project is not old:
            project.add_listener(self.news.emit)  # from the store's thread: Qt queues it
        self.changed.emit()

    def _retire(self, project: "Project") -> None:
        before, done = self._retired, threading.Event()
        self._retired = done

        def op(_: Job) -> None:
            try:
                before.wait()
                _close(project)
            finally:
                done.set()

        self._background.run(op, success=_ignore, failure=self.failed.emit, name="project-close")

    def close(self, timeout_s: float) -> list[str]:
        """The end of the program: write what waits, then let go of the file."""
        project, self.project, self.media = self.project, None, None
        if project is None or _close(project, timeout_s):
            return []
        return ["segstudio-store"]


@Slot(object)
def _ignore(_: object) -> None:
    """Nobody waits for it."""


def _let_go(project: "Project") -> None:
    project.close(10.0)


def _close(project: "Project", timeout_s: float = 10.0) -> bool:
    """True when everything is on the disk. A project of its own that holds nothing goes."""
    return project.close(timeout_s)


def _own_project(info: SourceInfo, classes: ClassMap) -> "Project":
    from segstudio.store.project import Project, auto_path

    path = auto_path(info.id, info.title)
    return Project.open(path) if path.exists() else Project.create(path, classes)


def _media_of(project: "Project", info: SourceInfo) -> "MediaRecord":
    known = next((m for m in project.media() if m.fingerprint == info.id), None)
    if project.is_read_only:
        if known is None:
            raise SegStudioError(
                f"{info.title} is not part of {project.path.name}, and the project is read-only"
                " here; close it to label this file on its own."
            )
        return known
    return project.add_media(
        fingerprint=info.id,
        title=info.title,
        kind=info.kind,
        path=info.path,
        width=info.width,
        height=info.height,
        frames=info.frames,
    )
