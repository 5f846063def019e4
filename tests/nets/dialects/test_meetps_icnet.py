"""ICNet files of pytorch-semseg: their maths, restated over their own names."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS


class Theirs:
    """The program's forward over the tensors of a file."""

    def __init__(self, state):
        self.state = state

    def unit(self, x, name, *, stride=1, dilation=1, relu=True):
        s, prefix = self.state, f"{name}.{'cbr' if relu else 'cb'}_unit"
        weight = s[f"{prefix}.0.weight"]
        padding = dilation * (weight.shape[-1] // 2)
        x = F.conv2d(x, weight, s.get(f"{prefix}.0.bias"), stride, padding, dilation)
        if f"{prefix}.1.weight" in s:
            mean, var, gamma, beta = (
                s[f"{prefix}.1.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
            )
            x = F.batch_norm(x, mean, var, gamma, beta)
        return F.relu(x) if relu else x

    def stage(self, x, name, *, stride=1, dilation=1):
        i = 0
        while any(k.startswith(f"{name}.layers.{i}.") for k in self.state):
            block = f"{name}.layers.{i}"
            shortcut = x
            if any(k.startswith(f"{block}.cb4.") for k in self.state):
                shortcut = self.unit(x, f"{block}.cb4", stride=stride, relu=False)
            y = self.unit(x, f"{block}.cbr1")
            first = stride if shortcut is not x else 1
            y = self.unit(y, f"{block}.cbr2", stride=first, dilation=dilation)
            x = F.relu(self.unit(y, f"{block}.cb3", relu=False) + shortcut)
            i += 1
        return x

    def fuse(self, low, high, name):
        low = resized(low, [2 * s - 1 for s in low.shape[2:]])
        low = self.unit(low, f"{name}.low_dilated_conv_bn", dilation=2, relu=False)
        return F.relu(low + self.unit(high, f"{name}.high_proj_conv_bn", relu=False))

    def forward(self, x):
        sub2 = resized(x, [(s + 1) // 2 for s in x.shape[2:]])
        for i in (1, 2, 3):
            sub2 = self.unit(sub2, f"convbnrelu1_{i}", stride=2 if i == 1 else 1)
        sub2 = self.stage(F.max_pool2d(sub2, 3, 2, 1), "res_block2")
        sub2 = self.stage(sub2, "res_block3_conv", stride=2)
        sub4 = resized(sub2, [(s + 1) // 2 for s in sub2.shape[2:]])
        sub4 = self.stage(sub4, "res_block3_identity")
        sub4 = self.stage(sub4, "res_block4", dilation=2)
        sub4 = self.stage(sub4, "res_block5", dilation=4)
        # Windows for other sizes than 33x65 its evaluation does not have.
        pools = [resized(F.adaptive_avg_pool2d(sub4, n), sub4.shape[2:]) for n in (6, 3, 2, 1)]
        sub4 = self.unit(sub4 + sum(pools), "conv5_4_k1")
        sub1 = x
        for i in (1, 2, 3):
            sub1 = self.unit(sub1, f"convbnrelu{i}_sub1", stride=2)
        sub12 = self.fuse(self.fuse(sub4, sub2, "cff_sub24"), sub1, "cff_sub12")
        sub12 = resized(sub12, [2 * s - 1 for s in sub12.shape[2:]])
        return F.conv2d(
            sub12, self.state["classification.weight"], self.state["classification.bias"]
        )


def resized(x, size):
    return F.interpolate(x, size=list(size), mode="bilinear", align_corners=True)


@pytest.mark.parametrize("name", ["meetps_icnetBN", "meetps_icnet_merged"])
def test_logits_are_those_of_the_program(name, listed):
    state = listed(name, device="cpu")
    found = DIALECTS.get("meetps_icnet").read(state)
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state)
    x = torch.randn(1, 3, 65, 97, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours, theirs = net(x).logits, Theirs(state).forward(x)
    assert ours.shape == (1, 19, 17, 25)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.abs().max().item())


def test_the_unused_convolutions_of_the_pyramid_are_ignored(listed):
    found = DIALECTS.get("meetps_icnet").read(listed("meetps_icnet_merged"))
    assert len(found.ignored) == 8
    assert all(name.startswith("pyramid_pooling.") for name in found.ignored)
    assert found.left == ()


def test_its_pictures_are_caffes(listed):
    found = DIALECTS.get("meetps_icnet").read(listed("meetps_icnetBN"))
    assert found.input["channels"] == "BGR"
    assert found.input["mean"] == (103.939, 116.779, 123.68)
    assert found.class_set == "cityscapes19"


def test_the_user_is_told_of_the_other_stride(listed):
    found = DIALECTS.get("meetps_icnet").read(listed("meetps_icnetBN"))
    assert any("stride_on" in note for note in found.notes)
