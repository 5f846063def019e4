"""DeepLab v1 in the figures of its Table 1."""

import pytest
import torch

from segstudio.nets import facts
from segstudio.nets.registry import NETS
from segstudio.nets.zoo.deeplab_v1 import DeepLabV1, field_of_view


def on_meta(**options):
    with torch.device("meta"):
        return NETS.get("deeplab_v1").build(21, **options)


@pytest.mark.parametrize(
    ("kernel", "rate", "hidden", "parameters", "seen"),
    [
        (3, 12, 1024, 20_505_429, 224),
        (7, 4, 4096, 134_346_581, 224),
        (4, 4, 4096, 65_140_565, 128),
        (4, 8, 4096, 65_140_565, 224),
    ],
)
def test_table_1(kernel, rate, hidden, parameters, seen):
    assert facts.parameters(on_meta(kernel=kernel, rate=rate, hidden=hidden)) == parameters
    assert field_of_view(kernel, rate) == seen


def test_a_picture_of_513_pixels_becomes_65_at_the_published_cost():
    net = on_meta().eval()
    assert net(torch.empty(1, 3, 513, 513, device="meta")).logits.shape[2:] == (65, 65)
    assert facts.gmacs(net, 513, 513) == pytest.approx(128.6, abs=0.05)
    assert facts.gmacs(on_meta(kernel=7, rate=4, hidden=4096), 513, 513) == pytest.approx(
        609.5, abs=0.05
    )
    # 419 without the average pooling, which adds two steps of 8.
    assert facts.receptive_field(on_meta(average=False), 513, 513) == 419
    assert facts.receptive_field(net, 513, 513) == 435


@pytest.mark.parametrize("kernel", [3, 4, 7])
def test_every_kernel_keeps_the_size(kernel):
    net = DeepLabV1(2, kernel=kernel, rate=2, hidden=8, width=1).eval()
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 33, 41)).logits.shape[2:] == (5, 6)
