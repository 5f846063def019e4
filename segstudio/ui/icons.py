"""Icons: line drawings in resources/icons, tinted with the theme's colours when they are drawn."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QToolButton, QWidget

from segstudio import paths
from segstudio.ui import theme

SIZE = 18
"""Logical pixels of an icon in a button; the drawings use a grid of 24."""


@lru_cache(maxsize=128)
def _drawing(name: str) -> str:
    return (paths.resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def pixmap(name: str, color: str, size: int = SIZE, ratio: float = 1.0) -> QPixmap:
    """The drawing in one colour, `size` logical pixels wide, sharp at that device pixel ratio."""
    side = round(size * ratio)
    picture = QPixmap(side, side)
    picture.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", color).encode()))
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, *, tone: str = "muted", on: str = "text", ratio: float = 1.0) -> QIcon:
    """An icon for a button: `tone` and `on` are names of theme colours (off and checked)."""
    colors = theme.current()
    result = QIcon()
    state, mode = QIcon.State, QIcon.Mode
    off, checked = pixmap(name, getattr(colors, tone), SIZE, ratio), getattr(colors, on)
    result.addPixmap(off, mode.Normal, state.Off)
    result.addPixmap(pixmap(name, checked, SIZE, ratio), mode.Normal, state.On)
    result.addPixmap(pixmap(name, checked, SIZE, ratio), mode.Active, state.Off)
    result.addPixmap(pixmap(name, colors.line_strong, SIZE, ratio), mode.Disabled, state.Off)
    return result


def window_icon() -> QIcon:
    """The program's own icon."""
    return QIcon(str(paths.resources() / "icons" / "segstudio.svg"))


class IconButton(QToolButton):
    """A flat button with a tinted icon that follows the theme.

    Clicking it leaves the keyboard where it was; Tab still reaches it.
    """

    def __init__(
        self,
        name: str,
        tip: str,
        parent: QWidget | None = None,
        *,
        tone: str = "muted",
        on: str = "accent",
    ) -> None:
        super().__init__(parent)
        self._name, self._tone, self._on = name, tone, on
        self.setIconSize(QSize(SIZE, SIZE))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)
        self.setAccessibleName(tip.split("\n")[0])
        self._tint()

    def set_drawing(self, name: str) -> None:
        """Another drawing, as when play becomes pause."""
        if name != self._name:
            self._name = name
            self._tint()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange):
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        ratio = self.devicePixelRatioF()
        self.setIcon(icon(self._name, tone=self._tone, on=self._on, ratio=ratio))
