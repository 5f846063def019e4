"""The clip that people see first: a synthetic drive as a video with exact labels.

It is rendered once into the user's cache and made again when a part of it is missing or when the
drive has changed since.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

from segstudio import paths
from segstudio.core.classes import CAMVID
from segstudio.errors import Cancelled, MediaError
from segstudio.media.synthetic.drive import VERSION, DriveSettings, SyntheticDrive

_LOG = logging.getLogger("segstudio.media")
_AHEAD = 4
"""Frames drawn ahead of the encoder: drawing and encoding overlap, memory stays small."""


@dataclass(frozen=True, slots=True)
class DemoClip:
    """A rendered drive. labels: folder of 000000.png …, palette pictures of CamVid ids."""

    video: Path
    labels: Path


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """How long and how large. height and width must be even, as H.264 with 4:2:0 wants it."""

    frames: int = 300
    height: int = 720
    width: int = 1280
    fps: int = 30
    seed: int = 61


def ensure_demo(
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    settings: DemoSettings | None = None,
) -> DemoClip:
    """The demo clip, rendered first when it is not there yet.

    progress: called with 0..1 in the calling thread. Raises Cancelled when `cancelled` turns true
    and MediaError when the cache cannot be written; in both cases nothing half-made is left.
    """
    wanted = settings or DemoSettings()
    report = progress or (lambda _share: None)
    folder = paths.user_cache() / "demo"
    clip = DemoClip(folder / "drive.mp4", folder / "labels")
    if _is_complete(folder, wanted):
        report(1.0)
        return clip
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="demo-", dir=folder.parent))
        try:
            _render(made, wanted, report, cancelled)
            if not _is_complete(folder, wanted):
                shutil.rmtree(folder, ignore_errors=True)
                made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except (OSError, av.FFmpegError) as error:
        if _is_complete(folder, wanted):
            return clip
        raise MediaError(
            f"The demo clip cannot be written to {folder}: {error}; free some space or set"
            " SEGSTUDIO_HOME to a folder that can be written."
        ) from error
    return clip


def _write_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    """Labels uint8 (H, W) as an 8-bit palette PNG whose pixel values are the ids."""
    picture = Image.fromarray(labels)
    picture.putpalette(CAMVID.palette().tobytes())
    picture.save(path, compress_level=3)


def _manifest(settings: DemoSettings) -> dict[str, int]:
    return {"version": VERSION, **asdict(settings)}


def _is_complete(folder: Path, settings: DemoSettings) -> bool:
    """Whether the clip of just these settings is there with all its files."""
    try:
        written = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        size = (folder / "drive.mp4").stat().st_size
        labels = sum(1 for _ in (folder / "labels").glob("*.png"))
    except (OSError, ValueError):
        return False
    return bool(
        written == {**_manifest(settings), "bytes": size} and size and labels == settings.frames
    )


def _render(
    folder: Path,
    settings: DemoSettings,
    report: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> None:
    """Draw, encode and write everything; the manifest comes last."""
    drive = SyntheticDrive(
        DriveSettings(settings.height, settings.width, settings.seed, float(settings.fps))
    )
    labels_folder = folder / "labels"
    labels_folder.mkdir()
    video = folder / "drive.mp4"
    threads = ThreadPoolExecutor(2, thread_name_prefix="segstudio-demo")
    with threads, av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=settings.fps)
        stream.width, stream.height, stream.pix_fmt = settings.width, settings.height, "yuv420p"
        stream.options = {"crf": "20", "preset": "superfast", "g": "60"}
        stream.time_base = Fraction(1, settings.fps)
        # Named, so that every reader turns the picture back into the same colours.
        context = stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = 1, 1

        def draw(index: int) -> NDArray[np.uint8]:
            rgb, labels = drive.frame(index)
            _write_labels(labels_folder / f"{index:06d}.png", labels)
            return rgb

        waiting = [threads.submit(draw, i) for i in range(min(_AHEAD, settings.frames))]
        for index in range(settings.frames):
            if cancelled():
                for job in waiting:
                    job.cancel()
                raise Cancelled
            picture = av.VideoFrame.from_ndarray(waiting.pop(0).result(), format="rgb24")
            if index + _AHEAD < settings.frames:
                waiting.append(threads.submit(draw, index + _AHEAD))
            picture = picture.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            picture.pts = index
            container.mux(stream.encode(picture))
            report((index + 1) / settings.frames)
        container.mux(stream.encode(None))
    written = {**_manifest(settings), "bytes": video.stat().st_size}
    (folder / "manifest.json").write_text(json.dumps(written, indent=1), encoding="utf-8")
    _LOG.info("rendered the demo clip: %d frames", settings.frames)
