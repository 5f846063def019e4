"""Training, in three pages: what, how it goes, what it brought.

It blocks nothing and may be closed at any time: the run goes on, and the window shows it again.
The process is the session's; this window only looks and asks.
"""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import ClassMap
from segstudio.ui.bridge.background import Background
from segstudio.ui.dialogs.training.result import ResultPage
from segstudio.ui.dialogs.training.running import RunningPage
from segstudio.ui.dialogs.training.what import WhatPage, yield_box
from segstudio.ui.theme import UNIT
from segstudio.ui.training.gains import Gains
from segstudio.ui.training.offers import Offer
from segstudio.ui.training.process import TrainingProcess

SIZE = (1040, 760)
REFRESH_MS = 200
"""Curves change five times a second at most, however fast the steps are."""


class TrainWindow(QDialog):
    """Follows `process`. What it cannot do itself it asks for.

    Signals:
        train_wanted(TrainRecipe): a new run. resume_wanted(Path): go on with that one.
        result_wanted(Path): the run kept weights: make a model of them, measure it, and call
            `show_result`. compare_wanted(ModelCard), use_wanted(ModelCard): as in ResultPage.
        frame_wanted(int): a held-out frame by its number. offer_wanted(): `show_offer`, please.
        yield_wanted(bool): whether the live view shall rest while a run goes on.
    """

    train_wanted = Signal(object)
    resume_wanted = Signal(object)
    result_wanted = Signal(object)
    compare_wanted = Signal(object)
    use_wanted = Signal(object)
    frame_wanted = Signal(int)
    offer_wanted = Signal()
    yield_wanted = Signal(bool)

    def __init__(
        self, parent: QWidget | None, process: TrainingProcess, background: Background
    ) -> None:
        super().__init__(parent)
        self._process = process
        self._steps, self._trouble = 1, ""
        self.setWindowTitle("Train")
        self.setModal(False)
        screen = self.screen().availableGeometry()
        self.resize(min(SIZE[0], screen.width() - 80), min(SIZE[1], screen.height() - 80))
        self.setMinimumSize(780, 560)
        self.what, self.running, self.outcome = WhatPage(), RunningPage(background), ResultPage()
        scroll = QScrollArea()
        scroll.setWidget(self.what)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.what.setProperty("look", "panel")
        self._pages = QStackedWidget()
        for page in (scroll, self.running, self.outcome):
            self._pages.addWidget(page)
        self._page_of: dict[str, QWidget] = {
            "what": scroll, "running": self.running, "result": self.outcome,
        }  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        self._yield = yield_box()
        self._yield.clicked.connect(self.yield_wanted)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, UNIT)
        foot.addWidget(self._yield)
        foot.addStretch(1)
        self._has_live = False
        column.addWidget(self._foot)
        self._soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._soon.timeout.connect(self.show_now)
        self._connect()
        self.show_page("running" if process.is_running else "what")

    def _connect(self) -> None:
        process, page, result = self._process, self.running, self.outcome
        self.what.train_wanted.connect(self.train_wanted)
        self.what.resume_wanted.connect(self.resume_wanted)
        self.what.yield_wanted.connect(self.yield_wanted)
        page.pause_wanted.connect(process.pause)
        page.resume_wanted.connect(process.resume)
        page.stop_wanted.connect(process.stop_and_keep_best)
        page.cancel_wanted.connect(process.kill)
        process.progressed.connect(self._follow)
        process.state_changed.connect(self._turn)
        process.noticed.connect(self._say)
        process.ended.connect(self._end)
        result.compare_wanted.connect(self.compare_wanted)
        result.use_wanted.connect(self.use_wanted)
        result.frame_wanted.connect(self.frame_wanted)
        result.again_wanted.connect(self._again)
        result.curves_wanted.connect(lambda: self.show_page("running"))
        page.result_wanted.connect(lambda: self.show_page("result"))
        result.resume_wanted.connect(self._resume)

    @property
    def page(self) -> str:
        """ "what", "running" or "result"."""
        current = self._pages.currentWidget()
        return next(name for name, page in self._page_of.items() if page is current)

    def show_page(self, name: str) -> None:
        """One of the three."""
        self._pages.setCurrentWidget(self._page_of[name])
        self._foot.setVisible(self._has_live and name == "running")

    # --- what it is told

    def show_yielding(self, *, is_on: bool) -> None:
        """Whether the live view rests while a run goes on; without a call nobody is asked."""
        self._has_live = True
        self.what.show_yielding(is_on=is_on)
        self._yield.setChecked(is_on)
        self.show_page(self.page)

    def show_offer(self, offer: Offer) -> None:
        """What can be trained now."""
        self.what.show_offer(offer)

    def show_run(self, about: str, classes: ClassMap, steps: int) -> None:
        """A run was started or gone on with. about: which model, how. steps: in all."""
        self._steps, self._trouble = steps, ""
        self.running.show_about(about, classes)
        self.show_page("running")
        self.show_now()

    def show_result(
        self,
        card: ModelCard,
        gains: Gains | None,
        frames: tuple[str, ...] = (),
        trouble: str = "",
    ) -> None:
        """The model of the run that ended; see ResultPage."""
        self.outcome.show_result(card, gains, frames, trouble)

    # --- what the process does

    @Slot()
    def show_now(self) -> None:
        """The run as it is."""
        process = self._process
        self.running.show_run(process.record, process.state, self._steps, self._trouble)

    @Slot(object)
    def _follow(self, _event: object) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _turn(self) -> None:
        if self._process.state == "starting":
            self.show_page("running")
        self.show_now()

    @Slot(str)
    def _say(self, text: str) -> None:
        self._trouble = text
        self.show_now()

    @Slot(str, bool)
    def _end(self, _reason: str, _is_fine: bool) -> None:  # noqa: FBT001  a signal's argument
        process = self._process
        ending, run = process.ending, process.run
        if ending is None or run is None:
            return
        wants_result = ending.has_result and process.record.state in ("finished", "stopped")
        can_resume = process.record.state != "finished" and (run / "recipe.json").is_file()
        self.outcome.show_ending(ending, is_measuring=wants_result, can_resume=can_resume)
        self.show_page("result")
        if wants_result:
            self.result_wanted.emit(run)

    # --- what people do

    @Slot()
    def _again(self) -> None:
        self.show_page("what")
        self.offer_wanted.emit()

    @Slot()
    def _resume(self) -> None:
        run = self._process.run
        if isinstance(run, Path):
            self.resume_wanted.emit(run)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_now()
        if self.page == "what":
            self.offer_wanted.emit()
