"""STDC-Seg against its figures, and its module by hand."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS
from segstudio.nets.zoo.stdc import ShortTermDenseConcatenate


def build(name: str, num_classes: int = 19, *, device: str = "meta", **options):
    with torch.device(device):
        return NETS.get(name).build(num_classes, **options)


@pytest.mark.parametrize(("name", "millions"), [("stdc1", 8.28), ("stdc2", 12.31)])
def test_as_many_parameters_as_mmsegmentation(name, millions):
    net = build(name, classifier_bias=True)
    count = sum(p.numel() for n, p in net.named_parameters() if not n.startswith("aux"))
    assert count / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(("name", "modules"), [("stdc1", [2, 2, 2]), ("stdc2", [4, 5, 3])])
def test_stages_have_the_modules_of_table_2(name, modules):
    net = build(name)
    assert [len(stage) for stage in (net.stage3, net.stage4, net.stage5)] == modules


@pytest.mark.parametrize("stride", [1, 2])
def test_a_module_keeps_the_output_of_each_convolution(stride):
    torch.manual_seed(0)
    module = ShortTermDenseConcatenate(16, 32, stride=stride).eval()
    x = torch.randn(1, 16, 9, 8)
    with torch.inference_mode():
        first = module.convs[0](x)
        second = module.convs[1](module.down(first))
        third = module.convs[2](second)
        kept = F.avg_pool2d(first, 3, 2, 1) if stride == 2 else first
        wanted = torch.cat([kept, second, third, module.convs[3](third)], 1)
        assert [t.shape[1] for t in (kept, second, third)] == [16, 8, 4]
        assert torch.equal(module(x), wanted)


def test_heads_for_training_are_at_an_eighth_and_a_sixteenth():
    net = build("stdc1", num_classes=5)
    x = torch.empty(2, 3, 64, 96, device="meta")
    assert [tuple(aux.shape) for aux in net.train()(x).aux] == [(2, 5, 8, 12), (2, 5, 4, 6)]
    assert net.eval()(x).aux == ()


@pytest.mark.parametrize(("name", "expected"), [("stdc1", 23.1), ("stdc2", 29.7)])
def test_multiply_adds_at_512_by_1024_with_the_heads_that_the_authors_always_run(name, expected):
    net = build(name).eval()
    x = torch.empty(1, 3, 512, 1024, device="meta")
    maps = {name: m for name, m in net.named_modules() if name in ("stage1", "stage2", "stage3")}
    seen = {}
    for key, module in {**maps, "stage4": net.stage4, "context": net.context}.items():
        module.register_forward_hook(lambda m, i, o, key=key: seen.update({key: o}))
    with FlopCounterMode(display=False) as counter:
        net(x)
        net.aux8(seen["context"][0])
        net.aux16(seen["context"][1])
    details = sum(
        9 * seen[key].shape[1] * 64 * seen[key][0, 0].numel() + 64 * seen[key][0, 0].numel()
        for key in ("stage1", "stage2", "stage3", "stage4")
    )
    total = counter.get_total_flops() / 2 + details
    assert total / 1e9 == pytest.approx(expected, abs=0.05)
