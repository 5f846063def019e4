"""`train`: from folders to a model that predicts, and on from where a run stands."""

import json

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main
from segstudio.core.classes import CAMVID
from segstudio.store.masks import read_mask, write_mask


@pytest.fixture
def labelled(tmp_path):
    rng = np.random.default_rng(2)
    for name in ("a1", "a2", "b1"):
        labels = np.kron(rng.integers(0, 11, (3, 4)), np.ones((24, 24))).astype(np.uint8)
        for kind in ("images", "labels"):
            (tmp_path / kind).mkdir(exist_ok=True)
        Image.fromarray(CAMVID.palette()[labels]).save(tmp_path / "images" / f"{name}.png")
        write_mask(tmp_path / "labels" / f"{name}.png", labels, CAMVID.palette())
    return tmp_path


def words(folder, *more):
    return [
        "train", str(folder / "run"), "--images", str(folder / "images"),
        "--labels", str(folder / "labels"), "--hold-out", "b", "--steps", "2", "--batch", "2",
        "--crop", "64x64", "--short-side", "72", "--head-width", "16", "--workers", "0",
        "--device", "cpu", "--precision", "fp32", "--threads", "1", *more,
    ]  # fmt: skip


def test_a_run_becomes_a_model_that_predicts_and_goes_on_later(labelled, capsys):
    export = labelled / "models" / "mine"
    assert main(words(labelled, "--export", str(export), "--title", "Mine", "--json", "-")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]
    assert [e["event"] for e in events] == ["started", "validated", "saved", "finished"]
    assert events[1]["set"] == "held out"
    card = json.loads((export / "card.json").read_text(encoding="utf-8"))
    assert card["scores"][0]["dataset"] == "held out"
    picture = labelled / "images" / "a1.png"
    assert main(["predict", str(picture), "-m", str(export), "-o", str(labelled / "out")]) == 0
    assert read_mask(labelled / "out" / "masks" / "a1.png").shape == (72, 96)
    capsys.readouterr()
    assert main(["train", str(labelled / "run"), "--steps", "3", "--json", "-"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (again[0]["step"], again[-1]["step"]) == (2, 3)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--crop", "50x50"], "multiple of 32"),
        (["--crop", "wide"], "not a size"),
        (["--batch", "1"], "batch of at least two"),
        (["--classes", "nope"], "no class set 'nope'"),
        (["--images", "elsewhere"], "one --labels folder for every --images"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(labelled, capsys, more, says):
    assert main(words(labelled, *more)) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_run_that_never_began_takes_the_options_as_they_are_now(labelled, capsys):
    assert main(words(labelled, "--crop", "50x50")) == 2
    assert main(words(labelled, "--quiet")) == 0
    capsys.readouterr()


def test_any_net_is_trained_at_a_crop_of_its_own_and_predicts(labelled, capsys):
    export = labelled / "models" / "wide"
    more = ["--net", "unet_padded", "--net-arg", "width=4", "--crop", "50x62"]
    command = [w for w in words(labelled, *more, "--export", str(export)) if w != "--head-width"]
    command.remove("16")
    assert main(command) == 0
    picture = labelled / "images" / "a1.png"
    assert main(["predict", str(picture), "-m", str(export), "-o", str(labelled / "out")]) == 0
    assert read_mask(labelled / "out" / "masks" / "a1.png").shape == (72, 96)
    capsys.readouterr()


def test_a_recipe_by_name_is_the_recipe_of_the_run_and_options_win(labelled, capsys):
    more = ["--recipe", "bisenet_v2", "--lr", "0.02", "--augment", "mild", "--patience", "4"]
    assert main(words(labelled, *more, "--json", "-")) == 0
    started = json.loads(capsys.readouterr().out.splitlines()[0])
    assert started["effective_batch"] == 2
    recipe = json.loads((labelled / "run" / "recipe.json").read_text(encoding="utf-8"))
    assert (recipe["learning_rate"], recipe["augment"], recipe["patience"]) == (0.02, "mild", 4)
    assert (recipe["rate_batch"], recipe["loss"], recipe["scale"]) == (16, "ohem", [0.75, 2.0])


def test_a_base_brings_its_net_its_input_and_its_size(labelled, capsys):
    base = labelled / "models" / "base"
    more = ["--net", "unet_padded", "--net-arg", "width=4", "--export", str(base), "--quiet"]
    command = [w for w in words(labelled, *more) if w not in ("--head-width", "16")]
    assert main(command) == 0
    again = [
        "train", str(labelled / "tuned"), "-m", str(base), "--images", str(labelled / "images"),
        "--labels", str(labelled / "labels"), "--recipe", "quick", "--steps", "1", "--batch", "2",
        "--crop", "64x64", "--workers", "0", "--device", "cpu", "--threads", "1", "--json", "-",
    ]  # fmt: skip
    capsys.readouterr()
    assert main(again) == 0
    started = json.loads(capsys.readouterr().out.splitlines()[0])
    assert started["trained_weights"] == 4 * 11 + 11
    recipe = json.loads((labelled / "tuned" / "recipe.json").read_text(encoding="utf-8"))
    assert (recipe["net"], recipe["short_side"]) == ("unet_padded", 72)
    assert recipe["net_args"]["width"] == 4
