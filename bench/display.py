"""What it costs to bring a frame with its mask to a 1920×1080 view, against pyqtgraph.

    python bench/display.py [--rounds 40] [--json FILE]

Contestants take turns within every round, so that a busy machine hits both; medians are printed,
and the ratios within the run are what counts. "wall" is from the call to the end of the paint
event, "cpu" is all threads of the process, "ui" the part of it in the UI thread. Ours is the
CanvasView of the window, render thread included; theirs is a pyqtgraph ViewBox with two
ImageItems, the frame and the labels with a lookup table that carries alpha (row-major, no
autoLevels: its fast path). Every measurement waits for, and counts, a real paint event that shows
the new pixels; at the end both pictures are compared.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.core.classes import CAMVID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.mask_style import MaskStyle
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.ui.canvas.view import CanvasView

VIEW = (1080, 1920)
SOURCES = {"720p": (720, 1280), "1080p": (1080, 1920), "4K": (2160, 3840)}
WARM_UP = 4


class Paints(QObject):
    """Counts the paint events of a widget and ends a waiting event loop after a wanted one."""

    def __init__(self, widget: QWidget, shows_newest: Callable[[], bool]) -> None:
        super().__init__(widget)
        self.count = 0
        self._shows_newest = shows_newest
        self._loop: QEventLoop | None = None
        self._is_inside = False
        self._widget = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        """Lets the widget paint, then looks."""
        if event.type() != QEvent.Type.Paint or self._is_inside:
            return False
        newest = self._shows_newest()
        self._is_inside = True
        QCoreApplication.sendEvent(watched, event)  # the paint itself, once
        self._is_inside = False
        self.count += 1
        if newest and self._loop is not None:
            self._loop.quit()
        return True

    def wait(self) -> None:
        """Return after the next paint event that shows the newest content."""
        self._loop = QEventLoop()
        self._loop.exec()
        self._loop = None


@dataclass
class Cost:
    """Milliseconds of each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    ui: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        """What is printed."""
        return {k: round(statistics.median(getattr(self, k)), 2) for k in ("wall", "cpu", "ui")}


def measure(cost: Cost | None, act: Callable[[], None], paints: Paints) -> None:
    """One change, from the call until it is painted."""
    before = paints.count
    wall, cpu, ui = time.perf_counter(), time.process_time(), time.thread_time()
    act()
    paints.wait()
    ui, cpu, wall = time.thread_time() - ui, time.process_time() - cpu, time.perf_counter() - wall
    if paints.count == before:
        raise RuntimeError("nothing was painted")
    if cost is not None:
        cost.wall.append(wall * 1e3)
        cost.cpu.append(cpu * 1e3)
        cost.ui.append(ui * 1e3)


def content(size: tuple[int, int], index: int) -> Prediction:
    """A smooth picture with some grain, and labels in areas as a net makes them."""
    rng = np.random.default_rng(index)
    h, w = size
    soft = cv2.resize(rng.integers(30, 220, (12, 20, 3), np.uint8), (w, h))
    rgb = cv2.add(soft, rng.integers(0, 24, (h, w, 3), np.uint8))
    areas = cv2.resize(rng.random((9, 16)).astype(np.float32), (w, h)) * 11
    labels = np.clip(areas, 0, 10).astype(np.uint8)
    for array in (rgb, labels):
        array.setflags(write=False)
    frame = Frame(FrameId("bench", index, None, index), rgb, 0.0)
    logits = Logits(np.zeros((1, 1, 1), np.float32), size, False, np.zeros(1, np.uint8))
    pixels = np.bincount(labels.ravel(), minlength=256)
    timing = Timing(0.0, 0.0, 0.0)
    return Prediction(frame, "bench", CAMVID, labels, pixels, logits, timing, size, "cpu")


def palettes() -> list[np.ndarray]:
    """Two colour tables to switch between."""
    first = CAMVID.palette()
    return [first, np.roll(first, 1, axis=1)]


class Ours:
    """The canvas of the window."""

    def __init__(self) -> None:
        self.view = CanvasView()
        self.view.resize(VIEW[1], VIEW[0])
        self.view.show()
        self.paints = Paints(self.view, lambda: self.view.is_sharp)
        visible = np.zeros(256, np.bool_)
        visible[: len(CAMVID)] = True
        self._styles = [MaskStyle("fill", colors, visible) for colors in palettes()]

    def frame(self, what: Prediction) -> None:
        self.view.show_frame(what.frame, what)

    def opacity(self, value: float) -> None:
        self.view.set_opacity(value)

    def palette(self, turn: int) -> None:
        now = self.view.mask_style
        self.view.set_style(replace(self._styles[turn % 2], opacity=now.opacity))

    def pixels(self) -> np.ndarray:
        return pixels_of(self.view)


class Pyqtgraph:
    """Two ImageItems in a ViewBox without axes."""

    def __init__(self) -> None:
        pg.setConfigOptions(imageAxisOrder="row-major", antialias=False)
        self.view = pg.GraphicsView()
        self.view.resize(VIEW[1], VIEW[0])
        box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0)
        self.view.setCentralItem(box)
        self._box = box
        self._picture, self._mask = pg.ImageItem(), pg.ImageItem()
        box.addItem(self._picture)
        box.addItem(self._mask)
        self._tables = []
        for colors in palettes():
            alpha = np.zeros((256, 1), np.uint8)
            alpha[: len(CAMVID)] = 255
            self._tables.append(np.hstack([colors, alpha]))
        self._mask.setLookupTable(self._tables[0], update=False)
        self._mask.setOpacity(0.5)
        self.view.show()
        self.paints = Paints(self.view.viewport(), lambda: True)

    def frame(self, what: Prediction) -> None:
        self._picture.setImage(what.frame.rgb, autoLevels=False, levels=(0, 255))
        self._mask.setImage(what.labels, autoLevels=False, levels=(0, 255))

    def fill_view(self) -> None:
        self._box.autoRange(padding=0)

    def opacity(self, value: float) -> None:
        self._mask.setOpacity(value)

    def palette(self, turn: int) -> None:
        self._mask.setLookupTable(self._tables[turn % 2])

    def pixels(self) -> np.ndarray:
        return pixels_of(self.view)


def pixels_of(widget: QWidget) -> np.ndarray:
    """int (h, w, 3) of what the widget shows."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(int)


def compete(size: tuple[int, int], rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Both contestants on one source size."""
    pictures = [content(size, i) for i in range(3)]
    ours, theirs = Ours(), Pyqtgraph()
    pair = {"ours": ours, "pyqtgraph": theirs}
    for one in pair.values():
        measure(None, lambda one=one: one.frame(pictures[0]), one.paints)
    measure(None, theirs.fill_view, theirs.paints)
    changes: dict[str, Callable[[object, int], None]] = {
        "new frame + mask": lambda one, i: one.frame(pictures[i % 3]),
        "opacity": lambda one, i: one.opacity(0.4 + 0.2 * (i % 2)),
        "palette": lambda one, i: one.palette(i + 1),
    }
    costs = {change: {name: Cost() for name in pair} for change in changes}
    for change, act in changes.items():
        for i in range(-WARM_UP, rounds):
            for name in pair if i % 2 else reversed(pair):
                cost = costs[change][name] if i >= 0 else None
                one = pair[name]
                measure(cost, lambda act=act, one=one, i=i: act(one, i + WARM_UP), one.paints)
    painted = {name: one.paints.count for name, one in pair.items()}
    if min(painted.values()) < 3 * (rounds + WARM_UP):
        raise RuntimeError(f"too few paint events to believe the figures: {painted}")
    difference = np.abs(ours.pixels() - theirs.pixels()).mean()
    if difference > 16:
        raise RuntimeError(f"the two do not show the same: {difference:.1f} levels apart")
    ours.view.stop()
    for one in pair.values():
        one.view.close()
        one.view.deleteLater()
    return {c: {n: cost.medians() for n, cost in both.items()} for c, both in costs.items()}


def main() -> int:
    """Measure, print one Markdown table, write JSON when asked."""
    from segstudio.engine.allocator import keep_freed_memory

    keep_freed_memory()  # as the program does once a model runs; both contestants profit
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    app = QApplication.instance() or QApplication([])
    results = {name: compete(size, asked.rounds) for name, size in SOURCES.items()}
    app.processEvents()
    print(f"Milliseconds, median of {asked.rounds}, view {VIEW[1]}×{VIEW[0]}, offscreen.\n")
    print(
        "| source | change | ours wall | ours cpu | of it ui | pyqtgraph wall | pyqtgraph cpu |"
        " cheaper (wall) | cheaper (cpu) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for source, changes in results.items():
        for change, both in changes.items():
            us, them = both["ours"], both["pyqtgraph"]
            wall, cpu = them["wall"] / us["wall"], them["cpu"] / us["cpu"]
            print(
                f"| {source} | {change} | {us['wall']:.1f} | {us['cpu']:.1f} | {us['ui']:.1f} |"
                f" {them['wall']:.1f} | {them['cpu']:.1f} | {wall:.1f}× | {cpu:.1f}× |"
            )
    if asked.json:
        facts = {
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "rounds": asked.rounds,
        }
        asked.json.write_text(json.dumps({"facts": facts, "ms": results}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
