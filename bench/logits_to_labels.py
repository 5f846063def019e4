"""Logits to labels at frame size, against torch's interpolate and argmax in the same run.

19×128×256 logits become 1024×2048 labels. Contestants take turns; the labels are compared every
time, and one different pixel ends the run. Ours uses one thread in every row.

    python bench/logits_to_labels.py [--rounds 15] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from models import any_model
from segstudio.core.frame import Frame, FrameId
from segstudio.engine import postprocess
from segstudio.engine.predictor import Predictor
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive

CHANNELS, SMALL, LARGE = 19, (128, 256), (1024, 2048)
GOAL = 50


def of_a_drive() -> torch.Tensor:
    """The bundled model's answer to a street; classes it lacks trail behind the ones it knows."""
    drive = SyntheticDrive(DriveSettings(seed=3, height=LARGE[0], width=LARGE[1]))
    rgb = np.ascontiguousarray(drive.frame(40)[0])
    predictor = Predictor(any_model(), "cpu", precision="fp32")
    known = predictor.card.input
    scale = LARGE[0] / known.short_side if known.short_side else 1.0
    predictor = Predictor(predictor.card, "cpu", precision="fp32", input_scale=scale)
    answer = predictor.predict(Frame(FrameId("drive", 40, 0, 0), rgb, 0.0))
    logits = torch.tensor(answer.logits.values)
    extra = logits[: CHANNELS - logits.shape[0]] - 3 + torch.randn(CHANNELS - 11, *SMALL) / 4
    assert tuple(logits.shape[1:]) == SMALL, logits.shape
    return torch.cat([logits, extra]).contiguous()


def smooth() -> torch.Tensor:
    """Blobs of 16 points, a little noise."""
    coarse = torch.randn(1, CHANNELS, SMALL[0] // 16, SMALL[1] // 16) * 5
    large = torch.nn.functional.interpolate(coarse, size=SMALL, mode="bicubic")[0]
    return (large + torch.randn(CHANNELS, *SMALL) / 10).contiguous()


def milliseconds(call) -> tuple[float, np.ndarray]:
    """Wall time of one call, and what it returned."""
    start = time.perf_counter()
    value = call()
    return (time.perf_counter() - start) * 1000, value


def measure(name: str, logits: torch.Tensor, rounds: int, *, align_corners: bool) -> dict:
    """One row of the table."""
    ids = np.arange(CHANNELS, dtype=np.uint8)
    spent: dict[str, list[float]] = {"plain 1": [], "plain 2": [], "ours": []}

    def plain() -> np.ndarray:
        return postprocess.plain_labels(logits, LARGE, align_corners=align_corners).numpy()

    def ours() -> np.ndarray:
        return postprocess.labels_at_frame_size(logits, LARGE, ids, align_corners=align_corners)[0]

    ours()
    for _ in range(rounds):
        for threads in (1, 2):
            torch.set_num_threads(threads)
            ms, expected = milliseconds(plain)
            spent[f"plain {threads}"].append(ms)
        ms, labels = milliseconds(ours)
        spent["ours"].append(ms)
        different = int((labels != expected).sum())
        if different:
            raise SystemExit(f"{name}: {different} pixels differ from torch's")
    middle = {key: statistics.median(values) for key, values in spent.items()}
    return {
        "logits": name,
        "align_corners": align_corners,
        "plain_1_thread_ms": round(middle["plain 1"], 1),
        "plain_2_threads_ms": round(middle["plain 2"], 1),
        "ours_ms": round(middle["ours"], 2),
        "ratio_1": round(middle["plain 1"] / middle["ours"], 1),
        "ratio_2": round(middle["plain 2"] / middle["ours"], 1),
        "different_pixels": 0,
    }


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.manual_seed(0)
    rows = []
    for name, make, rounds in (
        ("of a street", of_a_drive, options.rounds),
        ("smooth blobs", smooth, options.rounds),
        (
            "pure noise (no goal)",
            lambda: torch.randn(CHANNELS, *SMALL),
            max(3, options.rounds // 5),
        ),
    ):
        logits = make()
        rows += [measure(name, logits, rounds, align_corners=corners) for corners in (False, True)]
    print(
        "| 19×128×256 → 1024×2048 | align_corners | torch, 1 thread | 2 threads | cells, 1 thread",
        end="",
    )
    print(f" | times faster than 1, 2 threads (goal {GOAL}) | different pixels |")
    print("|-|-|-|-|-|-|-|")
    for r in rows:
        print(
            f"| {r['logits']} | {r['align_corners']} | {r['plain_1_thread_ms']} ms"
            f" | {r['plain_2_threads_ms']} ms | {r['ours_ms']} ms"
            f" | {r['ratio_1']}, {r['ratio_2']} | {r['different_pixels']} |"
        )
    if options.json:
        options.json.write_text(json.dumps({"logits_to_labels": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
