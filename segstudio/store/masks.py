"""Label rasters as indexed PNG, and pictures as PNG: the one label reader of the program.

A label file holds one byte per pixel that is the class id; its palette is only for looking at it.
Ordinary picture readers turn such a file into colours, so labels never pass through them.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segstudio.atomic import atomic_write
from segstudio.errors import MediaError, SegStudioError

MAX_PIXELS = 200_000_000
"""Larger rasters are refused by their header, before anything is decoded."""

# Both readers look at the size in the header themselves; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None

_INDEX_MODES = ("P", "L", "1")
_WIDE_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")

T = TypeVar("T")


def write_mask(path: Path, labels: NDArray[np.uint8], palette: NDArray[np.uint8] | None) -> None:
    """Write uint8 (H, W) class ids as an 8-bit indexed PNG, whole or not at all.

    palette: uint8 (n ≤ 256, 3) RGB, row = class id (ClassMap.palette()); None writes a grey PNG.
    """
    if labels.dtype != np.uint8 or labels.ndim != 2 or not labels.size:
        raise SegStudioError(
            f"Labels of shape {labels.shape} and type {labels.dtype} cannot be written to"
            f" {path.name}; a label file holds one uint8 class id per pixel."
        )
    image = Image.fromarray(np.ascontiguousarray(labels))
    if palette is not None:
        full = np.zeros((256, 3), np.uint8)
        full[: len(palette)] = palette
        image.putpalette(full.tobytes(), "RGB")
    atomic_write(path, _png(image))


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write uint8 (H, W, 3) RGB as PNG, whole or not at all."""
    atomic_write(path, _png(Image.fromarray(np.ascontiguousarray(rgb))))


def read_mask(path: Path) -> NDArray[np.uint8]:
    """uint8 (H, W), the ids of an indexed, grey or 16-bit PNG (or BMP, TIFF); palettes are ignored.

    MediaError when the file is absent, damaged, lossy (JPEG), in colour, or holds ids above 255.
    """
    return _read(path, lambda image, content: _ids(image, path) // _grey_step(content))


def read_instances(path: Path) -> NDArray[np.int32]:
    """int32 (H, W), the numbers of a 16-bit PNG: Cityscapes' class id × 1000 + instance.

    MediaError when the file is absent, damaged, lossy (JPEG), in colour, or of fewer bits, which
    cannot hold such numbers.
    """
    return _read(path, lambda image, _: _numbers(image, path))


def _read(path: Path, take: Callable[[Image.Image, bytes], T]) -> T:
    """What `take` makes of the opened file and its bytes; MediaError for all that goes wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MediaError(
            f"The label file {path.name} cannot be opened ({error.strerror}); check its name and"
            " permissions."
        ) from error
    try:
        with Image.open(io.BytesIO(content)) as image:
            return take(image, content)
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{path.name} is not a label file; labels are indexed or grey PNG files."
        ) from error
    # Pillow's decoders raise nearly anything for damaged files.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError) as error:
        raise MediaError(
            f"The label file {path.name} is damaged ({error}); restore it from a copy."
        ) from error


def _require_exact(image: Image.Image, path: Path) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"The label file {path.name} has {width}×{height} pixels, more than the"
            f" {MAX_PIXELS // 1_000_000} million that are read; cut it into tiles."
        )
    if image.format not in ("PNG", "BMP", "TIFF"):
        raise MediaError(
            f"{path.name} is a {image.format} file, which cannot hold labels exactly; export the"
            " labels as PNG."
        )


def _numbers(image: Image.Image, path: Path) -> NDArray[np.int32]:
    _require_exact(image, path)
    if image.mode not in _WIDE_MODES:
        raise MediaError(
            f"{path.name} holds {'colours' if image.mode not in _INDEX_MODES else 'too few bits'}"
            f" (mode {image.mode}); an instance file is a grey PNG of 16 bits."
        )
    return np.ascontiguousarray(np.asarray(image), np.int32)


def _ids(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    _require_exact(image, path)
    if image.mode in _WIDE_MODES:
        wide = np.asarray(image)
        if wide.size and (wide.max() > 255 or wide.min() < 0):
            raise MediaError(
                f"The label file {path.name} holds ids up to {wide.max()}; class ids go from 0 to"
                " 255, so export class ids instead of instance ids."
            )
        return np.ascontiguousarray(wide, np.uint8)
    if image.mode not in _INDEX_MODES:
        raise MediaError(
            f"{path.name} holds colours (mode {image.mode}), not class ids; convert it with its"
            " colour table first."
        )
    # Bilevel decodes to bool: False and True are the ids 0 and 1.
    return np.array(image, np.uint8, order="C")


def _grey_step(content: bytes) -> int:
    """What Pillow multiplied the ids by: it spreads 2- and 4-bit grey PNGs over 0..255."""
    is_grey_png = content[:8] == b"\x89PNG\r\n\x1a\n" and content[25:26] == b"\x00"
    return {2: 85, 4: 17}.get(content[24], 1) if is_grey_png else 1


def _png(image: Image.Image) -> bytes:
    """Level 1: 5 times faster than Pillow's default and hardly larger on label maps."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
