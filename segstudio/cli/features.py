"""`segstudio features`: what the layers of a model see, as pictures, numbers and video."""

import argparse
import difflib
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.predict import add_model_options, choose_model
from segstudio.cli.report import Json, Report, Subparsers, add_report_options
from segstudio.cli.strategy import strategy_of
from segstudio.cli.views import WORDS, Fitting, View, parse_scale, parse_view
from segstudio.core.layers import LayerFacts, LayerTree
from segstudio.core.look import LayerLook
from segstudio.core.map_style import MapStyle
from segstudio.errors import UsageError

if TYPE_CHECKING:  # torch comes when the work starts
    from segstudio.cli.feature_files import Drawing
    from segstudio.core.frame import Frame
    from segstudio.engine.inside.reading import Read
    from segstudio.engine.predictor import Predictor
    from segstudio.media.source import FrameSource

_EPILOG = f"""\
Views: {WORDS}.

For each layer DIR/<layer>.<view>/ holds <stem>.png and <stem>.npy of a picture, <stem>/NNNNNN.png
and .npy of a clip. Pictures have the frame's size and lie exactly on it; NPY files hold the exact
numbers, float32 (h, w), at the layer's own size: (h, w, 3) of pca, (channels, h, w) of grid, and
with --values full all channels of the layer. Colours, groups and scales are fitted on the first
frame and stay.

examples:
  segstudio features drive.mp4 -m bisenet_v2_camvid --list
  segstudio features drive.mp4 -m bisenet_v2_camvid --tap detail.stage3,aggregation --view pca \\
      -o seen/ --over 0.7 --video --every 5
  segstudio features street.png -m bisenet_v2_camvid --tap semantic.stage5 --view grid -o seen/
"""


def add(subparsers: Subparsers) -> None:
    """The options of `features`."""
    parser = subparsers.add_parser(
        "features",
        help="what the layers of a model see",
        description="Write what the layers of a model see of a picture, a folder or a video.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument("-m", "--model", metavar="MODEL", help="name or folder of a model")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path)
    parser.add_argument("--list", action="store_true", help="list the layers and write nothing")
    parser.add_argument(
        "--tap", metavar="NAME[,…]", help="layers by name (those that the net declares)"
    )
    parser.add_argument("--view", default="mean", metavar="VIEW", help="see below (mean)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th frame only")
    parser.add_argument(
        "--video", action="store_true", help="of clips also <layer>.<view>/<stem>.mp4"
    )
    parser.add_argument(
        "--values",
        choices=("map", "full"),
        default="map",
        help="NPY files hold the numbers of the view, or the whole layer (map)",
    )
    _add_drawing_options(parser)
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def _add_drawing_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is drawn")
    group.add_argument(
        "--at",
        choices=("frame", "layer"),
        default="frame",
        help="size of the pictures: the frame's, or a pixel for each cell (frame)",
    )
    group.add_argument("--colors", default="viridis", metavar="NAME", help="color map (viridis)")
    group.add_argument("--reverse", action="store_true", help="swap the ends of the color map")
    group.add_argument(
        "--over", type=float, default=1.0, metavar="F", help="opacity over the frame, 0 to 1 (1)"
    )
    group.add_argument("--nearest", action="store_true", help="cells as flat rectangles")
    group.add_argument(
        "--scale", default="robust", metavar="S", help="robust, full or LOW,HIGH (robust)"
    )
    group.add_argument("--segments", type=int, default=6, metavar="K", help="groups, 2 to 12 (6)")
    group.add_argument("--channels", type=int, default=36, metavar="N", help="of a grid (36)")
    group.add_argument(
        "--per-frame", action="store_true", help="fit colors, groups and scale to every frame"
    )


def run(arguments: argparse.Namespace) -> int:
    """Lists the layers, or writes what they see of each frame."""
    from segstudio.engine.predictor import Predictor
    from segstudio.media.open import open_source
    from segstudio.media.readahead import ReadAhead

    _check(arguments)
    report = Report(arguments)
    card = choose_model(arguments.model)
    view = parse_view(arguments.view, card.classes, _fitting(arguments))
    with ExitStack() as stack:
        source = ReadAhead(open_source(arguments.path), limit_bytes=128_000_000)
        stack.callback(source.close)
        if arguments.video and source.info.kind == "image":
            raise UsageError(f"{arguments.path} is one picture; leave --video out.")
        predictor = Predictor(card, arguments.device, strategy=strategy_of(arguments))
        stack.callback(predictor.close)
        found = _list(source, predictor, report) if arguments.list else None
        if found is None:
            found = _write(source, predictor, view, arguments, report)
        report.write(found)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """UsageError for options that make no sense."""
    from segstudio.core.color_maps import COLOR_MAPS

    if arguments.output is None and not arguments.list:
        raise UsageError("Nowhere to write to; name a folder with -o, or ask for --list.")
    if arguments.every < 1:
        raise UsageError(f"--every {arguments.every} makes no sense; 1 takes every frame.")
    if not 0 <= arguments.over <= 1:
        raise UsageError(f"--over {arguments.over:g} is no opacity; write a number from 0 to 1.")
    if not 2 <= arguments.segments <= 12:
        raise UsageError(f"--segments {arguments.segments} cannot be told apart; choose 2 to 12.")
    if arguments.channels < 1:
        raise UsageError(f"--channels {arguments.channels} makes no sense; choose 1 or more.")
    if arguments.colors not in COLOR_MAPS:
        raise UsageError(
            f"There is no color map '{arguments.colors}'; choose one of {', '.join(COLOR_MAPS)}."
        )


def _fitting(arguments: argparse.Namespace) -> Fitting:
    return Fitting(
        parse_scale(arguments.scale),
        arguments.segments,
        arguments.channels,
        is_frozen=not arguments.per_frame,
    )


def _drawing(arguments: argparse.Namespace) -> "Drawing":
    from segstudio.cli.feature_files import Drawing

    style = MapStyle(
        arguments.colors, arguments.over, not arguments.nearest, is_reversed=arguments.reverse
    )
    return Drawing(
        arguments.output, style, arguments.at, arguments.values == "full", arguments.video
    )


def _list(source: "FrameSource", predictor: "Predictor", report: Report) -> Json:
    """The layer tree at the size that the first frame has inside the net."""
    frame = source.read(0)
    tree = predictor.looking.tree(predictor.input_size(frame.height, frame.width))
    rows: list[tuple[str, ...]] = [("layer", "what it is", "shape", "stride", "sees", "parameters")]
    rows += [_row(layer) for layer in tree.layers]
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        left = "  ".join(text.ljust(w) for text, w in zip(row[:3], wide, strict=False))
        right = "  ".join(t.rjust(w) for t, w in zip(row[3:], wide[3:], strict=True))
        report.say(f"{left}  {right}")
    height, width = tree.input_size
    report.say(f"* declared by the net; shapes (channels×height×width) of {width}×{height} input")
    return {
        "model": predictor.card.name,
        "input_size": list(tree.input_size),
        "layers": [_facts(layer) for layer in tree.layers],
    }


def _row(layer: LayerFacts) -> tuple[str, ...]:
    found = _facts(layer)
    shape = "×".join(map(str, found["shape"] or ()))
    runs = f" ({found['calls']} runs)" if found["calls"] > 1 else ""
    stride = "" if found["stride"] is None else f"{found['stride']:g}"
    field = found["field"]
    sees = "whole" if field == "whole" else "" if field is None else f"{field[0]}×{field[1]}"
    star = "*" * layer.is_tap
    return layer.name + star, layer.title, shape + runs, stride, sees, f"{layer.parameters:,}"


def _facts(layer: LayerFacts) -> Json:
    """Of its last run."""
    call = layer.calls[-1] if layer.calls else None
    return {
        "name": layer.name,
        "title": layer.title,
        "kind": layer.kind,
        "shape": None if call is None else list(call.shape),
        "stride": None if call is None else call.stride,
        "field": None if call is None else "whole" if call.is_whole else call.field,
        "parameters": layer.parameters,
        "calls": len(layer.calls),
        "is_tap": layer.is_tap,
        "note": layer.note,
    }


def _write(
    source: "FrameSource",
    predictor: "Predictor",
    view: View,
    arguments: argparse.Namespace,
    report: Report,
) -> Json:
    """Every frame through the net once, every layer into its files."""
    from segstudio.cli.feature_files import ViewFiles
    from segstudio.engine.run import RunFigures, frames_of

    first = source.read(0)
    _check_pixel(view, first)
    tree = predictor.looking.tree(predictor.input_size(first.height, first.width))
    layers = _chosen(arguments.tap, tree) if view.needs_layer else [""]
    read = _reader(predictor, view, layers)
    figures, times, notes = RunFigures(), [], []
    drawing = _drawing(arguments)
    stem = arguments.path.stem or arguments.path.resolve().name
    with ExitStack() as stack:
        files = [ViewFiles(layer, view, stem, source, drawing, stack) for layer in layers]
        bar = stack.enter_context(report.progress(stem, None))
        for done, frame in enumerate(frames_of(source, arguments.every, figures), 1):
            ms, seen = _timed(read, frame)
            times.append(ms)
            for one, of in zip(files, seen, strict=True):
                one.write(of, frame)
                notes += [of.note] if of.note and of.note not in notes else []
            info = source.info
            bar.total = -(-info.frames // arguments.every) if info.is_complete else None
            bar.show(done)
    for sentence in (*figures.missing, *notes):
        report.warn(sentence)
    taps = [one.told(tree.get(one.layer)) for one in files]
    typical = round(statistics.median(times), 3) if times else None
    report.say(
        f"{len(times)} frames, {view.text} of {len(taps)} {'layer' if view.needs_layer else 'view'}"
        f"{'s' * (len(taps) != 1)} in {arguments.output}, {typical} ms a frame"
    )
    return {
        "model": predictor.card.name,
        "device": predictor.device,
        "precision": predictor.precision,
        "view": view.text,
        "frames": len(times),
        "ms": typical,
        "missing": figures.missing,
        "notes": notes,
        "taps": taps,
    }


def _check_pixel(view: View, frame: "Frame") -> None:
    if view.pixel is not None and not (
        view.pixel[0] < frame.height and view.pixel[1] < frame.width
    ):
        raise UsageError(
            f"The pixel of '{view.text}' lies outside of the frame, which has {frame.height} rows"
            f" and {frame.width} columns; write row and column from 0."
        )


def _chosen(text: str | None, tree: LayerTree) -> list[str]:
    """Layers by name, or those that the net declares; UsageError for what there is not."""
    if text is None:
        names = [layer.name for layer in tree.layers if layer.is_tap and _is_map(layer)]
        if not names:
            raise UsageError(
                f"The net of '{tree.model}' declares no layers; name some with --tap (--list shows"
                " them)."
            )
        return names
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if tree.get(name) is None:
            near = difflib.get_close_matches(name, [layer.name for layer in tree.layers], 3)
            hint = f"did you mean {' or '.join(near)}?" if near else "--list shows them all."
            raise UsageError(f"The model '{tree.model}' has no layer '{name}'; {hint}")
    if not names:
        raise UsageError("--tap names no layer; --list shows them all.")
    return names


def _is_map(layer: LayerFacts) -> bool:
    return bool(layer.calls) and layer.calls[-1].is_map


def _reader(
    predictor: "Predictor", view: View, layers: Sequence[str]
) -> Callable[["Frame"], "list[Read]"]:
    """Views of layers take one forward pass for all; other looks take what they take."""
    from segstudio.engine.inside.reading import LayersReader, look_at

    looks = [view.look(layer) for layer in layers]
    of_layers = [look for look in looks if isinstance(look, LayerLook)]
    if of_layers:
        return LayersReader(predictor, of_layers).read
    return lambda frame: look_at(predictor, looks, frame)


def _timed(read: Callable[["Frame"], "list[Read]"], frame: "Frame") -> tuple[float, "list[Read]"]:
    """Wall milliseconds, forward pass included, and what was seen."""
    from segstudio.engine.flow import Stopwatch

    watch = Stopwatch()
    seen = read(frame)
    return watch.lap(), seen
