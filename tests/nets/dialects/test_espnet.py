"""ESPNet's files: the same logits as the authors' forward, restated over their names."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into


class Theirs:
    """The authors' forward as functions over their tensors."""

    def __init__(self, state):
        self.s = state

    def conv(self, name, x, stride=1, dilation=1):
        w = self.s[f"{name}.weight"]
        return F.conv2d(x, w, None, stride, w.shape[2] // 2 * dilation, dilation)

    def bn(self, name, x):
        rest = (self.s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *rest, eps=1e-3)

    def br(self, name, x):
        """Batch norm and PReLU; a strided module holds both itself."""
        return F.prelu(self.bn(f"{name}.bn", x), self.s[f"{name}.act.weight"])

    def cbr(self, name, x, stride=1):
        return self.br(name, self.conv(f"{name}.conv", x, stride))

    def double(self, name, x):
        return F.conv_transpose2d(x, self.s[f"{name}.weight"], stride=2)

    def pyramid(self, name, x, stride=1):
        reduced = self.conv(f"{name}.c1.conv", x, stride)
        d1, d2, d4, d8, d16 = (
            self.conv(f"{name}.d{d}.conv", reduced, dilation=d) for d in (1, 2, 4, 8, 16)
        )
        return torch.cat([d1, d2, d2 + d4, d2 + d4 + d8, d2 + d4 + d8 + d16], 1)

    def level(self, name, x, count):
        first = last = self.br(f"{name}_0", self.pyramid(f"{name}_0", x, 2))
        for i in range(count):
            last = self.br(f"{name}.{i}.bn", last + self.pyramid(f"{name}.{i}", last))
        return first, last

    def __call__(self, x):
        half = F.avg_pool2d(x, 3, 2, 1)
        quarter = F.avg_pool2d(half, 3, 2, 1)
        one = self.br("encoder.b1", torch.cat([self.cbr("encoder.level1", x, 2), half], 1))
        first, last = self.level("encoder.level2", one, 2)
        two = self.br("encoder.b2", torch.cat([last, first, quarter], 1))
        first, last = self.level("encoder.level3", two, 8)
        three = self.br("encoder.b3", torch.cat([first, last], 1))
        coarse = self.double("up_l3.0", self.bn("br", self.conv("encoder.classifier.conv", three)))
        both = torch.cat([self.conv("level3_C.conv", two), coarse], 1)
        both = self.pyramid("combine_l2_l3.1", self.br("combine_l2_l3.0", both))
        fine = self.double("up_l2.0", self.br("combine_l2_l3.1.bn", both))
        fine = self.cbr("conv", torch.cat([self.br("up_l2.1", fine), one], 1))
        return self.double("classifier", fine)


def test_the_logits_are_the_authors(listed):
    state = listed("espnet_p2_q8", "cpu")
    found = dialect_of(state).read(state)
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    load_into(net, found.state, source="random")
    x = torch.rand(1, 3, 144, 160, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(net(x).logits, Theirs(state)(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("classes", "class_set", "mean"),
    [(12, "camvid12", 110.331), (20, "cityscapes20", 72.3923111), (7, "", None)],
)
def test_the_number_of_classes_tells_set_and_normalisation(classes, class_set, mean, listed):
    state = listed("espnet_p2_q8")
    state["classifier.weight"] = torch.empty(12, classes, 2, 2, device="meta")
    found = dialect_of(state).read(state)
    assert (found.num_classes, found.class_set) == (classes, class_set)
    assert found.net_args == {"p": 2, "q": 8, "decoder_width": 12}
    assert found.input["divide_after"] == 255
    assert found.input.get("mean", (None,))[0] == mean
