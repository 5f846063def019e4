"""`segstudio eval`: how good predictions are, from one confusion matrix over the whole set."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.cli.predict import add_model_options, choose_model, load_labeller
from segstudio.cli.report import Json, Report, Subparsers, add_report_options
from segstudio.cli.strategy import strategy_of
from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import VOID, ClassMap, load_class_map
from segstudio.core.metrics import ConfusionMatrix, scores_of
from segstudio.core.strategy import Strategy
from segstudio.errors import MediaError, UsageError
from segstudio.store.pairs import Pair, find_pairs

_EPILOG = """\
Pictures and label files belong together when their stems are equal; the endings _leftImg8bit,
_gtFine_labelIds and _L may differ. Reference pixels that are void (255, --ignore, or outside the
class set) are left out; void predictions count as misses, also those of a model that has void as a
class of its own. `confusion` has one row per reference class and one column per predicted class,
and a last column for everything else.

example:
  segstudio eval -m bisenet_v2_camvid --images val/images --labels val/labels
  segstudio eval --pred out/masks/drive --labels val/labels --json -
"""

LabelsOf = Callable[[Pair], NDArray[np.uint8]]


def add(subparsers: Subparsers) -> None:
    """The options of `eval`."""
    parser = subparsers.add_parser(
        "eval",
        help="measure models, or masks, against reference labels",
        description="Pixel accuracy, mean accuracy, mIoU and fwIoU against reference labels.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-m", "--model", action="append", default=[], metavar="MODEL")
    parser.add_argument("--images", type=Path, metavar="DIR", help="pictures, for models")
    parser.add_argument("--pred", type=Path, metavar="DIR", help="masks to measure, instead")
    parser.add_argument("--labels", type=Path, metavar="DIR", required=True, help="reference")
    parser.add_argument(
        "--classes", metavar="SET", help="class set of the labels (the first model's, or camvid)"
    )
    parser.add_argument("--ignore", type=int, metavar="ID", help="another id that is left out")
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures each model (or the masks) over all pairs and prints the table."""
    report = Report(arguments)
    models: dict[str, Json] = {}
    if arguments.pred is not None:
        if arguments.model or arguments.images is not None:
            raise UsageError("--pred measures masks; leave -m and --images out, or leave it out.")
        classes, ids = class_set(arguments.classes or "camvid")
        pairs = find_pairs(arguments.pred, arguments.labels, predictions=True)
        models[arguments.pred.name] = _measure(
            pairs, _mask_reader(ids), classes, arguments, report, ids
        )
    else:
        if arguments.images is None:
            raise UsageError("Name the pictures with --images, or masks with --pred.")
        pairs = find_pairs(arguments.images, arguments.labels)
        for name in arguments.model or [None]:
            card = choose_model(name)
            models[card.name] = _measure_model(pairs, card, arguments, report)
    for name, found in models.items():
        for row in describe(name, found):
            report.say(row)
    report.write({"models": models})
    return 0


def _measure_model(
    pairs: list[Pair], card: ModelCard, arguments: argparse.Namespace, report: Report
) -> Json:
    from segstudio.media.open import open_source

    classes, ids = without_void(card.classes), dict[int, int]()
    if arguments.classes:
        classes, ids = class_set(arguments.classes)
    labeller = load_labeller(card, arguments)
    own = translation(card.classes, classes)

    def labels_of(pair: Pair) -> NDArray[np.uint8]:
        source = open_source(pair.picture)
        try:
            frame = source.read(0)
        finally:
            source.close()
        return own[labeller.predict(frame).labels]

    try:
        found = _measure(pairs, labels_of, classes, arguments, report, ids)
    finally:
        labeller.close()
    found["strategy"] = strategy_of(arguments).to_json()
    unknown = [c.name for c in classes.classes if c.id not in own]
    if unknown:
        found["unknown"] = unknown
    return found


def _measure(
    pairs: list[Pair],
    labels_of: LabelsOf,
    classes: ClassMap,
    arguments: argparse.Namespace,
    report: Report,
    ids: dict[int, int],
) -> Json:
    """One confusion matrix over all pairs. ids: label id in _labelIds files -> class id."""
    from segstudio.store.masks import read_mask

    position = _positions(classes)
    matrix = ConfusionMatrix(len(classes))
    frames = 0
    with report.progress("pairs", len(pairs)) as bar:
        for pair in pairs:
            reference = _class_ids(read_mask(pair.labels), pair.ending, ids)
            if arguments.ignore is not None:
                reference = np.where(reference == arguments.ignore, VOID, reference)
            predicted = labels_of(pair)
            if predicted.shape != reference.shape:
                raise MediaError(
                    f"{pair.picture.name} is {_size(predicted)} and its labels"
                    f" {pair.labels.name} are {_size(reference)}; they must be of one size."
                )
            matrix.add(position[reference], position[predicted])
            frames += 1
            bar.show(frames)
    scores = scores_of(matrix.full)
    names = [c.name for c in classes.classes]
    return {
        "pixel_accuracy": scores.pixel_accuracy,
        "mean_accuracy": scores.mean_accuracy,
        "miou": scores.miou,
        "fwiou": scores.fwiou,
        "iou": dict(zip(names, scores.iou.tolist(), strict=True)),
        "confusion": matrix.counts.tolist(),
        "columns": [*names, "other"],
        "frames": frames,
        "pixels": matrix.pixels,
        "ignored": matrix.ignored,
    }


def class_set(name: str) -> tuple[ClassMap, dict[int, int]]:
    """A shipped class set, or a JSON file; and label id -> class id where the set tells both."""
    from segstudio.store.class_sets import class_set_file

    file = class_set_file(name)
    rows = json.loads(file.read_text(encoding="utf-8"))["classes"]
    ids = {row["label_id"]: row["id"] for row in rows if "label_id" in row}
    return load_class_map(file), ids


def without_void(classes: ClassMap) -> ClassMap:
    """The set without a class called void, which is one to a net with 12 outputs only."""
    kept = tuple(c for c in classes.classes if c.name.casefold() != "void")
    return ClassMap(classes.name, kept) if kept else classes


def _class_ids(labels: NDArray[np.uint8], ending: str, ids: dict[int, int]) -> NDArray[np.uint8]:
    """Cityscapes' _labelIds files carry other numbers than its 19 classes."""
    if not ids or not ending.endswith("_labelIds"):
        return labels
    table = np.full(256, VOID, np.uint8)
    for label_id, class_id in ids.items():
        table[label_id] = class_id
    return table[labels]


def _mask_reader(ids: dict[int, int]) -> LabelsOf:
    from segstudio.store.masks import read_mask

    def labels_of(pair: Pair) -> NDArray[np.uint8]:
        ending = "_labelIds" if pair.picture.stem.endswith("_labelIds") else ""
        return _class_ids(read_mask(pair.picture), ending, ids)

    return labels_of


def _positions(classes: ClassMap) -> NDArray[np.uint8]:
    """uint8 (256,): class id -> row of the confusion matrix; void for ids outside the set."""
    table = np.full(256, VOID, np.uint8)
    for row, known in enumerate(classes.classes):
        table[known.id] = row
    return table


def translation(model: ClassMap, labels: ClassMap) -> NDArray[np.uint8]:
    """uint8 (256,): ids of the model's set -> ids of the labels' set, by name; void without one."""
    ids = {c.name.casefold(): c.id for c in labels.classes}
    table = np.full(256, VOID, np.uint8)
    for c in model.classes:
        table[c.id] = ids.get(c.name.casefold(), VOID)
    if (table == VOID).all():
        raise UsageError(
            f"The classes of '{model.name}' and '{labels.name}' have no name in common; choose the"
            " class set of the labels with --classes."
        )
    return table


def _size(labels: NDArray[np.uint8]) -> str:
    return f"{labels.shape[1]}×{labels.shape[0]}"


def describe(name: str, found: Json) -> list[str]:
    """The figures as lines for people, in percent."""

    def percent(value: float) -> str:
        return "   –" if value != value else f"{100 * value:5.1f}"

    rows = [f"{name}: {found['frames']} frames, {found['pixels']} pixels"]
    if found.get("strategy"):
        # A figure of several scales is no figure of one.
        rows[0] += f"; {Strategy.from_json(found['strategy']).told()}"
    rows += [f"  {class_name:<16} IoU {percent(iou)}" for class_name, iou in found["iou"].items()]
    rows.append(
        f"  mIoU {percent(found['miou'])}  pixel accuracy {percent(found['pixel_accuracy'])}"
        f"  mean accuracy {percent(found['mean_accuracy'])}  fwIoU {percent(found['fwiou'])}"
    )
    if found.get("unknown"):
        rows.append(f"  The model knows no {', '.join(found['unknown'])}: counted as missed.")
    return rows
