"""`segstudio video`: a clip as an MP4 file with masks over it, or views beside each other."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.exchange_words import project_file, shown
from segstudio.cli.predict import add_model_options
from segstudio.cli.report import Report, Subparsers, add_report_options
from segstudio.core.mask_style import MODES, mode_of
from segstudio.errors import SegStudioError, UsageError

if TYPE_CHECKING:
    from segstudio.core.classes import ClassMap
    from segstudio.engine.exchange.clips import ProjectLabels, Voice
    from segstudio.engine.exchange.film import VideoLook
    from segstudio.engine.exchange.videos import Span
    from segstudio.media.source import FrameSource
    from segstudio.store.project import MediaRecord, Project

_EPILOG = """\
SOURCE is a project (*.segproj), or a video, a folder or a picture; labels that the window keeps of
those by itself are found. TARGET is a new MP4 file; nothing that is there is ever replaced, and it
is whole or absent. Afterwards it is read back.

overlay shows the labels of a frame over it, where it has some, else what the first model says,
else the bare frame. side-by-side shows picture, labels and every model in a pane of its own;
--difference adds where two models, or the labels and the only model, differ.

Frames keep the times they have in SOURCE. -m takes NAME@SETTINGS as `segstudio compare` does.

examples:
  segstudio video drive.segproj drive.mp4 --legend
  segstudio video drive.mp4 masks.mp4 -m bisenet_v2_camvid --range 100-250
  segstudio video drive.segproj both.mp4 --show side-by-side -m old -m new --difference
"""


def add(subparsers: Subparsers) -> None:
    """The options of `video`."""
    parser = subparsers.add_parser(
        "video",
        help="a clip as MP4 with its masks, or views side by side",
        description="Write a clip as a video to look at: masks over it, or views side by side.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", type=Path)
    parser.add_argument("target", metavar="TARGET.mp4", type=Path)
    parser.add_argument(
        "--show", choices=("overlay", "side-by-side"), default="overlay", help="(overlay)"
    )
    parser.add_argument("-m", "--model", action="append", default=[], metavar="MODEL[@SETTINGS]")
    parser.add_argument(
        "--scope",
        default="labelled",
        metavar="S",
        help="labels: confirmed, human, labelled, none (labelled)",
    )
    parser.add_argument("--media", metavar="TITLE", help="the clip, of a project that has several")
    parser.add_argument("--range", metavar="A-B", help="frames from 0, both included (all)")
    parser.add_argument("--fps", type=float, metavar="F", help="frames per second (the source's)")
    parser.add_argument("--style", choices=MODES, default="fill", help="of the masks (fill)")
    parser.add_argument(
        "--opacity", type=float, default=0.55, metavar="F", help="of the masks, 0 to 1 (0.55)"
    )
    parser.add_argument("--legend", action="store_true", help="the classes' names below")
    parser.add_argument("--width", type=int, metavar="N", help="pixels across at most")
    parser.add_argument("--difference", action="store_true", help="side by side: where two differ")
    parser.add_argument("--no-picture", action="store_true", help="side by side: no bare picture")
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the video and reads it back."""
    look, span = _look(arguments), _span(arguments)
    from segstudio.engine.exchange.videos import check_target, overlay_video, side_by_side_video

    is_overlay = arguments.show == "overlay"
    if is_overlay and (arguments.difference or arguments.no_picture or len(arguments.model) > 1):
        raise UsageError(
            "An overlay shows one model at most and no panes; add --show side-by-side for more."
        )
    if arguments.difference and not arguments.model:
        raise UsageError(
            "--difference is between two models, or the labels and one: name them with -m, as often"
            " as there are models."
        )
    check_target(arguments.target)  # before a model is loaded
    report = Report(arguments)
    with _clip(arguments) as (source, labels), ExitStack() as stack:
        classes = None if labels is None else labels.classes
        models = _models(arguments, classes, stack)
        progress = stack.enter_context(shown(report))
        if is_overlay:
            done = overlay_video(
                source, arguments.target, labels=labels, model=models[0] if models else None,
                look=look, span=span, progress=progress,
            )  # fmt: skip
        else:
            done = side_by_side_video(
                source, arguments.target, labels=labels, models=models,
                has_picture=not arguments.no_picture, has_difference=arguments.difference,
                look=look, span=span, progress=progress,
            )  # fmt: skip
    for line in done.lines():
        report.say(line)
    report.write(done.to_json())
    return 0


def _look(arguments: argparse.Namespace) -> "VideoLook":
    """UsageError for what cannot be drawn."""
    from segstudio.engine.exchange.film import VideoLook

    if not 0 <= arguments.opacity <= 1:
        raise UsageError(f"--opacity {arguments.opacity:g} is no opacity; write 0 to 1.")
    if arguments.width is not None and not 64 <= arguments.width <= 16384:
        raise UsageError(f"--width {arguments.width} makes no video; write 64 to 16384.")
    mode = mode_of(arguments.style)
    return VideoLook(mode, arguments.opacity, legend=arguments.legend, width=arguments.width)


def _span(arguments: argparse.Namespace) -> "Span":
    """UsageError for a range that is none."""
    from segstudio.engine.exchange.videos import Span

    if arguments.range is None:
        return Span(fps=arguments.fps)
    first, dash, last = arguments.range.partition("-")
    if not first.strip().isdecimal() or (dash and not last.strip().isdecimal()):
        raise UsageError(f"--range {arguments.range} is no range of frames; write it like 100-250.")
    if dash and int(last) < int(first):
        raise UsageError(
            f"--range {arguments.range} runs backwards; write the smaller number first, like"
            f" {int(last)}-{int(first)}."
        )
    return Span(int(first), int(last or first), arguments.fps)


@contextmanager
def _clip(
    arguments: argparse.Namespace,
) -> "Iterator[tuple[FrameSource, ProjectLabels | None]]":
    """The frames, and what is labelled in them."""
    from segstudio.engine.exchange.clips import ProjectLabels
    from segstudio.engine.project_sources import files_of, opened

    with ExitStack() as stack:
        file, is_project = _project_file(arguments)
        files: Path | list[Path] = arguments.source
        record = project = None
        if file is not None:
            project = _opened_project(file, stack)
        if project is not None and is_project:
            record = _record(project, arguments.media)
            files = files_of(project, record)
            if not files:
                raise SegStudioError(
                    f"{record.title} is not at {record.path} any more; open the project in the"
                    " window and say where it lies."
                )
        medium = stack.enter_context(opened(files))
        if project is not None and not is_project:
            its = (each for each in project.media() if each.fingerprint == medium.info.id)
            record = next(its, None)
        labels = None
        if project is not None and record is not None and arguments.scope != "none":
            labels = ProjectLabels.of_media(project, record, medium.info, arguments.scope)
        yield medium.source, labels


def _project_file(arguments: argparse.Namespace) -> tuple[Path | None, bool]:
    """The project that is named, or that the window keeps of a source, and whether it is named.

    UsageError for a scope that there is not.
    """
    from typing import get_args

    from segstudio.engine.exchange.frames import Scope

    scopes = (*get_args(Scope), "none")
    if arguments.scope not in scopes:
        raise UsageError(f"There are no '{arguments.scope}' labels; choose {', '.join(scopes)}.")
    file: Path = arguments.source
    if file.suffix == ".segproj":
        return file, True
    if arguments.scope == "none":
        return None, False
    try:
        return project_file(file), False
    except SegStudioError:  # nothing is labelled yet; whether it can be opened is seen next
        return None, False


def _opened_project(file: Path, stack: ExitStack) -> "Project":
    from segstudio.store.project import Project

    project = Project.open(file, read_only=True)
    stack.callback(project.close)
    return project


def _record(project: "Project", title: str | None) -> "MediaRecord":
    """The clip that is meant; UsageError when that is not clear."""
    records = project.media()
    titles = ", ".join(record.title for record in records)
    if not records:
        raise UsageError(f"There is no clip in {project.path.name}; open one in the window first.")
    if title is not None:
        found = [record for record in records if record.title == title]
        if not found:
            raise UsageError(f"There is no '{title}' in {project.path.name}; it has {titles}.")
        return found[0]
    if len(records) > 1:
        raise UsageError(f"{project.path.name} has {titles}; choose one of them with --media.")
    return records[0]


def _models(
    arguments: argparse.Namespace, classes: "ClassMap | None", stack: ExitStack
) -> "Sequence[Voice]":
    """Loaded, and all in the same classes where they have some in common."""
    if not arguments.model:
        return ()
    from segstudio.cli.contenders import contenders
    from segstudio.engine.exchange.clips import voice
    from segstudio.engine.strategies import labeller

    found: list[Voice] = []
    for one in contenders(arguments.model, arguments):
        loaded = labeller(one.card, one.device, one.strategy)
        stack.callback(loaded.close)
        _, mark, settings = one.name.partition("@")
        title = f"{one.card.title} · {settings}" if mark else one.card.title
        found.append(voice(loaded, classes, title=title))
        classes = classes or found[0].classes
    return found
