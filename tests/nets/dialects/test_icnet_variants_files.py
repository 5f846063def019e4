"""ICNet files of liminn's program and of mmsegmentation: their maths, restated."""

import re

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS


class Tensors:
    """Layers over the tensors of a file."""

    def __init__(self, state):
        self.state = state

    def conv(self, x, name, *, stride=1, dilation=1):
        weight = self.state[f"{name}.weight"]
        bias = self.state.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, stride, dilation * (weight.shape[-1] // 2), dilation)

    def norm(self, x, name):
        s = self.state
        return F.batch_norm(
            x,
            *(s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")),
        )

    def cbr(self, x, name, *, stride=1, dilation=1):
        x = self.conv(x, f"{name}.conv", stride=stride, dilation=dilation)
        return F.relu(self.norm(x, f"{name}.bn"))

    def layer(self, x, name, *, stride, dilations):
        i = 0
        while f"{name}.{i}.conv1.weight" in self.state:
            block, step = f"{name}.{i}", stride if i == 0 else 1
            y = F.relu(self.norm(self.conv(x, f"{block}.conv1"), f"{block}.bn1"))
            y = self.conv(y, f"{block}.conv2", stride=step, dilation=dilations[min(i, 1)])
            y = F.relu(self.norm(y, f"{block}.bn2"))
            y = self.norm(self.conv(y, f"{block}.conv3"), f"{block}.bn3")
            if i == 0:
                x = self.conv(x, f"{block}.downsample.0", stride=step)
                x = self.norm(x, f"{block}.downsample.1")
            x, i = F.relu(x + y), i + 1
        return x

    def shallow(self, x, name):
        """layer1 and layer2."""
        x = self.layer(x, f"{name}.layer1", stride=1, dilations=(1, 1))
        return self.layer(x, f"{name}.layer2", stride=2, dilations=(1, 1))

    def deep(self, x, name):
        """layer3 and layer4, dilated; their first blocks only as much as the layer before."""
        x = self.layer(x, f"{name}.layer3", stride=1, dilations=(1, 2))
        return self.layer(x, f"{name}.layer4", stride=1, dilations=(2, 4))


def resized(x, size, *, align_corners):
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=align_corners)


class Liminn(Tensors):
    def stem(self, x):
        for i, stride in ((0, 2), (3, 1)):
            x = self.conv(x, f"pretrained.conv1.{i}", stride=stride)
            x = F.relu(self.norm(x, f"pretrained.conv1.{i + 1}"))
        x = F.relu(self.norm(self.conv(x, "pretrained.conv1.6"), "pretrained.bn1"))
        return F.max_pool2d(x, 3, 2, 1)

    def fuse(self, low, high, name):
        low = resized(low, high.shape[2:], align_corners=True)
        low = self.norm(self.conv(low, f"{name}.conv_low.0", dilation=2), f"{name}.conv_low.1")
        high = self.norm(self.conv(high, f"{name}.conv_high.0"), f"{name}.conv_high.1")
        return F.relu(low + high), self.conv(low, f"{name}.conv_low_cls")

    def forward(self, x):
        def shrunk(factor):
            return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)

        sub1 = x
        for i in range(3):
            sub1 = self.cbr(sub1, f"conv_sub1.{i}", stride=2)
        sub2 = self.shallow(self.stem(shrunk(0.5)), "pretrained")
        sub4 = self.deep(self.shallow(self.stem(shrunk(0.25)), "pretrained"), "pretrained")
        pools = [F.adaptive_avg_pool2d(sub4, n) for n in (1, 2, 3, 6)]
        sub4 = sub4 + sum(resized(p, sub4.shape[2:], align_corners=True) for p in pools)
        fused, aux24 = self.fuse(sub4, sub2, "head.cff_24")
        fused, aux12 = self.fuse(fused, sub1, "head.cff_12")
        up = resized(fused, [2 * s for s in fused.shape[2:]], align_corners=True)
        return self.conv(up, "head.conv_cls"), aux24, aux12


class MMSeg(Tensors):
    def stem(self, x):
        for i, stride in ((0, 2), (3, 1), (6, 1)):
            x = self.conv(x, f"backbone.backbone.stem.{i}", stride=stride)
            x = F.relu(self.norm(x, f"backbone.backbone.stem.{i + 1}"))
        return F.max_pool2d(x, 3, 2, 1, ceil_mode=True)

    def fuse(self, low, high, name):
        low = resized(low, high.shape[2:], align_corners=False)
        low = self.cbr(low, f"{name}.conv_low", dilation=2)
        return F.relu(low + self.cbr(high, f"{name}.conv_high")), low

    def head(self, x, name):
        return self.conv(self.cbr(x, f"{name}.convs.0"), f"{name}.conv_seg")

    def forward(self, x):
        def halved(y):
            return F.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False)

        sub1 = x
        for i in range(3):
            sub1 = self.cbr(sub1, f"backbone.conv_sub1.{i}", stride=2)
        half = self.shallow(self.stem(halved(x)), "backbone.backbone")
        quarter = self.deep(halved(half), "backbone.backbone")
        parts = [
            resized(
                self.cbr(F.adaptive_avg_pool2d(quarter, n), f"backbone.psp_modules.{i}.1"),
                quarter.shape[2:],
                align_corners=False,
            )
            for i, n in enumerate((1, 2, 3, 6))
        ]
        quarter = self.cbr(torch.cat([*parts, quarter], 1), "backbone.psp_bottleneck")
        sub4 = self.cbr(quarter, "backbone.conv_sub4")
        fused, low24 = self.fuse(sub4, self.cbr(half, "backbone.conv_sub2"), "neck.cff_24")
        fused, low12 = self.fuse(fused, sub1, "neck.cff_12")
        return (
            self.head(fused, "decode_head"),
            self.head(low24, "auxiliary_head.0"),
            self.head(low12, "auxiliary_head.1"),
        )


@pytest.mark.parametrize(
    ("name", "dialect", "theirs"),
    [
        ("liminn_icnet_r50", "liminn_icnet", Liminn),
        ("mm_icnet_r50-d8-in1k-pre", "mmseg_icnet", MMSeg),
    ],
)
def test_logits_are_those_of_the_program(name, dialect, theirs, listed):
    state = listed(name, device="cpu")
    found = DIALECTS.get(dialect).read(state)
    assert found.left == ()
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state)
    picture = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    coarse = []
    for fusion in (net.cff_24, net.cff_12):
        fusion.register_forward_hook(lambda module, inputs, output: coarse.append(output[1]))
    with torch.inference_mode():
        ours = [net(picture).logits, net.aux_24(coarse[0]), net.aux_12(coarse[1])]
        for mine, wanted in zip(ours, theirs(state).forward(picture), strict=True):
            bound = 1e-4 * wanted.abs().max().item()
            torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=bound)


def test_the_unused_classifier_is_ignored(listed):
    found = DIALECTS.get("liminn_icnet").read(listed("liminn_icnet_r50"))
    assert sorted(found.ignored) == ["pretrained.fc.bias", "pretrained.fc.weight"]


def resnet_18_file():
    """The tensors of a smaller file, made up under mmsegmentation's names."""
    with torch.device("meta"):
        net = NETS.get("icnet_mmseg").build(19, depth=18)
    names = {
        r"resnet\.": "backbone.backbone.",
        r"pyramid\.levels\.(\d)\.": r"backbone.psp_modules.\1.1.",
        r"pyramid\.bottleneck\.": "backbone.psp_bottleneck.",
        r"sub1\.(\d)\.": r"backbone.conv_sub1.\1.",
        r"sub([24])\.": r"backbone.conv_sub\1.",
        r"(cff_\d+)\.(low|high)\.": r"neck.\1.conv_\2.",
        r"head\.0\.": "decode_head.convs.0.",
        r"head\.1\.": "decode_head.conv_seg.",
        r"aux_24\.0\.": "auxiliary_head.0.convs.0.",
        r"aux_24\.1\.": "auxiliary_head.0.conv_seg.",
        r"aux_12\.0\.": "auxiliary_head.1.convs.0.",
        r"aux_12\.1\.": "auxiliary_head.1.conv_seg.",
    }
    random = torch.Generator().manual_seed(5)
    made = {}
    for name, like in net.state_dict().items():
        old = next(p for p in names if re.match(p, name))
        theirs = re.sub(old, names[old], name, count=1)
        if "convs.0." in theirs or not theirs.startswith(("backbone.backbone", "decode", "aux")):
            theirs = re.sub(r"\.0\.(\w+)$", r".conv.\1", theirs)
            theirs = re.sub(r"\.1\.(\w+)$", r".bn.\1", theirs)
        if name.endswith("running_var"):
            made[theirs] = torch.rand(like.shape, generator=random) + 0.5
        elif name.endswith("num_batches_tracked"):
            made[theirs] = torch.zeros((), dtype=torch.int64)
        else:
            scale = (2 / max(1, like[0].numel())) ** 0.5 if like.dim() > 1 else 0.3
            made[theirs] = torch.randn(like.shape, generator=random) * scale
    return made


class MMSeg18(MMSeg):
    def layer(self, x, name, *, stride, dilations):
        for i in (0, 1):
            block, step = f"{name}.{i}", stride if i == 0 else 1
            y = self.conv(x, f"{block}.conv1", stride=step, dilation=dilations[i])
            y = F.relu(self.norm(y, f"{block}.bn1"))
            y = self.norm(self.conv(y, f"{block}.conv2"), f"{block}.bn2")
            if f"{block}.downsample.0.weight" in self.state:
                x = self.conv(x, f"{block}.downsample.0", stride=step)
                x = self.norm(x, f"{block}.downsample.1")
            x = F.relu(x + y)
        return x


def test_on_a_resnet_18_second_convolutions_are_not_dilated():
    state = resnet_18_file()
    found = DIALECTS.get("mmseg_icnet").read(state)
    assert (found.left, found.net_args) == ((), {"depth": 18})
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state)
    picture = torch.randn(1, 3, 192, 256, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours, theirs = net(picture).logits, MMSeg18(state).forward(picture)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.abs().max().item())
