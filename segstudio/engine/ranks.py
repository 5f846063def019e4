"""One command run by several processes at once: who this one is, and what it may ask the others.

torchrun, Slurm and Ray say it in the environment: RANK, WORLD_SIZE, LOCAL_RANK, and where the first
process can be met, MASTER_ADDR and MASTER_PORT. Without them a process is alone and everything here
does nothing.
"""

import contextlib
import datetime
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from segstudio.errors import UsageError

T = TypeVar("T")

PATIENCE = datetime.timedelta(hours=12)
"""How long a process waits for the others: a paused run waits for a person."""


@dataclass(frozen=True, slots=True)
class Rank:
    """number: 0 ≤ number < of. local: among the processes on this computer."""

    number: int = 0
    of: int = 1
    local: int = 0

    @property
    def is_first(self) -> bool:
        """The one that writes and speaks."""
        return self.number == 0

    @property
    def is_alone(self) -> bool:
        """Nobody to share with."""
        return self.of == 1

    @staticmethod
    def here(environ: Mapping[str, str] | None = None) -> "Rank":
        """This process by its environment; UsageError when that makes no sense."""
        said = os.environ if environ is None else environ
        try:
            number, of = int(said.get("RANK", "0")), int(said.get("WORLD_SIZE", "1"))
            local = int(said.get("LOCAL_RANK", str(number)))
        except ValueError as error:
            raise UsageError(
                "RANK, WORLD_SIZE and LOCAL_RANK in the environment must be numbers; let torchrun"
                " set them, or unset them."
            ) from error
        if not 0 <= number < of:
            raise UsageError(
                f"RANK {number} of WORLD_SIZE {of} makes no sense; ranks count from 0, so let"
                " torchrun set them, or unset both."
            )
        return Rank(number, of, local)


ALONE = Rank()


def own_device(name: str, rank: Rank) -> str:
    """The device that this process takes: each of a computer its own CUDA device, in turn.

    name: as people say it; a name of one certain device stands.
    """
    if rank.is_alone or name not in ("auto", "cuda"):
        return name
    import torch

    if not torch.cuda.is_available():
        return name
    return f"cuda:{rank.local % torch.cuda.device_count()}"


@contextlib.contextmanager
def met(rank: Rank, backend: str = "gloo") -> Iterator[None]:
    """All processes know each other inside the block. backend: of tensors, gloo or nccl.

    UsageError when nobody said where to meet.
    """
    import torch.distributed as dist

    if rank.is_alone or dist.is_initialized():
        yield
        return
    if "MASTER_ADDR" not in os.environ:
        raise UsageError(
            f"This is process {rank.number} of {rank.of}, but MASTER_ADDR and MASTER_PORT do not"
            " say where they meet; start them with torchrun."
        )
    dist.init_process_group(backend, rank=rank.number, world_size=rank.of, timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def gathered(value: T, rank: Rank) -> list[T]:
    """The value of every process by rank, within `met`; empty anywhere but in the first."""
    import torch.distributed as dist

    if rank.is_alone:
        return [value]
    found: list[Any] | None = [None] * rank.of if rank.is_first else None
    dist.gather_object(value, found)
    return list(found or [])
