"""Other programs' U-Nets: their own forward, restated over their own names, answers as ours."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS, fit
from segstudio.nets.registry import NETS


def batch_norm(state, name, x):
    names = ("running_mean", "running_var", "weight", "bias")
    return F.batch_norm(x, *(state[f"{name}.{n}"] for n in names))


def milesial(state, x):
    def double(name, x):
        for conv, norm in ((0, 1), (3, 4)):
            x = F.conv2d(x, state[f"{name}.double_conv.{conv}.weight"], padding=1)
            x = batch_norm(state, f"{name}.double_conv.{norm}", x).relu()
        return x

    skips = [double("inc", x)]
    for i in range(1, 5):
        skips.append(double(f"down{i}.maxpool_conv.1", F.max_pool2d(skips[-1], 2)))
    x = skips.pop()
    for i in range(1, 5):
        skip = skips.pop()
        if f"up{i}.up.weight" in state:
            weight, bias = state[f"up{i}.up.weight"], state[f"up{i}.up.bias"]
            x = F.conv_transpose2d(x, weight, bias, stride=2)
        else:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, (dx // 2, dx - dx // 2, dy // 2, dy - dy // 2))
        x = double(f"up{i}.conv", torch.cat([skip, x], 1))
    return F.conv2d(x, state["outc.conv.weight"], state["outc.conv.bias"])


def mmseg(state, x):
    def block(name, x, padding):
        x = F.conv2d(x, state[f"{name}.conv.weight"], padding=padding)
        return batch_norm(state, f"{name}.bn", x).relu()

    skips = []
    for i in range(5):
        x = F.max_pool2d(x, 2) if i else x
        inside = f"backbone.encoder.{i}.{1 if i else 0}.convs"
        x = block(f"{inside}.1", block(f"{inside}.0", x, 1), 1)
        skips.append(x)
    for i in (3, 2, 1, 0):
        name = f"backbone.decoder.{i}"
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = block(f"{name}.upsample.interp_upsample.1", x, 0)
        x = torch.cat([skips[i], x], 1)
        for j in range(2):
            x = block(f"{name}.conv_block.convs.{j}", x, 1)
    x = block("decode_head.convs.0", x, 1)
    return F.conv2d(x, state["decode_head.conv_seg.weight"], state["decode_head.conv_seg.bias"])


@pytest.mark.parametrize(
    ("keys", "dialect", "theirs"),
    [
        ("milesial_unet", "milesial", milesial),
        ("milesial_unet_bilinear", "milesial", milesial),
        ("mm_unet-s5-d16_fcn", "mmseg_unet", mmseg),
    ],
)
def test_files_of_other_programs_answer_as_there(keys, dialect, theirs, listed):
    state = listed(keys, "cpu")
    found = DIALECTS.get(dialect).read(state)
    assert fit(found).is_whole
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state, strict=False)
    torch.manual_seed(1)
    x = torch.rand(1, 3, 32, 48 if dialect == "mmseg_unet" else 45)
    with torch.inference_mode():
        ours, wanted = net(x).logits, theirs(state, x)
    assert ours.shape == wanted.shape
    assert torch.allclose(ours, wanted, atol=1e-4 * wanted.abs().max())
