"""The Label menu: the frame as a whole."""

from dataclasses import replace

from segstudio.ui.commands.registry import Desk, command, no_labels, no_picture


@command("label.confirm", title="Confirm Frame", menu="Label", keys=("C",), unless=no_labels)
def confirm(desk: Desk) -> None:
    """A person stands behind every pixel of this frame."""
    desk.session.editor.confirm()


@command("label.origin", title="Colour by Origin", menu="Label", section=9, keys=("O",),
         unless=no_picture, checked=lambda desk: desk.session.view.layer == "origin")  # fmt: skip
def origin(desk: Desk) -> None:
    """Show who said it: model, propagated, painted, confirmed."""
    _toggle(desk, "origin")


@command("label.prediction", title="Show Prediction", menu="Label", section=9, keys=("Shift+V",),
         unless=no_picture,
         checked=lambda desk: desk.session.view.layer == "prediction")  # fmt: skip
def prediction(desk: Desk) -> None:
    """Show what the model says instead of the labels."""
    _toggle(desk, "prediction")


def _toggle(desk: Desk, layer: str) -> None:
    view = desk.session.view
    desk.session.set_view(replace(view, layer="labels" if view.layer == layer else layer))  # type: ignore[arg-type]  # one of Layer
