"""Random changes of an image and its labels together: scale, crop, flip, colour, blur, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.train.augment_rules import AugmentRule
from segstudio.train.crops import Window, choose_window, cut_out
from segstudio.train.labelled import LabelledFrame
from segstudio.train.looks import other_look


def augmented(
    frame: LabelledFrame,
    rng: np.random.Generator,
    rule: AugmentRule,
    *,
    crop: tuple[int, int],
    short_side: int,
    class_pixels: NDArray[np.int64] | None = None,
) -> tuple[LabelledFrame, Window]:
    """A sample of the size crop = (h, w) from a frame of any size, and where it was cut out.

    short_side, class_pixels: see choose_window. The generator decides everything.
    """
    window = choose_window(
        frame, rng, rule, crop=crop, short_side=short_side, class_pixels=class_pixels
    )
    cut = cut_out(frame, window, crop)
    return LabelledFrame(other_look(cut.rgb, rng, rule), cut.labels, cut.weights), window


def random_crop(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    crop: tuple[int, int],
    scale: tuple[float, float],
    short_side: int,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Resize by a random factor, flip with even chance, cut out crop = (h, w), pad with void.

    The factor is drawn log-uniformly from `scale`, relative to a frame whose short side has
    `short_side` pixels: the size that the trained net will see. Labels are resized by nearest
    neighbour only.
    """
    factor = float(np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1]))))
    factor *= short_side / min(rgb.shape[:2])
    h, w = (max(1, round(side * factor)) for side in rgb.shape[:2])
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    big = cv2.resize(rgb, (w, h), interpolation=way)
    big_labels = cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST)
    below, right = max(0, crop[0] - h), max(0, crop[1] - w)
    if below or right:
        mean = tuple(int(v) for v in cv2.mean(big)[:3])
        big = cv2.copyMakeBorder(big, 0, below, 0, right, cv2.BORDER_CONSTANT, value=mean)
        big_labels = cv2.copyMakeBorder(
            big_labels, 0, below, 0, right, cv2.BORDER_CONSTANT, value=VOID
        )
    y = int(rng.integers(0, big.shape[0] - crop[0] + 1))
    x = int(rng.integers(0, big.shape[1] - crop[1] + 1))
    cut = big[y : y + crop[0], x : x + crop[1]]
    cut_labels = big_labels[y : y + crop[0], x : x + crop[1]]
    if rng.random() < 0.5:
        cut, cut_labels = cut[:, ::-1], cut_labels[:, ::-1]
    return (
        np.ascontiguousarray(cut, np.uint8),
        np.ascontiguousarray(cut_labels, np.uint8),
    )


def random_look(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Another camera and another hour: gamma, gain, tint, saturation, blur, noise."""
    out = rgb.astype(np.float32) / 255.0
    out = np.power(out, float(np.exp(rng.uniform(-0.45, 0.45))))
    tint = rng.uniform(0.92, 1.08, 3).astype(np.float32)
    out = out * (float(rng.uniform(0.65, 1.4)) * tint)
    grey = out.mean(2, keepdims=True)
    out = grey + (out - grey) * float(rng.uniform(0.4, 1.5))
    pivot = float(out.mean())
    out = pivot + (out - pivot) * float(rng.uniform(0.7, 1.35))
    if rng.random() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.3)))
    if rng.random() < 0.3:
        noise = rng.standard_normal(out.shape, np.float32)
        out = out + noise * float(rng.uniform(0.01, 0.04))
    scaled: NDArray[np.uint8] = np.clip(out * 255.0 + 0.5, 0, 255).astype(np.uint8)
    return scaled
