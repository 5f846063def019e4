"""What `export` and `import` share: the project that is meant, options of a format, a progress."""

import argparse
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.report import Json, Report
from segstudio.errors import SegStudioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segstudio.formats.options import Option
    from segstudio.formats.registry import Format
    from segstudio.formats.report import Progress
    from segstudio.media.source import SourceInfo


@dataclass(frozen=True, slots=True)
class OwnProject:
    """What the window keeps of a source without a project. file: where, there or not. place: that
    leads to it for pictures, "" for a video."""

    file: Path
    info: "SourceInfo"
    place: str


def own_project(path: Path) -> OwnProject:
    """Of a video, a picture or a folder of pictures. SegStudioError when it is none."""
    from segstudio.media.open import complete_info, open_source
    from segstudio.store import own_projects
    from segstudio.store.picture_names import PictureNames

    source = open_source(path)
    try:
        info = complete_info(source)
    finally:
        source.close()
    pictures = PictureNames(info.names, info.may_change)
    place = own_projects.place_of(info.path, info.title, pictures) if info.names else ""
    return OwnProject(own_projects.find(info.id, info.title, place), info, place)


def project_file(path: Path) -> Path:
    """The project that is meant: itself, or what the window keeps of a source without one."""
    if path.suffix == ".segproj":
        return path
    file = own_project(path).file
    if not file.is_file():
        raise SegStudioError(
            f"Nothing is labelled in {path.name} yet, so there is no project of it; open it in the"
            " window and label a frame, or name a .segproj file."
        )
    return file


def pairs(given: Sequence[str], option: str, meant: str) -> dict[str, str]:
    """ "A=B" words as a table; UsageError for a word without =. option, meant: for that message."""
    found = {}
    for word in given:
        name, mark, value = word.partition("=")
        if not mark or not name.strip():
            raise UsageError(f"{option} {word} is not of the form {meant}; write both sides of =.")
        found[name.strip()] = value.strip()
    return found


@contextmanager
def shown(report: Report) -> "Iterator[Callable[[Progress], None]]":
    """Draws a bar of what is reported to the function that is given."""
    with report.progress("frames", None) as bar:

        def show(now: "Progress") -> None:
            bar.total = now.total
            bar.show(now.done, now.stage)

        yield show


def tell_formats(arguments: argparse.Namespace, report: Report, *, reading: bool) -> int:
    """The list of `--list`: all formats, or one with its options."""
    from segstudio.formats.registry import FORMATS

    wanted = [arguments.format] if arguments.format not in (None, "guess") else list(FORMATS)
    kinds = [FORMATS.get(name) for name in wanted]
    if not reading:
        kinds = [kind for kind in kinds if kind.can_write]
    for kind in kinds:
        exact = "" if kind.is_exact else " Draws outlines: labels change a little."
        report.say(f"{kind.name:<16} {kind.title}: {kind.about}{exact}")
        for option in _options(kind, reading=reading):
            report.say(f"  {option.name}={_shown(option.default)}  {_about(option)}")
    report.write([_row(kind, reading=reading) for kind in kinds])
    return 0


def _options(kind: "Format", *, reading: bool) -> "tuple[Option, ...]":
    return kind.reads_with if reading else kind.writes_with


def _shown(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _about(option: "Option") -> str:
    parts = [option.about or option.title]
    if option.choices:
        parts.append("; ".join(f"{word}: {text}" for word, text in option.choices.items()))
    return " ".join(part for part in parts if part)


def _row(kind: "Format", *, reading: bool) -> Json:
    return {
        "name": kind.name,
        "title": kind.title,
        "about": kind.about,
        "is_exact": kind.is_exact,
        "can_write": kind.can_write,
        "options": [
            {
                "name": option.name,
                "title": option.title,
                "about": option.about,
                "default": option.default,
                "choices": dict(option.choices),
            }
            for option in _options(kind, reading=reading)
        ],
    }
