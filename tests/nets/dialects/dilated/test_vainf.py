"""DeepLabV3Plus-Pytorch's nets, their forward passes said again."""

import pytest
import torch
from torch.nn import functional as F


def vainf_resnet(m, x):
    h = F.max_pool2d(m.unit(x, "backbone.conv1", "backbone.bn1", stride=2), 3, 2, 1)
    low = m.stage(h, "backbone.layer1.")
    h = m.stage(low, "backbone.layer2.", stride=2)
    h = m.stage(h, "backbone.layer3.", stride=2)
    return low, m.stage(h, "backbone.layer4.", dilations=(1, 2))


def relu6_unit(m, x, conv, bn, **options):
    return m.unit(x, conv, bn, padding=0, **options).clamp(max=6)


def vainf_mobilenet(m, x):
    """Every block pads its input before it expands it; the stem pads nothing."""
    name = "backbone.low_level_features.0"
    x = relu6_unit(m, x, f"{name}.0", f"{name}.1", stride=2)
    low = x
    strided, dilated = (2, 4, 7), {15: 2, 16: 2, 17: 2}
    for feature in range(1, 18):
        part = "low" if feature < 4 else "high"
        conv = f"backbone.{part}_level_features.{feature}.conv"
        dilation, stride = dilated.get(feature, 1), 2 if feature in strided else 1
        h, at = F.pad(x, (dilation,) * 4), 0
        if feature > 1:
            h = relu6_unit(m, h, f"{conv}.0.0", f"{conv}.0.1")
            at = 1
        h = relu6_unit(m, h, f"{conv}.{at}.0", f"{conv}.{at}.1", stride=stride, dilation=dilation)
        h = m.unit(h, f"{conv}.{at + 1}", f"{conv}.{at + 2}", relu=False)
        x = x + h if h.shape == x.shape else h
        low = x if feature == 3 else low
    return low, x


def vainf_separable(m, x, name, bn, dilation=1, padding=None):
    """Depthwise and 1x1 with nothing between; bn "" for none."""
    weight = m.state[f"{name}.conv1.weight"]
    padding = dilation if padding is None else padding
    x = F.conv2d(x, weight, None, 1, padding, dilation, len(weight))
    x = F.conv2d(x, m.state[f"{name}.pointwise.weight"])
    return m.norm(x, bn) if bn else x


def vainf_xception(m, x):
    """The last blocks are dilated by 2; the last two convolutions pad one pixel all the same."""
    for n, stride in ((1, 2), (2, 1)):
        x = m.unit(x, f"backbone.conv{n}", f"backbone.bn{n}", stride=stride, padding=0)
    low = x
    for block in range(1, 13):
        name = f"backbone.block{block}"
        dilation = 2 if block == 12 else 1
        starts = [i for i in range(9) if f"{name}.rep.{i}.conv1.weight" in m.state]
        h = x
        for i in starts:
            h = h.relu() if i else h
            h = vainf_separable(m, h, f"{name}.rep.{i}", f"{name}.rep.{i + 1}", dilation)
        stride = 2 if block <= 3 else 1
        h = F.max_pool2d(h, 3, stride, 1) if stride == 2 else h
        if f"{name}.skip.weight" in m.state:
            x = m.unit(x, f"{name}.skip", f"{name}.skipbn", stride=stride, relu=False)
        x = x + h
        low = x if block == 1 else low
    x = vainf_separable(m, x, "backbone.conv3", "backbone.bn3", 2, padding=1).relu()
    return low, vainf_separable(m, x, "backbone.conv4", "", 2, padding=1)


def vainf_aspp(m, h, name):
    branches = [
        m.unit(h, f"{name}.convs.{i}.0", f"{name}.convs.{i}.1", dilation=rate)
        for i, rate in enumerate((1, 6, 12, 18))
    ]
    pool = m.unit(F.adaptive_avg_pool2d(h, 1), f"{name}.convs.4.1", f"{name}.convs.4.2")
    h = torch.cat([*branches, m.sized(pool, h, align_corners=False)], 1)
    return m.unit(h, f"{name}.project.0", f"{name}.project.1")


def vainf_v3(m, h):
    h = vainf_aspp(m, h, "classifier.classifier.0")
    h = m.unit(h, "classifier.classifier.1", "classifier.classifier.2")
    return m.classify(h, "classifier.classifier.4")


def vainf_v3plus(m, low, h):
    low = m.unit(low, "classifier.project.0", "classifier.project.1")
    h = m.sized(vainf_aspp(m, h, "classifier.aspp"), low, align_corners=False)
    h = m.unit(torch.cat([low, h], 1), "classifier.classifier.0", "classifier.classifier.1")
    return m.classify(h, "classifier.classifier.3")


@torch.inference_mode()
def test_vainf_deeplab_v3(maths, picture):
    m, x = maths("vainf_deeplabv3_resnet50_21"), picture(320, 336)
    _, h = vainf_resnet(m, x)
    m.same(m.ours(x, width=4, aspp_width=16), vainf_v3(m, h))


@pytest.mark.parametrize(
    "name", ["vainf_deeplabv3plus_resnet50_21", "vainf_deeplabv3plus_resnet101_19"]
)
@torch.inference_mode()
def test_vainf_deeplab_v3plus(name, maths, picture):
    m, x = maths(name), picture(320, 336)
    m.same(m.ours(x, width=4, aspp_width=16, low_width=3), vainf_v3plus(m, *vainf_resnet(m, x)))


@pytest.mark.parametrize(
    "name", ["vainf_deeplabv3_mobilenet_21", "vainf_deeplabv3plus_mobilenet_19"]
)
@torch.inference_mode()
def test_vainf_on_mobilenet(name, maths, picture):
    m, x = maths(name, by=1), picture(160, 192)
    low, h = vainf_mobilenet(m, x)
    m.same(m.ours(x), vainf_v3plus(m, low, h) if "plus" in name else vainf_v3(m, h))


@torch.inference_mode()
def test_vainf_on_xception(maths, picture):
    m, x = maths("vainf_deeplabv3plus_xception_21", by=1), picture(160, 192)
    m.same(m.ours(x), vainf_v3plus(m, *vainf_xception(m, x)))
