"""The Inside menu: what the models see."""

from dataclasses import replace
from pathlib import Path

from segstudio.core.look import EvidenceLook, LayerLook, UnsureLook
from segstudio.ui.commands.registry import Desk, command, no_motion, no_source

ALONE, OVER = 1.0, 0.6
"""Opacity of a map that is looked at alone, and over the frame."""


def _no_model(desk: Desk) -> str:
    if desk.session.models.chosen is None:
        return "Choose a model first."
    return no_source(desk)


def _is_off(desk: Desk) -> str:
    return "" if desk.session.inside.is_on else "Look inside a model first (Shift+I)."


def _no_layer(desk: Desk) -> str:
    inside = desk.session.inside
    if not inside.is_on or not isinstance(inside.look, LayerLook) or inside.tree is None:
        return "Look at a layer first (Shift+I)."
    return ""


@command("inside.toggle", title="Look Inside", menu="Inside", keys=("Shift+I",), unless=_no_model,
         checked=lambda desk: desk.session.inside.is_on)  # fmt: skip
def toggle(desk: Desk) -> None:
    """Show what the layers of the model see, or stop."""
    inside = desk.session.inside
    if inside.is_on:
        inside.turn_off()
    else:
        inside.turn_on()


@command("inside.unsure", title="Uncertainty", menu="Inside", section=1, keys=("Shift+X",),
         unless=_no_model,
         checked=lambda desk: isinstance(desk.session.inside.look, UnsureLook)
         and desk.session.inside.is_on)  # fmt: skip
def unsure(desk: Desk) -> None:
    """Where the model is unsure, as a heat map; once more: off."""
    inside = desk.session.inside
    if inside.is_on and isinstance(inside.look, UnsureLook):
        inside.turn_off()
        return
    inside.set_look(UnsureLook())
    inside.turn_on()


def _no_peaks(desk: Desk) -> str:
    inside = desk.session.inside
    if not inside.is_on or not isinstance(inside.look, UnsureLook):
        return "Look at the uncertainty first (Shift+X)."
    return "" if len(inside.record.peaks()) else "No frame that was played so far stands out."


@command("inside.next_unsure", title="Next Unsure Frame", menu="Inside", section=1, keys=("J",),
         unless=_no_peaks)  # fmt: skip
def next_unsure(desk: Desk) -> None:
    """The next frame at which the model is less sure than at those around it."""
    _visit(desk, 1)


@command("inside.previous_unsure", title="Previous Unsure Frame", menu="Inside", section=1,
         keys=("Shift+J",), unless=_no_peaks)  # fmt: skip
def previous_unsure(desk: Desk) -> None:
    """The one before."""
    _visit(desk, -1)


def _visit(desk: Desk, by: int) -> None:
    session = desk.session
    index = session.inside.record.next_peak(session.player.playing.index, by=by)
    if index is None:
        side = "after" if by > 0 else "before"
        session.tell(f"No frame {side} this one stands out, of those that were played.", "hint")
    else:
        session.player.seek(index)


@command("inside.next_layer", title="Next Layer", menu="Inside", section=2, keys=("PgDown",),
         unless=_no_layer)  # fmt: skip
def next_layer(desk: Desk) -> None:
    """The next stage; from a layer inside a stage the next layer that has a map."""
    _go(desk, 1)


@command("inside.previous_layer", title="Previous Layer", menu="Inside", section=2,
         keys=("PgUp",), unless=_no_layer)  # fmt: skip
def previous_layer(desk: Desk) -> None:
    """The layer before that has a map."""
    _go(desk, -1)


def _go(desk: Desk, by: int) -> None:
    inside = desk.session.inside
    look, tree = inside.look, inside.tree
    if not isinstance(look, LayerLook) or tree is None:
        return
    layers = [x for x in tree.layers if any(call.is_map for call in x.calls)]
    stages = [x.name for x in layers if x.is_tap]
    maps = stages if look.layer in stages else [x.name for x in layers]
    at = maps.index(look.layer) if look.layer in maps else -1
    name = maps[min(max(at + by, 0), len(maps) - 1)]
    inside.set_look(replace(look, layer=name, call=-1, channel=0))


@command("inside.alone", title="Map Without the Frame", menu="Inside", section=3,
         keys=("Shift+O",), unless=_is_off,
         checked=lambda desk: desk.session.inside.style.opacity >= ALONE)  # fmt: skip
def alone(desk: Desk) -> None:
    """The map alone, or over the frame."""
    inside = desk.session.inside
    opacity = OVER if inside.style.opacity >= ALONE else ALONE
    inside.set_style(replace(inside.style, opacity=opacity))


@command("inside.cells", title="Cells Instead of Smooth Colours", menu="Inside", section=3,
         unless=_is_off, checked=lambda desk: not desk.session.inside.style.is_smooth)  # fmt: skip
def cells(desk: Desk) -> None:
    """Each cell of the layer as a flat rectangle, or blended with its neighbours."""
    inside = desk.session.inside
    inside.set_style(replace(inside.style, is_smooth=not inside.style.is_smooth))


@command("inside.masks", title="Masks Over the Map", menu="Inside", section=3, keys=("Shift+M",),
         unless=_is_off, checked=lambda desk: desk.session.inside.shows_labels)  # fmt: skip
def masks(desk: Desk) -> None:
    """The borders of the labels on top of the map."""
    inside = desk.session.inside
    inside.set_shows_labels(on=not inside.shows_labels)


@command("inside.follow", title="Follow the Cursor", menu="Inside", section=4, unless=_is_off,
         checked=lambda desk: desk.session.inside.pinned is None)  # fmt: skip
def follow(desk: Desk) -> None:
    """Let go of the pixel that was clicked."""
    desk.session.inside.pin(None)


@command("inside.save", title="Save Map…", menu="Inside", section=5,
         unless=lambda desk: desk.session.saving.why_not())  # fmt: skip
def save(desk: Desk) -> None:
    """The map on the screen, over the frame as it is shown, at the frame's size."""
    desk.ask_save("Save map", _file_name(desk, ".png"), desk.session.saving.save)


@command("inside.save_numbers", title="Save Map as Numbers…", menu="Inside", section=5,
         unless=lambda desk: desk.session.saving.why_not())  # fmt: skip
def save_numbers(desk: Desk) -> None:
    """Float32 values at the layer's own resolution, for NumPy."""
    desk.ask_save("Save map as numbers", _file_name(desk, ".npy"), desk.session.saving.save)


@command("inside.save_video", title="Save Map Video…", menu="Inside", section=5,
         unless=lambda desk: desk.session.saving.why_not() or no_motion(desk))  # fmt: skip
def save_video(desk: Desk) -> None:
    """Many frames with their maps, in the colours that are on the screen."""

    def ranged(first: int, last: int) -> None:
        def then(path: Path) -> None:
            desk.session.saving.save_video(path, first, last)

        desk.ask_save("Save map video", _file_name(desk, ".mp4"), then)

    desk.ask_range("Save map video", ranged)


def _file_name(desk: Desk, ending: str) -> str:
    """drive_000120_detail.stage2_pca.png."""
    session, look = desk.session, desk.session.inside.look
    stem = "picture" if session.info is None else Path(session.info.title).stem
    parts = [stem]
    if session.result is not None and not ending.endswith("mp4"):
        parts.append(f"{session.result.frame.id.index:06d}")
    if isinstance(look, LayerLook):
        is_one = look.show == "channel"
        parts += [look.layer, f"channel{look.channel}" if is_one else look.show]
    elif isinstance(look, EvidenceLook):
        parts += [look.layer, look.kind] if look.kind != "occlusion" else [look.kind]
    else:
        parts.append(look.kind if isinstance(look, UnsureLook) else "class")
    return "_".join(parts) + ending
