"""A person looks into the model that drafts the labels: layers, a click, evidence, uncertainty on the
timeline, a stroke where it is unsure, pictures to take along; then the column is closed."""

import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.core.look import EvidenceLook, LayerLook, UnsureLook
from segstudio.media.demo import DemoSettings, ensure_demo

SIZE = (180, 320)
FRAMES = 8


def test_from_a_layer_to_a_better_mask(qtbot, window, tmp_path):
    demo = ensure_demo(settings=DemoSettings(frames=FRAMES, height=SIZE[0], width=SIZE[1]))
    window.resize(1500, 900)
    session, canvas = window.session, window.canvas
    inside, editor, player = session.inside, session.editor, session.player

    def run(name):
        window.menus.actions[name].trigger()

    def until(condition, seconds=60):
        qtbot.waitUntil(condition, timeout=1000 * seconds)

    def go(index):
        player.seek(index)
        until(lambda: editor.held is not None and editor.held.key.index == index)
        until(lambda: inside.seen is not None and session.result.frame.id.index == index)

    session.open([demo.video])
    until(lambda: session.result is not None and session.result.prediction is not None)

    # a layer over the frame, in colours that stay
    run("inside.toggle")
    until(lambda: inside.tree is not None and inside.seen is not None)
    first = inside.look.layer
    run("inside.next_layer")
    until(lambda: inside.seen is not None)
    assert inside.look.layer != first
    assert inside.tree.get(inside.look.layer).calls[-1].is_map
    before = inside.seen.map
    go(3)
    assert inside.seen.map is not before
    assert canvas.mask_style.hidden

    # channels below the picture; one of them over the frame, the others stay beside it
    inside.set_look(LayerLook("aggregation", "grid", count=12))
    until(lambda: inside.seen is not None and inside.seen.sheet is not None)
    assert window._sheet.isVisible()
    best = int(inside.seen.sheet.channels[0])
    window._sheet.tiles.picked.emit(best)
    until(lambda: isinstance(inside.look, LayerLook) and inside.look.show == "channel")
    assert inside.look.channel == best
    assert window._sheet.isVisible()

    # a click: what speaks for the class that is predicted there
    h, w = SIZE
    inside.set_look(EvidenceLook("hirescam", "aggregation"))
    assert not window._sheet.isVisible()
    y, x = canvas.transform.to_view(0.85 * h, 0.5 * w)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    until(lambda: inside.seen is not None and inside.seen.map is not None)
    found = inside.seen.map
    cell = [int(v) for v in found.lattice.cell_at(*inside.pinned)]
    assert float(found.exact[cell[0], cell[1]]) > float(np.median(found.exact))
    until(lambda: bool(inside.votes))
    assert inside.probabilities("A")[0].class_id == int(np.argmax(inside.votes[0].probabilities))

    # where it is unsure, frame by frame
    run("inside.unsure")
    for index in range(FRAMES):
        go(index)
    until(lambda: not np.isnan(inside.record.values("A", FRAMES)).any())
    assert isinstance(inside.look, UnsureLook)
    go(4)
    doubt = inside.seen.map
    at = np.unravel_index(int(doubt.exact.argmax()), doubt.exact.shape)
    place = doubt.lattice.place_of(at[0] + 0.5, at[1] + 0.5)

    # a stroke there; the masks come back over the map by themselves
    session.tools.choose("brush")
    assert not canvas.mask_style.hidden
    v, u = canvas.transform.to_view(*place)
    steps = editor.held.history.position
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(u), round(v)))
    assert editor.held.history.position > steps  # the draft is taken over first
    session.tools.choose("pan")

    # to take along
    for name in ("map.png", "map.npy"):
        session.saving.save(tmp_path / name)
    until(lambda: (tmp_path / "map.png").is_file() and (tmp_path / "map.npy").is_file())
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (w, h)
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), inside.seen.map.exact)

    # and nothing stays
    run("inside.toggle")
    until(lambda: not canvas.mask_style.hidden)
    hooks = []
    player.ask("A", lambda predictor, _: sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) for m in predictor.runner.net.modules()
    ), hooks.append)  # fmt: skip
    until(lambda: bool(hooks))
    assert hooks == [0]
    assert inside.seen is None
