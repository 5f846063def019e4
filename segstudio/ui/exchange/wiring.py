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
from segstudio.ui.session import Session


def exporter_of(owner: QWidget, session: Session) -> Exporter:
    """The one exporter of a window; made when it is first wanted."""
    found = owner.findChild(Exporter)
    if found is not None:
        return found
    made = Exporter(session.background, owner)

    def tell(report: ExportReport) -> None:
        if not _is_watched(owner):
            proof = report.proof
            is_bad = proof is not None and not proof.is_exact and not proof.is_expected
            session.tell(" ".join(report.lines()[:2]), "error" if is_bad else "info")

    def fail(text: str) -> None:
        if not _is_watched(owner):
            session.tell(text, "error")

    made.finished.connect(tell)
    made.failed.connect(fail)
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
        session.editor.projects.opened.connect(window.close)  # it shows what is gone
    window.show()
    window.raise_()
    window.activateWindow()


def _place(session: Session) -> Path:
    """Beside the project, under its name; beside the clip where the program keeps the project."""
    projects, info = session.editor.projects, session.info
    if projects.is_own and info is not None:
        return info.path.parent / (clean(Path(info.title).stem) or "labels")
    project = projects.project
    return Path("labels") if project is None else project.path.with_suffix("")


def _is_watched(owner: QWidget) -> bool:
    """Whether the person has the export window open and sees it there."""
    from segstudio.ui.dialogs.export.window import ExportWindow

    found = owner.findChild(ExportWindow)
    return found is not None and found.isVisible()
