"""Label → Selection: what can be done with the selected pixels."""

from functools import partial

from segstudio.ui.commands.registry import COMMANDS, Command, Desk, no_labels
from segstudio.ui.correcting import selecting

_OPERATIONS = (
    ("grow", "Grow", "Ctrl+Alt++"),
    ("shrink", "Shrink", "Ctrl+Alt+-"),
    ("smooth", "Smooth", "Ctrl+Alt+S"),
    ("fill_holes", "Fill Holes", "Ctrl+Alt+H"),
    ("keep_largest", "Keep Largest Part", "Ctrl+Alt+L"),
    ("remove_specks", "Remove Specks", "Ctrl+Alt+R"),
)


def _unless(desk: Desk) -> str:
    if desk.session.editor.selection is None:
        return "Select something first (Q)."
    return no_labels(desk)


def _apply(desk: Desk, name: str, title: str) -> None:
    """One step of undo."""
    selecting.apply(desk.session.editor, name, title)


def _paint(desk: Desk) -> None:
    """Give the selection the active class."""
    editor = desk.session.editor
    if editor.selection is not None and editor.begin("Fill selection"):
        editor.paint(editor.selection)
        editor.commit()


for _order, (_name, _title, _key) in enumerate(_OPERATIONS):
    COMMANDS.add(f"selection.{_name}")(
        Command(
            f"selection.{_name}", _title, partial(_apply, name=_name, title=_title),
            menu="Label/Selection", section=7, keys=(_key,), unless=_unless, order=_order,
        )
    )  # fmt: skip

COMMANDS.add("selection.paint")(
    Command(
        "selection.paint", "Give It the Active Class", _paint, menu="Label/Selection", section=7,
        keys=("Ctrl+Alt+F",), unless=_unless, order=-1,
    )
)  # fmt: skip
