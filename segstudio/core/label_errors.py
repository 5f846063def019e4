"""Labels that are probably wrong: where a model says another class than a person, and is sure.

Confident learning (Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021, section 3.1), per pixel: another class comes into question where its
probability reaches what the model usually has for that class on pixels that people gave it. Two
things are different with pictures. Pixels are no examples of their own, so they are gathered in
connected regions of one label and one answer, of which enough pixels must reach the threshold: it
is a mean, which half of the pixels of any thing miss. And borders between classes are drawn
differently by everybody, so a region must have a core that lies away from them.

Of the classes that reach their threshold the paper takes the most probable; here only the best
class of a pixel is asked, which is the same but where it misses its threshold and another does not.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.prediction import Logits
from segstudio.core.regions import regions_of_answers
from segstudio.core.suggestion_words import error_reason
from segstudio.core.uncertainty import doubt, enlarged

Labels = NDArray[np.uint8]
Key = TypeVar("Key", bound=Hashable)

LEAST_PROBABILITY = 0.5
"""No threshold is lower, however unsure the model is of a class."""

BORDER = 0.01
"""Of the frame's height: nearer to a border between classes nothing is held against a label. 7 px
of 720, which is how far two people's outlines lie apart."""

LEAST_BORDER = 3
"""Pixels, of small frames."""

LEAST_AREA = 0.0005
"""Of the frame: 460 px of 1280×720."""

CORE = 0.25
"""Of the least area: so many pixels that are sure enough must lie away from borders."""

SURE_ENOUGH = 0.25
"""Of a region: so many of its pixels must reach the threshold."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelError(Generic[Key]):
    """A region that is labelled one class and looks like another.

    rect: around it. pixels: of it. labelled, looks_like: class ids. probability: mean of the class
    it looks like, 0..1. margin: by how much that is above the mean probability of its label.
    score: pixels × margin.
    """

    key: Key
    rect: Rect
    pixels: int
    labelled: int
    looks_like: int
    probability: float
    margin: float
    reason: str

    @property
    def score(self) -> float:
        """Area times margin."""
        return self.pixels * self.margin


@dataclass(frozen=True, slots=True, eq=False)
class _Doubted(Generic[Key]):
    """One frame in which labels come into question. packed: zstd of uint8 (4, H, W): the label, the
    answer, its probability and the label's, 0..255; all 0 where nothing is in question. core:
    zstd of bits, away from borders."""

    key: Key
    shape: tuple[int, int]
    packed: bytes
    core: bytes


class LabelErrors(Generic[Key]):
    """Takes frames one after the other and tells in the end; keeps little of each.

    classes: of labels and answers. probability: one threshold for all classes instead of each
    class's own. border, least_area: shares, as above.
    """

    def __init__(
        self,
        classes: ClassMap,
        *,
        probability: float | None = None,
        border: float = BORDER,
        least_area: float = LEAST_AREA,
    ) -> None:
        self._classes = classes
        self._probability = probability
        self._border = border
        self._least_area = least_area
        self._sums = np.zeros(256)
        self._counts = np.zeros(256, np.int64)
        self._frames: list[_Doubted[Key]] = []

    def add(
        self,
        key: Key,
        labels: Labels,
        by_people: NDArray[np.bool_],
        answer: Labels,
        logits: Logits,
        ids: Labels,
    ) -> None:
        """One frame, all (H, W): labels, which of them people made, and the model's answer.

        ids: uint8 (C,), the class id of each channel. Classes outside the set count as void.
        """
        known = np.full(256, VOID, np.uint8)
        for each in self._classes.classes:
            known[each.id] = each.id
        labels, answer = known[labels], known[answer]
        asked = by_people & (labels != VOID)
        own = _own_probability(logits, ids, labels)
        some = (slice(None, None, 2), slice(None, None, 2))  # a quarter is enough for a mean
        said, sure_of_it = labels[some][asked[some]], own[some][asked[some]]
        self._counts += np.bincount(said, minlength=256)
        self._sums += np.bincount(said, weights=sure_of_it, minlength=256)
        doubted = asked & (answer != labels) & (answer != VOID)
        if not doubted.any():
            return
        sure = enlarged(1 - doubt(logits), logits)
        doubted &= sure >= round(255 * LEAST_PROBABILITY)
        planes = np.stack((labels, answer, sure, own))
        planes *= doubted
        core = np.packbits(doubted & self._is_inner(labels, answer))
        pack = zstandard.ZstdCompressor(level=1).compress
        shape = (labels.shape[0], labels.shape[1])
        self._frames.append(_Doubted(key, shape, pack(planes.tobytes()), pack(core.tobytes())))

    def thresholds(self) -> NDArray[np.float64]:
        """float (256,): the mean probability that the model gives a class where people gave it.

        A class that nobody gave has the mean of all pixels.
        """
        if self._probability is not None:
            return np.full(256, self._probability)
        means = np.full(256, self._sums.sum() / max(1, self._counts.sum()) / 255)
        has = self._counts > 0
        means[has] = self._sums[has] / self._counts[has] / 255
        return np.asarray(np.maximum(means, LEAST_PROBABILITY), np.float64)

    def found(self, n: int | None = None) -> list[LabelError[Key]]:
        """The n regions that weigh most, the worst first; of equal ones those that came first."""
        least = np.ceil(255 * self.thresholds() - 0.5)
        errors = [error for frame in self._frames for error in self._in_frame(frame, least)]
        errors.sort(key=lambda e: -e.score)
        return errors[:n]

    def _in_frame(self, frame: _Doubted[Key], least: NDArray[np.float64]) -> list[LabelError[Key]]:
        height, width = frame.shape
        unpack = zstandard.ZstdDecompressor().decompress
        planes = np.frombuffer(unpack(frame.packed), np.uint8).reshape(4, height, width)
        bits = np.unpackbits(np.frombuffer(unpack(frame.core), np.uint8), count=height * width)
        core = bits.reshape(height, width) > 0
        labels, answer, sure, own = planes
        reaches = sure >= least[answer]
        found = []
        least_pixels = max(1, round(self._least_area * height * width))
        for area in regions_of_answers([labels, answer], sure > 0, least_pixels):
            inside = area.rect.slices
            pixels, is_sure = int(np.count_nonzero(area.mask)), reaches[inside] & area.mask
            if (
                np.count_nonzero(is_sure & core[inside]) < CORE * least_pixels
                or np.count_nonzero(is_sure) < SURE_ENOUGH * pixels
            ):
                continue
            first = np.unravel_index(int(area.mask.argmax()), area.mask.shape)
            labelled, looks_like = (int(p[inside][first]) for p in (labels, answer))
            probability = float(sure[inside][area.mask].mean()) / 255
            margin = probability - float(own[inside][area.mask].mean()) / 255
            names = (self._classes.name_of(labelled), self._classes.name_of(looks_like))
            found.append(
                LabelError(
                    frame.key, area.rect, pixels, labelled, looks_like, probability, margin,
                    error_reason(pixels, *names, probability),
                )
            )  # fmt: skip
        return found

    def _is_inner(self, labels: Labels, answer: Labels) -> NDArray[np.bool_]:
        """bool (H, W): no other label and no other answer within the border's width."""
        inner = np.ones(labels.shape, np.uint8)
        for plane in (labels, answer):
            across, down = plane[:, 1:] != plane[:, :-1], plane[1:] != plane[:-1]
            inner[:, 1:][across] = 0
            inner[:, :-1][across] = 0
            inner[1:][down] = 0
            inner[:-1][down] = 0
        width = max(LEAST_BORDER, round(self._border * labels.shape[0]))
        if inner.all():
            return np.ones(labels.shape, np.bool_)
        away = np.asarray(cv2.distanceTransform(inner, cv2.DIST_L2, 3))
        return np.asarray(away >= width)


def _own_probability(logits: Logits, ids: Labels, labels: Labels) -> Labels:
    """uint8 (H, W), 0..255 = 0..1: the probability of the label of each pixel, that of the nearest
    cell; 0 for labels that the model does not know."""
    values = logits.values
    _, h, w = values.shape
    odds = np.exp(values - values.max(axis=0))
    odds /= odds.sum(axis=0)
    known = np.unique(ids[ids != VOID])
    by_class = np.zeros((len(known) + 1, h, w), np.uint8)  # the last: of no class
    row_of = np.full(256, len(known), np.intp)
    for row, class_id in enumerate(known):
        row_of[class_id] = row
        total = odds[ids == class_id].sum(axis=0)
        by_class[row] = np.rint(255 * np.minimum(total, 1))
    rows, cols = (
        np.minimum((np.arange(full) + 0.5) * cells / full, cells - 1).astype(np.intp)
        for full, cells in zip(labels.shape, (h, w), strict=True)
    )
    found: Labels = by_class[row_of[labels], rows[:, None], cols[None, :]]
    return found
