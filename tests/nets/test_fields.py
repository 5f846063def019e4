"""Where cells lie is where the picture goes: proved with coordinates and with single bright pixels."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from segstudio.nets.fields import as_map, calls, fields, first_map
from segstudio.nets.registry import NETS, NetOutput

SIDE = 96


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, does):
        super().__init__()
        self.does = does

    def forward(self, x):
        return self.does(x)

    def __repr__(self):
        return getattr(self.does, "__qualname__", "")


def evenly(layer):
    """Each answer is the mean of what it sees."""
    with torch.no_grad():
        layer.weight.fill_(1 / math.prod(layer.kernel_size))
    return layer


def conv(kernel=3, stride=1, padding=0, dilation=1):
    return evenly(nn.Conv2d(1, 1, kernel, stride, padding, dilation, bias=False))


def transposed(kernel, stride, padding):
    return evenly(nn.ConvTranspose2d(1, 1, kernel, stride, padding, bias=False))


def linear_transposed(stride, padding):
    """The learned upsampling of FCN, as it begins: linear interpolation."""
    layer = nn.ConvTranspose2d(1, 1, 2 * stride, stride, padding, bias=False)
    ramp = 1 - (torch.arange(2 * stride) - (stride - 0.5)).abs() / stride
    with torch.no_grad():
        layer.weight.copy_((ramp[:, None] * ramp)[None, None])
    return layer


def resized(factor, mode, **how):
    return Does(lambda x: F.interpolate(x, scale_factor=factor, mode=mode, **how))


def to_size(sides, **how):
    return Does(lambda x: F.interpolate(x, size=sides, mode="bilinear", **how))


def as_tokens(x):
    """To tokens and back, as transformers do."""
    n, c, h, w = x.shape
    tokens = x.flatten(2).transpose(1, 2)
    tokens = F.layer_norm(tokens + 0, (c,)) * 0 + tokens
    return tokens.transpose(1, 2).reshape(n, c, h, w)


def joined(x):
    """Two ways of different depth, side by side."""
    near = F.avg_pool2d(x, 3, 1, 1)
    far = F.conv2d(x, torch.full((1, 1, 3, 3), 1 / 9), padding=3, dilation=3)
    return torch.cat([near, far], 1).mean(1, keepdim=True)


linear = st.one_of(
    st.builds(conv, st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)),
    st.builds(nn.AvgPool2d, st.integers(2, 3), st.integers(1, 3)),
    st.builds(linear_transposed, st.integers(1, 3), st.integers(0, 2)),
    st.builds(
        resized,
        st.sampled_from([0.5, 1.5, 2.0, 3.0]),
        st.just("bilinear"),
        align_corners=st.booleans(),
    ),
    st.builds(to_size, st.tuples(*[st.integers(20, 50)] * 2), align_corners=st.booleans()),
    st.builds(lambda y, x: Does(lambda t: t[:, :, y:, x:-2]), st.integers(0, 3), st.integers(0, 3)),
    st.builds(lambda y, x: Does(lambda t: F.pad(t, (x, 1, y, 2))), st.integers(-2, 3), st.integers(0, 3)),
    st.builds(lambda: Does(lambda x: x[:, :, 1::2, ::3])),
    st.builds(lambda: Does(as_tokens)),
    st.builds(lambda: Does(lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) * 1.0)),
    st.builds(lambda: Does(joined)),
    st.builds(lambda: Does(lambda x: F.pixel_unshuffle(x, 2).mean(1, keepdim=True))),
    st.builds(lambda: Does(lambda x: F.interpolate(x, scale_factor=1 / 3, mode="nearest"))),
    st.builds(lambda: Does(lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True) * 0 + 99))),
)  # fmt: skip
"""Whatever answers with a line when it is given one."""


def coordinates(axis):
    line = torch.arange(SIDE, dtype=torch.float32)
    return (line[:, None] if axis == 0 else line[None]).expand(SIDE, SIDE)[None, None].clone()


def answers_of(net, x):
    found = []
    handles = [m.register_forward_hook(lambda m, i, o: found.append(o.clone())) for m in net]
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    return found


def large_enough(net):
    try:
        return all(min(a.shape[2:]) >= 3 for a in answers_of(net, coordinates(0)))
    except RuntimeError:
        return False


@settings(max_examples=30, deadline=None)
@given(st.lists(linear, min_size=1, max_size=5))
def test_pixels_that_hold_their_own_coordinates_say_where_every_cell_lies(chain):
    net = nn.Sequential(*chain)
    while len(net) and not large_enough(net):
        net = net[:-1]
    known = calls(net, torch.zeros(1, 1, SIDE, SIDE))
    answers = [answers_of(net, coordinates(axis)) for axis in range(2)]
    shared = [(0.0, SIDE - 1.0)] * 2  # what all maps so far have
    for number, pair in enumerate(zip(*answers, strict=True)):
        (call,) = known[str(number)]
        places, inside = [], []
        for axis, (first, last) in enumerate(shared):
            away = torch.arange(call.shape[1 + axis]) * call.step[axis]
            coarsest = max(runs[0].step[axis] for runs in known.values())
            slack = coarsest if call.field.is_enlarged else 0  # between two cells both are seen
            low = call.field.low[axis] + away - slack
            high = call.field.high[axis] + away + slack
            inside.append((low >= first) & (high <= last))  # no padding, no repeated edge
            places.append((call.middle[axis] + away).float())
            shared[axis] = max(first, float(places[axis][0])), min(last, float(places[axis][-1]))
        grid = torch.meshgrid(*places, indexing="ij")
        for answer, said in zip(pair, grid, strict=True):
            assert answer.shape[2:] == said.shape
            found = answer[0, 0][inside[0]][:, inside[1]]
            said = said[inside[0]][:, inside[1]]
            torch.testing.assert_close(found, said, atol=2e-3, rtol=0)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_bicubic_lies_as_bilinear(factor, aligned):
    net = nn.Sequential(resized(factor, "bicubic", align_corners=aligned))
    (answer,), call = answers_of(net, coordinates(0)), calls(net, coordinates(0))["0"][0]
    said = call.middle[0] + torch.arange(answer.shape[2]) * call.step[0]
    torch.testing.assert_close(answer[0, 0, 12:-12, 5], said[12:-12], atol=0.1, rtol=0)


covering = st.one_of(
    st.builds(lambda s, more, p: conv(s + more, s, p), *[st.integers(1, 3), st.integers(0, 3), st.integers(0, 2)]),
    st.builds(lambda d: conv(3, 1, d, d), st.integers(2, 4)),
    st.builds(lambda s, more: nn.MaxPool2d(s + more, s, more // 2), st.integers(1, 3), st.integers(0, 2)),
    st.builds(lambda s, more, p: transposed(s + more, s, p), st.integers(1, 3), st.integers(0, 3), st.integers(0, 1)),
    st.builds(resized, st.sampled_from([2.0, 3.0]), st.just("bilinear"), align_corners=st.booleans()),
    st.builds(resized, st.sampled_from([2.0, 3.0]), st.sampled_from(["nearest", "nearest-exact"])),
    st.builds(lambda: Does(lambda x: x[:, :, 2:-1, 1:])),
    st.builds(lambda: Does(joined)),
    st.builds(lambda: Does(as_tokens)),
    st.builds(lambda: Does(lambda x: F.pixel_shuffle(x.expand(-1, 4, -1, -1), 2))),
)  # fmt: skip
"""Whatever lets every pixel through to some cell."""


@settings(max_examples=30, deadline=None)
@given(st.lists(covering, min_size=1, max_size=5), st.integers(30, 65), st.integers(30, 65))
def test_one_bright_pixel_lights_the_cell_that_lies_on_it_in_every_layer(chain, y, x):
    net = nn.Sequential(*chain)
    while len(net) and not large_enough(net):
        net = net[:-1]
    picture = torch.zeros(1, 1, SIDE, SIDE)
    picture[0, 0, y, x] = 1
    known = calls(net, picture)
    coarsest = [1.0, 1.0]
    for number, answer in enumerate(answers_of(net, picture)):
        (call,) = known[str(number)]
        lit = answer[0, 0] > 0
        coarsest = [max(c, s) for c, s in zip(coarsest, call.step, strict=True)]
        near = []
        for axis, pixel in enumerate((y, x)):
            cell = (pixel - call.middle[axis]) / call.step[axis]
            near.append({round(cell - 1e-6), round(cell + 1e-6)})
            weights = answer[0, 0].sum(1 - axis)
            centre = float((weights * torch.arange(len(weights))).sum() / weights.sum())
            assert abs(centre - cell) * call.step[axis] <= coarsest[axis] * (number + 1) / 2 + 1e-3
        assert any(lit[a, b] for a in near[0] for b in near[1])


def on_meta(name, classes=7, **options):
    with torch.device("meta"):
        return NETS.get(name).build(classes, **options).eval()


def empty(height, width):
    return torch.empty(1, 3, height, width, device="meta")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("bisenet_v2", (128, 192)),
        ("segformer_b0", (64, 96)),
        ("icnet", (129, 193)),
        ("pspnet50", (105, 153)),
        ("fcn8s", (96, 128)),
        ("deeplab_v3plus_resnet50", (97, 129)),
        ("unet_padded", (64, 96)),
    ],
)
def test_every_map_of_a_net_lies_over_its_picture(name, size):
    runs = calls(on_meta(name), empty(*size))
    maps = [c for r in runs.values() for c in r if len(c.shape) == 3 and min(c.shape[1:]) > 1]
    assert len(maps) > 20
    reach = 128 if name == "fcn8s" else 0  # its first convolution pads by 100
    for call in maps:
        assert call.is_placed
        for axis in range(2):
            step, cells = call.step[axis], call.shape[1 + axis]
            start = call.middle[axis] + 0.5 - step / 2
            slack = step * 1.02 + reach
            assert -slack <= start <= slack
            assert abs(start + cells * step - size[axis]) <= slack + reach


def test_what_a_net_sees_around_the_picture_is_before_its_first_pixel():
    net = on_meta("unet")
    margin = net.margin
    runs = calls(net, empty(100 + 2 * margin, 132 + 2 * margin))
    first = runs["contract.0.0"][0]
    assert first.middle == (1.0 - margin, 1.0 - margin)
    last = list(runs.values())[-1][-1]
    assert (last.middle, last.step) == ((0.0, 0.0), (1.0, 1.0))
    assert last.shape[1:] == (100, 132)


def test_a_module_that_runs_on_two_scales_has_two_entries():
    runs = calls(on_meta("icnet_liminn"), empty(129, 257))
    twice = {name: r for name, r in runs.items() if len(r) == 2}
    assert twice
    large, small = next(r for r in twice.values() if r[0].is_placed)
    assert large.step != small.step


def test_whatever_a_module_returns_its_first_map_is_found():
    small, wide, tokens = torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 3, 4), torch.zeros(1, 5, 2)
    assert first_map({"a": tokens, "b": [small, wide]}) is wide
    assert first_map((tokens, small)) is small
    assert first_map(NetOutput(wide, (small,))) is wide
    assert first_map((None, 3, torch.zeros(2, dtype=torch.int64))) is None

    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 2, 3)
            self.says = Does(lambda x: {"none": None, "map": (x, x.mean((2, 3)))})
            self.silent = Does(lambda x: None)
            self.idle = nn.ReLU()

        def forward(self, x):
            self.silent(x)
            return SimpleNamespace(out=self.says(self.a(x)))

    runs = calls(Odd(), torch.zeros(1, 3, 9, 9))
    assert set(runs) == {"a", "says"}
    assert runs["says"] == runs["a"]


def test_channels_at_the_end_and_tokens_are_maps_too():
    net = nn.Sequential(
        nn.Conv2d(3, 5, 4, 4),
        Does(lambda x: x.permute(0, 2, 3, 1)),
        Does(lambda x: x.reshape(1, -1, 5)),
        nn.Linear(5, 6),
    )
    runs = calls(net, torch.zeros(1, 3, 16, 24))
    assert [runs[str(i)][0].layout for i in range(4)] == ["first", "last", "tokens", "tokens"]
    assert {runs[str(i)][0].middle for i in range(4)} == {(1.5, 1.5)}
    assert runs["3"][0].shape == (6, 4, 6)
    x = torch.randn(1, 3, 16, 24)
    answers = answers_of(net, x)
    for i in (1, 2):
        call = runs[str(i)][0]
        assert torch.equal(as_map(answers[i], call.shape, call.layout), answers[0])


def test_windows_are_no_map_and_come_back_as_one():
    def windows(x):  # (1, h, w, C) -> (windows, 16, C)
        h, w = x.shape[1:3]
        x = x.view(1, h // 4, 4, w // 4, 4, -1).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(-1, 16, x.shape[-1])

    def back(x):
        x = x.view(1, 2, 3, 4, 4, -1).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(1, 8, 12, -1).permute(0, 3, 1, 2)

    net = nn.Sequential(
        nn.Conv2d(3, 2, 2, 2), Does(lambda x: x.permute(0, 2, 3, 1)), Does(windows), Does(back)
    )
    runs = calls(net, torch.zeros(1, 3, 16, 24))
    assert not runs["2"][0].is_placed
    assert runs["3"][0].middle == runs["0"][0].middle
    assert runs["3"][0].shape == (2, 8, 12)


def test_a_pooled_gate_leaves_the_map_where_it_is():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 1)
            self.out = Does(lambda x: x)

        def forward(self, x):
            a = self.a(x)
            return self.out(torch.sigmoid(self.b(F.adaptive_avg_pool2d(a, 1))) * a)

    runs = calls(Gated(), torch.zeros(1, 3, 16, 16))
    assert (runs["out"][0].middle, runs["out"][0].step) == ((0.0, 0.0), (2.0, 2.0))
    assert runs["out"][0].field.is_whole
    assert (runs["b"][0].middle, runs["b"][0].step) == ((7.0, 7.0), (16.0, 16.0))


def test_of_a_fine_map_and_an_enlarged_one_the_fine_one_says_where():
    class Fused(nn.Module):
        def __init__(self):
            super().__init__()
            self.fine, self.coarse = nn.Conv2d(3, 2, 3, 2, 1), nn.Conv2d(2, 2, 3, 2, 1)
            self.up = resized(2, "bilinear", align_corners=False)
            self.out = nn.Conv2d(2, 2, 1)

        def forward(self, x):
            fine = self.fine(x)
            return self.out(self.up(self.coarse(fine)) + fine)

    runs = calls(Fused(), torch.zeros(1, 3, 32, 32))
    assert runs["up"][0].middle == (-1.0, -1.0)
    assert runs["out"][0].middle == (0.0, 0.0)


def test_nothing_is_left_behind_and_inference_mode_around_it_does_no_harm():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True))
    with torch.inference_mode():
        runs = calls(net, torch.zeros(1, 3, 8, 8))
    assert runs["0"][0].middle == (1.0, 1.0)
    assert not any(m._forward_hooks for m in net.modules())

    def breaks(x):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        calls(nn.Sequential(net, Does(breaks)), torch.zeros(1, 3, 8, 8))
    assert not any(m._forward_hooks for m in net.modules())


def test_the_older_question_counts_from_the_first_pixel_that_the_net_is_given():
    by_name, _ = fields(on_meta("unet"), 100, 100)
    assert by_name["contract.0.0"].middle == (1.0, 1.0)
