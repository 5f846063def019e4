"""A picture of the real window, taken by the program itself: for the README and the demo report.

The same window as ever, offscreen, with settings of its own that are not kept. The picture is
taken when the frame that was asked for has been painted together with its mask.
"""

import logging
import os
import sys
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSize, QTimer

from segstudio.core.settings import Settings
from segstudio.errors import SegStudioError
from segstudio.ui.app import Program, make_application

log = logging.getLogger("segstudio.ui")

SIZE = (1600, 950)

TIMEOUT_S = 180.0
"""Importing torch and the first prediction on a slow computer take this long at most."""

PREDICTIONS = 12
"""The frame is predicted so often before its picture: the latencies are then those of playing."""


def save_window_picture(
    source: Path,
    out: Path,
    *,
    model: str | None = None,
    frame: int = 0,
    size: tuple[int, int] = SIZE,
    theme: str = "dark",
) -> None:
    """Write a PNG of the window showing `frame` of `source` with the masks of `model`.

    model: name or folder; None: the best one there is, or no masks without any. size: (width,
    height) of the window in logical pixels. SegStudioError with the reason when it fails.
    Starts its own QApplication where there is none; takes the offscreen platform without a display.
    """
    if sys.platform.startswith("linux") and not _has_display():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = make_application(["segstudio"])
    program = Program(app, settings=Settings(theme=theme, play_on_open=False))
    try:
        _Picture(program, source, model, frame, size).save(out)
    finally:
        program.window.close()


class _Picture:
    """Waits for one frame with its mask."""

    def __init__(
        self,
        program: Program,
        source: Path,
        model: str | None,
        frame: int,
        size: tuple[int, int],
    ) -> None:
        self._program = program
        self._frame = frame
        self._trouble = ""
        self._seen = -1
        self._predictions_left = PREDICTIONS
        self._loop = QEventLoop()
        session = program.session
        session.noticed.connect(self._note_trouble)
        session.player.source_changed.connect(self._seek)
        session.shown_changed.connect(self._look)
        program.window.canvas.painted.connect(self._look)
        session.reading_changed.connect(self._look)
        if model is not None:
            session.use_model(model)
        program.window.resize(QSize(*size))
        program.window.show()
        session.open([source])

    def save(self, out: Path) -> None:
        """Run until the picture is complete, then write it."""
        late = QTimer()
        late.setSingleShot(True)
        late.timeout.connect(self._loop.quit)
        late.start(round(1000 * TIMEOUT_S))
        self._loop.exec()
        if not self._is_complete():
            reason = self._trouble or f"nothing was painted within {TIMEOUT_S:.0f} s"
            raise SegStudioError(f"The picture of the window was not taken: {reason}")
        out.parent.mkdir(parents=True, exist_ok=True)
        if not self._program.window.grab().save(str(out), "PNG"):
            raise SegStudioError(f"The picture could not be written to {out}; check the folder.")

    def _seek(self) -> None:
        if self._program.session.player.playing.index != self._frame:
            self._program.session.player.seek(self._frame)

    def _note_trouble(self, notice: object) -> None:
        if notice.kind == "error":  # type: ignore[attr-defined]  # a Notice
            self._trouble = notice.text  # type: ignore[attr-defined]
            self._loop.quit()

    def _look(self) -> None:
        if not self._is_complete():
            return
        result = self._program.session.result
        if result is None or result.request == self._seen:
            return
        self._seen = result.request
        if self._predictions_left > 0 and result.prediction is not None:
            self._predictions_left -= 1
            self._program.session.player.seek(self._frame)
        else:
            # Figures and legend follow the frame by a tenth of a second.
            QTimer.singleShot(250, self._loop.quit)

    def _is_complete(self) -> bool:
        session, canvas = self._program.session, self._program.window.canvas
        result = session.result
        if result is None or result.frame.id.index != self._frame or not canvas.is_sharp:
            return False
        return result.prediction is not None or session.models.chosen is None


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
