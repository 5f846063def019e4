"""`segstudio models`: what is installed, and what a model folder or weights file holds."""

import argparse
from pathlib import Path
from typing import Any

from segstudio.cli.report import Report, Subparsers, add_report_options
from segstudio.core.catalogue import ModelCard
from segstudio.errors import ModelError

_EPILOG = """\
example:
  segstudio models list
  segstudio models inspect models/bisenet_v2_camvid
"""


def add(subparsers: Subparsers) -> None:
    """`models list` and `models inspect`."""
    parser = subparsers.add_parser(
        "models",
        help="list the models, or inspect one",
        description="The models that are installed, and what a weights file holds.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="bundled models and the user's own")
    add_report_options(listing)
    listing.set_defaults(run_command=run_list)
    inspecting = actions.add_parser(
        "inspect", help="whether weights fit the net of their card", epilog=_EPILOG
    )
    inspecting.add_argument("file", metavar="FILE", help="a model folder, weights file or name")
    add_report_options(inspecting)
    inspecting.set_defaults(run_command=run_inspect)


def run_list(arguments: argparse.Namespace) -> int:
    """Every usable model; a broken folder is told and passed over."""
    from segstudio.store.models import scan_models

    report = Report(arguments)
    cards, broken = scan_models()
    for card in cards:
        miou = f"mIoU {card.scores[0].miou:.3f}" if card.scores else "not measured"
        size = f"{card.params / 1e6:.1f} M" if card.params else "?"
        where = "bundled" if card.bundled else str(card.folder)
        report.say(f"{card.name:<24} {card.title}  {len(card.classes)} classes  {size}  {miou}")
        report.say(f"{'':<24} {where}")
    if not cards:
        report.say("There is no model yet.")
    for sentence in broken:
        report.warn(sentence)
    rows = [
        {
            "name": card.name,
            "title": card.title,
            "net": card.net,
            "classes": len(card.classes),
            "params": card.params,
            "bundled": card.bundled,
            "miou": card.scores[0].miou if card.scores else None,
            "folder": str(card.folder),
        }
        for card in cards
    ]
    report.write(rows)
    return 0


def run_inspect(arguments: argparse.Namespace) -> int:
    """Compares names and shapes with the card's net; exit code 2 when they do not fit."""
    from segstudio.store.models import find_model

    report = Report(arguments)
    card = find_model(arguments.file)
    found = inspect_card(card)
    fits = not found["missing"] and not found["unexpected"]
    report.say(f"{card.name}: {card.title}")
    report.say(f"net {found['net']}, {found['num_classes']} classes, {found['dialect']}")
    report.say(f"{found['matched']} tensors match")
    for kind in ("missing", "unexpected"):
        if found[kind]:
            report.say(f"{len(found[kind])} {kind}: {', '.join(found[kind][:5])}")
    report.say("The weights fit." if fits else "The weights do not fit this net.")
    report.write(found)
    return 0 if fits else 2


def inspect_card(card: ModelCard) -> dict[str, Any]:
    """dialect, net, matched, renamed, missing, unexpected, num_classes; shapes count as names."""
    import torch

    from segstudio.nets.registry import NETS
    from segstudio.nets.weights import TRAINING_ONLY, load_state

    file = card.folder / card.weights
    state = load_state(file)
    spec = NETS.get(card.net)
    try:
        with torch.device("meta"):
            own = spec.build(len(card.classes), **card.net_args).state_dict()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The card of '{card.name}' gives net_args that {spec.title} cannot be built with"
            f" ({error}); mend the card."
        ) from error

    def matters(name: str) -> bool:
        return not name.startswith(TRAINING_ONLY) and not name.endswith(".num_batches_tracked")

    fitting = {k for k, v in own.items() if k in state and state[k].shape == v.shape}
    return {
        "dialect": "safetensors" if file.suffix == ".safetensors" else "pytorch state dict",
        "net": card.net,
        "matched": len(fitting),
        "renamed": 0,
        "missing": [k for k in own if k not in fitting and matters(k)],
        "unexpected": [k for k in state if k not in fitting and matters(k)],
        "num_classes": len(card.classes),
        "file": str(Path(file)),
    }
