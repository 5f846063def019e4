"""ENet's public weights: the same logits as their program's forward, restated over its names."""

import torch
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of, fit
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into


class Theirs:
    """The program's forward as functions over its tensors: its first form and today's."""

    def __init__(self, state):
        self.s = state
        self.is_todays = "upsample4_0.ext_tconv1.weight" in state

    def bn(self, name, x):
        rest = (self.s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *rest)

    def act(self, name, x):
        slopes = self.s.get(f"{name}.weight")
        return F.relu(x) if slopes is None else F.prelu(x, slopes)

    def conv(self, name, x, place=0, **how):
        x = F.conv2d(x, self.s[f"{name}.{place}.weight"], **how)
        return self.act(f"{name}.{place + 2}", self.bn(f"{name}.{place + 1}", x))

    def regular(self, name, x, kind="regular", d=1):
        e = self.conv(f"{name}.ext_conv1", x)
        if kind == "asymmetric":
            e = self.conv(f"{name}.ext_conv2", e, padding=(2, 0))
            e = self.conv(f"{name}.ext_conv2", e, 3, padding=(0, 2))
        else:
            e = self.conv(f"{name}.ext_conv2", e, padding=d, dilation=d)
        return self.act(f"{name}.out_prelu", x + self.conv(f"{name}.ext_conv3", e))

    def down(self, name, x):
        e = self.conv(f"{name}.ext_conv1", x, stride=2)
        e = self.conv(f"{name}.ext_conv3", self.conv(f"{name}.ext_conv2", e, padding=1))
        window = (2, 2, 0) if self.is_todays else (3, 2, 1)
        main, places = F.max_pool2d(x, *window, return_indices=True)
        zeros = torch.zeros(x.shape[0], e.shape[1] - x.shape[1], *e.shape[2:])
        return self.act(f"{name}.out_prelu", torch.cat([main, zeros], 1) + e), places

    def up(self, name, x, places):
        main = F.conv2d(x, self.s[f"{name}.main_conv1.0.weight"])
        main = F.max_unpool2d(self.bn(f"{name}.main_conv1.1", main), places, (2, 2))
        e = self.conv(f"{name}.ext_conv1", x)
        if self.is_todays:
            e = F.conv_transpose2d(e, self.s[f"{name}.ext_tconv1.weight"], stride=2)
            e = self.conv(f"{name}.ext_conv2", F.relu(self.bn(f"{name}.ext_tconv1_bnorm", e)))
            return F.relu(main + e)
        w = self.s[f"{name}.ext_conv2.0.weight"]
        e = F.conv_transpose2d(e, w, stride=2, padding=1, output_padding=1)
        e = self.act(f"{name}.ext_conv2.2", self.bn(f"{name}.ext_conv2.1", e))
        return self.act(f"{name}.out_prelu", main + self.conv(f"{name}.ext_conv3", e))

    def __call__(self, x):
        w = self.s["initial_block.main_branch.weight"]
        both = torch.cat([F.conv2d(x, w, stride=2, padding=1), F.max_pool2d(x, 3, 2, 1)], 1)
        x = self.act("initial_block.out_prelu", self.bn("initial_block.batch_norm", both))
        x, first = self.down("downsample1_0", x)
        for i in (1, 2, 3, 4):
            x = self.regular(f"regular1_{i}", x)
        x, second = self.down("downsample2_0", x)
        for stage, start in ((2, 1), (3, 0)):
            for i in range(8):
                kind = ("regular", "dilated", "asymmetric", "dilated")[i % 4]
                d = 2 ** (i // 2 + 1) if kind == "dilated" else 1
                x = self.regular(f"{kind}{stage}_{start + i}", x, kind, d)
        x = self.up("upsample4_0", x, second)
        for i in (1, 2):
            x = self.regular(f"regular4_{i}", x)
        x = self.regular("regular5_1", self.up("upsample5_0", x, first))
        w = self.s["transposed_conv.weight"]
        return F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1)


def tame(state):
    """Random slopes and gains would grow through thirty blocks beyond all numbers."""
    return {
        k: v * 0.3 if v.ndim == 1 and not k.endswith("running_var") else v for k, v in state.items()
    }


def todays(state):
    """The same tensors as the program's present form has them."""
    found = {}
    for name, value in state.items():
        if name.startswith("upsample"):
            name = name.replace("ext_conv2.0.", "ext_tconv1.").replace(
                "ext_conv2.1.", "ext_tconv1_bnorm."
            )
            name = name.replace("ext_conv3.", "ext_conv2.")
            if "tconv1.w" in name:
                value = value[:, :, :2, :2].contiguous()
        is_slope = name.endswith("prelu.weight") or value.shape == (1,)
        if is_slope and name.split("_")[0][-1] in "45":
            continue  # the decoder has ReLU
        if is_slope:
            value = value[:1]
        found[name] = value
    for name in list(found):
        block = name.split(".")[0]
        if found[name].shape == (1,) and block != "initial_block":
            found[name] = found[f"{block}.out_prelu.weight"]
    return found


def check(state, net_args):
    found = dialect_of(state).read(state)
    assert fit(found).is_whole
    assert (found.class_set, found.net_args) == ("camvid12", net_args)
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    load_into(net, found.state, source="random")
    x = torch.rand(1, 3, 144, 160, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(net(x).logits, Theirs(state)(x), rtol=1e-4, atol=1e-4)


def test_the_first_weights_give_the_logits_of_their_program(listed):
    check(tame(listed("davidtvs_enet_camvid", "cpu")), {"window": 3})


def test_todays_weights_give_the_logits_of_todays_program(listed):
    state = todays(tame(listed("davidtvs_enet_camvid", "cpu")))
    check(state, {"deconv": 2, "single_slopes": True, "relu_decoder": True})


def test_cityscapes_files_begin_with_void(listed):
    state = listed("davidtvs_enet_camvid")
    state["transposed_conv.weight"] = torch.empty(16, 20, 3, 3, device="meta")
    found = dialect_of(state).read(state)
    assert (found.class_set, found.class_names[:2]) == ("cityscapes20", ("void", "road"))
    assert len(found.class_names) == 20
