"""ResNet: torchvision's with the same weights, and the four choices in which programs differ."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet

from segstudio.nets.backbones.resnet import ResNet

PICTURE = torch.randn(1, 3, 65, 97, generator=torch.Generator().manual_seed(0))


def with_weights_of(other: nn.Module, net: ResNet) -> ResNet:
    state = {
        name.replace("conv1.", "stem.0.", 1)
        if name.startswith("conv1.")
        else name.replace("bn1.", "stem.1.", 1)
        if name.startswith("bn1.")
        else name: tensor
        for name, tensor in other.state_dict().items()
        if not name.startswith("fc.")
    }
    net.load_state_dict(state)
    return net.eval()


def last_map(other: nn.Module) -> torch.Tensor:
    stages = list(other.eval().children())[:-2]
    return nn.Sequential(*stages)(PICTURE)


def dilations(net: ResNet, layer: str) -> list[int]:
    return [block.conv2.dilation[0] for block in getattr(net, layer)]


def built(*args, **options) -> ResNet:
    with torch.device("meta"):
        return ResNet(*args, **options)


@pytest.mark.parametrize(("depth", "name"), [(18, "resnet18"), (50, "resnet50")])
@torch.inference_mode()
def test_it_is_torchvisions(depth, name):
    torch.manual_seed(0)
    other = getattr(resnet, name)(weights=None)
    net = with_weights_of(other, ResNet(depth))
    torch.testing.assert_close(net(PICTURE)[-1], last_map(other), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_halved_first_dilation_is_torchvisions():
    torch.manual_seed(0)
    other = resnet.resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
    net = with_weights_of(other, ResNet(50, output_stride=8))
    torch.testing.assert_close(net(PICTURE)[-1], last_map(other), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("depth", "count"), [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032), (101, 42_500_160)]
)
def test_parameters_are_those_of_the_classifier_without_its_last_layer(depth, count):
    assert sum(p.numel() for p in built(depth).parameters()) == count


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("depth", [18, 50])
def test_stages_have_the_strides_and_channels_it_tells(stride, depth):
    net = built(depth, output_stride=stride)
    stages = net(torch.empty(1, 3, 64, 128, device="meta"))
    assert [64 // s.shape[2] for s in stages] == list(net.strides)
    assert [s.shape[1] for s in stages] == list(net.channels)
    assert net.strides == tuple(min(s, stride) for s in (2, 4, 8, 16, 32))


@pytest.mark.parametrize(
    ("choice", "third", "fourth"),
    [("full", [2] * 6, [4] * 3), ("halved", [1, *[2] * 5], [2, 4, 4])],
)
def test_first_block_of_a_dilated_stage(choice, third, fourth):
    net = built(50, output_stride=8, first_dilation=choice)
    assert dilations(net, "layer3") == third
    assert dilations(net, "layer4") == fourth


def test_multi_grid_multiplies_the_dilation_of_the_last_stage():
    net = built(50, output_stride=16, first_dilation="full", multi_grid="1,2,4")
    assert dilations(net, "layer3") == [1] * 6
    assert dilations(net, "layer4") == [2, 4, 8]


def test_stride_stands_where_it_is_wanted():
    late, early = built(50), built(50, stride_at="1x1")
    assert (late.layer2[0].conv1.stride, late.layer2[0].conv2.stride) == ((1, 1), (2, 2))
    assert (early.layer2[0].conv1.stride, early.layer2[0].conv2.stride) == ((2, 2), (1, 1))


@pytest.mark.parametrize("stem", ["64-64-128", "32-32-64"])
def test_deep_stems_have_three_convolutions(stem):
    net = built(50, stem=stem)
    widths = [int(side) for side in stem.split("-")]
    assert [m.out_channels for m in net.stem if isinstance(m, nn.Conv2d)] == widths
    assert net.layer1[0].conv1.in_channels == widths[-1]


@torch.inference_mode()
def test_ceiling_pool_keeps_the_odd_pixel():
    picture = torch.empty(1, 3, 66, 66, device="meta")
    assert built(18)(picture)[1].shape[2:] == (17, 17)
    assert built(18, ceil_pool=True)(picture)[1].shape[2:] == (17, 17)
    even = torch.empty(1, 3, 64, 64, device="meta")
    assert built(18)(even)[1].shape[2:] == (16, 16)
    assert built(18, ceil_pool=True)(even)[1].shape[2:] == (17, 17)


@pytest.mark.parametrize(
    "wrong",
    [{"stem": "5x5"}, {"output_stride": 4}, {"first_dilation": "no"}, {"stride_at": "2x2"}],
)
def test_unknown_options_are_refused(wrong):
    with pytest.raises(ValueError, match="is none of"):
        built(50, **wrong)


def test_unknown_depth_is_refused():
    with pytest.raises(ValueError, match="depth 42 is none of 18, 34, 50, 101"):
        built(42)
