"""The Edit menu: undo, and what is saved already."""

from segstudio.ui.commands.registry import Desk, command


def _no_undo(desk: Desk) -> str:
    held = desk.session.editor.held
    if held is None:
        return desk.session.editor.why_not()
    return "" if held.history.can_undo else "Nothing was changed on this frame."


def _no_redo(desk: Desk) -> str:
    held = desk.session.editor.held
    if held is None:
        return desk.session.editor.why_not()
    return "" if held.history.can_redo else "Nothing was undone on this frame."


@command("edit.undo", title="Undo", menu="Edit", keys=("Ctrl+Z",), unless=_no_undo)
def undo(desk: Desk) -> None:
    """Take the last step of this frame back, also one of last week."""
    desk.session.editor.undo()


@command("edit.redo", title="Redo", menu="Edit", keys=("Ctrl+Shift+Z", "Ctrl+Y"),
         unless=_no_redo)  # fmt: skip
def redo(desk: Desk) -> None:
    """Do again what was undone."""
    desk.session.editor.redo()


def _no_selection(desk: Desk) -> str:
    return "" if desk.session.editor.selection is not None else "Nothing is selected."


@command("edit.select_none", title="Select Nothing", menu="Edit", section=2,
         keys=("Ctrl+Shift+A",), unless=_no_selection)  # fmt: skip
def select_none(desk: Desk) -> None:
    """Forget the selection; the labels stay."""
    desk.session.editor.select(None)
