"""One model on one device, ready to label frames.

Out of memory is no error at first: memory is freed, then the frame is tried smaller, then in
tiles; windows are made smaller instead. What worked is remembered for frames of that size, and
every prediction says so.
"""

import dataclasses
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from segstudio.core.catalogue import ModelCard
from segstudio.core.frame import Frame
from segstudio.core.look import LayerLook, Look, Seen
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.core.strategy import Strategy
from segstudio.engine import device as devices
from segstudio.engine import postprocess
from segstudio.engine.allocator import give_back_freed_memory, keep_freed_memory
from segstudio.engine.averaging import Mean
from segstudio.engine.flow import Stopwatch
from segstudio.engine.inside.looking import Looking
from segstudio.engine.runner import Runner
from segstudio.engine.sizes import Size, Sizes
from segstudio.engine.windows import covered
from segstudio.errors import OutOfMemory

log = logging.getLogger("segstudio.engine")


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to predict a frame. factor: of the input size (of windows: of their size). tiles:
    per side.
    """

    factor: float
    tiles: int = 1


LADDER = (_Way(1.0), _Way(0.75), _Way(0.5), _Way(0.5, 2), _Way(0.5, 4))
"""What is tried, one after the other, while memory does not suffice."""

WINDOW_LADDER = (_Way(1.0), _Way(0.75), _Way(0.5), _Way(0.25))
"""The same where windows are used anyway."""


class Predictor:
    """One model on one device; belongs to the thread that uses it.

    card: what it is. device: torch's name. precision: "fp32", "bf16" or "fp16".
    strategy: how a frame is put to the net. input_scale, precision: for short, in place of those
    of the strategy. ModelError, DeviceError or OutOfMemory while loading.
    """

    def __init__(
        self,
        card: ModelCard,
        device: str = "auto",
        *,
        input_scale: float = 1.0,
        precision: str = "auto",
        strategy: Strategy | None = None,
    ) -> None:
        self.card = card
        self.strategy = strategy or Strategy(input_scale=input_scale, precision=precision)
        self._device = devices.choose_device(device)
        self.device = str(self._device)
        self._class_ids = np.array([c.id for c in card.classes.classes], np.uint8)
        if self._device.type == "cpu":
            keep_freed_memory()
        self.runner = Runner(
            card, self._device, self.strategy.precision, compile=self.strategy.compile
        )
        self._weights = _bytes_of(self.runner.net)
        self._sizes = Sizes(card.input, self.runner.spec, self.strategy)
        self._is_windowed = self.strategy.kind != "whole"
        self._level: dict[Size, int] = {}
        self._refine = _refiner() if self.strategy.crf else None
        self.looking = Looking(self.runner, card.name, is_plain=self.strategy.is_plain)
        postprocess.warm_up(self._device)

    @property
    def precision(self) -> str:
        """What is calculated with now; "fp32" once a reduced precision gave no numbers."""
        return self.runner.precision

    def predict(self, frame: Frame, *, request: int = 0) -> Prediction:
        """Label one frame.

        OutOfMemory when even small tiles do not fit, DeviceError when the device gives up,
        ModelError when the net's answer is no numbers.
        """
        self.runner.begin_frame()
        whole = (frame.height, frame.width)
        first = self._level.get(whole, 0)
        ladder = self._ladder()
        for level in range(first, len(ladder)):
            # The second try of one way is the one after the cache was freed.
            for _ in range(2 if level == first else 1):
                done = self._attempt(frame, request, ladder[level])
                if done is not None:
                    self._level[whole] = level
                    return done
                # Here, and not where the error was caught: while it lives, so do its tensors.
                devices.free_cache(self._device)
        raise OutOfMemory(
            f"The model '{self.card.name}' does not fit into the memory of {self.device} at"
            f" {frame.width}×{frame.height}, not even in tiles; choose another device, a smaller"
            " model, or close other programs."
        )

    def look_for(self, look: Look | None) -> None:
        """See that with every prediction from now on (`Prediction.seen`); None: nothing."""
        self.looking.set(look)

    def input_size(self, height: int, width: int) -> Size:
        """(h, w) that the net sees of a frame, as far as memory has allowed until now."""
        way = self._ladder()[self._level.get((height, width), 0)]
        return self._sizes.for_frame(height, width, 1.0 if self._is_windowed else way.factor)[0]

    def close(self) -> None:
        """Let go of the net and give its memory back; `predict` is over. Twice is fine."""
        self.looking.set(None)
        self.runner.close()
        devices.free_cache(self._device)
        if self._device.type == "cpu":
            give_back_freed_memory()

    def _ladder(self) -> tuple[_Way, ...]:
        if self.runner.spec.only_size is not None:
            return LADDER[:1]
        return WINDOW_LADDER if self._is_windowed else LADDER

    def _attempt(self, frame: Frame, request: int, way: _Way) -> Prediction | None:
        """The prediction; None when memory ran out."""
        factor = 1.0 if self._is_windowed else way.factor
        size, is_capped = self._sizes.for_frame(frame.height, frame.width, factor)
        what = f"The model '{self.card.name}' on {size[1]}×{size[0]}"
        try:
            with torch.inference_mode(), devices.guarded(what, self._device):
                done = self._predict(frame, request, size, way)
        except OutOfMemory:
            log.warning("%s in %d² tiles: out of memory", what, way.tiles)
            return None
        notes = self.runner.notes
        shown = f"{size[1]}×{size[0]}"
        if self._is_windowed and way.factor < 1:
            tile = self._sizes.windows(size, way.factor).tile
            notes += (f"windows reduced to {tile[1]}×{tile[0]}: out of memory",)
        elif way.tiles > 1:
            notes += (f"input reduced to {shown} in {way.tiles**2} tiles: out of memory",)
        elif way.factor < 1:
            notes += (f"input reduced to {shown}: out of memory",)
        elif is_capped:
            notes += (f"input reduced to {shown}: the most a net is given",)
        return dataclasses.replace(done, notes=notes)

    def _predict(self, frame: Frame, request: int, size: Size, way: _Way) -> Prediction:
        watch, peak = Stopwatch(), devices.PeakMemory(self._device, self._weights)
        whole = (frame.height, frame.width)
        prepare_ms = forward_ms = 0.0
        mean = Mean(align_corners=self.runner.spec.align_corners)
        factor = 1.0 if self._is_windowed else way.factor
        is_in_parts = self._is_windowed or way.tiles > 1
        first: Tensor | None = None
        for scale in self.strategy.scales:
            at = size if scale == 1 else self._sizes.for_frame(*whole, factor * scale)[0]
            x = self.runner.prepare(frame.rgb, at)
            prepare_ms += watch.lap()
            is_watched = first is None and not is_in_parts
            with self.looking.watching() if is_watched else nullcontext():
                mean.add(self._answer(x, way), is_mirrored=False)
            first = x if first is None else first
            if self.strategy.flip:
                mean.add(self._answer(x.flip(3), way), is_mirrored=True)
            devices.synchronize(self._device)
            forward_ms += watch.lap()
        logits, align_corners = mean.logits(), self.runner.spec.align_corners
        if self._refine is not None:
            logits = self._refine(logits, frame.rgb, size, align_corners=align_corners)
            align_corners = False
        labels, class_pixels = postprocess.labels_at_frame_size(
            logits, whole, self._class_ids, align_corners=align_corners
        )
        values = logits.cpu().numpy()
        values.setflags(write=False)
        done = Prediction(
            frame=frame,
            model=self.card.name,
            classes=self.card.classes,
            labels=labels,
            class_pixels=class_pixels,
            logits=Logits(values, whole, align_corners, self._class_ids),
            timing=Timing(prepare_ms, forward_ms, watch.lap()),
            input_size=size,
            device=self.device,
            request=request,
            peak_mb=peak.mb(),
        )
        if not self.looking.is_active or first is None:
            return done
        return dataclasses.replace(done, seen=self._seen(done, first, is_in_parts=is_in_parts))

    def _seen(self, done: Prediction, x: Tensor, *, is_in_parts: bool) -> Seen | None:
        """What was asked for. A net that saw parts only sees the whole once more for a layer."""
        if is_in_parts and isinstance(self.looking.look, LayerLook):
            with self.looking.watching():
                self.runner.whole(x)
        return self.looking.see(done, x)

    def _answer(self, x: Tensor, way: _Way) -> Tensor:
        """float (1, 3, h, w) -> float32 (C, a, b) over the whole picture."""
        size = (x.shape[2], x.shape[3])
        if self._is_windowed:
            windows = self._sizes.windows(size, way.factor)
        elif way.tiles > 1:
            windows = self._sizes.pieces(size, way.tiles)
        else:
            return self.runner.whole(x)
        return covered(
            x,
            self.runner.answer,
            windows,
            align_corners=self.runner.spec.align_corners,
            margin=self.runner.spec.margin,
            softmax=self.strategy.kind == "sliding",
        )


def _bytes_of(net: nn.Module | None) -> int:
    """Of parameters and buffers."""
    if net is None:
        return 0
    return sum(t.nbytes for t in (*net.parameters(), *net.buffers()))


def _refiner() -> Callable[..., Tensor]:
    """The dense CRF, compiled now and not with the first frame."""
    from segstudio.engine.crf import refined, warm_up

    warm_up()
    return refined
