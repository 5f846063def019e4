"""Still pictures: the one image reader of the program, and sources made of files.

Everything ends as uint8 RGB, upright: the EXIF orientation is applied exactly once, 16-bit values
lose their low byte, grey becomes three equal channels, palettes become their colours, and alpha
is dropped (the colours stay as stored: what a camera or a render saw, not what a web page would
put behind it). Files are checked by their header before anything is decoded.
"""

import io
import os
import re
import time
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from segstudio.core.frame import Frame, FrameId
from segstudio.errors import FrameMissing, MediaError
from segstudio.media import fingerprint
from segstudio.media.source import SourceInfo

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"})
"""File names that count as pictures in a folder."""

MAX_PIXELS = 200_000_000
MAX_BYTES = 1_000_000_000
"""Larger pictures are refused by their header."""

# The header check below knows the limit and the sentence; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None
# Odd tags of a readable picture are nobody's business.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_WIDE_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_MAX_PNG_CHUNKS = 100_000
_MAX_EXIF = 1 << 20
_ORIENTATION = 0x0112


def looks_like_image(head: bytes) -> bool:
    """True when the first 16 bytes of a file are those of a picture format that is read."""
    return (
        head.startswith((_PNG_MAGIC, b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[:2] == b"BM" and len(head) > 13)
    )


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) sRGB, upright, C-contiguous, read-only; MediaError says what is wrong."""
    return decode_image(_bytes_of(path), path.name, max_pixels=max_pixels)


def decode_image(content: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The same from the bytes of a file; `name` is what messages call it."""
    if content.startswith(_PNG_MAGIC):
        check_png(content, name)
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check_size(image.size, name, max_pixels)
            rgb = _to_rgb(image)
    except UnidentifiedImageError as error:
        raise MediaError(_not_an_image(content, name)) from error
    except MemoryError as error:
        raise MediaError(f"{name} needs more memory than is free; make it smaller.") from error
    # Pillow's decoders raise nearly anything for damaged files.
    except (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError) as error:
        raise MediaError(f"{name} is damaged ({error}); restore it from a copy.") from error
    rgb.setflags(write=False)
    return rgb


def image_size(path: Path, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(height, width) of the upright picture, from its header."""
    try:
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            _check_size(image.size, path.name, max_pixels)
            width, height = image.size
            turned = is_on_its_side(image)
    except OSError as error:
        raise MediaError(_not_an_image(_bytes_of(path), path.name)) from error
    except (ValueError, SyntaxError, EOFError, LookupError, TypeError) as error:
        raise MediaError(f"{path.name} is damaged ({error}); restore it from a copy.") from error
    return (width, height) if turned else (height, width)


def is_upright(path: Path) -> bool:
    """Whether other programs see it as it is read here, whether or not they turn by EXIF.

    MediaError when it is no picture.
    """
    try:
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            return _orientation(image) in (0, 1)
    except OSError as error:
        raise MediaError(_not_an_image(_bytes_of(path), path.name)) from error
    except (ValueError, SyntaxError, EOFError, LookupError, TypeError) as error:
        raise MediaError(f"{path.name} is damaged ({error}); restore it from a copy.") from error


def is_on_its_side(image: Image.Image) -> bool:
    """Whether height and width change places when an opened picture is put upright."""
    # Pillow gives the upright size of a TIFF by itself.
    return image.format != "TIFF" and _orientation(image) in (5, 6, 7, 8)


def _orientation(image: Image.Image) -> int:
    """EXIF's, 1 to 8, without decoding: Pillow decodes a whole PNG to see what lies behind it."""
    file = getattr(image, "fp", None)  # of an opened file, which Image does not say
    if image.format == "PNG" and file is not None and "exif" not in image.info:
        late = _late_exif(file)
        if late:
            image.info["exif"] = late
    value = Image.Image.getexif(image).get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _late_exif(file: IO[bytes]) -> bytes:
    """EXIF of a PNG wherever it stands; leaves the file where it was."""
    before = file.tell()
    file.seek(len(_PNG_MAGIC))
    found = b""
    for _ in range(_MAX_PNG_CHUNKS):
        head = file.read(8)
        length = int.from_bytes(head[:4], "big")
        if len(head) < 8 or head[4:] == b"IEND":
            break
        if head[4:] == b"eXIf":
            found = file.read(min(length, _MAX_EXIF))
            break
        file.seek(length + 4, os.SEEK_CUR)
    file.seek(before)
    return found


def natural_order(path: Path) -> tuple[object, ...]:
    """Sort key that puts frame_10 behind frame_9."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return (*((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts), path.name)


class ImageSource:
    """One picture or many, in the order given. `read` decodes each time: nothing is kept.

    The first picture is looked at when the source is made, so that a wrong file is told at once.
    may_change: see SourceInfo.
    """

    def __init__(
        self, paths: Sequence[Path], *, title: str, path: Path, kind: str, may_change: bool = False
    ) -> None:
        self._paths = tuple(paths)
        height, width = image_size(self._paths[0])
        self._info = SourceInfo(
            id=fingerprint.of_file(path) if kind == "image" else fingerprint.of_files(self._paths),
            title=title,
            path=path,
            kind=kind,
            width=width,
            height=height,
            frames=len(self._paths),
            is_complete=True,
            is_verified=True,
            names=tuple(_name(p, path if kind == "sequence" else p.parent) for p in self._paths),
            may_change=may_change,
        )

    @property
    def info(self) -> SourceInfo:
        """Complete from the start."""
        return self._info

    @property
    def paths(self) -> tuple[Path, ...]:
        """The file of each frame."""
        return self._paths

    def time_us(self, index: int) -> int | None:  # noqa: ARG002 - the protocol's name
        """Stills have no time."""
        return None

    def read(self, index: int) -> Frame:
        """Picture `index`; FrameMissing when out of range, damaged or gone."""
        if not 0 <= index < len(self._paths):
            raise FrameMissing(
                f"{self._info.title} has no frame {index}; its frames go from 0 to"
                f" {len(self._paths) - 1}."
            )
        start = time.perf_counter()
        try:
            rgb = read_image(self._paths[index])
        except MediaError as error:
            raise FrameMissing(str(error)) from error
        identity = FrameId(self._info.id, index, None, zlib.crc32(rgb.data))
        return Frame(identity, rgb, (time.perf_counter() - start) * 1000)

    def close(self) -> None:
        """Nothing stays open between reads."""


def _name(path: Path, folder: Path) -> str:
    """As seen from the folder: a pattern or a list may reach into several."""
    if path.parent == folder:
        return path.name
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return str(path)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MediaError(
                f"{path.name} is larger than {MAX_BYTES // 1_000_000_000} GB, which no picture"
                " needs; check that it is one."
            )
        return path.read_bytes()
    except OSError as error:
        raise MediaError(
            f"{path.name} cannot be opened ({error.strerror}); check its name and permissions."
        ) from error


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise MediaError(f"{name} has no pixels ({width}×{height}); export it again.")
    if width * height > max_pixels:
        raise MediaError(
            f"{name} has {width}×{height} pixels, more than the {max_pixels // 1_000_000} million"
            " that are read; make it smaller or cut it into tiles."
        )


def check_png(content: bytes, name: str) -> None:
    """Refuse PNGs whose chunks lie about their length, without decoding anything."""
    at = len(_PNG_MAGIC)
    for _ in range(_MAX_PNG_CHUNKS):
        length = int.from_bytes(content[at : at + 4], "big")
        kind = content[at + 4 : at + 8]
        if at == len(_PNG_MAGIC) and (kind != b"IHDR" or length != 13):
            raise MediaError(f"{name} is damaged (no PNG header); restore it from a copy.")
        if kind == b"IHDR":
            width = int.from_bytes(content[at + 8 : at + 12], "big")
            height = int.from_bytes(content[at + 12 : at + 16], "big")
            _check_size((width, height), name, MAX_PIXELS)
        at += 12 + length
        if kind == b"IEND":
            return
        if at + 8 > len(content):
            raise MediaError(f"{name} is cut off or damaged; restore it from a copy.")
    raise MediaError(f"{name} is damaged (endless chunks); restore it from a copy.")


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Upright RGB. Pillow turns TIFFs while decoding and then forgets the tag: no double turn."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode in _WIDE_MODES:
        grey = _to_8_bit(np.asarray(upright))
        return np.repeat(grey[..., None], 3, axis=2)
    if upright.mode == "F":
        values = np.asarray(upright)
        scale = 255.0 if values.size and values.max() <= 1.0 else 1.0
        grey = np.nan_to_num(values * scale).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if upright.mode in ("P", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")  # also for palettes whose transparency is an entry
    if upright.mode in ("RGBA", "RGBX", "LA", "La", "RGBa"):
        return _without_alpha(upright)
    return np.array(upright.convert("RGB"), np.uint8, order="C")


def _to_8_bit(wide: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The high byte of 16-bit values; 32-bit integers that fit into 16 bits count as such."""
    values = wide.astype(np.int64)
    shift = 8 if values.size == 0 or values.max() <= 0xFFFF else 24
    return (values.clip(0) >> shift).clip(0, 255).astype(np.uint8)


def _without_alpha(image: Image.Image) -> NDArray[np.uint8]:
    """The stored colours, whatever their alpha."""
    straight = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))
    values = np.asarray(straight)
    if straight.mode == "LA":
        return np.repeat(values[..., :1], 3, axis=2)
    return np.ascontiguousarray(values[..., :3])


def _not_an_image(content: bytes, name: str) -> str:
    if not content:
        return f"{name} is empty (0 bytes); restore it from a copy."
    head = content[:512]
    is_text = b"\0" not in head and all(c >= 32 or c in b"\t\n\r\f" for c in head)
    what = "holds text" if is_text else "holds no picture that SegStudio reads"
    return f"{name} {what}, whatever its name says; choose a PNG, JPEG, TIFF, WebP or BMP file."
