"""Small video files that carry their frame number, made on the fly.

Every frame shows its number as 16 squares of 8×8 px from the top left, most significant bit
first, white = 1; the row of squares below is the complement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

WIDTH, HEIGHT = 160, 96


@dataclass(frozen=True)
class Clip:
    """How one file is encoded. pts: of frame i, in ticks of 1/rate. gop: key frame distance."""

    name: str
    codec: str = "libx264"
    frames: int = 90
    gop: int = 12
    rate: Fraction = Fraction(25)
    params: str = ""
    options: dict = field(default_factory=dict)
    container: dict = field(default_factory=dict)
    pts: Callable[[int], int] = lambda i: i
    time_base: Fraction | None = None
    pix_fmt: str = "yuv420p"
    rotation: int = 0
    audio_first: bool = False
    size: tuple[int, int] = (WIDTH, HEIGHT)
    is_still: bool = False
    hidden: int = 0
    full_range: bool = False


def phone_pts(i: int) -> int:
    """Stamps in 1/1000 s that wander like those of a phone, with a hole of two seconds."""
    return i * 33 + (i * 7919) % 9 + (2000 if i >= 40 else 0)


CLIPS = (
    Clip("bframes.mp4", params="bframes=3:b-pyramid=normal"),
    Clip("gop250.mp4", frames=300, gop=250, params="bframes=3:scenecut=0"),
    Clip("open_gop.mp4", params="open-gop=1:bframes=3:b-pyramid=normal:scenecut=0", gop=24),
    Clip("phone.mp4", pts=phone_pts, time_base=Fraction(1, 1000), params="bframes=2"),
    Clip("phone.mkv", pts=phone_pts, time_base=Fraction(1, 1000), params="bframes=2"),
    Clip("film.mkv", rate=Fraction(24000, 1001), params="bframes=3"),
    Clip("broadcast.ts", params="bframes=3:b-pyramid=normal"),
    Clip("open_gop.ts", gop=24, params="open-gop=1:bframes=3:b-pyramid=normal:scenecut=0"),
    Clip("refresh.mp4", gop=30, params="intra-refresh=1:bframes=0"),
    Clip("refresh.ts", gop=30, params="intra-refresh=1:bframes=0"),
    Clip("fragments.mp4", container={"movflags": "frag_keyframe+empty_moov"}),
    Clip("cut.mp4", hidden=5, gop=24, params="bframes=0:scenecut=0"),
    Clip("turned.mp4", rotation=90),
    Clip("audio_first.mp4", audio_first=True),
    Clip("asp.avi", codec="mpeg4", options={"bf": "2", "qscale": "2"}, gop=24),
    Clip("simple.mp4", codec="mpeg4", options={"qscale": "2"}, gop=24),
    Clip("motion.avi", codec="mjpeg", pix_fmt="yuvj422p", options={"qscale": "2"}),
    Clip("raw.h264", params="bframes=2"),
    Clip("program.mpg", codec="mpeg2video", options={"bf": "2", "qscale": "2"}),
    Clip("odd.mp4", pix_fmt="yuv444p", size=(143, 97)),
    Clip("deep.mp4", pix_fmt="yuv420p10le", frames=40),
    Clip(
        "vp9.webm", codec="libvpx-vp9", frames=40, options={"deadline": "realtime", "cpu-used": "8"}
    ),
)
"""One of each kind that some reader somewhere gets wrong."""


def coded(
    number: int, width: int = WIDTH, height: int = HEIGHT, *, still: bool = False
) -> np.ndarray:
    """uint8 (height, width, 3) with the number in it, over a texture that moves."""
    yy, xx = np.mgrid[:height, :width]
    shift = 0 if still else number * 3
    rgb = np.stack(
        [(xx + shift) % 256, (yy * 2 + shift) % 256, ((xx + yy) // 2 + shift) % 256], axis=2
    ).astype(np.uint8)
    for bit in range(16):
        value = 255 * (number >> (15 - bit) & 1)
        rgb[0:8, bit * 8 : bit * 8 + 8] = value
        rgb[8:16, bit * 8 : bit * 8 + 8] = 255 - value
    return rgb


def number_in(rgb: np.ndarray) -> int | None:
    """The number that a frame shows; None when the two rows do not agree."""
    cells = rgb[:16, :128].mean(axis=2).reshape(2, 8, 16, 8)[:, 2:6, :, 2:6].mean(axis=(1, 3)) > 128
    first, second = (int("".join("1" if c else "0" for c in row), 2) for row in cells)
    return first if first ^ second == 0xFFFF else None


def encode(clip: Clip, folder: Path) -> Path:
    """The clip as a file in `folder`."""
    path = folder / clip.name
    width, height = clip.size
    with av.open(str(path), "w", options=dict(clip.container)) as container:
        if clip.audio_first:
            audio = container.add_stream("aac", rate=16000)
            audio.layout = "mono"
        stream = container.add_stream(clip.codec, rate=clip.rate)
        stream.width, stream.height, stream.pix_fmt = width, height, clip.pix_fmt
        stream.gop_size = clip.gop
        stream.codec_context.thread_count = 1
        if clip.time_base:
            stream.codec_context.time_base = clip.time_base
        options = dict(clip.options)
        if clip.codec == "libx264":
            keys = f"keyint={clip.gop}:min-keyint={min(clip.gop, 12)}"
            options |= {
                "preset": "ultrafast",
                "crf": "16",
                "x264-params": f"{keys}:{clip.params}".strip(":"),
            }
        stream.options = options
        if clip.rotation:
            stream.set_display_rotation(clip.rotation)
        if clip.audio_first:
            _mux_tone(container, audio, clip.frames / float(clip.rate))
        for number in range(clip.frames):
            shown = 0 if clip.is_still else number - clip.hidden
            rgb = coded(shown % 65536, width, height, still=clip.is_still)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = clip.pts(number)
            frame.time_base = clip.time_base or 1 / clip.rate
            _mux(container, stream, stream.encode(frame), clip)
        _mux(container, stream, stream.encode(None), clip)
    return path


def _mux(container, stream, packets, clip: Clip) -> None:
    for packet in packets:
        if clip.hidden:
            # Packets before zero: the muxer writes an edit list that hides them.
            shift = int(clip.hidden / clip.rate / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
        container.mux(packet)


def _mux_tone(container, audio, seconds: float) -> None:
    for at in range(0, int(16000 * seconds), 1024):
        samples = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, at, Fraction(1, 16000)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the clips of this run are made."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Callable[[str], Path]:
    """The file of the clip with that name, encoded once per run."""
    made: dict[str, Path] = {}
    known = {c.name: c for c in CLIPS}

    def get(name: str) -> Path:
        if name not in made:
            made[name] = encode(known[name], clip_folder)
        return made[name]

    return get


@pytest.fixture(name="number_in", scope="session")
def number_reader() -> Callable[[np.ndarray], int | None]:
    """Reads the number that a frame shows; None when there is none."""
    return number_in


@pytest.fixture(name="encode")
def encoder(tmp_path: Path) -> Callable[..., Path]:
    """Encodes a clip of its own: `encode(name="a.mp4", frames=30)`."""
    return lambda **settings: encode(Clip(**settings), tmp_path)


@pytest.fixture(scope="session")
def clip_names() -> Sequence[str]:
    """Every kind of file."""
    return [c.name for c in CLIPS]
