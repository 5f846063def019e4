"""ICNet against its authors' Caffe files."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS


def build(num_classes: int = 19, *, device: str = "meta", **options):
    with torch.device(device):
        return NETS.get("icnet").build(num_classes, **options)


def count(net: nn.Module) -> int:
    """Without the heads for training."""
    return sum(p.numel() for n, p in net.named_parameters() if not n.startswith("aux"))


def test_as_many_parameters_as_the_release():
    assert count(build()) == 6_699_987


def test_as_many_parameters_as_the_release_with_merged_batch_norm():
    assert count(build(batch_norm=False)) == 6_685_715


def test_multiply_adds_at_1025_by_2049():
    net = build(batch_norm=False).eval()
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, 1025, 2049, device="meta"))
    assert counter.get_total_flops() / 2 / 1e9 == pytest.approx(29.81, abs=0.005)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("conv1", (64, 129, 257)),
        ("conv3_1", (256, 65, 129)),
        ("conv5", (1024, 33, 65)),
        ("conv5_4", (256, 33, 65)),
        ("cff_sub24", (128, 65, 129)),
        ("sub1", (64, 129, 257)),
        ("cff_sub12", (128, 129, 257)),
        ("conv6_cls", (19, 257, 513)),
    ],
)
def test_stages_have_the_shapes_of_the_authors_net(name, shape):
    net = build().eval()
    seen = []

    def note(module, inputs, output):
        seen.append(tuple((output[-1] if isinstance(output, tuple) else output).shape))

    net.get_submodule(name).register_forward_hook(note)
    net(torch.empty(1, 3, 1025, 2049, device="meta"))
    assert seen == [(1, *shape)]


def test_four_times_enlarged_the_logits_have_the_size_of_the_image():
    logits = build().eval()(torch.empty(1, 3, 1025, 2049, device="meta")).logits
    enlarged = tuple(4 * (side - 1) + 1 for side in logits.shape[2:])
    assert enlarged == (1025, 2049)


def test_labels_guide_at_an_eighth_and_a_sixteenth_while_training_alone():
    net = build(num_classes=5)
    x = torch.empty(2, 3, 129, 193, device="meta")
    assert [tuple(aux.shape) for aux in net.train()(x).aux] == [(2, 5, 9, 13), (2, 5, 17, 25)]
    assert net.eval()(x).aux == ()


def test_the_heads_for_training_change_no_answer():
    torch.manual_seed(0)
    net = build(num_classes=3, device="cpu").eval()
    x = torch.randn(1, 3, 33, 65)
    with torch.inference_mode():
        before = net(x).logits
        for name, value in net.named_parameters():
            if name.startswith("aux"):
                value.fill_(7.0)
        assert torch.equal(net(x).logits, before)


def test_merging_batch_norm_into_convolutions_changes_no_answer():
    torch.manual_seed(3)
    net = build(num_classes=4, device="cpu").eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    merged = build(num_classes=4, batch_norm=False, device="cpu").eval()
    state = {}
    for name, module in net.named_modules():
        if isinstance(module, nn.Sequential) and len(module) > 1:
            conv, norm = module[0], module[1]
            if isinstance(norm, nn.BatchNorm2d):
                gain = norm.weight / (norm.running_var + norm.eps).sqrt()
                state[f"{name}.0.weight"] = conv.weight * gain[:, None, None, None]
                state[f"{name}.0.bias"] = norm.bias - norm.running_mean * gain
    state |= {k: v for k, v in net.state_dict().items() if k.startswith(("aux", "conv6_cls"))}
    merged.load_state_dict(state)
    x = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        wanted = net(x).logits
        torch.testing.assert_close(
            merged(x).logits, wanted, rtol=1e-4, atol=1e-4 * wanted.abs().max().item()
        )
