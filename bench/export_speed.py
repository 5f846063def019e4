"""How fast frames of a project become files: masks a second, against Pillow, and memory.

    python bench/export_speed.py [--frames 500] [--size 1080x1920] [--json FILE]

Streets with every pixel labelled, confirmed, as a project over pictures that lie on the disk; each
format is exported by the engine with its two workers and read back (timed apart). Pillow writes a
sample of the same masks as palette PNG, by its defaults, in the same run: a ratio says more than a
time on a machine that does other things. Memory: what the process has after 100 frames and after
the last one.
"""

import argparse
import io
import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import labelled
import numpy as np
from PIL import Image

from segstudio.core.classes import CAMVID
from segstudio.engine.exchange.exporting import export_project
from segstudio.engine.exchange.frames import ProjectFrames
from segstudio.formats.masks import rasters
from segstudio.formats.report import Progress
from segstudio.media.images import read_image
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.store.project import FrameAbout, FrameKey

KINDS = 25
"""Different streets; the frames of a project repeat them, shifted."""

SAMPLE = 40
WAYS = {
    "index PNG": ("index_png", {}),
    "Cityscapes labelIds": ("cityscapes", {"train_ids": False, "color": False, "polygons": False,
                                           "instances": "never"}),
    "COCO RLE": ("coco", {}),
}  # fmt: skip


@dataclass(frozen=True)
class Speed:
    """masks: a second. ratio: to Pillow's. grown_mb: between frame 100 and the last."""

    way: str
    frames: int
    masks: float
    cpu_ms: float
    ratio: float
    grown_mb: float
    proof: float
    load: float


def streets(height: int, width: int) -> list[np.ndarray]:
    """uint8 (height, width) labels."""
    drive = SyntheticDrive(DriveSettings(height, width, seed=3))
    return [np.ascontiguousarray(drive.frame(i * 12)[1], np.uint8) for i in range(KINDS)]


def fill(folder: Path, masks: list[np.ndarray], frames: int) -> labelled.Filled:
    """A project of so many pictures: links to one; whose they are is all that is looked for."""
    height, width = masks[0].shape
    pictures = folder / "drive"
    pictures.mkdir()
    rgb = SyntheticDrive(DriveSettings(height, width, seed=3)).frame(0)[0]
    Image.fromarray(rgb).save(pictures / "frame_000000.jpg")
    for i in range(1, frames):
        os.link(pictures / "frame_000000.jpg", pictures / f"frame_{i:06d}.jpg")
    filled = labelled.Filled(folder / "speed.segproj", CAMVID)
    media = filled.add(pictures)
    fingerprint = zlib.crc32(read_image(pictures / "frame_000000.jpg").data)
    for i in range(frames):
        labels = np.roll(masks[i % KINDS], 7 * (i // KINDS), axis=1)
        about = FrameAbout(None, fingerprint, f"frame_{i:06d}.jpg", height, width)
        filled.put(FrameKey(media, i), labels, about)
        filled.labels.clear()
    return filled


def pillow_ms(masks: list[np.ndarray]) -> float:
    """CPU milliseconds for a mask."""
    palette = CAMVID.palette().tobytes()
    start = time.thread_time()
    for i in range(SAMPLE):
        image = Image.fromarray(masks[i % KINDS])
        image.putpalette(palette)
        image.save(io.BytesIO(), "PNG")
    return (time.thread_time() - start) / SAMPLE * 1000


def resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def measured(way: str, filled: labelled.Filled, target: Path, pillow: float, **more: str) -> Speed:
    """One export. more: as of `export_project`."""
    name, options = WAYS[way]
    memory: dict[int, int] = {}
    begun = {"writing": time.perf_counter()}
    ended: dict[str, float] = {}

    def note(now: Progress) -> None:
        begun.setdefault(now.stage, time.perf_counter())
        ended[now.stage] = time.perf_counter()
        if now.stage == "writing" and now.done in (100, now.total):
            memory[now.done] = resident()

    cpu = time.process_time()
    spent = {}

    def told(now: Progress) -> None:
        note(now)
        if now.stage == "writing":
            spent["cpu"] = time.process_time() - cpu

    report = export_project(filled.project, target, name, options=options, progress=told, **more)
    assert report.proof is not None
    assert report.proof.is_exact, report.proof.in_words()
    wall = ended["writing"] - begun["writing"]
    back = ended["reading back"] - begun["reading back"]
    first, last = memory.get(100, 0), memory.get(report.frames, 0)
    masks = report.frames / wall
    return Speed(
        f"{way}{', no pictures' if more else ''}",
        report.frames,
        round(masks, 1),
        round(spent["cpu"] / report.frames * 1000, 2),
        round(masks * pillow / 1000, 2),
        round((last - first) / 1e6, 1) if first and last else 0.0,
        round(report.frames / back, 1),
        round(os.getloadavg()[0], 1),
    )


def parts(filled: labelled.Filled, masks: list[np.ndarray]) -> Iterator[tuple[str, float]]:
    """Where the time goes: CPU milliseconds a frame of each part alone, in one thread."""
    frames = ProjectFrames(filled.project, pictures="none")
    start = time.process_time()
    for count, _ in enumerate(frames, start=1):
        if count == SAMPLE:
            break
    yield "labels out of the project", (time.process_time() - start) / SAMPLE * 1000
    palette = CAMVID.palette()
    start = time.process_time()
    for i in range(SAMPLE):
        rasters.encode_indices(masks[i % KINDS], palette)
    yield "PNG of labels", (time.process_time() - start) / SAMPLE * 1000


def main() -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--size", default="1080x1920", help="height x width")
    parser.add_argument("--json", type=Path, help="append one JSON line per export")
    arguments = parser.parse_args()
    height, width = (int(n) for n in arguments.size.split("x"))
    with labelled.scratch() as scratch:
        folder = Path(scratch)
        masks = streets(height, width)
        filled = fill(folder, masks, arguments.frames)
        pillow = pillow_ms(masks)
        print(f"Pillow: {pillow:.1f} ms a mask ({1000 / pillow:.0f} masks/s in one thread)")
        for part, ms in parts(filled, masks):
            print(f"{part}: {ms:.1f} ms of CPU a frame")
        number = 0
        for way in WAYS:
            for more in ({}, {"pictures": "none"}):
                number += 1
                speed = measured(way, filled, folder / f"out {number}", pillow, **more)
                print(
                    f"{speed.way:<34} {speed.masks:6.1f} masks/s, {speed.cpu_ms:5.1f} ms of CPU a"
                    f" frame, {speed.ratio:5.2f} × Pillow; {speed.grown_mb:+.1f} MB from frame 100"
                    f" to {speed.frames}; read back {speed.proof:.0f}/s; load {speed.load}",
                    flush=True,
                )
                if arguments.json is not None:
                    with arguments.json.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(speed)) + "\n")
        filled.project.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
