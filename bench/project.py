"""What a project costs: opening a large one, going to a frame, finishing a stroke, bytes on disk.

    python bench/project.py [--frames 100000] [--strokes 300]

A frame is loaded as the window does it (labels, origin, lines of the history), every time another
one, of a street with every tile labelled and some strokes. A push is counted until it is committed
with fsync; the bare fsync of the same disk, in the same run, is the limit. Every frame that is
loaded is compared with what was put in.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from segstudio.core.brush import rectangle, round_segment
from segstudio.core.classes import CAMVID
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import MODEL
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.store import schema
from segstudio.store.project import FrameAbout, FrameKey, Project

SIZES = ((720, 1280), (1024, 2048), (2160, 3840))


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(name: str, text: str) -> None:
    print(f"| {name} | {text} |")


def street(height: int, width: int, number: int) -> np.ndarray:
    """uint8 (height, width): exact labels of one frame of the procedural drive."""
    _, labels = SyntheticDrive(DriveSettings(height, width, seed=3)).frame(number)
    return np.ascontiguousarray(labels, np.uint8)


def media_of(project: Project, height: int, width: int, frames: int) -> int:
    return project.add_media(
        fingerprint=f"{height}", title="bench", kind="video", path=project.path.with_name("x.mp4"),
        width=width, height=height, frames=frames,
    ).id  # fmt: skip


def counts(document: LabelDocument) -> tuple[int, ...]:
    return tuple(int(n) for n in document.origin_counts[:5])


def open_large(folder: Path, frames: int) -> None:
    """Rows as strokes leave them; put in by one transaction, since that is not what is timed."""
    path = folder / "large.segproj"
    project = Project.create(path, CAMVID)
    media = media_of(project, 1024, 2048, frames)
    project.close()
    connection = schema.connect(path)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO frames VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            (media, i, i * 33_333, i * 7919 % 2**32, f"frame {i:06d}", 1024, 2048, "bisenet_v2",
             0, 1_900_000, 0, 197_152, 0, 3, 3, None, 0, None)
            for i in range(frames)
        ),
    )  # fmt: skip
    tile = os.urandom(160)  # so that the file has the weight of labels too
    connection.executemany(
        "INSERT INTO tiles VALUES(?,?,?,?,?)",
        ((media, i, r, 0, tile) for i in range(frames) for r in range(8)),
    )
    connection.execute("COMMIT")
    connection.close()
    times, listed = [], []
    for _ in range(5):
        start = time.perf_counter()
        project = Project.open(path)
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
        found = project.frames(media)
        listed.append(time.perf_counter() - start)
        assert len(found) == frames
        assert found[-1].position == 3
        project.close()
    mb = path.stat().st_size / 1e6
    row(
        f"open {frames:,} labelled frames ({mb:.0f} MB)",
        f"median {statistics.median(times):.2f} s, worst {max(times):.2f} s;"
        f" all their summaries {statistics.median(listed):.2f} s",
    )


def one_size(folder: Path, height: int, width: int, strokes: int) -> None:
    """Draft some frames, paint on them, go to and fro."""
    rng = random.Random(height)
    project = Project.create(folder / f"{height}.segproj", CAMVID)
    media, frames = media_of(project, height, width, 10), 10
    documents, sizes = [], []
    everything = rectangle((0, 0), (height - 1, width - 1), (height, width))
    for index in range(frames):
        blank = np.full((height, width), 255, np.uint8), np.zeros((height, width), np.uint8)
        document = LabelDocument(*blank)
        document.begin("Draft")
        document.put(everything, street(height, width, index * 10), origin=MODEL)
        step = document.commit()
        about = FrameAbout(index * 33_333, index, f"frame {index}", height, width, "bench")
        project.push(FrameKey(media, index), 0, step, counts(document), about).result(60)
        sizes.append(sum(len(t.after) for t in step.tiles))
        documents.append((document, about))
    pushes, bytes_each = [], []
    numbers = [1] * frames
    while len(pushes) < strokes:
        index = rng.randrange(frames)
        document, about = documents[index]
        y, x = rng.randrange(height), rng.randrange(width)
        end = (y + rng.randint(-60, 60), x + rng.randint(-120, 120))
        document.begin("Brush")
        document.paint(round_segment((y, x), end, 20, (height, width)), rng.randrange(11))
        step = document.commit()
        if step is None:
            continue
        start = time.perf_counter()
        key = FrameKey(media, index)
        project.push(key, numbers[index], step, counts(document), about).result(60)
        pushes.append((time.perf_counter() - start) * 1e3)
        numbers[index] += 1
        bytes_each.append(step.size_bytes)
    loads = []
    for _ in range(100):
        index = rng.randrange(frames)
        start = time.perf_counter()
        found = project.load(FrameKey(media, index))
        loads.append((time.perf_counter() - start) * 1e3)
        assert np.array_equal(found.labels, documents[index][0].labels)
        assert np.array_equal(found.origin, documents[index][0].origin)
    project.close()
    name = f"{width}×{height}"
    row(f"{name}: go to a frame", f"p50 {quantile(loads, 0.5):.1f} ms, p95"
        f" {quantile(loads, 0.95):.1f} ms")  # fmt: skip
    row(f"{name}: a stroke, until it is on the disk", f"p50 {quantile(pushes, 0.5):.2f} ms, p99"
        f" {quantile(pushes, 0.99):.2f} ms")  # fmt: skip
    row(f"{name}: bytes", f"{statistics.median(bytes_each) / 1e3:.1f} kB a stroke (radius 20),"
        f" {statistics.median(sizes) / 1e3:.1f} kB a frame's labels and origin")  # fmt: skip


def bare_fsync(folder: Path, times: int) -> None:
    """The limit: 20 kB appended and synced."""
    taken = []
    with (folder / "bare").open("wb") as file:
        for _ in range(times):
            start = time.perf_counter()
            file.write(os.urandom(20_000))
            file.flush()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - start) * 1e3)
    row("limit: 20 kB appended and synced", f"p50 {quantile(taken, 0.5):.2f} ms, p99"
        f" {quantile(taken, 0.99):.2f} ms")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--strokes", type=int, default=300)
    arguments = parser.parse_args()
    print("| project | measured |\n| --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        open_large(folder, arguments.frames)
        for height, width in SIZES:
            one_size(folder, height, width, arguments.strokes)
        bare_fsync(folder, arguments.strokes)


if __name__ == "__main__":
    main()
