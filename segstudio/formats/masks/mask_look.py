"""What label files look like: numbers or colours, which of them, and with which palette."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import SegStudioError
from segstudio.formats.files.source import Source
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import Color
from segstudio.formats.masks.rasters import Raster

NUMBERS, WIDE, COLORS, PICTURE = "numbers", "wide", "colors", "picture"

_MOST_PIXELS = 250_000
"""Of a file that are looked at: every n-th row of larger ones."""

_MANY = 100
"""Values of one file: few labels have as many, nearly every photograph has more."""

_ROUGH = 0.4
"""Share of neighbours that differ. Of CamVid's labels 2 % do, of its pictures 90 %."""

_MOST_COLORS = 4096


@dataclass(slots=True)
class Look:
    """Of a sample of files. coding: NUMBERS, WIDE (above 255), COLORS, or PICTURE (no labels).

    values: number → pixels. colors: colour → pixels: of the files, or of their palette.
    palette: number → its colour, where the files have one. files: how many were decoded.
    """

    coding: str
    values: Counter[int] = field(default_factory=Counter)
    colors: Counter[Color] = field(default_factory=Counter)
    palette: dict[int, Color] = field(default_factory=dict)
    files: int = 0

    @property
    def pixels(self) -> int:
        """How many were looked at."""
        return (self.values or self.colors).total()


def look_at(
    source: Source, files: Sequence[PurePosixPath], most: int, *, is_named: bool = False
) -> Look | None:
    """A look at up to `most` of the files, spread over all; None when none can be read.

    What most of them are is what they are; the others do not count. is_named: their names say that
    they are labels, so that they may be as rough as photographs.
    """
    roughest = 1.0 if is_named else _ROUGH
    count = min(most, len(files))
    places = [i * (len(files) - 1) // max(count - 1, 1) for i in range(count)]
    looks = [look for i in places if (look := _look(source, files[i], roughest)) is not None]
    if not looks:
        return None
    coding = Counter(look.coding for look in looks).most_common(1)[0][0]
    whole = Look(coding)
    for look in looks:
        if look.coding == coding:
            whole.values += look.values
            whole.colors += look.colors
            whole.palette |= look.palette
            whole.files += 1
    return whole


def _look(source: Source, file: PurePosixPath, roughest: float) -> Look | None:
    try:
        raster = rasters.decode(source.read(file), str(file))
    except SegStudioError:
        return None
    values = raster.values[:: max(1, raster.values[..., :1].size // _MOST_PIXELS)]
    if raster.is_lossy:
        return Look(PICTURE, files=1)
    if raster.is_colors and not _is_grey(values):
        return _of_colors(values.astype(np.uint8), roughest)
    return _of_numbers(values[..., 0] if raster.is_colors else values, raster, roughest)


def _is_grey(colors: NDArray[np.uint8] | NDArray[np.int32]) -> bool:
    """Three equal channels."""
    first = colors[..., 0]
    return bool((colors[..., 1] == first).all() and (colors[..., 2] == first).all())


def _of_colors(rgb: NDArray[np.uint8], roughest: float) -> Look:
    code = rgb[..., :3].astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    known, counts = np.unique(code, return_counts=True)
    if len(known) > _MOST_COLORS or (len(known) > _MANY and _roughness(code) > roughest):
        return Look(PICTURE, files=1)
    colors = Counter(
        {
            (int(c) >> 16, int(c) >> 8 & 255, int(c) & 255): int(n)
            for c, n in zip(known, counts, strict=True)
        }
    )
    return Look(COLORS, colors=colors, files=1)


def _of_numbers(
    numbers: NDArray[np.uint8] | NDArray[np.int32], raster: Raster, roughest: float
) -> Look:
    known, counts = np.unique(numbers, return_counts=True)
    values = Counter({int(v): int(n) for v, n in zip(known, counts, strict=True)})
    if int(known[-1]) > 255:
        # Pictures of 16 bits have nearly as many values as pixels.
        return Look(PICTURE if _roughness(numbers) > roughest else WIDE, values, files=1)
    if len(known) > _MANY and _roughness(numbers) > roughest:
        return Look(PICTURE, files=1)
    palette: dict[int, Color] = {}
    if raster.palette is not None:
        rows = [tuple(int(c) for c in row) for row in raster.palette]
        palette = {v: (r, g, b) for v in values if 0 <= v < len(rows) for r, g, b in [rows[v]]}
    colors: Counter[Color] = Counter()
    for value, color in palette.items():
        colors[color] += values[value]
    return Look(NUMBERS, values, colors, palette, 1)


def _roughness(values: NDArray[np.generic]) -> float:
    """Share of horizontal neighbours that differ."""
    if values.shape[1] < 2:
        return 0.0
    return float(np.count_nonzero(values[:, 1:] != values[:, :-1]) / values[:, 1:].size)
