"""What a training run says, everywhere it belongs: its folder, standard output, people."""

import argparse
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segstudio.core.training import TrainEvent


class Events:
    """Writes each event to events.jsonl in the run, to --json, and as a line for people."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._file = (args.run / "events.jsonl").open("a", encoding="utf-8")
        self._extra: Any = None
        if args.json == "-":
            self._extra = sys.stdout
        elif args.json:
            self._extra = Path(args.json).open("a", encoding="utf-8")  # noqa: SIM115  closed below
        self._tells = not args.quiet and args.json != "-"

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._file, self._extra):
            if file is not None and file is not sys.stdout:
                with contextlib.suppress(OSError):  # a full disk: what fits is there
                    file.close()

    def write(self, event: TrainEvent) -> None:
        """One event, everywhere it belongs. A full disk loses lines, not the run."""
        line = event.to_json()
        for file in (self._file, self._extra):
            if file is None:
                continue
            is_out = file is sys.stdout
            with contextlib.nullcontext() if is_out else contextlib.suppress(OSError):
                file.write(line + "\n")
                file.flush()
        if self._tells:
            print(sentence(event), flush=True)


def sentence(event: TrainEvent) -> str:
    """The event for people."""
    f, at = event.figures, f"step {event.step}"
    if event.kind == "step":
        loss = "not finite" if f["loss"] is None else f"{f['loss']:.3f}"
        memory = f", {f['memory_mb']:.0f} MB" if f["memory_mb"] is not None else ""
        return (
            f"{at}: loss {loss}, lr {f['lr']:.5f}, {f['samples_per_s']} samples/s{memory},"
            f" {f['eta_s'] // 60} min left"
        )
    if event.kind == "started":
        processes = f" in {f['processes']} processes" if f["processes"] > 1 else ""
        notes = "".join(f"; {note}" for note in f["notes"])
        return (
            f"training on {f['device']} in {f['precision']}{processes}, from {at},"
            f" {f['effective_batch']} samples a step{notes}"
        )
    if event.kind in _TOLD:
        return f"{at}: {_TOLD[event.kind](f)}"
    return f"finished after {event.step} steps"


_TOLD: dict[str, Callable[[dict[str, Any]], str]] = {
    "preparing": lambda f: f"{f['what']}, {f['done']} of {f['of']}",
    "validated": lambda f: f"mIoU on {f['set']} {100 * f['miou']:.1f} %",
    "saved": lambda f: f"saved{' (best so far)' if f['is_best'] else ''}",
    "not_saved": lambda f: f"not saved, the run goes on: {f['why']}",
    "smaller_batch": lambda f: (
        f"{f['why']}, now {f['batch']} at once, {f['accumulation']} times a step"
    ),
    "paused": lambda _: "paused",
    "resumed": lambda _: "resumed",
    "stopped": lambda f: f"stopped, {f['why']}",
    "failed": lambda f: f"failed, {f['why']}",
}
