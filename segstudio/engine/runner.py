"""One net on one device, made fast: frames in, finite float32 logits out.

Batch norms are folded into the convolutions before them and tensors are channels-last: the same
function, 20 to 30 % faster on a CPU.

Precision "auto" means fp16 on CUDA, bf16 on CPUs that calculate with it in hardware (AVX512-BF16
or AMX: 1.6 times faster; ten times slower elsewhere), fp32 otherwise. Reduced precision moves the
border between two classes by a pixel here and there; "fp32" is exact. When reduced precision
yields values that are no numbers, as fp16 does on some GPUs, the net goes on in fp32 and says so.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segstudio.core.catalogue import ModelCard
from segstudio.engine import device as devices
from segstudio.engine.compiling import Compiled
from segstudio.engine.folding import fold_batch_norm
from segstudio.engine.loading import build_net
from segstudio.engine.preprocess import Preparer
from segstudio.engine.windows import mirrored
from segstudio.errors import ModelError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Runner:
    """Owns the net; belongs to the thread that uses it.

    spec: what the net wants. precision: "fp32", "bf16" or "fp16". notes: what people should know
    about every answer so far. ModelError or OutOfMemory while loading.
    """

    def __init__(
        self,
        card: ModelCard,
        device: torch.device,
        precision: str = "auto",
        *,
        compile: bool = False,  # noqa: A002  torch's own word for it
    ) -> None:
        self.device = device
        self.precision = choose_precision(precision, device)
        self._name = card.name
        self._fell_back: tuple[str, ...] = ()
        self.spec, net = build_net(card)
        with devices.guarded(f"The model '{card.name}'", device):
            net = fold_batch_norm(net.eval(), self.spec).requires_grad_(requires_grad=False)
            net.to(memory_format=torch.channels_last)
            self.net: nn.Module | None = net.to(device)
            self._prepare = Preparer(card.input, device)
        self._compiled = Compiled(device) if compile else None
        self._is_eager = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Fallbacks, and what compiling is at."""
        return self._fell_back + (self._compiled.notes if self._compiled is not None else ())

    @property
    def is_compiled(self) -> bool:
        """True once a compiled net answers."""
        return self._compiled is not None and self._compiled.is_ready

    def begin_frame(self) -> None:
        """Call before each frame: what was new in the last one may be compiled now."""
        if self._compiled is not None:
            self._compiled.begin_frame()

    def prepare(self, rgb: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
        """uint8 (H, W, 3) -> float (1, 3, h, w) on the device, channels-last in memory."""
        return self._prepare(rgb, size)

    def answer(self, x: Tensor) -> Tensor:
        """float (1, 3, h, w) with the net's margin -> float32 (C, a, b), contiguous, all numbers.

        ModelError when the answer is no numbers in fp32 either.
        """
        logits = self.forward(x)
        if math.isfinite(float(logits.sum())):
            return logits
        if self.precision != "fp32":
            self._fell_back += (f"calculated in fp32: {self.precision} gave no numbers here",)
            self.precision = "fp32"
            return self.answer(x)
        raise ModelError(
            f"The model '{self._name}' answers with values that are no numbers; its weights"
            " are damaged, so install it again or choose another."
        )

    def whole(self, x: Tensor) -> Tensor:
        """float (1, 3, h, w) of the picture alone -> its answer; the margin is mirrored."""
        return self.answer(mirrored(x, self.spec.margin))

    def forward(self, x: Tensor) -> Tensor:
        """The bare net on an input with its margin: float32 (C, a, b), contiguous."""
        if self.net is None:
            raise RuntimeError("this predictor is closed")
        dtype = DTYPES[self.precision]
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            if self._compiled is not None and not self._is_eager:
                logits = self._compiled(self.net, x)
            else:
                logits = self.net(x).logits[0]
        return logits.float().contiguous()

    @contextmanager
    def eager(self) -> Iterator[None]:
        """Run the net itself inside, also when it is compiled: hooks do not fire in a graph."""
        self._is_eager = True
        try:
            yield
        finally:
            self._is_eager = False

    def close(self) -> None:
        """Let go of the net; twice is fine."""
        self.net = None
        self._compiled = None


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
