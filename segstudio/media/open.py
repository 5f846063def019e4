"""From a path to frames: which kind of source is it?"""

import glob
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from segstudio.errors import MediaError
from segstudio.media import fingerprint, images
from segstudio.media.source import FrameSource, SourceInfo

VIDEO_SUFFIXES = frozenset(
    {
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg",
        ".vob", ".3gp", ".3g2", ".flv", ".wmv", ".asf", ".ogv", ".mxf", ".h264", ".264", ".h265",
        ".265", ".hevc", ".ivf", ".obu", ".mjpeg", ".mjpg", ".y4m", ".lrv", ".insv",
    }
)  # fmt: skip
"""File names that count as videos in dialogs and dropped folders; content decides on opening."""


def open_source(path: Path | Sequence[Path], *, cache_bytes: int = 256_000_000) -> FrameSource:
    """Frames of a picture, several pictures, a folder, a pattern or a video.

    A pattern is a glob (`drive/*.png`) or a numbered name (`frame_%06d.png`). cache_bytes: limit
    of the decoded pictures that a video keeps for stepping back.
    MediaError says what is wrong with it. The caller closes the source.
    """
    if isinstance(path, Path | str):
        return _open_one(Path(path), cache_bytes)
    paths = [Path(p) for p in path]
    if not paths:
        raise MediaError("Nothing was named to open; choose a picture, a folder or a video.")
    if len(paths) == 1:
        return _open_one(paths[0], cache_bytes)
    for each in paths:
        if _is_folder(each) or not images.looks_like_image(_head(each)):
            raise MediaError(
                f"{each.name} is not a picture, and only pictures can be opened as a list; open"
                " videos and folders one at a time."
            )
    folder = paths[0].parent
    return images.ImageSource(paths, title=f"{len(paths)} pictures", path=folder, kind="sequence")


def is_same_content(path: Path, identity: str) -> bool:
    """Whether what lies there has that SourceInfo.id; False for what cannot be opened."""
    try:
        if path.is_file():
            return fingerprint.of_file(path) == identity
        source = open_source(path, cache_bytes=0)
    except (MediaError, OSError):
        return False
    try:
        return source.info.id == identity
    finally:
        source.close()


def complete_info(source: FrameSource, timeout_s: float | None = None) -> SourceInfo:
    """What is known once the number of frames is final: waits for a video's index.

    The newest snapshot all the same when time runs out or the source is closed meanwhile.
    """
    wait = getattr(source, "wait_complete", None)
    if wait is not None:
        wait(timeout_s)
    return source.info


def _open_one(path: Path, cache_bytes: int) -> FrameSource:
    if _is_folder(path):
        return _open_folder(path)
    if not _exists(path) and re.search(r"[*?\[]|%0?\d*d", path.name):
        return _open_pattern(path)
    head = _head(path)
    if images.looks_like_image(head) or path.suffix.lower() in images.SUFFIXES:
        return images.ImageSource([path], title=path.name, path=path, kind="image")
    from segstudio.media.video import VideoSource  # PyAV takes 0.13 s to import

    return VideoSource(path, cache_bytes=cache_bytes)


def _open_folder(folder: Path) -> FrameSource:
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError as error:
        raise MediaError(
            f"The folder {folder.name or folder} cannot be opened ({error.strerror}); check its"
            " permissions."
        ) from error
    found = [folder / n for n in names if Path(n).suffix.lower() in images.SUFFIXES]
    if not found:
        hint = (
            "open one of its videos by itself"
            if any(Path(n).suffix.lower() in VIDEO_SUFFIXES for n in names)
            else "choose one with PNG, JPEG, TIFF, WebP or BMP files"
        )
        raise MediaError(f"The folder {folder.name or folder} holds no pictures; {hint}.")
    found.sort(key=images.natural_order)
    title = folder.resolve().name or str(folder)
    return images.ImageSource(found, title=title, path=folder, kind="sequence", may_change=True)


def _open_pattern(path: Path) -> FrameSource:
    """A glob, or a printf pattern whose numbers may start anywhere and have gaps."""
    pattern = str(path)
    if "%" in path.name and not re.search(r"[*?\[]", path.name):
        pattern = str(
            Path(glob.escape(str(path.parent))) / re.sub(r"%0?\d*d", "*", path.name, count=1)
        )
        number = re.compile(
            r"(\d+)".join(map(re.escape, re.split(r"%0?\d*d", path.name, maxsplit=1)))
        )
        found = [p for p in map(Path, glob.glob(pattern)) if number.fullmatch(p.name)]  # noqa: PTH207 - pathlib's glob refuses absolute patterns
        found.sort(key=lambda p: int(number.fullmatch(p.name)[1]))  # type: ignore[index]
    else:
        found = [
            p
            for p in map(Path, glob.glob(pattern))  # noqa: PTH207 - pathlib's glob refuses absolute patterns
            if p.suffix.lower() in images.SUFFIXES
        ]
        found.sort(key=lambda p: (str(p.parent), images.natural_order(p)))
    if not found:
        raise MediaError(f"No picture matches {path.name} in {path.parent}; check the pattern.")
    return images.ImageSource(
        found, title=path.name, path=path.parent, kind="sequence", may_change=True
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _head(path: Path) -> bytes:
    """The first 16 bytes; MediaError when there are none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # who opens a pipe waits until somebody writes
            raise MediaError(
                f"{path.name} is a pipe or a device, which cannot be gone back and forth in; save"
                " what comes from it as a file."
            )
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise MediaError(f"There is no file {path}; check the name and the folder.") from error
    except OSError as error:
        raise MediaError(
            f"{path.name} cannot be opened ({error.strerror}); check its permissions."
        ) from error
    if not head:
        raise MediaError(f"{path.name} is empty (0 bytes); restore it from a copy.")
    return head
