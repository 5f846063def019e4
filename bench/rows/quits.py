"""R13: the window is closed at random moments: while torch is imported, a model loads, a video
plays and is predicted, an index is built. Each time the process must end by itself, in order.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import clips
import psutil

from models import any_model

QUITS = int(os.environ.get("SEGSTUDIO_QUITS", "40"))
LONGEST_S = 8.0
LIMIT_S = 5.0
SEED = 13

CHILD = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from segstudio.ui import app as program
clip, model, delay_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
app = program.make_application(sys.argv[:1])
def close():
    print(time.time(), flush=True)
    for window in QApplication.topLevelWidgets():
        window.close()
QTimer.singleShot(delay_ms, close)
sys.exit(program.run([Path(clip)], model=model))
"""


def quit_after(seconds: float, clip: Path, model: Path, home: Path) -> str:
    """ "" or what was wrong; the clean end is exit code 0, in time, nothing said, nobody left."""
    environ = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "SEGSTUDIO_HOME": str(home),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(clip), str(model), str(int(seconds * 1000))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
        start_new_session=True,
    )
    try:
        said, trouble = child.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return f"closed after {seconds:.2f} s: never ended"
    took = time.time() - float(said.split()[0]) if said.split() else float("nan")
    left = [p.pid for p in psutil.process_iter() if _session_of(p.pid) == child.pid]
    wrong = []
    if child.returncode:
        wrong.append(f"exit code {child.returncode}")
    if not took < LIMIT_S:
        wrong.append(f"took {took:.1f} s")
    if "QThread" in trouble or "Traceback" in trouble or "QObject" in trouble:
        wrong.append(trouble.strip().splitlines()[-1])
    if left:
        wrong.append(f"left processes {left}")
    return f"closed after {seconds:.2f} s: {', '.join(wrong)}" if wrong else ""


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def measure() -> tuple[str, str, str, bool | None, str]:
    """Half of the moments lie in the first two seconds, where most things begin."""
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        clip = clips.make(clips.CLIPS[0], home)
        model = any_model().folder
        assert clip is not None
        moments = [rng.uniform(0, 2.0 if i % 2 else LONGEST_S) for i in range(QUITS)]
        troubles = [t for s in moments if (t := quit_after(s, clip, model, home))]
    return (
        "quitting at random moments",
        f"{len(troubles)} of {QUITS} not clean",
        f"0 of {QUITS}; each under {LIMIT_S:.0f} s",
        not troubles,
        "; ".join(troubles[:3]),
    )
