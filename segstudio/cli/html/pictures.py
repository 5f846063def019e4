"""The frames that went worst, as small pictures inside the page."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segstudio.core.classes import ClassMap
from segstudio.core.confusion import positions

Labels = NDArray[np.uint8]
Picture = NDArray[np.uint8]

WIDTH = 360
"""Pixels across; smaller frames stay as they are."""

_OPACITY = 0.6
_WRONG = (232, 59, 59)
_VOID = (120, 130, 150)


@dataclass(frozen=True, slots=True, eq=False)
class WorstFrame:
    """miou: mean over models of the frame's own, 0..1. mious: of each. rgb: uint8 (H, W, 3).

    reference, answers: uint8 (H, W), ids of the labels' class set.
    """

    file: str
    miou: float
    mious: Mapping[str, float]
    rgb: Picture
    reference: Labels
    answers: Mapping[str, Labels]


class WorstFrames:
    """Keeps the few frames that the models did worst on, however many come."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._frames: list[WorstFrame] = []

    def offer(
        self,
        file: str,
        rgb: Picture,
        reference: Labels,
        answers: Mapping[str, Labels],
        mious: Mapping[str, float],
    ) -> None:
        """A frame and how each model did; one without any class says nothing."""
        known = [value for value in mious.values() if value == value]
        if not known or not self._keep:
            return
        mean = sum(known) / len(known)
        if len(self._frames) == self._keep and mean >= self._frames[-1].miou:
            return
        self._frames.append(WorstFrame(file, mean, mious, rgb, reference, answers))
        self._frames.sort(key=lambda one: one.miou)
        del self._frames[self._keep :]

    @property
    def frames(self) -> list[WorstFrame]:
        """Worst first."""
        return list(self._frames)


def overlay(rgb: Picture, labels: Labels, classes: ClassMap) -> Picture:
    """uint8 (H, W, 3): the classes' colours over the frame; void leaves it as it is."""
    known = positions(classes) != 255
    painted = classes.palette()[labels].astype(np.float32)
    weight = np.where(known[labels], _OPACITY, 0.0).astype(np.float32)[..., None]
    return _bytes(rgb * (1 - weight) + painted * weight)


def errors(rgb: Picture, reference: Labels, labels: Labels, classes: ClassMap) -> Picture:
    """uint8 (H, W, 3): the frame in pale grey, wrong pixels red, void reference bluish."""
    grey = rgb.mean(2, dtype=np.float32, keepdims=True).repeat(3, 2) * 0.45 + 130
    judged = positions(classes)[reference] != 255
    wrong = judged & (reference != labels)
    for area, ink, weight in ((wrong, _WRONG, 0.85), (~judged, _VOID, 0.6)):
        grey[area] = grey[area] * (1 - weight) + np.array(ink, np.float32) * weight
    return _bytes(grey)


def data_uri(picture: Picture) -> str:
    """A JPEG inside an address, at most WIDTH pixels wide."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.width > WIDTH:
        height = max(1, round(image.height * WIDTH / image.width))
        image = image.resize((WIDTH, height), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _bytes(values: NDArray[np.float32]) -> Picture:
    rounded: Picture = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return rounded
