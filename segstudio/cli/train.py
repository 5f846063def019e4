"""`segstudio train`: train or fine-tune a net on labelled folders and the synthetic drive."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from segstudio.cli.eval import class_set
from segstudio.cli.train_events import Events
from segstudio.cli.train_recipe import add_recipe_options, recipe_of
from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainRecipe
from segstudio.engine.ranks import Rank
from segstudio.train.presets import PRESETS, describe

_EPILOG = """recipes (every option that is given wins over them):
{recipes}

example:
  segstudio train runs/first --images camvid/train/images --labels camvid/train/labels \\
      --val camvid/val/images camvid/val/labels --synthetic 0.4 --steps 5000 --export my_model
  segstudio train runs/mine -m my_model --recipe standard --images i/ --labels l/ --val vi/ vl/
  torchrun --nproc-per-node 4 -m segstudio train runs/first --images …

The same command (or just `segstudio train runs/first`) goes on where an interrupted run stopped.
While it runs, control.json in its folder pauses and stops it: {{"want": "pause"}}, go, stop.
"""


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    recipes = "\n".join(f"  {name:<11} {describe(name)}" for name in PRESETS)
    p = subparsers.add_parser(
        "train",
        help="train or fine-tune a net",
        description=__doc__,
        epilog=_EPILOG.format(recipes=recipes),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("run", type=Path, metavar="RUN_DIR", help="folder of the run (made or resumed)")
    p.add_argument("--recipe", choices=tuple(PRESETS), help="settings that belong together")
    add_recipe_options(p)
    p.add_argument("--export", metavar="NAME|DIR", help="make a model folder of the best weights")
    p.add_argument("--title", help="its title in the model list")
    p.add_argument("--trained-on", default="", help="sentence for its card")
    p.add_argument("--licence", default="", help="terms for its card")
    p.add_argument("--quiet", action="store_true", help="no progress lines")
    p.add_argument("--json", metavar="FILE", help="events as JSON lines; - for standard output")
    p.set_defaults(run_command=run)


def run(args: argparse.Namespace) -> int:
    """Train, resume, export; 0 when the run is finished. Of several processes the first speaks."""
    is_first = Rank.here().is_first
    recipe = recipe_of(args, writes=is_first)
    classes, _ = class_set(recipe.classes)
    rule = _input_rule(recipe)
    from segstudio.train.loop import fit

    if not is_first:
        for _event in fit(recipe, args.run, classes, rule):
            pass
        return 0
    with Events(args) as events:
        for event in fit(recipe, args.run, classes, rule, tell=events.write):
            events.write(event)
    if args.export:
        _export(args, recipe, classes, rule)
    return 0


def _input_rule(recipe: TrainRecipe) -> InputRule:
    """Pictures as the base model takes them, at the size that the recipe says."""
    if not recipe.base:
        return InputRule(short_side=recipe.short_side)
    from segstudio.store.models import find_model

    return replace(find_model(recipe.base).input, short_side=recipe.short_side)


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
