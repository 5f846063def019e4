"""How unsure a model is of each cell of its answer: 0 (sure) to 1.

Everything is taken at the net's own stride and enlarged afterwards as the net's labels are, so that
it costs one resize instead of one per class; between two cells of different classes it is therefore
a mean of both. Answers are gone through in strips that fit the processor's cache: three times
faster at full size than with whole planes.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.feature_map import Lattice
from segstudio.core.look import Measure
from segstudio.core.prediction import Logits

Floats = NDArray[np.float32]

STRIP = 16384
"""Cells at a time."""

_FLOOR = -80.0
"""exp(-80) is nothing beside 1, and still a number that can be multiplied."""


def entropy(logits: Logits) -> Floats:
    """float32 (h, w): entropy of the probabilities over that of equal ones; 0 for a single class.

    1: all classes are alike.
    """
    count = len(logits.values)

    def of(strip: Floats) -> Floats:
        lag = np.maximum(strip - strip.max(axis=0), _FLOOR)
        odds = _exp(lag)
        total = odds.sum(axis=0)
        np.multiply(odds, lag, out=odds)
        return np.asarray((np.log(total) - odds.sum(axis=0) / total) / np.log(count), np.float32)

    return _over_cells(logits, of) if count > 1 else _sure(logits)


def margin(logits: Logits) -> Floats:
    """float32 (h, w): 1 minus the lead of the best class's probability over the second's."""

    def of(strip: Floats) -> Floats:
        best = np.maximum(strip[0], strip[1])
        second = np.minimum(strip[0], strip[1])
        for plane in strip[2:]:
            np.maximum(second, np.minimum(best, plane), out=second)
            np.maximum(best, plane, out=best)
        lead = 1 - _exp(np.maximum(second - best, _FLOOR)[None])[0]
        return np.asarray(1 - lead / _odds(strip, best).sum(axis=0), np.float32)

    return _over_cells(logits, of) if len(logits.values) > 1 else _sure(logits)


def doubt(logits: Logits) -> Floats:
    """float32 (h, w): 1 minus the probability of the best class."""

    def of(strip: Floats) -> Floats:
        return np.asarray(1 - 1 / _odds(strip, strip.max(axis=0)).sum(axis=0), np.float32)

    return _over_cells(logits, of)


MEASURES: dict[Measure, Callable[[Logits], Floats]] = {
    "probability": doubt,
    "margin": margin,
    "entropy": entropy,
}


def class_probability(logits: Logits, class_id: int) -> Floats:
    """float32 (h, w): the probability of a class. KeyError when the model has no such class."""
    channel = _channel(logits, class_id)

    def of(strip: Floats) -> Floats:
        odds = _odds(strip, strip.max(axis=0))
        return np.asarray(odds[channel] / odds.sum(axis=0), np.float32)

    return _over_cells(logits, of)


def logit_lead(logits: Logits, class_id: int, against: int) -> Floats:
    """float32 (h, w): the logit of a class minus that of another one; KeyError as above."""
    first, second = _channel(logits, class_id), _channel(logits, against)
    return np.asarray(logits.values[first] - logits.values[second], np.float32)


def enlarged(values: Floats, logits: Logits) -> NDArray[np.uint8]:
    """float32 (h, w), 0..1, of these logits' cells -> uint8 (H, W), 0..255, of the frame."""
    (height, width), (h, w) = logits.size, values.shape
    small = np.ascontiguousarray(values, np.float32) * np.float32(255)
    if not logits.align_corners:
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        ys = np.linspace(0, h - 1, height, dtype=np.float32)[:, None]
        xs = np.linspace(0, w - 1, width, dtype=np.float32)[None, :]
        x_map, y_map = (np.ascontiguousarray(m) for m in np.broadcast_arrays(xs, ys))
        large = cv2.remap(small, x_map, y_map, cv2.INTER_LINEAR)
    return np.asarray(cv2.convertScaleAbs(large), np.uint8)


def lattice_of(logits: Logits) -> Lattice:
    """Where the cells of the answer lie in the frame."""
    cells = (logits.values.shape[1], logits.values.shape[2])
    if not logits.align_corners:
        return Lattice.even(cells, logits.size)
    (start_y, step_y), (start_x, step_x) = (
        _aligned(small, full) for small, full in zip(cells, logits.size, strict=True)
    )
    return Lattice((start_y, start_x), (step_y, step_x))


def _aligned(small: int, full: int) -> tuple[float, float]:
    """Start and step of cells whose outermost middles lie on the outermost pixels' middles."""
    if small == 1:
        return 0.0, float(full)
    step = (full - 1) / (small - 1)
    return 0.5 - step / 2, step


def _over_cells(logits: Logits, of: Callable[[Floats], Floats]) -> Floats:
    """float32 (h, w): what `of` makes of float32 (C, n), n cells at a time, kept in 0..1."""
    _, h, w = logits.values.shape
    result = np.empty(h * w, np.float32)
    for place, strip in _strips(logits.values):
        result[place] = of(strip)
    return np.clip(result, 0, 1, out=result).reshape(h, w)


def _strips(values: Floats) -> Iterator[tuple[slice, Floats]]:
    flat = values.reshape(len(values), -1)
    for start in range(0, flat.shape[1], STRIP):
        place = slice(start, start + STRIP)
        yield place, flat[:, place]


def _odds(strip: Floats, best: Floats) -> Floats:
    """float32 (C, n): each probability over that of the best."""
    return _exp(np.maximum(strip - best, _FLOOR))


def _exp(values: Floats) -> Floats:
    """OpenCV's is twice as fast as NumPy's, to 1e-7."""
    return np.asarray(cv2.exp(values), np.float32).reshape(values.shape)


def _sure(logits: Logits) -> Floats:
    return np.zeros(logits.values.shape[1:], np.float32)


def _channel(logits: Logits, class_id: int) -> int:
    found = np.flatnonzero(logits.class_ids == class_id)
    if not len(found):
        raise KeyError(class_id)
    return int(found[0])
