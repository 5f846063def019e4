"""Some pixels of a raster: what tools paint with and polygons become."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect


@dataclass(slots=True, eq=False)
class Area:
    """Some pixels of a raster. mask: bool (rect.height, rect.width), True where covered.

    stencil: uint8 (2, height, width), the mask for two planes at once, 1 where covered; contiguous.
    Only of shapes that a hand repeats; their masks are shared, so they cannot be written.
    Not frozen, for a frozen one takes a brush three times as long to make; leave the fields alone.
    """

    rect: Rect
    mask: NDArray[np.bool_]
    stencil: NDArray[np.uint8] | None = None
