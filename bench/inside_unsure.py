"""What seeing uncertainty costs beside the prediction itself

The bundled model on frames of 1280×720 whose picture moves by a few pixels from one to the next,
on a CPU: what `Seen.ms` says, against the whole prediction without a look. Then the measures alone
on answers of two sizes: of a net that answers with an eighth of its input, and of one that ends in
its own upsampling.

    python bench/inside_unsure.py [--frames 15] [--threads N]
"""

import argparse
import dataclasses
import os
import statistics
import sys
import time
from pathlib import Path
from typing import get_args

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch

from models import any_model
from segstudio.core.confidence import sureness
from segstudio.core.frame import Frame
from segstudio.core.look import ClassLook, UnsureKind, UnsureLook
from segstudio.core.prediction import Logits
from segstudio.core.uncertainty import MEASURES, class_probability, enlarged
from segstudio.engine.bench import make_frame
from segstudio.engine.predictor import Predictor

ANSWERS = ((19, 128, 256), (12, 720, 1280))


def moving(count: int) -> list[Frame]:
    """Frames that follow each other."""
    wide = make_frame((720, 1280 + 4 * count))
    return [
        Frame(
            dataclasses.replace(wide.id, index=index),
            np.ascontiguousarray(wide.rgb[:, 4 * index : 4 * index + 1280]),
            0.0,
        )
        for index in range(count)
    ]


def looks(predictor: Predictor, frames: list[Frame]) -> None:
    """Every kind of uncertainty and a class, with each prediction."""
    spent: dict[str, list[float]] = {}
    plain = [predictor.predict(frame).timing.total for frame in frames]
    kinds = [UnsureLook(kind) for kind in get_args(UnsureKind)]
    ids = [one.id for one in predictor.card.classes.classes]
    for look in (*kinds, ClassLook(ids[0]), ClassLook(ids[0], ids[1])):
        predictor.look_for(look)
        name = look.kind if isinstance(look, UnsureLook) else "class probability"
        name = "two classes" if isinstance(look, ClassLook) and look.against is not None else name
        spent[name] = [predictor.predict(frame).seen.ms for frame in frames]
    predictor.look_for(None)
    whole = statistics.median(plain)
    print(f"{predictor.precision}; a prediction without a look takes {whole:.1f} ms.\n")
    print("| seen | ms | of the prediction |\n| - | - | - |")
    for name, values in spent.items():
        ms = statistics.median(values[2:])
        print(f"| {name} | {ms:.1f} | {100 * ms / whole:.0f} % |")
    print()


def measures(rounds: int) -> None:
    """Alone, one thread."""
    rng = np.random.default_rng(0)
    answers = [
        Logits(rng.normal(0, 3, s).astype(np.float32), (720, 1280), False, np.arange(s[0]))
        for s in ANSWERS
    ]
    calls = {
        **MEASURES,
        "class probability": lambda logits: class_probability(logits, 3),
        "enlarged to the frame": lambda logits: enlarged(logits.values[0], logits),
        "sureness for the brush": lambda logits: sureness(logits, "entropy"),
    }
    print("| ms | " + " | ".join("×".join(map(str, shape)) for shape in ANSWERS) + " |")
    print("| - " * (1 + len(ANSWERS)) + "|")
    for name, call in calls.items():
        row = []
        for logits in answers:
            times = []
            for _ in range(rounds + 1):
                start = time.perf_counter()
                call(logits)
                times.append(1e3 * (time.perf_counter() - start))
            row.append(f"{statistics.median(times[1:]):.1f}")
        print(f"| {name} | " + " | ".join(row) + " |")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=15)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
        cv2.setNumThreads(options.threads)
    predictor = Predictor(any_model(), "cpu")
    looks(predictor, moving(options.frames))
    predictor.close()
    cv2.setNumThreads(1)
    measures(max(3, options.frames // 3))


if __name__ == "__main__":
    main()
