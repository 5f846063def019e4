"""BiSeNet files of mmsegmentation against CoinCheung's, and their maths."""

import re

import pytest
import torch

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS

TO_COINCHEUNG_V2 = (
    (r"backbone\.detail\.detail_branch\.0\.", "detail.S1."),
    (r"backbone\.detail\.detail_branch\.1\.", "detail.S2."),
    (r"backbone\.detail\.detail_branch\.2\.", "detail.S3."),
    (r"backbone\.semantic\.stage1\.conv_first", "segment.S1S2.conv"),
    (r"backbone\.semantic\.stage1\.convs", "segment.S1S2.left"),
    (r"backbone\.semantic\.stage1\.fuse_last", "segment.S1S2.fuse"),
    (r"backbone\.semantic\.stage2\.", "segment.S3."),
    (r"backbone\.semantic\.stage3\.", "segment.S4."),
    (r"backbone\.semantic\.stage4\.", "segment.S5_4."),
    (r"backbone\.semantic\.stage4_CEBlock\.gap\.1", "segment.S5_5.bn"),
    (r"backbone\.semantic\.stage4_CEBlock", "segment.S5_5"),
    (r"\.0\.dwconv\.([01])\.conv", r".0.dwconv<\1>.0"),
    (r"\.0\.dwconv\.([01])\.bn", r".0.dwconv<\1>.1"),
    (r"\.dwconv\.0\.conv", ".dwconv.0"),
    (r"\.dwconv\.0\.bn", ".dwconv.1"),
    ("dwconv<0>", "dwconv1"),
    ("dwconv<1>", "dwconv2"),
    (r"\.conv2\.0\.conv", ".conv2.0"),
    (r"\.conv2\.0\.bn", ".conv2.1"),
    (r"shortcut\.0\.depthwise_conv\.conv", "shortcut.0"),
    (r"shortcut\.0\.depthwise_conv\.bn", "shortcut.1"),
    (r"shortcut\.0\.pointwise_conv\.conv", "shortcut.2"),
    (r"shortcut\.0\.pointwise_conv\.bn", "shortcut.3"),
    (r"backbone\.bga\.detail_dwconv\.0\.", "bga.left1."),
    (r"backbone\.bga\.semantic_dwconv\.0\.", "bga.right2."),
    (r"depthwise_conv\.conv", "0"),
    (r"depthwise_conv\.bn", "1"),
    (r"pointwise_conv\.conv", "2"),
    (r"backbone\.bga\.detail_down\.0\.conv", "bga.left2.0"),
    (r"backbone\.bga\.detail_down\.0\.bn", "bga.left2.1"),
    (r"backbone\.bga\.semantic_conv\.0\.conv", "bga.right1.0"),
    (r"backbone\.bga\.semantic_conv\.0\.bn", "bga.right1.1"),
    (r"backbone\.bga\.conv\.conv", "bga.conv.0"),
    (r"backbone\.bga\.conv\.bn", "bga.conv.1"),
    (r"decode_head\.convs\.0", "head.conv"),
    (r"decode_head\.conv_seg", "head.conv_out.1"),
)
"""How a public remap names the tensors (order matters)."""


def renamed(name, rules):
    for pattern, new in rules:
        name = re.sub(pattern, new, name)
    return name


@pytest.fixture
def picture():
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def built(found, **more):
    net = NETS.get(found.net).build(found.num_classes, **{**found.net_args, **more}).eval()
    net.load_state_dict(found.state)
    return net


def test_v2_under_coincheungs_names_has_bit_equal_logits_with_bilinear_aggregation(listed, picture):
    state = listed("mm_bisenetv2_fcn", device="cpu")
    inference = {k: v for k, v in state.items() if not k.startswith("auxiliary_head")}
    theirs = {renamed(k, TO_COINCHEUNG_V2): v for k, v in inference.items()}
    biases = {k for k in theirs if re.fullmatch(r"bga\.(left1|right2)\.2\.bias", k)}
    assert set(theirs) - biases == set(listed("coincheung_bisenetv2_eval"))
    net = built(DIALECTS.get("mmseg_bisenet_v2").read(state))
    twin = DIALECTS.get("coincheung_bisenet_v2").read(theirs)
    assert twin.left == ()
    bilinear = built(twin, enlarge="bilinear", pointwise_bias=True)
    nearest = built(twin, pointwise_bias=True)
    with torch.inference_mode():
        ours = net(picture).logits
        assert torch.equal(ours, bilinear(picture).logits)
        assert not torch.allclose(ours, nearest(picture).logits, atol=1e-2)


def test_the_biases_of_the_aggregation_are_used(listed, picture):
    state = listed("mm_bisenetv2_fcn", device="cpu")
    net = built(DIALECTS.get("mmseg_bisenet_v2").read(state))
    with torch.inference_mode():
        before = net(picture).logits
        net.aggregation.detail_keep[1].bias.zero_()
        assert not torch.allclose(net(picture).logits, before)
