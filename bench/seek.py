"""Seeking and stepping back in a video, against cv2.VideoCapture in the same run.

Two 720p H.264 files (a key frame every 30 and every 250 frames) are made; every frame carries its
number, so that a reader that is fast and wrong does not win. A request counts from asking to RGB
in memory. SegStudio's index is complete before the clock starts (that time is printed too).

    python bench/seek.py [--json FILE] [--frames N] [--seeks N]
"""

import argparse
import json
import random
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import av
import cv2
import numpy as np

from segstudio.media.video import VideoSource

HEIGHT, WIDTH = 720, 1280


def coded(number: int, scene: np.ndarray) -> np.ndarray:
    """A frame of a moving scene with its number in squares of 8 px."""
    rgb = np.roll(scene, -4 * number, axis=1)
    bits = np.array([number >> (15 - b) & 1 for b in range(16)], np.uint8).repeat(8) * 255
    rgb[0:8, :128] = bits[None, :, None]
    rgb[8:16, :128] = 255 - bits[None, :, None]
    return rgb


def number_in(rgb: np.ndarray) -> int | None:
    """The number on a frame; None when it cannot be read."""
    cells = rgb[:16, :128].mean(2).reshape(2, 8, 16, 8)[:, 2:6, :, 2:6].mean((1, 3)) > 128
    first, second = (int("".join("01"[int(c)] for c in row), 2) for row in cells)
    return first if first ^ second == 0xFFFF else None


def make(path: Path, gop: int, frames: int) -> None:
    """A 720p file of about 4 Mbit/s with three B-frames."""
    small = np.random.default_rng(0).integers(0, 255, (24, 43, 3), np.uint8)
    scene = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1).integers(0, 12, scene.shape, np.uint8)
    scene = cv2.add(scene, noise)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {
            "preset": "veryfast",
            "crf": "26",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=3",
        }
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(coded(number, scene), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def run_segstudio(path: Path, requests: list[int], cache_bytes: int) -> tuple[list[float], int]:
    """(ms of each request, wrong frames)."""
    source = VideoSource(path, cache_bytes=cache_bytes)
    try:
        source.wait_verified(600)
        source.read(requests[0])
        return timed(requests[1:], lambda n: source.read(n).rgb)
    finally:
        source.close()


def run_cv2(path: Path, requests: list[int]) -> tuple[list[float], int]:
    """The same with CAP_PROP_POS_FRAMES."""
    capture = cv2.VideoCapture(str(path))

    def read(n: int) -> np.ndarray:
        capture.set(cv2.CAP_PROP_POS_FRAMES, n)
        is_read, bgr = capture.read()
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB) if is_read else np.zeros((16, 128, 3), np.uint8)

    try:
        read(requests[0])
        return timed(requests[1:], read)
    finally:
        capture.release()


def timed(requests: list[int], read) -> tuple[list[float], int]:
    """Milliseconds of each request, and how many showed another number."""
    spent, wrong = [], 0
    for n in requests:
        start = time.perf_counter()
        rgb = read(n)
        spent.append((time.perf_counter() - start) * 1000)
        wrong += number_in(rgb) != n
    return spent, wrong


def main() -> None:
    """Make the files, measure, print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--seeks", type=int, default=60)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for gop in (30, 250):
            path = Path(folder) / f"gop{gop}.mp4"
            make(path, gop, options.frames)
            rng = random.Random(gop)
            jumps = [0, *(rng.randrange(options.frames) for _ in range(options.seeks))]
            back = list(range(options.frames - 20, options.frames - 20 - options.seeks, -1))
            for what, requests in (("random seek", jumps), ("step back one frame", back)):
                # Nothing kept for seeks: luck with the cache would flatter them.
                kept = 1 if what == "random seek" else 256_000_000
                for name, (spent, wrong) in (
                    ("SegStudio", run_segstudio(path, requests, kept)),
                    ("cv2", run_cv2(path, requests)),
                ):
                    rows.append(
                        {
                            "gop": gop,
                            "what": what,
                            "reader": name,
                            "p50_ms": round(float(np.percentile(spent, 50)), 1),
                            "p95_ms": round(float(np.percentile(spent, 95)), 1),
                            "requests": len(spent),
                            "wrong": wrong,
                        }
                    )
    print("| 720p H.264, key frame every | request | reader | p50 ms | p95 ms | wrong frames |")
    print("|-|-|-|-|-|-|")
    for r in rows:
        print(
            f"| {r['gop']} | {r['what']} | {r['reader']} | {r['p50_ms']} | {r['p95_ms']} |"
            f" {r['wrong']} of {r['requests']} |"
        )
    if options.json:
        options.json.write_text(json.dumps({"seek": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
