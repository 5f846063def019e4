"""The File menu."""

from collections.abc import Callable
from pathlib import Path

from segstudio.ui.bridge.background import Job
from segstudio.ui.commands.registry import Desk, command, no_mask, no_picture, no_source


@command("file.open", title="Open Video or Pictures…", menu="File", section=1, keys=("Ctrl+O",))
def open_files(desk: Desk) -> None:
    """One file, or several pictures that make a sequence."""
    desk.ask_files(desk.session.open)


@command("file.open_folder", title="Open Folder…", menu="File", section=1, keys=("Ctrl+Shift+O",))
def open_folder(desk: Desk) -> None:
    """Every picture of a folder, in the order of their numbers."""
    desk.ask_folder("Open Folder of Pictures", lambda folder: desk.session.open([folder]))


@command("file.close", title="Close", menu="File", section=1, keys=("Ctrl+W",), unless=no_source)
def close(desk: Desk) -> None:
    """Back to the start page."""
    desk.session.close_source()


@command(
    "file.save_view",
    title="Save Picture of the View…",
    menu="File",
    section=3,
    keys=("Ctrl+Shift+S",),
    unless=no_picture,
)
def save_view(desk: Desk) -> None:
    """What the canvas shows, masks included, as PNG or JPEG."""
    picture = desk.picture_of_view()

    def then(path: Path) -> None:
        def op(_: Job) -> Path:
            if not picture.save(str(path)):
                raise OSError(
                    f"The picture could not be written to {path}; choose another folder, or a name"
                    " that ends in .png or .jpg."
                )
            return path

        _save(desk, op)

    desk.ask_save("Save Picture of the View", _name(desk, "view.png"), then)


@command("file.save_mask", title="Save Mask of This Frame…", menu="File", section=3, unless=no_mask)
def save_mask(desk: Desk) -> None:
    """Class ids as an indexed PNG of the frame's size: its labels, else the prediction."""
    session = desk.session
    labels, classes = session.shown_labels("labels"), session.editor.classes
    if labels is None:
        prediction = None if session.result is None else session.result.prediction
        if prediction is None:
            return
        labels, classes = prediction.labels, prediction.classes
    kept = labels.copy()  # it may be painted on while it is written

    def then(path: Path) -> None:
        def op(_: Job) -> Path:
            from segstudio.store.masks import write_mask

            write_mask(path, kept, classes.palette())
            return path

        _save(desk, op)

    desk.ask_save("Save Mask of This Frame", _name(desk, "mask.png"), then)


@command("file.settings", title="Settings…", menu="File", section=4, keys=("Ctrl+,",))
def settings(desk: Desk) -> None:
    """Everything that can be set, applied at once."""
    desk.show_dialog("settings")


@command("file.quit", title="Quit", menu="File", section=5, keys=("Ctrl+Q",))
def leave(desk: Desk) -> None:
    """Stop everything and close the window."""
    desk.quit()


def _name(desk: Desk, ending: str) -> str:
    """A file name that says what it shows: drive_000120_mask.png."""
    info, result = desk.session.info, desk.session.result
    stem = "picture" if info is None else Path(info.title).stem
    number = ""
    # A video whose frames are still being counted has one frame so far.
    if info is not None and result is not None and (info.kind == "video" or info.frames > 1):
        number = f"_{result.frame.id.index:06d}"
    return f"{stem}{number}_{ending}"


def _save(desk: Desk, op: Callable[[Job], Path]) -> None:
    """Run `op`, which writes a file and gives its path, in the background."""
    session = desk.session
    session.background.run(
        op,
        success=lambda path: session.tell(f"Saved {path}", "info"),
        failure=session.tell_error,
        name="save",
    )
