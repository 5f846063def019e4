"""STDC-Seg files of its authors and of mmsegmentation: their maths, restated."""

import re
from collections import Counter

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS


class Theirs:
    """The authors' forward over the tensors of a file."""

    def __init__(self, state):
        self.state = state

    def conv(self, x, name, *, stride=1, groups=1):
        weight = self.state[f"{name}.weight"]
        bias = self.state.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, groups=groups)

    def norm(self, x, name):
        s = self.state
        return F.batch_norm(
            x,
            *(s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")),
        )

    def cbr(self, x, name, *, stride=1):
        return F.relu(self.norm(self.conv(x, f"{name}.conv", stride=stride), f"{name}.bn"))

    def module(self, x, name):
        first = self.cbr(x, f"{name}.conv_list.0")
        y = kept = first
        if f"{name}.avd_layer.0.weight" in self.state:
            y = self.conv(first, f"{name}.avd_layer.0", stride=2, groups=first.shape[1])
            y = self.norm(y, f"{name}.avd_layer.1")
            kept = F.avg_pool2d(first, 3, 2, 1)
        outputs = [kept]
        for i in (1, 2, 3):
            y = self.cbr(y, f"{name}.conv_list.{i}")
            outputs.append(y)
        return torch.cat(outputs, 1)

    def backbone(self, x):
        """Stages at 1/8, 1/16, 1/32."""
        maps, i = [x], 0
        while any(k.startswith(f"cp.backbone.features.{i}.") for k in self.state):
            name = f"cp.backbone.features.{i}"
            x = self.cbr(x, name, stride=2) if i < 2 else self.module(x, name)
            if x.shape[-1] == maps[-1].shape[-1]:
                maps[-1] = x
            else:
                maps.append(x)
            i += 1
        return maps[-3:]

    def arm(self, x, name):
        x = self.cbr(x, f"{name}.conv")
        gate = self.conv(F.adaptive_avg_pool2d(x, 1), f"{name}.conv_atten")
        return x * torch.sigmoid(self.norm(gate, f"{name}.bn_atten"))

    def forward(self, x):
        x8, x16, x32 = self.backbone(x)
        average = self.cbr(F.adaptive_avg_pool2d(x32, 1), "cp.conv_avg")
        up = F.interpolate(self.arm(x32, "cp.arm32") + average, size=x16.shape[2:])
        up32 = self.cbr(up, "cp.conv_head32")
        up = F.interpolate(self.arm(x16, "cp.arm16") + up32, size=x8.shape[2:])
        up16 = self.cbr(up, "cp.conv_head16")
        fused = self.cbr(torch.cat([x8, up16], 1), "ffm.convblk")
        gate = F.relu(self.conv(F.adaptive_avg_pool2d(fused, 1), "ffm.conv1"))
        fused = fused + fused * torch.sigmoid(self.conv(gate, "ffm.conv2"))
        return [
            self.conv(self.cbr(y, f"{head}.conv"), f"{head}.conv_out")
            for y, head in ((fused, "conv_out"), (up16, "conv_out16"), (up32, "conv_out32"))
        ]


def assert_all_outputs_agree(dialect, state, theirs):
    found = DIALECTS.get(dialect).read(state)
    assert found.left == ()
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state)
    picture = torch.randn(1, 3, 72, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        seen = []
        net.context.register_forward_hook(lambda module, inputs, output: seen.extend(output))
        ours = [net(picture).logits]
        ours += [net.aux8(seen[0]), net.aux16(seen[1])]
        for mine, wanted in zip(ours, theirs.forward(picture), strict=True):
            bound = 1e-4 * wanted.abs().max().item()
            torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=bound)


@pytest.mark.parametrize("name", ["stdc_STDCNet813", "stdc_STDCNet1446"])
def test_logits_are_those_of_the_authors(name, listed):
    state = listed(name, device="cpu")
    assert_all_outputs_agree("stdc", state, Theirs(state))


def test_doubles_and_what_only_trains_are_ignored(listed):
    found = DIALECTS.get("stdc").read(listed("stdc_STDCNet813"))
    reasons = Counter(found.ignored.values())
    backbone = [k for k in found.origins.values() if k.startswith("cp.backbone.features.")]
    assert max(reasons.values()) == len(backbone)
    assert len(reasons) == 3


MMSEG = (
    (r"backbone\.backbone\.stages\.([01])\.", r"cp.backbone.features.\1."),
    (r"backbone\.arms\.0\.", "cp.arm32."),
    (r"backbone\.arms\.1\.", "cp.arm16."),
    (r"\.conv_layer\.", ".conv."),
    (r"\.atten_conv_layer\.1\.conv\.", ".conv_atten."),
    (r"\.atten_conv_layer\.1\.bn\.", ".bn_atten."),
    (r"backbone\.convs\.0\.", "cp.conv_head32."),
    (r"backbone\.convs\.1\.", "cp.conv_head16."),
    (r"backbone\.conv_avg\.", "cp.conv_avg."),
    (r"backbone\.ffm\.conv0\.", "ffm.convblk."),
    (r"backbone\.ffm\.attention\.1\.conv\.", "ffm.conv1."),
    (r"backbone\.ffm\.attention\.2\.conv\.", "ffm.conv2."),
    (r"decode_head\.convs\.0\.", "conv_out.conv."),
    (r"decode_head\.conv_seg\.", "conv_out.conv_out."),
    (r"auxiliary_head\.0\.convs\.0\.", "conv_out16.conv."),
    (r"auxiliary_head\.0\.conv_seg\.", "conv_out16.conv_out."),
    (r"auxiliary_head\.1\.convs\.0\.", "conv_out32.conv."),
    (r"auxiliary_head\.1\.conv_seg\.", "conv_out32.conv_out."),
    (r"\.layers\.", ".conv_list."),
    (r"\.downsample\.conv\.", ".avd_layer.0."),
    (r"\.downsample\.bn\.", ".avd_layer.1."),
)


def as_authors(name):
    match = re.match(r"backbone\.backbone\.stages\.([234])\.([01])\.(.*)", name)
    if match:
        place = 2 + 2 * (int(match[1]) - 2) + int(match[2])
        name = f"cp.backbone.features.{place}.{match[3]}"
    for old, new in MMSEG:
        name = re.sub(old, new, name)
    return name


def test_logits_are_those_of_mmsegmentation(listed):
    state = listed("mm_stdc1_in1k-pre", device="cpu")
    twin = {as_authors(k): v for k, v in state.items() if not k.startswith("auxiliary_head.2.")}
    known = set(listed("stdc_STDCNet813"))
    assert {k for k in twin if k not in known} == {
        f"conv_out{n}.conv_out.bias" for n in ("", 16, 32)
    }
    assert_all_outputs_agree("mmseg_stdc", state, Theirs(twin))
