"""The confusion matrix of a frame and of a stroke, against torchmetrics, scikit-learn and others

19 classes at 2048×1024, void in 4 % of the reference. Contestants take turns; the matrices are
compared every time, and one different count ends the run. torchmetrics gets int64 tensors made
beforehand, its fastest form; scikit-learn bytes. scikit-learn cannot ignore void, so it is taken
out for it. Needs the extra `oracles`.

    python bench/confusion.py [--rounds 15]
"""

import argparse
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from models import any_model
from segstudio.core import brush, confusion
from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.frame import Frame, FrameId
from segstudio.core.tally import Standing, Tally
from segstudio.engine.predictor import Predictor
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive

CLASSES, SIZE = 19, (1024, 2048)
OURS = "SegStudio"
GOALS = {"torchmetrics": 10, "scikit-learn": 70}
"""How many times as long, for the same work."""
STROKE_GOAL_MS = 1.0
LENGTHS = {"a segment of 12 px": 12, "a stroke of 480 px": 480}
PERCENTILES = ((0, 50), (0, 99), (1, 99))
TRUTH = Standing(is_reference=True, human_share=1.0)


def of_a_drive() -> tuple[np.ndarray, np.ndarray]:
    """A street's true labels and the bundled model's; classes are others in its right half."""
    drive = SyntheticDrive(DriveSettings(seed=3, height=SIZE[0], width=SIZE[1]))
    rgb, labels = (np.ascontiguousarray(a) for a in drive.frame(40)[:2])
    predictor = Predictor(any_model(), "cpu")
    predicted = predictor.predict(Frame(FrameId("drive", 40, 0, 0), rgb, 0.0)).labels
    truth, said = (np.where(r < 11, r, 0).astype(np.uint8) for r in (labels, predicted))
    for raster in (truth, said):
        raster[:, SIZE[1] // 2 :] += CLASSES - 11
    truth[-SIZE[0] // 25 :] = 255  # the hood
    return truth, said


def noise() -> tuple[np.ndarray, np.ndarray]:
    """Every pixel another class: no runs at all."""
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, CLASSES, (2, *SIZE)).astype(np.uint8)
    truth[rng.random(SIZE) < 0.04] = 255
    return truth, said


def contestants(truth: np.ndarray, said: np.ndarray) -> dict:
    """Name → a call that answers int64 (19, 19)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.metrics import confusion_matrix
        from torchmetrics.functional.classification import multiclass_confusion_matrix

    ours = ConfusionMatrix(CLASSES)
    labels = np.arange(CLASSES)
    whole = torch.from_numpy(truth.astype(np.int64)), torch.from_numpy(said.astype(np.int64))
    kept = truth.ravel() != 255
    judged = tuple(torch.from_numpy(r.ravel()[kept].astype(np.int64)) for r in (truth, said))

    def bincount() -> np.ndarray:
        inside = truth < CLASSES
        pairs = truth[inside].astype(np.int64) * CLASSES + said[inside]
        return np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)

    def torchmetrics(pair: tuple, *, is_checked: bool, ignore: int | None) -> np.ndarray:
        return multiclass_confusion_matrix(
            pair[1], pair[0], CLASSES, ignore_index=ignore, validate_args=is_checked
        ).numpy()

    def sklearn() -> np.ndarray:
        inside = truth != 255
        return confusion_matrix(truth[inside], said[inside], labels=labels)

    def read_both() -> None:
        np.bitwise_xor.reduce(truth.reshape(-1).view(np.uint64))
        np.bitwise_xor.reduce(said.reshape(-1).view(np.uint64))

    return {
        "reading both arrays (limit)": read_both,
        OURS: lambda: ours.counted(truth, said)[:CLASSES, :CLASSES],
        "np.bincount": bincount,
        "torchmetrics": lambda: torchmetrics(whole, is_checked=False, ignore=255),
        "torchmetrics, with void taken out before": lambda: torchmetrics(
            judged, is_checked=False, ignore=None
        ),
        "torchmetrics, as it comes: arguments checked": lambda: torchmetrics(
            whole, is_checked=True, ignore=255
        ),
        "scikit-learn": sklearn,
    }


def compare(pair: tuple[np.ndarray, np.ndarray], rounds: int) -> dict[str, float]:
    """Name → ms, median; SystemExit when a matrix differs."""
    calls = contestants(*pair)
    right = calls[OURS]()
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            answer = call()
            spent[name].append((time.perf_counter() - start) * 1e3)
            if answer is not None and (answer != right).any():
                raise SystemExit(f"{name} counts otherwise")
    return {name: statistics.median(values) for name, values in spent.items()}


def strokes(truth: np.ndarray, said: np.ndarray, rounds: int) -> dict[str, np.ndarray]:
    """Wall and CPU ms, (n, 2), to bring a tally up to date with a segment or a stroke of 40."""
    matrix, tally, labels = ConfusionMatrix(CLASSES), Tally(CLASSES), truth.copy()
    tally.put(0, matrix.counted(labels, said), TRUTH)
    rng = np.random.default_rng(1)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in LENGTHS}
    for number in range(rounds * 20):
        for name, length in LENGTHS.items():
            y, x = (int(n) for n in rng.integers((60, 560), (SIZE[0] - 60, SIZE[1] - 560)))
            way = rng.uniform(0, 2 * np.pi)
            down = int(np.clip(y + length * np.sin(way), 0, SIZE[0] - 1))
            end = (down, int(x + length * np.cos(way)))
            area = brush.round_segment((y, x), end, 20, SIZE)
            inside = area.rect.slices
            before = labels[inside].copy()
            labels[inside][area.mask] = number % CLASSES
            begun = time.perf_counter(), time.thread_time()
            gone = matrix.counted(before, said[inside])
            tally.change(0, matrix.counted(labels[inside], said[inside]) - gone, TRUTH)
            tally.scores()
            ended = time.perf_counter(), time.thread_time()
            spent[name].append(((ended[0] - begun[0]) * 1e3, (ended[1] - begun[1]) * 1e3))
    if (tally.full() != matrix.counted(labels, said)).any():
        raise SystemExit("the tally after the strokes is not the count of the painted frame")
    return {name: np.array(each) for name, each in spent.items()}


def table(head: list[str], rows: list[list[str]]) -> None:
    """As Markdown."""
    for cells in (head, ["-"] * len(head), *rows):
        print("| " + " | ".join(cells) + " |")
    print()


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    confusion.warm_up()
    torch.set_num_threads(1)
    pairs = {"of a street": of_a_drive(), "pure noise (no goal)": noise()}
    print(f"Milliseconds, median of {rounds}; everybody has one thread. Goals are for equal work,")
    print("rasters with void.\n")
    found = {name: compare(pair, rounds) for name, pair in pairs.items()}
    rows = []
    for name in found["of a street"]:
        goal = GOALS.get(name)
        cells = []
        for ms in found.values():
            cells += [f"{ms[name]:.2f}", f"{ms[name] / ms[OURS]:.1f}"]
        cells[1] += f" (goal {goal})" if goal else ""
        rows.append([name, *cells])
    head = ["2048×1024, 19 classes"]
    for name in found:
        head += [f"{name}, ms", "times ours"]
    table(head, rows)
    print(f"A tally after painting with radius 20, with its figures (goal {STROKE_GOAL_MS} ms).\n")
    spent = {name: strokes(*pair, rounds) for name, pair in pairs.items()}
    rows = [
        [f"{painted}, {name}", *(f"{np.percentile(ms[:, i], p):.3f}" for i, p in PERCENTILES)]
        for name, kinds in spent.items()
        for painted, ms in kinds.items()
    ]
    table(["painted", "ms p50", "p99", "its CPU time, p99"], rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
