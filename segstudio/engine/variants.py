"""Predictors around a predictor: another input size, averaged with the mirror image, tiled."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.frame import Frame
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine.flow import Stopwatch
from segstudio.engine.postprocess import labels_at_frame_size
from segstudio.engine.predictor import Predictor
from segstudio.engine.run import Labeller

TILE = 768
"""Side of a tile in frame pixels. A multiple of every net's stride."""

OVERLAP = 128
"""What neighbouring tiles share; each pixel is taken from the tile in which it lies deepest."""


@dataclass(frozen=True, slots=True)
class _FixedInput(InputRule):
    """Always the same size, whatever the frame's shape. fixed: (h, w)."""

    fixed: tuple[int, int] = (0, 0)

    def size_for(
        self,
        height: int,  # noqa: ARG002  whatever the frame's shape
        width: int,  # noqa: ARG002
        factor: float = 1.0,
    ) -> tuple[int, int]:
        """`fixed` times factor, rounded to what the net accepts."""
        m = self.multiple_of
        h, w = (max(m, round(side * factor / m) * m) for side in self.fixed)
        return h, w


def with_input_size(card: ModelCard, size: tuple[int, int]) -> ModelCard:
    """The same model that sees every frame at (h, w), rounded to what the net accepts."""
    rule = card.input
    fixed = _FixedInput(
        mean=rule.mean,
        std=rule.std,
        scale=rule.scale,
        divide_after=rule.divide_after,
        channels=rule.channels,
        multiple_of=rule.multiple_of,
        fixed=size,
    )
    return replace(card, input=fixed)


class _Around:
    """Looks like the predictor inside it."""

    def __init__(self, inner: Labeller) -> None:
        self.inner = inner
        self.card = inner.card
        self.device = inner.device
        self.precision = inner.precision

    def close(self) -> None:
        """Let go of the net."""
        self.inner.close()


class MirroredPredictor(_Around):
    """Predicts the frame and its mirror image, and averages the two answers (softmaxed)."""

    def predict(self, frame: Frame, *, request: int = 0) -> Prediction:
        """As Predictor.predict; about twice the time."""
        first = self.inner.predict(frame, request=request)
        mirror_rgb = np.ascontiguousarray(frame.rgb[:, ::-1])
        second = self.inner.predict(Frame(frame.id, mirror_rgb, 0.0), request=request)
        watch = Stopwatch()
        a, b = first.logits, second.logits
        mean = np.log(_softmax(a.values) / 2 + _softmax(b.values[:, :, ::-1]) / 2 + 1e-12)
        labels, class_pixels = labels_at_frame_size(
            torch.from_numpy(mean), a.size, a.class_ids, align_corners=a.align_corners
        )
        mean.setflags(write=False)
        s, t = first.timing, second.timing
        return replace(
            first,
            labels=labels,
            class_pixels=class_pixels,
            logits=Logits(mean, a.size, a.align_corners, a.class_ids),
            timing=Timing(
                s.prepare + t.prepare, s.forward + t.forward, s.upsample + t.upsample + watch.lap()
            ),
        )


class TiledPredictor(_Around):
    """Predicts a large frame at its full resolution, tile by tile.

    The card's size rule is put aside: the net sees frame pixels one to one. `logits` of the
    prediction are those of the whole frame at the stride of the tiles, cut from them like labels.
    """

    def __init__(self, card: ModelCard, device: str = "auto", *, precision: str = "auto") -> None:
        full = replace(card, input=replace(card.input, short_side=None))
        super().__init__(Predictor(full, device, precision=precision))
        self.card = card

    def predict(self, frame: Frame, *, request: int = 0) -> Prediction:
        """As Predictor.predict; a frame no larger than a tile is one tile."""
        if frame.height <= TILE and frame.width <= TILE:
            return self.inner.predict(frame, request=request)
        labels = np.empty(frame.rgb.shape[:2], np.uint8)
        timing = Timing(0.0, 0.0, 0.0)
        coarse: NDArray[np.float32] | None = None
        rows, cols = spans(frame.height), spans(frame.width)
        for y, y0, y1 in rows:
            for x, x0, x1 in cols:
                rgb = np.ascontiguousarray(frame.rgb[y : y + TILE, x : x + TILE])
                part = self.inner.predict(Frame(frame.id, rgb, 0.0), request=request)
                labels[y0:y1, x0:x1] = part.labels[y0 - y : y1 - y, x0 - x : x1 - x]
                coarse = _put_coarse(coarse, part, frame, (y, x), (y0, y1, x0, x1))
                t = part.timing
                timing = Timing(
                    timing.prepare + t.prepare,
                    timing.forward + t.forward,
                    timing.upsample + t.upsample,
                )
        assert coarse is not None
        labels.setflags(write=False)
        coarse.setflags(write=False)
        return replace(
            part,
            frame=frame,
            labels=labels,
            class_pixels=np.bincount(labels.reshape(-1), minlength=256),
            logits=replace(part.logits, values=coarse, size=(frame.height, frame.width)),
            timing=timing,
            input_size=(frame.height, frame.width),
        )


def spans(length: int) -> list[tuple[int, int, int]]:
    """(start, first, last + 1) of tiles along one side: where each starts, and which it decides."""
    if length <= TILE:
        return [(0, 0, length)]
    count = -(-(length - OVERLAP) // (TILE - OVERLAP))
    starts = [round(i * (length - TILE) / (count - 1)) for i in range(count)]
    borders = [0, *((a + TILE + b) // 2 for a, b in itertools.pairwise(starts)), length]
    return [(s, borders[i], borders[i + 1]) for i, s in enumerate(starts)]


def _put_coarse(
    coarse: NDArray[np.float32] | None,
    part: Prediction,
    frame: Frame,
    start: tuple[int, int],
    box: tuple[int, int, int, int],
) -> NDArray[np.float32]:
    """Copies a tile's logits into those of the whole frame, nearest cell by nearest cell."""
    values = part.logits.values
    channels, h, w = values.shape
    height, width = part.logits.size
    if coarse is None:
        size = (round(frame.height * h / height), round(frame.width * w / width))
        coarse = np.zeros((channels, *size), np.float32)
    ry, rx = coarse.shape[1] / frame.height, coarse.shape[2] / frame.width
    y0, y1, x0, x1 = (round(v * r) for v, r in zip(box, (ry, ry, rx, rx), strict=True))
    rows = np.clip(((np.arange(y0, y1) + 0.5) / ry - start[0]) * h / height, 0, h - 1)
    cols = np.clip(((np.arange(x0, x1) + 0.5) / rx - start[1]) * w / width, 0, w - 1)
    coarse[:, y0:y1, x0:x1] = values[:, rows.astype(np.intp)][:, :, cols.astype(np.intp)]
    return coarse


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    e = np.exp(values - values.max(0))
    return np.asarray(e / e.sum(0), np.float32)
