"""A picture in windows: what a net of limited sight says is what it says about the whole."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.engine.windows import Windows, covered, mirrored
from segstudio.nets.registry import NETS


def picture(height: int, width: int) -> torch.Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(height))


class Local:
    """Cells of `stride` pixels that depend on themselves alone."""

    def __init__(self, stride: int) -> None:
        self.stride = stride
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return F.avg_pool2d(x, self.stride)[0] if self.stride > 1 else x[0].clone()


class Seeing:
    """Two 3x3 convolutions and a stride: sees `reach` pixels beyond a cell, zeros outside."""

    def __init__(self, *, dilation: int = 2, stride: int = 4) -> None:
        torch.manual_seed(3)
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=dilation, dilation=dilation),
            nn.ReLU(),
            nn.Conv2d(8, 5, 3, padding=dilation, dilation=dilation),
            nn.AvgPool2d(stride),
        ).eval()
        self.reach = 2 * dilation

    def __call__(self, x):
        with torch.no_grad():
            return self.net(x)[0]


@pytest.mark.parametrize("stride", [1, 4, 8])
@pytest.mark.parametrize("tile", [(32, 32), (64, 96), (160, 224)])
@pytest.mark.parametrize("overlap", [0, 7, 16])
def test_windows_of_a_local_net_are_the_whole(stride, tile, overlap):
    x, net = picture(160, 224), Local(stride)
    found = covered(x, net, Windows(tile, (overlap, overlap), 8), align_corners=False)
    torch.testing.assert_close(found, Local(stride)(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (128, 72)])
def test_a_quarter_of_the_overlap_as_reach_is_exact(height, width):
    x, net = picture(height, width), Seeing()
    windows = Windows((48, 56), (4 * net.reach, 4 * net.reach), 8)
    found = covered(x, net, windows, align_corners=False)
    torch.testing.assert_close(found, net(x), rtol=0, atol=1e-6)


def test_too_little_overlap_is_not_exact_and_so_the_test_above_can_fail():
    x, net = picture(96, 160), Seeing()
    found = covered(x, net, Windows((48, 56), (4, 4), 8), align_corners=False)
    assert (found - net(x)).abs().max() > 1e-3


def test_probabilities_are_blended_on_demand():
    x, net = picture(96, 160), Seeing()
    windows = Windows((48, 56), (4 * net.reach, 4 * net.reach), 8)
    found = covered(x, net, windows, align_corners=False, softmax=True)
    torch.testing.assert_close(found.softmax(0), net(x).softmax(0), rtol=0, atol=1e-6)
    assert torch.allclose(found.exp().sum(0), torch.ones(24, 40), atol=1e-5)


@pytest.mark.parametrize(("height", "width", "tile"), [(65, 97, (33, 41)), (81, 81, (81, 25))])
def test_sides_of_eight_n_plus_one_with_corners_aligned(height, width, tile):
    """Cells at every eighth pixel, the last one included."""

    def net(x):
        return x[0, :, ::8, ::8].clone()

    x = picture(height, width)
    found = covered(x, net, Windows(tile, (9, 9), 8), align_corners=True)
    torch.testing.assert_close(found, net(x), rtol=0, atol=1e-6)


def test_cells_that_meet_no_pixels_exactly_are_enlarged_first():
    """Windows of 30 pixels with 4 cells: stride 7.5."""

    def net(x):
        return F.adaptive_avg_pool2d(x, 4)[0]

    x = torch.full((1, 3, 90, 70), 2.5)
    found = covered(x, net, Windows((30, 30), (10, 10), 1), align_corners=False)
    assert found.shape == (3, 90, 70)
    torch.testing.assert_close(found, torch.full((3, 90, 70), 2.5))


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_constant_answer_stays_constant(is_mirrored):
    def net(x):
        return torch.tensor([1.0, -2.0])[:, None, None].expand(2, x.shape[2] // 4, x.shape[3] // 4)

    windows = Windows((64, 64), (32, 32), 16, is_mirrored=is_mirrored)
    found = covered(picture(112, 208), net, windows, align_corners=False)
    assert torch.equal(found, net(picture(112, 208)))


def test_mirrored_tiles_are_the_mirrored_picture_as_a_whole():
    x, net = picture(96, 128), Seeing()
    context = 8
    windows = Windows((48, 56), (2 * context, 2 * context), 8, is_mirrored=True)
    found = covered(x, net, windows, align_corners=False)
    cells = context // 4
    whole = net(mirrored(x, context))[:, cells:-cells, cells:-cells]
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-6)


class Valid:
    """Valid convolutions with one pooling: a U-Net in small. Margin 6, sides even."""

    margin = 6

    def __init__(self) -> None:
        torch.manual_seed(4)
        self.a, self.b = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3)
        self.c, self.d = nn.Conv2d(6, 4, 3), nn.Conv2d(4, 4, 3)

    def __call__(self, x):
        with torch.no_grad():
            low = self.b(F.max_pool2d(self.a(x).relu(), 2)).relu()
            up = F.interpolate(low, scale_factor=2)
            out = self.d(self.c(up).relu())
            return out[0, :, :, :]


@pytest.mark.parametrize(("tile", "sides"), [((16, 24), (64, 72)), ((20, 20), (52, 38))])
def test_tiles_of_valid_convolutions_are_bit_equal_to_the_whole(tile, sides):
    """Steps of even pixels meet the pooling as the whole does; so nothing differs at all."""
    net, x = Valid(), picture(*sides)
    lost = (sides[0] + 2 * net.margin) - net(mirrored(x, net.margin)).shape[1]
    assert lost == 2 * (net.margin - 1)  # this net answers for one more pixel on each side

    def exact(part):
        return net(part)[:, 1:-1, 1:-1]

    whole = exact(mirrored(x, net.margin))
    windows = Windows(tile, (0, 0), 2, is_mirrored=True)
    found = covered(x, exact, windows, align_corners=False, margin=net.margin)
    assert found.shape == (4, *sides)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-6)
    assert torch.equal(found.argmax(0), whole.argmax(0))


@pytest.fixture(scope="module")
def unet():
    """The paper's, a quarter as wide; its margin and sizes are those of the full one.

    Narrower still, oneDNN adds up in an order that depends on the picture's size.
    """
    torch.manual_seed(0)
    spec = NETS.get("unet")
    net = spec.build(3, width=16).eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)

    def answer(x):
        with torch.inference_mode():
            return net(x).logits[0]

    return spec.of(net), answer


def test_overlap_tile_of_the_original_unet_is_bit_equal_to_the_whole_image(unet):
    """And with steps that miss its poolings, as the paper's own 388 does, it is another function."""
    spec, answer = unet
    x = picture(292, 132)
    spec.check_size(292, 132)
    whole = answer(mirrored(x, spec.margin))
    steps_of_96, steps_of_100 = (
        covered(
            x,
            answer,
            Windows((100, 132), (0, 0), multiple, is_mirrored=True),
            align_corners=False,
            margin=spec.margin,
        )
        for multiple in (16, 4)
    )
    assert torch.equal(steps_of_96, whole)
    assert (steps_of_100.argmax(0) != whole.argmax(0)).float().mean() > 0.001


@pytest.mark.parametrize("border", [1, 3, 4, 11, 40])
def test_mirroring_goes_on_where_the_picture_is_smaller_than_the_margin(border):
    row = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 2, 5)
    found = mirrored(row, 0, border)[0, 0, 0]
    wave = [0, 1, 2, 3, 4, 3, 2, 1]
    assert found.tolist() == [float(wave[i % 8]) for i in range(-border, 5 + border)]
    if border < 5:
        assert torch.equal(mirrored(row, 1, border), F.pad(row, (border, border, 1, 1), "reflect"))


def test_a_single_row_is_repeated():
    assert mirrored(torch.tensor([[[[7.0]]]]), 3).tolist() == [[[[7.0] * 7] * 7]]
