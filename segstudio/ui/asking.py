"""Asking: the questions that commands put to the person, as the window asks them.

Each returns at once; `then` is called with the answer, if there is one.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QMainWindow

from segstudio.core.class_edits import Usage
from segstudio.store.project_rows import MediaRecord
from segstudio.ui.correcting import belonging
from segstudio.ui.dialogs import ask, show
from segstudio.ui.dialogs.note import NoteDialog
from segstudio.ui.exchange import importer
from segstudio.ui.menus import Menus
from segstudio.ui.session import Session


class AskingWindow(QMainWindow):
    """The half of the Desk that asks; the window itself is the other half.

    Signals:
        closed(): everything that was running has been told to stop and waited for.
    """

    closed = Signal()
    menus: Menus

    @property
    def session(self) -> Session:
        """What is open."""
        raise NotImplementedError

    def ask_files(self, then: Callable[[list[Path]], None]) -> None:
        """Which video or pictures?"""
        ask.files(self, _last_folder(self.session), then)

    def ask_folder(self, title: str, then: Callable[[Path], None]) -> None:
        """Which folder?"""
        ask.folder(self, title, _last_folder(self.session), then)

    def ask_save(self, title: str, name: str, then: Callable[[Path], None]) -> None:
        """Where to?"""
        ask.save(self, title, _last_folder(self.session) / name, then)

    def ask_labels(self, then: Callable[[Path], None]) -> None:
        """Which file of labels?"""
        ask.labels(self, _last_folder(self.session), then)

    def show_folder(self, folder: Path) -> None:
        """In the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def ask_frame(self, then: Callable[[int], None]) -> None:
        """Which frame?"""
        ask.frame(self, self.session.player, then)

    def ask_range(self, title: str, then: Callable[[int, int], None]) -> None:
        """From which frame to which?"""
        ask.frames(self, title, self.session.player, then)

    def ask_note(self, frame: str, note: str | None, then: Callable[[str | None], None]) -> None:
        """What is to be looked at there? None: nothing, the flag goes."""
        for old in self.findChildren(NoteDialog):
            old.reject()
        NoteDialog(self, frame, note, then).show()

    def ask_project(self, then: Callable[[Path], None]) -> None:
        """Which project?"""
        ask.project(self, _last_folder(self.session), then)

    @Slot(object)
    def locate_media(self, record: MediaRecord) -> None:
        """A clip of the project lies nowhere any more: where is it?"""
        session, project = self.session, self.session.editor.projects.project
        if project is None:
            return
        session.tell(
            f"{record.title} is not where it was ({record.path.parent}); show where it is now, its"
            " labels are kept.", "warning",
        )  # fmt: skip

        def found(paths: list[Path]) -> None:
            session.background.run(
                lambda _: belonging.located(project, record, paths[0]),
                success=session.open,
                failure=session.tell_error,
                name="locate",
            )

        if record.kind == "sequence":
            ask.folder(self, f"Where Is {record.title}?", record.path, lambda p: found([p]))
        else:
            ask.files(self, record.path.parent, found)

    def edit_classes(self) -> None:
        """The class set of the project, once it is known how much is labelled with each class."""
        session, project = self.session, self.session.editor.projects.project
        if project is None:
            return
        given = project

        def show_it(usage: Usage) -> None:
            from segstudio.ui.correcting.reclassing import change_classes
            from segstudio.ui.dialogs.class_set import ClassSetDialog

            if session.editor.projects.project is given:
                dialog = ClassSetDialog(
                    given.classes, lambda: usage, partial(change_classes, session.editor), self
                )
                dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
                dialog.open()

        session.background.run(
            lambda _: given.usage(), success=show_it, failure=session.tell_error, name="usage"
        )

    def show_dialog(self, name: str) -> None:
        """One of the dialogs that are no questions."""
        if name == "train":  # a window that comes and goes while a training goes on
            from segstudio.ui.training.wiring import trainer_of

            trainer_of(self, self.session).open(self)
        elif name == "export":  # likewise
            from segstudio.ui.exchange.wiring import open_export

            open_export(self, self.session, self.show_folder)
        elif name == "export_video":  # likewise
            from segstudio.ui.exchange.video_wiring import open_video_export

            open_video_export(self, self.session, self.show_folder)
        else:
            show.dialog(name, self, self.session, self.menus)

    @Slot(object)
    @Slot(list)
    def open_dropped(self, paths: list[Path]) -> None:
        """Labels of another program are looked at; everything else is opened."""
        if len(paths) != 1 or not importer.may_be_labels(paths[0]):
            self.session.open(paths)
            return

        def then(are_labels: object) -> None:
            if are_labels:
                self.import_labels(paths[0])
            else:
                self.session.open(paths)

        self.session.background.run(
            lambda _: importer.are_labels(paths[0]),
            success=then,
            failure=lambda _: self.session.open(paths),
            name="recognise",
        )

    def import_labels(self, place: Path) -> None:
        """Look at labels of another program; a project is made where there is none."""
        from segstudio.ui.exchange.wiring import import_labels

        import_labels(self, self.session, place, self.ask_save)

    def import_weights(self, file: Path) -> None:
        """The import page of the model dialog, for weights that were opened or dropped."""
        from segstudio.ui.dialogs.models import ModelsDialog

        dialog: QDialog | None = self.findChild(ModelsDialog)
        if dialog is None:
            dialog = show.dialog("models", self, self.session, self.menus)
        if isinstance(dialog, ModelsDialog):
            dialog.import_file(file)


def _last_folder(session: Session) -> Path:
    """Where the last opened file lies."""
    recent = session.settings.recent
    return Path(recent[0]).parent if recent else Path.home()
