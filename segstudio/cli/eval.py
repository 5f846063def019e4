"""`segstudio eval`: how good predictions are, from one confusion matrix over the whole set."""

import argparse
from pathlib import Path

from segstudio.cli.contenders import GRAMMAR
from segstudio.cli.figures import (
    add_figure_options,
    convention_of,
    frame_rows,
    per_frame,
    save_text,
)
from segstudio.cli.measuring import Measured, measure_models
from segstudio.cli.predict import add_model_options
from segstudio.cli.reference import (
    Frames,
    ReferenceSet,
    add_reference_options,
    class_set,
    settle_folders,
    translation,
    without_void,
)
from segstudio.cli.report import Json, Report, Subparsers, add_report_options
from segstudio.cli.wording import describe
from segstudio.core.confusion import ConfusionMatrix
from segstudio.engine.ranks import Rank, met, own_device
from segstudio.errors import UsageError

__all__ = ["add", "class_set", "run", "translation", "without_void"]

_EPILOG = f"""\
Pictures and label files belong together when their stems are equal; the endings _leftImg8bit,
_gtFine_labelIds and _L may differ. Frames whose labels are missing, unreadable or of another size
are told and left out.

By the default convention, reference pixels that are void (255, --ignore, or outside the class set)
are left out; void predictions count as misses, also those of a model that has void as a class of
its own. Every figure stands with its convention; the report has the headline figures of all.
Labels *_labelIds.png that have their *_instanceIds.png beside them also give iIoU, as Cityscapes
does, where the class set knows instances (--classes cityscapes19).
`confusion` has one row per reference class and one column per predicted class, and a last column
for everything else; `confusion_full` also has the row of void reference pixels.

{GRAMMAR}
Exit codes: 0 done (frames may have been left out), 2 nothing was left to measure, or a model failed
or was refused; the report has the others all the same.

example:
  segstudio eval -m bisenet_v2_camvid --data camvid/ --convention void-counts-as-wrong
  segstudio eval -m mine -m mine@scale=0.5 --images val/images --labels val/labels
  segstudio eval --pred out/masks/drive --labels val/labels --json -
"""


def add(subparsers: Subparsers) -> None:
    """The options of `eval`."""
    parser = subparsers.add_parser(
        "eval",
        help="measure models, or masks, against reference labels",
        description="Segmentation metrics of models, or of masks, against reference labels.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-m", "--model", action="append", default=[], metavar="MODEL[@SETTINGS]")
    parser.add_argument("--pred", type=Path, metavar="DIR", help="masks to measure, instead")
    add_reference_options(parser)
    add_figure_options(parser)
    parser.add_argument(
        "--per-frame", action="store_true", help="the report also has each frame's figures"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="each frame's figures as CSV")
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures each model (or the masks) over all pairs and prints the table."""
    report = Report(arguments)
    rank = Rank.here()
    if arguments.pred is not None:
        if not rank.is_first:
            return 0  # masks are counted so fast that the first process does it alone
        found = _measure_masks(arguments, report)
    else:
        settle_folders(arguments)
        if arguments.images is None:
            raise UsageError("Name the pictures with --images, or masks with --pred.")
        arguments.device = own_device(arguments.device, rank)
        with met(rank):
            found = measure_models(arguments, report, rank=rank)
        if not rank.is_first:
            return 0
    for name, each in found.entries.items():
        if arguments.per_frame and name in found.counts:
            each["per_frame"] = per_frame(found.counts[name], found.convention)
        for row in describe(name, each):
            report.say(row)
    for sentence in found.frames.told():
        report.warn(sentence)
    for name, sentence in found.failed.items():
        report.warn(f"{name}: {sentence}")
    if arguments.csv is not None:
        save_text(arguments.csv, frame_rows(found.counts, found.convention))
    report.write(report_of(found))
    return 2 if found.failed else 0


def report_of(found: Measured) -> Json:
    """What scripts read."""
    return {
        "models": found.entries,
        "convention": found.convention.value,
        "classes": found.reference.classes.to_json(),
        "skipped": found.frames.skipped,
        "unused_labels": len(found.frames.unused),
    }


def _measure_masks(arguments: argparse.Namespace, report: Report) -> Measured:
    """Masks that some program wrote, in the classes of the labels."""
    if arguments.model or arguments.images is not None:
        raise UsageError("--pred measures masks; leave -m and --images out, or leave it out.")
    settle_folders(arguments)
    reference = ReferenceSet.named(arguments.classes or "camvid")
    frames = Frames.find(arguments.pred, arguments.labels, reference, masks=True)
    found = Measured(reference, convention_of(arguments.convention), frames)
    matrix = ConfusionMatrix.of(reference.classes)
    ignore = {} if arguments.ignore is None else {"ignore": arguments.ignore}
    name = arguments.pred.name
    with report.progress("pairs", len(frames.pairs)) as bar:
        counts = found.counts[name] = {}
        for file, predicted, labels, instances in frames.masks(bar.show):
            counts[file] = matrix.counted(labels, predicted, **ignore)
            found.note_instances(name, file, labels, predicted, instances, arguments.ignore)
            if arguments.boundary:
                found.outline(name, labels, predicted, arguments.ignore)
    frames.require_one()
    found.entries[name] = found.figures(name)
    return found
