"""R5: every frame that is handed out is the one that was asked for."""

import os
import random
import tempfile
from pathlib import Path

import av
import clips

from segstudio.media.open import open_source

SEEKS = 100
SEED = 5


def wanted(frames: int, gop: int, rng: random.Random) -> list[int]:
    """40 aimed numbers (around restart points, both ends, a backward run) and 60 random ones."""
    edges = [g + d for g in range(0, frames, gop) for d in (-1, 0, 1)]
    ends = [0, 1, frames - 1, frames - 2]
    start = rng.randrange(12, frames)
    backward = [start - i for i in range(12)]
    aimed = [
        n for n in [*rng.sample(edges, min(len(edges), 24)), *ends, *backward] if 0 <= n < frames
    ]
    rest = [rng.randrange(frames) for _ in range(SEEKS - len(aimed))]
    return aimed + rest


def measure() -> tuple[str, str, str, bool | None, str]:
    """Numbers read from the pictures, and time stamps against a straight decode."""
    os.environ["SVT_LOG"] = "1"
    rng = random.Random(SEED)
    wrong, seeks, files, notes = 0, 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEGSTUDIO_HOME"] = folder
        for clip in clips.CLIPS:
            file = clips.make(clip, Path(folder))
            if file is None:
                notes.append(f"no encoder for {clip.name}")
                continue
            with av.open(str(file)) as container:
                stream = container.streams.video[0]
                stamps = [f.pts * stream.time_base for f in container.decode(stream)]
            first = stamps[0]
            files += 1
            source = open_source(file)
            for index in wanted(clip.frames, clip.gop, rng):
                frame = source.read(index)
                since = frame.id.time_us - source.time_us(0)
                in_step = abs(since - (stamps[index] - first) * 1_000_000) <= 1
                if clips.number_of(frame.rgb) != index or frame.id.index != index or not in_step:
                    wrong += 1
                    notes.append(f"{clip.name}: asked {index}, got {clips.number_of(frame.rgb)}")
                seeks += 1
            source.close()
    return (
        "frame exactness",
        f"{wrong} wrong of {seeks} seeks, {files} files",
        "0 wrong, at least 12 files",
        wrong == 0 and files >= 12,
        "; ".join(notes[:5]),
    )
