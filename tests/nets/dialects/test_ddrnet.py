"""DDRNet's files: the same logits as the authors' forward, restated over their names."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS, dialect_of, fit
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into


class Theirs:
    """The authors' forward as functions over their tensors."""

    def __init__(self, state):
        self.s = state

    def conv(self, name, x, stride=1):
        w = self.s[f"{name}.weight"]
        return F.conv2d(x, w, self.s.get(f"{name}.bias"), stride, w.shape[2] // 2)

    def bn(self, name, x):
        rest = (self.s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *rest)

    def block(self, name, x, stride, is_last):
        out, count = x, 3 if f"{name}.conv3.weight" in self.s else 2
        strided = 1 if count == 2 else 2
        for i in range(1, count + 1):
            out = self.conv(f"{name}.conv{i}", out, stride if i == strided else 1)
            out = self.bn(f"{name}.bn{i}", out)
            out = F.relu(out) if i < count else out
        if f"{name}.downsample.0.weight" in self.s:
            x = self.bn(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, stride))
        out = out + x
        return out if is_last or count == 3 else F.relu(out)

    def layer(self, name, x, stride=1):
        count = len([k for k in self.s if k.startswith(f"{name}.") and k.endswith("conv1.weight")])
        for i in range(count):
            x = self.block(f"{name}.{i}", x, stride if i == 0 else 1, i == count - 1)
        return x

    def conv_bn(self, name, x, stride=1):
        return self.bn(f"{name}.1", self.conv(f"{name}.0", x, stride))

    def bn_conv(self, name, x, first=0):
        return self.conv(f"{name}.{first + 2}", F.relu(self.bn(f"{name}.{first}", x)))

    def up(self, x, like):
        return F.interpolate(x, size=like.shape[2:], mode="bilinear")

    def dappm(self, x):
        pools = [F.avg_pool2d(x, k, k // 2, k // 2) for k in (5, 9, 17)]
        found = [self.bn_conv("spp.scale0", x)]
        for i, pool in enumerate([*pools, F.adaptive_avg_pool2d(x, 1)], 1):
            scale = self.up(self.bn_conv(f"spp.scale{i}", pool, 1), x)
            found.append(self.bn_conv(f"spp.process{i}", scale + found[-1]))
        return self.bn_conv("spp.compression", torch.cat(found, 1)) + self.bn_conv(
            "spp.shortcut", x
        )

    def __call__(self, x):
        for i in (0, 3):
            x = F.relu(self.bn(f"conv1.{i + 1}", self.conv(f"conv1.{i}", x, 2)))
        x = self.layer("layer1", x)
        low = high = self.layer("layer2", F.relu(x), 2)
        thirds = ("3_1", "3_2") if "layer3_1.0.conv1.weight" in self.s else ("3",)
        for i, n in enumerate(thirds):
            low = self.layer(f"layer{n}", F.relu(low), 2 if i == 0 else 1)
            high = self.layer(f"layer{n}_", F.relu(high))
            narrow = self.conv_bn(f"compression{n}", F.relu(low))
            low = low + self.conv_bn(f"down{n}", F.relu(high), 2)
            high = high + self.up(narrow, high)
        low, high = self.layer("layer4", F.relu(low), 2), self.layer("layer4_", F.relu(high))
        narrow = self.conv_bn("compression4", F.relu(low))
        down = F.relu(self.conv_bn("down4", F.relu(high), 2))
        low = low + self.bn("down4.4", self.conv("down4.3", down, 2))
        high = high + self.up(narrow, high)
        high = self.layer("layer5_", F.relu(high))
        x = high + self.up(self.dappm(self.layer("layer5", F.relu(low), 2)), high)
        x = self.conv("final_layer.conv1", F.relu(self.bn("final_layer.bn1", x)))
        return self.conv("final_layer.conv2", F.relu(self.bn("final_layer.bn2", x)))


@pytest.mark.parametrize("name", ["DDRNet_23_slim", "DDRNet_39"])
def test_the_logits_are_the_authors(name, listed):
    state = listed(name, "cpu")
    found = dialect_of(state).read(state)
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    load_into(net, found.state, source=name)
    x = torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(net(x).logits, Theirs(state)(x), rtol=1e-4, atol=1e-4)


def test_files_of_a_training_run_are_read_whole(listed):
    state = listed("DDRNet_23_slim")
    head = {
        f"seghead_extra.{k.removeprefix('final_layer.')}": torch.empty(
            (64, *v.shape[1:]) if k.startswith("final_layer.bn1") and v.ndim else v.shape,
            device="meta",
        )
        for k, v in state.items()
        if k.startswith("final_layer.")
    }
    head["seghead_extra.conv1.weight"] = torch.empty(64, 64, 3, 3, device="meta")
    trained = {f"model.{k}": v for k, v in {**state, **head}.items()}
    trained["loss.criterion.weight"] = torch.empty(19, device="meta")
    dialect = dialect_of(trained)
    assert dialect is DIALECTS.get("ddrnet")
    found = dialect.read(trained)
    assert fit(found).is_whole
    assert "aux.5.weight" in found.state
    assert list(found.ignored) == ["loss.criterion.weight"]
