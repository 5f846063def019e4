"""From a card to a net that answers as before, only faster."""

import dataclasses

import pytest
import torch
from torch import nn

from segstudio.core.classes import CAMVID, ClassMap
from segstudio.engine.loading import build_net, fold_batch_norm
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS


def norms(net: nn.Module) -> list[str]:
    return [name for name, m in net.named_modules() if isinstance(m, nn.BatchNorm2d)]


def lived_in(net: nn.Module, size=(2, 3, 64, 64)) -> nn.Module:
    """Batch norms as they are after training: a folded identity would prove nothing."""
    torch.manual_seed(2)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net.eval()


@pytest.mark.parametrize(
    ("name", "options", "left"),
    [
        # The norm that opens the context embedding follows a pooling, not a convolution.
        ("bisenet_v2", {"alpha": 0.25, "head_width": 16, "boosters": False},
         ["semantic.context.norm"]),
        ("lraspp_mobilenet_v3_large", {}, []),
        ("fcn_resnet50", {}, []),
    ],
)  # fmt: skip
def test_a_folded_net_answers_the_same(name, options, left):
    torch.manual_seed(1)
    net = lived_in(NETS.get(name).build(5, **options))
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        before = net(x).logits
        folded = fold_batch_norm(net)
        after = folded(x).logits
    assert norms(folded) == left
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3 * before.abs().max().item())


def test_a_card_becomes_its_net_with_its_weights(card):
    spec, net = build_net(card)
    assert spec.name == "bisenet_v2"
    assert net.head[0][0].out_channels == 16


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"net": "bisenet_v3"}, "did you mean 'bisenet_v2'?"),
        ({"net_args": {"colour": 3}}, "net_args that BiSeNet V2 cannot be built with"),
        ({"net_args": {"alpha": "wide"}}, "net_args"),
        ({"net_args": {"boosters": False}}, "another shape"),
        ({"net": "lraspp_mobilenet_v3_large", "net_args": {}}, "are missing"),
        ({"weights": "gone.safetensors"}, "has no weights file"),
        ({"sha256": "0" * 64}, "sha256 differs"),
        ({"classes": ClassMap("two", CAMVID.classes[:2])}, "another shape"),
    ],
)
def test_a_card_that_does_not_fit_is_explained(card, changes, words):
    with pytest.raises(ModelError) as caught:
        build_net(dataclasses.replace(card, **changes))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
