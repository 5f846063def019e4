"""The Playback menu."""

from segstudio.core.settings import SPEEDS
from segstudio.ui.commands.registry import Desk, command, no_motion


@command(
    "playback.toggle",
    title="Play or Pause",
    menu="Playback",
    section=1,
    keys=("Space",),
    held=True,
    unless=no_motion,
)
def toggle(desk: Desk) -> None:
    """Space is tapped for this and held for panning, so the canvas tells them apart."""
    desk.session.player.toggle()


@command(
    "playback.next",
    title="Next Frame",
    menu="Playback",
    section=2,
    keys=("D", "Right"),
    unless=no_motion,
)
def following(desk: Desk) -> None:
    """One frame on."""
    desk.session.player.step(1)


@command(
    "playback.previous",
    title="Previous Frame",
    menu="Playback",
    section=2,
    keys=("A", "Left"),
    unless=no_motion,
)
def previous(desk: Desk) -> None:
    """One frame back."""
    desk.session.player.step(-1)


@command(
    "playback.forward",
    title="10 Frames Forward",
    menu="Playback",
    section=2,
    keys=("Shift+D", "Shift+Right"),
    unless=no_motion,
)
def forward(desk: Desk) -> None:
    """Ten frames on."""
    desk.session.player.step(10)


@command(
    "playback.back",
    title="10 Frames Back",
    menu="Playback",
    section=2,
    keys=("Shift+A", "Shift+Left"),
    unless=no_motion,
)
def back(desk: Desk) -> None:
    """Ten frames back."""
    desk.session.player.step(-10)


@command(
    "playback.first",
    title="First Frame",
    menu="Playback",
    section=3,
    keys=("Home",),
    unless=no_motion,
)
def first(desk: Desk) -> None:
    """To the beginning."""
    desk.session.player.seek(0)


@command(
    "playback.last",
    title="Last Frame",
    menu="Playback",
    section=3,
    keys=("End",),
    unless=no_motion,
)
def last(desk: Desk) -> None:
    """To the last frame that is known."""
    desk.session.player.pause()
    desk.session.player.seek(desk.session.player.last_index)


@command(
    "playback.goto",
    title="Go to Frame…",
    menu="Playback",
    section=3,
    keys=("Ctrl+G",),
    unless=no_motion,
)
def go_to(desk: Desk) -> None:
    """Ask for a frame number and show it."""
    desk.ask_frame(desk.session.player.seek)


@command(
    "playback.loop",
    title="Loop",
    menu="Playback",
    section=4,
    keys=("Ctrl+L",),
    checked=lambda desk: desk.session.player.playing.is_looping,
)
def loop(desk: Desk) -> None:
    """Start again at the end."""
    desk.session.player.set_loop(loop=not desk.session.player.playing.is_looping)


@command(
    "playback.every_frame",
    title="Show Every Frame",
    menu="Playback",
    section=4,
    checked=lambda desk: desk.session.settings.every_frame,
)
def every_frame(desk: Desk) -> None:
    """Wait for the model instead of passing frames over."""
    desk.session.set_setting("every_frame", not desk.session.settings.every_frame)


@command("playback.faster", title="Faster", menu="Playback", section=5, keys=("Shift+.", ">"))
def faster(desk: Desk) -> None:
    """The next higher speed."""
    now = desk.session.player.playing.speed
    desk.session.player.set_speed(min((s for s in SPEEDS if s > now), default=SPEEDS[-1]))


@command("playback.slower", title="Slower", menu="Playback", section=5, keys=("Shift+,", "<"))
def slower(desk: Desk) -> None:
    """The next lower speed."""
    now = desk.session.player.playing.speed
    desk.session.player.set_speed(max((s for s in SPEEDS if s < now), default=SPEEDS[0]))
