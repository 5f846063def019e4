"""`segstudio models` from the outside."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from segstudio.cli.main import main
from segstudio.cli.models import net_args
from segstudio.core.catalogue import Score
from segstudio.core.lineage import DataPart, Lineage
from segstudio.errors import UsageError
from segstudio.nets.registry import NETS
from segstudio.store.models import load_card, write_card

SLIM = ["--net", "bisenet_v2", "--net-arg", "alpha=0.25", "--net-arg", "head_width=16"]


@pytest.fixture
def bare(tmp_path):
    """Weights without a card, as they lie on people's disks."""
    torch.manual_seed(2)
    net = NETS.get("bisenet_v2").build(11, alpha=0.25, head_width=16)
    torch.save({"state_dict": net.state_dict(), "epoch": 3}, tmp_path / "city.pth")
    return tmp_path / "city.pth"


def test_a_bare_file_is_inspected_and_imported(bare, own_home, capsys):
    assert main(["models", "inspect", str(bare), *SLIM, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["net"], found["num_classes"], found["fits"]) == ("bisenet_v2", 11, True)
    assert found["missing"] == found["unexpected"] == found["misshapen"] == []
    assert main(["models", "import", str(bare), *SLIM, "--classes", "camvid"]) == 0
    assert "Imported as 'city'" in capsys.readouterr().out
    assert main(["models", "list", "--json", "-"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["city"]["params"] > 1000
    assert main(["models", "inspect", "city"]) == 0
    assert "The weights fit." in capsys.readouterr().out


def test_inspection_fails_with_two_when_weights_do_not_fit(bare, capsys):
    assert main(["models", "inspect", str(bare), "--net", "bisenet_v2"]) == 2
    out = capsys.readouterr().out
    assert "in the net" in out
    assert "do not fit" in out


def test_another_class_set_needs_a_new_classifier(bare, own_home, capsys):
    command = ["models", "import", str(bare), *SLIM, "--classes", "voc21", "--name", "voc"]
    assert main(command) == 2
    assert "--rehead" in capsys.readouterr().err
    assert main([*command, "--rehead"]) == 0
    capsys.readouterr()
    assert main(["models", "inspect", "voc", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["num_classes"] == 21


def test_rehead_without_a_class_set_is_wrong_use(bare, own_home, capsys):
    assert main(["models", "import", str(bare), *SLIM, "--rehead"]) == 2
    assert "--classes" in capsys.readouterr().err


def test_a_class_set_that_is_none_is_told(bare, own_home, capsys):
    assert main(["models", "import", str(bare), *SLIM, "--classes", "camvit"]) == 2
    assert "did you mean camvid?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nothing.pth", "cut.pth", "text.pth"])
def test_broken_files_get_one_sentence(bare, name, capsys):
    file = bare.with_name(name)
    if name == "cut.pth":
        file.write_bytes(bare.read_bytes()[:5000])
    if name == "text.pth":
        file.write_text("these are no weights")
    assert main(["models", "inspect", str(file)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("segstudio: error: ")
    assert error.count("\n") == 1


def test_every_net_is_listed_with_its_size(capsys):
    assert main(["models", "list", "--nets", "--json", "-"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(NETS)
    assert rows["bisenet_v2"]["multiple_of"] == 32


def test_net_arguments_are_read_as_what_they_look_like():
    assert net_args(["a=1", "b=0.5", "c=true", "d=same", "e=x=y"]) == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": "same",
        "e": "x=y",
    }
    with pytest.raises(UsageError):
        net_args(["nothing"])


def test_a_card_is_told_class_by_class_with_where_it_comes_from(small_model, tmp_path, capsys):
    folder = shutil.copytree(small_model, tmp_path / "told")
    lineage = Lineage(
        base="town", run="first", step=40, recipe={"net": "bisenet_v2", "steps": 60, "seed": 5},
        data=(DataPart("train/images", 367, "ab" * 16), DataPart("synthetic drive", 9)),
    )  # fmt: skip
    score = Score("CamVid val", 0.6081, "101 frames", {"Road": 0.91, "SignSymbol": 0.123})
    write_card(replace(load_card(folder), scores=(score,), lineage=lineage), folder)
    assert main(["models", "show", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "mIoU 60.8 % on CamVid val" in said
    assert "  Road        91.0\n  SignSymbol  12.3\n" in said
    assert "Kept        step 40 of 60\n" in said
    assert "train/images: 367 frames (content abababababab)\n            synthetic drive" in said
    assert main(["models", "show", str(folder), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lineage"]["base"] == "town"
    assert found["scores"][0]["per_class"] == {"Road": 0.91, "SignSymbol": 0.123}


def test_a_card_that_says_little_is_shown_too_and_a_strange_name_is_one_sentence(
    small_model, capsys
):
    assert main(["models", "show", str(small_model)]) == 0
    assert "Nobody has measured it yet" in capsys.readouterr().out
    assert main(["models", "show", "bisenet_v2_camvit"]) == 2
    assert "did you mean" in capsys.readouterr().err
