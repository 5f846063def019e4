"""What a brush step, its undo and its place on the screen cost; beside napari's brush if asked.

Strokes of 40 segments of 12 pixels in a wandering direction. A step is one segment: the pixels of
the brush, painting them, counting those that changed, and keeping what they were (for undo and for
figures on the move). The whole picture in one stroke is the most that an undo can have to do.

    OMP_NUM_THREADS=1 python bench/brush.py [--napari PYTHON] [--window]

PYTHON has napari installed; its Labels layer paints the same segments, stroke by stroke in turn
with ours. draw: the same segment, as its brush does it at a mouse move (as many dabs as fill the
segment, and the layer's refresh, with no window). paint: one dab alone at the end of the segment,
by Labels.paint without refresh, which is less than the segment. In brackets: how many times our
step, by the medians and by the means. --window adds the canvas: its update and the paint event it
brings; nothing: an event that does nothing, in turn with them, for what the machine adds.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

SIZES = ((720, 1280), (1024, 2048), (2160, 3840))
RADII = (5, 20, 100)
STROKES, SEGMENTS, LENGTH = 30, 40, 12
WINDOW_STROKES = 15


def stroke(number: int, size: tuple[int, int]) -> list[tuple[int, int]]:
    """Corners of a stroke from the middle of the picture, (y, x)."""
    rng = np.random.default_rng(number)
    y, x, heading = size[0] / 2, size[1] / 2, rng.random() * 2 * math.pi
    points = [(round(y), round(x))]
    for _ in range(SEGMENTS):
        heading += rng.normal() * 0.2
        y, x = y + LENGTH * math.sin(heading), x + LENGTH * math.cos(heading)
        points.append((round(y), round(x)))
    return points


def napari_side() -> int:
    """In napari's Python: reads a job per line, answers seconds per segment. One JSON a line."""
    from napari.layers import Labels

    layers = {}
    for line in sys.stdin:
        size, radius, points, label = json.loads(line)
        key = tuple(size)
        if key not in layers:
            layers[key] = Labels(np.zeros(key, np.uint8))
            layers[key].mode = "paint"
        layer = layers[key]
        layer.brush_size = 2 * radius + 1
        seconds = {"paint": [], "draw": []}
        for way, value in (("paint", 2 * label + 1), ("draw", 2 * label + 2)):
            with layer.block_history():
                for start, end in pairwise(points):
                    at = time.perf_counter()
                    if way == "paint":
                        layer.paint(end, value, refresh=False)
                    else:
                        layer._draw(value, start, end)
                    seconds[way].append(time.perf_counter() - at)
        print(json.dumps(seconds), flush=True)
    return 0


def ask(child: subprocess.Popen, job: object) -> dict[str, list[float]]:
    """One stroke by napari."""
    child.stdin.write(json.dumps(job) + "\n")
    child.stdin.flush()
    return json.loads(child.stdout.readline())


def timed(spent: list[float], act, *arguments):
    """What act answers; its seconds go to `spent`."""
    at = time.perf_counter()
    answer = act(*arguments)
    spent.append(time.perf_counter() - at)
    return answer


def microseconds(spent: list[float], share: float = 50) -> str:
    """A percentile."""
    return f"{np.percentile(spent, share) * 1e6:.1f}"


def row(size: tuple[int, int], radius: int, child: subprocess.Popen | None) -> list[str]:
    """One line of the table of strokes."""
    from segstudio.core import brush
    from segstudio.core.labels import LabelDocument

    document = LabelDocument(np.zeros(size, np.uint8), np.zeros(size, np.uint8))
    step_s, commit_s, undo_s, redo_s, sizes = [], [], [], [], []
    others = {"draw": [], "paint": []}
    for label in range(STROKES):
        points = stroke(label, size)
        document.begin("Brush")
        for start, end in pairwise(points):
            at = time.perf_counter()
            document.paint(brush.round_segment(start, end, radius, size), label)
            step_s.append(time.perf_counter() - at)
        step = timed(commit_s, document.commit)
        if step is None:
            continue
        timed(undo_s, document.revert, step)
        timed(redo_s, document.apply, step)
        sizes.append(step.size_bytes)
        if child is not None:
            for way, seconds in ask(child, (size, radius, points, label)).items():
                others[way] += seconds
    cells = [f"{size[1]}×{size[0]}", str(radius), microseconds(step_s)]
    cells += [f"{np.mean(step_s) * 1e6:.1f}", microseconds(step_s, 99)]
    cells += [f"{np.median(s) * 1e3:.2f}" for s in (commit_s, undo_s, redo_s)]
    cells.append(f"{np.median(sizes) / 1e3:.1f}")
    for seconds in others.values() if child is not None else ():
        median, mean = (f(seconds) / f(step_s) for f in (np.median, np.mean))
        cells.append(f"{microseconds(seconds)} ({median:.1f}×, {mean:.1f}×)")
    return cells


def whole_row(size: tuple[int, int]) -> list[str]:
    """One line of the table of strokes over a whole picture of patches of 40 by 40 pixels."""
    from segstudio.core import brush
    from segstudio.core.labels import LabelDocument

    patches = np.random.default_rng(7).integers(0, 30, (size[0] // 40 + 1, size[1] // 40 + 1))
    labels = np.kron(patches, np.ones((40, 40)))[: size[0], : size[1]].astype(np.uint8)
    document = LabelDocument(labels, np.ones(size, np.uint8))
    paint_s, commit_s, undo_s, redo_s = [], [], [], []
    for number in range(9):
        document.begin("Rectangle")
        area = brush.rectangle((0, 0), (size[0] - 1, size[1] - 1), size)
        timed(paint_s, document.paint, area, 40 + number)
        step = timed(commit_s, document.commit)
        timed(undo_s, document.revert, step)
        timed(redo_s, document.apply, step)
        document.revert(step)
    cells = [f"{np.median(s) * 1e3:.1f}" for s in (paint_s, commit_s, undo_s, redo_s)]
    return [f"{size[1]}×{size[0]}", *cells, f"{step.size_bytes / 1e3:.0f}"]


def table(head: list[str], rows: list[list[str]]) -> None:
    """As Markdown."""
    for cells in (head, ["-"] * len(head), *rows):
        print("| " + " | ".join(cells) + " |")
    print()


def window_rows() -> list[list[str]]:
    """Step, update of the canvas and its paint event, as one; counts the paint events."""
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication

    from segstudio.core import brush
    from segstudio.core.frame import Frame, FrameId
    from segstudio.core.labels import LabelDocument
    from segstudio.ui.canvas.view import CanvasView

    app = QApplication.instance() or QApplication(["bench"])
    paints = [0]

    def shown(canvas, document, radius, label, start, end):
        area = brush.round_segment(start, end, radius, document.labels.shape)
        change = document.paint(area, label)
        if change is not None:
            canvas.update_labels(change.rect, document.labels)
        app.processEvents()

    def nothing(receiver):
        app.postEvent(receiver, QEvent(QEvent.Type.User))
        app.processEvents()

    class Counting(CanvasView):
        def paintEvent(self, event):  # noqa: N802  # Qt's name
            paints[0] += 1
            super().paintEvent(event)

    rows = []
    for size in SIZES:
        for radius in RADII:
            document = LabelDocument(np.zeros(size, np.uint8), np.zeros(size, np.uint8))
            canvas = Counting()
            canvas.resize(1280, 800)
            canvas.show()
            rgb = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
            canvas.show_frame(Frame(FrameId("bench", 0, 0, 0), rgb, 0.0), labels=document.labels)
            until = time.monotonic() + 5
            while not canvas.is_sharp and time.monotonic() < until:
                app.processEvents()
            spent, idle, worked = [], [], []
            receiver = QObject()
            paints[0] = 0
            for label in range(WINDOW_STROKES):
                points = stroke(label, size)
                document.begin("Brush")
                for start, end in pairwise(points):
                    at = time.thread_time()
                    timed(spent, shown, canvas, document, radius, label, start, end)
                    worked.append(time.thread_time() - at)
                    timed(idle, nothing, receiver)
                document.commit()
            tails = ((spent, 50), (spent, 99), (worked, 99), (idle, 99))
            cells = [f"{np.percentile(s, p) * 1e3:.2f}" for s, p in tails]
            rows.append([f"{size[1]}×{size[0]}", str(radius), *cells, f"{paints[0]}/{len(spent)}"])
            canvas.stop()
            canvas.close()
    return rows


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--napari", metavar="PYTHON", help="a Python that has napari")
    parser.add_argument("--window", action="store_true", help="with the canvas")
    parser.add_argument("--napari-side", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.napari_side:
        return napari_side()
    child = arguments.napari and subprocess.Popen(
        [arguments.napari, __file__, "--napari-side"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    head = [
        "picture",
        "radius",
        "step, µs p50",
        "mean",
        "p99",
        "commit, ms",
        "undo, ms",
        "redo, ms",
        "kB",
    ]
    if child:
        head += ["napari draw, µs p50", "napari paint, µs p50"]
    table(head, [row(size, radius, child or None) for size in SIZES for radius in RADII])
    if child:
        child.stdin.close()
        child.wait()
    head = ["whole picture", "paint, ms", "commit, ms", "undo, ms", "redo, ms", "kB"]
    table(head, [whole_row(size) for size in SIZES])
    if arguments.window:
        head = ["picture", "radius", "with the canvas, ms p50", "p99", "its CPU time, p99"]
        head += ["nothing, p99", "paint events per step"]
        table(head, window_rows())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
