"""The one command that trains what is shipped, on a CamVid of five pictures."""

import importlib.util
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import CAMVID
from segstudio.store.masks import write_mask
from segstudio.store.models import load_card

SCRIPT = Path(__file__).resolve().parent.parent / "script" / "train_bundled.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="only in a checkout")

TINY = (
    "--steps 1 --batch 2 --crop 64x64 --short-side 72 --synthetic-pool 1 --workers 0 --threads 1"
    " --net-arg alpha=0.25 --head-width 16 --net-arg booster_width=8 --precision fp32"
)


@pytest.fixture
def bundled():
    spec = importlib.util.spec_from_file_location("train_bundled", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def camvid(tmp_path):
    """In the layout of the SegNet tutorial: train has one picture of the drive that is held out."""
    rng = np.random.default_rng(3)
    data = tmp_path / "camvid"
    for part, names in (("train", ("0001TP_1", "0001TP_2", "0006R0_1")), ("val", ("0016E5_1",))):
        for name in names:
            labels = np.kron(rng.integers(0, 12, (3, 4)), np.ones((24, 24))).astype(np.uint8)
            for folder in (part, f"{part}annot"):
                (data / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(CAMVID.palette()[labels]).save(data / part / f"{name}.png")
            write_mask(data / f"{part}annot" / f"{name}.png", labels, None)
    return data


class Trainer:
    """Stands in for `segstudio`: takes down what it is asked, and leaves a result."""

    def __init__(self, fails=""):
        self.commands, self._fails = [], fails

    def __call__(self, words):
        self.commands.append(list(words))
        folder = Path(words[words.index("--export") + 1])
        if self._fails and self._fails in folder.name:
            return 2
        folder.mkdir(parents=True)
        (folder / "card.json").write_text("{}")
        return 0


def words_of(camvid, tmp_path, *more):
    return ["--data", str(camvid), "--runs", str(tmp_path / "runs"), "--out",
            str(tmp_path / "models"), "--only", "bisenet_v2_camvid", *more]  # fmt: skip


def test_stages_follow_each_other_and_what_is_done_is_passed_over(
    bundled, camvid, tmp_path, capsys
):
    trainer = Trainer()
    assert bundled.main(words_of(camvid, tmp_path, "--until", "heldout"), trainer) == 0
    assert (
        bundled.main(words_of(camvid, tmp_path, "--until", "train", "--threads", "2"), trainer) == 0
    )
    first, second = trainer.commands
    said = capsys.readouterr().out
    assert f"segstudio {shlex.join(first)}" in said
    assert "bisenet_v2_camvid, heldout: done" in said
    assert first[first.index("--hold-out") + 1] == "0006R0"
    assert "-m" not in first
    assert "--hold-out" not in second
    assert second[second.index("-m") + 1] == first[first.index("--export") + 1]
    assert second[second.index("--threads") + 1] == "2"
    assert second[second.index("--labels") + 1] == str(camvid / "trainannot")


def test_a_stage_that_fails_is_the_last_one_and_may_be_tried_again(
    bundled, camvid, tmp_path, capsys
):
    trainer = Trainer(fails="train-model")
    assert bundled.main(words_of(camvid, tmp_path), trainer) == 2
    assert "stage train of bisenet_v2_camvid ended with exit code 2" in capsys.readouterr().err
    assert len(trainer.commands) == 2


def test_a_folder_that_is_no_camvid_is_said(bundled, tmp_path, capsys):
    assert bundled.main(words_of(tmp_path, tmp_path), Trainer()) == 2
    assert "has no train/images and train/labels in it" in capsys.readouterr().err


def test_every_option_in_the_table_is_one_of_the_command(bundled, camvid, tmp_path):
    from segstudio.cli.main import build_parser

    parser = build_parser()
    for name, model in bundled.MODELS.items():
        trainer = Trainer()
        folder = tmp_path / name
        args = ["--data", str(camvid), "--runs", str(folder), "--only", name, "--until", "train"]
        assert bundled.main(args, trainer) == 0
        for command in trainer.commands:
            parser.parse_args(command)
        for stage in model.stages:
            parser.parse_args(["train", "x", *stage.options.split()])


@pytest.mark.slow
def test_three_small_stages_become_a_shipped_folder_whose_card_says_all(
    bundled, camvid, tmp_path, capsys
):
    from segstudio.cli.main import main

    words = words_of(camvid, tmp_path, "--device", "cpu", "--also", TINY)
    assert bundled.main(words, main) == 0
    card = load_card(tmp_path / "models" / "bisenet_v2_camvid")
    assert [score.dataset for score in card.scores] == [
        "CamVid val, before it was trained on too", "CamVid drive 0006R0, held out",
    ]  # fmt: skip
    assert "trained on train only" in card.scores[0].detail
    assert all(score.per_class for score in card.scores)
    assert "the shipped ones saw val" in card.description
    assert card.command.endswith("--only bisenet_v2_camvid")
    line = (card.lineage, *card.lineage.earlier)
    assert [one.model for one in line] == [
        "bisenet_v2_camvid", "bisenet_v2_camvid-train", "bisenet_v2_camvid-heldout",
    ]  # fmt: skip
    assert [one.base for one in line] == [one.model for one in line[1:]] + [""]
    assert [sum(part.frames for part in one.data if part.fingerprint) for one in line] == [4, 3, 2]
    assert str(tmp_path) not in (card.folder / "card.json").read_text()
    # the same from runs that lie anywhere, of a version that wrote down less
    runs = tmp_path / "runs" / "bisenet_v2_camvid"
    recipe = json.loads((runs / "heldout" / "recipe.json").read_text())
    recipe["train"][0]["images"] = "nowhere/train"
    (runs / "heldout" / "recipe.json").write_text(json.dumps(recipe))
    capsys.readouterr()
    finish = ["--finish", *(str(runs / stage) for stage in ("heldout", "train", "ship"))]
    assert bundled.main(words_of(camvid, tmp_path, "--device", "cpu", *finish), Trainer()) == 0
    again = load_card(tmp_path / "models" / "bisenet_v2_camvid")
    assert again.sha256 == card.sha256
    assert again.scores == card.scores
    assert "mIoU" in capsys.readouterr().out
