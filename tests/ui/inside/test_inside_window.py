"""A real net in the real window: what is asked for is what is drawn, and nothing stays behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from safetensors.torch import save_file

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.look import ClassLook, EvidenceLook, LayerLook, UnsureLook
from segstudio.nets.registry import NETS
from segstudio.ui.bridge import live
from segstudio.ui.bridge.live import loader as real_loader
from segstudio.ui.tools.preview import NOTHING

ARGS = {"bisenet_v2": {"alpha": 0.25, "head_width": 16, "boosters": False}, "espnet": {}}


def model(folder, net):
    """A folder with seeded weights, and its card."""
    folder.mkdir()
    torch.manual_seed(3)
    made = NETS.get(net).build(len(CAMVID), **ARGS[net])
    with torch.no_grad():
        made.train()(torch.randn(2, 3, 64, 96))
    save_file(made.state_dict(), folder / "weights.safetensors")
    return ModelCard(
        net, net, net, CAMVID, InputRule(), folder, "weights.safetensors", dict(ARGS[net])
    )


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets")
    return tuple(model(folder / net, net) for net in ARGS)


@pytest.fixture
def opened(qtbot, window, shown, nets, monkeypatch):
    """The window on frame 5, with a small BiSeNet V2 and an ESPNet to choose from."""
    monkeypatch.setattr(live, "loader", real_loader)
    session = window.session
    session.models.cards = nets
    session.models.choose(nets[0].name)
    return shown(5)


@pytest.fixture
def inside(opened, qtbot):
    made = opened.inside
    made.turn_on()
    qtbot.waitUntil(lambda: made.tree is not None and made.seen is not None, timeout=30_000)
    return made


def look(inside, qtbot, wanted):
    """Until it is seen."""
    inside.set_look(wanted)
    qtbot.waitUntil(lambda: inside.seen is not None and inside.seen.look == wanted, timeout=30_000)
    return inside.seen


def drawn(window, qtbot):
    """RGB uint8 of the canvas once it is sharp."""
    qtbot.waitUntil(lambda: window.canvas.is_sharp, timeout=20_000)
    image = window.canvas.grab().toImage().convertToFormat(image_format())
    bits = np.frombuffer(image.constBits(), np.uint8)
    return bits.reshape(image.height(), image.bytesPerLine() // 4, 4)[
        :, : image.width(), 2::-1
    ].copy()


def image_format():
    from PySide6.QtGui import QImage

    return QImage.Format.Format_RGB32


def test_turning_it_on_shows_a_layer_and_the_column(window, inside, qtbot):
    assert isinstance(inside.look, LayerLook)
    assert inside.tree.get(inside.look.layer).is_tap
    assert inside.seen.map.kind == "rgb"
    assert window.findChild(type(window._inside)).isVisible()
    assert window.canvas.mask_style.hidden


def test_the_map_lies_over_its_own_pixels(window, inside, qtbot):
    """A map that is white at one cell lights the pixels of the frame that the cell looks at."""
    seen = look(inside, qtbot, LayerLook("detail.stage1", "channel", channel=2))
    inside.set_style(replace(inside.style, color_map="grey", opacity=1.0, is_smooth=False))
    picture = drawn(window, qtbot).astype(int).sum(2)
    transform = window.canvas.transform
    values, lattice = seen.map.values, seen.map.lattice
    for row, col in ((0, 0), (10, 20), (values.shape[0] - 2, values.shape[1] - 2)):
        y, x = transform.to_view(*lattice.place_of(row + 0.5, col + 0.5))
        here = picture[int(y), int(x)]
        brighter = values > values[row, col]
        other = np.argwhere(brighter)
        if len(other):
            r, c = other[len(other) // 2]
            v, u = transform.to_view(*lattice.place_of(r + 0.5, c + 0.5))
            assert picture[int(v), int(u)] >= here


def test_turning_it_off_brings_the_masks_back_and_leaves_no_hook(window, inside, qtbot):
    before = drawn(window, qtbot)
    inside.turn_off()
    qtbot.waitUntil(lambda: not window.canvas.mask_style.hidden)
    assert not np.array_equal(drawn(window, qtbot), before)
    hooks = ask(
        window.session, qtbot, lambda predictor, _: sum(
            len(m._forward_hooks) + len(m._forward_pre_hooks) for m in predictor.runner.net.modules()
        )
    )  # fmt: skip
    assert hooks == 0
    assert inside.seen is None


def ask(session, qtbot, op):
    """What the model's own thread says."""
    answers = []
    session.player.ask("A", op, answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=20_000)
    return answers[0]


def test_another_frame_is_looked_into_too(inside, opened, qtbot):
    first = inside.seen
    opened.player.seek(20)
    qtbot.waitUntil(
        lambda: opened.result.frame.id.index == 20 and inside.seen is not None, timeout=20_000
    )
    assert inside.seen is not first
    assert inside.seen.look == first.look


def test_while_it_plays_every_frame_has_its_own_map(inside, opened, qtbot):
    maps = {}

    def note():
        seen = inside.seen
        if seen is not None:
            maps[opened.result.frame.id.index] = seen.map

    inside.arrived.connect(note)
    opened.player.play()
    qtbot.waitUntil(lambda: len(maps) >= 4, timeout=30_000)
    opened.player.pause()
    assert len({id(m) for m in maps.values()}) == len(maps)


def test_another_model_shows_a_layer_of_its_own_and_says_so(inside, opened, nets, qtbot):
    look(inside, qtbot, LayerLook("semantic.stage3", "mean"))
    opened.models.choose(nets[1].name)
    qtbot.waitUntil(
        lambda: (
            inside.tree is not None and inside.tree.model == "espnet" and inside.seen is not None
        ),
        timeout=30_000,
    )
    assert "no layer 'semantic.stage3'" in inside.note
    assert inside.tree.get(inside.look.layer) is not None
    assert inside.seen.trouble == ""


def test_no_model_is_told(inside, opened, qtbot):
    opened.models.choose(None)
    qtbot.waitUntil(lambda: "Choose a model" in inside.trouble)
    assert inside.seen is None


def test_a_click_pins_a_pixel_and_a_second_one_lets_go(window, inside, qtbot):
    transform = window.canvas.transform
    y, x = transform.to_view(30.5, 60.5)
    at = QPoint(round(x), round(y))
    QTest.mouseMove(window.canvas, at)
    QTest.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=at)
    assert inside.pinned == transform.pixel_at(round(y), round(x))
    chances = inside.probabilities("A")
    assert sum(c.probability for c in chances) == pytest.approx(1, abs=1e-4)
    assert chances[0].probability >= chances[1].probability
    qtbot.waitUntil(lambda: len(inside.votes) > 0, timeout=20_000)
    best = int(np.argmax(inside.votes[0].probabilities))
    assert best == chances[0].class_id
    QTest.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=at)
    assert inside.pinned is None


def test_a_drag_is_no_click(window, inside):
    at = QPoint(200, 200)
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(window.canvas, QPoint(260, 240))
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=QPoint(260, 240))
    assert inside.pinned is None


def test_evidence_follows_the_click(window, inside, qtbot):
    inside.set_look(EvidenceLook(layer="detail.stage3"))
    qtbot.waitUntil(lambda: inside.seen is not None, timeout=20_000)
    assert "pixel" in inside.seen.note
    inside.pin((30, 60))
    qtbot.waitUntil(lambda: inside.seen is not None and inside.seen.map is not None, timeout=30_000)
    assert inside.look.pixel == (30, 60)


def test_similar_follows_the_cursor_until_it_is_pinned(inside, qtbot):
    look(inside, qtbot, LayerLook("detail.stage2", "similar", pixel=(10, 10)))
    inside.point((40, 90))
    assert inside.look.pixel == (40, 90)
    inside.pin((20, 20))
    inside.point((50, 50))
    assert inside.look.pixel == (20, 20)
    qtbot.waitUntil(lambda: inside.seen is not None, timeout=20_000)
    found = inside.seen.map
    row, col = (int(v) for v in found.lattice.cell_at(20.5, 20.5))
    assert float(found.exact[row, col]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "wanted", [UnsureLook("entropy"), UnsureLook("flip"), ClassLook(3), ClassLook(3, 0)]
)
def test_uncertainty_and_classes_are_maps_too(inside, qtbot, wanted):
    seen = look(inside, qtbot, wanted)
    assert seen.trouble == ""
    assert seen.map is not None


def test_every_pane_is_unsure_in_its_own_way(window, inside, opened, nets, qtbot):
    comparison = opened.comparison
    comparison.add(nets[1])
    inside.set_look(UnsureLook())
    qtbot.waitUntil(
        lambda: all(inside.map_of(letter) is not None for letter in comparison.letters),
        timeout=30_000,
    )
    assert inside.map_of("A") is not inside.map_of("B")
    inside.set_look(LayerLook("detail.stage1"))
    qtbot.waitUntil(lambda: inside.map_of("A") is not None, timeout=20_000)
    assert inside.map_of("B") is None


def test_the_other_panes_model_can_be_looked_into(inside, opened, nets, qtbot):
    opened.comparison.add(nets[1])
    qtbot.waitUntil(lambda: opened.comparison.prediction("B") is not None, timeout=30_000)
    inside.set_letter("B")
    qtbot.waitUntil(
        lambda: inside.tree is not None and inside.tree.model == "espnet", timeout=30_000
    )
    qtbot.waitUntil(lambda: inside.seen is not None, timeout=20_000)
    assert inside.map_of("A") is None
    opened.comparison.remove("B")
    assert inside.letter == "A"


def test_whoever_paints_sees_the_masks(window, inside, opened):
    assert not inside.shows_labels
    opened.tools.choose("brush")
    assert inside.shows_labels
    assert not window.canvas.mask_style.hidden
    assert window.canvas.mask_style.mode == "outline"


def test_a_tools_preview_is_not_replaced_by_the_ring(window, inside, opened):
    inside.pin((30, 60))
    opened.tools.choose("brush")
    QTest.mouseMove(window.canvas, QPoint(300, 200))
    assert opened.editor.preview is not NOTHING
    shown = window.canvas._preview
    inside.point((3, 3))
    assert window.canvas._preview is shown


def test_layers_are_measured_and_read(inside, qtbot):
    inside.measure_costs()
    assert inside.is_reading
    qtbot.waitUntil(lambda: not inside.is_reading, timeout=60_000)
    costs = inside.tree.costs
    assert costs["detail"].ms >= costs["detail.stage1"].ms > 0
    got = []
    inside.measure_field("detail.stage1", got.append)
    qtbot.waitUntil(lambda: bool(got), timeout=60_000)
    assert got[0] == inside.tree.get("detail.stage1").calls[0].field


def test_a_map_is_saved_as_picture_numbers_and_video(inside, opened, tmp_path, told, qtbot):
    seen = look(inside, qtbot, LayerLook("detail.stage2", "mean"))
    inside.set_style(replace(inside.style, opacity=1.0))
    opened.saving.save(tmp_path / "map.png")
    opened.saving.save(tmp_path / "map.npy")
    inside.set_shows_labels(on=True)
    opened.saving.save(tmp_path / "masks.png")
    qtbot.waitUntil(lambda: len(told) == 3, timeout=20_000)
    with Image.open(tmp_path / "map.png") as bare, Image.open(tmp_path / "masks.png") as masked:
        differs = (np.asarray(bare) != np.asarray(masked)).any(2)
    assert 0 < differs.mean() < 0.5
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (128, 72)
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), seen.map.exact)
    opened.saving.save_video(tmp_path / "map.mp4", 2, 9)
    qtbot.waitUntil(lambda: opened.saving.run is None, timeout=60_000)
    from segstudio.media.open import complete_info, open_source

    source = open_source(tmp_path / "map.mp4")
    assert complete_info(source).frames == 8
    source.close()


def test_a_video_that_is_stopped_leaves_no_file(inside, opened, tmp_path, qtbot):
    opened.saving.save_video(tmp_path / "map.mp4", 0, 39)
    qtbot.waitUntil(
        lambda: opened.saving.run is not None and opened.saving.run.done > 0, timeout=30_000
    )
    opened.saving.cancel()
    assert opened.saving.run is None
    qtbot.waitUntil(lambda: not list(tmp_path.glob("*map*")), timeout=20_000)


def test_closing_the_source_while_it_is_looked_at_is_no_trouble(
    window, inside, opened, clip, qtbot
):
    opened.close_source()
    assert inside.seen is None
    assert inside.tree is None
    opened.open([clip])
    qtbot.waitUntil(lambda: inside.tree is not None and inside.seen is not None, timeout=30_000)


def test_what_takes_long_says_how_far_it_is_and_can_be_stopped(inside, qtbot):
    shares = []
    inside.asked.connect(lambda: shares.append(inside.progress))
    inside.set_look(EvidenceLook("occlusion", pixel=(30, 60)))
    qtbot.waitUntil(lambda: any(shares), timeout=30_000)
    assert inside.is_asking
    inside.stop()
    qtbot.waitUntil(lambda: not inside.is_asking, timeout=30_000)
    assert inside.seen is None or inside.seen.map is None
    known = [share for share in shares if share is not None]
    assert known == sorted(known)


def test_the_ring_stays_when_the_cursor_was_elsewhere(window, inside, opened):
    opened.tools.hide()
    inside.pin((30, 60))
    assert window.canvas._preview.ring is not None
    inside.pin(None)
    assert window.canvas._preview.ring is None


def test_page_down_goes_from_stage_to_stage(window, inside, qtbot):
    inside.set_look(LayerLook("detail.stage1"))
    run = window.menus.actions["inside.next_layer"].trigger
    run()
    assert inside.look.layer == "detail.stage2"
    inside.set_look(LayerLook("detail.stage2.0"))
    run()
    assert inside.look.layer == "detail.stage2.0.0"


def test_pictures_of_another_size_have_shapes_of_their_own(inside, opened, tmp_path, qtbot):
    for name, size in (("a.png", (96, 128)), ("b.png", (300, 140))):
        Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(tmp_path / name)
    opened.open([tmp_path])

    def shape():
        tree = inside.tree
        return None if tree is None else (tree.input_size, tree.get("detail.stage1").calls[0].shape)

    qtbot.waitUntil(lambda: shape() is not None and shape()[0] == (96, 128), timeout=30_000)
    assert shape()[1][1:] == (48, 64)
    opened.player.seek(1)
    qtbot.waitUntil(lambda: shape() is not None and shape()[0] != (96, 128), timeout=30_000)
    assert shape()[1][1] > shape()[1][2]
