"""R17: the figures on the screen are true: mIoU against plain NumPy, fps against a wall clock.

mIoU: pairs of rasters with empty classes, void, ids outside the set, nothing but void, in runs and
in noise, below and above the size from which runs are counted. The oracle counts sets of pixels. A
running sum from which a rectangle is taken out and put back after a stroke must agree as well, and
mistakes that others make (listed in MISTAKES) must show, or the cases prove nothing.

fps: the meter on a clock of this row's own, frames at steady and at unsteady paces; what it says,
read four times a second, against how many frames there were in how many seconds.
"""

import math

import numpy as np

from segstudio.core.confusion import SMALL, ConfusionMatrix
from segstudio.core.metrics import Convention, scores_of
from segstudio.core.rates import RateMeter

CASES, SEED = 500, 17
PACES = (5, 12.5, 24000 / 1001, 25, 30, 60, 144, 240)
JITTERS = (0.0, 0.1, 0.5)
SECONDS, WARM_UP_S = 60.0, 2.0
LIMIT, FPS_LIMIT = 1e-9, 0.02


def case(rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray]:
    """(classes, reference, predicted), uint8 (H, W)."""
    classes = int(rng.choice([1, 2, 5, 11, 19, 66, 150, 255]))
    large = rng.random() < 0.2
    height, width = (int(n) for n in rng.integers(*((181, 260) if large else (1, 90)), 2))
    run = int(rng.choice([1, 3, 25]))
    known = rng.permutation(classes)[: rng.integers(1, classes + 1)]
    labels = [*known, *[v for v in (255, 254) if v >= classes][: rng.integers(0, 3)]]
    truth = np.repeat(rng.choice(labels, (height, width // run + 1)), run, 1)[:, :width]
    wrong = rng.random(truth.shape) < rng.random()
    said = np.where(wrong, rng.choice(labels, truth.shape), truth)
    if rng.random() < 0.04:
        truth = np.full_like(truth, 255)
    return classes, truth.astype(np.uint8), said.astype(np.uint8)


def oracle(classes: int, truth: np.ndarray, said: np.ndarray) -> float:
    """The definition, class by class; NaN without any class."""
    judged = truth < classes
    found = []
    for label in range(classes):
        a, b = (truth == label) & judged, (said == label) & judged
        union = np.count_nonzero(a | b)
        if union:
            found.append(np.count_nonzero(a & b) / union)
    return float(np.mean(found)) if found else math.nan


def difference(a: float, b: float) -> float:
    """0 for two NaN, infinite for one."""
    if math.isnan(a) or math.isnan(b):
        return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
    return abs(a - b)


def after_a_stroke(matrix: ConfusionMatrix, truth: np.ndarray, said: np.ndarray, rng) -> np.ndarray:
    """The matrix, brought up to date over a painted rectangle alone; the reference is painted."""
    y, x = (int(rng.integers(0, n)) for n in truth.shape)
    area = np.s_[y : y + 41, x : x + 41]
    gone = matrix.counted(truth[area], said[area])
    truth[area] = int(rng.integers(0, matrix.classes))
    return matrix.full - gone + matrix.counted(truth[area], said[area])


def _zero_for_absent(full: np.ndarray) -> float:
    return float(np.nan_to_num(scores_of(full).iou).mean())


def _in_float32(full: np.ndarray) -> float:
    hit, known = np.diagonal(full)[:-1].astype(np.float32), full[:-1].astype(np.float32)
    union = known.sum(1) + known[:, :-1].sum(0) - hit
    return float((hit[union > 0] / union[union > 0]).mean()) if union.any() else math.nan


MISTAKES = {
    "absent classes count as 0": _zero_for_absent,
    "classes of the reference only": lambda full: scores_of(full, Convention.PRESENT).miou,
    "void is wrong": lambda full: scores_of(full, Convention.VOID_IS_WRONG).miou,
    "predicted void ignored": lambda full: scores_of(full, Convention.BOTH_VOID_IGNORED).miou,
    "float32": _in_float32,
}


def figures() -> tuple[float, int, set[str]]:
    """(largest difference, how many cases were large, the mistakes that showed)."""
    rng = np.random.default_rng(SEED)
    worst, large, shown = 0.0, 0, set()
    for _ in range(CASES):
        classes, truth, said = case(rng)
        large += truth.size > SMALL
        matrix = ConfusionMatrix(classes)
        matrix.add(truth, said)
        right = oracle(classes, truth, said)
        worst = max(worst, difference(scores_of(matrix.full).miou, right))
        shown |= {
            name
            for name, mistake in MISTAKES.items()
            if difference(mistake(matrix.full), right) > LIMIT
        }
        painted = after_a_stroke(matrix, truth, said, rng)
        worst = max(worst, difference(scores_of(painted).miou, oracle(classes, truth, said)))
    return worst, large, shown


def rates() -> float:
    """The largest error of the mean of what the meter said, as a share."""
    rng = np.random.default_rng(SEED)
    worst = 0.0
    for pace in PACES:
        for jitter in JITTERS:
            gaps = (1 + jitter * rng.uniform(-1, 1, int(pace * SECONDS))) / pace
            times = np.cumsum(gaps)
            now = [0.0]
            meter = RateMeter(clock=lambda now=now: now[0])
            reads = np.arange(WARM_UP_S, times[-1], 0.25)
            said = []
            for at, is_read in sorted([(t, False) for t in times] + [(t, True) for t in reads]):
                now[0] = at
                if is_read:
                    said.append(meter.rate())
                else:
                    meter.mark()
            true = len(times) / times[-1]
            worst = max(worst, abs(float(np.mean(said)) / true - 1))
    return worst


def measure() -> tuple[str, str, str, bool | None, str]:
    """Both."""
    worst, large, shown = figures()
    fps = rates()
    missing = sorted(set(MISTAKES) - shown)
    passed = worst <= LIMIT and fps <= FPS_LIMIT and not missing and large > 0
    return (
        "mIoU and fps are true",
        f"mIoU off by {worst:.0e}, fps by {fps:.1%}",
        f"mIoU {LIMIT:.0e} in {CASES} cases, fps {FPS_LIMIT:.0%}",
        passed,
        f"{large} of {CASES} cases counted by runs; {len(shown)} of {len(MISTAKES)} mistakes seen;"
        f" {len(PACES) * len(JITTERS)} paces of frames"
        + (f"; not seen: {', '.join(missing)}" if missing else ""),
    )
