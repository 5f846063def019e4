"""BiSeNet V2 against its paper, and against itself."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS


def build(num_classes: int = 19, *, name: str = "bisenet_v2", device: str = "meta", **options):
    with torch.device(device):
        return NETS.get(name).build(num_classes, **options)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_parameters_without_boosters_are_those_of_the_usual_implementation():
    assert count(build(boosters=False)) == 3_358_627


def test_boosters_add_parameters_for_training_alone():
    with_them, without = build(), build(boosters=False)
    heads = sum(9 * w * 128 + 2 * 128 + 128 * 19 + 19 for w in (16, 32, 64, 128))
    assert count(with_them) == count(without) + heads
    surplus = {n for n, _ in with_them.named_parameters()} - {
        n for n, _ in without.named_parameters()
    }
    assert surplus
    assert all(name.startswith("boosters.") for name in surplus)


def test_multiply_adds_at_512_by_1024():
    net = build(boosters=False).eval()
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, 512, 1024, device="meta"))
    assert counter.get_total_flops() / 2 / 1e9 == pytest.approx(24.60, abs=0.005)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        # Table 1 of the paper, for an input of 512x1024.
        ("detail.stage1", (64, 256, 512)),
        ("detail.stage2", (64, 128, 256)),
        ("detail.stage3", (128, 64, 128)),
        ("semantic.stem", (16, 128, 256)),
        ("semantic.stage3", (32, 64, 128)),
        ("semantic.stage4", (64, 32, 64)),
        ("semantic.stage5", (128, 16, 32)),
        ("semantic.context", (128, 16, 32)),
        ("aggregation", (128, 64, 128)),
        ("head", (19, 64, 128)),
    ],
)
def test_stages_have_the_shapes_of_table_1(name, shape):
    net = build(boosters=False).eval()
    seen = []
    net.get_submodule(name).register_forward_hook(lambda m, i, o: seen.append(tuple(o.shape)))
    net(torch.empty(1, 3, 512, 1024, device="meta"))
    assert seen == [(1, *shape)]


def test_boosters_answer_while_training_and_vanish_afterwards():
    net = build(num_classes=11)
    x = torch.empty(2, 3, 64, 96, device="meta")
    strides = [64 // aux.shape[2] for aux in net.train()(x).aux]
    assert strides == [4, 8, 16, 32]
    assert net.eval()(x).aux == ()


def test_the_answer_does_not_depend_on_boosters():
    torch.manual_seed(1)
    full = build(num_classes=5, head_width=16, booster_width=8, device="cpu").eval()
    bare = build(num_classes=5, head_width=16, boosters=False, device="cpu").eval()
    missing = bare.load_state_dict(full.state_dict(), strict=False)
    assert missing.missing_keys == []
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(full(x).logits, bare(x).logits)


def test_the_heads_width_is_an_argument():
    assert build(head_width=256, boosters=False).head[0][0].out_channels == 256
    assert count(build(head_width=256, boosters=False)) < 3_358_627


def test_the_large_variant_is_wider_and_deeper():
    net = build(name="bisenet_v2_large", boosters=False)
    assert net.detail.stage1[0][0].out_channels == 128
    assert len(net.semantic.stage5) == 10
    assert net.eval()(torch.empty(1, 3, 64, 64, device="meta")).logits.shape == (1, 19, 8, 8)


def test_seeded_weights_give_the_golden_answer():
    torch.manual_seed(7)
    net = build(num_classes=4, head_width=16, boosters=False, device="cpu").eval()
    x = torch.linspace(-2, 2, 3 * 64 * 96).view(1, 3, 64, 96).sin()
    with torch.inference_mode():
        logits = net(x).logits
    assert logits.shape == (1, 4, 8, 12)
    golden = torch.tensor(GOLDEN)
    torch.testing.assert_close(logits[0, :, 3, 5], golden, rtol=1e-3, atol=1e-3)


GOLDEN = [0.0434140, 0.0397440, 0.0024390, -0.5457069]
