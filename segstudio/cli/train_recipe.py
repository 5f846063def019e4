"""The recipe that the options of `train` describe, or that the run began with."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from segstudio.atomic import atomic_write
from segstudio.cli.models import net_args
from segstudio.cli.synth import parse_size
from segstudio.core.training import CHOICES, LabelledFolder, TrainRecipe
from segstudio.errors import UsageError

_PLAIN: tuple[tuple[str, str, type, str, str], ...] = (
    ("--steps", "steps", int, "N", "optimiser steps in all"),
    ("--batch", "batch", int, "N", "pictures that pass the net at once in a process"),
    ("--accumulate", "accumulation", int, "N", "batches of one step"),
    ("--short-side", "short_side", int, "PIXELS", "short side of the frame as the net sees it"),
    ("--lr", "learning_rate", float, "RATE", "learning rate"),
    ("--lr-batch", "rate_batch", int, "N", "samples a step that the rate is meant for; it is scaled"
     " to the real ones"),
    ("--warm-up", "warm_up", int, "STEPS", "steps in which the rate rises"),
    ("--clip", "clip", float, "NORM", "largest norm of the gradient, 0 for none"),
    ("--ema", "ema_decay", float, "DECAY", "of the averaged weights, 0 for none"),
    ("--validate-every", "validate_every", int, "STEPS", "steps between validations"),
    ("--patience", "patience", int, "N", "end after N validations without a gain; 0 never"),
    ("--seed", "seed", int, "N", "of everything random"),
    ("--workers", "workers", int, "N", "processes that prepare samples"),
    ("--threads", "threads", int, "N", "CPU threads of the net (0: all)"),
    ("--synthetic", "synthetic_share", float, "SHARE", "of samples from the synthetic drive, 0..1"),
    ("--synthetic-pool", "synthetic_pool", int, "N", "drives that they come from, a frame each"),
    ("--replay-share", "replay_share", float, "SHARE", "of samples from the --replay folders"),
    ("--label-smoothing", "label_smoothing", float, "SHARE", "of the target for all classes"),
    ("--dice", "dice", float, "SHARE", "of the Dice loss"),
    ("--lovasz", "lovasz", float, "SHARE", "of the Lovász loss"),
)  # fmt: skip

_WORDS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("--loss", "loss", ("ce", "ohem", "focal"), "of single pixels"),
    ("--class-weights", "class_weights", CHOICES["class_weights"], "from the labels"),
    ("--optimiser", "optimiser", ("sgd", "adamw"), "how weights follow gradients"),
    ("--schedule", "schedule", ("poly", "cosine", "constant", "step"), "course of the rate"),
    ("--freeze", "freeze", CHOICES["freeze"], "what stays as the base has it"),
    ("--norms", "norms", CHOICES["norms"], "what becomes of batch norms"),
    ("--augment", "augment", CHOICES["augment"], "how far samples are changed"),
    ("--precision", "precision", CHOICES["precision"], "number type"),
)

_CHANGEABLE = ("steps", "learning_rate", "device", "precision", "workers", "threads", "patience")
"""What may be said anew when a run goes on; everything else would make it another run."""


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """What is not said is the recipe's; without one the default."""
    data = parser.add_argument_group("what is trained on")
    data.add_argument("--images", action="append", default=[], metavar="DIR", help="pictures")
    data.add_argument("--labels", action="append", default=[], metavar="DIR", help="their masks")
    data.add_argument(
        "--project", metavar="FILE", help="a .segproj whose corrected frames are trained on"
    )
    data.add_argument(
        "--frames", choices=CHOICES["frames"], help="which pixels of it (default: confirmed)"
    )
    data.add_argument(
        "--hold-out",
        action="append",
        default=[],
        metavar="PREFIX",
        help="stems with this prefix are validated on, never trained on",
    )
    for flag, what in (("--val", "to validate on"), ("--replay", "of earlier data, mixed in")):
        data.add_argument(
            flag,
            nargs=2,
            action="append",
            default=[],
            metavar=("IMAGES", "LABELS"),
            help=f"folders {what}",
        )
    parser.add_argument("-m", "--model", metavar="BASE", help="start from this model")
    parser.add_argument("--net", help="architecture (the base's, or bisenet_v2)")
    parser.add_argument("--head-width", type=int, help="channels of the segmentation head")
    parser.add_argument(
        "--net-arg",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an argument of the net; may be given again",
    )
    parser.add_argument("--classes", help="class set (the project's, the base's, or camvid)")
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--crop", metavar="HxW", help="size of a sample")
    parser.add_argument("--scale", nargs=2, type=float, metavar=("LOW", "HIGH"), help="of resizes")
    parser.add_argument(
        "--sync-bn", action="store_true", default=None, help="one batch norm for all processes"
    )
    parser.add_argument(
        "--border-classes",
        type=int,
        nargs="+",
        metavar="ID",
        help="classes between whose regions pixels weigh more, where the recipe has a border",
    )
    for flag, field, kind, unit, what in _PLAIN:
        parser.add_argument(flag, dest=field, type=kind, metavar=unit, help=what)
    for flag, field, known, what in _WORDS:
        parser.add_argument(flag, dest=field, choices=known, help=what)


def recipe_of(args: argparse.Namespace, *, writes: bool) -> TrainRecipe:
    """The recipe of a run that has begun (with _CHANGEABLE replaced), else one from the options.

    writes: recipe.json too.
    """
    file = args.run / "recipe.json"
    has_begun = (args.run / "last.pt").is_file()
    has_data = args.images or args.project or args.synthetic_share
    if file.is_file() and (has_begun or not has_data):
        recipe = TrainRecipe.from_json(file.read_text(encoding="utf-8"))
        said = {name: getattr(args, name) for name in _CHANGEABLE}
        return replace(recipe, **{name: v for name, v in said.items() if v is not None})
    if len(args.images) != len(args.labels):
        raise UsageError("Give one --labels folder for every --images folder.")
    recipe = _from_options(args)
    if writes:
        atomic_write(file, recipe.to_json().encode())
    return recipe


def _from_options(args: argparse.Namespace) -> TrainRecipe:
    hold_out = tuple(args.hold_out)
    said_of_net = {
        **({"head_width": args.head_width} if args.head_width else {}),
        **net_args(args.net_arg),
    }
    settings: dict[str, Any] = {
        "net": args.net or "bisenet_v2",
        "net_args": said_of_net,
        "classes": args.classes or "camvid",
        "train": tuple(
            LabelledFolder(i, m, hold_out) for i, m in zip(args.images, args.labels, strict=True)
        ),
        "validate": tuple(LabelledFolder(i, m) for i, m in args.val),
        "replay": tuple(LabelledFolder(i, m) for i, m in args.replay),
    }
    if args.model:
        settings.update(_of_base(args.model, said_of_net, is_same_net=args.net is None))
    if args.project:
        settings["project"] = args.project
        settings["classes"] = _classes_of(Path(args.project), args.run)
    if args.classes:
        settings["classes"] = args.classes
    fields = ("device", "sync_bn", "frames", *(o[1] for o in _PLAIN), *(o[1] for o in _WORDS))
    settings.update({f: getattr(args, f) for f in fields if getattr(args, f) is not None})
    if args.crop:
        settings["crop"] = parse_size(args.crop)
    if args.border_classes:
        settings["border_classes"] = tuple(args.border_classes)
    if args.scale:
        settings["scale"] = (args.scale[0], args.scale[1])
    if args.recipe:
        from segstudio.train.presets import preset

        net = settings.pop("net")
        settings.setdefault("synthetic_share", 0.0)
        return preset(args.recipe, net, **settings)
    return TrainRecipe(**settings)


def _of_base(name: str, said: dict[str, Any], *, is_same_net: bool) -> dict[str, Any]:
    """Fields that a base model decides where nobody says otherwise."""
    from segstudio.store.models import find_model

    card = find_model(name)
    if not is_same_net:
        return {"base": name}
    # heads that only training has were left out of the base, and are built for training
    own = {k: v for k, v in card.net_args.items() if k not in ("boosters", "aux")}
    found: dict[str, Any] = {"base": name, "net": card.net, "net_args": {**own, **said}}
    if card.input.short_side:
        found["short_side"] = card.input.short_side
    if card.classes.name != "camvid":
        found["classes"] = card.classes.name
    return found


def _classes_of(project: Path, run: Path) -> str:
    """The name of the project's class set; a file in the run where it is no known one."""
    from segstudio.errors import SegStudioError
    from segstudio.store.class_sets import load_class_set
    from segstudio.store.project import Project

    opened = Project.open(project, read_only=True)
    try:
        classes = opened.classes
    finally:
        opened.close()
    try:
        if load_class_set(classes.name).classes == classes.classes:
            return classes.name
    except SegStudioError:  # no known set
        pass
    file = run / "classes.json"
    rows = {"name": classes.name, "classes": classes.to_json()}
    atomic_write(file, json.dumps(rows, indent=1).encode())
    return str(file)
