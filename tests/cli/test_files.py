"""`frames`, `synth` and `models`: what they write and report."""

import json

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.frames import parse_indexes
from segstudio.cli.main import main
from segstudio.errors import UsageError
from segstudio.media.writer import VideoWriter
from segstudio.store.masks import read_mask


def test_frames_are_written_by_their_number(pictures, tmp_path, capsys):
    out = tmp_path / "stills"
    assert main(["frames", str(pictures), "--index", "2,0", "-o", str(out), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"] == 3
    assert [(row["index"], row["time_us"]) for row in found["frames"]] == [(2, None), (0, None)]
    for index in (0, 2):
        original = np.asarray(Image.open(pictures / f"picture_{index}.png"))
        np.testing.assert_array_equal(np.asarray(Image.open(out / f"{index:06d}.png")), original)


def test_the_total_is_that_of_the_whole_video_not_of_what_was_indexed_so_far(tmp_path, capsys):
    rng = np.random.default_rng(1)
    with VideoWriter(tmp_path / "long.mp4", 30) as writer:
        for _ in range(400):
            writer.write(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8))
    words = ["frames", str(tmp_path / "long.mp4"), "--index", "0", "-o", str(tmp_path / "f")]
    assert main([*words, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 400


def test_a_frame_that_is_not_there_is_told(pictures, tmp_path, capsys):
    assert main(["frames", str(pictures), "--index", "7", "-o", str(tmp_path / "x")]) == 2
    assert "no frame 7" in capsys.readouterr().err


def test_numbers_and_ranges():
    assert parse_indexes("0,17,230-232") == [0, 17, 230, 231, 232]
    for text in ("", "a", "1,,2", "-3", "5-"):
        with pytest.raises(UsageError):
            parse_indexes(text)


def test_the_synthetic_drive_comes_with_its_labels(tmp_path, capsys):
    words = ["synth", "-o", str(tmp_path / "a"), "--frames", "2", "--size", "48x64", "--seed", "5"]
    assert main([*words, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frames"] == 2
    assert len(found["classes"]) == 11
    labels = read_mask(tmp_path / "a" / "labels" / "000001.png")
    assert labels.shape == (48, 64)
    assert 3 in labels
    words[2] = str(tmp_path / "b")
    assert main(words) == 0
    for name in ("images/000000.png", "labels/000001.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("size", ["48", "48x", "0x64", "axb"])
def test_a_size_that_is_none_is_refused(size, tmp_path, capsys):
    assert main(["synth", "-o", str(tmp_path), "--size", size]) == 2
    assert "is not a size" in capsys.readouterr().err


def test_models_are_listed_from_the_users_folder(small_model, own_home, capsys):
    (own_home / "data").mkdir()
    (own_home / "data" / "models").symlink_to(small_model.parent)
    assert main(["models", "list", "--json", "-"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["small"]["net"] == "bisenet_v2"
    assert rows["small"]["classes"] == 11
    assert rows["small"]["bundled"] is False


def test_inspect_says_whether_the_weights_fit(small_model, capsys):
    assert main(["models", "inspect", str(small_model), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["missing"] == found["unexpected"] == []
    assert found["matched"] > 100
    assert (found["net"], found["num_classes"]) == ("bisenet_v2", 11)
