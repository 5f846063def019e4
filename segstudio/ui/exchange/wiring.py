"""Exporting and importing in the program: one exporter a window, and what it tells when its own
window is closed.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from segstudio.formats.names import clean
from segstudio.formats.report import ExportReport
from segstudio.ui.exchange.exporter import Exporter
from segstudio.ui.exchange.importer import Importer
from segstudio.ui.exchange.places import writable
from segstudio.ui.exchange.unwatched import is_seen, tell_unwatched
from segstudio.ui.session import Session


def exporter_of(owner: QWidget, session: Session) -> Exporter:
    """The one exporter of a window; made when it is first wanted."""
    found = owner.findChild(Exporter)
    if found is not None:
        return found
    made = Exporter(session.background, owner)

    def ended(report: ExportReport) -> tuple[str, str]:
        proof = report.proof
        is_bad = proof is not None and not proof.is_exact and not proof.is_expected
        return " ".join(report.lines()[:2]), "error" if is_bad else "info"

    stopped = "The export was stopped; export again to go on with it."
    tell_unwatched(made, session, lambda: _is_watched(owner), ended, stopped)
    return made


def open_export(owner: QWidget, session: Session, show_folder: Callable[[Path], None]) -> None:
    """The export window, of the project that is open now."""
    from segstudio.ui.dialogs.export.window import ExportWindow

    project = session.editor.projects.project
    if project is None:
        return
    window = owner.findChild(ExportWindow)
    if window is None:
        window = ExportWindow(
            owner, project, _place(session), exporter_of(owner, session), session.background
        )
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.folder_wanted.connect(show_folder)
        exporter = exporter_of(owner, session)

        def say(_: int) -> None:
            if exporter.is_running:
                session.tell("The export goes on; you are told here when it is done.", "info")

        window.finished.connect(say)
        session.editor.projects.opened.connect(window.close)  # it shows what is gone
    window.show()
    window.raise_()
    window.activateWindow()


def import_labels(
    owner: QWidget,
    session: Session,
    files: Path,
    ask_save: Callable[[str, str, Callable[[Path], None]], None],
) -> None:
    """The import window for these files; a project is asked for where none is open."""
    if session.editor.projects.project is not None:
        _open_import(owner, session, files)
        return

    def then(path: Path) -> None:
        projects = session.editor.projects

        def forget(_: object) -> None:
            """Made or not: the next project that is opened is for something else."""
            projects.opened.disconnect(begin)
            projects.failed.disconnect(forget)

        def begin(project: object) -> None:
            forget(project)
            _open_import(owner, session, files)

        projects.opened.connect(begin)
        projects.failed.connect(forget)
        session.create_project(path.with_suffix(".segproj"))

    ask_save("A Project for These Labels", f"{clean(files.stem, 'labels')}.segproj", then)


def _open_import(owner: QWidget, session: Session, files: Path) -> None:
    from segstudio.ui.dialogs.import_labels.window import ImportWindow

    editor = session.editor
    project = editor.projects.project
    if project is None:
        return
    for old in owner.findChildren(ImportWindow):
        old.close()
    # Not the window's child: an import that is in although the window was closed is still told.
    importer = Importer(session.background, project, owner)
    window = ImportWindow(owner, files, importer)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def renew(report: object) -> None:
        """Frames, classes and media of the project may all be new."""
        if editor.projects.project is not project:
            return
        editor.projects.renew()
        editor.reread(frozenset(f.key for m in project.media() for f in project.frames(m.id)))
        session.tell(report.lines()[0], "info")  # type: ignore[attr-defined]  # an ImportReport

    importer.finished.connect(renew)
    editor.projects.leaving.connect(window.close)
    window.show()
    window.raise_()


def _place(session: Session) -> Path:
    """Beside the project, under its name, or beside the clip where the program keeps the project;
    in the home folder where nothing can be written there."""
    projects, info = session.editor.projects, session.info
    project = projects.project
    if projects.is_own and info is not None:
        return writable(info.path.parent) / (clean(Path(info.title).stem) or "labels")
    if project is None:
        return Path.home() / "labels"
    return writable(project.path.parent) / project.path.stem


def _is_watched(owner: QWidget) -> bool:
    """Whether the person has the export window open and sees it there."""
    from segstudio.ui.dialogs.export.window import ExportWindow

    return is_seen(owner, ExportWindow)
