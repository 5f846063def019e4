"""The moving parts of a run, made ready: fresh, from a base model, or from a checkpoint."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainRecipe
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import load_into, load_state
from segstudio.store.models import find_model
from segstudio.train import checkpoint
from segstudio.train.distributed import Team
from segstudio.train.feeding import Share
from segstudio.train.freezing import Trained, freeze
from segstudio.train.optimising import build_optimiser
from segstudio.train.reheading import reheaded


@dataclass(slots=True)
class Training:
    """Net, its running average, optimiser, and where the run stands.

    joined: the net as it is called while training (wrapped where several processes train). parts:
    of equal size that a step's samples pass the net in. without_gain: validations since the best.
    origin: JSON of what the run began with, see train.lineage, "" until that is known. seconds:
    that processes before this one trained; since: when this one began, on the clock of
    time.perf_counter, moved on by every pause.
    """

    spec: NetSpec
    net: nn.Module
    joined: nn.Module
    average: AveragedModel | None
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    share: Share
    parts: int
    trained: Trained
    step: int = 0
    best: float = -1.0
    without_gain: int = 0
    origin: str = ""
    seconds: float = 0.0
    since: float = field(default_factory=time.perf_counter)

    @property
    def judged(self) -> nn.Module:
        """What is validated and kept: the average where there is one."""
        return self.average.module if self.average is not None else self.net

    def save(self, path: Path) -> None:
        """Everything that resuming needs."""
        checkpoint.save(
            path,
            step=self.step,
            net=self.net,
            average=self.average,
            optimiser=self.optimiser,
            best=self.best,
            scaler=self.scaler.state_dict(),
            effective=self.share.effective,
            parts=self.parts,
            without_gain=self.without_gain,
            origin=self.origin,
            seconds=self.seconds + time.perf_counter() - self.since,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def prepare(
    recipe: TrainRecipe, classes: ClassMap, run: Path, team: Team, dtype: torch.dtype
) -> Training:
    """Ready to go on where `run`/last.pt stands, or from the start."""
    torch.manual_seed(recipe.seed)  # the fresh net
    device = team.device
    spec = NETS.get(recipe.net)
    net = spec.build(len(classes), **recipe.net_args).to(device)
    net = net.to(memory_format=torch.channels_last)
    last = run / "last.pt"
    state = checkpoint.load(last) if checkpoint.exists(last) else {}
    if recipe.base and not state:
        _start_from(net, spec, recipe.base, classes)
    trained = freeze(net, spec, recipe.freeze, norms=recipe.norms)
    average = None
    if recipe.ema_decay > 0:
        average = AveragedModel(
            net, multi_avg_fn=_moving_average(recipe.ema_decay), use_buffers=True
        )
    share = Share.of(recipe, team.rank, state.get("effective"))
    rule = recipe.optimiser_rule(share.effective)
    training = Training(
        spec=spec.of(net),
        net=net,
        joined=net,
        average=average,
        optimiser=build_optimiser(net, spec, rule),
        scaler=torch.amp.GradScaler(device.type, enabled=dtype is torch.float16),
        share=share,
        parts=-(-share.size // recipe.batch),
        trained=trained,
    )
    if state:
        net.load_state_dict(state["net"])
        if average is not None and state["average"] is not None:
            average.load_state_dict(state["average"])
        _resume(training.optimiser, state["optimiser"])
        if state.get("scaler"):
            training.scaler.load_state_dict(state["scaler"])
        training.step, training.best = int(state["step"]), float(state["best"])
        training.without_gain = int(state.get("without_gain", 0))
        training.parts = max(training.parts, int(state.get("parts", 1)))
        training.origin = str(state.get("origin", ""))
        training.seconds = float(state.get("seconds", 0.0))
    training.joined = team.joined(net, sync_bn=recipe.sync_bn)
    _check_batch(training)
    return training


def _resume(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Momenta of the checkpoint, rates of the recipe (which may have been given anew).

    ModelError when the checkpoint is of a version that grouped weights otherwise.
    """
    rates = [group["initial_lr"] for group in optimiser.param_groups]
    try:
        optimiser.load_state_dict(state)
    except ValueError as error:
        raise ModelError(
            "The checkpoint last.pt is of an older version of the program, whose optimiser cannot"
            " go on here; export its weights there, and start a new run from them."
        ) from error
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["initial_lr"] = rate


def smallest_part(net: nn.Module) -> int:
    """Pictures that must pass the net together: two where a batch norm learns its statistics."""
    norms = (m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
    return 2 if any(norm.training for norm in norms) else 1


def _check_batch(training: Training) -> None:
    """SegStudioError when a batch norm would see one picture alone."""
    training.net.train()
    if training.share.size < training.parts * smallest_part(training.net):
        raise SegStudioError(
            f"{training.spec.title} has batch norms, which learn from a batch of at least two"
            " pictures; choose a larger batch, or freeze the norms."
        )


Tensors = tuple[Tensor, ...] | list[Tensor]


def _moving_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Exponential moving average whose memory is short at first, so that a young average is not
    mostly the random start: decay = min(decay, (1 + n) / (10 + n)) after n updates.
    """

    def update(averages: Tensors, current: Tensors, updates: Tensor | int) -> None:
        n = float(updates)
        share = 1.0 - min(decay, (1.0 + n) / (10.0 + n))
        with torch.no_grad():
            for average, value in zip(averages, current, strict=True):
                if average.is_floating_point():
                    average.lerp_(value.to(average.dtype), share)
                else:
                    average.copy_(value)

    return update


def _start_from(net: nn.Module, spec: NetSpec, base: str, classes: ClassMap) -> None:
    """Weights of an installed model; heads that only training has start fresh, and so does what
    the classifier says of classes that the base does not know.
    """
    card = find_model(base)
    state = load_state(card.folder / card.weights)
    load_into(net, reheaded(net, spec, state, card.classes, classes), source=card.title)
