"""A layer over the frame, or where the model is unsure."""

from dataclasses import replace

from stage import Stage

from segstudio.core.look import LayerLook, UnsureLook

stage = Stage()
stage.open()
session = stage.session
inside, player = session.inside, session.player


def go(index: int) -> None:
    """To a frame that was looked into."""
    player.seek(index)
    stage.wait(lambda: session.result is not None and session.result.frame.id.index == index)
    stage.wait(lambda: inside.seen is not None)


is_layer = stage.more[0] == "layer"
inside.set_look(LayerLook("semantic.stage4", "pca") if is_layer else UnsureLook())
inside.turn_on()
stage.wait(lambda: inside.tree is not None)
if is_layer:
    go(136)
    inside.set_look(replace(inside.look, fit=1))
    stage.wait(lambda: inside.seen is not None)
    inside.set_look(replace(inside.look, show="grid", count=12))
else:
    for index in range(2, 290, 6):
        go(index)
    go(136)
stage.wait(lambda: inside.seen is not None)
h, w = session.result.frame.height, session.result.frame.width
inside.pin((round(0.62 * h), round(0.33 * w)))
stage.wait(lambda: stage.canvas.is_sharp and inside.votes)
stage.take(settle_ms=2500)
