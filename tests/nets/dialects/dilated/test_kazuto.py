"""deeplab-pytorch's four nets, their forward passes said again."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of


def kazuto(block):
    units = ("reduce", "conv3x3", "increase", "shortcut")
    return tuple((f"{block}.{unit}.conv", f"{block}.{unit}.bn") for unit in units)


def kazuto_backbone(m, x, *, stride, grid=(1,)):
    """-> layer2 and layer5 at output stride 8 or 16."""
    h = m.unit(x, "layer1.conv1.conv", "layer1.conv1.bn", stride=2)
    h = F.max_pool2d(h, 3, 2, 1, ceil_mode=True)
    options = {"at_reduce": True, "names": kazuto, "first": 1}
    low = m.stage(h, "layer2.block", **options)
    h = m.stage(low, "layer3.block", stride=2, **options)
    third, fourth = (1, 4) if stride == 8 else (2, 2)
    dilation = 2 if stride == 8 else 1
    h = m.stage(h, "layer4.block", stride=third, dilations=(dilation,), **options)
    return low, m.stage(h, "layer5.block", dilations=[fourth * g for g in grid], **options)


def kazuto_unit(m, x, name, dilation=1):
    return m.unit(x, f"{name}.conv", f"{name}.bn", dilation=dilation)


def kazuto_aspp(m, h):
    branches = [
        kazuto_unit(m, h, f"aspp.stages.c{i}", dilation=rate)
        for i, rate in enumerate((1, 6, 12, 18))
    ]
    pool = kazuto_unit(m, F.adaptive_avg_pool2d(h, 1), "aspp.stages.imagepool.conv")
    return kazuto_unit(m, torch.cat([*branches, m.sized(pool, h, align_corners=False)], 1), "fc1")


# An even side shows that max pooling rounds up; the net itself wants odd ones.
SIDES = [(329, 337), (312, 328)]


@pytest.mark.parametrize("sides", SIDES)
@torch.inference_mode()
def test_kazuto_deeplab_v1(sides, maths, picture):
    m, x = maths("kazuto_deeplabv1_r101"), picture(*sides)
    _, h = kazuto_backbone(m, x, stride=8)
    m.same(m.ours(x, width=4), m.classify(h, "fc"))


@torch.inference_mode()
def test_kazuto_deeplab_v2(maths, picture):
    m, x = maths("kazuto_deeplabv2_r101"), picture(*SIDES[0])
    _, h = kazuto_backbone(m, x, stride=8)
    scores = sum(
        F.conv2d(h, m.state[f"aspp.c{i}.weight"], m.state[f"aspp.c{i}.bias"], 1, rate, rate)
        for i, rate in enumerate((6, 12, 18, 24))
    )
    m.same(m.ours(x, width=4), scores)


def test_kazuto_files_of_the_first_year_are_known(listed):
    now = listed("kazuto_deeplabv2_r101")
    then = {
        k.replace("aspp.", "aspp.stages.").replace("shortcut", "proj"): v for k, v in now.items()
    }
    assert then.keys() != now.keys()
    found = dialect_of(then).read(then)
    assert found.left == ()
    assert found.state.keys() == dialect_of(now).read(now).state.keys()


@torch.inference_mode()
def test_kazuto_deeplab_v3(maths, picture):
    m, x = maths("kazuto_deeplabv3_r101"), picture(*SIDES[0])
    _, h = kazuto_backbone(m, x, stride=16, grid=(1, 2, 4))
    m.same(m.ours(x, width=4, aspp_width=16), m.classify(kazuto_aspp(m, h), "fc2"))


@torch.inference_mode()
def test_kazuto_deeplab_v3plus(maths, picture):
    m, x = maths("kazuto_deeplabv3plus_r101"), picture(*SIDES[0])
    low, h = kazuto_backbone(m, x, stride=16, grid=(1, 2, 4))
    low = kazuto_unit(m, low, "reduce")
    h = torch.cat([m.sized(kazuto_aspp(m, h), low, align_corners=False), low], 1)
    h = kazuto_unit(m, kazuto_unit(m, h, "fc2.conv1"), "fc2.conv2")
    logits = m.ours(x, width=4, aspp_width=16, low_width=3)
    m.same(logits, m.classify(h, "fc2.conv3"))
