"""From a card to its net, or to a sentence."""

import dataclasses

import pytest

from segstudio.core.classes import CAMVID, ClassMap
from segstudio.engine.loading import build_net
from segstudio.errors import ModelError


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
