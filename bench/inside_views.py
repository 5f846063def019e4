"""What a view of a layer costs beside the net itself

BiSeNet V2 at 1280×736, the size of a 1280×720 frame for it, on a CPU. Looking at a layer is a copy
of its answer during the pass and the reading of the view after it; both are set against the bare
forward pass, in turns, with everything that is fitted once (basis, groups, scale) fitted. What a
fit costs is in a table of its own.

    python bench/inside_views.py [--rounds 15] [--threads N] [--precision auto]
"""

import argparse
import dataclasses
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from models import any_model
from segstudio.core.feature_map import Lattice
from segstudio.core.look import LayerLook
from segstudio.engine.bench import make_frame
from segstudio.engine.inside.capture import capturing
from segstudio.engine.inside.views import LayerReader
from segstudio.engine.predictor import Predictor
from segstudio.engine.runner import Runner

SIZE = (736, 1280)
GOAL = 0.25
"""Share of the forward pass that a PCA view may cost."""
LAYERS = (
    "detail.stage1",
    "detail.stage2",
    "detail.stage3",
    "semantic.stem",
    "semantic.stage4",
    "semantic.context",
    "aggregation",
)
SHOWS = ("mean", "max", "norm", "channel", "similar", "pca", "segments", "grid")


def milliseconds(call) -> float:
    """Of one call."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def answers(runner: Runner, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Layer → (C, h, w)."""
    with capturing(runner.net, dict.fromkeys(LAYERS, -1)) as found:
        runner.forward(x)
    return {name: found[name][0] for name in LAYERS}


def in_turns(calls: dict, rounds: int) -> dict:
    """Name → median ms; everybody has had a turn before."""
    spent = {name: [] for name in calls}
    for number in range(rounds + 2):
        for name, call in calls.items():
            ms = milliseconds(call)
            if number >= 2:
                spent[name].append(ms)
    return {name: statistics.median(values) for name, values in spent.items()}


def reading(features: torch.Tensor, look: LayerLook):
    """A call that reads with what the reader has fitted."""
    reader = LayerReader(look)
    lattice = Lattice.even(tuple(features.shape[1:]), SIZE)
    return lambda: reader.read(features, lattice, look)


def table(head: list[str], rows: list[list[str]]) -> None:
    """As Markdown."""
    for cells in (head, ["-"] * len(head), *rows):
        print("| " + " | ".join(cells) + " |")
    print()


def layers(runner: Runner, x: torch.Tensor, rounds: int) -> bool:
    """The PCA view of every layer; True when each keeps to the goal."""
    found = answers(runner, x)
    calls = {"net": lambda: runner.forward(x)}
    for name, features in found.items():
        calls[f"copy {name}"] = features.clone
        calls[f"read {name}"] = reading(features, LayerLook(name, "pca"))
    ms = in_turns(calls, rounds)
    print(f"PCA view; the bare forward pass takes {ms['net']:.1f} ms.\n")
    rows, is_met = [], True
    for name, features in found.items():
        copy, read = ms[f"copy {name}"], ms[f"read {name}"]
        share = (copy + read) / ms["net"]
        is_met &= share < GOAL
        verdict = "" if share < GOAL else " (missed)"
        shape = "×".join(map(str, features.shape))
        rows.append([name, shape, f"{copy:.1f}", f"{read:.1f}", f"{100 * share:.1f} %{verdict}"])
    head = ["layer", "channels×h×w", "copy, ms", "read, ms", f"of the net (goal {GOAL:.0%})"]
    table(head, rows)
    return is_met


def views(runner: Runner, x: torch.Tensor, rounds: int) -> None:
    """Every view of one early and one late layer, kept and fitted anew."""
    found = answers(runner, x)
    rows = []
    for name in ("detail.stage1", "aggregation"):
        for show in SHOWS:
            look = LayerLook(name, show)
            fresh = dataclasses.replace(look, is_frozen=False)
            ms = in_turns(
                {
                    "net": lambda: runner.forward(x),
                    "kept": reading(found[name], look),
                    "fresh": reading(found[name], fresh),
                },
                rounds,
            )
            share = f"{100 * ms['kept'] / ms['net']:.1f} %"
            rows.append([name, show, f"{ms['kept']:.1f}", share, f"{ms['fresh']:.1f}"])
    print("Every view, read alone; “anew” fits scale, basis, groups or order on each frame.\n")
    table(["layer", "view", "ms", "of the net", "anew, ms"], rows)


def frames(rounds: int, precision: str) -> None:
    """A whole prediction: never looked into, no longer looked into, and with a PCA view."""
    card, frame = any_model(), make_frame((720, 1280))
    never, no_longer, *looked = (Predictor(card, "cpu", precision=precision) for _ in range(4))
    for layer in LAYERS:
        no_longer.look_for(LayerLook(layer, "pca"))
        no_longer.predict(frame)
    no_longer.look_for(None)
    calls = {"never": lambda: never.predict(frame), "off": lambda: no_longer.predict(frame)}
    for layer, predictor in zip(("detail.stage1", "aggregation"), looked, strict=True):
        predictor.look_for(LayerLook(layer, "pca"))
        calls[layer] = partial(predictor.predict, frame)
    ms = in_turns(calls, rounds)
    rows = [
        [title, f"{ms[name]:.1f}", f"{ms[name] / ms['never']:.2f}"]
        for name, title in (
            ("never", "never looked into"),
            ("off", "looked into before, now off"),
            ("detail.stage1", "PCA of detail.stage1"),
            ("aggregation", "PCA of aggregation"),
        )
    ]
    print("A whole prediction of a 1280×720 frame, from picture to labels.\n")
    table(["", "ms", "of the first"], rows)
    for predictor in (never, no_longer, *looked):
        predictor.close()


def main() -> int:
    """Prints the tables; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    runner = Runner(any_model(), torch.device("cpu"), options.precision)
    with torch.inference_mode():
        x = runner.prepare(make_frame((720, 1280)).rgb, SIZE)
        print(f"{runner.precision}, {torch.get_num_threads()} threads, median of turns.\n")
        is_met = layers(runner, x, options.rounds)
        views(runner, x, max(3, options.rounds // 3))
    frames(options.rounds, options.precision)
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
