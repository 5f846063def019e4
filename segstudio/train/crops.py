"""Where a sample is cut out of its frame, and how: image, labels and weights in one movement.

The window is chosen on the frame and only its pixels are resized: as fast as resizing a frame of
480×360 and cropping after it, three times as fast at 1280×720. The kernels are those behind
torchvision.transforms.v2's resize on an Image and a Mask, and a test holds the bytes against it;
they are called in torch itself, because importing torchvision costs 10 s of a core (measured: 16.7
against 6.7 s with torch alone) in every process that prepares samples. Parameters come from a NumPy
generator and never from torch's global one, so a sample depends on its number alone, and no
generator is saved and put back around it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from segstudio.core.classes import VOID
from segstudio.train.augment_rules import AugmentRule
from segstudio.train.labelled import LabelledFrame

_LOOKS = 64
"""Labels are looked at in steps that leave about so many rows: a share to a few per cent."""


@dataclass(frozen=True, slots=True)
class Window:
    """Pixels of the frame that become the sample; it may reach over the frame's edges.

    y, x: of its corner. again: how many windows were refused.
    """

    y: int
    x: int
    height: int
    width: int
    is_flipped: bool = False
    again: int = 0


def choose_window(
    frame: LabelledFrame,
    rng: np.random.Generator,
    rule: AugmentRule,
    *,
    crop: tuple[int, int],
    short_side: int,
    class_pixels: NDArray[np.int64] | None = None,
) -> Window:
    """A window that becomes crop = (h, w) when the frame's short side becomes `short_side`.

    class_pixels: int64 (256,), how many pixels of all frames have each class; rare ones are looked
    for by its inverse square root, None: all classes alike. A window without any label is refused
    while there are tries, and then one around a labelled pixel is taken.
    """
    shape = frame.labels.shape
    factor = float(np.exp(rng.uniform(np.log(rule.scale[0]), np.log(rule.scale[1]))))
    factor *= short_side / min(shape)
    size = max(1, round(crop[0] / factor)), max(1, round(crop[1] / factor))
    kind, is_flipped = rng.random(), bool(rng.random() < rule.flip)
    least, best, refused = 9.0, (0, 0), 0
    is_mixed = _largest_share(frame.labels, (0, 0), shape) < 1  # else no window would be
    most, tries = (rule.most, rule.tries) if is_mixed else (1.0, 0)
    for _ in range(tries + 1):
        center = None
        if kind < rule.corrected:
            center = _corrected(frame, rng)
        elif kind < rule.corrected + rule.rare:
            center = _of_a_rare_class(frame.labels, rng, class_pixels)
        corner = _placed(shape, size, center, rng)
        share = _largest_share(frame.labels, corner, size)
        if share < least:
            least, best = share, corner
        if share <= most:
            break
        refused += 1
    if least > 1:
        best = _placed(shape, size, _any(frame.labels != VOID, rng), rng)
    return Window(*best, *size, is_flipped, refused)


def cut_out(frame: LabelledFrame, window: Window, crop: tuple[int, int]) -> LabelledFrame:
    """The window at the size crop = (h, w); outside of the frame its mean colour and void.

    Labels and weights are taken from the nearest pixel, never mixed.
    """
    height, width = frame.labels.shape
    y0, x0 = max(0, window.y), max(0, window.x)
    y1, x1 = min(height, window.y + window.height), min(width, window.x + window.width)
    per_y, per_x = crop[0] / window.height, crop[1] / window.width
    top, left = round((y0 - window.y) * per_y), round((x0 - window.x) * per_x)
    bottom, right = round((y1 - window.y) * per_y), round((x1 - window.x) * per_x)
    inside = [max(1, bottom - top), max(1, right - left)]
    part = slice(y0, y1), slice(x0, x1)
    rgb = np.array(frame.rgb[part], order="C")  # a copy: pictures from files cannot be written
    planes = np.stack((frame.labels[part], frame.weights[part]))
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None]
    masks = torch.from_numpy(planes)[None]
    image = F.interpolate(image, inside, mode="bilinear", antialias=True)
    masks = F.interpolate(masks, inside, mode="nearest-exact")
    if window.is_flipped:
        image, masks = image.flip(-1), masks.flip(-1)
        left = crop[1] - left - inside[1]
    done = image[0].permute(1, 2, 0).numpy(), masks[0].numpy()
    return _padded(done[0], done[1], (min(top, crop[0] - inside[0]), max(0, left)), crop)


def cut_mix(under: LabelledFrame, over: LabelledFrame, rng: np.random.Generator) -> LabelledFrame:
    """A rectangle of `over` in `under`, both of one size (Yun et al. 2019).

    Its area is a share of 0.1 to 0.5: the paper's uniform share without the ends, where one of the
    two is hardly seen.
    """
    height, width = under.labels.shape
    side = float(np.sqrt(rng.uniform(0.1, 0.5)))
    h, w = max(1, round(height * side)), max(1, round(width * side))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    box = slice(y, y + h), slice(x, x + w)
    rgb, labels, weights = under.rgb.copy(), under.labels.copy(), under.weights.copy()
    rgb[box], labels[box], weights[box] = over.rgb[box], over.labels[box], over.weights[box]
    return LabelledFrame(rgb, labels, weights)


def _padded(
    rgb: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    corner: tuple[int, int],
    crop: tuple[int, int],
) -> LabelledFrame:
    """Of the size of the crop, with the given parts at their corner."""
    h, w = rgb.shape[:2]
    if (h, w) == crop:
        return LabelledFrame(np.ascontiguousarray(rgb), masks[0], masks[1])
    place = slice(corner[0], corner[0] + h), slice(corner[1], corner[1] + w)
    image = np.empty((*crop, 3), np.uint8)
    image[:] = rgb.reshape(-1, 3).mean(0).astype(np.uint8)
    labels, weights = np.full(crop, VOID, np.uint8), np.zeros(crop, np.uint8)
    image[place], labels[place], weights[place] = rgb, masks[0], masks[1]
    return LabelledFrame(image, labels, weights)


def _placed(
    shape: tuple[int, ...],
    size: tuple[int, int],
    center: tuple[int, int] | None,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Corner (y, x) of a window; `center` then lies in its middle half, unless an edge is near.

    A window that is larger than the frame holds all of it, anywhere.
    """
    corner = []
    for axis in (0, 1):
        low, high = sorted((0, shape[axis] - size[axis]))
        if center is None or low < 0:
            corner.append(int(rng.integers(low, high + 1)))
        else:
            wanted = center[axis] - round(size[axis] * float(rng.uniform(0.25, 0.75)))
            corner.append(min(max(wanted, low), high))
    return corner[0], corner[1]


def _largest_share(
    labels: NDArray[np.uint8], corner: tuple[int, int], size: tuple[int, ...]
) -> float:
    """Of one class among the labelled pixels of a window, 0..1; 2 when there are none."""
    y, x = corner
    part = labels[max(0, y) : y + size[0], max(0, x) : x + size[1]]
    step = max(1, min(part.shape) // _LOOKS)
    counts = np.bincount(part[::step, ::step].ravel(), minlength=256)
    known = int(counts.sum() - counts[VOID])
    return float(counts[:VOID].max() / known) if known else 2.0


def _corrected(frame: LabelledFrame, rng: np.random.Generator) -> tuple[int, int] | None:
    return None if frame.corrected is None else _any(frame.corrected, rng)


def _of_a_rare_class(
    labels: NDArray[np.uint8], rng: np.random.Generator, class_pixels: NDArray[np.int64] | None
) -> tuple[int, int] | None:
    """A pixel of one of the classes of this frame."""
    step = max(1, min(labels.shape) // (8 * _LOOKS))
    seen = labels[::step, ::step]
    here = np.flatnonzero(np.bincount(seen.ravel(), minlength=256)[:VOID])
    if not here.size:
        return None
    odds = np.ones(len(here))
    if class_pixels is not None:
        odds = 1 / np.sqrt(np.maximum(class_pixels[here], 1))
    found = _any(seen == rng.choice(here, p=odds / odds.sum()), rng)
    return None if found is None else (found[0] * step, found[1] * step)


def _any(mask: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int] | None:
    """One pixel of a mask, each as likely; None when there is none."""
    places = np.flatnonzero(mask)
    if not places.size:
        return None
    y, x = divmod(int(places[rng.integers(places.size)]), mask.shape[1])
    return y, x
