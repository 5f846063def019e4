"""Label → bring labels here: from the model, from a neighbour, by optical flow, from the hood."""

from segstudio.ui.commands.registry import Desk, command, no_labels
from segstudio.ui.comparing.measuring import Measuring
from segstudio.ui.correcting import copying
from segstudio.ui.correcting.ranges import Ranges
from segstudio.ui.inside.saving import MapSaving
from segstudio.ui.suggesting.suggesting import Suggesting

FRAMES = 10
"""How many frames one key press propagates."""


def _no_draft(desk: Desk) -> str:
    if desk.session.models.chosen is None:
        return "Choose a model first."
    return no_labels(desk)


def _no_draft_here(desk: Desk) -> str:
    why = _no_draft(desk)
    if why or desk.session.editor.draft() is not None:
        return why
    return "The model has said nothing about this frame yet."


def _no_clip(desk: Desk) -> str:
    if desk.session.info is not None and not desk.session.player.can_play:
        return "A single picture has no neighbours."
    return no_labels(desk)


def _no_hood_selection(desk: Desk) -> str:
    if desk.session.editor.selection is None:
        return "Select the ego vehicle first (Q), with its class as the active one."
    return no_labels(desk)


def _no_hood(desk: Desk) -> str:
    projects = desk.session.editor.projects
    if projects.project is None or projects.media is None:
        return no_labels(desk)
    has = projects.project.setting(f"hood.{projects.media.id}") is not None
    return "" if has else "No hood was drawn for this clip."


def _works(desk: Desk) -> tuple[Ranges, Measuring, MapSaving, Suggesting]:
    session = desk.session
    return session.ranges, session.measuring, session.saving, session.suggesting


def _no_run(desk: Desk) -> str:
    return "" if any(work.run for work in _works(desk)) else "Nothing is under way."


@command("carry.draft", title="Accept the Model's Draft", menu="Label", section=2, keys=("Y",),
         unless=_no_draft_here)  # fmt: skip
def draft(desk: Desk) -> None:
    """Take it over where nobody painted."""
    desk.session.editor.accept_draft()


@command("carry.draft_range", title="Accept Drafts on a Range…", menu="Label", section=2,
         keys=("Shift+Y",), unless=_no_draft)  # fmt: skip
def draft_range(desk: Desk) -> None:
    """The same on many frames, in the background."""
    desk.ask_range("Accept Drafts", desk.session.ranges.draft)


@command("carry.previous", title="Copy from Previous Frame", menu="Label", section=3,
         keys=("Ctrl+Shift+C",), unless=_no_clip)  # fmt: skip
def previous(desk: Desk) -> None:
    """Its labels as they are, where nobody painted."""
    copying.copy_from(desk.session, -1)


@command("carry.next", title="Copy from Next Frame", menu="Label", section=3,
         keys=("Ctrl+Shift+V",), unless=_no_clip)  # fmt: skip
def following(desk: Desk) -> None:
    """Its labels as they are, where nobody painted."""
    copying.copy_from(desk.session, 1)


@command("carry.forward", title=f"Propagate {FRAMES} Frames Forward", menu="Label", section=3,
         keys=("Alt+Right",), unless=_no_clip)  # fmt: skip
def forward(desk: Desk) -> None:
    """Follow the labels along the optical flow; stops where it drifts."""
    desk.session.ranges.propagate(FRAMES)


@command("carry.backward", title=f"Propagate {FRAMES} Frames Back", menu="Label", section=3,
         keys=("Alt+Left",), unless=_no_clip)  # fmt: skip
def backward(desk: Desk) -> None:
    """Follow the labels against the time."""
    desk.session.ranges.propagate(-FRAMES)


@command("carry.to", title="Propagate to a Frame…", menu="Label", section=3, unless=_no_clip)
def to_frame(desk: Desk) -> None:
    """As far as a frame that you name, forward or back."""
    here = desk.session.player.playing.index
    desk.ask_frame(lambda index: desk.session.ranges.propagate(index - here))


@command("carry.stop", title="Stop Propagating or Drafting", menu="Label", section=3,
         keys=("Ctrl+.",),
         unless=_no_run)  # fmt: skip
def stop(desk: Desk) -> None:
    """What is done so far is kept."""
    next((work for work in _works(desk) if work.run), desk.session.ranges).cancel()


@command("carry.hood", title="Use Selection as Hood of the Clip", menu="Label", section=4,
         unless=_no_hood_selection)  # fmt: skip
def hood(desk: Desk) -> None:
    """The own car, drawn once, holds for every frame of the clip."""
    copying.set_hood(desk.session)


@command("carry.no_hood", title="Forget the Hood", menu="Label", section=4, unless=_no_hood)
def no_hood(desk: Desk) -> None:
    """Frames that have it keep it."""
    copying.forget_hood(desk.session)
