"""What is seen, as files: exact numbers, pictures that lie on the frame, many layers at once."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from segstudio.core.color_maps import table
from segstudio.core.feature_map import ChannelSheet, FeatureMap, Lattice
from segstudio.core.look import EvidenceLook, LayerLook, UnsureLook
from segstudio.core.map_style import MapStyle
from segstudio.engine.inside import files
from segstudio.engine.inside.reading import LayersReader, look_at
from segstudio.engine.predictor import Predictor
from segstudio.errors import ModelError, SegStudioError
from tests.engine.conftest import make_frame

FRAME = make_frame(3, (150, 220))
ALONE = MapStyle(opacity=1.0, is_smooth=False)


@pytest.fixture
def predictor(card):
    made = Predictor(card, "cpu", precision="fp32")
    yield made
    made.close()


def checkered(shape=(15, 22), step=10.0):
    values = (np.indices(shape).sum(0) % 2 * 255).astype(np.uint8)
    exact = values.astype(np.float32) / 3
    return FeatureMap(values, Lattice((0.0, 0.0), (step, step)), high=85.0, exact=exact)


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


def plainly(predictor, names, frame=FRAME):
    """(C, h, w) by hooks of one's own."""
    got = {}
    net = predictor.runner.net
    handles = [
        net.get_submodule(n).register_forward_hook(
            lambda _m, _i, out, n=n: got.__setitem__(n, out[0].clone())
        )
        for n in names
    ]
    x = predictor.runner.prepare(frame.rgb, predictor.input_size(frame.height, frame.width))
    with torch.inference_mode():
        predictor.runner.whole(x)
    for handle in handles:
        handle.remove()
    return got


def test_a_picture_has_the_size_of_the_frame_and_its_cells_lie_where_they_look(tmp_path):
    path = tmp_path / "deep" / "map.png"
    files.save_map_png(checkered(), ALONE, FRAME, path)
    rgb = opened(path)
    dark, bright = table("viridis")[0], table("viridis")[255]
    assert rgb.shape == (150, 220, 3)
    np.testing.assert_array_equal(rgb[:10, :10], np.broadcast_to(dark, (10, 10, 3)))
    np.testing.assert_array_equal(rgb[:10, 10:20], np.broadcast_to(bright, (10, 10, 3)))


def test_a_picture_of_the_layers_size_has_a_pixel_for_each_cell(tmp_path):
    path = tmp_path / "map.png"
    files.save_map_png(checkered(), ALONE, FRAME, path, at="layer")
    rgb = opened(path)
    assert rgb.shape == (15, 22, 3)
    np.testing.assert_array_equal(rgb[0, 1], table("viridis")[255])


def test_the_frame_shines_through_as_much_as_was_asked_for():
    half = files.render(checkered(), MapStyle(opacity=0.5, is_smooth=False), FRAME)
    full = files.render(checkered(), ALONE, FRAME)
    none = files.render(checkered(), MapStyle(opacity=0.0), FRAME)
    np.testing.assert_array_equal(none, FRAME.rgb)
    np.testing.assert_allclose(half, (full.astype(float) + FRAME.rgb) / 2, atol=0.51)


def test_numbers_are_the_exact_ones(tmp_path):
    seen = checkered()
    files.save_map_npy(seen, tmp_path / "map.npy")
    found = np.load(tmp_path / "map.npy", allow_pickle=False)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, seen.exact)


def test_numbers_that_were_not_kept_are_what_the_bytes_stand_for(tmp_path):
    seen = FeatureMap(np.array([[0, 255]], np.uint8), Lattice((0, 0), (1, 1)), low=-2.0, high=3.0)
    files.save_map_npy(seen, tmp_path / "map.npy")
    np.testing.assert_allclose(np.load(tmp_path / "map.npy"), [[-2.0, 3.0]], atol=1e-6)


def test_a_mosaic_shows_every_channel_under_its_number():
    values = np.zeros((5, 15, 22), np.uint8)
    values[3] = 255
    sheet = ChannelSheet(
        np.array([7, 1, 12, 4, 9]), values, Lattice((0, 0), (10, 10)),
        *(np.zeros(5, np.float32) for _ in range(3)), total=20,
    )  # fmt: skip
    rgb = files.render_sheet(sheet, ALONE, FRAME)
    high = round(files.TILE * 150 / 220)
    assert rgb.shape == (
        files.GAP + 2 * (files.STRIP + high + files.GAP), files.GAP + 3 * (files.TILE + files.GAP), 3
    )  # fmt: skip
    y = files.GAP + (files.STRIP + high + files.GAP) + files.STRIP
    np.testing.assert_array_equal(rgb[y + 5, files.GAP + 5], table("viridis")[255])
    np.testing.assert_array_equal(rgb[files.GAP + files.STRIP, files.GAP], table("viridis")[0])
    strips = [rgb[files.GAP : files.GAP + files.STRIP, x : x + 40] for x in (4, 248, 492)]
    assert all((strip > 150).any() for strip in strips)
    assert not np.array_equal(strips[0], strips[1])
    np.testing.assert_array_equal(rgb[-high:, -files.TILE - 1 :][5, 5], files.GROUND)


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SegStudioError):
        files.save_map_npy(checkered(), tmp_path / "file" / "map.npy")


def test_layers_read_together_are_those_of_plain_hooks_bit_for_bit(predictor):
    names = ("detail.stage1", "semantic.stage5", "head")
    wanted = plainly(predictor, names)
    looks = [LayerLook(name, "channel", channel=2) for name in names]
    found = LayersReader(predictor, looks).read(FRAME)
    for name, read in zip(names, found, strict=True):
        np.testing.assert_array_equal(read.values(), wanted[name].numpy())
        np.testing.assert_array_equal(read.map.exact, wanted[name][2].numpy())
    assert all(not m._forward_hooks for m in predictor.runner.net.modules())


def test_all_layers_of_a_frame_take_one_forward_pass(predictor, monkeypatch):
    looks = [LayerLook(name, "pca") for name in ("detail.stage1", "detail.stage2", "aggregation")]
    reader = LayersReader(predictor, looks)
    reader.read(FRAME)
    passes = []
    forward = predictor.runner.forward
    monkeypatch.setattr(predictor.runner, "forward", lambda x: passes.append(1) or forward(x))
    reader.read(make_frame(4, (150, 220)))
    assert len(passes) == 1


def test_colours_stay_while_they_are_frozen(predictor):
    other = make_frame(9, (150, 220))
    frozen = LayersReader(predictor, [LayerLook("detail.stage2", "mean")])
    loose = LayersReader(predictor, [LayerLook("detail.stage2", "mean", is_frozen=False)])
    first = frozen.read(FRAME)[0].map
    assert (frozen.read(other)[0].map.low, first.high) == (first.low, first.high)
    loose.read(FRAME)
    assert loose.read(other)[0].map.low != first.low


def test_a_layer_that_is_not_there_or_does_not_run_is_told_by_its_name(predictor):
    with pytest.raises(ModelError, match="no layer 'nowhere'"):
        LayersReader(predictor, [LayerLook("nowhere")]).read(FRAME)
    predictor.runner.net.add_module("idle", nn.ReLU())
    with pytest.raises(ModelError, match="'idle' did not run"):
        LayersReader(predictor, [LayerLook("idle")]).read(FRAME)


def test_other_looks_take_one_prediction_together(predictor, monkeypatch):
    predictions = []
    predict = predictor.predict
    monkeypatch.setattr(
        predictor, "predict", lambda frame: predictions.append(frame) or predict(frame)
    )
    looks = [EvidenceLook("gradcam", layer, pixel=(80, 90)) for layer in ("detail", "aggregation")]
    found = look_at(predictor, [*looks, UnsureLook("entropy")], FRAME)
    assert len(predictions) == 1
    assert [read.look for read in found] == [*looks, UnsureLook("entropy")]
    assert all(read.map is not None and read.values is None for read in found)


def test_what_cannot_be_seen_says_why(predictor):
    with pytest.raises(ModelError, match="no layer"):
        look_at(predictor, [EvidenceLook("gradcam", "nowhere", pixel=(8, 9))], FRAME)
