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


def gmac(run) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2 / 1e9


@pytest.mark.parametrize(("side", "expected"), [(512, 24.60), (1024, 98.41)])
def test_multiply_adds_of_the_whole_net(side, expected):
    net = build(boosters=False).eval()
    x = torch.empty(1, 3, side, 2 * side, device="meta")
    assert gmac(lambda: net(x)) == pytest.approx(expected, abs=0.005)


def test_each_part_has_its_parameters_and_multiply_adds():
    net = build(boosters=False).eval()
    x = torch.empty(1, 3, 512, 1024, device="meta")
    detail = torch.empty(1, 128, 64, 128, device="meta")
    semantic = torch.empty(1, 128, 16, 32, device="meta")
    assert count(net.detail) == 519_232
    assert count(net.semantic) == 1_159_504
    assert count(net.aggregation) == 478_720
    assert gmac(lambda: net.detail(x)) == pytest.approx(11.702, abs=0.0005)
    assert gmac(lambda: net.semantic(x)) == pytest.approx(1.340, abs=0.0005)
    assert gmac(lambda: net.aggregation(detail, semantic)) == pytest.approx(1.738, abs=0.0005)


@pytest.mark.parametrize(
    ("width", "parameters", "expected"),
    [
        (64, 75_091, 0.614),
        (128, 150_163, 1.228),
        (256, 300_307, 2.456),
        (512, 600_595, 4.912),
        (1024, 1_201_171, 9.823),
    ],
)
def test_no_usual_width_of_the_head_comes_to_the_papers_multiply_adds(width, parameters, expected):
    head = build(head_width=width, boosters=False).head.eval()
    x = torch.empty(1, 128, 64, 128, device="meta")
    assert count(head) == parameters
    assert gmac(lambda: head(x)) == pytest.approx(expected, abs=0.0006)
    assert abs(14.780 + expected - 21.15) > 1


def test_boosters_of_coincheung_have_their_parameters():
    net = build(booster_style="coincheung")
    assert count(net) == 5_231_487
    assert [count(head) for head in net.boosters] == [37_475, 112_211, 374_291, 1_348_883]


def test_boosters_and_biases_of_mmseg_have_their_parameters():
    assert count(build(boosters=False, pointwise_bias=True)) == 3_358_883
    assert count(build(booster_style="mmseg", pointwise_bias=True)) == 14_804_255


@pytest.mark.parametrize("style", ["coincheung", "mmseg"])
def test_boosters_of_other_programs_answer_too(style):
    net = build(num_classes=5, booster_style=style).train()
    out = net(torch.empty(2, 3, 64, 96, device="meta"))
    assert [aux.shape[1] for aux in out.aux] == [5, 5, 5, 5]


def test_nearest_and_bilinear_aggregation_are_not_the_same():
    torch.manual_seed(2)
    smooth = build(num_classes=3, head_width=8, boosters=False, device="cpu").eval()
    rough = build(
        num_classes=3, head_width=8, boosters=False, enlarge="nearest", device="cpu"
    ).eval()
    rough.load_state_dict(smooth.state_dict())
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert not torch.allclose(smooth(x).logits, rough(x).logits, atol=1e-4)


def test_aligned_corners_hold_for_the_aggregation_and_the_logits():
    net = build(align_corners=True)
    assert NETS.get("bisenet_v2").of(net).align_corners
    assert not NETS.get("bisenet_v2").of(build()).align_corners


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
