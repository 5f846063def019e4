"""The window: puts bars, picture and side panel together, and asks questions for commands.

No state but geometry, no logic: what is shown comes from the session, what is done from commands.
"""

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, Qt, Signal, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from segstudio import paths
from segstudio.ui import icons, theme
from segstudio.ui.asking import AskingWindow
from segstudio.ui.canvas.view import CanvasView
from segstudio.ui.columns import Columns
from segstudio.ui.keys import Keys
from segstudio.ui.menus import Menus
from segstudio.ui.panels.banner import Banner
from segstudio.ui.panels.compare_bar import CompareBar
from segstudio.ui.panels.frames import FramesPanel
from segstudio.ui.panels.header import Header
from segstudio.ui.panels.inside.panel import InsidePanel
from segstudio.ui.panels.inside.sheet import SheetView
from segstudio.ui.panels.range_bar import RangeBar
from segstudio.ui.panels.score_curve import ScoreCurve
from segstudio.ui.panels.side import SidePanel
from segstudio.ui.panels.start import StartPage
from segstudio.ui.panels.status import StatusLine
from segstudio.ui.panels.tool_options import ToolOptionsBar
from segstudio.ui.panels.toolbox import ToolBox
from segstudio.ui.panels.transport import Transport
from segstudio.ui.panels.unsure_strip import UnsureStrip
from segstudio.ui.session import Session
from segstudio.ui.stage.grid import PaneGrid

DEFAULT_SIZE = (1400, 860)


class MainWindow(AskingWindow):
    """The Desk of all commands.

    Signals:
        first_painted(): the window is on the screen; slow imports may begin.
    """

    first_painted = Signal()
    _was_painted = Signal()

    def __init__(self, session: Session, *, has_memory: bool = True) -> None:
        """has_memory: whether size and place are remembered."""
        super().__init__()
        self._has_memory = has_memory
        self._session = session
        self._has_painted = False
        self._layer = session.view.layer
        self.setWindowIcon(icons.window_icon())
        self.setAcceptDrops(True)
        self._canvas = CanvasView()
        self._start = StartPage(session, lambda: self.ask_files(session.open))
        self._stage = QStackedWidget()
        self._stage.addWidget(self._start)
        self._grid = PaneGrid(session, self._canvas)
        pictures = QWidget()
        column = QVBoxLayout(pictures)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._compare_bar = CompareBar(session)
        column.addWidget(self._compare_bar)
        self._sheet = SheetView(session)
        both = self._both = QSplitter(Qt.Orientation.Vertical)
        both.setHandleWidth(1)
        both.setChildrenCollapsible(False)
        for part in (self._grid, self._sheet):
            both.addWidget(part)
            both.setStretchFactor(both.indexOf(part), 1)
        column.addWidget(both, 1)
        self._pictures = pictures
        self._stage.addWidget(pictures)
        self._status = StatusLine(session)
        self._panel = SidePanel(session)
        self._inside = InsidePanel(session)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._build()
        self._banner = Banner(session, self._stage, self._compare_bar)
        self.menus = Menus(self, self)
        self._header.use_actions(self.menus.actions)
        self._keys = Keys(self, session)
        QApplication.instance().installEventFilter(self._keys)  # type: ignore[union-attr]  # there
        self._connect()
        self._restore()
        self._show_inside()
        self.show_source()
        self._was_painted.connect(self.first_painted, Qt.ConnectionType.QueuedConnection)

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._tool_bar = ToolOptionsBar(self._session)
        self._tool_box = ToolBox(self._session)
        self._frames = FramesPanel(self._session)
        self._are_frames_wanted = False
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._frames)
        middle.addWidget(self._tool_box)
        middle.addWidget(self._stage, 1)
        column.addWidget(self._tool_bar)
        column.addLayout(middle, 1)
        column.addWidget(RangeBar(self._session))
        column.addWidget(UnsureStrip(self._session))
        column.addWidget(ScoreCurve(self._session))
        column.addWidget(Transport(self._session.player, self._session.frames))
        columns = (self._inside, left, self._panel)
        self._columns = Columns(self._splitter, columns, (self._frames, self._tool_box))
        self._header = Header(self._session)
        body = QWidget()
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._header)
        rows.addWidget(self._splitter, 1)
        rows.addWidget(self._status)
        self.setCentralWidget(body)

    def _connect(self) -> None:
        session, canvas = self._session, self._canvas
        session.player.source_changed.connect(self.show_source)
        session.shown_changed.connect(self.show_result)
        session.view_changed.connect(self.show_view)
        session.editor.document_changed.connect(self.show_result)
        session.editor.labels_changed.connect(self.show_change)
        session.editor.preview_changed.connect(self._show_preview)
        session.editor.options_changed.connect(self._show_tool)
        session.editor.selection_changed.connect(self._show_selection)
        session.models.changed.connect(self.show_style)
        session.inside.changed.connect(self._show_inside)
        self._columns.changed.connect(self._follow_columns)
        session.inside.arrived.connect(self._show_sheet)
        session.settings_changed.connect(self._apply_settings)
        for signal in (session.player.source_changed, session.view_changed, session.shown_changed):
            signal.connect(self._header.follow)
        self._grid.hovered.connect(self._status.hover)
        self._grid.dropped.connect(self.open_dropped)
        canvas.zoom_changed.connect(self._status.show_zoom)
        canvas.view_changed.connect(self._sheet.show_view)
        self._sheet.hovered.connect(session.inside.point)
        self._sheet.hovered.connect(self._status.hover)
        canvas.zoom_changed.connect(session.editor.set_scale)
        self._show_tool()
        canvas.painted.connect(self._count_paint)
        session.suggesting.region_wanted.connect(canvas.show_rect)
        session.import_wanted.connect(self.import_weights)
        session.media_missing.connect(self.locate_media)
        panel = self._panel
        panel.models.all_wanted.connect(lambda: self.show_dialog("models"))
        panel.scores.details_wanted.connect(lambda: self.show_dialog("scores"))
        panel.scores.measure_wanted.connect(session.measuring.start)
        self._grid.differed.connect(panel.differences.show_difference)
        hints = QApplication.styleHints()
        hints.colorSchemeChanged.connect(self._follow_system)

    # --- what is shown

    @Slot()
    def show_source(self) -> None:
        """The start page, or the picture."""
        info = self._session.info
        self.setWindowTitle("SegStudio" if info is None else f"{info.title} – SegStudio")
        if info is None:
            self._grid.clear()
            self._stage.setCurrentWidget(self._start)
            self._start.setFocus()
        for part in (self._tool_bar, self._tool_box):
            part.setVisible(info is not None)
        self._frames.setVisible(info is not None and self._are_frames_wanted)
        if info is not None:
            self._stage.setCurrentWidget(self._pictures)
            self._canvas.setFocus()
        self.menus.refresh()

    @Slot()
    def show_result(self) -> None:
        """The newest frame with its own prediction."""
        self._grid.show_main()

    @Slot(object)
    def show_change(self, change: object) -> None:
        """A stroke, an undo or a redo wrote a box of the labels."""
        self._grid.show_change(change)

    @Slot()
    def show_view(self) -> None:
        """Another layer needs other labels; everything else only another style."""
        layer = self._session.view.layer
        if layer != self._layer:
            self._layer = layer
            self.show_result()
        self.show_style()

    @Slot()
    def show_style(self) -> None:
        """How masks are drawn; nothing happens when nothing changed."""
        self._grid.show_style()

    @Slot()
    def _show_preview(self) -> None:
        self._grid.show_preview()

    @Slot()
    def _show_selection(self) -> None:
        selection = self._session.editor.selection
        self._grid.for_each(lambda canvas: canvas.set_selection(selection))
        self.menus.refresh()

    @Slot()
    def _show_tool(self) -> None:
        self._grid.follow_tool()
        self.menus.refresh()

    @Slot()
    def _show_inside(self) -> None:
        """The column that looks into a model comes and goes with what it shows."""
        self._columns.show_inside(is_on=self._session.inside.is_on)
        self._show_sheet()
        self.menus.refresh()
        self._header.follow()

    @Slot()
    def _follow_columns(self) -> None:
        self.menus.refresh()
        self._header.follow()

    @Slot()
    def _show_sheet(self) -> None:
        was_shown = not self._sheet.isHidden()
        self._sheet.setVisible(self._sheet.is_wanted)
        if not was_shown and not self._sheet.isHidden():
            half = self._both.height() // 2
            self._both.setSizes([half, half])

    @Slot(object)
    def _count_paint(self, painted: object) -> None:
        self._session.meters.painted(painted.draw_ms)  # type: ignore[attr-defined]  # a Painted

    @Slot(object)
    def _apply_settings(self, keys: frozenset[str]) -> None:
        if "theme" in keys:
            self._follow_system()
        if "safe_colors" in keys:
            self.show_style()
        self.menus.refresh()

    @Slot()
    def _follow_system(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, self._session.settings.theme)

    # --- the Desk: what commands use

    @property
    def session(self) -> Session:
        """What is open."""
        return self._session

    @property
    def canvas(self) -> CanvasView:
        """The picture."""
        return self._canvas

    def picture_of_view(self) -> QImage:
        """What the canvas shows now."""
        return self._canvas.grab().toImage()

    def toggle_panel(self) -> None:
        """Show or hide the side panel."""
        self._columns.toggle_panel()

    def is_panel_shown(self) -> bool:
        """True while the side panel is there."""
        return not self._panel.isHidden()

    def toggle_frames(self) -> None:
        """Show or hide the list of frames."""
        self._are_frames_wanted = not self._are_frames_wanted
        self._frames.setVisible(self._are_frames_wanted and self._session.info is not None)
        self.menus.refresh()
        self._header.follow()

    def are_frames_shown(self) -> bool:
        """True while the list of frames is there, or will be with the next source."""
        return self._are_frames_wanted

    def toggle_full_screen(self) -> None:
        """The whole screen and back."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def quit(self) -> None:
        """Close the window, and with it the program."""
        self.close()

    # --- Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        found = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        if found:
            event.acceptProposedAction()
            self.open_dropped(found)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._has_painted:
            self._has_painted = True
            self._was_painted.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        for dialog in self.findChildren(QFileDialog):
            dialog.close()
        self._save()
        self._grid.stop()
        QApplication.instance().removeEventFilter(self._keys)  # type: ignore[union-attr]  # there
        self.closed.emit()
        super().closeEvent(event)

    # --- geometry, the one thing that Qt keeps

    def _restore(self) -> None:
        self.setMinimumSize(760, 480)
        if not self._has_memory:
            return
        stored = _geometry()
        if not self.restoreGeometry(_bytes(stored.value("geometry"))):
            screen = self.screen().availableGeometry()
            width, height = DEFAULT_SIZE
            self.resize(min(width, screen.width() - 40), min(height, screen.height() - 60))
            self.move(screen.center() - self.rect().center())
        self._splitter.restoreState(_bytes(stored.value("columns")))
        self._columns.restore_panel(is_wanted=stored.value("panel", "true") != "false")
        self._are_frames_wanted = stored.value("frames", "false") == "true"

    def _save(self) -> None:
        if not self._has_memory:
            return
        stored = _geometry()
        stored.setValue("geometry", self.saveGeometry())
        stored.setValue("columns", self._splitter.saveState())
        stored.setValue("panel", "true" if self._columns.is_panel_wanted else "false")
        stored.setValue("frames", "true" if self._are_frames_wanted else "false")
        stored.sync()


def _geometry() -> QSettings:
    return QSettings(str(paths.user_config() / "window.ini"), QSettings.Format.IniFormat)


def _bytes(value: object) -> QByteArray:
    return value if isinstance(value, QByteArray) else QByteArray()
