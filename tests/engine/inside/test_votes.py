"""Every stage that answers by class says what it thinks of a pixel, and the net stays as it was."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from segstudio.core.classes import CAMVID
from segstudio.core.layers import CallFacts, LayerFacts, LayerTree
from segstudio.core.prediction import Logits
from segstudio.engine.inside.votes import voters, votes
from segstudio.engine.onnx_net import OnnxNet
from segstudio.engine.runner import Runner
from segstudio.engine.windows import mirrored
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS, NetOutput, NetSpec
from segstudio.store.models import file_sha256

SIZE = (64, 96)
FRAME = (90, 130)
CLASSES = 5
CPU = torch.device("cpu")
PIXELS = ((0, 0), (89, 129), (41, 77))
NO_TREE = LayerTree("made-up", SIZE, ())


def runner_of(net, spec=None, **said):
    spec = spec or NetSpec("made-up", "Made-up", "https://example.org", lambda n: net, **said)
    net.eval().requires_grad_(requires_grad=False)
    return SimpleNamespace(net=net, spec=spec.of(net), device=CPU, precision="fp32")


def of_zoo(name, **net_args):
    """Untrained, with lived-in norms where it has heads to look at."""
    torch.manual_seed(4)
    spec = NETS.get(name)
    net = spec.build(CLASSES, **net_args)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1.5)
    return runner_of(net, spec)


def picture(size=SIZE):
    return torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(6))


def at(logits, pixel, align_corners):
    """float32 (C,), by enlarging everything."""
    large = F.interpolate(logits, size=FRAME, mode="bilinear", align_corners=align_corners)
    return large[0, :, pixel[0], pixel[1]].softmax(0).numpy()


def state(net):
    return {k: v.clone() for k, v in net.state_dict().items()}


@pytest.mark.parametrize("name", ["bisenet_v2", "icnet", "unet"])
def test_the_answer_is_the_first_vote_and_the_same_as_under_the_cursor(name):
    small = {"bisenet_v2": {"alpha": 0.25, "head_width": 16}, "icnet": {}, "unet": {"width": 4}}
    runner = of_zoo(name, **small[name])
    spec = runner.spec
    x = picture((spec.sides_near(48)[-1], spec.sides_near(64)[-1]))
    with torch.no_grad():
        logits = runner.net(mirrored(x, spec.margin)).logits[0].numpy()
    known = Logits(logits, FRAME, spec.align_corners, np.arange(CLASSES, dtype=np.uint8))
    for pixel in PIXELS:
        first = votes(runner, x, FRAME, pixel, NO_TREE)[0]
        assert (first.layer, first.title) == ("", "Answer")
        assert first.probabilities == pytest.approx(known.probabilities_at(*pixel), abs=1e-5)
        assert first.probabilities.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "net_args", "heads"),
    [
        ("bisenet_v2", {"alpha": 0.25, "head_width": 16}, [f"boosters.{i}" for i in range(4)]),
        ("bisenet_v1", {}, ["aux8", "aux16"]),
        ("icnet", {}, ["aux_sub4", "aux_sub24"]),
        ("ddrnet_23_slim", {}, ["aux"]),
        ("pidnet_s", {}, ["aux"]),
        ("stdc1", {}, ["aux8", "aux16"]),
        ("unet_mmseg", {"width": 8}, ["aux"]),
    ],
)
def test_heads_for_training_vote_as_their_logits_say(name, net_args, heads):
    runner = of_zoo(name, **net_args)
    net, spec = runner.net, runner.spec
    x = picture((spec.sides_near(64)[-1], spec.sides_near(96)[-1]))
    assert voters(runner) == tuple(heads)
    found = votes(runner, x, FRAME, PIXELS[2], NO_TREE)
    assert [vote.layer for vote in found] == ["", *heads]
    net.training = True
    with torch.no_grad():
        out = net(x)
    net.training = False
    for vote, aux in zip(found[1:], out.aux, strict=True):
        said = at(aux, PIXELS[2], spec.align_corners)
        assert vote.probabilities == pytest.approx(said, abs=1e-5)
        assert vote.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_the_net_is_left_as_it_was():
    """No norm counts, no dropout drops, no hook and no gradient stays."""
    runner = of_zoo("bisenet_v2", alpha=0.25, head_width=16)
    net, before = runner.net, state(runner.net)
    first, again = (votes(runner, picture(), FRAME, PIXELS[2], NO_TREE) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert (one.probabilities == other.probabilities).all()
    assert all((v == before[k]).all() for k, v in net.state_dict().items())
    assert not any(module.training for module in net.modules())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())


def test_an_error_leaves_it_so_too():
    runner = of_zoo("bisenet_v2", alpha=0.25, head_width=16)
    with pytest.raises(RuntimeError):
        votes(runner, torch.zeros(1, 4, 64, 96), FRAME, PIXELS[2], NO_TREE)
    assert not any(module.training or module._forward_hooks for module in runner.net.modules())


@pytest.fixture
def with_heads(card, tmp_path):
    """The card of a net built with boosters; a file with their weights, and one without."""

    def made(*, complete):
        torch.manual_seed(5)
        net = NETS.get("bisenet_v2").build(len(CAMVID), alpha=0.25, head_width=16)
        tensors = {**net.state_dict(), **load_file(card.folder / card.weights)}
        kept = {k: v for k, v in tensors.items() if complete or not k.startswith("boosters.2")}
        save_file(kept, tmp_path / "weights.safetensors")
        return dataclasses.replace(
            card,
            folder=tmp_path,
            net_args={"alpha": 0.25, "head_width": 16},
            sha256=file_sha256(tmp_path / "weights.safetensors"),
        )

    return made


def test_heads_without_weights_do_not_vote(with_heads):
    full = Runner(with_heads(complete=True), CPU, "fp32")
    assert voters(full) == tuple(f"boosters.{i}" for i in range(4))
    lacking = Runner(with_heads(complete=False), CPU, "fp32")
    assert voters(lacking) == ("boosters.0", "boosters.1", "boosters.3")


def test_a_loaded_model_votes_in_its_own_precision(with_heads):
    runner = Runner(with_heads(complete=True), CPU, "bf16")
    rgb = np.random.default_rng(0).integers(0, 255, (*FRAME, 3), np.uint8)
    with torch.inference_mode():
        x = runner.prepare(rgb, SIZE)
        said = at(runner.whole(x)[None], PIXELS[2], align_corners=False)
        found = votes(runner, x, FRAME, PIXELS[2], NO_TREE)
    assert len(found) == 5
    assert found[0].probabilities == pytest.approx(said, abs=1e-4)


def test_skip_levels_and_branches_that_are_summed_vote():
    found = voters(of_zoo("lraspp_mobilenet_v3_large"))
    assert found == ("classifier.low_classifier", "classifier.high_classifier")


@pytest.mark.slow
def test_the_skip_levels_of_fcn_and_the_branches_of_deeplab_vote():
    fcn = ("score_fr", "upscore2", "score_pool4", "score_pool3", "upscore_pool4")
    assert voters(of_zoo("fcn8s")) == fcn
    assert voters(of_zoo("deeplab_v2_resnet101")) == tuple(f"aspp.{i}" for i in range(4))


class ByChance(nn.Module):
    """As many channels as classes everywhere; only `side` and `gate` come in without a ReLU."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.Identity())
        self.side = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Dropout())
        self.gate = nn.Conv2d(3, 2, 1)
        self.enlarge = nn.Upsample(scale_factor=2)

    def forward(self, x):
        summed = self.second(self.first(x)) * self.gate(x).sigmoid() + 2 * self.side(x)
        return NetOutput(self.enlarge(summed))


def test_layers_with_as_many_channels_by_chance_do_not():
    """What stands behind a ReLU or is gated is no answer by class; nor is the answer itself."""
    assert voters(runner_of(ByChance())) == ("side",)


class Padded(nn.Module):
    """Its skip level covers eight pixels more on every side, as FCN's."""

    def __init__(self):
        super().__init__()
        self.main = nn.Conv2d(3, 2, 1)
        self.skip = nn.Conv2d(3, 2, 1, padding=8)

    def forward(self, x):
        return NetOutput(self.main(x) + self.skip(x)[:, :, 8:-8, 8:-8])


def test_a_stage_wider_than_the_picture_is_read_where_its_cells_lie():
    torch.manual_seed(1)
    runner, x = runner_of(Padded()), picture()
    call = CallFacts((2, SIZE[0] + 16, SIZE[1] + 16), (-8.0, -8.0), (1.0, 1.0))
    facts = LayerFacts("skip", "Skip level", "Conv2d", 0, 8, (call,))
    found = votes(runner, x, FRAME, PIXELS[2], LayerTree("made-up", SIZE, (facts,)))
    skip = next(vote for vote in found if vote.layer == "skip")
    assert skip.title == "Skip level"
    with torch.no_grad():
        inner = runner.net.skip(x)[:, :, 8:-8, 8:-8]
    assert skip.probabilities == pytest.approx(at(inner, PIXELS[2], align_corners=False), abs=1e-5)


def test_what_is_known_need_not_be_looked_for():
    runner = of_zoo("bisenet_v2", alpha=0.25, head_width=16)
    found = votes(runner, picture(), FRAME, PIXELS[2], NO_TREE, names=("boosters.1",))
    assert [vote.layer for vote in found] == ["", "boosters.1"]


class InAFile(OnnxNet):
    """Without the file."""

    def __init__(self):
        nn.Module.__init__(self)

    def forward(self, x):
        return NetOutput(x[:, :2, ::4, ::4])


def test_an_onnx_file_has_its_answer_alone():
    found = votes(runner_of(InAFile()), picture(), FRAME, PIXELS[2], NO_TREE)
    assert [vote.layer for vote in found] == [""]


def test_a_pixel_outside_is_refused():
    with pytest.raises(ModelError, match="lies outside"):
        votes(runner_of(Padded()), picture(), FRAME, (90, 3), NO_TREE)
