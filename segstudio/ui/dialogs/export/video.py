"""Exporting a video of the open clip: masks over it, or several views beside each other.

Blocks nothing and may be closed: the video is written all the same and told when it is done.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, SignalInstance, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from segstudio.media.source import SourceInfo
from segstudio.ui.bridge.background import Background
from segstudio.ui.dialogs import ask
from segstudio.ui.dialogs.export.option_form import NUMBERS
from segstudio.ui.dialogs.export.rows import titled_rows
from segstudio.ui.exchange.places import free_place, trouble_with, typed
from segstudio.ui.exchange.video_exporter import Clip, VideoExporter, VideoOrder, What, counts
from segstudio.ui.panels.parts import Elided, Picker, Segments, button, label, pad, row, set_tone
from segstudio.ui.theme import UNIT, tabular
from segstudio.ui.view_state import ViewState
from segstudio.ui.words import counted, share_text

if TYPE_CHECKING:
    from segstudio.engine.exchange.videos import VideoReport

SIZE = (620, 560)

SHOWS = (
    ("overlay", "Overlay", "The masks over the picture"),
    ("side", "Side by side", "Picture, labels and models beside each other"),
)
LABELS = (
    ("labelled", "All labels"),
    ("human", "What people painted or confirmed"),
    ("confirmed", "Confirmed frames"),
    ("", "None"),
)
FRAMES = (
    ("all", "All frames", "From the first to the last"),
    ("range", "A range", "Some of them, counted from 0"),
)
MODES = {"fill": "filled", "outline": "outlined", "hatched": "hatched"}


class VideoWindow(QDialog):
    """Signals:
    folder_wanted(Path): show it in the file manager.
    """

    folder_wanted = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        clip: Clip,
        view: ViewState,
        place: Path,
        exporter: VideoExporter,
        background: Background,
    ) -> None:
        """view: how masks look. place: folder and stem of the file, unless the person says else."""
        super().__init__(parent)
        self._clip, self._view, self._exporter = clip, view, exporter
        self._place_stem = place
        self._known: Callable[[], SourceInfo | None] = lambda: clip.info
        self._what: What = "overlay"
        self._scope, self._range = "labelled", "all"
        self._letter = clip.panes[0].letter if clip.panes else ""
        self._counts: dict[str, int] = {}
        self._done: Path | None = None
        self._place_is_own = False
        self.setWindowTitle("Export Video")
        self.setModal(False)
        self.resize(*SIZE)
        self.setMinimumSize(520, 420)
        self._make_choices()
        self._make_foot()
        self._build()
        exporter.progressed.connect(self.show_progress)
        exporter.finished.connect(self._finish)
        exporter.failed.connect(self._show_trouble)
        exporter.stopped.connect(self._show_stopped)
        background.run(
            lambda _: counts(clip), success=self._count, failure=lambda _: None, name="counts"
        )
        self._name_place()
        if exporter.is_running:
            self.show_progress(-1.0, "A video is being written…")

    def _make_choices(self) -> None:
        panes = self._clip.panes
        self._shows = Segments(SHOWS, self._pick_what)
        self._shows.setAccessibleName("What is shown")
        self._labels = Picker("Which labels are shown", self._pick_scope)
        self._labels.setMinimumContentsLength(28)
        self._labels.fill(LABELS, self._scope)
        self._found = label(look="small", tone="muted")
        self._else = Picker("What is shown where nobody labelled", self._pick_letter)
        self._else.setMinimumContentsLength(28)
        names = [(pane.letter, f"{pane.letter} · {pane.title}") for pane in panes]
        self._else.fill([("", "Only the picture"), *names], self._letter)
        self._else_note = label("Asked where nobody labelled", look="small", tone="muted")
        self._ticks = {letter: QCheckBox(name) for letter, name in names}
        for tick in self._ticks.values():
            tick.setChecked(True)
            tick.toggled.connect(lambda _: self._refresh())
        self._no_models = label("No model is chosen.", tone="muted")
        self._difference = QCheckBox("Where they differ, in a pane of its own")
        self._difference.toggled.connect(lambda _: self._refresh())
        self._spans = Segments(FRAMES, self._pick_range)
        self._spans.setAccessibleName("Which frames")
        last = max(0, self._clip.info.frames - 1)
        self._first, self._last = QSpinBox(), QSpinBox()
        for box, value, name in ((self._first, 0, "First"), (self._last, last, "Last")):
            box.setRange(0, last)
            box.setValue(value)
            box.setFixedWidth(NUMBERS)
            box.setFont(tabular(box.font()))
            box.setAccessibleName(f"{name} frame")
            box.valueChanged.connect(lambda _: self._refresh())
            pad(box)
        self._dash = label("to", tone="muted")
        self._legend = QCheckBox("Names of the classes below the picture")
        self._style = label(style_told(self._view), look="small", tone="muted")
        self._style.setWordWrap(True)

    def _make_foot(self) -> None:
        self._place = QLineEdit()
        self._place.setAccessibleName("File to write")
        self._place.textEdited.connect(self._type_place)
        self._browse = button("Browse…", "", self._ask_place)
        self._why = label()
        self._why.setWordWrap(True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.hide()
        self._stop = button("Stop", "", self._exporter.cancel)
        self._folder = button("Show Folder", "", self._show_folder)
        self._go = button("Export", "primary", self._export)
        self._go.setDefault(True)

    def _build(self) -> None:
        title = label("Video", look="hero")
        self._about = Elided(_about(self._clip.info), tone="muted")
        place = row(self._place, self._browse)
        place.setStretch(0, 1)
        models = QVBoxLayout()
        models.setSpacing(6)
        models.addLayout(row(self._else, 1))
        for part in (self._else_note, *self._ticks.values(), self._no_models, self._difference):
            models.addWidget(part)
        grid = titled_rows(
            ("Show", row(self._shows, 1)),
            ("Labels", row(self._labels, 1), self._found),
            ("Models", models),
            ("Frames", row(self._spans, self._first, self._dash, self._last, 1)),
            ("Legend", self._legend, self._style),
            ("File", place),
        )
        inside = QWidget()
        inside.setProperty("look", "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT)
        column.addWidget(title)
        column.addWidget(self._about)
        column.addSpacing(UNIT)
        column.addLayout(grid)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        foot = row(self._why, self._stop, self._folder, self._go)
        foot.setStretch(0, 1)
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, 2 * UNIT)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(self._bar)
        whole.addLayout(foot)

    # --- what it is told

    def follow(self, changed: SignalInstance, known: Callable[[], SourceInfo | None]) -> None:
        """Ask what is known of the clip whenever that changes."""
        self._known = known
        changed.connect(self._renew)

    @Slot()
    def _renew(self) -> None:
        """More of the clip is known: a video's frames are counted while it is open."""
        info = self._known()
        if info is None or info.id != self._clip.info.id:
            return
        was, last = max(0, self._clip.info.frames - 1), max(0, info.frames - 1)
        self._clip = replace(self._clip, info=info)
        self._about.show_text(_about(info))
        is_at_end = self._last.value() == was
        for box in (self._first, self._last):
            box.setMaximum(last)
        if is_at_end:
            self._last.setValue(last)

    def _count(self, found: dict[str, int]) -> None:
        self._counts = found
        self._refresh()

    @Slot(float, str)
    def show_progress(self, fraction: float, text: str) -> None:
        """A video is on its way."""
        self._bar.setRange(0, 1000 if fraction >= 0 else 0)
        self._bar.setValue(round(fraction * 1000))
        self._done = None
        self._refresh()
        self._say(text, "muted")

    @Slot(object)
    def _finish(self, report: "VideoReport") -> None:
        self._done = report.target
        self._place_is_own = False
        self._name_place()
        self._say(" ".join(report.lines()), "warn" if report.notes else "good")

    @Slot(str)
    def _show_trouble(self, text: str) -> None:
        self._refresh()
        self._say(text, "bad")

    @Slot()
    def _show_stopped(self) -> None:
        self._refresh()
        self._say("Stopped. Nothing was written.", "muted")

    # --- what it says

    @property
    def message(self) -> str:
        """What is said at the bottom."""
        return self._why.text()

    @property
    def can_export(self) -> bool:
        """The button can be pressed."""
        return self._go.isEnabled()

    @property
    def order(self) -> VideoOrder:
        """What is chosen."""
        letters = tuple(letter for letter, tick in self._ticks.items() if tick.isChecked())
        if self._what == "overlay":
            letters = (self._letter,) if self._letter else ()
        is_whole = self._range == "all"
        return VideoOrder(
            self._what,
            typed(self._place.text()) or self._place_stem,
            self._scope,
            letters,
            has_difference=self._what == "side" and self._difference.isChecked(),
            has_legend=self._legend.isChecked(),
            first=0 if is_whole else self._first.value(),
            last=None if is_whole else self._last.value(),
            mode=self._view.mode,
            opacity=self._view.opacity,
            hidden=self._view.hidden,
        )

    def _trouble(self) -> str:
        """Why it cannot begin; "" when it can."""
        order, text = self.order, self._place.text().strip()
        if self._what == "side" and not order.letters and not order.scope:
            return "There is nothing beside the picture: choose labels or a model."
        if order.has_difference and not self._can_differ():
            return "Two can differ: choose two models, or the labels and one model."
        if order.last is not None and order.last < order.first:
            return "The last frame lies before the first one."
        if not text:
            return "Choose a file to write."
        if typed(text) is not None and order.target.suffix.lower() != ".mp4":
            return "Videos are MP4 files; choose a name that ends in .mp4."
        return trouble_with(text)

    def _can_differ(self) -> bool:
        count = len(self.order.letters)
        return count == 2 or (count == 1 and bool(self._scope))

    def _refresh(self) -> None:
        is_side, is_running = self._what == "side", self._exporter.is_running
        self._shows.show_value(self._what)
        self._spans.show_value(self._range)
        for box in (self._first, self._dash, self._last):
            box.setVisible(self._range == "range")
        self._else.setVisible(not is_side)
        self._else_note.setVisible(not is_side and bool(self._letter))
        for tick in (*self._ticks.values(), self._difference):
            tick.setVisible(is_side)
        self._no_models.setVisible(is_side and not self._ticks)
        self._found.setText(self._found_told())
        self._found.setVisible(bool(self._found.text()))
        self._bar.setVisible(is_running)
        self._stop.setVisible(is_running)
        self._folder.setVisible(self._done is not None and not is_running)
        trouble = self._trouble()
        self._go.setEnabled(not trouble and not is_running)
        if not is_running and self._done is None:
            self._say(trouble, "warn")

    def _found_told(self) -> str:
        """How much of the clip has such labels."""
        if not self._scope or not self._counts:
            return ""
        number = self._counts[self._scope]
        if not number:
            return "No frame of this clip has them"
        return f"{counted(number, 'frame')} of this clip {'has' if number == 1 else 'have'} them"

    def _say(self, text: str, tone: str) -> None:
        self._why.setText(text)
        set_tone(self._why, tone)

    def _name_place(self) -> None:
        """A new file beside the clip, unless a person named one."""
        if not self._place_is_own:
            stem = f"{self._place_stem.name}-{'overlay' if self._what == 'overlay' else 'panes'}"
            place = free_place(self._place_stem.parent, stem, ".mp4")
            self._place.setText(str(place))
            self._place.setToolTip(str(place))
        self._refresh()

    # --- what people do

    def _pick_what(self, value: str) -> None:
        self._what = "side" if value == "side" else "overlay"
        self._changed()
        self._name_place()

    def _pick_scope(self, value: object) -> None:
        self._scope = str(value)
        self._changed()

    def _pick_letter(self, value: object) -> None:
        self._letter = str(value)
        self._changed()

    def _pick_range(self, value: str) -> None:
        self._range = value
        self._changed()

    def _type_place(self, _: str) -> None:
        self._place_is_own = True
        self._changed()

    def _changed(self) -> None:
        self._done = None
        self._refresh()

    def _ask_place(self) -> None:
        ask.save(self, "Export Video", self.order.target, self.choose_place)

    def choose_place(self, path: Path) -> None:
        """A person's choice."""
        self._place.setText(str(path))
        self._type_place("")

    def _export(self) -> None:
        if not self._trouble():
            self._exporter.start(self._clip, self.order)
            self.show_progress(-1.0, "Beginning…")

    def _show_folder(self) -> None:
        if self._done is not None:
            self.folder_wanted.emit(self._done.parent)


def _about(info: SourceInfo) -> str:
    more = "" if info.is_complete else " so far"
    return f"{info.title} · {counted(info.frames, 'frame')}{more}"


def style_told(view: ViewState) -> str:
    """How masks will look."""
    hidden = f", {counted(len(view.hidden), 'class', 'classes')} hidden" if view.hidden else ""
    return f"Masks look as in the window: {MODES[view.mode]}, {share_text(view.opacity)}{hidden}."
