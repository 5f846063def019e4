"""`segstudio features` on real files with a real net."""

import json

import av
import numpy as np
import pytest
import torch
from PIL import Image

from segstudio.cli.main import main
from segstudio.core.color_maps import table
from segstudio.engine.predictor import Predictor
from segstudio.media.open import open_source
from segstudio.media.writer import VideoWriter
from segstudio.store.models import find_model


@pytest.fixture
def features(small_model, tmp_path, capsys):
    """Runs the command into out/; returns exit code, report and what was said."""

    def run(*words, out=True):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        options = ["-m", str(small_model), "--device", "cpu", "--precision", "fp32"]
        options += ["-o", str(tmp_path / "out")] if out else []
        code = main(["features", *map(str, words), *options, "--json", str(report)])
        found = json.loads(report.read_text()) if report.is_file() else None
        said = capsys.readouterr()
        return code, found, said.err or said.out

    return run


@pytest.fixture
def clip(tmp_path):
    """Five frames, 48×80, that grow brighter."""
    path = tmp_path / "drive.mp4"
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 60, (48, 80, 3))
    with VideoWriter(path, 10) as writer:
        for i in range(5):
            writer.write((noise + 35 * i).astype(np.uint8))
    return path


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


def plainly(small_model, picture, layer):
    """(C, h, w) by a hook of one's own."""
    predictor = Predictor(find_model(str(small_model)), "cpu", precision="fp32")
    frame = open_source(picture).read(0)
    got = []
    net = predictor.runner.net
    net.get_submodule(layer).register_forward_hook(lambda *a: got.append(a[2].clone()))
    x = predictor.runner.prepare(frame.rgb, predictor.input_size(frame.height, frame.width))
    with torch.inference_mode():
        predictor.runner.whole(x)
    predictor.close()
    return got[-1][0].numpy()


def test_layers_of_a_picture_become_pictures_and_exact_numbers(
    features, small_model, pictures, tmp_path
):
    picture = pictures / "picture_1.png"
    code, found, _ = features(picture, "--tap", "detail.stage2,semantic.stage4", "--view", "max")
    assert code == 0
    assert [tap["name"] for tap in found["taps"]] == ["detail.stage2", "semantic.stage4"]
    first = found["taps"][0]
    assert set(first) >= {"name", "title", "shape", "stride", "file"}
    assert (first["title"], first["stride"]) == ("Detail branch · stage 2", 4.0)
    file = tmp_path / "out" / "detail.stage2.max" / "picture_1.png"
    assert first["file"] == str(file)
    assert opened(file).shape == (48, 80, 3)
    wanted = plainly(small_model, picture, "detail.stage2")
    assert first["shape"] == list(wanted.shape)
    np.testing.assert_array_equal(np.load(file.with_suffix(".npy")), wanted.max(0))
    assert (found["model"], found["frames"], found["view"]) == ("small", 1, "max")
    assert found["ms"] > 0


def test_without_names_it_takes_the_layers_that_the_net_declares(features, pictures):
    _, found, _ = features(pictures / "picture_0.png")
    assert [tap["name"] for tap in found["taps"]] == [
        "detail.stage1", "detail.stage2", "detail.stage3", "semantic.stem", "semantic.stage3",
        "semantic.stage4", "semantic.stage5", "semantic.context", "aggregation",
    ]  # fmt: skip


def test_a_clip_becomes_numbered_files_and_a_video(features, clip, tmp_path):
    words = ("--tap", "aggregation", "--view", "pca", "--every", "2", "--video", "--over", "0.5")
    code, found, _ = features(clip, *words)
    folder = tmp_path / "out" / "aggregation.pca"
    assert (code, found["frames"]) == (0, 3)
    names = sorted(path.name for path in (folder / "drive").iterdir())
    assert names == [f"00000{i}.{kind}" for i in (0, 2, 4) for kind in ("npy", "png")]
    assert found["taps"][0]["file"] == str(folder / "drive")
    assert found["taps"][0]["video"] == str(folder / "drive.mp4")
    with av.open(str(folder / "drive.mp4")) as video:
        frames = list(video.decode(video=0))
    assert [round(frame.time, 3) for frame in frames] == [0.0, 0.2, 0.4]
    assert (frames[0].width, frames[0].height) == (80, 48)


def test_colours_stay_over_a_clip_unless_every_frame_is_fitted(features, clip, tmp_path):
    def cells():
        folder = tmp_path / "out" / "detail.stage1.mean" / "drive"
        return [opened(folder / f"00000{i}.png") for i in (0, 4)]

    words = ("--tap", "detail.stage1", "--at", "layer", "--colors", "grey", "--scale", "full")
    features(clip, *words)
    frozen = cells()
    features(clip, *words, "--per-frame")
    fitted = cells()
    lows, highs = table("grey")[0], table("grey")[255]
    for first in (frozen[0], fitted[0], fitted[1]):  # each on a scale of its own reaches both ends
        assert (first == lows).all(-1).any()
        assert (first == highs).all(-1).any()
    assert not np.array_equal(frozen[1], fitted[1])


def test_a_grid_is_a_mosaic_with_the_numbers_of_its_channels(
    features, small_model, pictures, tmp_path
):
    picture = pictures / "picture_2.png"
    code, found, _ = features(
        picture, "--tap", "detail.stage2", "--view", "grid", "--channels", "4", "--nearest"
    )
    file = tmp_path / "out" / "detail.stage2.grid" / "picture_2.png"
    channels = found["taps"][0]["channels"]
    assert code == 0
    assert len(set(channels)) == 4
    assert opened(file).shape[1] > 400
    wanted = plainly(small_model, picture, "detail.stage2")[channels]
    np.testing.assert_array_equal(np.load(file.with_suffix(".npy")), wanted)


def test_full_values_are_the_whole_layer(features, small_model, pictures, tmp_path):
    picture = pictures / "picture_0.png"
    features(picture, "--tap", "semantic.stage5", "--values", "full")
    found = np.load(tmp_path / "out" / "semantic.stage5.mean" / "picture_0.npy")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, plainly(small_model, picture, "semantic.stage5"))


@pytest.mark.parametrize(
    ("view", "folder"),
    [
        ("norm", "head.norm"),
        ("segments", "head.segments"),
        ("channel:3", "head.channel-3"),
        ("similar:10,20", "head.similar-10-20"),
        ("gradcam:10,20", "aggregation.gradcam-10-20"),
        ("hirescam:10,20", "aggregation.hirescam-10-20"),
        ("entropy", "entropy"),
        ("margin", "margin"),
        ("probability", "probability"),
        ("flip", "flip"),
        ("class:road", "class-road"),
    ],
)
def test_every_view_writes_a_picture_and_its_numbers(features, pictures, tmp_path, view, folder):
    words = ("--tap", folder.split(".")[0]) if "." in folder else ()
    code, found, said = features(pictures / "picture_0.png", *words, "--view", view)
    assert code == 0, said
    assert len(found["taps"]) == 1
    numbers = np.load(tmp_path / "out" / folder / "picture_0.npy")
    assert numbers.dtype == np.float32
    assert numbers.ndim == 2
    assert np.isfinite(numbers).all()
    assert opened(tmp_path / "out" / folder / "picture_0.png").shape == (48, 80, 3)


def test_probabilities_of_a_class_are_probabilities(features, pictures, tmp_path):
    sums = 0.0
    for name in ("Road", "Sky"):
        features(pictures / "picture_0.png", "--view", f"class:{name}")
        found = np.load(tmp_path / "out" / f"class-{name}" / "picture_0.npy")
        assert found.min() >= 0
        assert found.max() <= 1
        sums += found
    assert np.max(sums) <= 1 + 1e-6


def test_the_layers_are_listed_with_what_they_are(features, pictures, tmp_path):
    code, found, said = features(pictures / "picture_0.png", "--list", out=False)
    layers = {layer["name"]: layer for layer in found["layers"]}
    stage = layers["detail.stage2"]
    assert code == 0
    assert stage["title"] == "Detail branch · stage 2"
    assert (stage["stride"], stage["field"], stage["is_tap"]) == (4.0, [27, 27], True)
    assert stage["shape"] == [16, found["input_size"][0] // 4, found["input_size"][1] // 4]
    row = next(row for row in said.splitlines() if row.startswith("detail.stage2*"))
    assert "Detail branch · stage 2" in row
    assert "27×27" in row
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--tap", "detail.stag2"), "did you mean detail.stage2"),
        (("--tap", ","), "names no layer"),
        (("--view", "beauty"), "There is no view 'beauty'"),
        (("--view", "similar:ten,2"), "is no pixel"),
        (("--view", "similar:48,2"), "outside of the frame"),
        (("--view", "class:Unicorn"), "no class 'Unicorn'"),
        (("--view", "channel:999", "--tap", "head.0"), "no channel 999"),
        (("--colors", "rainbow"), "no color map 'rainbow'"),
        (("--scale", "2,1"), "no extent"),
        (("--scale", "much"), "no scale"),
        (("--over", "2"), "no opacity"),
        (("--every", "0"), "makes no sense"),
        (("--segments", "40"), "cannot be told apart"),
        (("--video",), "leave --video out"),
        (("--view", "entropy", "--values", "full"), "leave --values full out"),
    ],
)
def test_wrong_use_is_told_in_one_line(features, pictures, words, sentence):
    code, _, said = features(pictures / "picture_0.png", *words)
    rows = [row for row in said.splitlines() if row]
    assert code == 2
    assert len(rows) == 1
    assert rows[0].startswith("segstudio: error: ")
    assert sentence in rows[0]


def test_somewhere_to_write_to_is_needed(features, pictures):
    code, _, said = features(pictures, out=False)
    assert code == 2
    assert "name a folder with -o" in said


def test_a_damaged_picture_is_passed_over_and_told(features, pictures):
    (pictures / "picture_1.png").write_bytes(b"no picture")
    code, found, said = features(pictures, "--tap", "detail")
    assert (code, found["frames"], len(found["missing"])) == (0, 2, 1)
    assert "picture_1" in said
