"""The maths of the dialects on dilated nets, against each program's forward pass said again.

The nets are those of the key lists with a sixteenth of the channels, so that maps can be large
enough for every dilation; the passes below work on the keys as they are in the files.
"""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into

THIN = 16


def thin(shapes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Random tensors with a sixteenth of the channels wherever that is a whole number."""
    random = torch.Generator().manual_seed(0)

    def drawn(key: str, tensor: Tensor) -> Tensor:
        shape = [side // THIN if side % THIN == 0 and side >= 32 else side for side in tensor.shape]
        if key.endswith("num_batches_tracked"):
            return torch.zeros((), dtype=torch.int64)
        if key.endswith("running_var"):
            return torch.rand(shape, generator=random) + 0.5
        values = torch.randn(shape, generator=random)
        if len(shape) == 1:
            return values * 0.2 + (1 if key.endswith("weight") else 0)
        return values * (2 / values[0].numel()) ** 0.5

    return {key: drawn(key, tensor) for key, tensor in shapes.items()}


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
