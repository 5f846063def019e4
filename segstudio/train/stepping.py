"""One optimiser step: forward, loss, backward, update, in as many parts as memory needs."""

import contextlib
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.core.classes import VOID
from segstudio.core.train_rules import ScheduleRule
from segstudio.core.training import TrainRecipe
from segstudio.engine.device import free_cache, is_out_of_memory
from segstudio.errors import OutOfMemory
from segstudio.nets.registry import NetOutput
from segstudio.train.distributed import Team
from segstudio.train.preparing import Training, smallest_part
from segstudio.train.schedule import rate

Criterion = Callable[[NetOutput, Tensor, Tensor | None], Tensor]
"""Output of the net, int64 (N, H, W) labels and what pixels count, float32 (N, H, W) or None for 1
each → scalar: a mean over the pixels that count."""


class Stepper:
    """Makes steps of one run. Where memory runs short it cuts a step's samples into more parts.

    A step is the same in one part or many: its gradient is that of the mean over all valid pixels
    of all parts in all processes (batch norms alone see the parts one by one).
    """

    def __init__(
        self,
        training: Training,
        recipe: TrainRecipe,
        team: Team,
        dtype: torch.dtype,
        criterion: Criterion,
    ) -> None:
        self._training = training
        self._recipe = recipe
        self._team = team
        self._dtype = dtype
        self._criterion = criterion
        self._schedule: ScheduleRule = recipe.schedule_rule()
        self._clip = recipe.clip
        self._least = smallest_part(training.net)

    def step(
        self, images: Tensor, labels: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, bool]:
        """(what is finite when all went well, whether parts had to become smaller).

        images: float32 (n, 3, h, w), labels: int64 (n, h, w), weights: float32 (n, h, w) or None,
        in the memory of the host or on the device. The first is float32 (2,) on the device: this
        process's part of the mean loss over the step, and the norm of the gradient. OutOfMemory
        when even the smallest part is too much.
        """
        training = self._training
        factor = rate(training.step, self._schedule)
        for group in training.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * factor
        was = training.parts
        batch = (images, labels) if weights is None else (images, labels, weights)
        while (loss := self._backward(*batch)) is None:
            pass
        norm = self._update()
        training.step += 1
        if training.average is not None:
            training.average.update_parameters(training.net)
        return torch.stack([loss, norm]), training.parts != was

    def _backward(self, *batch: Tensor) -> Tensor | None:
        """The loss, with its gradient in the weights; None: memory was short, parts are smaller."""
        try:
            return self._gradients(*batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            parts = min(2 * self._training.parts, self._training.share.size // self._least)
            if parts <= self._training.parts or not self._team.rank.is_alone:
                raise OutOfMemory(self._too_much()) from error
            self._training.parts = parts
        self._training.optimiser.zero_grad(set_to_none=True)
        free_cache(self._team.device)
        return None

    def _too_much(self) -> str:
        h, w = self._recipe.crop
        size = -(-self._training.share.size // self._training.parts)
        return (
            f"Training {self._training.spec.title} on {size} crops of {h}×{w} at once needs more"
            f" memory than is free on {self._team.device}; choose a smaller --batch with more"
            " --accumulate, a smaller crop, or close other programs."
        )

    def _gradients(self, *batch: Tensor) -> Tensor:
        training, device = self._training, self._team.device
        training.joined.train()
        # dropout, the same when resumed and other in each process
        torch.manual_seed(
            self._recipe.seed * 1_000_003 + training.step + self._team.rank.number * 7_368_787
        )
        training.optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=device)
        shares = self._shares(*batch[1:])
        pieces = zip(*(whole.tensor_split(training.parts) for whole in batch), strict=True)
        for number, piece in enumerate(pieces, start=1):
            is_last = number == training.parts
            with self._without_talk() if not is_last else contextlib.nullcontext():
                x, labels, *rest = (each.to(device, non_blocking=True) for each in piece)
                loss = self._criterion(self._forward(x), labels, rest[0] if rest else None)
                if shares:
                    loss = loss * shares[number - 1]
                # every process has its share of one mean, and their gradients are averaged
                training.scaler.scale(loss * self._team.rank.of).backward()  # type: ignore[no-untyped-call]
                total += loss.detach()
        return total

    def _forward(self, x: Tensor) -> NetOutput:
        margin = self._training.spec.margin
        if margin:
            x = F.pad(x, (margin,) * 4, mode="reflect")
        x = x.to(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, self._dtype, enabled=self._dtype is not torch.float32):
            output: NetOutput = self._training.joined(x)
        return output

    def _without_talk(self) -> contextlib.AbstractContextManager[None]:
        """Gradients of all parts but the last stay in this process."""
        joined = self._training.joined
        if isinstance(joined, nn.parallel.DistributedDataParallel):
            return joined.no_sync()
        return contextlib.nullcontext()

    def _shares(self, labels: Tensor, weights: Tensor | None = None) -> list[Tensor]:
        """Of each part in what counts in the whole step; empty for one part that is all."""
        parts = self._training.parts
        if parts == 1 and self._team.rank.is_alone:
            return []
        known = labels != VOID
        counts = known if weights is None else known * weights
        valid = torch.stack([some.sum(dtype=torch.float64) for some in counts.tensor_split(parts)])
        total = valid.sum()
        if not self._team.rank.is_alone:
            total = torch.tensor(self._team.summed(float(total))[0])
        shares = valid / total.clamp(min=1e-9).to(valid.device)
        return list(shares.float().to(self._team.device, non_blocking=True))

    def _update(self) -> Tensor:
        """One step of the optimiser; the norm of the gradient before it was clipped.

        With fp16 a gradient beyond its range is skipped by the scaler, as is usual: the norm that
        is told then is 0, and counts as well.
        """
        training = self._training
        training.scaler.unscale_(training.optimiser)
        limit = self._clip if self._clip > 0 else float("inf")
        norm = nn.utils.clip_grad_norm_(training.net.parameters(), limit)
        training.scaler.step(training.optimiser)
        training.scaler.update()
        return torch.zeros_like(norm) if training.scaler.is_enabled() else norm
