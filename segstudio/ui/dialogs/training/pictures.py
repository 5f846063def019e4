"""Held-out frames as the newest weights see them, each beside what is right."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from segstudio.core.classes import ClassMap
from segstudio.errors import SegStudioError
from segstudio.ui import theme
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.theme import UNIT
from segstudio.ui.training.run_record import Picture

WAITING = "They appear with the first validation."
MOST = 3
WIDE = 480
"""Device pixels across of a kept picture: enough for a screen of double density."""

OPACITY = 0.62

Painted = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Reference and prediction over the frame, uint8 (h, w, 3) each."""


class HeldOut(QWidget):
    """Up to three of them beside each other. UI thread only; files are read by a job."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._shown: tuple[Picture, ...] = ()
        self._cells = [_Pair() for _ in range(MOST)]
        self._cells[0].clear(WAITING)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(UNIT + 4)
        for cell in self._cells:
            box.addWidget(cell)

    def show_pictures(self, pictures: Sequence[Picture], classes: ClassMap) -> None:
        """The old ones stay until the new ones are read."""
        wanted = tuple(pictures[:MOST])
        if wanted == self._shown:
            return
        self._shown = wanted
        for number, cell in enumerate(self._cells):
            if number >= len(wanted):
                cell.clear(WAITING if not wanted and number == 0 else "")
                continue
            self._background.run(
                partial(_read, wanted[number], classes),
                success=partial(self._show, number, wanted[number]),
                failure=partial(self._fail, number, wanted[number]),
                name="held-out",
            )

    @property
    def count(self) -> int:
        """Frames that are on the screen."""
        return sum(cell.is_filled for cell in self._cells)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """No higher than the pictures are at this width."""
        wide = (self.width() - (MOST - 1) * (UNIT + 4)) / MOST
        self.setMaximumHeight(max(96, round(wide / self._cells[0].aspect)))

    def _show(self, number: int, picture: Picture, painted: Painted) -> None:
        if number < len(self._shown) and self._shown[number] == picture:
            self._cells[number].show_pair(picture.frame.stem, painted)
            self._fit()

    def _fail(self, number: int, picture: Picture, error: Exception) -> None:
        if number < len(self._shown) and self._shown[number] == picture:
            why = str(error) if isinstance(error, SegStudioError) else type(error).__name__
            self._cells[number].clear(f"{picture.frame.stem} cannot be shown.", why)


def _read(picture: Picture, classes: ClassMap, _job: Job) -> Painted:
    """Any thread."""
    from segstudio.media.images import read_image
    from segstudio.store.masks import read_mask

    rgb, truth, said = (
        read_image(picture.frame), read_mask(picture.labels), read_mask(picture.prediction)
    )  # fmt: skip
    palette = classes.palette()
    return _over(rgb, truth, palette), _over(rgb, said, palette)


def _over(
    rgb: NDArray[np.uint8], labels: NDArray[np.uint8], palette: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """uint8 (h, w, 3), small: classes in their colours over the frame, void left as it is."""
    step = max(1, rgb.shape[1] // WIDE)
    small = rgb[::step, ::step]
    rows = np.arange(small.shape[0]) * labels.shape[0] // small.shape[0]
    columns = np.arange(small.shape[1]) * labels.shape[1] // small.shape[1]
    ids = labels[rows[:, None], columns]
    share = np.where(ids == 255, 0.0, OPACITY)[..., None]
    mixed = small * (1 - share) + palette[ids] * share
    return np.ascontiguousarray(mixed.astype(np.uint8))


class _Pair(QWidget):
    """Reference on the left, prediction on the right, their names in the corners."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._images: tuple[QImage, ...] = ()
        self._text = ""
        self.clear()

    @property
    def is_filled(self) -> bool:
        """There is a frame."""
        return bool(self._images)

    @property
    def aspect(self) -> float:
        """Width of both by their height; of 4 : 3 pictures before there is one."""
        if not self._images:
            return 8 / 3
        return 2 * self._images[0].width() / max(1, self._images[0].height())

    def sizeHint(self) -> QSize:
        return QSize(280, 130)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 96)

    def clear(self, text: str = "", tip: str = "") -> None:
        """Nothing, or a word why."""
        self._images, self._text = (), text
        self.setToolTip(tip)
        self.setAccessibleName(text or "No held-out frame yet")
        self.update()

    def show_pair(self, name: str, painted: Painted) -> None:
        """Two pictures of one frame."""
        self._images = tuple(_image(part) for part in painted)
        self._text = name
        self.setToolTip(f"{name}\nLeft: the labels. Right: what the model says now")
        self.setAccessibleName(f"Held-out frame {name}: labels on the left, prediction right")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        colors = theme.current()
        if not self._images:
            painter.setPen(QPen(QColor(colors.line), 1))
            painter.setBrush(QColor(colors.raised))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            painter.setPen(QColor(colors.faint))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(UNIT, 0, -UNIT, 0), flags, self._text)
            painter.end()
            return
        area = self._area()
        clip = QPainterPath()
        clip.addRoundedRect(area, 6, 6)
        painter.setClipPath(clip)
        half = (area.width() - 2) / 2
        for number, (image, title) in enumerate(
            zip(self._images, ("Labels", "Model"), strict=True)
        ):
            place = QRectF(area.left() + number * (half + 2), area.top(), half, area.height())
            painter.drawImage(place, image)
            self._name(painter, title, place)
        painter.end()

    def _area(self) -> QRectF:
        """Where both fit beside each other, in the middle."""
        high, wide = self._images[0].height(), 2 * self._images[0].width()
        scale = min(self.width() / wide, self.height() / high)
        size = QRectF(0, 0, wide * scale, high * scale)
        size.moveCenter(QRectF(self.rect()).center())
        size.moveTop(0)
        return size

    def _name(self, painter: QPainter, title: str, place: QRectF) -> None:
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        wide = painter.fontMetrics().horizontalAdvance(title) + 12
        box = QRectF(place.left() + 6, place.top() + 6, wide, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*theme.VEIL))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(theme.VEIL_TEXT))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)


def _image(rgb: NDArray[np.uint8]) -> QImage:
    height, width = rgb.shape[:2]
    return QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
