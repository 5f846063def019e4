"""The Compare menu: several models on one frame."""

from collections.abc import Callable
from dataclasses import replace

from segstudio.ui.commands.registry import Desk, command, no_source
from segstudio.ui.comparing.panes import Mode


def _no_models(desk: Desk) -> str:
    if desk.session.models.chosen is None:
        return "Choose a model first."
    return no_source(desk)


def _is_off(desk: Desk) -> str:
    return "" if desk.session.comparison.is_on else "Compare models first (T)."


def _switch(desk: Desk, mode: Mode) -> None:
    """That mode, or back to panes side by side when it is on already."""
    comparison = desk.session.comparison
    was_on = comparison.is_on and comparison.look.mode == mode
    comparison.turn_on()
    comparison.set_look(replace(comparison.look, mode="side" if was_on else mode))


def _is_mode(mode: Mode) -> Callable[[Desk], bool]:
    return lambda desk: desk.session.comparison.is_on and desk.session.comparison.look.mode == mode


@command("compare.toggle", title="Compare Models", menu="Compare", keys=("T",), unless=_no_models,
         checked=lambda desk: desk.session.comparison.is_on)  # fmt: skip
def toggle(desk: Desk) -> None:
    """Put a second model to the same frames, or stop."""
    comparison = desk.session.comparison
    if comparison.is_on:
        comparison.turn_off()
    else:
        comparison.turn_on()


@command("compare.side", title="Side by Side", menu="Compare", section=1, unless=_no_models,
         checked=_is_mode("side"))  # fmt: skip
def side(desk: Desk) -> None:
    """Every model in a pane of its own."""
    desk.session.comparison.turn_on()
    desk.session.comparison.set_look(replace(desk.session.comparison.look, mode="side"))


@command("compare.swipe", title="Swipe", menu="Compare", section=1, keys=("Shift+T",),
         unless=_no_models, checked=_is_mode("swipe"))  # fmt: skip
def swipe(desk: Desk) -> None:
    """Two models in one picture, with a line between them to drag."""
    _switch(desk, "swipe")


@command("compare.difference", title="Difference", menu="Compare", section=1, keys=("\\",),
         unless=_no_models, checked=_is_mode("difference"))  # fmt: skip
def difference(desk: Desk) -> None:
    """Only the pixels where two models differ, coloured by the pair of classes."""
    _switch(desk, "difference")


@command("compare.agreement", title="Agreement", menu="Compare", section=1, unless=_no_models,
         checked=_is_mode("agreement"))  # fmt: skip
def agreement(desk: Desk) -> None:
    """Where the models do not all say the same."""
    _switch(desk, "agreement")


@command("compare.blink", title="Blink", menu="Compare", section=1, keys=("Tab",), held=True,
         unless=_is_off, checked=lambda desk: desk.session.comparison.is_blinking)  # fmt: skip
def blink(desk: Desk) -> None:
    """Hold Tab: the second of the two in the place of the first."""
    comparison = desk.session.comparison
    comparison.blink(on=not comparison.is_blinking)


@command("compare.errors", title="Colour by Errors", menu="Compare", section=2, keys=("Shift+E",),
         unless=_is_off,
         checked=lambda desk: desk.session.comparison.look.colours == "errors")  # fmt: skip
def errors(desk: Desk) -> None:
    """Where the models are right and wrong, against the labels of this frame."""
    comparison = desk.session.comparison
    colours = "classes" if comparison.look.colours == "errors" else "errors"
    comparison.set_look(replace(comparison.look, colours=colours))  # type: ignore[arg-type]  # Colours


@command("compare.scores", title="Scores…", menu="Compare", section=4, keys=("F7",),
         unless=_no_models)  # fmt: skip
def scores(desk: Desk) -> None:
    """Classes, confusion, and the frames behind every figure."""
    desk.show_dialog("scores")


@command("compare.measure", title="Measure All Confirmed Frames", menu="Compare", section=4,
         unless=lambda desk: desk.session.measuring.why_not())  # fmt: skip
def measure(desk: Desk) -> None:
    """Let every model see every confirmed frame of this clip; without any, all with labels."""
    desk.session.measuring.start()
