"""The pictures that lists name, wherever their files lie, and how large they are."""

import io
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from PIL import Image, UnidentifiedImageError

from segstudio.errors import FormatError, MediaError
from segstudio.formats.files.source import Source
from segstudio.formats.masks.rasters import MAX_PIXELS
from segstudio.media.images import check_png, is_on_its_side

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "MPO")
_SPLIT = re.compile(r"(?:^|[^a-z])(train|val|test)", re.IGNORECASE)


def split_in(text: str) -> str:
    """The split that the name of a file or folder speaks of; "" for none."""
    found = _SPLIT.search(text)
    return found[1].lower() if found else ""


def is_picture(path: PurePosixPath) -> bool:
    """By its ending."""
    return path.suffix.lower() in _SUFFIXES


def find_picture(
    source: Source, named: str, folders: Iterable[str], beside: PurePosixPath
) -> PurePosixPath | None:
    """The picture that the file `beside` calls `named`: in one of the folders, beside it, or
    anywhere when only one file has that name."""
    for folder in folders:
        path = PurePosixPath(folder) / named.replace("\\", "/")
        if ".." not in path.parts and source.has(path):
            return path
    return source.named(named, beside)


def picture_size(source: Source, path: PurePosixPath) -> tuple[int, int]:
    """(height, width) of the upright picture, from its header. FormatError when it is none."""
    content = source.read(path)
    where = source.called(path)
    try:
        if content[:4] == b"\x89PNG":
            check_png(content, where)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            width, height = image.size
            turned = is_on_its_side(image)
    except MediaError as error:
        raise FormatError(str(error)) from error
    # Pillow's readers raise nearly anything for damaged files.
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, LookupError,
            TypeError, OverflowError) as error:  # fmt: skip
        raise FormatError(f"{where} is no picture that can be read; restore it.") from error
    check_size(height, width, where)
    return (width, height) if turned else (height, width)


def check_size(height: int, width: int, where: str) -> tuple[int, int]:
    """The same size. FormatError when nothing of that size is ever allocated."""
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise FormatError(
            f"{where}: a picture of {width}×{height} pixels is not read; up to"
            f" {MAX_PIXELS // 1_000_000} million are."
        )
    return height, width
