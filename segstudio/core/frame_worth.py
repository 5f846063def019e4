"""What makes a frame worth correcting, measured from what models say about it.

Answers are looked at in cells at the net's own stride, about CELLS of them whatever the net: of
larger answers every second, third, … row and column, which leaves shares and means as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.geometry import Rect
from segstudio.core.prediction import Logits
from segstudio.core.regions import regions_of_answers
from segstudio.core.uncertainty import doubt, entropy

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Pair = tuple[int, int]

CELLS = 20_000
"""160×90, what a net of stride 8 says about 1280×720, and a little more."""

UNSURE_BELOW = 0.6
"""A pixel is unsure when the probability of its best class is lower: the second may have 0.4."""

LEAST_REGION = 0.001
"""Of the frame: 920 pixels of 1280×720. Smaller ones are quicker to paint than to read about."""

MOST_REGIONS = 3
"""Per frame."""

GRID = (2, 3)
"""Rows and columns of the frame that the descriptor tells apart."""

THUMB = (4, 6)
"""The same for colour, which is what weather and light change."""


@dataclass(frozen=True, slots=True)
class DoubtfulRegion:
    """A connected area in which the same two classes come into question.

    rect: around it, frame pixels. pixels: of the frame, about. classes: the two, what the model
    says first. entropy: mean, 0..1. disputed: share of it on which models disagree, 0..1. score:
    (entropy + disputed) × share of the frame.
    """

    rect: Rect
    pixels: int
    classes: Pair
    entropy: float
    disputed: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class FrameWorth:
    """What was measured of one frame. Shares are of its pixels, 0..1.

    media: which of several sources. entropy: mean, 0..1. unsure: share below UNSURE_BELOW.
    disagreement: share on which another model says something else, the mean of all others; None
    without one. flicker: share that flickers; None where nothing came before. class_shares:
    float32 (256,), by class id. descriptor: float32 (d,), for how alike two frames are; empty when
    it was not taken. meeting: the classes most unsure pixels lie between, and the share of the
    unsure ones that do. disputed: those that models disagree about most, and the share of the
    disputed pixels. is_clip: frames of a video, which follow each other in time.
    """

    frame: FrameId
    media: int = 0
    entropy: float = 0.0
    unsure: float = 0.0
    disagreement: float | None = None
    flicker: float | None = None
    class_shares: Floats = field(default_factory=lambda: np.zeros(256, np.float32))
    descriptor: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    meeting: Pair | None = None
    meeting_share: float = 0.0
    disputed: Pair | None = None
    disputed_share: float = 0.0
    regions: tuple[DoubtfulRegion, ...] = ()


def measured(
    frame: Frame,
    logits: Logits,
    ids: Labels,
    labels: Labels,
    *,
    others: Sequence[Labels] = (),
    flickers: NDArray[np.bool_] | None = None,
    media: int = 0,
) -> FrameWorth:
    """Everything about one frame.

    logits: the first model's. ids: uint8 (C,), the class id of each channel in the class set of
    the labels. labels: uint8 (H, W), what it says. others: the same of the other models. flicker:
    what Flicker.see told, float32 (h, w); None when it does not count.
    """
    cells = _thinned(logits)
    unsure, spread = doubt(cells) > 1 - UNSURE_BELOW, entropy(cells)
    best, second = _two_best(cells.values)
    first, next_best = ids[best], ids[second]
    said = [_at_cells(each, unsure.shape) for each in others]
    disputed = _disputed(first, said)
    worth = FrameWorth(
        frame.id,
        media,
        entropy=float(spread.mean()),
        unsure=float(unsure.mean()),
        disagreement=None if not others else _disagreement(labels, others),
        flicker=None if flickers is None else float(flickers.mean()),
        class_shares=_shares(labels),
        descriptor=descriptor(frame.rgb, cells, best),
    )
    meeting, meeting_share = _common_pair(first[unsure], next_best[unsure])
    against, against_share = _pair_of_all(first, said)
    return replace(
        worth,
        meeting=meeting,
        meeting_share=meeting_share,
        disputed=against,
        disputed_share=against_share,
        regions=_regions(first, next_best, said, unsure, spread, disputed, logits.size),
    )


def descriptor(rgb: Labels, cells: Logits, best: NDArray[np.intp]) -> Floats:
    """float32 (d,): which classes are where, the mean answer there, and the colours.

    Three parts of length 1 or less, so that each counts as much as the others; class shares are
    square roots (Hellinger), so that a few pixels of a class make a difference.
    best: (h, w), the best channel of each cell.
    """
    channels, h, w = cells.values.shape
    tops, lefts = _starts(h, GRID[0]), _starts(w, GRID[1])
    rows = np.searchsorted(tops, np.arange(h), side="right") - 1
    cols = np.searchsorted(lefts, np.arange(w), side="right") - 1
    fields = GRID[0] * GRID[1]
    codes = (rows[:, None] * GRID[1] + cols[None, :]) * channels + best
    shares = np.bincount(codes.ravel(), minlength=fields * channels) / codes.size
    sums = np.add.reduceat(np.add.reduceat(cells.values, tops, axis=1), lefts, axis=2)
    answer = (sums - sums.mean(axis=0)).ravel()
    answer /= max(float(np.linalg.norm(answer)), 1e-6)
    thin = rgb[::4, ::4] if min(rgb.shape[:2]) >= 8 * max(THUMB) else rgb
    small = np.asarray(cv2.resize(thin, THUMB[::-1], interpolation=cv2.INTER_AREA), np.float32)
    colours = small.ravel() / (255 * small.size**0.5)
    return np.concatenate((np.sqrt(shares), answer, colours)).astype(np.float32)


def _starts(length: int, parts: int) -> NDArray[np.intp]:
    """Where each of `parts` begins; fewer when there are not so many rows."""
    return np.unique(np.arange(parts) * length // parts)


def _thinned(logits: Logits) -> Logits:
    """The same with about CELLS cells."""
    _, h, w = logits.values.shape
    step = max(1, round((h * w / CELLS) ** 0.5))
    if step == 1:
        return logits
    values = np.ascontiguousarray(logits.values[:, step // 2 :: step, step // 2 :: step])
    return replace(logits, values=values)


def _two_best(values: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(h, w) each: the best channel and the second; the best twice for a single channel."""
    best = values.argmax(axis=0)
    if len(values) == 1:
        return best, best
    rest = values.copy()
    np.put_along_axis(rest, best[None], -np.inf, axis=0)
    return best, rest.argmax(axis=0)


def _at_cells(labels: Labels, shape: tuple[int, ...]) -> Labels:
    """uint8 (h, w): labels (H, W) at the middles of the cells."""
    rows, cols = (
        ((np.arange(cells) + 0.5) * full / cells).astype(np.intp)
        for cells, full in zip(shape, labels.shape, strict=True)
    )
    return labels[np.ix_(rows, cols)]


def _disagreement(labels: Labels, others: Sequence[Labels]) -> float:
    """Share of the pixels, the mean of the others; where one of two says nothing it is no word."""
    shares = []
    for each in others:
        differs = (labels != each) & (labels != VOID) & (each != VOID)
        shares.append(np.count_nonzero(differs) / max(1, labels.size))
    return float(np.mean(shares))


def _shares(labels: Labels) -> Floats:
    """float32 (256,)."""
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
    return np.asarray(counts / max(1, labels.size), np.float32)


def _against(first: Labels, said: Sequence[Labels]) -> list[NDArray[np.bool_]]:
    """Where each of the others says another class, bool (h, w)."""
    return [(each != first) & (each != VOID) & (first != VOID) for each in said]


def _disputed(first: Labels, said: Sequence[Labels]) -> Floats:
    """float32 (h, w): share of the others that say another class."""
    total = np.zeros(first.shape, np.float32)
    for differs in _against(first, said):
        total += differs
    return total / np.float32(max(1, len(said)))


def _common_pair(first: Labels, second: Labels) -> tuple[Pair | None, float]:
    """The two classes most places (n,) lie between, what is said first more often first, and the
    share of the places that do."""
    differs = (first != second) & (first != VOID) & (second != VOID)
    if not differs.any():
        return None, 0.0
    codes = first[differs].astype(np.intp) * 256 + second[differs]
    counts = np.bincount(codes, minlength=65536).reshape(256, 256)
    both = np.triu(counts + counts.T)
    low, high = (int(v) for v in np.unravel_index(int(both.argmax()), both.shape))
    pair = (low, high) if counts[low, high] >= counts[high, low] else (high, low)
    return pair, float(both[low, high] / first.size)


def _pair_of_all(first: Labels, said: Sequence[Labels]) -> tuple[Pair | None, float]:
    """`_common_pair` over all places that are disputed."""
    places = _against(first, said)
    if not places:
        return None, 0.0
    own = np.concatenate([first[differs] for differs in places])
    other = np.concatenate([s[differs] for s, differs in zip(said, places, strict=True)])
    return _common_pair(own, other)


def _regions(
    first: Labels,
    second: Labels,
    said: Sequence[Labels],
    unsure: NDArray[np.bool_],
    spread: Floats,
    disputed: Floats,
    size: tuple[int, int],
) -> tuple[DoubtfulRegion, ...]:
    """The MOST_REGIONS that weigh most. size: (H, W) of the frame.

    Along every border between two classes runs a line of doubt that tells nothing and would join
    everything: an opening of one cell takes it away.
    """
    rival = second
    for each, differs in zip(said, _against(first, said), strict=True):
        rival = np.where(differs, each, rival)
    drawn = (unsure | (disputed > 0)) & (first != rival) & (first != VOID) & (rival != VOID)
    square = np.ones((3, 3), np.uint8)
    drawn = cv2.morphologyEx(drawn.view(np.uint8), cv2.MORPH_OPEN, square) > 0
    pair = [np.minimum(first, rival), np.maximum(first, rival)]
    least = max(4, round(LEAST_REGION * drawn.size))
    found = []
    for area in regions_of_answers(pair, np.asarray(drawn), least):
        inside, mask = area.rect.slices, area.mask
        cells = int(np.count_nonzero(mask))
        mean = float(spread[inside][mask].mean())
        share = float(disputed[inside][mask].mean())
        said_first = first[inside][mask]
        low, high = int(pair[0][inside][mask][0]), int(pair[1][inside][mask][0])
        is_low = 2 * int(np.count_nonzero(said_first == low)) >= cells
        found.append(
            DoubtfulRegion(
                _in_frame(area.rect, drawn.shape, size),
                round(cells / drawn.size * size[0] * size[1]),
                (low, high) if is_low else (high, low),
                mean,
                share,
                (mean + share) * cells / drawn.size,
            )
        )
    found.sort(key=lambda r: (-r.score, r.rect))
    return tuple(found[:MOST_REGIONS])


def _in_frame(rect: Rect, cells: tuple[int, ...], size: tuple[int, int]) -> Rect:
    """A rectangle of cells as pixels of the frame, none of it cut off."""
    (h, w), (height, width) = cells, size
    return Rect(
        rect.y0 * height // h, rect.x0 * width // w, -(-rect.y1 * height // h),
        -(-rect.x1 * width // w),
    )  # fmt: skip
