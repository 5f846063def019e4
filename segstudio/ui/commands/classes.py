"""Label → the classes: edited, locked, and coloured so that everybody tells them apart."""

from dataclasses import replace

from segstudio.ui.commands.registry import Desk, command


def _no_project(desk: Desk) -> str:
    project = desk.session.editor.projects.project
    if project is None:
        return "Open a picture or a video first."
    return project.why_read_only or desk.session.editor.busy


@command("classes.edit", title="Edit Classes…", menu="Label", section=5, unless=_no_project)
def edit(desk: Desk) -> None:
    """Add, rename, recolour, merge, remove, reorder; labels follow."""
    desk.edit_classes()


@command("classes.lock_others", title="Lock All Other Classes", menu="Label", section=5,
         keys=("Shift+L",))  # fmt: skip
def lock_others(desk: Desk) -> None:
    """Only the active class can be painted over."""
    editor = desk.session.editor
    others = frozenset(c.id for c in editor.classes.classes) - {editor.options.class_id}
    editor.set_options(replace(editor.options, locked=others))


def _no_lock(desk: Desk) -> str:
    return "" if desk.session.editor.options.locked else "No class is locked."


@command("classes.unlock", title="Unlock All Classes", menu="Label", section=5,
         keys=("Ctrl+Shift+L",), unless=_no_lock)  # fmt: skip
def unlock(desk: Desk) -> None:
    """Every class can be painted over."""
    editor = desk.session.editor
    editor.set_options(replace(editor.options, locked=frozenset()))


@command("classes.safe_colors", title="Colour-Blind Safe Colours", menu="View", section=3,
         checked=lambda desk: desk.session.settings.safe_colors)  # fmt: skip
def safe_colors(desk: Desk) -> None:
    """Colours that stay apart for people who see fewer of them; the class set keeps its own."""
    desk.session.set_setting("safe_colors", not desk.session.settings.safe_colors)
