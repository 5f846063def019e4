"""Memory, threads and open files while 10,000 frames play, and with a consumer that is too slow.

The whole path without a window: a 320×180 H.264 file in a loop, decoded ahead, through the
pipeline with every frame predicted by a small net. The first tenth is the warm-up; after it, growth
is the slope of resident memory (Theil–Sen over samples) times the frames played. Then the same
clip with a net that takes ten times as long as decoding: the mailbox must not grow, and what is
handed on must be young.

    python bench/memory_long.py [--frames 10000] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import av
import numpy as np
import psutil
import torch
from safetensors.torch import save_file

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.engine.pipeline import Pipeline, PipelineResult
from segstudio.engine.predictor import Predictor
from segstudio.media.open import open_source
from segstudio.media.readahead import ReadAhead
from segstudio.nets.registry import NETS

SIZE = (180, 320)
CLIP_FRAMES = 120
GOAL_MB = 50
BUSY_S = 0.05


def make_clip(path: Path) -> Path:
    """Moving noise, so that every frame is coded."""
    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(200))
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "35"}
        for number in range(CLIP_FRAMES):
            moved = np.ascontiguousarray(np.roll(picture, number * 3, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def small_model(folder: Path) -> ModelCard:
    """A quarter-width BiSeNet V2 of seeded weights."""
    folder.mkdir()
    arguments = {"alpha": 0.25, "head_width": 16, "boosters": False}
    torch.manual_seed(0)
    net = NETS.get("bisenet_v2").build(len(CAMVID), **arguments)
    save_file(net.state_dict(), folder / "weights.safetensors")
    rule = InputRule(short_side=96)
    return ModelCard(
        "small", "Small", "bisenet_v2", CAMVID, rule, folder, "weights.safetensors", arguments
    )


def slope(samples: list[tuple[int, float]]) -> float:
    """Theil–Sen: the median slope over pairs of samples, immune to single jumps."""
    thin = samples[:: max(1, len(samples) // 150)]
    pairs = [
        (b[1] - a[1]) / (b[0] - a[0])
        for i, a in enumerate(thin)
        for b in thin[i + 1 :]
        if b[0] != a[0]
    ]
    return statistics.median(pairs)


def play_long(clip: Path, card: ModelCard, frames: int) -> dict:
    """Every frame of the clip, again and again."""
    process = psutil.Process()
    samples: list[tuple[int, float]] = []
    others: list[tuple[int, int]] = []
    done = threading.Event()
    errors: list[Exception] = []
    seen = 0

    def count(result: PipelineResult) -> None:
        nonlocal seen
        seen += result.prediction is not None
        if seen % 20 == 0:
            samples.append((seen, process.memory_info().rss / 1e6))
        if seen % 500 == 0:
            others.append((process.num_fds(), process.num_threads()))
        if seen >= frames:
            done.set()

    def fail(error: Exception) -> None:
        errors.append(error)
        done.set()

    source = ReadAhead(open_source(clip), 32_000_000)
    pipeline = Pipeline(source, on_result=count, on_error=fail)
    pipeline.set_every_frame(True)
    pipeline.set_loop(True)
    pipeline.set_model(lambda: Predictor(card, "cpu"))
    pipeline.start()
    start = time.perf_counter()
    pipeline.play(64.0)
    done.wait()
    seconds = time.perf_counter() - start
    pipeline.stop()
    pipeline.join()
    source.close()
    if errors:
        raise errors[0]
    after = [s for s in samples if s[0] > frames / 10]
    return {
        "frames": seen,
        "fps": round(seen / seconds, 1),
        "growth_mb": round(slope(after) * (frames - frames / 10), 1),
        "largest_minus_first_mb": round(max(v for _, v in after) - after[0][1], 1),
        "rss_mb": round(after[-1][1]),
        "files": [others[0][0], others[-1][0]],
        "threads": [others[0][1], others[-1][1]],
    }


def play_too_fast(clip: Path, seconds: float = 10.0) -> dict:
    """Frames come every 5 ms, each costs its taker 50: how old is what it gets?"""
    process = psutil.Process()
    ages: list[float] = []
    memory: list[float] = []
    skipped = 0

    def take(result: PipelineResult) -> None:
        nonlocal skipped
        skipped += result.skipped
        ages.append(result.queue_ms)
        time.sleep(BUSY_S)
        memory.append(process.memory_info().rss / 1e6)

    source = ReadAhead(open_source(clip), 32_000_000)
    source.wait_complete()
    pipeline = Pipeline(source, on_result=take, on_error=lambda _: None)
    pipeline.set_loop(True)
    pipeline.start()
    pipeline.play()
    time.sleep(seconds)
    pipeline.stop()
    pipeline.join()
    source.close()
    warm = len(memory) // 5
    return {
        "taken": len(ages),
        "passed_over": skipped,
        "growth_mb": round(max(memory[warm:]) - memory[warm], 1),
        "oldest_ms": round(max(ages), 1),
        "median_age_ms": round(statistics.median(ages), 1),
    }


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEGSTUDIO_HOME"] = folder
        clip = make_clip(Path(folder) / "clip.mp4")
        long = play_long(clip, small_model(Path(folder) / "small"), options.frames)
        fast = play_too_fast(clip)
    print("| what | figure | goal |")
    print("|-|-|-|")
    print(
        f"| memory after {long['frames']} frames ({long['fps']} fps, {long['rss_mb']} MB) |"
        f" {long['growth_mb']:+} MB by slope, {long['largest_minus_first_mb']:+} MB at most |"
        f" < {GOAL_MB} MB |"
    )
    for what in ("files", "threads"):
        print(f"| open {what}, first and last | {long[what][0]}, {long[what][1]} | no more |")
    print(
        f"| frames ten times too fast for 10 s: {fast['taken']} taken, {fast['passed_over']} passed"
        f" over | {fast['growth_mb']:+} MB, {fast['oldest_ms']} ms old at most"
        f" ({fast['median_age_ms']} median) | < 100 MB, < 200 ms |"
    )
    if options.json:
        options.json.write_text(
            json.dumps({"memory_long": {"long": long, "too_fast": fast}}, indent=1),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
