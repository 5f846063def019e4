"""Exported files answer as the model does, on more than one size, or are not kept."""

import dataclasses
import json
import logging

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.engine import onnx_export
from segstudio.engine.loading import build_net
from segstudio.engine.onnx_export import export_onnx
from segstudio.engine.onnx_net import build_onnx_net, describe_onnx
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS, NetOutput, NetSpec

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr(onnx_export, "FREE_SIZES", ((64, 96), (96, 64)))
    monkeypatch.setattr(onnx_export, "WIDE_FRAME", (72, 128))


class Plain(nn.Module):
    """One convolution of stride 4; with_grid: and pools that a free size cannot have."""

    def __init__(self, num_classes, *, with_grid=False, breaks=False):
        super().__init__()
        self.conv = nn.Conv2d(3, num_classes, 4, 4)
        self.pool = nn.AdaptiveAvgPool2d(6) if with_grid else None
        self.breaks = breaks

    def forward(self, x):
        logits = self.conv(x)
        if self.pool is not None:
            logits = logits + self.pool(logits).mean((2, 3), keepdim=True)
        if self.breaks and torch.onnx.is_in_onnx_export():
            logits = -logits
        return NetOutput(logits)


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """plain(**options): the card of a made-up net, and what is true of its spec."""

    def make(spec_says=None, **options):
        net = Plain(len(CAMVID), **options)
        torch.manual_seed(3)
        nn.init.normal_(net.conv.weight)
        spec = NetSpec("plain", "Plain", "https://x", Plain, multiple_of=4, **(spec_says or {}))
        monkeypatch.setattr(onnx_export, "build_net", lambda card: (spec, net))
        return ModelCard(
            name="plain", title="Plain", net="plain", classes=CAMVID, input=InputRule(),
            folder=tmp_path, weights="weights.safetensors",
        )  # fmt: skip

    return make


def test_a_trained_net_is_exported_with_free_size(card, tmp_path, recwarn):
    report = export_onnx(card, tmp_path / "net.onnx")
    assert report.is_dynamic
    assert report.sizes == ((64, 96), (96, 64))
    assert report.differing == 0
    assert report.largest_difference < 1e-4
    assert report.megabytes * 1e6 == (tmp_path / "net.onnx").stat().st_size
    assert "for any size that the net takes" in str(report)
    assert [str(w.message) for w in recwarn] == []
    foreign = dataclasses.replace(
        card, net="onnx", net_args={}, folder=tmp_path, weights="net.onnx", sha256=""
    )
    spec, net = build_net(foreign)
    assert (spec.multiple_of, spec.only_size) == (32, None)
    own = build_net(card)[1].eval()
    x = torch.randn(1, 3, 128, 64)
    with torch.inference_mode():
        torch.testing.assert_close(net(x).logits, own(x).logits, rtol=1e-4, atol=1e-4)


def test_the_file_says_what_an_importer_must_know(plain, tmp_path):
    level = logging.getLogger("onnxscript").level
    export_onnx(plain({"align_corners": True}), tmp_path / "net.onnx")
    assert logging.getLogger("onnxscript").level == level
    facts = describe_onnx(tmp_path / "net.onnx")
    assert facts.net_args["align_corners"] is True
    assert facts.net_args["multiple_of"] == 4
    assert facts.card["classes"]["set"] == CAMVID.name
    assert facts.card["input"]["mean"] == list(InputRule().mean)
    json.dumps(facts.card)


def test_labels_come_at_the_size_of_the_picture(plain, tmp_path):
    card = plain()
    report = export_onnx(card, tmp_path / "net.onnx", with_labels=True)
    assert (report.has_labels, report.differing) == (True, 0)
    facts = describe_onnx(tmp_path / "net.onnx")
    assert facts.answers == "labels"
    assert facts.output == ("labels", (1, None, None), "tensor(uint8)")
    foreign = dataclasses.replace(card, net="onnx", weights="net.onnx")
    scores = build_onnx_net(foreign, tmp_path / "net.onnx")[1](torch.randn(1, 3, 32, 48)).logits
    assert scores.shape == (1, len(CAMVID), 32, 48)


def test_a_fixed_size_is_the_one_that_was_asked_for(plain, tmp_path):
    report = export_onnx(plain(), tmp_path / "net.onnx", size=(40, 60), dynamic=False)
    assert (report.is_dynamic, report.size, report.note) == (False, (40, 60), "")
    assert "for 60×40 alone" in str(report)
    assert describe_onnx(tmp_path / "net.onnx").size == (40, 60)


def test_a_net_that_wants_more_around_the_picture_gets_it(plain, tmp_path):
    report = export_onnx(plain({"margin": 4, "remainder": 0}), tmp_path / "net.onnx")
    assert report.is_dynamic
    assert report.sizes == ((64, 96), (96, 64))


def test_a_net_with_a_grid_is_written_for_one_size(plain, tmp_path):
    report = export_onnx(plain(with_grid=True), tmp_path / "net.onnx")
    assert not report.is_dynamic
    assert "The size is fixed, because a free one failed" in report.note
    assert report.sizes == ((64, 128),)  # of the frame, in the steps of the card


def test_a_net_for_one_size_is_written_for_it(plain, tmp_path):
    report = export_onnx(plain({"only_size": (48, 64)}), tmp_path / "net.onnx")
    assert (report.is_dynamic, report.size) == (False, (48, 64))
    with pytest.raises(ModelError, match="it takes 48×64 and nothing else"):
        export_onnx(plain({"only_size": (48, 64)}), tmp_path / "net.onnx", size=(64, 64))


def test_a_file_with_other_labels_is_not_kept(plain, tmp_path):
    with pytest.raises(ModelError, match="of the pixels differently"):
        export_onnx(plain(breaks=True), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_the_net_cannot_take_is_named(plain, tmp_path):
    with pytest.raises(ModelError, match="choose 40×60"):
        export_onnx(plain(), tmp_path / "net.onnx", size=(41, 60))


def test_an_onnx_file_is_not_exported_again(card, tmp_path):
    foreign = dataclasses.replace(card, net="onnx", weights="net.onnx")
    with pytest.raises(ModelError, match="is an ONNX file already"):
        export_onnx(foreign, tmp_path / "other.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NETS))
def test_every_net_is_exported_with_equal_labels(name, tmp_path):
    torch.manual_seed(2)
    spec = NETS.get(name)
    try:
        net = spec.build(len(CAMVID))
    except ModelError as error:
        pytest.skip(str(error))
    # Batch norms that have seen something: fresh ones let a deep net answer with zeros.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, tmp_path / "w.safetensors")
    card = ModelCard(
        name=name, title=name, net=name, classes=CAMVID, input=InputRule(), folder=tmp_path,
        weights="w.safetensors",
    )  # fmt: skip
    report = export_onnx(card, tmp_path / "net.onnx")
    print(name, report)  # seen with -rP
    assert report.differing <= onnx_export.MOST_DIFFERING
    assert np.isfinite(report.largest_difference)
