"""The training loop, on one screen: batch, loss, step; now and then validate and save."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.engine.allocator import keep_freed_memory
from segstudio.engine.device import choose_device
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import load_into, load_state
from segstudio.store.models import find_model
from segstudio.store.pairs import Pair
from segstudio.train import checkpoint
from segstudio.train.data import Samples, batches
from segstudio.train.losses import boosted_loss
from segstudio.train.schedule import poly
from segstudio.train.validate import validate, validation_sets

REPORT_EVERY = 20
"""Steps between two "step" events."""


@dataclass(slots=True)
class Training:
    """The moving parts of a run: net, its running average, optimiser, and where it stands."""

    spec: NetSpec
    net: nn.Module
    average: AveragedModel | None
    optimiser: torch.optim.Optimizer
    step: int = 0
    best: float = -1.0

    @property
    def judged(self) -> nn.Module:
        """What is validated and kept: the average where there is one."""
        return self.average.module if self.average is not None else self.net


def fit(
    recipe: TrainRecipe,
    run: Path,
    classes: ClassMap,
    rule: InputRule,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[TrainEvent]:
    """Train until `recipe.steps` or until `should_stop`; go on where `run`/last.pt stands.

    Yields an event every few steps, after every validation and at the end. Writes last.pt and
    best.pt (best mean IoU over all validation pictures).
    """
    keep_freed_memory()
    device = choose_device(recipe.device)
    _limit_threads(recipe.threads)
    torch.manual_seed(recipe.seed)  # the fresh net
    training = _prepare(recipe, len(classes), device, run)
    spec = training.spec
    spec.check_size(*recipe.crop)
    rule = dataclasses.replace(
        rule, multiple_of=math.lcm(rule.multiple_of, spec.multiple_of), remainder=spec.remainder
    )
    dtype = _precision(recipe.precision, device)
    samples, sets = Samples(recipe, len(classes), rule, run / "synthetic"), validation_sets(recipe)
    yield TrainEvent("started", training.step, {"device": str(device), "precision": str(dtype)})
    if training.step >= recipe.steps:
        yield TrainEvent("finished", training.step, {"best_miou": training.best})
        return
    clock, seen = time.perf_counter(), 0
    for images, labels in batches(samples, recipe, training.step):
        loss = _one_step(training, recipe, images.to(device), labels.to(device), dtype)
        seen += len(images)
        is_last = training.step >= recipe.steps or should_stop()
        if training.step % REPORT_EVERY == 0:
            rate = seen / (time.perf_counter() - clock)
            left = (recipe.steps - training.step) * recipe.batch / rate
            yield TrainEvent("step", training.step, _figures(loss, training, rate, left))
            clock, seen = time.perf_counter(), 0
        if training.step % recipe.validate_every == 0 or is_last:
            yield from _judge(training, sets, classes, rule, run)
            clock, seen = time.perf_counter(), 0
        if is_last:
            break
    yield TrainEvent("finished", training.step, {"best_miou": training.best})


def _one_step(
    training: Training, recipe: TrainRecipe, images: Tensor, labels: Tensor, dtype: torch.dtype
) -> Tensor:
    """Forward, loss, backward, update; returns the detached loss."""
    rate = poly(training.step, steps=recipe.steps, power=recipe.power, warm_up=recipe.warm_up)
    for group in training.optimiser.param_groups:
        group["lr"] = recipe.learning_rate * rate
    training.net.train()
    torch.manual_seed(recipe.seed * 1_000_003 + training.step)  # dropout, the same when resumed
    spec = training.spec
    if spec.margin:
        images = F.pad(images, (spec.margin,) * 4, mode="reflect")
    images = images.to(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, dtype, enabled=dtype is not torch.float32):
        output = training.net(images)
    loss = boosted_loss(
        output,
        labels,
        threshold=recipe.ohem_threshold,
        keep=recipe.ohem_keep,
        align_corners=spec.align_corners,
        aux_weights=spec.aux_weights,
    )
    training.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    nn.utils.clip_grad_norm_(training.net.parameters(), 10.0)
    training.optimiser.step()
    training.step += 1
    if training.average is not None:
        training.average.update_parameters(training.net)
    return loss.detach()


def _figures(loss: Tensor, training: Training, rate: float, left_s: float) -> dict[str, Any]:
    value = float(loss)
    return {
        "loss": value if math.isfinite(value) else None,
        "lr": training.optimiser.param_groups[0]["lr"],
        "samples_per_s": round(rate, 2),
        "eta_s": round(left_s),
    }


def _judge(
    training: Training,
    sets: dict[str, list[Pair]],
    classes: ClassMap,
    rule: InputRule,
    run: Path,
) -> Iterator[TrainEvent]:
    """Validate the kept weights, save last.pt always and best.pt when they are the best."""
    scores = {
        name: validate(training.spec, training.judged, pairs, len(classes), rule)
        for name, pairs in sets.items()
    }
    known = [s.miou for s in scores.values() if not math.isnan(s.miou)]
    mean = sum(known) / len(known) if known else 0.0
    is_best = mean > training.best or not known
    training.best = max(training.best, mean)
    for name in ("last", "best") if is_best else ("last",):
        checkpoint.save(
            run / f"{name}.pt",
            step=training.step,
            net=training.net,
            average=training.average,
            optimiser=training.optimiser,
            best=training.best,
        )
    for name, score in scores.items():
        per_class = {
            c.name: None if math.isnan(score.iou[c.id]) else round(float(score.iou[c.id]), 4)
            for c in classes.classes
        }
        yield TrainEvent(
            "validated",
            training.step,
            {"set": name, "miou": round(score.miou, 4), "iou": per_class},
        )
    yield TrainEvent("saved", training.step, {"file": "last.pt", "is_best": is_best})


def _prepare(recipe: TrainRecipe, classes: int, device: torch.device, run: Path) -> Training:
    """Net, average and optimiser: fresh, from a base model, or from the run's checkpoint."""
    spec = NETS.get(recipe.net)
    net = spec.build(classes, **recipe.net_args).to(device)
    net = net.to(memory_format=torch.channels_last)
    if recipe.base:
        _start_from(net, recipe.base)
    average = None
    if recipe.ema_decay > 0:
        average = AveragedModel(
            net, multi_avg_fn=_moving_average(recipe.ema_decay), use_buffers=True
        )
    training = Training(spec.of(net), net, average, _optimiser(net, recipe))
    last = run / "last.pt"
    if checkpoint.exists(last):
        state = checkpoint.load(last)
        net.load_state_dict(state["net"])
        if average is not None and state["average"] is not None:
            average.load_state_dict(state["average"])
        training.optimiser.load_state_dict(state["optimiser"])
        training.step, training.best = int(state["step"]), float(state["best"])
    return training


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


def _start_from(net: nn.Module, base: str) -> None:
    """Weights of an installed model; heads that only training has start fresh."""
    card = find_model(base)
    load_into(net, load_state(card.folder / card.weights), source=card.title)


def _optimiser(net: nn.Module, recipe: TrainRecipe) -> torch.optim.Optimizer:
    """SGD with momentum; weight decay on convolution weights only (BiSeNet V2 section 5.1)."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum)


def _precision(name: str, device: torch.device) -> torch.dtype:
    """bf16 where the hardware multiplies it: CUDA, or a CPU with AVX-512 BF16 or AMX."""
    if name == "fp32":
        return torch.float32
    if name == "bf16":
        return torch.bfloat16
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    if device.type == "cpu" and _cpu_has_bf16():
        return torch.bfloat16
    return torch.float32


def _cpu_has_bf16() -> bool:
    """False where bf16 would be emulated: ten times slower."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.is_file() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _limit_threads(threads: int) -> None:
    if threads > 0:
        torch.set_num_threads(threads)
