"""R10: how soon a stroke is on the screen, and how soon on the disk.

The real window with a 3840×2160 picture, a brush of 60 px radius, 500 strokes of up to two dozen
mouse moves. Pointer event → pixels: from the moment an event is posted until the paint event that
it caused has ended; a stroke's last event, the release, also makes its step. Journal append: what
the store's thread needs for the transaction of a step, at the 99th percentile, over what appending
and syncing as many bytes takes without SQLite, measured in turns. The proof that work was done:
every stroke is a step in the project's file, and the pixels under it have its class.
"""

import os
import random
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from sizes import size

STROKES, LONG_STROKES = 500, 2000
RADIUS = 60
SHAPE = (2160, 3840)
WARM = 20
PIXELS_MS, APPEND_MS = 20.0, 2.0
SEED = 10
WAIT_S = 60.0


def picture(folder: Path) -> Path:
    """4K of soft noise, as a file."""
    rng = np.random.default_rng(SEED)
    small = rng.integers(0, 255, (135, 240, 3), np.uint8)
    path = folder / "4k.png"
    path.write_bytes(cv2.imencode(".png", cv2.resize(small, SHAPE[::-1]))[1].tobytes())
    return path


class Hand:
    """Moves the mouse over the canvas. paints: the times at which a paint event ended."""

    def __init__(self, app: QApplication, canvas: object, paints: list[float]) -> None:
        self.app, self.canvas, self.paints = app, canvas, paints
        self.pixels_ms: list[float] = []
        self.without_paint = 0

    def act(self, kind: QEvent.Type, at: QPointF) -> None:
        """Post an event and wait for its pixels."""
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        is_move = kind == QEvent.Type.MouseMove
        event = QMouseEvent(
            kind,
            at,
            self.canvas.mapToGlobal(at),
            none if is_move else left,
            none if kind == QEvent.Type.MouseButtonRelease else left,
            Qt.KeyboardModifier.NoModifier,
        )
        self.paints.clear()
        start = time.perf_counter()
        QCoreApplication.postEvent(self.canvas, event)
        self.app.processEvents()
        if not self.paints:
            self.app.processEvents()
        if self.paints:
            self.pixels_ms.append((self.paints[-1] - start) * 1000)
        else:  # beside the picture, or not far enough to reach another pixel
            self.without_paint += 1

    def stroke(self, rng: random.Random) -> QPointF:
        """A wavy line; where it ended."""
        w, h = self.canvas.width(), self.canvas.height()
        at = QPointF(rng.uniform(0.15, 0.85) * w, rng.uniform(0.2, 0.8) * h)
        dx, dy = rng.uniform(-9, 9), rng.uniform(-9, 9)
        self.act(QEvent.Type.MouseButtonPress, at)
        for _ in range(rng.randrange(6, 24)):
            dx, dy = dx + rng.uniform(-3, 3), dy + rng.uniform(-3, 3)
            at = QPointF(min(max(at.x() + dx, 60), w - 60), min(max(at.y() + dy, 60), h - 60))
            self.act(QEvent.Type.MouseMove, at)
        self.act(QEvent.Type.MouseButtonRelease, at)
        return at


def wait(app: QApplication, is_so: object, what: str) -> None:
    """RuntimeError when it does not come about."""
    end = time.perf_counter() + WAIT_S
    while not is_so():
        app.processEvents()
        time.sleep(0.002)  # as the event loop waits; a busy one would take the store its time
        if time.perf_counter() > end:
            raise RuntimeError(f"{what} never came")


class BareDisk:
    """Appends and syncs as many bytes as a step, without SQLite."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self.taken_ms: list[float] = []

    def write(self, length: int) -> None:
        """One step."""
        data, start = bytes(length), time.perf_counter()
        os.write(self._file, data)
        os.fdatasync(self._file)
        self.taken_ms.append((time.perf_counter() - start) * 1000)


def measure() -> tuple[str, str, str, bool | None, str]:
    """One window, 500 strokes, each handed to the store before the next begins."""
    os.environ["SEGSTUDIO_HOME"] = tempfile.mkdtemp()
    from segstudio.core.settings import Settings
    from segstudio.store.store_thread import StoreThread
    from segstudio.ui.app import Program, make_application
    from segstudio.ui.canvas.view import CanvasView

    paints: list[float] = []
    real_paint = CanvasView.paintEvent

    def paint(view: CanvasView, event: object) -> None:
        real_paint(view, event)
        paints.append(time.perf_counter())

    CanvasView.paintEvent = paint  # before there is one: Qt looks once
    app = make_application(["bench"])
    home = Path(os.environ["SEGSTUDIO_HOME"])
    program = Program(app, settings=Settings(play_on_open=False))
    session, window = program.session, program.window
    editor = session.editor
    window.resize(1600, 950)
    window.show()
    session.open([picture(home)])
    wait(app, lambda: editor.held is not None and window.canvas.is_sharp, "the labels")
    wait(app, lambda: session.models.devices, "the list of devices, after the import of torch")
    session.tools.choose("brush")
    classes = [c.id for c in editor.classes.classes]
    editor.set_options(editor.options.__class__(tool="brush", size=2 * RADIUS + 1))
    hand, rng = Hand(app, window.canvas, paints), random.Random(SEED)
    bare = BareDisk(home)
    appended: list[float] = []
    lengths: list[int] = []
    project = editor.projects.project
    real_do, real_push = StoreThread._do, project.push

    def timed(self: StoreThread, write: object) -> None:
        start = time.perf_counter()
        real_do(self, write)
        appended.append((time.perf_counter() - start) * 1000)

    def push(key: object, number: int, step: object, *rest: object) -> object:
        lengths.append(step.size_bytes)
        return real_push(key, number, step, *rest)

    StoreThread._do = timed
    project.push = push
    strokes, missing = size(STROKES, LONG_STROKES), 0
    for i in range(WARM + strokes):
        if i == WARM:
            for warm in (hand.pixels_ms, appended, lengths, bare.taken_ms):
                warm.clear()
            hand.without_paint = 0
        editor.choose_class(classes[i % len(classes)])
        app.processEvents()
        at = hand.stroke(rng)
        y, x = window.canvas.pixel_at(at) or (0, 0)
        missing += int(editor.held.document.labels[y, x]) != classes[i % len(classes)]
        wait(app, lambda: not project.waiting, "the disk")
        bare.write(lengths[-1])
    steps = len(project.load(editor.held.key).history)
    pixels = np.percentile(hand.pixels_ms, (50, 99)).tolist()
    append = np.percentile(appended, (50, 99)).tolist()
    disk = np.percentile(bare.taken_ms, (50, 99)).tolist()
    over = append[1] - disk[1]
    window.close()
    complete = steps >= WARM + strokes and not missing and hand.without_paint < 2 * strokes
    return (
        "a stroke at 4K, radius 60",
        f"pixels p99 {pixels[1]:.1f}, append {over:.1f} ms over disk",
        f"pixels p99 {PIXELS_MS:.0f}, append {APPEND_MS:.0f} ms over disk",
        complete and pixels[1] < PIXELS_MS and over < APPEND_MS,
        f"{strokes} strokes, {len(hand.pixels_ms)} events ({hand.without_paint} changed no pixel),"
        f" {steps} steps stored; pixels p50 {pixels[0]:.1f}; append p50 {append[0]:.1f},"
        f" p99 {append[1]:.1f}, {np.mean(lengths) / 1000:.0f} kB; the bare disk meanwhile"
        f" p50 {disk[0]:.1f}, p99 {disk[1]:.1f} ms",
    )
