"""PIDNet's files: the same logits as the authors' forward, restated over their names."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of, fit
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into


class Theirs:
    """The authors' forward as functions over their tensors."""

    def __init__(self, state):
        self.s = state

    def conv(self, name, x, stride=1):
        w = self.s[f"{name}.weight"]
        groups = x.shape[1] // w.shape[1]
        return F.conv2d(x, w, self.s.get(f"{name}.bias"), stride, w.shape[2] // 2, groups=groups)

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
        if f"{name}.conv1.weight" in self.s:
            return self.block(name, x, stride, is_last=True)
        count = len([k for k in self.s if k.startswith(f"{name}.") and k.endswith("conv1.weight")])
        for i in range(count):
            # A stage of a single basic block in a sequence would be rectified; there is none.
            x = self.block(f"{name}.{i}", x, stride if i == 0 else 1, i == count - 1)
        return x

    def conv_bn(self, name, x):
        return self.bn(f"{name}.1", self.conv(f"{name}.0", x))

    def bn_conv(self, name, x, first=0):
        return self.conv(f"{name}.{first + 2}", F.relu(self.bn(f"{name}.{first}", x)))

    def up(self, x, like):
        return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)

    def pyramid(self, x):
        pools = [F.avg_pool2d(x, k, k // 2, k // 2) for k in (5, 9, 17)]
        first = self.bn_conv("spp.scale0", x)
        scales = [
            self.up(self.bn_conv(f"spp.scale{i}", pool, 1), x)
            for i, pool in enumerate([*pools, F.adaptive_avg_pool2d(x, 1)], 1)
        ]
        if "spp.scale_process.0.weight" in self.s:
            coarser = self.bn_conv("spp.scale_process", torch.cat([s + first for s in scales], 1))
            found = [first, coarser]
        else:
            found = [first]
            for i, scale in enumerate(scales, 1):
                found.append(self.bn_conv(f"spp.process{i}", scale + found[-1]))
        short = self.bn_conv("spp.shortcut", x)
        return self.bn_conv("spp.compression", torch.cat(found, 1)) + short

    def pag(self, name, x, y):
        key, query = self.conv_bn(f"{name}.f_x", x), self.up(self.conv_bn(f"{name}.f_y", y), x)
        alike = torch.sigmoid((key * query).sum(1, keepdim=True))
        return (1 - alike) * x + alike * self.up(y, x)

    def bag(self, p, i, d):
        edge = torch.sigmoid(d)
        if "dfm.conv.0.weight" in self.s:
            return self.bn_conv("dfm.conv", edge * p + (1 - edge) * i)
        return self.conv_bn("dfm.conv_p", (1 - edge) * i + p) + self.conv_bn(
            "dfm.conv_i", i + edge * p
        )

    def __call__(self, x):
        for i in (0, 3):
            x = F.relu(self.bn(f"conv1.{i + 1}", self.conv(f"conv1.{i}", x, 2)))
        x = F.relu(self.layer("layer2", F.relu(self.layer("layer1", x)), 2))
        p, d = self.layer("layer3_", x), self.layer("layer3_d", x)
        x = F.relu(self.layer("layer3", x, 2))
        p = self.pag("pag3", p, self.conv_bn("compression3", x))
        d = d + self.up(self.conv_bn("diff3", x), d)
        x = F.relu(self.layer("layer4", x, 2))
        p, d = self.layer("layer4_", F.relu(p)), self.layer("layer4_d", F.relu(d))
        p = self.pag("pag4", p, self.conv_bn("compression4", x))
        d = d + self.up(self.conv_bn("diff4", x), d)
        p, d = self.layer("layer5_", F.relu(p)), self.layer("layer5_d", F.relu(d))
        x = self.bag(p, self.up(self.pyramid(self.layer("layer5", x, 2)), p), d)
        x = self.conv("final_layer.conv1", F.relu(self.bn("final_layer.bn1", x)))
        return self.conv("final_layer.conv2", F.relu(self.bn("final_layer.bn2", x)))


@pytest.mark.parametrize("name", ["pidnet_s", "pidnet_l"])
def test_the_logits_are_the_authors(name, listed):
    state = listed(name, "cpu")
    found = dialect_of(state).read(state)
    assert found.net == name
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    load_into(net, found.state, source=name)
    x = torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(net(x).logits, Theirs(state)(x), rtol=1e-4, atol=1e-4)


def test_files_of_a_training_run_are_read_whole(listed):
    state = {f"model.{k}": v for k, v in listed("pidnet_s").items()}
    p_head = {"bn1": (64,), "conv1": (128, 64, 3, 3), "bn2": (128,), "conv2": (19, 128, 1, 1)}
    for name, shape in p_head.items():
        state[f"model.seghead_p.{name}.weight"] = torch.empty(shape, device="meta")
        state[f"model.seghead_d.{name}.weight"] = torch.empty(shape, device="meta")
    state["sem_loss.criterion.weight"] = torch.empty(19, device="meta")
    found = dialect_of(state).read(state)
    assert fit(found).is_whole
    assert found.state["aux.2.weight"].shape == (128, 64, 3, 3)
    assert set(found.ignored.values()) == {"of the loss", "boundary head, for training only"}


def test_camvid_files_have_an_order_of_their_own(listed):
    state = listed("pidnet_s")
    for name in ("weight", "bias"):
        key = f"final_layer.conv2.{name}"
        state[key] = torch.empty((11, *state[key].shape[1:]), device="meta")
    found = dialect_of(state).read(state)
    assert (found.class_set, found.class_names[0]) == ("camvid", "Bicyclist")
