"""Frames per second of the whole path against the net alone, in the same run.

The whole path: a 1280×720 H.264 file, decoded ahead in a thread, through the pipeline with every
frame predicted and delivered, labels at frame size. The net alone: its forward pass in a loop on
one prepared input of the same size, same precision and threads. Both take turns, so that a busy
machine hits both; the ratio of the medians is what counts.

    python bench/pipeline_fps.py [--rounds N] [--frames N] [--threads N] [--device D] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from models import any_model
from segstudio.engine import device as devices
from segstudio.engine.pipeline import Pipeline, PipelineResult
from segstudio.engine.predictor import Predictor
from segstudio.media.open import open_source
from segstudio.media.readahead import ReadAhead

GOAL = 0.95


def make_clip(folder: Path, frames: int) -> Path:
    """The synthetic drive as a 720p video."""
    from segstudio.media import demo

    made = demo.DemoSettings(frames=frames)
    os.environ["SEGSTUDIO_HOME"] = str(folder)
    return demo.ensure_demo(settings=made).video


class Counter:
    """Counts delivered frames; `wait(n)` until that many have come."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.results: list[tuple[float, int, PipelineResult]] = []

    def __call__(self, result: PipelineResult) -> None:
        """The pipeline's on_result."""
        with self._changed:
            self.results.append((time.perf_counter(), result.frame.id.index, result))
            self._changed.notify_all()

    def wait(self, expected) -> None:
        """Until the condition holds."""
        with self._changed:
            self._changed.wait_for(lambda: expected(self.results))


def path_fps(pipeline: Pipeline, counter: Counter, frames: int) -> tuple[float, list]:
    """From the first delivered frame of a play to the last; every frame must have come."""
    counter.results.clear()
    pipeline.seek(0)
    counter.wait(lambda r: bool(r) and r[-1][1] == 0 and r[-1][2].prediction is not None)
    pipeline.play(64.0)
    counter.wait(lambda r: r[-1][1] == frames - 1)
    results = counter.results
    assert [index for _, index, _ in results][-frames:] == list(range(frames)), "frames were lost"
    timings = [r.prediction.timing for _, _, r in results if r.prediction]
    return (frames - 1) / (results[-1][0] - results[-frames][0]), timings


def forward_fps(predictor: Predictor, x: torch.Tensor, frames: int) -> float:
    """The net alone."""
    with torch.inference_mode():
        start = time.perf_counter()
        for _ in range(frames):
            predictor.runner.forward(x)
            devices.synchronize(x.device)
        return frames / (time.perf_counter() - start)


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        card = any_model()
        clip = make_clip(Path(folder), options.frames)
        # Two predictors: one belongs to the pipeline's thread, the other to this one.
        alone = Predictor(card, options.device)
        source = ReadAhead(open_source(clip), 64_000_000)
        source.wait_complete()
        frame = source.read(0)
        size = card.input.size_for(frame.height, frame.width)
        with torch.inference_mode():
            x = alone.runner.prepare(frame.rgb, size)
        errors: list[Exception] = []
        counter = Counter()
        pipeline = Pipeline(source, on_result=counter, on_error=errors.append)
        pipeline.set_every_frame(True)
        pipeline.set_model(lambda: Predictor(card, options.device))
        pipeline.start()
        counter.wait(lambda r: bool(r) and r[-1][2].prediction is not None)
        nets, paths, timings = [], [], []
        forward_fps(alone, x, 5)
        path_fps(pipeline, counter, options.frames)
        for _ in range(options.rounds):
            nets.append(forward_fps(alone, x, options.frames))
            fps, found = path_fps(pipeline, counter, options.frames)
            paths.append(fps)
            timings += found
        pipeline.stop()
        pipeline.join()
        source.close()
        if errors:
            raise errors[0]
    net, path = statistics.median(nets), statistics.median(paths)
    pairs = statistics.median(b / a for a, b in zip(nets, paths, strict=True))
    stage = {
        name: round(statistics.median(getattr(t, name) for t in timings), 2)
        for name in ("prepare", "forward", "upsample")
    }
    row = {
        "device": alone.device,
        "precision": alone.precision,
        "threads": torch.get_num_threads(),
        "input": f"{size[1]}×{size[0]}",
        "net_fps": round(net, 2),
        "path_fps": round(path, 2),
        "ratio": round(path / net, 3),
        "ratio_of_pairs": round(pairs, 3),
        **{f"{k}_ms": v for k, v in stage.items()},
    }
    print(
        "| device | input | net alone | whole path | ratio (goal ≥ 0.95) | prepare | forward"
        " | upsample |"
    )
    print("|-|-|-|-|-|-|-|-|")
    print(
        f"| {row['device']} {row['precision']}, {row['threads']} threads | {row['input']}"
        f" | {row['net_fps']} fps | {row['path_fps']} fps | {row['ratio']}"
        f" | {stage['prepare']} ms | {stage['forward']} ms | {stage['upsample']} ms |"
    )
    if options.json:
        options.json.write_text(json.dumps({"pipeline_fps": [row]}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
