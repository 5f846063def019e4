"""Exporting: which format, which frames, where to; then the proof.

Blocks nothing and may be closed: an export goes on and is told in the window when it is done.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QStackedWidget, QWidget

from segstudio.formats.report import ExportReport
from segstudio.ui.bridge.background import Background
from segstudio.ui.dialogs.export.format_list import FormatList, Listed
from segstudio.ui.dialogs.export.how_page import HowPage
from segstudio.ui.dialogs.export.report_page import ReportPage
from segstudio.ui.exchange.exporter import (
    Available,
    Exporter,
    ExportOrder,
    FormatFacts,
    available,
    formats_that_write,
    outlook,
)
from segstudio.ui.exchange.remembered import Choices, remember, remembered

if TYPE_CHECKING:
    from segstudio.store.project import Project

SIZE = (980, 720)


class ExportWindow(QDialog):
    """Signals:
    folder_wanted(Path): show it in the file manager.
    """

    folder_wanted = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        project: "Project",
        place: Path,
        exporter: Exporter,
        background: Background,
    ) -> None:
        """place: folder and stem of the exports, unless the person names another."""
        super().__init__(parent)
        self._project, self._exporter = project, exporter
        self._formats: dict[str, FormatFacts] = {}
        self._started: Choices | None = None
        self.setWindowTitle("Export Labels")
        self.setModal(False)
        screen = self.screen().availableGeometry()
        self.resize(min(SIZE[0], screen.width() - 80), min(SIZE[1], screen.height() - 80))
        self.setMinimumSize(760, 520)
        self.list = FormatList()
        self.how = HowPage(background, partial(outlook, project))
        self.report = ReportPage()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.how)
        self._pages.addWidget(self.report)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.list)
        box.addWidget(self._pages, 1)
        self.list.picked.connect(self._pick)
        self.how.export_wanted.connect(self._start)
        self.how.cancel_wanted.connect(exporter.cancel)
        self.how.place_wanted.connect(self._ask_place)
        for page in (self.how, self.report):
            page.close_wanted.connect(self.close)
        self.report.again_wanted.connect(self._again)
        self.report.folder_wanted.connect(self.folder_wanted)
        exporter.progressed.connect(self.how.show_progress)
        exporter.finished.connect(self._finish)
        exporter.failed.connect(self.how.show_trouble)
        for over in (exporter.finished, exporter.stopped):
            over.connect(self._remember)
        exporter.stopped.connect(self.how.show_stopped)
        self.how.show_place(place.parent, place.name)
        listing = background.run(
            lambda _: (formats_that_write(), available(project)),
            success=self._show,
            failure=lambda error: self.how.show_trouble(str(error)),
            name="formats",
        )
        self.finished.connect(listing.token.cancel)  # nobody looks at it any more
        self.finished.connect(self.how.leave)
        self.finished.connect(self._remember)
        if exporter.is_running:
            self.how.show_progress(0.0, "An export is running…")

    def _show(self, found: tuple[tuple[FormatFacts, ...], Available]) -> None:
        formats, what = found
        self._formats = {f.name: f for f in formats}
        self.how.show_available(what)
        last = remembered(self._project, formats)
        self.how.show_choices(last)
        if formats:
            listed = [Listed(f.name, f.title, _note(f)) for f in formats]
            chosen = last.format if last.format in self._formats else formats[0].name
            self.list.show_formats(listed, chosen)
            self._pick(chosen)

    @property
    def is_ready(self) -> bool:
        """The formats are listed and the frames are counted."""
        return bool(self._formats)

    def _pick(self, name: str) -> None:
        if self.is_done:
            self.how.choose_new_place()
        self._pages.setCurrentWidget(self.how)
        self.how.show_format(self._formats[name])

    @property
    def is_done(self) -> bool:
        """It shows what an export has written."""
        return self._pages.currentWidget() is self.report

    @Slot()
    def _again(self) -> None:
        self.how.choose_new_place()
        self._pages.setCurrentWidget(self.how)

    def _start(self, order: ExportOrder) -> None:
        self._exporter.start(self._project, order)
        self._started = self.how.choices

    @Slot()
    def _remember(self) -> None:
        """When it is over or nobody looks any more: an export reads the project as it begins, best
        from the disk, which it does only while nothing waits to be written."""
        if self._started is not None:
            remember(self._project, self._started)
            self._started = None

    def _ask_place(self, now: Path) -> None:
        dialog = QFileDialog(self, "Export Into", str(now.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda chosen: self.how.choose_place(Path(chosen)))
        dialog.open()

    @Slot(object)
    def _finish(self, report: ExportReport) -> None:
        self.how.show_done()
        self.report.show_report(report)
        self._pages.setCurrentWidget(self.report)


def _note(facts: FormatFacts) -> str:
    """Under the title in the list."""
    return facts.about.rstrip(".")
