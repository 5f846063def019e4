"""MobileNetV2: torchvision's with the same weights, the strides, the padding."""

import pytest
import torch
from torchvision.models import mobilenet_v2

from segstudio.nets.backbones.mobilenet_v2 import MobileNetV2


@torch.inference_mode()
def test_it_is_torchvisions():
    torch.manual_seed(0)
    theirs = mobilenet_v2(weights=None).eval()
    net = MobileNetV2().eval()
    ours = {k: v for k, v in net.state_dict().items() if k.startswith(("stem.", "blocks."))}
    values = [v for k, v in theirs.state_dict().items() if k.startswith("features.")]
    # Both list their tensors in the order of the layers; theirs has one convolution more.
    net.load_state_dict(dict(zip(ours, values[: len(ours)], strict=True)))
    x = torch.randn(1, 3, 65, 97)
    torch.testing.assert_close(net(x)[-1], theirs.features[:-1](x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_stages_have_the_strides_and_channels_it_tells(stride):
    with torch.device("meta"):
        net = MobileNetV2(output_stride=stride)
    stages = net(torch.empty(1, 3, 128, 64, device="meta"))
    assert [128 // s.shape[2] for s in stages] == list(net.strides)
    assert [s.shape[1] for s in stages] == list(net.channels)
    assert net.strides[-1] == stride


@pytest.mark.parametrize(
    ("stride", "expected"),
    [(16, [1] * 14 + [2] * 3), (8, [1] * 7 + [2] * 7 + [4] * 3)],
)
def test_a_first_block_has_the_dilation_of_the_group_before(stride, expected):
    with torch.device("meta"):
        net = MobileNetV2(output_stride=stride)
    assert [block.depthwise[0].dilation[0] for block in net.blocks] == expected


def test_padding_of_blocks_leaves_the_pictures_border_out():
    with torch.device("meta"):
        net = MobileNetV2(padding="block", output_stride=16)
    stages = net(torch.empty(1, 3, 128, 128, device="meta"))
    assert [s.shape[2] for s in stages] == [63, 32, 16, 8, 8]


@pytest.mark.parametrize("wrong", [{"output_stride": 4}, {"padding": "none"}])
def test_unknown_options_are_refused(wrong):
    with pytest.raises(ValueError, match="is none of"):
        MobileNetV2(**wrong)
