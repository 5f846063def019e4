"""Where `segstudio features` puts what one layer sees."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.cli.report import Json
from segstudio.cli.views import View
from segstudio.core.layers import LayerFacts
from segstudio.core.map_style import MapStyle
from segstudio.errors import UsageError

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.inside.reading import Read
    from segstudio.media.source import FrameSource
    from segstudio.media.writer import VideoWriter


@dataclass(frozen=True, slots=True)
class Drawing:
    """How and where to. at: "frame" or "layer", the size of the pictures. is_full: all numbers of
    the layer instead of those of the view. is_video: a video beside the pictures.
    """

    output: Path
    style: MapStyle
    at: str = "frame"
    is_full: bool = False
    is_video: bool = False


class ViewFiles:
    """The files of one layer; a video gets its name when `stack` ends without an exception."""

    def __init__(
        self,
        layer: str,
        view: View,
        stem: str,
        source: "FrameSource",
        drawing: Drawing,
        stack: ExitStack,
    ) -> None:
        self.layer = layer
        self._view = view
        self._drawing = drawing
        folder = drawing.output / (f"{layer}.{view.name}" if layer else view.name)
        self._is_single = source.info.kind == "image"
        self._place = folder / stem
        self._shape: tuple[int, ...] = ()
        self._channels: list[int] = []
        self._pictures: list[Path] = []
        self._video_file = folder / f"{stem}.mp4" if drawing.is_video else None
        self._video = None if self._video_file is None else _video(self._video_file, source, stack)
        self._start = source.time_us(0) or 0

    def write(self, read: "Read", frame: "Frame") -> None:
        """PNG and NPY of one frame, and a frame of the video."""
        from segstudio.store.masks import write_picture

        picture = self._picture(read, frame)
        path = self._path(frame, ".png")
        write_picture(path, picture)
        self._pictures.append(path)
        self._save_numbers(read, self._path(frame, ".npy"))
        if self._video is not None:
            time_us = frame.id.time_us
            self._video.write(picture, None if time_us is None else time_us - self._start)

    def told(self, layer: LayerFacts | None) -> Json:
        """For the report. file: the picture, or the folder of those of a clip. channels: those of
        the last mosaic, in its order.
        """
        call = layer.calls[-1] if layer is not None and layer.calls else None
        picture = self._place.with_name(f"{self._place.name}.png")
        found: Json = {
            "name": self.layer or self._view.text,
            "title": layer.title if layer is not None else self._view.text,
            "shape": list(call.shape) if call is not None else list(self._shape),
            "stride": None if call is None else call.stride,
            "file": str(picture if self._is_single else self._place),
            "files": [str(path) for path in self._pictures],
        }
        if self._channels:
            found["channels"] = self._channels
        if self._video_file is not None:
            found["video"] = str(self._video_file)
        return found

    def _picture(self, read: "Read", frame: "Frame") -> NDArray[np.uint8]:
        from segstudio.engine.inside import files

        style = self._drawing.style
        if read.sheet is not None:
            self._channels = [int(channel) for channel in read.sheet.channels]
            return files.render_sheet(read.sheet, style, frame)
        if self._drawing.at == "layer":
            return files.render_cells(read.map, style)
        return files.render(read.map, style, frame)

    def _save_numbers(self, read: "Read", path: Path) -> None:
        from segstudio.engine.inside import files

        self._shape = read.map.values.shape
        if read.values is None:
            if self._drawing.is_full:
                raise UsageError(
                    f"'{self._view.text}' has no values of a layer; leave --values full out."
                )
            files.save_map_npy(read.map, path)
        elif self._drawing.is_full:
            files.save_values_npy(read.values(), path)
        elif read.sheet is not None:
            files.save_values_npy(read.values()[read.sheet.channels], path)
        else:
            files.save_map_npy(read.map, path)

    def _path(self, frame: "Frame", suffix: str) -> Path:
        if self._is_single:
            return self._place.with_name(f"{self._place.name}{suffix}")
        return self._place / f"{frame.id.index:06d}{suffix}"


def _video(file: Path, source: "FrameSource", stack: ExitStack) -> "VideoWriter":
    from segstudio.media.writer import VideoWriter

    return stack.enter_context(VideoWriter(file, source.info.fps or 25))
