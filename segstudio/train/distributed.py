"""The same run in several processes: DistributedDataParallel, and what else must be agreed on.

One step of N processes with batch B is one step of one process with batch N·B: the same sample
numbers, each process its own consecutive share of them; gradients are those of the mean over all
valid pixels of all processes, not the mean of N means. What differs: batch norms see the pictures
of their own process unless `sync_bn` (CUDA only: torch has no synchronised batch norm on a CPU),
hard pixels are mined in each process by itself, and dropout draws other numbers.

Words are exchanged by gloo in the memory of the host, so that asking whether to stop never waits
for a device.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from segstudio.engine.device import choose_device
from segstudio.engine.ranks import PATIENCE, Rank, met, own_device
from segstudio.errors import DeviceError
from segstudio.train.freezing import is_frozen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Team:
    """The processes of a run. device: of this one. words: the gloo group, None when alone."""

    rank: Rank
    device: torch.device
    words: Any = None

    def summed(self, *values: float) -> list[float]:
        """The sum over all processes of each value (float64)."""
        if self.rank.is_alone:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total, group=self.words)
        return [float(v) for v in total]

    def added(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sum over all processes of an array, exact."""
        if self.rank.is_alone:
            return counts
        total = torch.from_numpy(counts.copy())
        dist.all_reduce(total, group=self.words)
        return np.asarray(total.numpy(), np.int64)

    def gathered(self, value: T) -> list[T]:
        """The value of every process by rank, in all of them."""
        if self.rank.is_alone:
            return [value]
        found: list[Any] = [None] * self.rank.of
        dist.all_gather_object(found, value, group=self.words)
        return found

    def told(self, value: T) -> T:
        """What the first process says, in all of them."""
        if self.rank.is_alone:
            return value
        box: list[T] = [value]
        dist.broadcast_object_list(box, src=0, group=self.words)
        return box[0]

    def joined(self, net: nn.Module, *, sync_bn: bool) -> nn.Module:
        """The net as it is trained: gradients are averaged over all processes.

        DeviceError where batch norms cannot be synchronised.
        """
        if self.rank.is_alone:
            return net
        if sync_bn:
            if self.device.type != "cuda":
                raise DeviceError(
                    f"Batch norms are synchronised on CUDA devices only, and this is"
                    f" {self.device.type}; leave --sync-bn out."
                )
            _synchronise(net)
        cuda = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(net, device_ids=cuda)

    def align_buffers(self, net: nn.Module) -> None:
        """Running statistics as the first process has them, so that all judge the same net."""
        if self.rank.is_alone:
            return
        for buffer in net.buffers():
            mine = buffer.detach().cpu()
            dist.broadcast(mine, src=0, group=self.words)
            buffer.copy_(mine)


def _synchronise(net: nn.Module) -> None:
    """Batch norms inside become synchronised ones, but for frozen ones, which must stay frozen."""
    convert = nn.SyncBatchNorm.convert_sync_batchnorm
    for name, child in net.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            if not is_frozen(child):
                setattr(net, name, convert(child))  # type: ignore[no-untyped-call]
        else:
            _synchronise(child)


@contextlib.contextmanager
def team(device: str) -> Iterator[Team]:
    """The processes that the environment names, met; alone when it names none.

    device: as in a recipe; "auto" and "cuda" give each process of a computer a device of its own.
    """
    rank = Rank.here()
    if rank.is_alone:
        yield Team(rank, choose_device(device))
        return
    one = choose_device(own_device(device, rank))
    if one.type == "cuda":
        torch.cuda.set_device(one)
    with met(rank, "nccl" if one.type == "cuda" else "gloo"):
        yield Team(rank, one, dist.new_group(backend="gloo", timeout=PATIENCE))
