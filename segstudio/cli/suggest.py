"""`segstudio suggest`: frames and regions worth correcting, and labels that are probably wrong."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.contenders import GRAMMAR, Contender, contenders
from segstudio.cli.predict import add_model_options
from segstudio.cli.reference import Frames, ReferenceSet, settle_folders, without_void
from segstudio.cli.report import Json, Report, Subparsers, add_report_options
from segstudio.core.classes import ClassMap
from segstudio.errors import MediaError, UsageError

if TYPE_CHECKING:  # torch comes when the work starts
    from segstudio.engine.project_sources import Medium
    from segstudio.engine.run import Labeller
    from segstudio.engine.suggest import ErrorFinder, Suggestion, Told
    from segstudio.store.project import Project

_EPILOG = f"""\
PATH is a project (*.segproj), or a video, a picture or a folder of pictures; what the window keeps
of a video without a project counts too. Confirmed frames are not offered, what is near to them in
time or alike is worth less, and classes that were hardly corrected are worth more.

The report is a list, best first: `frame` (index, from 0), `region` (null, or [y0, x0, y1, x1] in
frame pixels, half-open), `score`, `reason`; and `title`, `name`, `time_s`, `classes`, `terms`.

--errors lists labels of people that the first model doubts: of a project, or of a folder with
images/ and labels/ in it (or pictures with --labels DIR). Thresholds are each class's own mean
probability (confident learning); borders between classes do not count.

{GRAMMAR}
examples:
  segstudio suggest drive.mp4 -m bisenet_v2_camvid -n 20
  segstudio suggest drive.segproj -m mine -m other --regions --json next.json
  segstudio suggest drive.segproj -m mine --errors
"""


def add(subparsers: Subparsers) -> None:
    """The options of `suggest`."""
    parser = subparsers.add_parser(
        "suggest",
        help="frames and regions worth correcting next",
        description="Rank the frames and regions that are worth correcting, with reasons.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", metavar="PROJECT|PATH", type=Path)
    parser.add_argument(
        "-m",
        "--model",
        action="append",
        default=[],
        metavar="MODEL[@SETTINGS]",
        help="the model to correct; further ones are held against it",
    )
    parser.add_argument("-n", type=int, default=10, metavar="N", help="how many (10)")
    parser.add_argument(
        "--every", type=int, metavar="K", help="each K-th frame only (a video: 3 a second)"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="look at as many frames as that allows"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--regions", action="store_true", help="regions of these frames")
    what.add_argument("--errors", action="store_true", help="labels that are probably wrong")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="of the pictures, for --errors")
    parser.add_argument("--classes", metavar="SET", help="class set of --labels (the model's)")
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the list; 0 also when there is nothing to suggest."""
    _check(arguments)
    report = Report(arguments)
    models = contenders(arguments.model or [None], arguments)
    with ExitStack() as stack:
        if arguments.errors:
            found, told, classes = _errors(arguments, models, report, stack)
        else:
            found, told, classes = _suggestions(arguments, models, report, stack)
    if not told.looked and told.missing:
        raise MediaError(told.missing[0])
    for row in _table(found):
        report.say(row)
    if told.missing:
        more = f" (and {len(told.missing) - 1} more)" if len(told.missing) > 1 else ""
        report.warn(f"Something was left out: {told.missing[0]}{more}")
    if not found:
        report.say(_nothing(arguments, told))
    elif len(found) < arguments.n and not (arguments.errors or arguments.regions):
        report.say(_fewer(len(found), told))
    report.write([_row(one, classes) for one in found])
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """UsageError for options that make no sense."""
    if arguments.n < 1:
        raise UsageError(f"-n {arguments.n} asks for nothing; ask for 1 or more.")
    if arguments.every is not None and arguments.every < 1:
        raise UsageError(f"--every {arguments.every} makes no sense; 1 takes every frame.")
    if arguments.seconds is not None and not arguments.seconds > 0:
        raise UsageError(f"--seconds {arguments.seconds:g} leaves no time; allow more than 0.")
    if arguments.labels is not None and not arguments.errors:
        raise UsageError("--labels are for --errors; leave them out, or ask for --errors.")


def _is_project(path: Path) -> bool:
    return path.suffix == ".segproj"


def _suggestions(
    arguments: argparse.Namespace, models: Sequence[Contender], report: Report, stack: ExitStack
) -> "tuple[list[Suggestion], Told, ClassMap]":
    from segstudio.engine.project_sources import human_pixels
    from segstudio.engine.suggest import Looker, Told, suggest

    told = Told()
    project, media = _media(arguments.path, told, stack)
    corrected = None if project is None else human_pixels(project, told.missing)
    classes = _classes(project, models)
    looker = Looker(_loaded(models, stack), classes)
    bar = stack.enter_context(report.progress("frames", None))

    def on_progress(done: int, total: int) -> None:
        bar.total = total
        bar.show(done)

    found = suggest(
        media,
        looker,
        arguments.n,
        regions=arguments.regions,
        corrected=corrected,
        every=arguments.every,
        budget_s=arguments.seconds,
        told=told,
        on_progress=on_progress,
    )
    return found, told, classes


def _errors(
    arguments: argparse.Namespace, models: Sequence[Contender], report: Report, stack: ExitStack
) -> "tuple[list[Suggestion], Told, ClassMap]":
    from segstudio.engine.suggest import ErrorFinder, Looker, Told, find_label_errors

    told = Told()
    bar = stack.enter_context(report.progress("frames", None))
    if _is_project(arguments.path):
        project, media = _media(arguments.path, told, stack)
        assert project is not None
        classes = _classes(project, models)
        finder = ErrorFinder(Looker(_loaded(models[:1], stack), classes))

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.show(done)

        find_label_errors(media, project, finder, told, on_progress=on_progress)
        return finder.found(arguments.n), told, classes
    frames = _labelled_folder(arguments, models)
    classes = frames.reference.classes
    finder = ErrorFinder(Looker(_loaded(models[:1], stack), classes))
    bar.total = len(frames.pairs)
    _add_folder(frames, finder, told, bar.show)
    told.missing += frames.told()
    return finder.found(arguments.n), told, classes


# --- what is looked at


def _media(path: Path, told: "Told", stack: ExitStack) -> "tuple[Project | None, Iterator[Medium]]":
    """The media to go through, and the project that knows what was corrected in them."""
    from segstudio.engine.project_sources import media_of, opened
    from segstudio.store.project import Project

    if _is_project(path):
        project = Project.open(path, read_only=True)
        stack.callback(project.close)
        if not project.media():
            raise UsageError(f"{path.name} has no media yet; open a video in it first.")
        return project, stack.enter_context(closing(media_of(project, told.missing)))
    medium = stack.enter_context(opened(path))
    own = stack.enter_context(_own_project(medium))
    if own is None:
        return None, iter((medium,))
    return own[0], iter((own[1],))


@contextmanager
def _own_project(medium: "Medium") -> "Iterator[tuple[Project, Medium] | None]":
    """What the window keeps of a source that was opened without a project; None for nothing."""
    from segstudio.engine.project_sources import of_project
    from segstudio.store import own_projects
    from segstudio.store.picture_names import PictureNames
    from segstudio.store.project import Project

    info = medium.info
    names = PictureNames(info.names, info.may_change)
    place = own_projects.place_of(info.path, info.title, names) if info.names else ""
    file = own_projects.find(info.id, info.title, place)
    if not file.is_file():
        yield None
        return
    project = Project.open(file, read_only=True)
    try:
        known = next((r for r in project.media() if r.fingerprint == info.id), None)
        is_used = known is not None and not project.is_empty
        yield (project, of_project(project, known, medium.source)) if known and is_used else None
    finally:
        project.close()


def _classes(project: "Project | None", models: Sequence[Contender]) -> ClassMap:
    return without_void(models[0].card.classes) if project is None else project.classes


def _loaded(models: Sequence[Contender], stack: ExitStack) -> "list[Labeller]":
    from segstudio.engine.strategies import labeller

    found = []
    for each in models:
        found.append(labeller(each.card, each.device, each.strategy))
        stack.callback(found[-1].close)
    return found


def _labelled_folder(arguments: argparse.Namespace, models: Sequence[Contender]) -> Frames:
    """Pictures and labels of --errors; MediaError when there are none."""
    has_labels = arguments.labels is not None
    if not has_labels and not arguments.path.is_dir():
        raise UsageError(
            f"{arguments.path} has no labels of people; name a project, a folder with images/ and"
            " labels/, or the folder of its labels with --labels."
        )
    folders = argparse.Namespace(
        data=None if has_labels else str(arguments.path),
        images=arguments.path if has_labels else None,
        labels=arguments.labels,
        classes=arguments.classes,
        ignore=None,
    )
    settle_folders(folders)
    reference = (
        ReferenceSet.of_model(models[0].card.classes)
        if folders.classes is None
        else ReferenceSet.named(folders.classes)
    )
    return Frames.find(folders.images, folders.labels, reference)


def _add_folder(
    frames: Frames, finder: "ErrorFinder", told: "Told", on_seen: Callable[[int], None]
) -> None:
    """Every pair of the folder. The number of a frame is its place among the pairs."""
    import numpy as np

    from segstudio.engine.suggest import Place

    index = 0  # of the pair that comes next: those that cannot be used are seen too

    def on_next(seen: int) -> None:
        nonlocal index
        index = seen
        on_seen(seen)

    for one in frames.pictures(on_next):
        place = Place(0, replace(one.frame.id, index=index), "", one.name)
        by_people = np.ones(one.reference.shape, np.bool_)
        finder.add(place, one.frame, one.reference, by_people)
        told.looked += 1


# --- what is told


def _table(found: "Sequence[Suggestion]") -> list[str]:
    """One line for each: where, score, reason."""
    several = len({one.title for one in found}) > 1
    rows = [(_where(one, with_title=several), f"{one.score:.3g}", one.reason) for one in found]
    wide = max((len(where) for where, _, _ in rows), default=0)
    return [
        f"{number:>3}  {where:<{wide}}  {score:>6}  {reason}"
        for number, (where, score, reason) in enumerate(rows, start=1)
    ]


def _where(one: "Suggestion", *, with_title: bool) -> str:
    text = one.name or f"frame {one.frame.index}"
    if one.frame.time_us is not None:
        minutes, seconds = divmod(one.frame.time_us / 1e6, 60)
        text += f" ({minutes:.0f}:{seconds:04.1f})"
    if with_title and one.title:
        text = f"{one.title} {text}"
    if one.region is not None:
        y0, x0, y1, x1 = one.region
        text += f" rows {y0}–{y1}, columns {x0}–{x1}"
    return text


def _nothing(arguments: argparse.Namespace, told: "Told") -> str:
    """Why the list is empty."""
    if arguments.errors and not told.looked:
        return "Nothing to look at: nobody has painted or confirmed anything."
    if not arguments.errors and not told.offered:
        return "Nothing is left to suggest: every frame that would be looked at is confirmed."
    frames = f"{told.looked} {'frame' if told.looked == 1 else 'frames'}"
    if arguments.errors:
        return f"No label stands out as wrong in {frames}."
    what = "region" if arguments.regions else "frame"
    return f"No {what} stands out: the model is sure of {frames}, or they are like corrected ones."


def _fewer(count: int, told: "Told") -> str:
    """Why it is shorter than was asked for."""
    rest = told.offered - count
    if not rest:
        return f"There are no more than {told.offered} to choose from."
    verb = "is" if rest == 1 else "are"
    return (
        f"The other {rest} of {told.offered} {verb} too near to these or to corrected ones, or the"
        " model is sure."
    )


def _row(one: "Suggestion", classes: ClassMap) -> Json:
    return {
        "frame": one.frame.index,
        "region": None if one.region is None else list(one.region),
        "score": round(one.score, 6),
        "reason": one.reason,
        "title": one.title,
        "name": one.name,
        "time_s": None if one.frame.time_us is None else one.frame.time_us / 1e6,
        "classes": [classes.name_of(i) for i in one.classes],
        "terms": {name: round(value, 6) for name, value in one.terms.items()},
    }
