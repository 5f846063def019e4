"""Drawing colour and label with one geometry.

Every call covers exactly the same pixels in the frame and in the labels: nothing is antialiased,
so a pixel's label is the class of the thing whose colour it has.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.media.synthetic.camera import Floats, View, clip_near

Picture = NDArray[np.uint8]
_SHIFT = 4
VEIL_SEEN = 40
"""Opacity 0..255 above which a veil (railing, bare twigs) gives its pixel the label."""


@dataclass(frozen=True, slots=True)
class Texture:
    """A picture to be drawn in perspective, with its halvings.

    levels: uint8 (h, w, 3) RGB each. masks: uint8 (h, w) 0..255 coverage each, or None where
    the whole rectangle is drawn; a pixel is covered from half on. size_m: (height, width) in
    metres. is_veil: the mask is the opacity instead, and labels begin above `VEIL_SEEN`.
    """

    levels: tuple[Picture, ...]
    masks: tuple[Picture, ...] | None
    size_m: tuple[float, float]
    is_veil: bool = False

    @staticmethod
    def of(
        rgb: Picture,
        size_m: tuple[float, float],
        *,
        mask: Picture | None = None,
        veil: bool = False,
    ) -> "Texture":
        """The texture of one picture; halvings down to 8 pixels."""
        levels, masks = [rgb], [mask] if mask is not None else None
        while min(levels[-1].shape[:2]) >= 16 and len(levels) < 6:
            h, w = levels[-1].shape[:2]
            half = (w // 2, h // 2)
            levels.append(picture(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA)))
            if masks is not None:
                small = cv2.resize(masks[-1], half, interpolation=cv2.INTER_AREA)
                masks.append(picture(small) if veil else _decided(small))
        return Texture(
            tuple(levels), tuple(masks) if masks is not None else None, size_m, is_veil=veil
        )

    def level_for(self, pixels: float) -> int:
        """The halving whose height is nearest above `pixels`."""
        level = 0
        while level + 1 < len(self.levels) and self.levels[level + 1].shape[0] >= pixels:
            level += 1
        return level


def picture(made: object) -> Picture:
    """What OpenCV returned, with its type told; no copy of what is uint8 already."""
    return np.asarray(made, np.uint8)


def _decided(cover: object) -> Picture:
    """A smooth cover as yes or no, 255 or 0."""
    return picture(cv2.threshold(picture(cover), 127, 255, cv2.THRESH_BINARY)[1])


class Canvas:
    """A frame and its labels while they are painted, far things first.

    rgb: uint8 (H, W, 3). labels: uint8 (H, W).
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.size = (view.height, view.width)
        self.rgb: Picture = np.zeros((*self.size, 3), np.uint8)
        self.labels: Picture = np.full(self.size, 255, np.uint8)

    def fill(self, pixels: Floats, color: Floats, class_id: int) -> None:
        """A polygon given in pixels (N, 2) as (x, y)."""
        if len(pixels) < 3:
            return
        self.fill_fixed(fixed(pixels), color.tolist(), class_id)

    def fill_fixed(
        self, points: NDArray[np.int32], color: tuple[float, float, float], class_id: int
    ) -> None:
        """The same, given what `fixed` made of the pixels."""
        cv2.fillPoly(self.rgb, [points], color, 8, _SHIFT)
        cv2.fillPoly(self.labels, [points], class_id, 8, _SHIFT)

    def fill_street(self, points: Floats, color: Floats, class_id: int) -> None:
        """A convex polygon given in street coordinates (N, 3)."""
        seen = clip_near(points)
        if len(seen) >= 3:
            self.fill(self.view.project(seen), color, class_id)

    def face(
        self,
        texture: Texture,
        corners: Floats,
        table: Picture,
        class_id: int,
        *,
        span: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        """A texture on a plane; corners (4, 2) pixels: bottom left, bottom right, top right, top
        left. table: uint8 (256, 1, 3), the colour each value becomes. span: which part of the
        texture's width lies between the corners.
        """
        box = self._box(corners)
        if box is None:
            return
        x0, y0, x1, y1 = box
        (ax, ay), (bx, by), (_, cy), (_, ey) = corners.tolist()
        h, w = texture.levels[0].shape[:2]
        tall, wide = max(abs(ey - ay), abs(cy - by)), abs(bx - ax) / (span[1] - span[0])
        # Walls are seen at a slant: between the two scales, blur and shimmer are both small.
        level = texture.level_for(math.sqrt(tall * max(wide, 1.0) * h / w))
        source = texture.levels[level]
        h, w = source.shape[:2]
        u0, u1 = span[0] * w, span[1] * w
        square = np.array([(u0, h), (u1, h), (u1, 0), (u0, 0)], np.float32) - 0.5
        target = (corners - (x0, y0)).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(square, target)
        size = (x1 - x0, y1 - y0)
        is_table_first = h * w < size[0] * size[1]
        source = picture(cv2.LUT(source, table)) if is_table_first else source
        color = cv2.warpPerspective(source, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        color = color if is_table_first else cv2.LUT(color, table)
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(mask, fixed(corners - (x0, y0)), (255,), 8, _SHIFT)
        if texture.masks is not None:
            found = cv2.warpPerspective(
                texture.masks[level], matrix, size, borderMode=cv2.BORDER_REPLICATE
            )
            cover = picture(found) if texture.is_veil else _decided(found)
            mask = picture(cv2.bitwise_and(mask, cover))
        self._put(color, mask, box, class_id, is_veil=texture.is_veil)

    def sprite(
        self,
        texture: Texture,
        foot: tuple[float, float],
        scale: float,
        table: Picture,
        class_id: int,
        *,
        is_mirrored: bool = False,
    ) -> None:
        """An upright cut-out that faces the camera.

        foot: (x, y) in pixels of the middle of its lower edge. scale: pixels per metre.
        """
        tall, wide = texture.size_m[0] * scale, texture.size_m[1] * scale
        left, top = foot[0] - wide / 2, foot[1] - tall
        right = left + wide
        box = self._box(np.array([(left, foot[1]), (right, foot[1]), (right, top), (left, top)]))
        if box is None or texture.masks is None or tall < 1.5:
            return
        x0, y0, x1, y1 = box
        level = texture.level_for(tall)
        source, cover = texture.levels[level], texture.masks[level]
        h, w = source.shape[:2]
        fx, fy = wide / w, tall / h
        matrix = np.array([[fx, 0, left - x0 + fx / 2], [0, fy, top - y0 + fy / 2]])
        if is_mirrored:
            matrix[0] = (-fx, 0, left + wide - x0 - fx / 2)
        size = (x1 - x0, y1 - y0)
        is_table_first = h * w < size[0] * size[1]
        source = picture(cv2.LUT(source, table)) if is_table_first else source
        color = cv2.warpAffine(source, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        color = color if is_table_first else cv2.LUT(color, table)
        found = cv2.warpAffine(cover, matrix, size, borderMode=cv2.BORDER_CONSTANT)
        mask = picture(found) if texture.is_veil else _decided(found)
        self._put(color, mask, box, class_id, is_veil=texture.is_veil)

    def _put(
        self,
        color: object,
        mask: Picture,
        box: tuple[int, int, int, int],
        class_id: int,
        *,
        is_veil: bool,
    ) -> None:
        x0, y0, x1, y1 = box
        under = self.rgb[y0:y1, x0:x1]
        if is_veil:
            opacity = cv2.merge((mask, mask, mask))
            shown = cv2.multiply(picture(color), opacity, scale=1 / 255)
            kept = cv2.multiply(under, cv2.bitwise_not(opacity), scale=1 / 255)
            under[:] = cv2.add(shown, kept)
            mask = picture(cv2.threshold(mask, VEIL_SEEN, 255, cv2.THRESH_BINARY)[1])
        else:
            cv2.copyTo(picture(color), mask, under)
        region = self.labels[y0:y1, x0:x1]
        region[mask > 0] = class_id

    def _box(self, corners: Floats) -> tuple[int, int, int, int] | None:
        """The part of the picture that the corners span: (x0, y0, x1, y1), None when none."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners.tolist()
        x0, y0 = max(int(min(ax, bx, cx, dx)) - 1, 0), max(int(min(ay, by, cy, dy)) - 1, 0)
        x1 = min(int(max(ax, bx, cx, dx)) + 2, self.size[1])
        y1 = min(int(max(ay, by, cy, dy)) + 2, self.size[0])
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def fixed(pixels: Floats) -> NDArray[np.int32]:
    """Pixels as the fixed-point numbers that OpenCV's fills take with shift 4."""
    return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)
