"""Frames per second of nets: ours beside torchvision's, and what the predictor adds to the net.

On a CPU: BiSeNet V2 beside Lite R-ASPP (MobileNet V3) as torchvision builds it, which was made for
such devices; both take turns on the same input. Then the whole predictor (resize, normalise,
forward, labels at frame size) beside the bare forward pass of the same net, in turns too. On a
CUDA device: BiSeNet V2 at the sizes of its paper, which reports 156 frames per second at 512×1024
on a GTX 1080 Ti with TensorRT 5. Weights are random: as fast as trained ones.

    python bench/nets_fps.py [--runs N] [--threads N] [--device D]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from models import random_model
from segstudio.core.catalogue import ModelCard
from segstudio.engine import device as devices
from segstudio.engine.bench import BenchFigures, bench_model, make_frame
from segstudio.engine.predictor import Predictor

SIZE, LARGE = (512, 1024), (1024, 2048)
OVERHEAD_GOAL = 1.05
PAPER_FPS = 156


def beside_torchvision(card: ModelCard, runs: int) -> None:
    """BiSeNet V2 as the predictor runs it, and Lite R-ASPP as torchvision gives it, in fp32."""
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    ours = Predictor(card, "cpu", precision="fp32")
    theirs = lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=len(card.classes)
    ).eval()
    with torch.inference_mode():
        x = ours.runner.prepare(make_frame(SIZE).rgb, SIZE)
        plain = x.contiguous()
        contestants = {
            "BiSeNet V2, SegStudio": lambda: ours.runner.forward(x),
            "Lite R-ASPP, torchvision": lambda: theirs(plain)["out"],
        }
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for round_ in range(runs + 2):
            for name, forward in contestants.items():
                start = time.perf_counter()
                forward()
                if round_ >= 2:
                    times[name].append(1000 * (time.perf_counter() - start))
    pairs = [b / a for a, b in zip(*times.values(), strict=True)]
    print(f"Forward pass alone, {SIZE[0]}×{SIZE[1]}, fp32, {torch.get_num_threads()} threads.\n")
    print("| net | median | fps |")
    print("|-|-|-|")
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"| {name} | {middle:.1f} ms | {1000 / middle:.2f} |")
    print(f"\nBiSeNet V2 is {statistics.median(pairs):.2f} times as fast (median of pairs).\n")
    ours.close()


def row(found: BenchFigures, goal: str) -> str:
    """One line of the table."""
    way = found.precision + (", compiled" if found.compiled else "")
    memory = "" if found.peak_mb is None else f"{found.peak_mb:.0f} MB"
    return (
        f"| {found.device} {way} | {found.input_height}×{found.input_width} |"
        f" {found.forward_fps:.2f} | {found.forward_p50:.2f} / {found.forward_p95:.2f} |"
        f" {found.fps:.2f} | {found.predict_p50:.2f} / {found.predict_p95:.2f} |"
        f" {found.overhead:.3f}{goal} | {memory} |"
    )


def predictors(card: ModelCard, device: str, runs: int) -> None:
    """The whole predictor beside the bare net, in each number type that the device has."""
    on_cuda = device.startswith("cuda")
    ways = [("fp32", False), ("fp16" if on_cuda else "bf16", False)]
    if on_cuda:
        ways += [("fp32", True), ("fp16", True)]
    print(f"BiSeNet V2, {len(card.classes)} classes; frame and input of one size.\n")
    print(
        "| device | input | net, fps | net, ms p50 / p95 | predictor, fps | predictor, ms p50 /"
        f" p95 | predictor ÷ net{'' if on_cuda else f' (goal {OVERHEAD_GOAL})'} | memory |"
    )
    print("|-|-|-|-|-|-|-|-|")
    for size in (SIZE, LARGE) if on_cuda else (SIZE,):
        for precision, compiled in ways:
            found = bench_model(
                card, device, size=size, precision=precision, compile=compiled, runs=runs
            )
            failed = not on_cuda and found.overhead > OVERHEAD_GOAL
            print(row(found, " (missed)" if failed else ""), flush=True)
            for note in found.notes:
                if note.startswith(("not compiled", "calculated")):
                    print(f"\n{note}\n")
    print()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        card = random_model(Path(folder) / "bisenet_v2", None, classes="cityscapes19")
        beside_torchvision(card, options.runs)
        predictors(card, "cpu", options.runs)
        device = str(devices.choose_device(options.device))
        if device.startswith("cuda"):
            predictors(card, device, 10 * options.runs)
            print(f"The paper: {PAPER_FPS} fps at 512×1024, GTX 1080 Ti, TensorRT 5.")
        else:
            print(f"No CUDA device here; the paper's {PAPER_FPS} fps have nothing beside them.")


if __name__ == "__main__":
    main()
