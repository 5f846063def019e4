"""How well and how fast labels are carried by optical flow, against copying them unchanged.

Two clips whose every frame has labels: the synthetic drive (exact labels, forth and back from its
start frame) and, with --camvid, real frames at 15 Hz. Right = share of pixels with the true class
among those that arrived trusted; the copy is judged on the same pixels. Step by step = warped again
at every frame instead of once through the sum of all flows. Plain = without the slack inside
regions, judged on the fewer pixels that it trusts.

    OMP_NUM_THREADS=1 python bench/propagation.py [--camvid FOLDER] [--json FILE]

FOLDER has images/ and labels/ with equal file names, frames in order, 11 = void.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from PIL import Image

from segstudio.core.classes import VOID
from segstudio.core.metrics import ConfusionMatrix, scores_of
from segstudio.core.propagation import PropagationSettings, Propagator, drifted, propagate
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive

STEPS = 10
SHOWN = (1, 3, 5, 10)
CLASSES = 11
SIZES = ((720, 960), (720, 1280), (1024, 2048))


def drive_runs(starts: tuple[int, ...]) -> list[list]:
    """Frames and labels from each start, forth and back."""
    drive = SyntheticDrive(DriveSettings(height=720, width=1280, seed=61))
    runs = []
    for start in starts:
        frames = [drive.frame(i) for i in range(start - STEPS, start + STEPS + 1)]
        runs += [frames[STEPS:], frames[STEPS::-1]]
    return runs


def camvid_runs(folder: Path) -> list[list]:
    """Runs of real frames, each starting where the last one ended, forth and back."""
    names = sorted(path.name for path in (folder / "images").iterdir())
    frames = []
    for name in names:
        rgb = np.array(Image.open(folder / "images" / name).convert("RGB"))
        label_path = (folder / "labels" / name).with_suffix(".png")
        labels = np.array(Image.open(label_path))
        frames.append((rgb, np.where(labels == 11, VOID, labels).astype(np.uint8)))
    runs = []
    for start in range(0, len(frames) - STEPS, STEPS):
        run = frames[start : start + STEPS + 1]
        runs += [run, run[::-1]]
    return runs


class Tally:
    """Figures of one way at one distance."""

    def __init__(self) -> None:
        self.matrix = ConfusionMatrix(CLASSES)
        self.right: list[float] = []

    def add(self, labels: np.ndarray, truth: np.ndarray, pixels: np.ndarray) -> None:
        """Judge `labels` where `pixels` says so and the truth has a class."""
        pixels = pixels & (truth != VOID) & (labels != VOID)
        self.matrix.add(np.where(pixels, truth, VOID).astype(np.uint8), labels)
        self.right.append(float((labels[pixels] == truth[pixels]).mean()))


def measure(name: str, runs: list[list]) -> list[dict]:
    """One row for each distance."""
    tallies = {
        (way, k): Tally() for way in ("sum", "steps", "plain", "copy", "copy all") for k in SHOWN
    }
    arrived: dict[int, list[float]] = {k: [] for k in SHOWN}
    arrived_plain: dict[int, list[float]] = {k: [] for k in SHOWN}
    stopped = 0
    for run in runs:
        first_rgb, first = run[0]
        propagator, stepped, history = Propagator(first_rgb, first), first, []
        plain_propagator = Propagator(first_rgb, first, PropagationSettings(slack=0))
        has_stopped = False
        for k, (rgb, truth) in enumerate(run[1:], start=1):
            moved = propagator.advance(rgb)
            plain = plain_propagator.advance(rgb)
            stepped = propagate(run[k - 1][0], rgb, stepped).labels
            has_stopped |= drifted(moved.confidence, history)
            history.append(moved.confidence)
            if k in SHOWN:
                tallies["sum", k].add(moved.labels, truth, moved.trusted)
                tallies["steps", k].add(stepped, truth, moved.trusted)
                tallies["plain", k].add(plain.labels, truth, plain.trusted)
                arrived_plain[k].append(plain.confidence)
                tallies["copy", k].add(first, truth, moved.trusted)
                tallies["copy all", k].add(first, truth, np.ones_like(moved.trusted))
                arrived[k].append(moved.confidence)
        stopped += has_stopped
    rows = []
    for k in SHOWN:
        row = {"clip": name, "frames": k, "runs": len(runs), "runs_that_stop": stopped}
        row["confidence"] = round(statistics.mean(arrived[k]), 3)
        row["plain_confidence"] = round(statistics.mean(arrived_plain[k]), 3)
        for way in ("sum", "steps", "plain", "copy", "copy all"):
            tally = tallies[way, k]
            key = way.replace(" ", "_")
            row[f"{key}_right"] = round(statistics.mean(tally.right), 4)
            row[f"{key}_miou"] = round(scores_of(tally.matrix.full).miou, 4)
        rows.append(row)
    return rows


def speed(rounds: int) -> list[dict]:
    """Milliseconds for one frame."""
    rows = []
    for height, width in SIZES:
        drive = SyntheticDrive(DriveSettings(height=height, width=width, seed=61))
        (rgb, labels), following = drive.frame(30), [drive.frame(31 + i)[0] for i in range(2)]
        row = {"height": height, "width": width}
        for is_fine in (True, False):
            propagator = Propagator(rgb, labels, PropagationSettings(is_fine=is_fine))
            spent = []
            for i in range(rounds):
                start = time.perf_counter()
                propagator.advance(following[i % 2])
                spent.append((time.perf_counter() - start) * 1000)
            row["fine_ms" if is_fine else "fast_ms"] = round(statistics.median(spent), 1)
        rows.append(row)
    return rows


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--camvid", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = measure("synthetic drive 1280×720", drive_runs((30, 120)))
    if options.camvid:
        rows += measure("CamVid 480×360, 15 Hz", camvid_runs(options.camvid))
    print(
        "| clip | frames on | arrived (plain) | carried: right, mIoU | step by step | plain",
        end="",
    )
    print(" | copy, same pixels | copy, all pixels | runs that stop within 10 |")
    print("|-|-|-|-|-|-|-|-|-|")
    for r in rows:
        cells = (
            f"{100 * r[way + '_right']:.2f} %, {100 * r[way + '_miou']:.1f}"
            for way in ("sum", "steps", "plain", "copy", "copy_all")
        )
        print(f"| {r['clip']} | {r['frames']} | {100 * r['confidence']:.1f} %", end=" ")
        print(f"({100 * r['plain_confidence']:.1f}) |", end=" ")
        print(" | ".join(cells), f"| {r['runs_that_stop']} of {r['runs']} |")
    times = speed(options.rounds)
    print("\n| frame | ms, MEDIUM | ms, FAST |\n|-|-|-|")
    for t in times:
        print(f"| {t['width']}×{t['height']} | {t['fine_ms']} | {t['fast_ms']} |")
    if options.json:
        document = {"propagation": rows, "propagation_speed": times}
        options.json.write_text(json.dumps(document, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
