"""ONNX files become models: our own with everything they say, others with what a person says."""

import pytest
import torch
from torch import nn

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import CAMVID
from segstudio.engine.importing import ImportOptions, import_weights, suggested_classes
from segstudio.engine.inspecting import inspect_weights
from segstudio.engine.loading import build_net
from segstudio.errors import ModelError
from segstudio.store.class_sets import load_class_set
from segstudio.store.models import load_card

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")


class Argmax(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x).argmax(1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A foreign file with 11 channels, and one that answers with labels."""
    folder = tmp_path_factory.mktemp("onnx")
    torch.manual_seed(1)
    net = nn.Conv2d(3, 11, 8, 8).eval()
    found = {}
    for name, module in (("logits", net), ("labels", Argmax(net).eval())):
        found[name] = folder / f"{name}.onnx"
        with torch.no_grad():
            program = torch.onnx.export(
                module, (torch.zeros(1, 3, 64, 96),), dynamo=True, verbose=False
            )
        program.save(str(found[name]), external_data=False)
    return found


def test_a_foreign_file_is_looked_into(files):
    found = inspect_weights(files["logits"])
    assert (found.dialect, found.spec.name, found.num_classes) == ("onnx", "onnx", 11)
    assert found.fit.is_whole
    assert found.spec.only_size == (64, 96)
    assert "96 × 64 alone" in found.notes[0]
    assert found.input == InputRule()


def test_it_becomes_a_model_that_can_be_built(files, tmp_path):
    found = inspect_weights(files["logits"])
    options = ImportOptions(name="mine", classes=CAMVID, folder=tmp_path)
    card = import_weights(found, options)
    again = load_card(tmp_path / "mine")
    assert again.net == card.net == "onnx"
    assert again.classes == CAMVID
    _, net = build_net(again)
    assert net(torch.zeros(1, 3, 64, 96)).logits.shape == (1, 11, 8, 12)


def test_a_class_set_of_another_size_is_refused(files, tmp_path):
    found = inspect_weights(files["logits"])
    options = ImportOptions(name="x", classes=load_class_set("voc21"), folder=tmp_path, rehead=True)
    with pytest.raises(ModelError, match="keeps its classifier"):
        import_weights(found, options)


def test_labels_do_not_tell_their_classes(files, tmp_path):
    found = inspect_weights(files["labels"])
    assert "choose the class set" in " ".join(found.notes)
    assert suggested_classes(found).name == load_class_set("cityscapes19").name
    card = import_weights(found, ImportOptions(name="y", classes=CAMVID, folder=tmp_path))
    assert len(card.classes) == 11


def test_a_text_that_calls_itself_onnx_is_refused(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_text("no")
    with pytest.raises(ModelError, match=r"x\.onnx"):
        inspect_weights(path)
