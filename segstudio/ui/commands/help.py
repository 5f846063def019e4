"""The Help menu, and the palette."""

from segstudio import paths
from segstudio.ui.commands.registry import Desk, command


@command("help.demo", title="Open Demo Drive", menu="Help", section=1)
def demo(desk: Desk) -> None:
    """A drive that SegStudio paints itself; rendered on first use."""
    desk.session.open_demo()


@command("help.palette", title="Find a Command…", menu="Help", section=1, keys=("Ctrl+Shift+P",))
def palette(desk: Desk) -> None:
    """Every command by name."""
    desk.show_dialog("palette")


@command("help.keys", title="Keyboard Shortcuts", menu="Help", section=1, keys=("F1", "?"))
def keys(desk: Desk) -> None:
    """All keys on one sheet."""
    desk.show_dialog("keys")


@command("help.check", title="System Check…", menu="Help", section=2)
def check(desk: Desk) -> None:
    """What `segstudio doctor` says."""
    desk.show_dialog("check")


@command("help.log", title="Show Log Folder", menu="Help", section=2)
def log(desk: Desk) -> None:
    """Where SegStudio writes what happened."""
    place = paths.log_file().parent
    place.mkdir(parents=True, exist_ok=True)
    desk.show_folder(place)


@command("help.about", title="About SegStudio", menu="Help", section=3)
def about(desk: Desk) -> None:
    """Version and licences."""
    desk.show_dialog("about")
