"""Compare → regions: to the next error, and taking a model's pixels in many places at once."""

from segstudio.ui.commands.registry import Desk, command, no_labels
from segstudio.ui.stage.region_walk import RegionWalk


def _no_regions(desk: Desk) -> str:
    return RegionWalk.of(desk.session).why_not()


def _no_answers(desk: Desk) -> str:
    why = no_labels(desk)
    if why or desk.session.editor.answers():
        return why
    return "No model has said anything about this frame yet."


@command("regions.next", title="Next Error", menu="Compare", section=3, keys=(".",),
         unless=_no_regions)  # fmt: skip
def following(desk: Desk) -> None:
    """The next smaller region where the model is wrong or, without a reference, models differ."""
    RegionWalk.of(desk.session).step(desk.canvas, forward=True)


@command("regions.previous", title="Previous Error", menu="Compare", section=3, keys=(",",),
         unless=_no_regions)  # fmt: skip
def previous(desk: Desk) -> None:
    """The next larger region where the model is wrong or, without a reference, models differ."""
    RegionWalk.of(desk.session).step(desk.canvas, forward=False)


@command("regions.adopt_everywhere", title="Adopt Everywhere…", menu="Compare", section=3,
         keys=("Shift+U",), unless=_no_answers)  # fmt: skip
def adopt_everywhere(desk: Desk) -> None:
    """Take a model's class wherever it says one thing and another says another."""
    desk.show_dialog("adopt")
