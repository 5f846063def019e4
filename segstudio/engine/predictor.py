"""One model on one device, ready to label frames.

Batch norms are folded into the convolutions before them and tensors are channels-last: the same
function, 20 to 30 % faster on a CPU.

Precision "auto" means fp16 on CUDA, bf16 on CPUs that calculate with it in hardware (AVX512-BF16
or AMX: 1.6 times faster; ten times slower elsewhere), fp32 otherwise. Reduced precision moves the
border between two classes by a pixel here and there; "fp32" is exact. When reduced precision
yields values that are no numbers, as fp16 does on some GPUs, the predictor goes on in fp32 and
says so.

Out of memory is no error at first: memory is freed, then the frame is tried smaller, then in
tiles. What worked is remembered for frames of that size, and every prediction says so.
"""

import dataclasses
import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from segstudio.core.catalogue import ModelCard
from segstudio.core.frame import Frame
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine import device as devices
from segstudio.engine import postprocess
from segstudio.engine.allocator import give_back_freed_memory, keep_freed_memory
from segstudio.engine.flow import Stopwatch
from segstudio.engine.loading import build_net, fold_batch_norm
from segstudio.engine.preprocess import Preparer
from segstudio.errors import ModelError, OutOfMemory

log = logging.getLogger("segstudio.engine")

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

MAX_INPUT_PIXELS = 2**23
"""Largest input: a 4K frame. A long, flat picture would else become one of gigapixels, and on a
CPU too much memory ends the program without an error that could be caught."""

OVERLAP = 64
"""Least pixels that neighbouring tiles share: what a pixel sees is cut off at a tile's border."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to predict a frame. factor: of the input size. tiles: per side."""

    factor: float
    tiles: int


LADDER = (_Way(1.0, 1), _Way(0.75, 1), _Way(0.5, 1), _Way(0.5, 2), _Way(0.5, 4))
"""What is tried, one after the other, while memory does not suffice."""


class Predictor:
    """One model on one device; belongs to the thread that uses it.

    card: what it is. device: torch's name. precision: "fp32", "bf16" or "fp16".
    input_scale: the size of the card's input rule times this. ModelError, DeviceError or
    OutOfMemory while loading.
    """

    def __init__(
        self,
        card: ModelCard,
        device: str = "auto",
        *,
        input_scale: float = 1.0,
        precision: str = "auto",
    ) -> None:
        self.card = card
        self._device = devices.choose_device(device)
        self.device = str(self._device)
        self.precision = choose_precision(precision, self._device)
        self._input_scale = input_scale
        self._class_ids = np.array([c.id for c in card.classes.classes], np.uint8)
        if self._device.type == "cpu":
            keep_freed_memory()
        spec, net = build_net(card)
        self._align_corners = spec.align_corners
        self._multiple = math.lcm(card.input.multiple_of, spec.multiple_of)
        self._rule = dataclasses.replace(
            card.input, multiple_of=self._multiple, remainder=spec.remainder
        )
        self._level: dict[tuple[int, int], int] = {}
        self._notes: tuple[str, ...] = ()
        with devices.guarded(f"The model '{card.name}'", self._device):
            net = fold_batch_norm(net.eval()).requires_grad_(requires_grad=False)
            net.to(memory_format=torch.channels_last)
            self._net: nn.Module | None = net.to(self._device)
            self._prepare = Preparer(self._rule, self._device)
            postprocess.warm_up(self._device)

    def predict(self, frame: Frame, *, request: int = 0) -> Prediction:
        """Label one frame.

        OutOfMemory when even small tiles do not fit, DeviceError when the device gives up,
        ModelError when the net's answer is no numbers.
        """
        whole = (frame.height, frame.width)
        first = self._level.get(whole, 0)
        for level in range(first, len(LADDER)):
            # The second try of one way is the one after the cache was freed.
            for _ in range(2 if level == first else 1):
                done = self._attempt(frame, request, LADDER[level])
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

    def close(self) -> None:
        """Let go of the net and give its memory back; `predict` is over. Twice is fine."""
        self._net = None
        devices.free_cache(self._device)
        if self._device.type == "cpu":
            give_back_freed_memory()

    def _attempt(self, frame: Frame, request: int, way: _Way) -> Prediction | None:
        """The prediction; None when memory ran out."""
        size, is_capped = self._input_size(frame, way.factor)
        what = f"The model '{self.card.name}' on {size[1]}×{size[0]}"
        try:
            with torch.inference_mode(), devices.guarded(what, self._device):
                done = self._predict(frame, request, size, way.tiles)
        except OutOfMemory:
            log.warning("%s in %d² tiles: out of memory", what, way.tiles)
            return None
        notes = self._notes
        shown = f"{size[1]}×{size[0]}"
        if way.tiles > 1:
            notes += (f"input reduced to {shown} in {way.tiles**2} tiles: out of memory",)
        elif way.factor < 1:
            notes += (f"input reduced to {shown}: out of memory",)
        elif is_capped:
            notes += (f"input reduced to {shown}: the most a net is given",)
        return dataclasses.replace(done, notes=notes)

    def _predict(self, frame: Frame, request: int, size: tuple[int, int], tiles: int) -> Prediction:
        watch = Stopwatch()
        whole = (frame.height, frame.width)
        x = self._prepare(frame.rgb, size)
        prepare_ms = watch.lap()
        logits = self._finite_logits(x, tiles)
        devices.synchronize(self._device)
        forward_ms = watch.lap()
        labels, class_pixels = postprocess.labels_at_frame_size(
            logits, whole, self._class_ids, align_corners=self._align_corners
        )
        values = logits.cpu().numpy()
        values.setflags(write=False)
        return Prediction(
            frame=frame,
            model=self.card.name,
            classes=self.card.classes,
            labels=labels,
            class_pixels=class_pixels,
            logits=Logits(values, whole, self._align_corners, self._class_ids),
            timing=Timing(prepare_ms, forward_ms, watch.lap()),
            input_size=size,
            device=self.device,
            request=request,
        )

    def _input_size(self, frame: Frame, factor: float) -> tuple[tuple[int, int], bool]:
        """(h, w) of the input, and whether it had to be cut down to MAX_INPUT_PIXELS."""
        factor *= self._input_scale
        size = self._rule.size_for(frame.height, frame.width, factor)
        if size[0] * size[1] <= MAX_INPUT_PIXELS:
            return size, False
        factor *= math.sqrt(MAX_INPUT_PIXELS / (size[0] * size[1]))
        height, width = self._rule.size_for(frame.height, frame.width, factor)
        longest = MAX_INPUT_PIXELS // (min(height, width) * self._multiple) * self._multiple
        return (min(height, longest), min(width, longest)), True

    def _finite_logits(self, x: Tensor, tiles: int) -> Tensor:
        """float32 (C, h, w), contiguous, all numbers; falls back to fp32 once."""
        logits = self._logits(x, tiles)
        if math.isfinite(float(logits.sum())):
            return logits
        if self.precision != "fp32":
            self._notes += (f"calculated in fp32: {self.precision} gave no numbers here",)
            self.precision = "fp32"
            return self._finite_logits(x, tiles)
        raise ModelError(
            f"The model '{self.card.name}' answers with values that are no numbers; its weights"
            " are damaged, so install it again or choose another."
        )

    def _logits(self, x: Tensor, tiles: int) -> Tensor:
        if tiles == 1:
            return self._forward(x)
        height, width = x.shape[2:]
        rows, tall = _places(height, tiles, self._multiple)
        cols, wide = _places(width, tiles, self._multiple)
        total: Tensor | None = None
        for y in rows:
            for col in cols:
                part = self._forward(x[:, :, y : y + tall, col : col + wide])
                stride = tall // part.shape[1]
                if total is None:
                    shape = (part.shape[0] + 1, height // stride, width // stride)
                    total = torch.zeros(shape, device=part.device)
                at = total[
                    :,
                    y // stride : y // stride + part.shape[1],
                    col // stride : col // stride + part.shape[2],
                ]
                at[:-1] += part
                at[-1] += 1
        assert total is not None
        return total[:-1] / total[-1]

    def _forward(self, x: Tensor) -> Tensor:
        """float (1, 3, h, w) -> logits float32 (C, h / stride, w / stride)."""
        if self._net is None:
            raise RuntimeError("this predictor is closed")
        dtype = DTYPES[self.precision]
        with torch.autocast(self._device.type, dtype, enabled=dtype != torch.float32):
            logits: Tensor = self._net(x).logits[0]
        return logits.float().contiguous()


def _places(side: int, tiles: int, multiple: int) -> tuple[list[int], int]:
    """Where tiles begin along one side, and their length: multiples of `multiple`, overlapping."""
    length = min(side, math.ceil((side / tiles + OVERLAP) / multiple) * multiple)
    room = side - length
    starts = {round(i * room / (tiles - 1) / multiple) * multiple for i in range(tiles)}
    return sorted(starts), length


def choose_precision(name: str, device: torch.device) -> str:
    """What "auto" means on that device; another name stays. ModelError for an unknown one."""
    if name != "auto":
        if name not in DTYPES:
            raise ModelError(f"There is no precision '{name}'; choose auto, fp32, bf16 or fp16.")
        return name
    if device.type == "cuda":
        return "fp16"
    if device.type == "cpu" and _cpu_has_bf16():
        return "bf16"
    return "fp32"


def _cpu_has_bf16() -> bool:
    """AVX512-BF16 or AMX: without them bf16 is emulated and ten times slower than fp32."""
    probes = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", None),
        getattr(torch.cpu, "_is_amx_tile_supported", None),
    )
    return any(bool(probe()) for probe in probes if probe is not None)
