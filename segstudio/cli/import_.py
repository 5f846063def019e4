"""`segstudio import`: labels that other programs wrote, into a project."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.exchange_words import pairs, shown, tell_formats
from segstudio.cli.report import Json, Report, Subparsers, add_report_options
from segstudio.errors import FormatError, UsageError

if TYPE_CHECKING:
    from segstudio.core.classes import ClassMap
    from segstudio.engine.exchange.planning import ImportPlan
    from segstudio.store.project import Project

_EPILOG = """\
FILES is a folder, a zip file, or one file of another program (a COCO JSON); what it is, is
recognised and told. PROJECT is a project (*.segproj), or a video or folder of pictures, whose own
project is meant; one that is not there is made, with the classes of the files and the pictures that
come with them.

Frames are found by the name or place of their picture, and by the names of an export of ours;
--match number takes the last number in a name as the index of the frame, order the n-th file as the
n-th frame, where there are as many (with --media TITLE where the project has several videos or
folders). Pictures that the project does not know yet and that come with the files are added to it.
Frames without any label are left out, unless --with-empty.

Classes find each other by name or through mappings between known class sets; --map says
otherwise (--map sky=Sky, --map ego= for void), --add-classes adds those that the project lacks.

All frames or none are imported: whatever fails, the project stays as it was. Each frame gets one
step of undo. Pixels that a person painted or confirmed stay, unless --over-human.

examples:
  segstudio import masks/ drive.segproj --dry-run
  segstudio import annotations.zip new.segproj --json report.json
  segstudio import predictions/ drive.segproj --as prediction --model their_net --match number
"""


def add(subparsers: Subparsers) -> None:
    """The options of `import`."""
    parser = subparsers.add_parser(
        "import",
        help="labels that other programs wrote",
        description="Read labels of another program into a project, all of them or none.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="FILES", type=Path, nargs="?")
    parser.add_argument("project", metavar="PROJECT", type=Path, nargs="?")
    parser.add_argument("--list", action="store_true", help="the formats and their options")
    parser.add_argument(
        "--format", default="guess", metavar="NAME", help="the format, or guess (guess)"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="K=V", help="of the format, see --list"
    )
    parser.add_argument(
        "--as",
        dest="as_",
        default="ground-truth",
        metavar="WHAT",
        help="ground-truth: confirmed; prediction: drafts (ground-truth)",
    )
    parser.add_argument("--model", default="", metavar="NAME", help="who made the predictions")
    parser.add_argument(
        "--map", action="append", default=[], metavar="A=B", help="class A of the files is B"
    )
    parser.add_argument("--add-classes", action="store_true", help="add classes that are missing")
    parser.add_argument(
        "--match", default="name", metavar="BY", help="name, number, order, none (name)"
    )
    parser.add_argument("--media", metavar="TITLE", help="only into frames of this one")
    parser.add_argument("--over-human", action="store_true", help="also over what people painted")
    parser.add_argument(
        "--with-empty", action="store_true", help="also frames without any label, all void"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out frames that do not fit")
    parser.add_argument("--dry-run", action="store_true", help="read everything, write nothing")
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Imports everything or nothing; 0 also when some frames had no place (they are told)."""
    report = Report(arguments)
    if arguments.list:
        return tell_formats(arguments, report, reading=True)
    if arguments.files is None or arguments.project is None:
        raise UsageError("Name the files and a project: segstudio import FILES PROJECT.")
    as_ = arguments.as_.replace("-", "_")
    if as_ not in ("ground_truth", "prediction"):
        raise UsageError(
            f"Labels cannot be imported as '{arguments.as_}'; choose ground-truth or prediction."
        )
    from segstudio.engine.exchange.importing import run_import

    with ExitStack() as stack:
        project = _existing(arguments, stack)
        plan = _plan(arguments, project, stack)
        _tell(plan, report)
        if plan.fits_order and not plan.matched:
            raise FormatError(
                f"No name in {plan.source.title} is that of a frame, and {plan.fits_order} has as"
                " many frames as there are labels; add --match order to take them in order."
            )
        if project is None:
            project = _made(arguments.project, plan.classes, arguments, stack)
        progress = stack.enter_context(shown(report))
        done = run_import(
            plan,
            project,
            as_,
            model=arguments.model,
            over_human=arguments.over_human,
            leave_out_bad=arguments.skip_bad,
            with_empty=arguments.with_empty,
            dry_run=arguments.dry_run,
            progress=progress,
        )
        stack.pop_all().close()
    for line in done.lines():
        report.say(line)
    if not done.frames and not arguments.dry_run and not project.path.exists():
        report.say(f"No project was made of {plan.source.title}, since nothing came in.")
    report.write({**done.to_json(), "guess": _guess(plan)})
    return 0


def _existing(arguments: argparse.Namespace, stack: ExitStack) -> "Project | None":
    """The project that is named; that of a video or folder of pictures is made as the window does,
    with the classes of the files. None for a .segproj that is not there yet."""
    from segstudio.cli.exchange_words import own_project
    from segstudio.engine.exchange.planning import plan_import
    from segstudio.store import own_projects
    from segstudio.store.picture_names import PictureNames
    from segstudio.store.project import Project

    file = arguments.project
    own = None if file.suffix == ".segproj" else own_project(file)
    file = file if own is None else own.file
    if file.exists():
        project = Project.open(file, read_only=arguments.dry_run)
        stack.callback(project.close)
        return project
    if own is None:
        return None
    kind = None if arguments.format == "guess" else arguments.format
    options = dict(pairs(arguments.option, "--option", "name=value"))
    plan = plan_import(arguments.files, None, format_name=kind, options=options)
    plan.close()
    project, info = _made(file, plan.classes, arguments, stack), own.info
    pictures = PictureNames(info.names, info.may_change) if info.kind == "sequence" else None
    project.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=info.path, width=info.width,
        height=info.height, frames=info.frames, pictures=pictures,
    )  # fmt: skip
    if own.place and not arguments.dry_run:
        own_projects.remember(file, info.id, own.place)
    return project


def _plan(
    arguments: argparse.Namespace, project: "Project | None", stack: ExitStack
) -> "ImportPlan":
    from segstudio.engine.exchange.planning import plan_import

    plan = plan_import(
        arguments.files,
        project,
        format_name=None if arguments.format == "guess" else arguments.format,
        options=dict(pairs(arguments.option, "--option", "name=value")),
        matching=arguments.match,
        media=_media(project, arguments.media),
    )
    stack.callback(plan.close)
    wanted = pairs(arguments.map, "--map", "A=B")
    plan = plan.mapped(
        {name: other or None for name, other in wanted.items()}, is_adding=arguments.add_classes
    )
    return plan.with_all_classes() if arguments.add_classes else plan


def _media(project: "Project | None", title: str | None) -> int | None:
    from segstudio.core.class_mapping import listed
    from segstudio.engine.exchange.matching import titles

    if title is None:
        return None
    called = {} if project is None else titles(project)
    found = [number for number, name in called.items() if name == title]
    if not found and project is not None:
        found = [m.id for m in project.media() if m.title == title]
    if len(found) != 1:
        have = listed([f"'{name}'" for name in called.values()]) or "none"
        raise UsageError(
            f"There {'are several' if found else 'is no'} '{title}' in the project; name one of its"
            f" videos and folders: {have}."
        )
    return found[0]


def _tell(plan: "ImportPlan", report: Report) -> None:
    """As what the files are read, before anything is done."""
    from segstudio.formats.registry import FORMATS

    title = FORMATS.get(plan.guess.format).title
    report.say(f"{plan.source.title} is read as {title}: {plan.guess.why}")


def _made(
    file: Path, classes: "ClassMap", arguments: argparse.Namespace, stack: ExitStack
) -> "Project":
    """A new project, which goes again when the import fails; a dry run makes it elsewhere."""
    import tempfile

    from segstudio.store.project import Project

    if arguments.dry_run:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="segstudio-"))
        file = Path(scratch) / file.name
    project = Project.create(file, classes)
    stack.callback(project.close, remove_untouched=True)
    return project


def _guess(plan: "ImportPlan") -> Json:
    guess = plan.guess
    return {
        "format": guess.format,
        "sure": guess.sure,
        "why": guess.why,
        "options": dict(guess.options),
        "others": [other.format for other in plan.guesses[1:]],
    }
