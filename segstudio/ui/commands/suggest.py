"""Label → What Next: what is worth correcting, best first, and going from one to the next."""

from segstudio.ui.commands.registry import Desk, command, no_source
from segstudio.ui.suggesting.search import Kind

MENU = "Label/What Next"


def _no_list(desk: Desk) -> str:
    """Why there is nothing to go to, nor to look through for it."""
    suggesting = desk.session.suggesting
    if suggesting.seen is not None or suggesting.run is not None:
        return ""
    return suggesting.why_not()


def _no_look(desk: Desk) -> str:
    if desk.session.suggesting.run is not None:
        return "Looking is under way; it can be stopped below the picture."
    return desk.session.suggesting.why_not()


def _show(desk: Desk, kind: Kind | None = None) -> None:
    """The list, where it is seen."""
    if kind is not None:
        desk.session.suggesting.set_kind(kind)
    desk.session.suggesting.show(on=True)
    if not desk.is_panel_shown():
        desk.toggle_panel()


@command("suggest.list", title="What Next", menu=MENU, section=1, keys=("F6",),
         checked=lambda desk: desk.session.suggesting.is_on)  # fmt: skip
def what_next(desk: Desk) -> None:
    """Show or hide the list of what is worth correcting."""
    if desk.session.suggesting.is_on and desk.is_panel_shown():
        desk.session.suggesting.show(on=False)
    else:
        _show(desk)


@command("suggest.next", title="Next Suggestion", menu=MENU, section=1, keys=("Ctrl+N",),
         unless=_no_list)  # fmt: skip
def following(desk: Desk) -> None:
    """What is worth most; then the next one. The first time the model looks through the clip."""
    desk.session.suggesting.step(1)


@command("suggest.previous", title="Previous Suggestion", menu=MENU, section=1,
         keys=("Ctrl+Shift+N",), unless=_no_list)  # fmt: skip
def previous(desk: Desk) -> None:
    """The one before."""
    desk.session.suggesting.step(-1)


@command("suggest.look", title="Look for What to Correct Next", menu=MENU, section=1,
         unless=_no_look)  # fmt: skip
def look(desk: Desk) -> None:
    """Look through the clip, or at more of it, in the background."""
    _show(desk)
    desk.session.suggesting.look()


def _is_listed(desk: Desk, kind: Kind) -> bool:
    return desk.session.suggesting.is_on and desk.session.suggesting.kind == kind


@command("suggest.frames", title="Frames Worth Correcting", menu=MENU, section=1,
         unless=no_source, checked=lambda desk: _is_listed(desk, "frames"))  # fmt: skip
def frames(desk: Desk) -> None:
    """List whole frames."""
    _show(desk, "frames")


@command("suggest.regions", title="Regions Worth Correcting", menu=MENU, section=1,
         unless=no_source, checked=lambda desk: _is_listed(desk, "regions"))  # fmt: skip
def regions(desk: Desk) -> None:
    """List places in which two classes come into question."""
    _show(desk, "regions")


@command("suggest.errors", title="Labels That Are Probably Wrong", menu=MENU, section=1,
         unless=no_source, checked=lambda desk: _is_listed(desk, "errors"))  # fmt: skip
def errors(desk: Desk) -> None:
    """List what people labelled and the model contradicts."""
    _show(desk, "errors")
