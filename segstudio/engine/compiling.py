"""torch.compile as a switch: its warm-up can be seen, and where it fails the net runs as it is.

The first frame of an input size is answered by the net as it is, with the note "compiling…"; the
next one waits for the compiler (seconds to minutes), and later ones are faster. On CUDA the
compiled net is recorded as CUDA graphs, which takes away what starting each kernel costs. On a CPU
it is hardly worth it: BiSeNet V2 at 512 × 1024 took 248 ms in fp32 instead of 252, and 198 ms in
bf16 instead of 138.

Compiling needs a C++ compiler on a CPU and Triton on CUDA. Without them, or when the compiler
stumbles over a net, nothing is lost but speed, and a note tells why.
"""

import logging
import time
from typing import Any

import torch
from torch import Tensor, nn

from segstudio.engine import device as devices

log = logging.getLogger("segstudio.engine")

MOST_SIZES = 6
"""Input sizes that are compiled; torch gives up by itself after eight."""


class Compiled:
    """Compiles one net for each input size, one frame after it was first seen.

    notes: what to tell with the current prediction. seconds: what compiling has cost so far.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._has_graphs = device.type == "cuda"
        self._frame = 0
        self._first_seen: dict[tuple[Any, ...], int] = {}
        self._ready: set[tuple[Any, ...]] = set()
        self._trouble = ""
        self._made: tuple[nn.Module, Any] | None = None
        self.notes: tuple[str, ...] = ()
        self.seconds = 0.0

    @property
    def is_ready(self) -> bool:
        """True once some size is compiled and nothing went wrong."""
        return bool(self._ready) and not self._trouble

    def begin_frame(self) -> None:
        """Sizes seen before now are compiled when they come again."""
        self._frame += 1
        self.notes = (self._trouble,) if self._trouble else ()

    def __call__(self, net: nn.Module, x: Tensor) -> Tensor:
        """Logits (C, a, b) of the net for float (1, 3, h, w), within the caller's autocast."""
        key = (*x.shape, torch.get_autocast_dtype(x.device.type), torch.is_autocast_enabled())
        if self._trouble or (len(self._ready) >= MOST_SIZES and key not in self._ready):
            return _plain(net, x)
        if self._first_seen.setdefault(key, self._frame) == self._frame:
            note = f"compiling… for {x.shape[3]}×{x.shape[2]}: the next frame takes longer"
            self.notes = tuple(dict.fromkeys((*self.notes, note)))
            return _plain(net, x)
        return self._run(net, x, key)

    def _run(self, net: nn.Module, x: Tensor, key: tuple[Any, ...]) -> Tensor:
        start = time.perf_counter()
        try:
            logits = self._compiled(net, x)
        except Exception as error:
            if devices.is_out_of_memory(error) or devices.is_device_lost(error):
                raise
            # Whatever the compiler could not do, the net itself can.
            log.warning("the net could not be compiled", exc_info=True)
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            self._trouble = f"not compiled ({first[:160]})"
            self.notes = (self._trouble,)
            return _plain(net, x)
        if key not in self._ready:
            self._ready.add(key)
            self.seconds += time.perf_counter() - start
            note = f"compiled for {x.shape[3]}×{x.shape[2]} in {time.perf_counter() - start:.0f} s"
            self.notes = (*self.notes, note)
        return logits

    def _compiled(self, net: nn.Module, x: Tensor) -> Tensor:
        if self._made is None or self._made[0] is not net:
            mode = "reduce-overhead" if self._has_graphs else None
            self._made = (net, torch.compile(net, mode=mode, dynamic=False))
        if not self._has_graphs:
            return _plain(self._made[1], x)
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        # A recorded graph writes its answer to one place for ever: the next call overwrites it.
        return _plain(self._made[1], x).clone()


def _plain(net: Any, x: Tensor) -> Tensor:  # noqa: ANN401  a module, compiled or not
    logits: Tensor = net(x).logits[0]
    return logits
