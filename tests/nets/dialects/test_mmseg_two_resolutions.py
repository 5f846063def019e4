"""MMSegmentation's DDRNet and PIDNet: the same logits as its forward, restated over its names."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into


class Theirs:
    """ConvModules, blocks and pyramids as functions over the tensors of a file."""

    def __init__(self, state):
        self.s = state
        self.net = self.ddrnet if "backbone.down_1.conv.weight" in state else self.pidnet

    def conv(self, name, x, stride=1):
        w = self.s[f"{name}.weight"]
        groups = x.shape[1] // w.shape[1]
        return F.conv2d(x, w, self.s.get(f"{name}.bias"), stride, w.shape[2] // 2, groups=groups)

    def bn(self, name, x):
        rest = (self.s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *rest)

    def module(self, name, x, stride=1):
        return self.bn(f"{name}.bn", self.conv(f"{name}.conv", x, stride))

    def before(self, name, x):
        """A ConvModule of the order norm, act, conv."""
        return self.conv(f"{name}.conv", F.relu(self.bn(f"{name}.bn", x)))

    def block(self, name, x, stride, is_last):
        out, count = x, 3 if f"{name}.conv3.conv.weight" in self.s else 2
        # Of two convolutions the first has the stride, of three the second.
        for i in range(1, count + 1):
            out = self.module(f"{name}.conv{i}", out, stride if i == count - 1 else 1)
            out = F.relu(out) if i < count else out
        down = f"{name}.downsample"
        if f"{down}.0.weight" in self.s:
            x = self.bn(f"{down}.1", self.conv(f"{down}.0", x, stride))
        elif f"{down}.conv.weight" in self.s:
            x = self.module(down, x, stride)
        return out + x if is_last or count == 3 else F.relu(out + x)

    def layer(self, name, x, stride=1):
        name = f"backbone.{name}"
        if f"{name}.conv1.conv.weight" in self.s:
            return self.block(name, x, stride, is_last=True)
        ends = "conv1.conv.weight"
        count = len([k for k in self.s if k.startswith(f"{name}.") and k.endswith(ends)])
        for i in range(count):
            x = self.block(f"{name}.{i}", x, stride if i == 0 else 1, i == count - 1)
        return x

    def up(self, x, like):
        return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)

    def stem(self, x):
        for i in (0, 1):
            x = F.relu(self.module(f"backbone.stem.{i}", x, 2))
        return F.relu(self.layer("stem.4", F.relu(self.layer("stem.2", x)), 2))

    def spp(self, x):
        pools = [F.avg_pool2d(x, k, k // 2, k // 2) for k in (5, 9, 17)]
        first = self.before("backbone.spp.scales.0", x)
        scales = [
            self.up(self.before(f"backbone.spp.scales.{i}.1", pool), x)
            for i, pool in enumerate([*pools, F.adaptive_avg_pool2d(x, 1)], 1)
        ]
        found = [first]
        if "backbone.spp.processes.conv.weight" in self.s:
            together = torch.cat([s + first for s in scales], 1)
            found.append(self.before("backbone.spp.processes", together))
        else:
            for i, scale in enumerate(scales):
                found.append(self.before(f"backbone.spp.processes.{i}", scale + found[-1]))
        short = self.before("backbone.spp.shortcut", x)
        return self.before("backbone.spp.compression", torch.cat(found, 1)) + short

    def ddrnet(self, x):
        c = s = self.stem(x)
        for i in (0, 1):
            c = self.layer(f"context_branch_layers.{i}", F.relu(c), 2)
            s = self.layer(f"spatial_branch_layers.{i}", F.relu(s))
            narrow = self.module(f"backbone.compression_{i + 1}", F.relu(c))
            if i == 0:
                c = c + self.module("backbone.down_1", F.relu(s), 2)
            else:
                down = F.relu(self.module("backbone.down_2.0", F.relu(s), 2))
                c = c + self.module("backbone.down_2.1", down, 2)
            s = s + self.up(narrow, s)
        s = self.layer("spatial_branch_layers.2", F.relu(s))
        c = self.spp(self.layer("context_branch_layers.2", F.relu(c), 2))
        x = self.before("decode_head.head.0", s + self.up(c, s))
        return self.conv("decode_head.conv_seg", F.relu(self.bn("decode_head.head.1", x)))

    def pag(self, name, p, i):
        alike = self.module(f"{name}.f_p", p) * self.up(self.module(f"{name}.f_i", i), p)
        sigma = torch.sigmoid(alike.sum(1, keepdim=True))
        return sigma * self.up(i, p) + (1 - sigma) * p

    def pidnet(self, x):
        i = p = d = self.stem(x)
        for n in (0, 1):
            i = F.relu(self.layer(f"i_branch_layers.{n}", i, 2))
            p = self.layer(f"p_branch_layers.{n}", F.relu(p))
            d = self.layer(f"d_branch_layers.{n}", F.relu(d))
            p = self.pag(
                f"backbone.pag_{n + 1}", p, self.module(f"backbone.compression_{n + 1}", i)
            )
            d = d + self.up(self.module(f"backbone.diff_{n + 1}", i), d)
        p = self.layer("p_branch_layers.2", F.relu(p))
        sigma = torch.sigmoid(self.layer("d_branch_layers.2", F.relu(d)))
        i = self.up(self.spp(self.layer("i_branch_layers.2", i, 2)), p)
        fused = self.module("backbone.dfm.f_p", (1 - sigma) * i + p)
        fused = fused + self.module("backbone.dfm.f_i", i + sigma * p)
        x = F.relu(
            self.bn("decode_head.i_head.norm", self.before("decode_head.i_head.conv", fused))
        )
        return self.conv("decode_head.conv_seg", x)


@pytest.mark.parametrize("name", ["mm_ddrnet_23-slim_in1k-pre", "mm_pidnet-s"])
def test_the_logits_are_those_of_mmsegmentation(name, listed):
    state = listed(name, "cpu")
    found = dialect_of(state).read(state)
    assert found.net_args["stem_bias"] is False
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    load_into(net, found.state, source=name)
    x = torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(net(x).logits, Theirs(state).net(x), rtol=1e-4, atol=1e-4)
