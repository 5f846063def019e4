"""What can be done with an installed model, besides using it: measured, exported, removed."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from segstudio import paths
from segstudio.core.catalogue import ModelCard
from segstudio.ui.dialogs import model_work
from segstudio.ui.dialogs.model_work import WorkCard
from segstudio.ui.session import Session


class ModelActions(QObject):
    """Asks what has to be asked, and lets the card work."""

    def __init__(self, parent: QWidget, session: Session, work: WorkCard) -> None:
        super().__init__(parent)
        self._window, self._session, self._work = parent, session, work

    def menu(self, card: ModelCard | None, details: str) -> QMenu:
        """What is wanted rarely. card: the selected model, if it is one."""
        menu = QMenu(self._window)
        copy = menu.addAction("Copy details")
        copy.triggered.connect(lambda _=False: QGuiApplication.clipboard().setText(details))
        if card is not None:
            show = menu.addAction("Show folder")
            show.triggered.connect(lambda _=False: self.show_folder(card))
            remove = menu.addAction("Remove…")
            remove.setEnabled(is_own(card) and not self._work.is_running)
            remove.triggered.connect(lambda _=False: self.ask_remove(card))
        return menu

    def measure(self, card: ModelCard, size: tuple[int, int] | None) -> None:
        """Frames per second on the chosen device.

        size: (h, w) of the net's input; None: what a 720p frame becomes.
        """
        shelf = self._session.models
        self._work.start(
            f"Measuring {card.title}…",
            model_work.measuring(card, shelf.device, size, shelf.strategy),
            partial(self._show_bench, card.title),
            "Not measured",
        )

    def _show_bench(self, title: str, figures: object) -> None:
        self._work.show_result(
            f"Speed of {title}",
            model_work.bench_words(figures),
            table=model_work.bench_table(figures),
            tone="",
        )

    def ask_export(self, card: ModelCard) -> None:
        """Where to?"""
        dialog = QFileDialog(self._window, f"Export {card.title} to ONNX", str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilters(["ONNX model (*.onnx)"])
        dialog.setDefaultSuffix("onnx")
        dialog.selectFile(f"{card.name}.onnx")
        dialog.fileSelected.connect(lambda name: self.export(card, Path(name)))
        dialog.open()

    def export(self, card: ModelCard, file: Path) -> None:
        """Write the model as ONNX in the background, and prove it."""
        self._work.start(
            f"Exporting {card.title}…",
            model_work.exporting(card, file),
            self._show_export,
            "Not exported",
        )

    def _show_export(self, report: object) -> None:
        self._work.show_result(*model_work.export_words(report))

    def ask_remove(self, card: ModelCard) -> QMessageBox:
        """Into the system's trash, after a question."""
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Remove Model")
        box.setText(f"Move “{card.title}” to the trash?")
        box.setInformativeText(str(card.folder))
        remove = box.addButton("Move to Trash", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        remove.clicked.connect(lambda _=False: self.remove(card))
        box.open()
        return box

    def remove(self, card: ModelCard) -> None:
        """Without a question."""

        def done(_: object) -> None:
            self._session.models.remove(card)
            self._work.show_result(f"{card.title} is in the trash.")

        models = self._session.models
        self._work.start(
            f"Removing {card.title}…",
            model_work.trashing(card),
            done,
            "Not removed",
            lambda _: models.remove(card),
        )

    def show_folder(self, card: ModelCard) -> None:
        """In the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(card.folder)))


def is_own(card: ModelCard) -> bool:
    """Imported or trained here; what came with SegStudio or lies elsewhere stays."""
    return card.folder.parent == paths.user_models().resolve()
