"""Real weights of other programs score what they score there: loader, pictures and figures."""

import json

import pytest

from segstudio.cli.eval import class_set, without_void
from segstudio.cli.main import main
from segstudio.core.classes import CAMVID


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
    # Imported without a word from a person: the dialect knows pictures and classes.
    words = ["models", "import", str(data_dir / "weights" / file), "--name", "model"]
    assert main([*words, "-o", str(tmp_path), "-q"]) == 0
    folder = tmp_path / "model"
    val = data_dir / "camvid" / "val"
    words = ["eval", "-m", str(folder), "--precision", "fp32", "--device", "cpu", "--json", "-"]
    code = main([*words, "--images", str(val / "images"), "--labels", str(val / "labels")])
    said = capsys.readouterr()
    assert code == 0, said.err
    found = json.loads(said.out)["models"]["model"]
    assert found["frames"] == 101
    assert "Void" not in found["iou"]
    assert 100 * found["miou"] == pytest.approx(miou, abs=0.3)
