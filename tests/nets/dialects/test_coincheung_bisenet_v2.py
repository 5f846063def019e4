"""BiSeNet V2 files of CoinCheung's program: their maths, restated over their own names."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS


class Theirs:
    """The program's forward over the tensors of a file."""

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

    def pair(self, x, name, first=0, *, stride=1, groups=1):
        x = self.conv(x, f"{name}.{first}", stride=stride, groups=groups)
        return self.norm(x, f"{name}.{first + 1}")

    def gather_expand(self, x, name):
        channels = x.shape[1]
        y = self.cbr(x, f"{name}.conv1")
        if f"{name}.dwconv.0.weight" in self.state:
            y = F.relu(self.pair(y, f"{name}.dwconv", groups=channels))
            return F.relu(self.pair(y, f"{name}.conv2") + x)
        y = self.pair(y, f"{name}.dwconv1", stride=2, groups=channels)
        y = F.relu(self.pair(y, f"{name}.dwconv2", groups=y.shape[1]))
        short = self.pair(x, f"{name}.shortcut", stride=2, groups=channels)
        short = self.pair(short, f"{name}.shortcut", 2)
        return F.relu(self.pair(y, f"{name}.conv2") + short)

    def semantic(self, x):
        x = self.cbr(x, "segment.S1S2.conv", stride=2)
        left = self.cbr(self.cbr(x, "segment.S1S2.left.0"), "segment.S1S2.left.1", stride=2)
        stages = [self.cbr(torch.cat([left, F.max_pool2d(x, 3, 2, 1)], 1), "segment.S1S2.fuse")]
        for stage, blocks in (("S3", 2), ("S4", 2), ("S5_4", 4)):
            x = stages[-1]
            for i in range(blocks):
                x = self.gather_expand(x, f"segment.{stage}.{i}")
            stages.append(x)
        mean = self.norm(x.mean((2, 3), keepdim=True), "segment.S5_5.bn")
        x = self.cbr(mean, "segment.S5_5.conv_gap") + x
        return stages, self.cbr(x, "segment.S5_5.conv_last")

    def aggregate(self, detail, semantic, enlarged):
        left1 = self.conv(self.pair(detail, "bga.left1", groups=128), "bga.left1.2")
        left2 = F.avg_pool2d(self.pair(detail, "bga.left2", stride=2), 3, 2, 1)
        right1 = self.pair(semantic, "bga.right1")
        right2 = self.conv(self.pair(semantic, "bga.right2", groups=128), "bga.right2.2")
        fine = left1 * torch.sigmoid(enlarged(right1))
        coarse = enlarged(left2 * torch.sigmoid(right2))
        return F.relu(self.pair(fine + coarse, "bga.conv"))

    def forward(self, x, enlarged):
        detail = x
        for stage, blocks in (("S1", 2), ("S2", 3), ("S3", 3)):
            for i in range(blocks):
                detail = self.cbr(detail, f"detail.{stage}.{i}", stride=2 if i == 0 else 1)
        stages, semantic = self.semantic(x)
        fused = self.cbr(self.aggregate(detail, semantic, enlarged), "head.conv")
        return stages, fused

    def booster(self, x, name):
        x = F.interpolate(self.cbr(x, f"{name}.conv"), scale_factor=2)
        return self.conv(self.cbr(x, f"{name}.conv_out.0.1"), f"{name}.conv_out.1")


@pytest.fixture
def picture():
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def loaded(state):
    found = DIALECTS.get("coincheung_bisenet_v2").read(state)
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state)
    return net


def assert_same(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.abs().max().item())


def test_logits_are_those_of_the_program(listed, picture):
    state = listed("coincheung_bisenetv2_eval", device="cpu")
    net, theirs = loaded(state), Theirs(state)
    with torch.inference_mode():
        _, fused = theirs.forward(picture, lambda x: F.interpolate(x, scale_factor=4))
        assert_same(net(picture).logits, theirs.conv(fused, "head.conv_out.1"))


def test_booster_heads_are_those_of_the_program(listed, picture):
    state = listed("coincheung_bisenetv2_train", device="cpu")
    net, theirs = loaded(state), Theirs(state)
    with torch.inference_mode():
        stages, _ = theirs.forward(picture, lambda x: F.interpolate(x, scale_factor=4))
        for head, x, name in zip(
            net.boosters, stages, ("aux2", "aux3", "aux4", "aux5_4"), strict=True
        ):
            assert_same(head(x), theirs.booster(x, name))


def test_the_first_release_is_bilinear_with_aligned_corners(listed, picture):
    state = {
        key.replace("conv_out.1.", "conv_out."): value
        for key, value in listed("coincheung_bisenetv2_eval", device="cpu").items()
    }
    net, theirs = loaded(state), Theirs(state)
    assert net.align_corners

    def enlarged(x):
        return F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=True)

    with torch.inference_mode():
        _, fused = theirs.forward(picture, enlarged)
        assert_same(net(picture).logits, theirs.conv(fused, "head.conv_out"))


def test_pictures_are_normalised_by_the_colours_of_the_data(listed):
    found = DIALECTS.get("coincheung_bisenet_v2").read(listed("coincheung_bisenetv2_train"))
    assert found.input["mean"] == (0.3257, 0.3690, 0.3223)
    assert found.input["std"] == (0.2112, 0.2148, 0.2115)
    assert found.class_set == "cityscapes19"
