"""`segstudio compare`: several models on the same frames, and whether one of them is better."""

import argparse
import itertools
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segstudio.cli.contenders import GRAMMAR
from segstudio.cli.eval import report_of
from segstudio.cli.figures import add_figure_options, frame_rows, save_text, table_text
from segstudio.cli.measuring import Measured, OnFrame, measure_models
from segstudio.cli.predict import add_model_options
from segstudio.cli.reference import Labels, add_reference_options, settle_folders
from segstudio.cli.report import Json, Report, Subparsers, add_report_options, to_json
from segstudio.cli.wording import describe
from segstudio.core.classes import VOID
from segstudio.core.metrics import scores_of
from segstudio.errors import SegStudioError, UsageError

if TYPE_CHECKING:
    from segstudio.cli.html.pictures import WorstFrames
    from segstudio.core.bootstrap import Verdict
    from segstudio.engine.evaluate import Labelled

_EPILOG = f"""\
Writes into the folder of -o, replacing what an older comparison left there: report.html (one file,
opens offline), report.json, per_frame.csv, per_class.csv and confusion_MODEL.csv. Each file is
whole or not there; an interrupted comparison writes nothing.

Every frame is decoded once and put to all models in turn. Each pair of models is compared by a
paired bootstrap over frames: frames are drawn with replacement, for both models the same ones, and
the interval holds 95 % of the differences. Frames of one clip resemble each other, so --by-clip
draws whole clips: files whose names are equal up to the last underscore.

{GRAMMAR}
Exit codes: 0 done (frames may have been left out), 2 nothing was left to measure, or a model failed
or was refused; the report has the others all the same.

example:
  segstudio compare -m bisenet_v2_camvid -m mine --data camvid/ -o comparison/
  segstudio compare -m mine -m mine@flip -m mine@scale=0.5 --images i/ --labels l/ -o comparison/
"""


def add(subparsers: Subparsers) -> None:
    """The options of `compare`."""
    parser = subparsers.add_parser(
        "compare",
        help="compare models on labelled frames: HTML, CSV and JSON",
        description="Compare models on labelled frames and say whether one is better.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-m", "--model", action="append", required=True, metavar="MODEL[@SETTINGS]")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path)
    add_reference_options(parser)
    add_figure_options(parser)
    parser.add_argument(
        "--by-clip", action="store_true", help="draw whole clips in the bootstrap, not frames"
    )
    parser.add_argument(
        "--worst", type=int, default=6, metavar="N", help="frames shown with pictures (6)"
    )
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures, compares, writes the folder."""
    report = Report(arguments)
    settle_folders(arguments)
    if arguments.images is None:
        raise UsageError("Name the pictures with --images, or a folder with --data.")
    if arguments.worst < 0:
        raise UsageError(f"--worst {arguments.worst} makes no sense; 0 shows no frame.")
    output = _writable(arguments.output)
    from segstudio.cli.html.pictures import WorstFrames

    worst = WorstFrames(arguments.worst)
    found = measure_models(arguments, report, _keep_in(worst, arguments.ignore))
    for name, each in found.entries.items():
        for row in describe(name, each):
            report.say(row)
    for sentence in [*found.frames.told(), *(f"{n}: {s}" for n, s in found.failed.items())]:
        report.warn(sentence)
    if not found.scored:
        raise SegStudioError("No model could be measured, so there is nothing to compare.")
    told = _report(found, arguments)
    for pair in told["pairs"]:
        report.say(pair["told"])
    for note in told["notes"]:
        report.say(note)
    for name, text in _files(found, told, worst).items():
        save_text(output / name, text)
    report.say(f"{output / 'report.html'} shows it all")
    report.write(told)
    return 2 if found.failed else 0


def _writable(output: Path) -> Path:
    """The folder, made; before an hour of work and not after it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{output} cannot be the folder of a report ({error.strerror}); choose another with -o."
        ) from error
    links = [file.name for file in output.iterdir() if file.is_symlink() and _is_ours(file.name)]
    if links:
        raise UsageError(
            f"{links[0]} in {output} is a link to a file elsewhere; remove it, or choose another"
            " folder with -o."
        )
    return output


_NAMES = ("report.html", "report.json", "per_frame.csv", "per_class.csv")


def _is_ours(name: str) -> bool:
    return name in _NAMES or (name.startswith("confusion_") and name.endswith(".csv"))


def _keep_in(worst: "WorstFrames", ignore: int | None) -> OnFrame:
    """What remembers the frames that the models do worst on."""

    def keep(found: Measured, one: "Labelled", answers: dict[str, Labels]) -> None:
        mious = {
            name: scores_of(found.counts[name][one.name], found.convention).miou for name in answers
        }
        reference = one.reference
        if ignore is not None:
            reference = np.where(reference == ignore, np.uint8(VOID), reference)
        worst.offer(one.name, one.frame.rgb, reference, answers, mious)

    return keep


def _report(found: Measured, arguments: argparse.Namespace) -> Json:
    """What report.json says."""
    notes = []
    if arguments.ignore is not None:
        notes.append(f"Reference pixels with the label {arguments.ignore} were left out too.")
    notes += _clips_told(found, by_clip=arguments.by_clip)
    return {
        **report_of(found),
        "pairs": _pairs(found, by_clip=arguments.by_clip),
        "data": {"images": _short(arguments.images), "labels": _short(arguments.labels)},
        "made": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        "notes": notes,
        "versions": _versions(),
        "files": [*_NAMES, *_confusion_files(list(found.scored)).values()],
    }


def _short(folder: Path) -> str:
    """The last two parts: a report that is passed on says nothing of its maker's disk."""
    return "/".join(folder.resolve().parts[-2:])


def _pairs(found: Measured, *, by_clip: bool) -> list[Json]:
    """Every two models that were measured."""
    from segstudio.core.bootstrap import paired_bootstrap

    pairs = []
    for a, b in itertools.combinations(found.scored, 2):
        frames = list(found.counts[a])
        clips = [clip_of(file) for file in frames] if by_clip else None
        verdict = paired_bootstrap(
            list(found.counts[a].values()),
            [found.counts[b][file] for file in frames],
            convention=found.convention,
            groups=clips,
        )
        pairs.append(
            {
                "a": a,
                "b": b,
                "delta_miou": verdict.delta,
                "ci95": [verdict.low, verdict.high],
                "share_better": verdict.share_better,
                "clear": verdict.is_clear,
                "frames": verdict.frames,
                "groups": verdict.groups,
                "resamples": verdict.resamples,
                "convention": verdict.convention.value,
                "told": in_words(a, b, verdict),
            }
        )
    return pairs


def clip_of(file: str) -> str:
    """What the names of one clip's frames have in common: all before the last underscore.

    Frames that only their folder tells from those of another clip are of that folder's clip.
    """
    folder, slash, name = file.rpartition("/")
    if slash:
        return folder
    stem = Path(name).stem.removesuffix("_leftImg8bit")
    return stem.rpartition("_")[0] or stem


def in_words(a: str, b: str, verdict: "Verdict") -> str:
    """A sentence for people who have never heard of a bootstrap."""
    drawn = _count(verdict.frames, "frame", "frames")
    if verdict.groups != verdict.frames:
        drawn += f" of {_count(verdict.groups, 'clip', 'clips')}"
    if verdict.delta != verdict.delta or verdict.low != verdict.low:
        return f"Nothing can be said about {a} and {b} on {drawn}."
    better, worse, sign, share = b, a, 1.0, verdict.share_better
    if verdict.delta < 0:
        better, worse, sign, share = a, b, -1.0, 1 - share
    low, high = sorted((sign * verdict.low, sign * verdict.high))
    interval = f"95 % interval {_points(low)} to {_points(high)}"
    if verdict.groups < 2:
        return (
            f"{better} has {_points(sign * verdict.delta)} points more mIoU than {worse} on"
            f" {drawn}; one alone says nothing about others."
        )
    if verdict.is_clear:
        return (
            f"{better} is better than {worse} by {_points(sign * verdict.delta)} points;"
            f" {interval}; better in {_share(share)}."
        )
    return (
        f"{a} and {b} cannot be told apart on {drawn}: {better} has {_points(sign * verdict.delta)}"
        f" points more, {interval}."
    )


def _clips_told(found: Measured, *, by_clip: bool) -> list[str]:
    """What the intervals cannot know."""
    files = next(iter(found.counts.values()), {})
    clips = len({clip_of(file) for file in files})
    if len(found.scored) < 2 or by_clip or clips == len(files):
        return []
    if clips == 1:
        return [
            "By their names all frames are of one clip: the intervals are about this road and say"
            " nothing about others."
        ]
    return [
        f"By their names the frames are of {clips} clips; --by-clip draws whole clips and gives"
        " wider, more honest intervals."
    ]


def _points(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


def _share(value: float) -> str:
    """Never a round hundred that is none."""
    return "every resample" if value == 1 else f"{min(100 * value, 99.9):.1f} % of resamples"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _versions() -> Json:
    import platform
    from importlib.metadata import version

    from segstudio import __version__

    return {
        "SegStudio": __version__,
        "Python": platform.python_version(),
        "torch": version("torch"),
        "NumPy": version("numpy"),
    }


def _files(found: Measured, told: Json, worst: "WorstFrames") -> dict[str, str]:
    """Name → content of everything that is written, made before the first file is touched."""
    from segstudio.cli.html.page import page

    files = {
        name: _confusion_text(found, model)
        for model, name in _confusion_files(list(found.scored)).items()
    }
    files["per_frame.csv"] = frame_rows(found.counts, found.convention)
    files["per_class.csv"] = _class_rows(found.scored, found.convention.value)
    files["report.json"] = to_json(told) + "\n"
    files["report.html"] = page(found, told, worst.frames)
    return files


def _confusion_files(models: list[str]) -> dict[str, str]:
    """Model → file name: nothing of a model's name leads out of the folder, no two are alike."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for model in models:
        stem = re.sub(r"[^\w.@=+,-]", "_", model)[:120]
        name, number = f"confusion_{stem}.csv", 1
        while name.casefold() in taken:
            number += 1
            name = f"confusion_{stem}_{number}.csv"
        taken.add(name.casefold())
        found[model] = name
    return found


def _confusion_text(found: Measured, model: str) -> str:
    names = found.reference.names
    full = found.scored[model]["confusion_full"]
    rows = [[name, *row] for name, row in zip([*names, "void"], full, strict=True)]
    return table_text([["reference \\ predicted", *names, "other"], *rows])


def _class_rows(scored: Mapping[str, Json], convention: str) -> str:
    keys = ["iou", "precision", "recall", "f1"]
    keys += [key for key in ("iiou", "boundary_f1") if any(key in each for each in scored.values())]
    rows: list[list[object]] = [["model", "class", *keys, "convention"]]
    for model, each in scored.items():
        rows += [
            [model, name, *(each.get(key, {}).get(name) for key in keys), convention]
            for name in each["iou"]
        ]
    return table_text(rows)
