"""How a map of a model's inside is drawn. Light to import, as `mask_style` is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MapStyle:
    """color_map: a name of core.color_maps, for kind "values". is_reversed: its ends swapped.

    opacity: 0..1 over the frame; 1 shows the map alone. is_smooth: bilinear between the middles of
    the cells; otherwise each cell is a flat rectangle. Groups are never smoothed.
    """

    color_map: str = "viridis"
    opacity: float = 0.85
    is_smooth: bool = True
    is_reversed: bool = False
