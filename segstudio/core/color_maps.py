"""Colour maps whose steps look even, and colours for groups.

The tables are files that lie in the folder of pyqtgraph, which the program needs anyway; they are
read without importing it. viridis, inferno and cividis are CC0 (van der Walt, Smith, Firing;
Nuñez, Anderton, Renslow, "Optimizing colormaps with consideration for color vision deficiency",
2018). The others are Peter Kovesi's, CC BY 4.0 ("Good Colour Maps: How to Design Them",
arXiv:1509.03700). The package colorcet has the latter too, but its import takes 0.9 s and brings
matplotlib with it wherever that is installed.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.core.palettes import OKABE_ITO
from segstudio.errors import UnknownName

COLOR_MAPS = {
    "viridis": "Viridis",
    "inferno": "Inferno",
    "cividis": "Cividis (the same for colour-blind eyes)",
    "fire": "Fire",
    "ice": "Ice",
    "grey": "Grey",
    "blue-red": "Blue, white, red (for signed numbers)",
    "blue-black-red": "Blue, black, red (for signed numbers)",
}
"""Name → title."""

DIVERGING = frozenset({"blue-red", "blue-black-red"})
"""Those with two sides: their middle, between entries 127 and 128, stands for zero."""

_FILES = {
    "fire": "CET-L3",
    "ice": "CET-L6",
    "grey": "CET-L1",
    "blue-red": "CET-D1",
    "blue-black-red": "CET-D4",
}
"""Where the file is called otherwise than the map."""

SEGMENT_COLORS: NDArray[np.uint8] = np.array(
    [
        *OKABE_ITO[:-1],
        (136, 0, 255),
        (85, 34, 0),
        (51, 51, 68),
        (204, 255, 170),
        (0, 255, 221),
    ],
    np.uint8,
)
"""uint8 (12, 3), read-only: of groups 0, 1, …; `palettes.safe_colors(12)`, without its search."""
SEGMENT_COLORS.setflags(write=False)


@cache
def table(name: str) -> NDArray[np.uint8]:
    """uint8 (256, 3), read-only: the colours r, g, b of one map. UnknownName without that map."""
    if name not in COLOR_MAPS:
        raise UnknownName(
            f"There is no colour map '{name}'; choose one of {', '.join(COLOR_MAPS)}."
        )
    spec = find_spec("pyqtgraph")
    if spec is None or spec.origin is None:
        raise UnknownName("The colour maps are missing; install pyqtgraph again.")
    file = Path(spec.origin).parent / "colors" / "maps" / f"{_FILES.get(name, name)}.csv"
    shares = np.loadtxt(file, delimiter=",", comments=";")
    colors = np.rint(shares * 255).astype(np.uint8)
    colors.setflags(write=False)
    return colors
