"""`segstudio export`: the labels of a project as files of another program."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.exchange_words import pairs, project_file, shown, tell_formats
from segstudio.cli.report import Report, Subparsers, add_report_options
from segstudio.errors import UsageError

if TYPE_CHECKING:
    from segstudio.engine.exchange.splits import Splits

_EPILOG = """\
PROJECT is a project (*.segproj), or a video or folder whose labels the window keeps by itself.
TARGET is a new folder (with --zip a zip file). Nothing that is there is ever replaced; interrupted,
the same command with --resume goes on where it stopped.

Frames that were confirmed whole are exported, unless --scope says otherwise: human takes what a
person painted or confirmed in any frame (the rest is void), labelled every label.

Afterwards the files are read back and every pixel is compared; exit code 1 says that an exact
format gave back another one. What the format cannot carry is told.

--split divides by clip: all frames of a video or folder are in the same split. A single clip is
cut into stretches of time, and frames next to a cut are left out.

examples:
  segstudio export --list                      # formats; with --format NAME its options
  segstudio export drive.segproj out/ --format index_png
  segstudio export drive.segproj city/ --format cityscapes --option color=yes --split 80/10/10
  segstudio export drive.segproj set.zip --format coco --zip --pictures jpg --json report.json
"""


def add(subparsers: Subparsers) -> None:
    """The options of `export`."""
    parser = subparsers.add_parser(
        "export",
        help="labels as files of other programs",
        description="Write the labels of a project as files of another program, and prove them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("project", metavar="PROJECT", type=Path, nargs="?")
    parser.add_argument("target", metavar="TARGET", type=Path, nargs="?")
    parser.add_argument("--list", action="store_true", help="the formats and their options")
    parser.add_argument("--format", metavar="NAME", help="the format, see --list")
    parser.add_argument(
        "--option", action="append", default=[], metavar="K=V", help="of the format, see --list"
    )
    parser.add_argument(
        "--scope", default="confirmed", metavar="S", help="confirmed, human, labelled (confirmed)"
    )
    parser.add_argument(
        "--media", action="append", default=[], metavar="TITLE", help="only frames of this one"
    )
    parser.add_argument("--split", metavar="80/10/10", help="shares of train, val and test")
    parser.add_argument(
        "--clip", action="append", default=[], metavar="CLIP=SPLIT", help="a clip in this split"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --split (0)")
    parser.add_argument(
        "--gap", type=float, default=3.0, metavar="S", help="seconds at a cut of one clip (3)"
    )
    parser.add_argument(
        "--pictures",
        default="copy",
        metavar="P",
        help="copy, link, png, jpg, none (copy): files as they are, or all written anew",
    )
    parser.add_argument("--zip", action="store_true", help="one zip file instead of a folder")
    parser.add_argument("--resume", action="store_true", help="go on where it was stopped")
    parser.add_argument("--no-proof", action="store_true", help="do not read it back")
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes and proves; 1 when an exact format gave back other labels."""
    report = Report(arguments)
    if arguments.list:
        return tell_formats(arguments, report, reading=False)
    if arguments.project is None or arguments.target is None:
        raise UsageError("Name a project and where its files go: segstudio export PROJECT TARGET.")
    if arguments.format is None:
        raise UsageError("Name a format with --format; segstudio export --list has them all.")
    from segstudio.engine.exchange.exporting import export_project
    from segstudio.store.project import Project

    splits = _splits(arguments)
    project = Project.open(project_file(arguments.project), read_only=True)
    try:
        with shown(report) as progress:
            done = export_project(
                project,
                arguments.target,
                arguments.format,
                options=dict(pairs(arguments.option, "--option", "name=value")),
                scope=arguments.scope,
                media=_media(project, arguments.media),
                splits=splits,
                pictures=arguments.pictures,
                zipped=arguments.zip,
                existing="resume" if arguments.resume else "refuse",
                proof=not arguments.no_proof,
                progress=progress,
            )
    finally:
        project.close()
    first, *others = done.lines()
    report.say(first)
    if len(done.splits) > 1:
        report.say(", ".join(f"{name}: {count} frames" for name, count in done.splits.items()))
    for line in others:
        report.say(line)
    report.write(done.to_json())
    is_wrong = done.proof is not None and not (done.proof.is_exact or done.proof.is_expected)
    if is_wrong:
        assert done.proof is not None
        report.warn(done.proof.in_words())
    return int(is_wrong)


def _splits(arguments: argparse.Namespace) -> "Splits | None":
    """UsageError for what divides nothing."""
    if arguments.split is None and not arguments.clip:
        return None
    from segstudio.core.placed import Gap
    from segstudio.engine.exchange.splits import Splits

    if not arguments.gap >= 0:
        raise UsageError(f"--gap {arguments.gap:g} makes no sense; use 0 or more seconds.")
    shares = Splits.parse(arguments.split) if arguments.split is not None else (1.0, 0.0, 0.0)
    fixed = pairs(arguments.clip, "--clip", "clip=split")
    return Splits(shares, fixed, arguments.seed, Gap(seconds=arguments.gap))


def _media(project: object, titles: list[str]) -> tuple[int, ...] | None:
    """Ids by title; UsageError for one that is not there."""
    from segstudio.store.project import Project

    assert isinstance(project, Project)
    if not titles:
        return None
    known: dict[str, list[int]] = {}
    for record in project.media():
        known.setdefault(record.title, []).append(record.id)
    for title in titles:
        if title not in known:
            raise UsageError(
                f"There is no '{title}' in {project.path.name}; it has"
                f" {', '.join(known) or 'no media'}."
            )
    return tuple(media for title in titles for media in known[title])
