"""How a map is coloured and laid over the frame."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from segstudio.core.map_style import MapStyle
from segstudio.ui.panels.inside.views import titled
from segstudio.ui.panels.parts import Picker, Segments, Slider, label, row
from segstudio.ui.theme import UNIT, tabular

SWATCH = QSize(56, 12)

CELLS = (
    ("smooth", "Smooth", "Between the middles of the cells"),
    ("cells", "Cells", "Every cell of the layer as it is: a flat rectangle"),
)


@lru_cache(maxsize=64)
def ramp(name: str, *, is_reversed: bool) -> QImage:
    """RGB32 of 256 × 1 pixels: a colour map from its low end to its high one."""
    from segstudio.core.color_maps import table

    colors = np.ascontiguousarray(table(name)[:: -1 if is_reversed else 1])
    image = QImage(colors.data, len(colors), 1, 3 * len(colors), QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)  # a copy with memory of its own


def swatch(name: str, *, is_reversed: bool, ratio: float) -> QIcon:
    """A colour map as a small bar with round ends."""
    picture = QPixmap(SWATCH * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(0, 0, SWATCH.width(), SWATCH.height(), 3, 3)
    painter.setClipPath(path)
    image = ramp(name, is_reversed=is_reversed)
    painter.drawImage(QPixmap(SWATCH).rect(), image)
    painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # not tinted in an open list
    return icon


def checkbox(text: str, tip: str, told: Callable[[bool], None]) -> QCheckBox:
    """A check box that leaves the keyboard where it was."""
    box = QCheckBox(text)
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    box.toggled.connect(told)
    return box


def set_quietly(box: QCheckBox, *, on: bool) -> None:
    """Follow without telling."""
    box.blockSignals(True)
    box.setChecked(on)
    box.blockSignals(False)


class StyleControls(QWidget):
    """Colours, opacity, cells, and whether masks lie over the map."""

    def __init__(
        self, changed: Callable[[MapStyle], None], labels_shown: Callable[[bool], None]
    ) -> None:
        super().__init__()
        self._style = MapStyle()
        self._changed = changed
        self._drawn: tuple[bool, float] | None = None
        self._map = Picker("Colour map", lambda v: self._change(color_map=v))
        self._map.setIconSize(SWATCH)
        self._reversed = checkbox(
            "Reversed", "Low numbers get the colours of high ones",
            lambda on: self._change(is_reversed=on),
        )  # fmt: skip
        self._opacity = Slider("Opacity of the map")
        self._opacity.setRange(0, 100)
        self._opacity.setToolTip("From a tint over the frame to the map alone")
        self._opacity.valueChanged.connect(lambda v: self._change(opacity=v / 100))
        self._percent = label(tone="muted")
        self._percent.setFont(tabular(self._percent.font()))
        self._percent.setFixedWidth(44)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._cells = Segments(CELLS, lambda v: self._change(is_smooth=v == "smooth"))
        self._labels = checkbox("Masks over it", "Masks stay visible on the map", labels_shown)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        self._colors = titled("Colour map", self._map)
        column.addWidget(self._colors)
        column.addWidget(titled("Opacity", self._opacity, self._percent))
        self._drawing = titled("Drawn", self._cells)
        column.addWidget(self._drawing)
        column.addLayout(row(self._reversed, self._labels, 1, spacing=2 * UNIT))

    def show_style(
        self, style: MapStyle, *, shows_labels: bool, has_ramp: bool, is_flat: bool
    ) -> None:
        """Follow. has_ramp: what is shown has numbers, which a colour map paints. is_flat: it is
        never smoothed.
        """
        from segstudio.core.color_maps import COLOR_MAPS

        self._style = style
        self._map.fill(list(COLOR_MAPS.items()), style.color_map)
        drawn = (style.is_reversed, self.devicePixelRatioF())
        if drawn != self._drawn:
            self._drawn = drawn
            for line, name in enumerate(COLOR_MAPS):
                icon = swatch(name, is_reversed=style.is_reversed, ratio=drawn[1])
                self._map.setItemIcon(line, icon)
        self._drawing.setVisible(not is_flat)
        self._colors.setVisible(has_ramp)
        self._reversed.setVisible(has_ramp)
        percent = round(100 * style.opacity)
        self._opacity.blockSignals(True)
        self._opacity.setValue(percent)
        self._opacity.blockSignals(False)
        self._percent.setText("Alone" if percent == 100 else f"{percent} %")
        self._cells.show_value("smooth" if style.is_smooth else "cells")
        set_quietly(self._reversed, on=style.is_reversed)
        set_quietly(self._labels, on=shows_labels)

    def _change(self, **fields: object) -> None:
        self._changed(replace(self._style, **fields))  # type: ignore[arg-type]  # its fields
        self._cells.show_value("smooth" if self._style.is_smooth else "cells")
