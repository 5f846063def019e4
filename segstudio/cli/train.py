"""`segstudio train`: train or fine-tune a net on labelled folders and the synthetic drive."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from segstudio.cli.eval import class_set
from segstudio.cli.models import net_args
from segstudio.cli.synth import parse_size
from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import ClassMap
from segstudio.core.training import LabelledFolder, TrainEvent, TrainRecipe
from segstudio.errors import UsageError

EXAMPLE = """example:
  segstudio train runs/first --images camvid/train/images --labels camvid/train/labels \\
      --val camvid/val/images camvid/val/labels --synthetic 0.4 --steps 5000 --export my_model

The same command (or just `segstudio train runs/first`) goes on where an interrupted run stopped.
"""


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    p = subparsers.add_parser(
        "train",
        help="train or fine-tune a net",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("run", type=Path, metavar="RUN_DIR", help="folder of the run (made or resumed)")
    p.add_argument("--images", action="append", default=[], metavar="DIR", help="training pictures")
    p.add_argument("--labels", action="append", default=[], metavar="DIR", help="their label masks")
    p.add_argument(
        "--hold-out",
        action="append",
        default=[],
        metavar="PREFIX",
        help="stems with this prefix are validated on, never trained on",
    )
    p.add_argument(
        "--val",
        nargs=2,
        action="append",
        default=[],
        metavar=("IMAGES", "LABELS"),
        help="folders to validate on",
    )
    p.add_argument("-m", "--model", default="", metavar="BASE", help="start from this model")
    p.add_argument("--net", default="bisenet_v2", help="architecture (default: %(default)s)")
    p.add_argument("--head-width", type=int, help="channels of the segmentation head")
    p.add_argument(
        "--net-arg",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an argument of the net; may be given again",
    )
    p.add_argument("--classes", default="camvid", help="class set (default: %(default)s)")
    defaults = TrainRecipe(synthetic_share=1.0)
    p.add_argument(
        "--synthetic",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of samples from the synthetic drive, 0..1 (default: 0)",
    )
    p.add_argument(
        "--synthetic-pool",
        type=int,
        default=defaults.synthetic_pool,
        metavar="N",
        help="drives that they come from, one frame each (default: %(default)s)",
    )
    p.add_argument("--steps", type=int, default=None, help="optimiser steps in all")
    p.add_argument("--batch", type=int, default=defaults.batch)
    p.add_argument("--crop", default="256x320", metavar="HxW")
    p.add_argument("--scale", nargs=2, type=float, default=defaults.scale, metavar=("LOW", "HIGH"))
    p.add_argument(
        "--short-side",
        type=int,
        default=defaults.short_side,
        help="short side of the frame as the net sees it",
    )
    p.add_argument("--lr", type=float, default=defaults.learning_rate)
    p.add_argument("--warm-up", type=int, default=defaults.warm_up, metavar="STEPS")
    p.add_argument("--ema", type=float, default=defaults.ema_decay, metavar="DECAY")
    p.add_argument("--validate-every", type=int, default=defaults.validate_every, metavar="STEPS")
    p.add_argument("--seed", type=int, default=defaults.seed)
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    p.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    p.add_argument(
        "--workers", type=int, default=defaults.workers, help="processes that prepare samples"
    )
    p.add_argument("--threads", type=int, default=0, help="CPU threads of the net (0: all)")
    p.add_argument("--export", metavar="NAME|DIR", help="make a model folder of the best weights")
    p.add_argument("--title", help="its title in the model list")
    p.add_argument("--trained-on", default="", help="sentence for its card")
    p.add_argument("--licence", default="", help="terms for its card")
    p.add_argument("--quiet", action="store_true", help="no progress lines")
    p.add_argument("--json", metavar="FILE", help="events as JSON lines; - for standard output")
    p.set_defaults(run_command=run)


def run(args: argparse.Namespace) -> int:
    """Train, resume, export; 0 when the run is finished."""
    recipe = _recipe(args)
    classes, _ = class_set(recipe.classes)
    rule = InputRule(short_side=recipe.short_side)
    from segstudio.train.loop import fit

    with _Events(args) as events:
        for event in fit(recipe, args.run, classes, rule):
            events.write(event)
    if args.export:
        _export(args, recipe, classes, rule)
    return 0


def _recipe(args: argparse.Namespace) -> TrainRecipe:
    """The recipe of a run that has begun (with --steps replaced), else one from the options."""
    file = args.run / "recipe.json"
    has_begun = (args.run / "last.pt").is_file()
    if file.is_file() and (has_begun or not (args.images or args.synthetic)):
        recipe = TrainRecipe.from_json(file.read_text(encoding="utf-8"))
        return replace(recipe, steps=args.steps) if args.steps else recipe
    if len(args.images) != len(args.labels):
        raise UsageError("Give one --labels folder for every --images folder.")
    hold_out = tuple(args.hold_out)
    recipe = TrainRecipe(
        net=args.net,
        net_args={
            **({"head_width": args.head_width} if args.head_width else {}),
            **net_args(args.net_arg),
        },
        classes=args.classes,
        base=args.model,
        train=tuple(
            LabelledFolder(i, m, hold_out) for i, m in zip(args.images, args.labels, strict=True)
        ),
        validate=tuple(LabelledFolder(i, m) for i, m in args.val),
        synthetic_share=args.synthetic,
        synthetic_pool=args.synthetic_pool,
        steps=args.steps or TrainRecipe(synthetic_share=1.0).steps,
        batch=args.batch,
        crop=parse_size(args.crop),
        scale=(args.scale[0], args.scale[1]),
        short_side=args.short_side,
        learning_rate=args.lr,
        warm_up=args.warm_up,
        ema_decay=args.ema,
        validate_every=args.validate_every,
        seed=args.seed,
        device=args.device,
        precision=args.precision,
        workers=args.workers,
        threads=args.threads,
    )
    args.run.mkdir(parents=True, exist_ok=True)
    file.write_text(recipe.to_json(), encoding="utf-8")
    return recipe


class _Events:
    """Writes each event to events.jsonl in the run, to --json, and as a line for people."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._file = (args.run / "events.jsonl").open("a", encoding="utf-8")
        self._extra: Any = None
        if args.json == "-":
            self._extra = sys.stdout
        elif args.json:
            self._extra = Path(args.json).open("a", encoding="utf-8")  # noqa: SIM115  closed below
        self._tells = not args.quiet and args.json != "-"

    def __enter__(self) -> "_Events":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._extra is not None and self._extra is not sys.stdout:
            self._extra.close()

    def write(self, event: TrainEvent) -> None:
        """One event, everywhere it belongs."""
        line = event.to_json()
        for file in (self._file, self._extra):
            if file is not None:
                file.write(line + "\n")
                file.flush()
        if self._tells:
            print(_sentence(event), flush=True)


def _sentence(event: TrainEvent) -> str:
    f = event.figures
    if event.kind == "step":
        loss = "not finite" if f["loss"] is None else f"{f['loss']:.3f}"
        return (
            f"step {event.step}: loss {loss}, lr {f['lr']:.5f},"
            f" {f['samples_per_s']} samples/s, {f['eta_s'] // 60} min left"
        )
    if event.kind == "validated":
        return f"step {event.step}: mIoU on {f['set']} {100 * f['miou']:.1f} %"
    if event.kind == "saved":
        return f"step {event.step}: saved{' (best so far)' if f['is_best'] else ''}"
    if event.kind == "started":
        return f"training on {f['device']} in {f['precision']}, from step {event.step}"
    return f"finished after {event.step} steps"


def _export(
    args: argparse.Namespace,
    recipe: TrainRecipe,
    classes: ClassMap,
    rule: InputRule,
) -> None:
    """The best weights as a model folder; a bare name goes to the user's models."""
    from segstudio import paths
    from segstudio.train.export import export_model

    folder = Path(args.export)
    if folder.parent == Path() and not folder.exists():
        folder = paths.user_models() / args.export
    card = ModelCard(
        name=folder.name,
        title=args.title or folder.name,
        net=recipe.net,
        classes=classes,
        input=rule,
        folder=folder,
        weights="weights.safetensors",
        trained_on=args.trained_on,
        licence=args.licence,
        command="segstudio " + " ".join(shlex.quote(a) for a in sys.argv[1:]),
    )
    done = export_model(args.run / "best.pt", recipe, card)
    print(f"The model {done.name} is in {done.folder}.")
