"""The loop's benchmark in its tiny form: it measures, keeps what it has, and draws."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "loop_pays.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCRIPT.is_file(), reason="only in a checkout"),
]


def run(folder):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick", "--work", folder / "work",
         "--json", folder / "all.json", "--plot", folder / "all.svg"],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done, json.loads((folder / "all.json").read_text())


def test_both_ways_are_measured_and_an_interrupted_run_goes_on(tmp_path):
    first, found = run(tmp_path)
    rows = found["rows"]
    assert [(r["arm"], r["seed"], r["frames"]) for r in rows] == [
        ("base", 0, 0),
        ("ranking", 1, 1), ("ranking", 1, 2),
        ("random", 1, 1), ("random", 1, 2),
        ("random", 2, 1), ("random", 2, 2),
    ]  # fmt: skip
    for row in rows:
        assert len(row["picked"]) == row["frames"]
        assert len(row["strokes"]) == 3
        assert 0 <= row["left"] <= row["wrong"] <= 1
    one, two = (r["picked"] for r in rows if r["arm"] == "ranking")
    assert two[:1] == one
    assert "| frames corrected |" in first.stdout
    picture = ElementTree.parse(tmp_path / "all.svg").getroot()
    assert picture.get("width") == "900"

    lost = tmp_path / "work" / "night" / "runs" / "random-2-2"
    (lost / "result.json").unlink()
    again, same = run(tmp_path)
    assert again.stderr.count("mIoU") == 1
    assert "random 2: 2 frames" in again.stderr
    assert [{**r, "train_cpu_s": 0} for r in same["rows"]] == [
        {**r, "train_cpu_s": 0} for r in rows
    ]
