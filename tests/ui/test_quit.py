"""The real program, closed at awkward moments, ends by itself and in order."""

import os
import subprocess
import sys

import pytest

CHILD = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from segstudio.ui import app as program
app = program.make_application(sys.argv[:1])
def close():
    for window in QApplication.topLevelWidgets():
        window.close()
QTimer.singleShot(int(sys.argv[2]), close)
sys.exit(program.run([Path(sys.argv[1])]))
"""


@pytest.mark.parametrize("after_ms", [0, 300, 1500, 5000])
def test_the_program_ends_in_order(after_ms, clip, own_home):
    """While starting, while the clip opens, while torch is imported, while it plays."""
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "SEGSTUDIO_HOME": str(own_home)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(clip), str(after_ms)],
        env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "QThread" not in done.stderr
    assert "Traceback" not in done.stderr
