"""What a view shall show, and the pixels that show it. Light to import, as `mask_style` is."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.core.feature_map import FeatureMap
from segstudio.core.frame import Frame
from segstudio.core.geometry import Rect
from segstudio.core.map_style import MapStyle
from segstudio.core.mask_style import MaskStyle
from segstudio.core.viewport import ViewTransform


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Pixels for one box of the view. box: device pixels. argb: uint32 (box.height, box.width)."""

    box: Rect
    argb: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a view shall show: always one frame with its own labels.

    labels: uint8 (H, W) of that frame, None when there are none. revision: goes up when somebody
    wrote into `labels`. number: goes up with every frame that is asked to be shown. map: what was
    seen inside the model, drawn over the frame and under the labels.
    """

    frame: Frame
    labels: NDArray[np.uint8] | None
    transform: ViewTransform
    style: MaskStyle
    revision: int = 0
    number: int = 0
    map: FeatureMap | None = None
    map_style: MapStyle = field(default_factory=MapStyle)
