"""Label rasters in the forms that other programs use: indices, 16-bit numbers, colours.

Written with ISA-L's deflate: a 1920×1080 label map takes 0.3 ms, and as many bytes as zlib's level
1 needs 19 ms for. Read by the header first: size and chunks are checked before anything is decoded.
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segstudio.errors import FormatError, MediaError
from segstudio.media.images import check_png

MAX_PIXELS = 200_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_FORMATS = ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP")
_LOSSLESS = ("PNG", "BMP", "TIFF", "GIF")
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I")


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A decoded label file. values: (H, W) uint8 or int32 numbers, or uint8 (H, W, 3 or 4) colours.

    palette: uint8 (n, 3) RGB by index, where the file has one. is_lossy: JPEG or WebP, which invent
    values along every edge.
    """

    values: NDArray[np.uint8] | NDArray[np.int32]
    palette: NDArray[np.uint8] | None = None
    is_lossy: bool = False

    @property
    def is_colors(self) -> bool:
        """True for (H, W, 3 or 4)."""
        return self.values.ndim == 3

    def rgb(self) -> NDArray[np.uint8]:
        """uint8 (H, W, 3): the colours as a person sees them, by the palette where there is one."""
        if self.is_colors:
            return np.ascontiguousarray(self.values[..., :3], np.uint8)
        if self.palette is None:
            grey = self.values.astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
        table = np.zeros((256, 3), np.uint8)
        table[: len(self.palette)] = self.palette
        colors: NDArray[np.uint8] = table[self.values]
        return colors


def decode(content: bytes, name: str) -> Raster:
    """A label file's bytes; `name` is what messages call it.

    FormatError when it is no picture, damaged, or has more than MAX_PIXELS.
    """
    try:
        if content[:8] == _PNG:
            check_png(content, name)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS or not width * height:
                raise FormatError(
                    f"{name} says it has {width}×{height} pixels, and up to"
                    f" {MAX_PIXELS // 1_000_000} million are read; cut it into tiles."
                )
            return _raster(image, content)
    except MediaError as error:
        raise FormatError(str(error)) from error
    except UnidentifiedImageError as error:
        raise FormatError(f"{name} is no picture; label files are PNG files.") from error
    # Pillow's decoders raise nearly anything for damaged files.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError,
            OverflowError, MemoryError, struct.error, zlib.error) as error:  # fmt: skip
        raise FormatError(f"{name} is damaged ({error}); restore it from a copy.") from error


def _raster(image: Image.Image, content: bytes) -> Raster:
    is_lossy = image.format not in _LOSSLESS
    image.load()
    if image.mode in _WIDE:
        return Raster(np.ascontiguousarray(np.asarray(image), np.int32), None, is_lossy)
    if image.mode == "P":
        raw = image.getpalette("RGB") or []
        palette = np.array(raw, np.uint8).reshape(-1, 3)
        return Raster(np.array(image, np.uint8, order="C"), palette, is_lossy)
    if image.mode in ("L", "1"):
        grey = np.array(image, np.uint8, order="C")
        return Raster(grey // _grey_step(content), None, is_lossy)
    if image.mode == "LA":
        return Raster(np.ascontiguousarray(np.asarray(image)[..., 0]), None, is_lossy)
    mode = "RGBA" if image.mode in ("RGBA", "PA", "RGBa") else "RGB"
    return Raster(np.array(image.convert(mode), np.uint8, order="C"), None, is_lossy)


def _grey_step(content: bytes) -> int:
    """What Pillow multiplied the values by: it spreads 2- and 4-bit grey PNGs over 0..255."""
    is_grey = content[:8] == _PNG and content[25:26] == b"\x00"
    return {2: 85, 4: 17}.get(content[24], 1) if is_grey else 1


def encode_indices(labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """An 8-bit palette PNG of uint8 (H, W). palette: uint8 (n <= 256, 3) RGB, row = index."""
    full = np.zeros((256, 3), np.uint8)
    full[: len(palette)] = palette
    return _png(labels, 8, 3, [(b"PLTE", full.tobytes())])


def encode_grey(labels: NDArray[np.uint8]) -> bytes:
    """An 8-bit grey PNG of uint8 (H, W)."""
    return _png(labels, 8, 0)


def encode_wide(numbers: NDArray[np.uint16]) -> bytes:
    """A 16-bit grey PNG of uint16 (H, W)."""
    big = numbers.astype(">u2")
    return _png(np.ascontiguousarray(big).view(np.uint8).reshape(numbers.shape[0], -1), 16, 0,
                width=numbers.shape[1])  # fmt: skip


def encode_colors(colors: NDArray[np.uint8]) -> bytes:
    """A PNG of uint8 (H, W, 3) RGB or (H, W, 4) RGBA."""
    height, width, channels = colors.shape
    rows = np.ascontiguousarray(colors).reshape(height, -1)
    return _png(rows, 8, 2 if channels == 3 else 6, width=width)


def _png(
    rows: NDArray[np.uint8],
    bits: int,
    kind: int,
    chunks: list[tuple[bytes, bytes]] | None = None,
    *,
    width: int = 0,
) -> bytes:
    """rows: uint8 (H, bytes a row). kind: PNG's colour type. width: in pixels, where bytes differ.

    Every row has filter 0: label maps are runs of equal bytes, which differences do not shorten.
    """
    height, length = rows.shape
    if rows.dtype != np.uint8 or not height or not length:
        raise ValueError(f"rows of shape {rows.shape} and type {rows.dtype}")
    filtered = np.zeros((height, length + 1), np.uint8)
    filtered[:, 1:] = rows
    header = struct.pack(">IIBBBBB", width or length, height, bits, kind, 0, 0, 0)
    body = isal_zlib.compress(filtered.data, 1)
    parts = [(b"IHDR", header), *(chunks or []), (b"IDAT", body), (b"IEND", b"")]
    return _PNG + b"".join(
        struct.pack(">I", len(content)) + kind + content
        + struct.pack(">I", isal_zlib.crc32(content, isal_zlib.crc32(kind)))
        for kind, content in parts
    )  # fmt: skip
