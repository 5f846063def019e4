"""Real weights of other programs score what they score there: loader, pictures and figures."""

import json

import pytest
from safetensors.torch import save_file

from segstudio.cli.eval import class_set, without_void
from segstudio.cli.main import main
from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.nets.dialect import dialect_of, fit
from segstudio.nets.weights import load_state
from segstudio.store.models import write_card


def model_folder(weights, folder):
    """A model as the dialect alone describes it, without a word from a person."""
    state = load_state(weights)
    found = dialect_of(state).read(state)
    assert fit(found).is_whole
    folder.mkdir()
    save_file({k: v.clone() for k, v in found.state.items()}, folder / "w.safetensors")
    card = ModelCard(
        name=folder.name,
        title=folder.name,
        net=found.net,
        net_args=found.net_args,
        classes=class_set(found.class_set)[0],
        input=InputRule(**found.input),
        folder=folder,
        weights="w.safetensors",
    )
    write_card(card, folder)
    return folder


def test_void_as_a_class_is_measured_as_void():
    assert without_void(class_set("camvid12")[0]).classes == CAMVID.classes
    assert without_void(CAMVID) == CAMVID


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "miou"),
    [("espnet_p2_q8_camvid.pth", 70.10), ("enet_camvid_davidtvs_921e40c.pth", 65.67)],
)
def test_published_weights_reach_their_published_figure(file, miou, data_dir, tmp_path, capsys):
    folder = model_folder(data_dir / "weights" / file, tmp_path / "model")
    val = data_dir / "camvid" / "val"
    words = ["eval", "-m", str(folder), "--precision", "fp32", "--device", "cpu", "--json", "-"]
    code = main([*words, "--images", str(val / "images"), "--labels", str(val / "labels")])
    said = capsys.readouterr()
    assert code == 0, said.err
    found = json.loads(said.out)["models"]["model"]
    assert found["frames"] == 101
    assert "Void" not in found["iou"]
    assert 100 * found["miou"] == pytest.approx(miou, abs=0.3)
