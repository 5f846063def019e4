"""`segstudio predict` on real files with a real net."""

import json

import numpy as np
import pytest

from segstudio.cli.main import main
from segstudio.media.open import open_source
from segstudio.store.masks import read_mask


@pytest.fixture
def predict(small_model, tmp_path, capsys):
    """Runs the command into out/; returns exit code, report and what was said as an error."""

    def run(*words, model=small_model, out="out"):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        options = ["-m", str(model), "-o", str(tmp_path / out), "--device", "cpu"]
        code = main(["predict", *map(str, words), *options, "--json", str(report)])
        found = json.loads(report.read_text()) if report.is_file() else None
        return code, found, capsys.readouterr().err

    return run


def test_a_folder_becomes_numbered_masks_of_frame_size(predict, pictures, tmp_path):
    code, found, _ = predict(pictures)
    masks = sorted((tmp_path / "out" / "masks" / "drive").iterdir())
    assert code == 0
    assert [m.name for m in masks] == ["000000.png", "000001.png", "000002.png"]
    assert found["files"] == [str(m) for m in masks]
    assert read_mask(masks[0]).shape == (48, 80)
    assert read_mask(masks[0]).max() < 11
    assert set(found) >= {"model", "device", "classes", "frames", "fps", "latency_ms", "stages_ms"}
    assert set(found["latency_ms"]) == {"p50", "p95", "p99"}
    assert set(found["stages_ms"]) == {"decode", "prepare", "forward", "post", "write"}
    assert found["classes"][3] == {"id": 3, "name": "Road", "color": [128, 64, 128]}
    assert (found["frames"], found["model"]) == (3, "small")


def test_a_picture_becomes_one_mask_of_its_name(predict, pictures, tmp_path):
    code, _, _ = predict(pictures / "picture_1.png")
    assert code == 0
    assert read_mask(tmp_path / "out" / "masks" / "picture_1.png").shape == (48, 80)


def test_the_same_command_predicts_only_what_is_missing(predict, pictures, tmp_path):
    predict(pictures)
    gone = tmp_path / "out" / "masks" / "drive" / "000001.png"
    before = gone.read_bytes()
    gone.unlink()
    _, found, _ = predict(pictures)
    assert (found["predicted"], found["resumed"], found["frames"]) == (1, 2, 3)
    assert gone.read_bytes() == before


def test_masks_of_another_model_size_or_clip_are_never_mixed(predict, pictures, tmp_path):
    predict(pictures)
    code, _, said = predict(pictures, "--size", "96x160")
    assert code == 2
    assert "another size" in said
    (pictures / "picture_2.png").unlink()
    code, _, said = predict(pictures)
    assert code == 2
    assert "another 'drive'" in said


def test_masks_of_another_strategy_are_never_mixed(predict, pictures):
    predict(pictures)
    code, _, said = predict(pictures, "--scales", "0.75,1")
    assert code == 2
    assert "another strategy" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "100x170"], "choose 96×160 or 128×192"),
        (["--sliding", "100x128"], "choose 96×128 or 128×128"),
        (["--scales", "1,big"], "are no scales"),
        (["--scales", "0"], "choose factors above 0"),
        (["--overlap", "0.5"], "add --sliding"),
        (["--tile", "--overlap", "2"], "overlap cannot be 2.0"),
    ],
)
def test_a_strategy_that_makes_no_sense_is_one_sentence(predict, pictures, options, words):
    code, _, said = predict(pictures, *options)
    assert code == 2
    assert words in said


def test_masks_from_before_there_were_strategies_go_on(predict, pictures, tmp_path):
    predict(pictures, "--tta")
    state = tmp_path / "out" / "predict.json"
    old = json.loads(state.read_text())
    assert old.pop("strategy") is None
    state.write_text(json.dumps(old))
    _, found, _ = predict(pictures, "--tta")
    assert found["resumed"] == 3


def test_masks_of_unknown_origin_are_left_alone(predict, pictures, tmp_path):
    stranger = tmp_path / "out" / "masks" / "drive" / "000000.png"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"somebody's work")
    code, _, said = predict(pictures)
    assert code == 2
    assert "unknown origin" in said
    assert stranger.read_bytes() == b"somebody's work"


def test_overlay_pictures_and_probabilities_are_written_beside(predict, pictures, tmp_path):
    code, found, _ = predict(pictures / "picture_0.png", "--overlay", "--probs")
    assert code == 0
    assert (tmp_path / "out" / "overlay" / "picture_0.png").is_file()
    probs = np.load(tmp_path / "out" / "probs" / "picture_0.npy")
    assert probs.shape[0] == len(found["classes"])
    np.testing.assert_allclose(probs.astype(np.float32).sum(0), 1, atol=0.01)


def test_a_video_gets_numbered_masks_and_an_overlay_video(predict, tmp_path):
    drive = tmp_path / "synthetic"
    words = ["synth", "-o", str(drive), "--frames", "5", "--size", "48x80", "--video", "-q"]
    assert main(words) == 0
    code, found, said = predict(drive / "drive.mp4", "--overlay")
    assert code == 0, said
    names = [f"{i:06d}.png" for i in range(5)]
    assert [p.name for p in sorted((tmp_path / "out" / "masks" / "drive").iterdir())] == names
    assert found["frames"] == 5
    for video in (drive / "drive.mp4", tmp_path / "out" / "overlay" / "drive.mp4"):
        source = open_source(video)
        assert source.read(4).rgb.shape == (48, 80, 3)
        assert source.wait_complete(30)
        assert source.info.frames == 5
        source.close()


def test_every_second_frame_keeps_its_number(predict, pictures, tmp_path):
    _, found, _ = predict(pictures, "--every", "2")
    names = [p.name for p in sorted((tmp_path / "out" / "masks" / "drive").iterdir())]
    assert names == ["000000.png", "000002.png"]
    assert found["frames"] == 2


def test_a_damaged_picture_is_told_and_the_others_go_on(predict, pictures):
    (pictures / "picture_1.png").write_bytes(b"not a picture")
    code, found, said = predict(pictures)
    assert code == 0
    assert found["frames"] == 2
    assert len(found["missing"]) == 1
    assert "picture_1.png" in said


@pytest.mark.parametrize(
    "options",
    [
        ["--tta"],
        ["--tile"],
        ["--scales", "0.75,1,1.25", "--flip"],
        ["--sliding", "64x96", "--overlap", "0.33"],
        ["--mirror-tiles", "64x64", "--full-resolution"],
        ["--crf"],
    ],
)
def test_slower_and_better_ways_give_whole_masks(predict, pictures, tmp_path, options):
    code, _, said = predict(pictures / "picture_0.png", *options)
    assert code == 0, said
    assert read_mask(tmp_path / "out" / "masks" / "picture_0.png").shape == (48, 80)


def test_a_missing_file_or_model_is_one_sentence(predict, pictures, tmp_path):
    code, _, said = predict(tmp_path / "none.mp4")
    assert code == 2
    assert said.startswith("segstudio: error: ")
    code, _, said = predict(pictures, model="smal")
    assert code == 2
    assert "There is no model 'smal'" in said


def test_two_paths_of_one_name_are_refused(predict, pictures, tmp_path):
    code, _, said = predict(pictures / "picture_0.png", pictures / "picture_0.png")
    assert code == 2
    assert "would mix" in said
