"""Promises about people's work, each measured by a row of the scorecard in its small form."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCORECARD = Path(__file__).resolve().parents[2] / "bench" / "scorecard.py"

pytestmark = pytest.mark.skipif(not SCORECARD.is_file(), reason="only in a checkout")


@pytest.mark.parametrize("row", ["R1", "R2", "R3", "R4", "R7", "R8", "R15", "R16", "R17"])
def test_a_promise_of_the_scorecard_holds(row, tmp_path):
    found = tmp_path / "row.jsonl"
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "SEGSTUDIO_LONG": ""}
    said = subprocess.run(
        [sys.executable, SCORECARD, "--only", row, "--json", found],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )
    line = json.loads(found.read_text())
    if line["result"] == "not run" and not (os.environ.get("CI") and sys.platform == "linux"):
        pytest.skip(line["detail"])
    assert line["result"] == "PASS", said.stdout + said.stderr
