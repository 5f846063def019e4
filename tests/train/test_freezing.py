"""What is frozen stays, bit by bit, and the rest learns."""

import copy

import pytest
import torch
from torch.nn import functional as F

from segstudio.core.train_rules import OptimiserRule
from segstudio.errors import SegStudioError
from segstudio.nets.registry import NETS
from segstudio.train.freezing import freeze, is_frozen
from segstudio.train.optimising import build_optimiser
from segstudio.train.parts import Part, parts_of

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def built(name="enet"):
    torch.manual_seed(0)
    net = NETS.get(name).build(3)
    return net, NETS.get(name).of(net)


def trained(net, spec, steps=2, name="sgd"):
    """Steps on noise; the state before and after."""
    before = copy.deepcopy(net.state_dict())
    optimiser = build_optimiser(net, spec, OptimiserRule(name, learning_rate=0.01))
    for _ in range(steps):
        net.train()
        output = net(torch.randn(2, 3, 64, 64))
        labels = torch.randint(0, 3, (2, *output.logits.shape[2:]))
        optimiser.zero_grad()
        F.cross_entropy(output.logits, labels).backward()
        optimiser.step()
    return before, net.state_dict()


def changed(before, after):
    return {n for n in before if not torch.equal(before[n], after[n])}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize(
    ("what", "left"),
    [("backbone", (Part.DECODER, Part.HEAD)), ("all_but_head", (Part.HEAD,))],
)
def test_a_frozen_part_is_bit_equal_after_steps(what, left, name):
    net, spec = built()
    said = freeze(net, spec, what)
    parts = parts_of(net, spec)
    assert set(said.names) == {n for n, part in parts.items() if part in left}
    assert said.numbers == sum(p.numel() for n, p in net.named_parameters() if n in said.names)
    assert said.of == sum(p.numel() for p in net.parameters())
    moved = changed(*trained(net, spec, name=name))
    assert moved & set(parts) == set(said.names)
    # Statistics move with their part.
    own = {n for n in moved if n.endswith(STATISTICS)}
    assert all(n.startswith(("up4", "up5", "stage4", "stage5", "fullconv")) for n in own)
    assert bool(own) == (Part.DECODER in left)


def test_nothing_frozen_is_a_net_as_it_was():
    net, spec = built()
    said = freeze(net, spec, "none")
    assert said.names == tuple(n for n, _ in net.named_parameters())
    assert said.numbers == said.of
    assert not any(is_frozen(module) for module in net.modules())
    assert changed(*trained(net, spec)) >= set(said.names)


def test_statistics_stay_while_scales_learn():
    net, spec = built()
    said = freeze(net, spec, "none", norms="statistics")
    assert said.numbers == said.of
    moved = changed(*trained(net, spec))
    assert not any(n.endswith(STATISTICS) for n in moved)
    scales = {f"{n}.weight" for n, m in net.named_modules() if is_frozen(m)}
    assert scales & moved
    assert moved <= set(said.names)


def test_frozen_norms_keep_scales_and_shifts_too():
    net, spec = built()
    said = freeze(net, spec, "none", norms="frozen")
    norms = {n for n, m in net.named_modules() if is_frozen(m)}
    assert len(norms) > 50
    assert not {n.rpartition(".")[0] for n in said.names} & norms
    moved = changed(*trained(net, spec))
    assert "fullconv.weight" in moved
    assert moved <= set(said.names)


def test_frozen_norms_stay_in_eval_mode_whatever_the_net_is_told():
    net, spec = built()
    freeze(net, spec, "none", norms="statistics")
    clone = copy.deepcopy(net)
    for each in (net, clone):
        each.train()
        norms = [m for m in each.modules() if is_frozen(m)]
        assert norms
        assert not any(norm.training for norm in norms)
        assert each.training
        each.eval().train().train(mode=False).train()
        assert not any(norm.training for norm in norms)


def test_a_frozen_net_says_in_training_what_it_says_in_eval():
    net, spec = built("unet_padded")  # without dropout
    freeze(net, spec, "none", norms="statistics")
    picture = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(net.train()(picture).logits, net.eval()(picture).logits)


def test_freezing_twice_is_freezing_once():
    net, spec = built()
    first = freeze(net, spec, "backbone", norms="statistics")
    assert freeze(net, spec, "backbone", norms="statistics") == first
    assert {type(m).__name__ for m in net.modules() if is_frozen(m)} == {"FrozenBatchNorm2d"}


def test_names_of_weights_do_not_change():
    net, spec = built()
    names = list(net.state_dict())
    freeze(net, spec, "all_but_head", norms="frozen")
    assert list(net.state_dict()) == names
    other, _ = built()
    other.load_state_dict(net.state_dict())


def test_what_a_net_never_trains_stays_so():
    with torch.device("meta"):
        net = NETS.get("fcn8s").build(3)
    still = {n for n, p in net.named_parameters() if not p.requires_grad}
    said = freeze(net, NETS.get("fcn8s"), "all_but_head")
    assert not still & set(said.names)
    assert any(n.startswith("score_") for n in said.names)


def test_unknown_words_are_refused():
    net, spec = built()
    with pytest.raises(SegStudioError, match="choose one of none, backbone, all_but_head"):
        freeze(net, spec, "decoder")
    with pytest.raises(SegStudioError, match="choose one of trained, statistics, frozen"):
        freeze(net, spec, "none", norms="affine")
