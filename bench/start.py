"""How soon the window is there after the start, and the first frame with its mask.

Each run is a process of its own, timed from before it is started to the moment the window's first
paint event has been handled, and to the first frame painted with its mask (torch imported, weights
loaded, clip opened, frame decoded and predicted). Beside it, in turn, what importing torch first
would cost, and a bare Qt window: the limit.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from models import any_model

WINDOW = """
import os, sys, time
start = float(os.environ["BENCH_START"])
from pathlib import Path
from PySide6.QtCore import QTimer
from segstudio.core.settings import Settings
from segstudio.ui.app import Program, make_application
app = make_application(["bench"])
program = Program(app, settings=Settings(play_on_open=True))
session, window = program.session, program.window
session.use_model(sys.argv[2])
def painted():
    print("window", time.time() - start, "torch" in sys.modules, flush=True)
def masked(_):
    result = session.result
    if result is not None and result.prediction is not None:
        print("mask", time.time() - start, flush=True)
        window.close()
window.first_painted.connect(painted)
window.canvas.painted.connect(masked)
program.when_painted(lambda: session.open([Path(sys.argv[1])]))
window.show()
app.exec()
"""

BARE = """
import os, time
start = float(os.environ["BENCH_START"])
from PySide6.QtWidgets import QApplication, QWidget
class Bare(QWidget):
    def paintEvent(self, event):
        print("window", time.time() - start, flush=True)
        os._exit(0)
app = QApplication([])
bare = Bare()
bare.show()
app.exec()
"""


def once(code: str, *arguments: str) -> dict[str, float]:
    """Seconds per milestone that the child printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "BENCH_START": repr(time.time())},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    if any(row[0] == "window" and row[-1] == "True" for row in rows):
        raise SystemExit("torch was imported before the window was painted")
    return {row[0]: float(row[1]) for row in rows}


def clip() -> Path:
    """Two seconds of the synthetic drive."""
    from segstudio.media.demo import DemoSettings, ensure_demo

    return ensure_demo(settings=DemoSettings(frames=60)).video


def main() -> None:
    """Interleaved runs, one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["SEGSTUDIO_HOME"] = tempfile.mkdtemp()
    video, model = str(clip()), str(any_model().folder)
    ways = {
        "a bare Qt window (limit)": lambda: once(BARE)["window"],
        "torch imported first": lambda: once("import torch\n" + BARE)["window"],
    }
    found: dict[str, list[float]] = {
        name: [] for name in (*ways, "SegStudio's window", "its first mask")
    }
    once(WINDOW, video, model)  # bytecode, file cache and compiled label code
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            found[name].append(way())
        ours = once(WINDOW, video, model)
        found["SegStudio's window"].append(ours["window"])
        found["its first mask"].append(ours["mask"])
    print(f"Seconds after the process was started, {arguments.rounds} interleaved runs, warm.\n")
    print("| | median | least | most |\n|---|---|---|---|")
    for name, values in found.items():
        print(
            f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} |"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
