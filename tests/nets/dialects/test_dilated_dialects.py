"""The maths of the dialects on dilated nets, against each program's forward pass said again.

The nets are those of the key lists with a sixteenth of the channels, so that maps can be large
enough for every dilation; the passes below work on the keys as they are in the files.
"""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from segstudio.errors import ModelError
from segstudio.nets.dialect import dialect_of
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into

THIN = 16


def thin(shapes: dict[str, Tensor], by: int = THIN) -> dict[str, Tensor]:
    """Random tensors with a sixteenth of the channels wherever that is a whole number."""
    random = torch.Generator().manual_seed(0)

    def drawn(key: str, tensor: Tensor) -> Tensor:
        shape = [side // by if side % by == 0 and side >= 2 * by else side for side in tensor.shape]
        if key.endswith("num_batches_tracked"):
            return torch.zeros((), dtype=torch.int64)
        if key.endswith("running_var"):
            return torch.rand(shape, generator=random) + 0.5
        values = torch.randn(shape, generator=random)
        if len(shape) == 1:
            return values * 0.2 + (1 if key.endswith("weight") else 0)
        return values * (2 / values[0].numel()) ** 0.5

    return {key: drawn(key, tensor) for key, tensor in shapes.items()}


def whole(shapes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Random tensors of these shapes, for nets whose width is fixed."""
    return thin(shapes, by=1)


def picture(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def ours(state: dict[str, Tensor], x: Tensor, **narrower: int) -> Tensor:
    found = dialect_of(state).read(state)
    net = NETS.get(found.net).build(found.num_classes, **{**found.net_args, **narrower})
    load_into(net, found.state, source="the test")
    return net.eval()(x).logits


def same(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()))


def unit(s, x, conv, bn, *, stride=1, dilation=1, relu=True, padding=None):
    """Convolution (any groups), batch norm, ReLU, by the names of the two in the file."""
    weight = s[f"{conv}.weight"]
    if padding is None:
        padding = dilation * (weight.shape[2] // 2)
    x = F.conv2d(x, weight, None, stride, padding, dilation, x.shape[1] // weight.shape[1])
    mean, var = s[f"{bn}.running_mean"], s[f"{bn}.running_var"]
    x = F.batch_norm(x, mean, var, s[f"{bn}.weight"], s[f"{bn}.bias"], training=False)
    return x.relu() if relu else x


def classify(s, x, name):
    return F.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"])


def sized(x, like, *, align_corners):
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=align_corners)


def usual(block):
    """torchvision's names of a bottleneck: three units and the shortcut."""
    return (
        *((f"{block}.conv{i}", f"{block}.bn{i}") for i in (1, 2, 3)),
        (f"{block}.downsample.0", f"{block}.downsample.1"),
    )


def stage(s, x, prefix, *, stride=1, dilations=(1, 1), at_reduce=False, names=usual, first=0):
    """One stage of bottlenecks. dilations: of the first block, of the second, …, of the rest."""
    index = first
    while f"{names(f'{prefix}{index}')[0][0]}.weight" in s:
        reduce, conv, increase, shortcut = names(f"{prefix}{index}")
        dilation = dilations[min(index - first, len(dilations) - 1)]
        step = stride if index == first else 1
        h = unit(s, x, *reduce, stride=step if at_reduce else 1)
        h = unit(s, h, *conv, stride=1 if at_reduce else step, dilation=dilation)
        h = unit(s, h, *increase, relu=False)
        x = unit(s, x, *shortcut, stride=step, relu=False) if index == first else x
        x = (h + x).relu()
        index += 1
    assert index > first
    return x


def deep_stem(s, x, units):
    for index, (conv, bn) in enumerate(units):
        x = unit(s, x, conv, bn, stride=2 if index == 0 else 1)
    return F.max_pool2d(x, 3, 2, 1)


# --------------------------------------------------------------------------- PSPNet


@pytest.mark.parametrize("name", ["semseg_pspnet50_21", "semseg_pspnet101_19"])
@torch.inference_mode()
def test_semseg(name, listed):
    s, x = thin(listed(name)), picture(97, 129)
    h = deep_stem(s, x, [(f"layer0.{i}", f"layer0.{i + 1}") for i in (0, 3, 6)])
    h = stage(s, stage(s, h, "layer1."), "layer2.", stride=2)
    h = stage(s, stage(s, h, "layer3.", dilations=(2,)), "layer4.", dilations=(4,))
    levels = [h]
    for i, bins in enumerate((1, 2, 3, 6)):
        level = F.adaptive_avg_pool2d(h, bins)
        level = unit(s, level, f"ppm.features.{i}.1", f"ppm.features.{i}.2")
        levels.append(sized(level, h, align_corners=True))
    h = unit(s, torch.cat(levels, 1), "cls.0", "cls.1")
    same(ours(s, x, width=4), classify(s, h, "cls.4"))


def meetps(block):
    return (
        *((f"{block}.{u}.cbr_unit.0", f"{block}.{u}.cbr_unit.1") for u in ("cbr1", "cbr2")),
        *((f"{block}.{u}.cb_unit.0", f"{block}.{u}.cb_unit.1") for u in ("cb3", "cb4")),
    )


@torch.inference_mode()
def test_meetps_pspnet(listed):
    s, x = thin(listed("meetps_pspnet101_cityscapes")), picture(97, 129)
    h = deep_stem(
        s, x, [(f"convbnrelu1_{i}.cbr_unit.0", f"convbnrelu1_{i}.cbr_unit.1") for i in (1, 2, 3)]
    )
    for layer, stride, dilation in ((2, 1, 1), (3, 2, 1), (4, 1, 2), (5, 1, 4)):
        prefix = f"res_block{layer}.layers."
        h = stage(s, h, prefix, stride=stride, dilations=(dilation,), names=meetps)
    levels = [h]
    for i, bins in enumerate((6, 3, 2, 1)):
        size = (h.shape[2] // bins, h.shape[3] // bins)
        name = f"pyramid_pooling.path_module_list.{i}.cbr_unit"
        level = unit(s, F.avg_pool2d(h, size, size), f"{name}.0", f"{name}.1")
        levels.append(sized(level, h, align_corners=True))
    h = unit(s, torch.cat(levels, 1), "cbr_final.cbr_unit.0", "cbr_final.cbr_unit.1")
    same(ours(s, x, width=4), classify(s, h, "classification"))


# --------------------------------------------------------------------------- MMSegmentation


def mmseg_backbone(s, x):
    """-> layer1 and layer4 of a ResNetV1c at stride 8."""
    h = deep_stem(s, x, [(f"backbone.stem.{i}", f"backbone.stem.{i + 1}") for i in (0, 3, 6)])
    low = stage(s, h, "backbone.layer1.")
    h = stage(s, low, "backbone.layer2.", stride=2)
    h = stage(s, h, "backbone.layer3.", dilations=(1, 2))
    return low, stage(s, h, "backbone.layer4.", dilations=(2, 4))


def mm(s, x, name, **options):
    return unit(s, x, f"decode_head.{name}.conv", f"decode_head.{name}.bn", **options)


def mm_separable(s, x, name, dilation=1):
    x = mm(s, x, f"{name}.depthwise_conv", dilation=dilation)
    return mm(s, x, f"{name}.pointwise_conv")


@pytest.mark.parametrize("name", ["mm_pspnet_r50-d8", "mm_pspnet_r101-d8"])
@torch.inference_mode()
def test_mmseg_pspnet(name, listed):
    s, x = thin(listed(name)), picture(104, 136)
    _, h = mmseg_backbone(s, x)
    levels = [
        sized(mm(s, F.adaptive_avg_pool2d(h, bins), f"psp_modules.{i}.1"), h, align_corners=False)
        for i, bins in enumerate((1, 2, 3, 6))
    ]
    h = mm(s, torch.cat([h, *levels], 1), "bottleneck")
    same(ours(s, x, width=4), classify(s, h, "decode_head.conv_seg"))


@torch.inference_mode()
def test_mmseg_fcn(listed):
    s, x = thin(listed("mm_fcn_r50-d8")), picture(104, 136)
    _, h = mmseg_backbone(s, x)
    head = mm(s, mm(s, h, "convs.0"), "convs.1")
    h = mm(s, torch.cat([h, head], 1), "conv_cat")
    same(ours(s, x, width=4), classify(s, h, "decode_head.conv_seg"))


def test_mmseg_files_with_the_plain_stem_are_known(listed):
    state = listed("mm_pspnet_r50-d8")
    plain = {k: v for k, v in state.items() if not k.startswith("backbone.stem.")}
    plain["backbone.conv1.weight"] = torch.empty(64, 3, 7, 7, device="meta")
    plain |= {f"backbone.bn1.{k}": torch.empty(64, device="meta") for k in ("weight", "bias")}
    found = dialect_of(plain).read(plain)
    assert found.net_args["stem"] == "7x7"
    assert found.state["backbone.stem.0.weight"].shape == (64, 3, 7, 7)
    assert "backbone.stem.1.bias" in found.state


def mm_aspp(s, h, *, separable):
    """The image pool first, then the 1x1 and the dilated convolutions."""
    pool = mm(s, F.adaptive_avg_pool2d(h, 1), "image_pool.1")
    branches = [sized(pool, h, align_corners=False), mm(s, h, "aspp_modules.0")]
    for i, rate in enumerate((12, 24, 36), start=1):
        branch = mm_separable if separable else mm
        branches.append(branch(s, h, f"aspp_modules.{i}", dilation=rate))
    return mm(s, torch.cat(branches, 1), "bottleneck")


@torch.inference_mode()
def test_mmseg_deeplab_v3(listed):
    s, x = thin(listed("mm_deeplabv3_r101-d8")), picture(320, 328)
    _, h = mmseg_backbone(s, x)
    h = mm_aspp(s, h, separable=False)
    same(ours(s, x, width=4), classify(s, h, "decode_head.conv_seg"))


@torch.inference_mode()
def test_mmseg_deeplab_v3plus(listed):
    s, x = thin(listed("mm_deeplabv3plus_r101-d8")), picture(320, 328)
    low, h = mmseg_backbone(s, x)
    h = mm_aspp(s, h, separable=True)
    low = mm(s, low, "c1_bottleneck")
    h = torch.cat([sized(h, low, align_corners=False), low], 1)
    h = mm_separable(s, mm_separable(s, h, "sep_bottleneck.0"), "sep_bottleneck.1")
    same(ours(s, x, width=4, low_width=3), classify(s, h, "decode_head.conv_seg"))


# --------------------------------------------------------------------------- kazuto1011


def kazuto(block):
    units = ("reduce", "conv3x3", "increase", "shortcut")
    return tuple((f"{block}.{unit}.conv", f"{block}.{unit}.bn") for unit in units)


def kazuto_backbone(s, x, *, stride, grid=(1,)):
    """-> layer2 and layer5 at output stride 8 or 16."""
    h = unit(s, x, "layer1.conv1.conv", "layer1.conv1.bn", stride=2)
    h = F.max_pool2d(h, 3, 2, 1, ceil_mode=True)
    options = {"at_reduce": True, "names": kazuto, "first": 1}
    low = stage(s, h, "layer2.block", **options)
    h = stage(s, low, "layer3.block", stride=2, **options)
    third, fourth = (1, 4) if stride == 8 else (2, 2)
    dilation = 2 if stride == 8 else 1
    h = stage(s, h, "layer4.block", stride=third, dilations=(dilation,), **options)
    return low, stage(s, h, "layer5.block", dilations=[fourth * g for g in grid], **options)


def kazuto_unit(s, x, name, dilation=1):
    return unit(s, x, f"{name}.conv", f"{name}.bn", dilation=dilation)


def kazuto_aspp(s, h):
    branches = [
        kazuto_unit(s, h, f"aspp.stages.c{i}", dilation=rate)
        for i, rate in enumerate((1, 6, 12, 18))
    ]
    pool = kazuto_unit(s, F.adaptive_avg_pool2d(h, 1), "aspp.stages.imagepool.conv")
    return kazuto_unit(s, torch.cat([*branches, sized(pool, h, align_corners=False)], 1), "fc1")


# An even side shows that max pooling rounds up; the net itself wants odd ones.
SIDES = [(329, 337), (312, 328)]


@pytest.mark.parametrize("sides", SIDES)
@torch.inference_mode()
def test_kazuto_deeplab_v1(sides, listed):
    s, x = thin(listed("kazuto_deeplabv1_r101")), picture(*sides)
    _, h = kazuto_backbone(s, x, stride=8)
    same(ours(s, x, width=4), classify(s, h, "fc"))


@torch.inference_mode()
def test_kazuto_deeplab_v2(listed):
    s, x = thin(listed("kazuto_deeplabv2_r101")), picture(*SIDES[0])
    _, h = kazuto_backbone(s, x, stride=8)
    scores = sum(
        F.conv2d(h, s[f"aspp.c{i}.weight"], s[f"aspp.c{i}.bias"], 1, rate, rate)
        for i, rate in enumerate((6, 12, 18, 24))
    )
    same(ours(s, x, width=4), scores)


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
def test_kazuto_deeplab_v3(listed):
    s, x = thin(listed("kazuto_deeplabv3_r101")), picture(*SIDES[0])
    _, h = kazuto_backbone(s, x, stride=16, grid=(1, 2, 4))
    same(ours(s, x, width=4, aspp_width=16), classify(s, kazuto_aspp(s, h), "fc2"))


@torch.inference_mode()
def test_kazuto_deeplab_v3plus(listed):
    s, x = thin(listed("kazuto_deeplabv3plus_r101")), picture(*SIDES[0])
    low, h = kazuto_backbone(s, x, stride=16, grid=(1, 2, 4))
    low = kazuto_unit(s, low, "reduce")
    h = torch.cat([sized(kazuto_aspp(s, h), low, align_corners=False), low], 1)
    h = kazuto_unit(s, kazuto_unit(s, h, "fc2.conv1"), "fc2.conv2")
    logits = ours(s, x, width=4, aspp_width=16, low_width=3)
    same(logits, classify(s, h, "fc2.conv3"))


# --------------------------------------------------------------------------- VainF


def vainf_resnet(s, x):
    h = F.max_pool2d(unit(s, x, "backbone.conv1", "backbone.bn1", stride=2), 3, 2, 1)
    low = stage(s, h, "backbone.layer1.")
    h = stage(s, low, "backbone.layer2.", stride=2)
    h = stage(s, h, "backbone.layer3.", stride=2)
    return low, stage(s, h, "backbone.layer4.", dilations=(1, 2))


def relu6_unit(s, x, conv, bn, **options):
    return unit(s, x, conv, bn, padding=0, **options).clamp(max=6)


def vainf_mobilenet(s, x):
    """Every block pads its input before it expands it; the stem pads nothing."""
    name = "backbone.low_level_features.0"
    x = relu6_unit(s, x, f"{name}.0", f"{name}.1", stride=2)
    low = x
    strided, dilated = (2, 4, 7), {15: 2, 16: 2, 17: 2}
    for feature in range(1, 18):
        part = "low" if feature < 4 else "high"
        conv = f"backbone.{part}_level_features.{feature}.conv"
        dilation, stride = dilated.get(feature, 1), 2 if feature in strided else 1
        h, at = F.pad(x, (dilation,) * 4), 0
        if feature > 1:
            h = relu6_unit(s, h, f"{conv}.0.0", f"{conv}.0.1")
            at = 1
        h = relu6_unit(s, h, f"{conv}.{at}.0", f"{conv}.{at}.1", stride=stride, dilation=dilation)
        h = unit(s, h, f"{conv}.{at + 1}", f"{conv}.{at + 2}", relu=False)
        x = x + h if h.shape == x.shape else h
        low = x if feature == 3 else low
    return low, x


def vainf_separable(s, x, name, bn, dilation=1, padding=None):
    """Depthwise and 1x1 with nothing between; bn "" for none."""
    weight = s[f"{name}.conv1.weight"]
    padding = dilation if padding is None else padding
    x = F.conv2d(x, weight, None, 1, padding, dilation, len(weight))
    x = F.conv2d(x, s[f"{name}.pointwise.weight"])
    if not bn:
        return x
    values = [s[f"{bn}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(x, *values)


def vainf_xception(s, x):
    """The last blocks are dilated by 2; the last two convolutions pad one pixel all the same."""
    for n, stride in ((1, 2), (2, 1)):
        x = unit(s, x, f"backbone.conv{n}", f"backbone.bn{n}", stride=stride, padding=0)
    low = x
    for block in range(1, 13):
        name = f"backbone.block{block}"
        dilation = 2 if block == 12 else 1
        starts = [i for i in range(9) if f"{name}.rep.{i}.conv1.weight" in s]
        h = x
        for i in starts:
            h = h.relu() if i else h
            h = vainf_separable(s, h, f"{name}.rep.{i}", f"{name}.rep.{i + 1}", dilation)
        stride = 2 if block <= 3 else 1
        h = F.max_pool2d(h, 3, stride, 1) if stride == 2 else h
        if f"{name}.skip.weight" in s:
            x = unit(s, x, f"{name}.skip", f"{name}.skipbn", stride=stride, relu=False)
        x = x + h
        low = x if block == 1 else low
    x = vainf_separable(s, x, "backbone.conv3", "backbone.bn3", 2, padding=1).relu()
    return low, vainf_separable(s, x, "backbone.conv4", "", 2, padding=1)


def vainf_aspp(s, h, name):
    branches = [
        unit(s, h, f"{name}.convs.{i}.0", f"{name}.convs.{i}.1", dilation=rate)
        for i, rate in enumerate((1, 6, 12, 18))
    ]
    pool = unit(s, F.adaptive_avg_pool2d(h, 1), f"{name}.convs.4.1", f"{name}.convs.4.2")
    h = torch.cat([*branches, sized(pool, h, align_corners=False)], 1)
    return unit(s, h, f"{name}.project.0", f"{name}.project.1")


def vainf_v3(s, h):
    h = vainf_aspp(s, h, "classifier.classifier.0")
    h = unit(s, h, "classifier.classifier.1", "classifier.classifier.2")
    return classify(s, h, "classifier.classifier.4")


def vainf_v3plus(s, low, h):
    low = unit(s, low, "classifier.project.0", "classifier.project.1")
    h = sized(vainf_aspp(s, h, "classifier.aspp"), low, align_corners=False)
    h = unit(s, torch.cat([low, h], 1), "classifier.classifier.0", "classifier.classifier.1")
    return classify(s, h, "classifier.classifier.3")


@torch.inference_mode()
def test_vainf_deeplab_v3(listed):
    s, x = thin(listed("vainf_deeplabv3_resnet50_21")), picture(320, 336)
    _, h = vainf_resnet(s, x)
    same(ours(s, x, width=4, aspp_width=16), vainf_v3(s, h))


@pytest.mark.parametrize(
    "name", ["vainf_deeplabv3plus_resnet50_21", "vainf_deeplabv3plus_resnet101_19"]
)
@torch.inference_mode()
def test_vainf_deeplab_v3plus(name, listed):
    s, x = thin(listed(name)), picture(320, 336)
    same(ours(s, x, width=4, aspp_width=16, low_width=3), vainf_v3plus(s, *vainf_resnet(s, x)))


@pytest.mark.parametrize(
    "name", ["vainf_deeplabv3_mobilenet_21", "vainf_deeplabv3plus_mobilenet_19"]
)
@torch.inference_mode()
def test_vainf_on_mobilenet(name, listed):
    s, x = whole(listed(name)), picture(160, 192)
    low, h = vainf_mobilenet(s, x)
    same(ours(s, x), vainf_v3plus(s, low, h) if "plus" in name else vainf_v3(s, h))


@torch.inference_mode()
def test_vainf_on_xception(listed):
    s, x = whole(listed("vainf_deeplabv3plus_xception_21")), picture(160, 192)
    same(ours(s, x), vainf_v3plus(s, *vainf_xception(s, x)))


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("semseg_pspnet50_19", "cls.4.weight"),
        ("meetps_pspnet101_cityscapes", "classification.weight"),
        ("mm_deeplabv3_r101-d8", "decode_head.bottleneck.conv.weight"),
        ("kazuto_deeplabv3_r101", "fc2.weight"),
        ("vainf_deeplabv3plus_resnet50_21", "classifier.classifier.3.weight"),
    ],
)
def test_a_file_without_its_classifier_is_nobodys(name, last, listed):
    state = listed(name)
    assert dialect_of(state) is not None
    del state[last]
    assert dialect_of(state) is None


def test_a_depth_that_is_not_built_is_refused(listed):
    state = listed("semseg_pspnet50_19")
    odd = {k: v for k, v in state.items() if not k.startswith("layer3.5.")}
    with pytest.raises(ModelError, match="5 blocks in its third stage"):
        dialect_of(odd).read(odd)
