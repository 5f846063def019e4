"""BiSeNet files of CoinCheung's program and of mmsegmentation: their maths, restated."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS


class Theirs:
    """The forward that both have in common, over the tensors of a file under CoinCheung's names."""

    def __init__(self, state):
        self.state = state

    def conv(self, x, name, *, stride=1):
        weight = self.state[f"{name}.weight"]
        bias = self.state.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)

    def norm(self, x, name):
        s = self.state
        return F.batch_norm(
            x,
            *(s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")),
        )

    def cbr(self, x, name, *, stride=1):
        return F.relu(self.norm(self.conv(x, f"{name}.conv", stride=stride), f"{name}.bn"))

    def block(self, x, name, *, stride):
        y = F.relu(self.norm(self.conv(x, f"{name}.conv1", stride=stride), f"{name}.bn1"))
        y = self.norm(self.conv(y, f"{name}.conv2"), f"{name}.bn2")
        if f"{name}.downsample.0.weight" in self.state:
            x = self.conv(x, f"{name}.downsample.0", stride=stride)
            x = self.norm(x, f"{name}.downsample.1")
        return F.relu(x + y)

    def resnet(self, x):
        x = F.relu(self.norm(self.conv(x, "cp.resnet.conv1", stride=2), "cp.resnet.bn1"))
        x = F.max_pool2d(x, 3, 2, 1)
        stages = []
        for i in (1, 2, 3, 4):
            for j in (0, 1):
                stride = 2 if i > 1 and j == 0 else 1
                x = self.block(x, f"cp.resnet.layer{i}.{j}", stride=stride)
            stages.append(x)
        return stages[1:]

    def arm(self, x, name):
        x = self.cbr(x, f"{name}.conv")
        gate = self.conv(F.adaptive_avg_pool2d(x, 1), f"{name}.conv_atten")
        return x * torch.sigmoid(self.norm(gate, f"{name}.bn_atten"))

    def forward(self, x, gate):
        _, x16, x32 = self.resnet(x)
        average = self.cbr(F.adaptive_avg_pool2d(x32, 1), "cp.conv_avg")
        up = F.interpolate(self.arm(x32, "cp.arm32") + average, scale_factor=2)
        up32 = self.cbr(up, "cp.conv_head32")
        up = F.interpolate(self.arm(x16, "cp.arm16") + up32, scale_factor=2)
        up16 = self.cbr(up, "cp.conv_head16")
        for i, name in enumerate(("conv1", "conv2", "conv3", "conv_out")):
            x = self.cbr(x, f"sp.{name}", stride=2 if i < 3 else 1)
        fused = self.cbr(torch.cat([x, up16], 1), "ffm.convblk")
        fused = fused + fused * torch.sigmoid(gate(F.adaptive_avg_pool2d(fused, 1)))
        return [
            self.conv(self.cbr(y, f"{head}.conv"), f"{head}.conv_out")
            for y, head in ((fused, "conv_out"), (up16, "conv_out16"), (up32, "conv_out32"))
        ]

    def one_convolution(self, x):
        return self.norm(self.conv(x, "ffm.conv"), "ffm.bn")

    def two_convolutions(self, x):
        return self.conv(F.relu(self.conv(x, "ffm.conv1")), "ffm.conv2")


MMSEG = (
    ("backbone.context_path.backbone.", "cp.resnet."),
    ("backbone.context_path.gap_conv.1.", "cp.conv_avg."),
    ("backbone.context_path.", "cp."),
    (".conv_layer.", ".conv."),
    (".atten_conv_layer.1.conv.", ".conv_atten."),
    (".atten_conv_layer.1.bn.", ".bn_atten."),
    ("backbone.spatial_path.layer4.", "sp.conv_out."),
    ("backbone.spatial_path.layer", "sp.conv"),
    ("backbone.ffm.conv1.", "ffm.convblk."),
    ("backbone.ffm.conv_atten.0.", "ffm."),
    ("decode_head.convs.0.", "conv_out.conv."),
    ("decode_head.conv_seg.", "conv_out.conv_out."),
    ("auxiliary_head.0.convs.0.", "conv_out16.conv."),
    ("auxiliary_head.0.conv_seg.", "conv_out16.conv_out."),
    ("auxiliary_head.1.convs.0.", "conv_out32.conv."),
    ("auxiliary_head.1.conv_seg.", "conv_out32.conv_out."),
)


def as_coincheung(name):
    for old, new in MMSEG:
        name = name.replace(old, new)
    return name


@pytest.fixture
def picture():
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def assert_all_outputs_agree(dialect, state, theirs, picture):
    found = DIALECTS.get(dialect).read(state)
    assert found.left == ()
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    net.load_state_dict(found.state)
    with torch.inference_mode():
        seen = []
        net.context.register_forward_hook(lambda module, inputs, output: seen.extend(output))
        ours = [net(picture).logits]
        ours += [net.aux8(seen[0]), net.aux16(seen[1])]
        for mine, wanted in zip(ours, theirs(), strict=True):
            bound = 1e-4 * wanted.abs().max().item()
            torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=bound)


def test_logits_are_those_of_coincheung(listed, picture):
    state = listed("coincheung_bisenetv1_train", device="cpu")
    their = Theirs(state)
    assert_all_outputs_agree(
        "coincheung_bisenet_v1",
        state,
        lambda: their.forward(picture, their.one_convolution),
        picture,
    )


def test_logits_are_those_of_coincheungs_first_release(listed, picture):
    state = listed("coincheung_bisenetv1_train", device="cpu")
    random = torch.Generator().manual_seed(3)
    state = {
        k: v
        for k, v in state.items()
        if not k.startswith(("ffm.conv.", "ffm.bn.")) and not k.endswith("conv_out.bias")
    }
    state["ffm.conv1.weight"] = torch.randn(64, 256, 1, 1, generator=random) / 16
    state["ffm.conv2.weight"] = torch.randn(256, 64, 1, 1, generator=random) / 8
    their = Theirs(state)
    found = DIALECTS.get("coincheung_bisenet_v1").read(state)
    assert found.net_args == {"gate": "two", "classifier_bias": False, "align_corners": True}
    assert_all_outputs_agree(
        "coincheung_bisenet_v1",
        state,
        lambda: their.forward(picture, their.two_convolutions),
        picture,
    )


def test_mmseg_rectifies_the_gate_of_the_fusion(listed, picture):
    state = listed("mm_bisenetv1_r18-d32-in1k-pre", device="cpu")
    twin = {as_coincheung(k): v for k, v in state.items()}
    assert set(twin) == set(listed("coincheung_bisenetv1_train"))
    their = Theirs(twin)
    assert_all_outputs_agree(
        "mmseg_bisenet_v1",
        state,
        lambda: their.forward(picture, lambda x: F.relu(their.one_convolution(x))),
        picture,
    )
