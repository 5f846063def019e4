"""The View menu."""

from dataclasses import replace

from segstudio.ui.commands.registry import Desk, command, no_picture

OPACITY_STEP = 0.1


@command("view.fit", title="Fit to Window", menu="View", section=1, keys=("Ctrl+0",),
         unless=no_picture)  # fmt: skip
def fit(desk: Desk) -> None:
    """The whole frame, as large as it can be."""
    desk.canvas.fit()


@command("view.actual", title="Actual Size", menu="View", section=1, keys=("Ctrl+1",),
         unless=no_picture)  # fmt: skip
def actual(desk: Desk) -> None:
    """One frame pixel on one pixel of the screen."""
    desk.canvas.actual_size()


@command("view.zoom_in", title="Zoom In", menu="View", section=1, keys=("Ctrl++", "Ctrl+="),
         unless=no_picture)  # fmt: skip
def zoom_in(desk: Desk) -> None:
    """One step larger."""
    desk.canvas.zoom_in()


@command("view.zoom_out", title="Zoom Out", menu="View", section=1, keys=("Ctrl+-",),
         unless=no_picture)  # fmt: skip
def zoom_out(desk: Desk) -> None:
    """One step smaller."""
    desk.canvas.zoom_out()


@command("view.fill", title="Fill", menu="View", section=2, keys=("Alt+1",),
         checked=lambda desk: desk.session.view.mode == "fill")  # fmt: skip
def fill(desk: Desk) -> None:
    """Masks as flat colour."""
    desk.session.set_view(replace(desk.session.view, mode="fill"))


@command("view.outline", title="Outline", menu="View", section=2, keys=("Alt+2",),
         checked=lambda desk: desk.session.view.mode == "outline")  # fmt: skip
def outline(desk: Desk) -> None:
    """Only the borders between classes."""
    desk.session.set_view(replace(desk.session.view, mode="outline"))


@command("view.hatched", title="Hatched", menu="View", section=2, keys=("Alt+3",),
         checked=lambda desk: desk.session.view.mode == "hatched")  # fmt: skip
def hatched(desk: Desk) -> None:
    """Stripes, so that the picture shows through."""
    desk.session.set_view(replace(desk.session.view, mode="hatched"))


@command("view.more_opaque", title="More Opaque", menu="View", section=3, keys=("Alt+Up",))
def more_opaque(desk: Desk) -> None:
    """Masks cover more of the picture."""
    _change_opacity(desk, OPACITY_STEP)


@command("view.less_opaque", title="Less Opaque", menu="View", section=3, keys=("Alt+Down",))
def less_opaque(desk: Desk) -> None:
    """More of the picture shows through the masks."""
    _change_opacity(desk, -OPACITY_STEP)


@command(
    "view.masks",
    title="Show Masks",
    menu="View",
    section=3,
    keys=("V",),
    held=True,
    checked=lambda desk: not desk.session.view.are_masks_off,
)
def masks(desk: Desk) -> None:
    """Masks on or off; holding V turns them around only while it is held."""
    view = desk.session.view
    desk.session.set_view(replace(view, are_masks_off=not view.are_masks_off))


@command("view.all_classes", title="Show All Classes", menu="View", section=3,
         unless=lambda desk: "" if desk.session.view.hidden else "No class is hidden.",
         keys=("Alt+0",))  # fmt: skip
def all_classes(desk: Desk) -> None:
    """Show the classes that were hidden."""
    desk.session.set_view(replace(desk.session.view, hidden=frozenset()))


@command("view.panel", title="Side Panel", menu="View", section=4, keys=("F9",),
         checked=lambda desk: desk.is_panel_shown())  # fmt: skip
def panel(desk: Desk) -> None:
    """Show or hide the panel on the right."""
    desk.toggle_panel()


@command("view.full_screen", title="Full Screen", menu="View", section=4, keys=("F11",))
def full_screen(desk: Desk) -> None:
    """The whole screen and back."""
    desk.toggle_full_screen()


@command("view.theme_system", title="Same as the System", menu="View/Theme", section=5,
         checked=lambda desk: desk.session.settings.theme == "system")  # fmt: skip
def theme_system(desk: Desk) -> None:
    """Light or dark, as the system is."""
    desk.session.set_setting("theme", "system")


@command("view.theme_dark", title="Dark", menu="View/Theme", section=5,
         checked=lambda desk: desk.session.settings.theme == "dark")  # fmt: skip
def theme_dark(desk: Desk) -> None:
    """Dark."""
    desk.session.set_setting("theme", "dark")


@command("view.theme_light", title="Light", menu="View/Theme", section=5,
         checked=lambda desk: desk.session.settings.theme == "light")  # fmt: skip
def theme_light(desk: Desk) -> None:
    """Light."""
    desk.session.set_setting("theme", "light")


def _change_opacity(desk: Desk, by: float) -> None:
    opacity = round(min(1.0, max(0.0, desk.session.view.opacity + by)), 2)
    desk.session.set_view(replace(desk.session.view, opacity=opacity))
