"""R12: frames arrive ten times faster than a busy window can show them.

The whole way is real: a source of 1280×720 frames stamped 4 ms apart, read-ahead left out, the
pipeline, the port, the window with its canvas. The window is made slow on purpose: each shown
frame costs its thread 40 ms more. Without a bound, ten seconds of this pile up gigabytes.
"""

import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QTimer

from segstudio.core.frame import Frame, FrameId
from segstudio.media.source import SourceInfo

SECONDS = 10.0
STEP_US = 4_000
BUSY_S = 0.04
WARM_UP_S = 2.0
FRAMES = 1_000_000


class Torrent:
    """New frames as fast as they are asked for; frame.id.fingerprint is when, in microseconds."""

    def __init__(self) -> None:
        self._base = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
        self.made = 0

    @property
    def info(self) -> SourceInfo:
        """Endless."""
        return SourceInfo(
            "torrent", "torrent", Path("torrent"), "video", 1280, 720, FRAMES, True, fps=250.0
        )

    def time_us(self, index: int) -> int:
        """Every 4 ms."""
        return index * STEP_US

    def read(self, index: int) -> Frame:
        """A new array each time, as a decoder makes it."""
        self.made += 1
        born = int(time.perf_counter() * 1e6)
        return Frame(FrameId("torrent", index, index * STEP_US, born), self._base.copy(), 0.5)

    def close(self) -> None:
        """Nothing to close."""


def measure() -> tuple[str, str, str, bool | None, str]:
    """Growth of memory after a warm-up, and the age of each frame when it was shown."""
    import os

    os.environ["SEGSTUDIO_HOME"] = tempfile.mkdtemp()
    from segstudio.core.settings import Settings
    from segstudio.ui.app import Program, make_application

    app = make_application(["bench"])
    program = Program(app, settings=Settings())
    source = Torrent()
    process = psutil.Process()
    ages: list[float] = []
    memory: list[int] = []
    start = time.perf_counter()

    def shown() -> None:
        result = program.session.result
        if result is None:
            return
        time.sleep(BUSY_S)
        ages.append(time.perf_counter() * 1e3 - result.frame.id.fingerprint / 1e3)

    def sample() -> None:
        if time.perf_counter() - start > WARM_UP_S:
            memory.append(process.memory_info().rss)

    program.session.shown_changed.connect(shown)
    sampler = QTimer()
    sampler.timeout.connect(sample)
    sampler.start(50)
    program.window.show()
    player = program.session.player
    player.show_source(source)
    player.start(None, "cpu", 1.0)
    player.play()
    QTimer.singleShot(int((WARM_UP_S + SECONDS) * 1000), program.window.close)
    app.exec()
    grown = (max(memory) - memory[0]) / 1e6
    ages.sort()
    ratio = source.made / max(len(ages), 1)
    left = [t.name for t in threading.enumerate() if t.name.startswith("segstudio-")]
    passed = grown < 100 and ages[-1] < 200 and ratio > 5 and not left
    return (
        "ten times too many frames",
        f"+{grown:.0f} MB, {ages[-1]:.0f} ms old at most",
        "+100 MB, 200 ms",
        passed,
        f"{source.made} frames made, {len(ages)} shown, median age {ages[len(ages) // 2]:.0f} ms"
        + (f", left: {left}" if left else ""),
    )
