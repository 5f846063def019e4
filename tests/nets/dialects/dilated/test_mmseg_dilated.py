"""MMSegmentation's dilated nets, their forward passes said again."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of


def mmseg_backbone(m, x):
    """-> layer1 and layer4 of a ResNetV1c at stride 8."""
    h = m.deep_stem(x, [(f"backbone.stem.{i}", f"backbone.stem.{i + 1}") for i in (0, 3, 6)])
    low = m.stage(h, "backbone.layer1.")
    h = m.stage(low, "backbone.layer2.", stride=2)
    h = m.stage(h, "backbone.layer3.", dilations=(1, 2))
    return low, m.stage(h, "backbone.layer4.", dilations=(2, 4))


def mm(m, x, name, **options):
    return m.unit(x, f"decode_head.{name}.conv", f"decode_head.{name}.bn", **options)


def mm_separable(m, x, name, dilation=1):
    x = mm(m, x, f"{name}.depthwise_conv", dilation=dilation)
    return mm(m, x, f"{name}.pointwise_conv")


@pytest.mark.parametrize("name", ["mm_pspnet_r50-d8", "mm_pspnet_r101-d8"])
@torch.inference_mode()
def test_mmseg_pspnet(name, maths, picture):
    m, x = maths(name), picture(104, 136)
    _, h = mmseg_backbone(m, x)
    levels = [
        m.sized(mm(m, F.adaptive_avg_pool2d(h, bins), f"psp_modules.{i}.1"), h, align_corners=False)
        for i, bins in enumerate((1, 2, 3, 6))
    ]
    h = mm(m, torch.cat([h, *levels], 1), "bottleneck")
    m.same(m.ours(x, width=4), m.classify(h, "decode_head.conv_seg"))


@torch.inference_mode()
def test_mmseg_fcn(maths, picture):
    m, x = maths("mm_fcn_r50-d8"), picture(104, 136)
    _, h = mmseg_backbone(m, x)
    head = mm(m, mm(m, h, "convs.0"), "convs.1")
    h = mm(m, torch.cat([h, head], 1), "conv_cat")
    m.same(m.ours(x, width=4), m.classify(h, "decode_head.conv_seg"))


def test_mmseg_files_with_the_plain_stem_are_known(listed):
    state = listed("mm_pspnet_r50-d8")
    plain = {k: v for k, v in state.items() if not k.startswith("backbone.stem.")}
    plain["backbone.conv1.weight"] = torch.empty(64, 3, 7, 7, device="meta")
    plain |= {f"backbone.bn1.{k}": torch.empty(64, device="meta") for k in ("weight", "bias")}
    found = dialect_of(plain).read(plain)
    assert found.net_args["stem"] == "7x7"
    assert found.state["backbone.stem.0.weight"].shape == (64, 3, 7, 7)
    assert "backbone.stem.1.bias" in found.state


def mm_aspp(m, h, *, separable):
    """The image pool first, then the 1x1 and the dilated convolutions."""
    pool = mm(m, F.adaptive_avg_pool2d(h, 1), "image_pool.1")
    branches = [m.sized(pool, h, align_corners=False), mm(m, h, "aspp_modules.0")]
    for i, rate in enumerate((12, 24, 36), start=1):
        branch = mm_separable if separable else mm
        branches.append(branch(m, h, f"aspp_modules.{i}", dilation=rate))
    return mm(m, torch.cat(branches, 1), "bottleneck")


@torch.inference_mode()
def test_mmseg_deeplab_v3(maths, picture):
    m, x = maths("mm_deeplabv3_r101-d8"), picture(320, 328)
    _, h = mmseg_backbone(m, x)
    h = mm_aspp(m, h, separable=False)
    m.same(m.ours(x, width=4), m.classify(h, "decode_head.conv_seg"))


@torch.inference_mode()
def test_mmseg_deeplab_v3plus(maths, picture):
    m, x = maths("mm_deeplabv3plus_r101-d8"), picture(320, 328)
    low, h = mmseg_backbone(m, x)
    h = mm_aspp(m, h, separable=True)
    low = mm(m, low, "c1_bottleneck")
    h = torch.cat([m.sized(h, low, align_corners=False), low], 1)
    h = mm_separable(m, mm_separable(m, h, "sep_bottleneck.0"), "sep_bottleneck.1")
    m.same(m.ours(x, width=4, low_width=3), m.classify(h, "decode_head.conv_seg"))
