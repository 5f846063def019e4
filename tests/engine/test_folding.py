"""A folded net answers as before, only faster."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.engine.folding import fold_batch_norm
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS, NetOutput, NetSpec

HEAVY = 20e6
"""Parameters from which on a net of the zoo is one for the slow lane."""


def norms(net: nn.Module) -> list[str]:
    return [name for name, m in net.named_modules() if isinstance(m, nn.BatchNorm2d)]


def lived_in(net: nn.Module) -> nn.Module:
    """Batch norms as they are after training: a folded identity would prove nothing."""
    torch.manual_seed(2)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net.eval()


def spec_of(net: nn.Module) -> NetSpec:
    return NetSpec("toy", "Toy", "", lambda classes: net, multiple_of=8, min_side=8)


def agrees(net: nn.Module, spec: NetSpec | None, x: torch.Tensor) -> list[str]:
    """Folds; the norms that are left. Fails when the answer is another one."""
    lived_in(net)
    with torch.inference_mode():
        before = net(x).logits
        folded = fold_batch_norm(net, spec)
        after = folded(x).logits
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4 * before.abs().max().item())
    return norms(folded)


def build(name: str, **options) -> tuple[NetSpec, nn.Module]:
    spec = NETS.get(name)
    net = spec.build(5, **options)
    return spec.of(net), net


@pytest.mark.parametrize(
    ("name", "options", "left"),
    [
        # The norm that opens the context embedding follows a pooling, not a convolution.
        ("bisenet_v2", {"alpha": 0.25, "head_width": 16, "boosters": False},
         ["semantic.context.norm"]),
        ("lraspp_mobilenet_v3_large", {}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_running", [True, False])
def test_what_follows_a_convolution_is_folded(name, options, left, by_running):
    torch.manual_seed(1)
    spec, net = build(name, **options)
    assert agrees(net, spec if by_running else None, torch.randn(1, 3, 64, 96)) == left


def check_zoo(name: str, *, is_heavy: bool) -> None:
    spec = NETS.get(name)
    if spec.extra and not is_heavy:
        pytest.skip("importing its library takes seconds")
    try:
        with torch.device("meta"):
            ghost = spec.build(5)
    except ModelError as error:
        pytest.skip(str(error))
    weight = sum(p.numel() for p in ghost.parameters())
    belongs = weight > HEAVY or bool(spec.extra) or spec.of(ghost).only_size is not None
    if belongs != is_heavy:
        pytest.skip(f"{weight / 1e6:.0f} M parameters belong to the other lane")
    torch.manual_seed(1)
    net = spec.build(5)
    spec = spec.of(net)
    h, w = spec.only_size or (spec.sides_near(64)[-1], spec.sides_near(96)[-1])
    border = 2 * spec.margin
    agrees(net, spec, torch.randn(1, 3, h + border, w + border))


@pytest.mark.parametrize("name", list(NETS))
def test_every_light_net_of_the_zoo_answers_the_same(name):
    check_zoo(name, is_heavy=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NETS))
def test_every_heavy_net_of_the_zoo_answers_the_same(name):
    check_zoo(name, is_heavy=True)


class Toy(nn.Module):
    """Pairs that names do not tell, and pairs that must not be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.after = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(6)
        self.shared = nn.Conv2d(6, 6, 1)
        self.one, self.two = nn.BatchNorm2d(6), nn.BatchNorm2d(6)
        self.again, self.again_norm = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.other, self.loose = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.up = nn.ConvTranspose2d(6, 6, 2, stride=2, groups=2)
        self.up_norm = nn.BatchNorm2d(6)
        self.last = nn.Sequential(nn.Conv2d(6, 4, 1), nn.BatchNorm2d(4))

    def forward(self, x):
        x = F.relu(self.after(self.first(x)))
        x = F.relu(self.bn2(F.relu(self.conv2(x))))  # named like a pair, with a ReLU between
        x = self.one(self.shared(x)) + self.two(self.shared(x))
        x = self.again_norm(self.again(self.again_norm(self.again(x)).relu()))
        x = self.loose(self.other(x)) + self.loose(x)
        return NetOutput(self.last(self.up_norm(self.up(x))))


def test_pairs_are_what_runs_in_succession_not_what_is_called_so():
    net = Toy()
    left = agrees(net, spec_of(net), torch.randn(1, 3, 16, 16))
    assert left == ["bn2", "one", "two", "loose"]


class Skipping(nn.Module):
    """The convolution's own answer is needed once more after the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

    def forward(self, x):
        y = self.conv1(x)
        return NetOutput(self.bn1(y) + y)


def test_an_answer_that_is_needed_twice_stays():
    net = Skipping()
    assert agrees(net, spec_of(net), torch.randn(1, 3, 16, 16)) == ["bn1"]


class ActivatedNorm(nn.BatchNorm2d):
    """As some libraries have it: the activation inside the norm."""

    def forward(self, x):
        return super().forward(x).relu()


class Picky(nn.Module):
    """Refuses small pictures, and has a norm that is more than one."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), ActivatedNorm(4)
        )

    def forward(self, x):
        if x.shape[2] < 100:
            raise ValueError("too small")
        return NetOutput(self.body(x))


def test_a_net_that_cannot_be_tried_is_folded_by_names():
    net = Picky()
    assert agrees(net, spec_of(net), torch.randn(1, 3, 104, 104)) == ["body.3"]


def test_the_net_keeps_its_numbers_and_no_hooks_stay():
    net = Toy()
    folded = fold_batch_norm(lived_in(net), spec_of(net))
    assert all(p.device.type == "cpu" for p in folded.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in folded.modules())
