"""The options that say how a model is put to a frame; shared by `predict`, `eval` and `demo`."""

import argparse
from typing import Any

from segstudio.cli.synth import parse_size
from segstudio.core.strategy import PRECISIONS, Strategy
from segstudio.errors import UsageError

_TILE_OVERLAP = 1 / 6
"""Of --tile: 128 of 768 pixels."""


def add_strategy_options(parser: argparse.ArgumentParser) -> None:
    """Adds them, in a group of their own."""
    group = parser.add_argument_group("how the model sees a frame")
    group.add_argument("--size", metavar="HxW", help="what the net sees; the model's rule without")
    group.add_argument("--precision", default="auto", choices=PRECISIONS, help="(auto)")
    group.add_argument("--tile", action="store_true", help="full resolution, tile by tile")
    group.add_argument("--tta", action="store_true", help="the same as --flip")
    group.add_argument("--flip", action="store_true", help="average with the mirrored frame")
    group.add_argument(
        "--scales", metavar="F,F,…", help="average over input sizes, like 0.75,1,1.25"
    )
    windows = group.add_mutually_exclusive_group()
    windows.add_argument(
        "--sliding", metavar="HxW", help="windows of that size, faded into each other"
    )
    windows.add_argument(
        "--mirror-tiles", metavar="HxW", help="overlap-tile: mirrored borders, middles only"
    )
    group.add_argument(
        "--overlap", type=float, metavar="F", help="part of a window's side, 0 to 0.9 (1/3)"
    )
    group.add_argument(
        "--full-resolution", action="store_true", help="frame pixels one to one, no resizing"
    )
    group.add_argument(
        "--compile",
        action="store_true",
        help="let torch compile the net: for GPUs; first frames wait",
    )
    group.add_argument("--crf", action="store_true", help="refine borders with a dense CRF")


def strategy_of(arguments: argparse.Namespace) -> Strategy:
    """What the options mean; UsageError or SettingsError when they make no sense together."""
    kind, tile, overlap = "whole", None, arguments.overlap
    if arguments.sliding is not None:
        kind, tile = "sliding", parse_size(arguments.sliding)
    elif arguments.mirror_tiles is not None:
        kind, tile = "mirror", parse_size(arguments.mirror_tiles)
    elif arguments.tile:
        kind, overlap = "sliding", _TILE_OVERLAP if overlap is None else overlap
    elif overlap is not None:
        raise UsageError("--overlap is about windows; add --sliding, --mirror-tiles or --tile.")
    return Strategy(
        kind=kind,
        tile=tile,
        overlap=1 / 3 if overlap is None else overlap,
        scales=_scales(arguments.scales),
        flip=arguments.flip or arguments.tta,
        size=parse_size(arguments.size) if arguments.size is not None else None,
        full_resolution=arguments.full_resolution or arguments.tile,
        precision=arguments.precision,
        compile=arguments.compile,
        crf=arguments.crf,
    )


def told_strategy(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """What decides the labels beyond --size, --tile and --tta; None when nothing does.

    Masks that were made before there were strategies go on where they stopped.
    """
    strategy = strategy_of(arguments)
    plain = {"size", "precision", "compile"}
    if arguments.tta:
        plain.add("flip")
    if arguments.tile and arguments.sliding is None and arguments.mirror_tiles is None:
        plain |= {"kind", "full_resolution"} | (set() if arguments.overlap else {"overlap"})
    return {k: v for k, v in strategy.to_json().items() if k not in plain} or None


def _scales(text: str | None) -> tuple[float, ...]:
    if text is None:
        return (1.0,)
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"'{text}' are no scales; write factors like 0.75,1,1.25.") from error
