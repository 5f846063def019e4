"""Commands: what a menu entry, a key or the palette triggers, each a registered function.

    @command("view.fit", title="Fit to Window", menu="View", keys=("Ctrl+0",), unless=no_picture)
    def fit(desk: Desk) -> None: ...

Menus, shortcuts, the palette and the sheet of keys are views of this one list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtGui import QImage

from segstudio.core.geometry import Rect
from segstudio.registry import Registry
from segstudio.ui.session import Session


class Canvas(Protocol):
    """What commands ask of the picture."""

    def fit(self) -> None: ...
    def actual_size(self) -> None: ...
    def zoom_in(self) -> None: ...
    def zoom_out(self) -> None: ...
    def show_rect(self, rect: Rect) -> None: ...


class Desk(Protocol):
    """What a command may use: the session, the picture, and questions to the person.

    A question returns at once and calls `then` with the answer; nothing happens when the person
    changes their mind. Tests answer without a dialog.
    """

    @property
    def session(self) -> Session: ...

    @property
    def canvas(self) -> Canvas: ...

    def ask_files(self, then: Callable[[list[Path]], None]) -> None: ...
    def ask_folder(self, title: str, then: Callable[[Path], None]) -> None: ...
    def ask_labels(self, then: Callable[[Path], None]) -> None: ...
    def import_labels(self, place: Path) -> None: ...
    def ask_save(self, title: str, name: str, then: Callable[[Path], None]) -> None: ...
    def ask_frame(self, then: Callable[[int], None]) -> None: ...
    def ask_range(self, title: str, then: Callable[[int, int], None]) -> None: ...
    def ask_note(
        self, frame: str, note: str | None, then: Callable[[str | None], None]
    ) -> None: ...
    def edit_classes(self) -> None: ...
    def ask_project(self, then: Callable[[Path], None]) -> None: ...

    def show_dialog(self, name: str) -> None:
        """ "settings", "models", "import", "train", "export", "export_video", "scores", "adopt",
        "keys", "check", "about" or "palette".
        """
        ...

    def show_folder(self, folder: Path) -> None:
        """In the system's file manager."""
        ...

    def picture_of_view(self) -> QImage: ...
    def toggle_panel(self) -> None: ...
    def is_panel_shown(self) -> bool: ...
    def toggle_frames(self) -> None: ...
    def are_frames_shown(self) -> bool: ...
    def toggle_full_screen(self) -> None: ...
    def quit(self) -> None: ...


def always(_: Desk) -> str:
    """Nothing speaks against it."""
    return ""


@dataclass(frozen=True, slots=True)
class Command:
    """run: does it. unless: why it cannot be done now, "" when it can.

    menu: "File", or "View/Theme" for a submenu; "" for keys and palette only. section: groups
    within a menu, drawn with lines between. keys: the first is shown in the menu. held: the key
    is handled by the window, because holding it means something else. checked: whether the entry
    carries a tick, None for entries without.
    """

    name: str
    title: str
    run: Callable[[Desk], None]
    menu: str = ""
    section: int = 0
    keys: tuple[str, ...] = ()
    held: bool = False
    unless: Callable[[Desk], str] = always
    checked: Callable[[Desk], bool] | None = None
    order: int = 0


MENUS = ("File", "Edit", "Label", "Playback", "View", "Model", "Compare", "Inside", "Help")
"""The menu bar, from left to right."""

COMMANDS: Registry[Command] = Registry("command", "segstudio.ui.commands")


def command(
    name: str,
    *,
    title: str,
    menu: str = "",
    section: int = 0,
    keys: tuple[str, ...] = (),
    held: bool = False,
    unless: Callable[[Desk], str] = always,
    checked: Callable[[Desk], bool] | None = None,
) -> Callable[[Callable[[Desk], None]], Callable[[Desk], None]]:
    """A decorator that files a function in COMMANDS; entries keep the order of the file."""

    def file(run: Callable[[Desk], None]) -> Callable[[Desk], None]:
        order = run.__code__.co_firstlineno
        entry = Command(name, title, run, menu, section, keys, held, unless, checked, order)
        COMMANDS.add(name)(entry)
        return run

    return file


def in_menu_order() -> list[Command]:
    """Every command, as the menus list them; commands without a menu come last."""

    def place(entry: Command) -> tuple[int, int, int]:
        top = entry.menu.split("/")[0]
        return MENUS.index(top) if top in MENUS else len(MENUS), entry.section, entry.order

    return sorted((COMMANDS.get(name) for name in COMMANDS), key=place)


def no_source(desk: Desk) -> str:
    """Something must be open."""
    return "" if desk.session.info is not None else "Open a picture or a video first."


def no_picture(desk: Desk) -> str:
    """A frame must be on the screen."""
    return "" if desk.session.result is not None else "Open a picture or a video first."


def no_labels(desk: Desk) -> str:
    """The frame on the screen must be one that can be corrected now."""
    return desk.session.editor.why_not()


def no_motion(desk: Desk) -> str:
    """There must be more than one frame."""
    return no_source(desk) or (
        "" if desk.session.player.can_play else "A single picture does not play."
    )


def no_mask(desk: Desk) -> str:
    """Labels or a prediction must be on the screen."""
    result, held = desk.session.result, desk.session.editor.held
    if held is not None and not held.is_blank:
        return ""
    if result is None or result.prediction is None:
        return "There is no mask yet: open a picture and choose a model."
    return ""
