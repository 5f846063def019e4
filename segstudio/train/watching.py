"""Numbers of a run while it goes: is the loss still one, how fast, how much memory."""

import math
import time
from typing import Any

import torch
from torch import Tensor

from segstudio.train.distributed import Team
from segstudio.train.preparing import Training


class Watch:
    """Looks whether loss and gradient of each step are finite, one step late.

    Late because a device computes while the host goes on; to ask at once would make the host wait
    every step.
    """

    def __init__(self, device: torch.device) -> None:
        self._is_cuda = device.type == "cuda"
        self._waiting: tuple[int, Tensor, Any] | None = None

    def put(self, step: int, values: Tensor) -> int | None:
        """values: float (n,) of that step. The number of an earlier step that was not finite."""
        before = self.look()
        ready = None
        if self._is_cuda:
            here = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            here.copy_(values, non_blocking=True)
            ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            ready.record()
        else:
            here = values.cpu()
        self._waiting = (step, here, ready)
        return before

    def look(self) -> int | None:
        """The number of the step that is waited for when it was not finite; None: all is well."""
        if self._waiting is None:
            return None
        step, values, ready = self._waiting
        self._waiting = None
        if ready is not None:
            ready.synchronize()
        return None if all(math.isfinite(v) for v in values.tolist()) else step


def lost(training: Training) -> int | None:
    """The number of the step when a weight is not finite."""
    finite = [p.detach().isfinite().all() for p in training.net.parameters()]
    return None if bool(torch.stack(finite).all()) else training.step


class Meter:
    """Samples per second of wall time since it was made or started again."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What was between is not the loop's time."""
        self._clock, self._seen = time.perf_counter(), 0

    def add(self, samples: int) -> None:
        """So many went through."""
        self._seen += samples

    def rate(self) -> float:
        """Samples per second; 0 before the first."""
        return self._seen / max(1e-9, time.perf_counter() - self._clock)


def memory_mb(team: Team) -> float | None:
    """Most MiB that tensors took on the device so far; None where nobody counts."""
    if team.device.type != "cuda":
        return None
    return round(torch.cuda.max_memory_allocated(team.device) / 2**20, 1)
