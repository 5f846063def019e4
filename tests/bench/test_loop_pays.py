"""The loop's benchmark in its tiny form: it measures, keeps what it has, and draws."""

import importlib.util
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "loop_pays.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="only in a checkout")


@pytest.fixture(scope="module")
def picture():
    spec = importlib.util.spec_from_file_location(
        "bench_loop_picture", SCRIPT.with_name("loop_picture.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_loop_picture"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bench_loop_picture"]


def row(arm, seed, frames, miou, strokes):
    return {"domain": "x", "arm": arm, "seed": seed, "frames": frames, "miou": miou,
            "mean_strokes": 2 * strokes, "strokes_to_most": strokes, "left": 0.01}  # fmt: skip


ROWS = [
    row("base", 0, 0, 0.3, 50.0),
    row("random", 1, 5, 0.4, 40.0),
    row("random", 2, 5, 0.5, 30.0),
    row("ranking", 1, 5, 0.6, 20.0),
    row("random", 1, 10, 0.6, 25.0),
]


def test_the_table_has_means_ranges_and_what_is_left_of_the_strokes(picture):
    lines = picture.table(ROWS, {"x": "A domain"}).splitlines()
    assert lines[0] == "**A domain**. Lots: 2, rankings: 1."
    first, five, ten = lines[-3:]
    assert first.startswith("| 0 | 0.300 | 0.300 | 50.0 | 50.0 | 1.00, 1.00 | 100.0 | 100.0 |")
    assert five.startswith(
        "| 5 | 0.450 (0.400–0.500) | 0.600 | 35.0 (30.0–40.0) | 20.0 | 0.70, 0.40"
    )
    assert ten.startswith("| 10 | 0.600 | – | 25.0 | – | 0.50, – |")


def test_the_goals_are_judged_where_both_ways_were_measured(picture):
    rows = [*ROWS, row("random", 1, 20, 0.6, 26.0), row("ranking", 1, 20, 0.7, 24.0)]
    said = picture.verdict(rows, "x")
    assert picture.table(rows, {"x": "A domain"}).endswith(said)
    assert "0.48 of the strokes until 95 % are right are left (goal ≤ 0.5: reached)" in said
    assert "mIoU +0.125, better at 2; strokes until 95 % -8.5, fewer at 2." in said
    assert "missed" in picture.verdict([*rows, row("ranking", 2, 20, 0.7, 30.0)], "x")
    assert picture.verdict(ROWS, "x") == ""


def test_the_picture_has_three_panels_for_each_domain_and_every_point(picture):
    drawn = picture.drawn([*ROWS, *({**r, "domain": "y"} for r in ROWS)], {"x": "A & B", "y": "C"})
    root = ElementTree.fromstring(drawn)
    tag = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{tag}circle")) == 2 * 3 * (3 + 2)
    words = [each.text for each in root.findall(f"{tag}text")]
    assert "A & B" in words
    assert words.count("frames corrected") == 6
    for each in root.findall(f"{tag}circle"):
        assert 0 <= float(each.get("cy")) <= float(root.get("height"))


def run(folder):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick", "--work", folder / "work",
         "--json", folder / "all.json", "--plot", folder / "all.svg"],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done, json.loads((folder / "all.json").read_text())


@pytest.mark.slow
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
