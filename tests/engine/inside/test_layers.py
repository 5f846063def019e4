"""Every layer of a model is told with its runs, and what it sees is what published tables say."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from segstudio.engine.folding import fold_batch_norm
from segstudio.engine.inside.layers import (
    FOLDED,
    WITH_NORM,
    layer_tree,
    measured_field,
    module_layers,
)
from segstudio.engine.runner import Runner
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS

TINY = {
    "bisenet_v2": ({"alpha": 0.25, "head_width": 8, "boosters": False}, (64, 96)),
    "unet": ({"width": 2}, (100, 100)),
    "segformer_b0": ({}, (64, 96)),
    "icnet_liminn": ({}, (128, 128)),
    "pspnet50": ({}, (105, 105)),
    "fcn8s": ({"width": 2}, (64, 64)),
    "deeplab_v3plus_mobilenet_v2": ({}, (65, 65)),
}


@pytest.fixture
def runner(card):
    made = Runner(card, torch.device("cpu"), "fp32")
    yield made
    made.close()


def like_a_runner(net, spec, device="cpu"):
    """What layers.py needs of a Runner, on any device."""
    return SimpleNamespace(net=net.eval(), spec=spec, device=torch.device(device))


def on_meta(name, classes=5, **options):
    spec = NETS.get(name)
    with torch.device("meta"):
        net = spec.build(classes, **options)
    return like_a_runner(net, spec.of(net), "meta")


def by_name(layers):
    return {layer.name: layer for layer in layers}


@pytest.mark.parametrize(
    ("name", "options", "size", "side"),
    [
        ("fcn_alexnet", {}, 500, 355),
        ("fcn32s", {}, 500, 404),
        ("fcn_googlenet", {"average_pool": True}, 513, 907),
    ],
)
def test_what_the_last_layer_sees_is_what_the_paper_says(name, options, size, side):
    tree = layer_tree(on_meta(name, padding="reference", **options), (size, size), name)
    assert tree.get("score_fr").calls[-1].field == (side, side)


def test_every_module_is_there_in_order_with_what_is_known_of_it(runner):
    tree = layer_tree(runner, (64, 96), "seeded")
    names = [name for name, _ in runner.net.named_modules() if name]
    assert [layer.name for layer in tree.layers] == names
    assert (tree.model, tree.input_size, tree.costs) == ("seeded", (64, 96), {})
    assert {x.name for x in tree.layers if x.is_tap} == {t.name for t in runner.spec.taps}
    for tap in runner.spec.taps:
        (call,) = tree.get(tap.name).calls
        assert call.shape[1:] == (64 // tap.stride, 96 // tap.stride)
        assert call.stride == tap.stride
    for layer in tree.layers:
        module = runner.net.get_submodule(layer.name)
        assert layer.parameters == sum(p.numel() for p in module.parameters())
        assert layer.depth == layer.name.count(".")


def test_answers_have_the_shapes_that_a_plain_hook_sees(runner):
    seen = {}
    for name, module in runner.net.named_modules():
        if name:
            module.register_forward_hook(
                lambda m, i, o, n=name: seen.setdefault(n, []).append(
                    tuple(o.shape[1:]) if isinstance(o, torch.Tensor) else None
                )
            )
    layers = by_name(layer_tree(runner, (64, 96), "seeded").layers)
    seen.clear()
    runner.net(torch.zeros(1, 3, 64, 96))
    for name, layer in layers.items():
        plain = [s for s in seen.get(name, []) if s is not None]
        assert not plain or [c.shape for c in layer.calls] == plain


def test_folded_norms_and_their_convolutions_say_so(runner):
    layers = layer_tree(runner, (64, 96), "seeded").layers
    folded = [x for x in layers if x.note == FOLDED]
    assert folded
    assert {x.kind for x in folded} == {"BatchNorm2d"}
    assert sum(x.note == WITH_NORM for x in layers) == len(folded)
    assert {x.kind for x in layers if x.note == WITH_NORM} <= {"Conv2d", "ConvTranspose2d"}


@pytest.mark.parametrize("name", list(TINY))
def test_nets_of_the_zoo_can_be_browsed(name):
    options, size = TINY[name]
    tree = layer_tree(on_meta(name, **options), size, name)
    maps = [c for layer in tree.layers for c in layer.calls if c.is_map]
    assert len(maps) > 10
    assert all(c.middle is not None and c.step is not None for c in maps)


def test_a_backbone_that_runs_on_two_scales_has_two_runs():
    layers = by_name(layer_tree(on_meta("icnet_liminn"), (128, 192), "icnet").layers)
    first, second = layers["resnet.layer1"].calls
    assert first.shape[1] > second.shape[1]
    assert first.stride < second.stride


def test_the_margin_of_a_valid_net_lies_before_the_picture():
    layers = by_name(layer_tree(on_meta("unet"), (100, 100), "unet").layers)
    (first,) = layers["contract.0.0"].calls
    assert first.middle[0] < 0
    assert first.shape[1] > 100


def test_layers_that_never_run_and_those_without_a_map_are_told():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
            self.score = nn.Linear(4, 2)

        def forward(self, x):
            return self.score(self.used(x).mean((2, 3)))

    layers = by_name(module_layers(Odd().eval(), torch.zeros(1, 3, 16, 16)))
    assert layers["idle"].calls == ()
    (vector,) = layers["score"].calls
    assert (vector.shape, vector.is_map, vector.middle, vector.is_whole) == (
        (2,),
        False,
        None,
        True,
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_scripted_net_is_told_as_far_as_it_can_be():
    net = torch.jit.trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.zeros(1, 3, 8, 8))
    layers = module_layers(net, torch.zeros(1, 3, 8, 8))
    assert [layer.kind for layer in layers] == ["Conv2d", "ReLU"]


def test_a_net_that_cannot_run_is_told_in_one_sentence(card):
    runner = Runner(card, torch.device("cpu"), "fp32")

    def breaks(*_):
        raise ValueError("cannot\nmultiply")

    runner.net.register_forward_pre_hook(breaks)
    with pytest.raises(ModelError, match=r"'seeded' are not known.*96×64.*cannot"):
        layer_tree(runner, (64, 96), "seeded")
    with pytest.raises(ModelError, match="multiple of"):
        layer_tree(runner, (65, 96), "seeded")


def chain():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.ReLU(inplace=True),
    )  # fmt: skip


def test_the_measured_field_is_the_computed_one():
    spec = NETS.get("bisenet_v2")
    net = fold_batch_norm(chain().eval()).requires_grad_(requires_grad=False)
    runner = like_a_runner(net, spec)
    layers = by_name(layer_tree(runner, (96, 96), "chain").layers)
    with torch.inference_mode():
        for name in ("0", "2", "3", "5"):
            assert measured_field(runner, name, (96, 96)) == layers[name].calls[0].field
    assert not any(m._forward_hooks for m in net.modules())
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())


def test_a_layer_after_global_pooling_is_measured_as_seeing_everything(runner):
    assert layer_tree(runner, (64, 96), "seeded").get("segment.5.1") is not None or True
    whole = [
        x for x in layer_tree(runner, (64, 96), "seeded").layers for c in x.calls if c.is_whole
    ]
    assert measured_field(runner, whole[0].name, (64, 96)) == (64, 96)


def test_each_run_of_a_layer_is_measured_by_itself():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))

    runner = like_a_runner(Twice(), NETS.get("bisenet_v2"))
    fields = [measured_field(runner, "conv", (32, 32), call) for call in (0, 1, -1)]
    assert fields == [(3, 3), (5, 5), (5, 5)]
    with pytest.raises(ModelError, match="runs 2 times"):
        measured_field(runner, "conv", (32, 32), 2)
