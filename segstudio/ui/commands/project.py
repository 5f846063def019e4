"""File → the project: new, open, save a copy, and an answer for Ctrl+S."""

from pathlib import Path

from segstudio.ui.bridge.background import Job
from segstudio.ui.commands.registry import Desk, command, no_source

SUFFIX = ".segproj"


def _no_project(desk: Desk) -> str:
    is_there = desk.session.editor.projects.project is not None
    return "" if is_there else "Open a picture or a video first; it gets a project by itself."


def _not_chosen(desk: Desk) -> str:
    projects = desk.session.editor.projects
    is_chosen = projects.project is not None and not projects.is_own
    return "" if is_chosen else "No project was opened by you."


@command("project.open", title="Open Project…", menu="File", section=2)
def open_project(desk: Desk) -> None:
    """Labels and the media they belong to."""
    desk.ask_project(lambda path: desk.session.open([path]))


@command("project.new", title="New Project…", menu="File", section=2)
def new_project(desk: Desk) -> None:
    """One file for several clips; what is opened from now on goes into it."""

    def then(path: Path) -> None:
        desk.session.create_project(path.with_suffix(SUFFIX))

    desk.ask_save("New Project", f"labels{SUFFIX}", then)


@command("project.saved", title="Save", menu="File", section=2, keys=("Ctrl+S",),
         unless=_no_project)  # fmt: skip
def saved(desk: Desk) -> None:
    """There is nothing to do: every finished stroke is on the disk."""
    project = desk.session.editor.projects.project
    if project is None:
        return
    if project.is_read_only:
        desk.session.tell(project.why_read_only, "warning")
    elif project.waiting:
        project.retry()
        desk.session.tell(f"{project.waiting} strokes are still on their way to the disk.")
    else:
        desk.session.tell(f"Saved: every stroke is in {project.path}.")


@command("project.copy", title="Save a Copy As…", menu="File", section=2, unless=_no_project)
def copy(desk: Desk) -> None:
    """The whole project in another file; what could not be saved here is in it too."""
    project = desk.session.editor.projects.project
    if project is None:
        return
    given = project

    def then(path: Path) -> None:
        target = path.with_suffix(SUFFIX)

        def op(_: Job) -> Path:
            given.copy_to(target)
            return target

        session = desk.session
        session.background.run(
            op,
            success=lambda made: session.tell(f"Saved a copy: {made}"),
            failure=session.tell_error,
            name="copy",
        )

    desk.ask_save("Save a Copy", f"{project.path.stem}-copy{SUFFIX}", then)


@command("project.import_folder", title="Import Labels from Folder…", menu="File", section=3)
def import_folder(desk: Desk) -> None:
    """Masks and lists of another program; what they seem to be is shown before it is done."""
    desk.ask_folder("Import Labels", desk.import_labels)


@command("project.import_file", title="Import Labels from File…", menu="File", section=3)
def import_file(desk: Desk) -> None:
    """A JSON, XML or zip file of another program."""
    desk.ask_labels(desk.import_labels)


@command("project.export", title="Export Labels…", menu="File", section=3, keys=("Ctrl+E",),
         unless=_no_project)  # fmt: skip
def export(desk: Desk) -> None:
    """Confirmed frames in another program's format, read back and compared."""
    desk.show_dialog("export")


@command("project.export_video", title="Export Video…", menu="File", section=3, unless=no_source)
def export_video(desk: Desk) -> None:
    """The clip as MP4: masks over it, or picture, labels and models beside each other."""
    desk.show_dialog("export_video")


@command("project.close", title="Close Project", menu="File", section=2,
         unless=_not_chosen)  # fmt: skip
def close(desk: Desk) -> None:
    """What is opened next gets a project of its own again."""
    desk.session.close_source()
    desk.session.editor.projects.leave()
