"""`segstudio models`: list, show, inspect, import, bench, export-onnx."""

import argparse
from pathlib import Path
from typing import Any

from segstudio.cli.report import Report, Subparsers, add_report_options
from segstudio.core.catalogue import InputRule
from segstudio.errors import ModelError, UsageError
from segstudio.store.models import WEIGHTS_SUFFIXES

_EPILOG = """\
examples:
  segstudio models list
  segstudio models list --nets
  segstudio models show bisenet_v2_camvid
  segstudio models inspect best_deeplabv3plus_resnet101_cityscapes_os16.pth
  segstudio models import best_deeplabv3plus_resnet101_cityscapes_os16.pth --classes cityscapes19
  segstudio models bench bisenet_v2_camvid --size 512x1024
  segstudio models export-onnx bisenet_v2_camvid -o bisenet.onnx
"""

_SHOWN_NAMES = 5


def add(subparsers: Subparsers) -> None:
    """`models` and its actions."""
    parser = subparsers.add_parser(
        "models",
        help="list, show, inspect, import, measure and export models",
        description="The models that are installed, what a weights file holds, and the networks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_list(actions)
    _add_show(actions)
    _add_inspect(actions)
    _add_import(actions)
    _add_bench(actions)
    _add_export(actions)


def _action(actions: Subparsers, name: str, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_report_options(parser)
    return parser


def _add_list(actions: Subparsers) -> None:
    parser = _action(actions, "list", "bundled models and the user's own")
    parser.add_argument(
        "--nets", action="store_true", help="list the networks instead, with their sizes"
    )
    parser.set_defaults(run_command=run_list)


def _add_show(actions: Subparsers) -> None:
    from segstudio.cli.model_show import run_show

    parser = _action(
        actions, "show", "what its card says: scores by class, and where it comes from"
    )
    parser.add_argument("model", metavar="MODEL", help="a model's name or folder")
    parser.set_defaults(run_command=run_show)


def _add_inspect(actions: Subparsers) -> None:
    parser = _action(actions, "inspect", "what a weights file holds, and whether it fits its net")
    parser.add_argument("file", metavar="FILE", help="a model folder, weights file or name")
    _add_net_options(parser)
    parser.set_defaults(run_command=run_inspect)


def _add_import(actions: Subparsers) -> None:
    parser = _action(actions, "import", "make a model folder of a weights file")
    parser.add_argument("file", metavar="FILE", help="a .pth, .pt, .safetensors or .onnx file")
    _add_net_options(parser)
    parser.add_argument("--classes", metavar="SET", help="class set, or a .json file of one")
    parser.add_argument("--name", default="", help="name of the model; made from FILE's otherwise")
    parser.add_argument("--title", default="", help="what people read")
    parser.add_argument("--licence", default="", help="terms of the weights' author, for the card")
    parser.add_argument(
        "--rehead",
        action="store_true",
        help="start a new classifier for --classes, for fine-tuning; known classes keep theirs",
    )
    parser.add_argument(
        "--short-side", type=int, metavar="PX", help="resize frames to this short side"
    )
    parser.add_argument("--replace", action="store_true", help="overwrite a model of that name")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder for the model folder"
    )
    parser.set_defaults(run_command=run_import)


def _add_bench(actions: Subparsers) -> None:
    parser = _action(actions, "bench", "how fast a model is on this computer")
    parser.add_argument("model", metavar="MODEL", help="a model's name or folder")
    parser.add_argument("--size", metavar="HxW", help="input size; the model's own otherwise")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16")
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="frames to measure")
    parser.set_defaults(run_command=run_bench)


def _add_export(actions: Subparsers) -> None:
    parser = _action(
        actions, "export-onnx", "write a model as ONNX and prove that it answers alike"
    )
    parser.add_argument("model", metavar="MODEL", help="a model's name or folder")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True)
    parser.add_argument("--size", metavar="HxW", help="input size to export and prove with")
    parser.add_argument("--fixed", action="store_true", help="one input size instead of any")
    parser.add_argument(
        "--labels", action="store_true", help="answer with class labels (uint8) instead of logits"
    )
    parser.set_defaults(run_command=run_export)


def _add_net_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--net", default="", metavar="NET", help="the network, when the file cannot tell"
    )
    parser.add_argument(
        "--net-arg",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an argument of the network; may be given again",
    )


def run_list(arguments: argparse.Namespace) -> int:
    """Every usable model, or every net; a broken folder is told and passed over."""
    from segstudio.store.models import scan_models

    report = Report(arguments)
    if arguments.nets:
        return _list_nets(report)
    cards, broken = scan_models()
    wide = max((len(card.name) for card in cards), default=0)
    for card in cards:
        miou = f"mIoU {card.scores[0].miou:.3f}" if card.scores else "not measured"
        size = f"{card.params / 1e6:.1f} M" if card.params else "?"
        where = "bundled" if card.bundled else str(card.folder)
        report.say(
            f"{card.name:<{wide}}  {card.title}  {len(card.classes)} classes  {size}  {miou}"
        )
        report.say(f"{'':<{wide}}  {where}")
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


def _list_nets(report: Report) -> int:
    from segstudio.engine.inspecting import build_meta
    from segstudio.nets.registry import NETS

    rows: list[dict[str, Any]] = []
    for name in NETS:
        spec = NETS.get(name)
        try:
            net = build_meta(spec, 19, {})
        except ModelError as error:
            params, note = None, str(error)
        else:
            params, note = sum(p.numel() for p in net.parameters()), ""
        size = f"{params / 1e6:6.2f} M" if params else "       ?"
        report.say(f"{name:<26} {size}  {spec.title}{f'  ({note})' if note else ''}")
        rows.append(
            {
                "name": name,
                "title": spec.title,
                "family": spec.family,
                "paper": spec.paper,
                "params": params,
                "multiple_of": spec.multiple_of,
                "remainder": spec.remainder,
                "extra": spec.extra,
            }
        )
    report.say("Parameters with 19 classes, heads for training included.")
    report.write(rows)
    return 0


def run_inspect(arguments: argparse.Namespace) -> int:
    """What is in the file, compared with the net; exit code 2 when it does not fit."""
    from segstudio.engine.inspecting import inspect_model, inspect_weights
    from segstudio.engine.inspection import Inspection
    from segstudio.store.models import find_model

    report = Report(arguments)
    path = Path(arguments.file).expanduser()
    is_bare = path.is_file() and path.suffix in WEIGHTS_SUFFIXES
    if is_bare and not (path.parent / "card.json").is_file():
        found: Inspection = inspect_weights(path, arguments.net, net_args(arguments.net_arg))
    else:
        found = inspect_model(find_model(arguments.file))
    _tell(report, found)
    report.write(found.to_json())
    return 0 if found.fit.is_whole else 2


def _tell(report: Report, found: Any) -> None:  # noqa: ANN401  an Inspection; its module needs torch
    fit = found.fit
    report.say(f"{found.file.name}: {found.dialect_title}")
    options = "".join(f", {k} {v}" for k, v in found.found.net_args.items())
    report.say(f"net {found.spec.name} ({found.spec.title}){options}")
    names = ", ".join(found.class_names[:_SHOWN_NAMES])
    more = ", …" if len(found.class_names) > _SHOWN_NAMES else ""
    meaning = found.class_set or "class set unknown"
    report.say(f"{found.num_classes} classes: {meaning}{f' ({names}{more})' if names else ''}")
    report.say(f"input {_input_words(found.input)}")
    taken, renamed = len(fit.matched) + len(fit.renamed), len(fit.renamed)
    if taken:
        every = "all " if fit.is_whole else ""
        names = f", {'each' if renamed == taken else renamed} under another name" if renamed else ""
        report.say(f"{every}{taken} tensors fit{names}")
    for name, names_of in (("missing", fit.missing), ("unexpected", fit.unexpected)):
        if names_of:
            report.say(f"{len(names_of)} {name}: {_some(names_of)}")
    for name, there, here in fit.misshapen[:_SHOWN_NAMES]:
        report.say(f"{name} is {there} in the file, {here} in the net")
    for reason in dict.fromkeys(fit.ignored.values()):
        names_of = tuple(k for k, v in fit.ignored.items() if v == reason)
        report.say(f"{len(names_of)} left out, {reason}: {_some(names_of)}")
    if found.foreign:
        report.say(f"foreign objects passed over: {_some(found.foreign)}")
    for note in found.notes:
        report.say(note)
    report.say("The weights fit." if fit.is_whole else "The weights do not fit this net.")


def run_import(arguments: argparse.Namespace) -> int:
    """Inspect, then write the model folder."""
    from segstudio.engine.importing import ImportOptions, import_weights
    from segstudio.engine.inspecting import inspect_weights
    from segstudio.store.class_sets import load_class_set

    report = Report(arguments)
    path = Path(arguments.file).expanduser()
    inspection = inspect_weights(path, arguments.net, net_args(arguments.net_arg))
    _tell(report, inspection)
    if arguments.rehead and not arguments.classes:
        raise UsageError("--rehead needs the class set to start a classifier for; add --classes.")
    card = import_weights(
        inspection,
        ImportOptions(
            name=arguments.name,
            title=arguments.title,
            classes=load_class_set(arguments.classes) if arguments.classes else None,
            rehead=arguments.rehead,
            licence=arguments.licence,
            short_side=arguments.short_side,
            replace=arguments.replace,
            folder=arguments.output,
        ),
    )
    classes = ", ".join(c.name for c in card.classes.classes[:_SHOWN_NAMES])
    report.say(f"Imported as '{card.name}' with {len(card.classes)} classes ({classes}, …).")
    report.say(f"{card.folder}")
    report.write({**inspection.to_json(), "name": card.name, "folder": str(card.folder)})
    return 0


def run_bench(arguments: argparse.Namespace) -> int:
    """Frames per second of the bare net and of the whole predictor."""
    import dataclasses

    from segstudio.cli.synth import parse_size
    from segstudio.engine.bench import bench_model
    from segstudio.store.models import find_model

    report = Report(arguments)
    if arguments.runs < 1:
        raise UsageError("--runs must be at least 1.")
    figures = bench_model(
        find_model(arguments.model),
        arguments.device,
        size=parse_size(arguments.size) if arguments.size else None,
        precision=arguments.precision,
        compile=arguments.compile,
        runs=arguments.runs,
    )
    row = dataclasses.asdict(figures)
    for key, value in row.items():
        if value not in (None, "", (), []):
            shown = f"{value:.4g}" if isinstance(value, float) else value
            report.say(f"{key.replace('_', ' '):<16} {shown}")
    report.write(row)
    return 0


def run_export(arguments: argparse.Namespace) -> int:
    """Write the file and prove it; exit code 2 when its labels differ."""
    import dataclasses

    from segstudio.cli.synth import parse_size
    from segstudio.engine.onnx_export import export_onnx
    from segstudio.store.models import find_model

    report = Report(arguments)
    if arguments.output.suffix != ".onnx":
        raise UsageError(f"{arguments.output} needs the ending .onnx.")
    done = export_onnx(
        find_model(arguments.model),
        arguments.output,
        size=parse_size(arguments.size) if arguments.size else None,
        dynamic=not arguments.fixed,
        with_labels=arguments.labels,
    )
    report.say(str(done))
    report.write(
        {k: str(v) if isinstance(v, Path) else v for k, v in dataclasses.asdict(done).items()}
    )
    return 0


def net_args(pairs: list[str]) -> dict[str, int | float | str | bool]:
    """KEY=VALUE texts as net_args: true/false, whole numbers, numbers, else text."""
    found: dict[str, int | float | str | bool] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign or not key.isidentifier():
            raise UsageError(f"--net-arg {pair} is not of the form KEY=VALUE.")
        found[key] = _scalar(text)
    return found


def _scalar(text: str) -> int | float | str | bool:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _input_words(rule: InputRule) -> str:
    """How a frame is prepared: "RGB 0..1, less (…), by (…)"."""
    span = "0..255" if rule.scale == 1 else "0..1" if rule.scale == 255 else f"by {rule.scale:g}"
    steps = [f"{rule.channels} {span}"]
    if any(rule.mean):
        steps.append(f"less {_numbers(rule.mean)}")
    if any(v != 1 for v in rule.std):
        steps.append(f"divided by {_numbers(rule.std)}")
    if rule.divide_after != 1:
        steps.append(f"then by {rule.divide_after:g}")
    return ", ".join(steps)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")


def _numbers(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values) + ")"
