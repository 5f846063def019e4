"""`train`: from folders to a model that predicts, and on from where a run stands."""

import json

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main
from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED
from segstudio.media.open import open_source
from segstudio.store.masks import read_mask, write_mask
from segstudio.store.models import load_card
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, Project


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


@pytest.fixture
def project(pictures, tmp_path):
    """Three pictures in classes that no shipped set has, the first two confirmed."""
    own = ClassMap("rails", (ClassDef(0, "Rail", (9, 9, 9)), ClassDef(1, "Platform", (90, 9, 9))))
    made = Project.create(tmp_path / "rails.segproj", own)
    source = open_source(pictures)
    info = source.info
    made.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=pictures, width=info.width,
        height=info.height, frames=info.frames, pictures=PictureNames(info.names, True),
    )  # fmt: skip
    labels = np.zeros((48, 80), np.uint8)
    labels[:, 40:] = 1
    for index in range(2):
        document = LabelDocument(np.full(labels.shape, VOID, np.uint8), np.zeros_like(labels))
        document.begin("Confirm frame")
        whole = Area(Rect(0, 0, *labels.shape), np.ones(labels.shape, np.bool_))
        document.put(whole, labels, origin=CONFIRMED)
        step, counts = document.commit(), tuple(int(n) for n in document.origin_counts[:5])
        about = FrameAbout(None, source.read(index).id.fingerprint, info.names[index], 48, 80)
        made.push(FrameKey(1, index), 0, step, counts, about).result()
    source.close()
    made.close()
    return tmp_path / "rails.segproj"


def test_corrected_frames_of_a_project_are_trained_in_its_own_classes(project, tmp_path, capsys):
    run = tmp_path / "run"
    command = [
        "train", str(run), "--project", str(project), "--net", "unet_padded", "--net-arg",
        "width=4", "--recipe", "full", "--steps", "1", "--batch", "2", "--crop", "64x64",
        "--short-side", "48", "--workers", "0", "--device", "cpu", "--threads", "1",
    ]  # fmt: skip
    assert main([*command, "--export", str(tmp_path / "models" / "rails"), "--quiet"]) == 0
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["classes"] == str(run / "classes.json")
    assert recipe["replay_share"] == 0.3  # with nothing to replay, nothing is
    card = load_card(tmp_path / "models" / "rails")
    assert [c.name for c in card.classes.classes] == ["Rail", "Platform"]
    assert main([*command, "--frames", "painted", "--quiet"]) == 0  # goes on as it began
    capsys.readouterr()
