"""What the forward passes of dilated nets are said again with: functions over a file's keys.

The nets are those of the key lists with a sixteenth of the channels, so that maps can be large
enough for every dilation.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into


def usual(block: str) -> tuple[tuple[str, str], ...]:
    """torchvision's names of a bottleneck: three units and the shortcut."""
    return (
        *((f"{block}.conv{i}", f"{block}.bn{i}") for i in (1, 2, 3)),
        (f"{block}.downsample.0", f"{block}.downsample.1"),
    )


class Maths:
    """Layers by the names of their weights in the file; `ours` is our net with the same file."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state

    def ours(self, x: Tensor, **narrower: int) -> Tensor:
        found = dialect_of(self.state).read(self.state)
        net = NETS.get(found.net).build(found.num_classes, **{**found.net_args, **narrower})
        load_into(net, found.state, source="the test")
        return net.eval()(x).logits

    def same(self, ours: Tensor, theirs: Tensor) -> None:
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))

    def norm(self, x, name):
        values = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.state[f"{name}.{value}"] for value in values))

    def unit(self, x, conv, bn, *, stride=1, dilation=1, relu=True, padding=None):
        """Convolution (any groups), batch norm, ReLU."""
        weight = self.state[f"{conv}.weight"]
        if padding is None:
            padding = dilation * (weight.shape[2] // 2)
        groups = x.shape[1] // weight.shape[1]
        x = self.norm(F.conv2d(x, weight, None, stride, padding, dilation, groups), bn)
        return x.relu() if relu else x

    def classify(self, x, name):
        return F.conv2d(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def sized(self, x, like, *, align_corners):
        return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=align_corners)

    def deep_stem(self, x, units):
        for index, (conv, bn) in enumerate(units):
            x = self.unit(x, conv, bn, stride=2 if index == 0 else 1)
        return F.max_pool2d(x, 3, 2, 1)

    def stage(self, x, prefix, *, stride=1, dilations=(1,), at_reduce=False, names=usual, first=0):
        """Bottlenecks. dilations: of the first block, of the second, …, the last of the rest."""
        index = first
        while f"{names(f'{prefix}{index}')[0][0]}.weight" in self.state:
            reduce, conv, increase, shortcut = names(f"{prefix}{index}")
            dilation = dilations[min(index - first, len(dilations) - 1)]
            step = stride if index == first else 1
            h = self.unit(x, *reduce, stride=step if at_reduce else 1)
            h = self.unit(h, *conv, stride=1 if at_reduce else step, dilation=dilation)
            h = self.unit(h, *increase, relu=False)
            if index == first:
                x = self.unit(x, *shortcut, stride=step, relu=False)
            x = (h + x).relu()
            index += 1
        assert index > first
        return x


@pytest.fixture
def maths(listed) -> Callable[..., Maths]:
    """maths(name, by=16): random tensors of a key list, widths divided where that is whole."""

    def drawn(key: str, shape: list[int], random: torch.Generator) -> Tensor:
        if key.endswith("num_batches_tracked"):
            return torch.zeros((), dtype=torch.int64)
        if key.endswith("running_var"):
            return torch.rand(shape, generator=random) + 0.5
        values = torch.randn(shape, generator=random)
        if len(shape) == 1:
            return values * 0.2 + (1 if key.endswith("weight") else 0)
        return values * (2 / values[0].numel()) ** 0.5

    def build(name: str, by: int = 16) -> Maths:
        random = torch.Generator().manual_seed(0)
        shapes = {
            key: [n // by if n % by == 0 and n >= 2 * by else n for n in tensor.shape]
            for key, tensor in listed(name).items()
        }
        return Maths({key: drawn(key, shape, random) for key, shape in shapes.items()})

    return build


@pytest.fixture
def picture() -> Callable[[int, int], Tensor]:
    """picture(height, width): float32 (1, 3, height, width)."""

    def draw(height: int, width: int) -> Tensor:
        return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))

    return draw
