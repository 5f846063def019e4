"""What every picture begins with: the real program, without a display, in a folder of its own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from segstudio.core.settings import Settings
from segstudio.ui.app import Program, make_application


class Stage:
    """The program as it starts. Called with the file to write, a theme, a size, and more.

    file, theme, size, more: of the command line. video, labels: of the demo drive.
    """

    def __init__(self) -> None:
        file, self.theme, width, height, *self.more = sys.argv[1:]
        self.file, self.size = Path(file), (int(width), int(height))
        self.video, self.labels = (Path(os.environ[n]) for n in ("DEMO_VIDEO", "DEMO_LABELS"))
        app = make_application(["segstudio"])
        self.program = Program(app, settings=Settings(theme=self.theme, play_on_open=False))
        self.window, self.session = self.program.window, self.program.window.session
        self.editor, self.canvas = self.session.editor, self.window.canvas

    def open(self) -> None:
        """The window with the demo drive and its first prediction."""
        self.window.resize(*self.size)
        self.window.show()
        self.session.open([self.video])
        self.wait(lambda: self.session.result is not None)
        self.wait(lambda: self.session.result.prediction is not None)

    def go(self, index: int) -> None:
        """To a frame whose labels can be corrected."""
        self.session.player.seek(index)
        self.wait(lambda: self.editor.held is not None and self.editor.held.key.index == index)
        self.wait(lambda: self.editor.draft() is not None)

    @staticmethod
    def wait(ready: Callable[[], object]) -> None:
        """Until it is so."""
        while not ready():
            QTest.qWait(20)

    def take(self, widget: QWidget | None = None, settle_ms: int = 1500) -> None:
        """Save what it looks like, and end."""
        QTest.qWait(settle_ms)
        (widget or self.window).grab().save(str(self.file))
        self.window.close()
