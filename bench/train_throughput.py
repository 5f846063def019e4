"""The training loop against a bare loop: samples per second, as a ratio within one run.

    python bench/train_throughput.py [--net bisenet_v2] [--batch 8] [--crop 256x320] [--steps 30]

Bare: forward, loss, backward, clip, step and average on batches that lie on the device already.
Loop: `segstudio.train.loop.fit` with its data made in memory beforehand, so that both compute the
same. Rounds of both take turns, and the ratio is that of the medians. Validation is left out: it is
no part of a step. A third figure is the loop with samples as they are made in training, from the
synthetic drive on `--workers` processes: what remains of the loop's speed is how well it is fed.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import CAMVID
from segstudio.core.training import TrainRecipe
from segstudio.engine.allocator import keep_freed_memory
from segstudio.engine.device import choose_device, synchronize
from segstudio.engine.ranks import ALONE
from segstudio.train import assembling, loop, stepping
from segstudio.train.criterion import criterion
from segstudio.train.distributed import Team
from segstudio.train.precision import precision
from segstudio.train.preparing import prepare

KEPT = 4
"""Different batches that both loops go round."""


class InMemory(Dataset):
    """Sample i, as the loop wants it, without any work."""

    def __init__(self, recipe: TrainRecipe) -> None:
        make = torch.Generator().manual_seed(0)
        many, (h, w) = KEPT * recipe.batch, recipe.crop
        self.images = torch.randn((many, 3, h, w), generator=make)
        self.labels = torch.randint(0, len(CAMVID), (many, h, w), generator=make)

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, number: int):
        return self.images[number % len(self.images)], self.labels[number % len(self.images)]

    def __getitems__(self, numbers: list[int]):
        return [self[number] for number in numbers]


def bare(recipe: TrainRecipe, folder: Path, data: InMemory) -> float:
    """Samples per second of the loop that a tutorial has."""
    device = choose_device(recipe.device)
    dtype, _ = precision(recipe.precision, device)
    training = prepare(recipe, CAMVID, folder, Team(ALONE, device), dtype)
    loss_of = criterion(recipe, training.spec)
    batches = [
        (
            data.images[i : i + recipe.batch].to(device, memory_format=torch.channels_last),
            data.labels[i : i + recipe.batch].to(device),
        )
        for i in range(0, len(data.images), recipe.batch)
    ]
    training.net.train()
    start = 0.0
    for step in range(recipe.steps):
        if step == WARM:
            synchronize(device)
            start = time.perf_counter()
        images, labels = batches[step % KEPT]
        training.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            output = training.net(images)
        loss_of(output, labels, None).backward()
        nn.utils.clip_grad_norm_(training.net.parameters(), recipe.clip)
        training.optimiser.step()
        if training.average is not None:
            training.average.update_parameters(training.net)
    synchronize(device)
    return (recipe.steps - WARM) * recipe.batch / (time.perf_counter() - start)


WARM = 5
"""Steps before the clock starts: a device chooses its kernels, memory is found."""


def looped(recipe: TrainRecipe, folder: Path, data: InMemory | None) -> float:
    """Samples per second of `fit`; data: None makes samples as training does."""
    real = assembling.assemble
    if data is not None:
        loop.assemble = lambda *_: assembling.Material(data, {})
    clock: list[float] = []
    step = stepping.Stepper.step

    def timed(self, *batch):
        if self._training.step == WARM:
            synchronize(self._team.device)
            clock.append(time.perf_counter())
        found = step(self, *batch)
        if self._training.step == recipe.steps:
            synchronize(self._team.device)
            clock.append(time.perf_counter())
        return found

    stepping.Stepper.step = timed
    try:
        for _event in loop.fit(recipe, folder, CAMVID, InputRule(short_side=recipe.short_side)):
            pass
    finally:
        stepping.Stepper.step = step
        loop.assemble = real
    return (recipe.steps - WARM) * recipe.batch / (clock[1] - clock[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", default="bisenet_v2")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", default="256x320")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--fed", action="store_true", help="the third figure too")
    args = parser.parse_args()
    keep_freed_memory()
    h, w = (int(side) for side in args.crop.split("x"))
    recipe = TrainRecipe(
        net=args.net,
        synthetic_share=1.0,
        synthetic_pool=64,
        crop=(h, w),
        batch=args.batch,
        steps=args.steps + WARM,
        validate_every=10**6,
        device=args.device,
        precision=args.precision,
        threads=args.threads,
        workers=0,
    )
    if args.threads:
        torch.set_num_threads(args.threads)
    data = InMemory(recipe)
    found: dict[str, list[float]] = {"bare": [], "loop": [], "fed": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(args.rounds):
            for name in ("bare", "loop") if turn % 2 else ("loop", "bare"):
                run = Path(folder) / f"{name}{turn}"
                run.mkdir()
                made = bare if name == "bare" else looped
                found[name].append(made(recipe, run, data))
        if args.fed:
            run = Path(folder) / "fed"
            for steps in (WARM + 1, recipe.steps):  # the first renders the frames
                run.mkdir(exist_ok=True)
                (run / "last.pt").unlink(missing_ok=True)
                fed = dataclasses.replace(recipe, workers=args.workers, steps=steps)
                found["fed"] = [looped(fed, run, None)]
    device = choose_device(args.device)
    about = f"{args.net}, {args.batch} crops of {args.crop}, {device}"
    middle = {name: statistics.median(rates) for name, rates in found.items() if rates}
    for name, rate in middle.items():
        print(f"{name:<5} {rate:8.2f} samples/s   {about}")
    ratio = middle["loop"] / middle["bare"]
    print(f"loop ÷ bare {ratio:.3f} (goal ≥ 0.95)")
    if "fed" in middle:
        print(f"fed ÷ loop  {middle['fed'] / middle['loop']:.3f} with {args.workers} workers")
    return 0 if ratio >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main())
