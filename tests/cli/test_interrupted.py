"""Ctrl+C in the middle of `segstudio predict`, then the same command again."""

import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main
from segstudio.store.masks import read_mask

COUNT = 200
"""Seconds of work, at an input this large: the signal arrives long before the end."""


CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from segstudio.__main__ import main
sys.exit(main())
"""
# Started in the background of a script, a process inherits Ctrl+C as ignored.


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_what_was_finished_stays_and_the_same_command_resumes(small_model, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    rgb = np.random.default_rng(1).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(drive / "0000.png")
    for i in range(1, COUNT):
        (drive / f"{i:04d}.png").hardlink_to(drive / "0000.png")
    report = tmp_path / "report.json"
    words = ["predict", str(drive), "-m", str(small_model), "-o", str(tmp_path / "out")]
    words += ["--device", "cpu", "--size", "384x640", "--json", str(report)]
    masks = tmp_path / "out" / "masks" / "drive"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    ended = threading.Event()
    while not (masks / "000003.png").exists():
        assert child.poll() is None, child.stderr.read()
        ended.wait(0.02)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert said.strip() == "segstudio: interrupted; what was finished stays"
    assert not report.exists()

    finished = sorted(masks.glob("*"))
    assert 4 <= len(finished) < COUNT
    assert all(read_mask(mask).shape == (32, 48) for mask in finished)
    stamps = {mask: mask.stat().st_mtime_ns for mask in finished}
    assert main(words) == 0
    found = json.loads(report.read_text())
    assert (found["resumed"], found["predicted"]) == (
        len(finished),
        COUNT - len(finished),
    )
    assert all(mask.stat().st_mtime_ns == stamp for mask, stamp in stamps.items())
