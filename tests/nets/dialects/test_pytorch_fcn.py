"""The Caffe weights of FCN answer as its own layers do, padding, crops and all."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.dialect import DIALECTS, fit
from segstudio.nets.registry import NETS


def slim(state, width=4):
    """A key list with a quarter of the channels, and hidden layers of 1024."""

    def shrunk(key, value):
        if key.startswith("upscore"):
            return value
        shape = [*value.shape]
        shape[0] = shape[0] if key.startswith("score") else shape[0] // width
        if len(shape) > 1 and shape[1] > 3:
            shape[1] //= width
        return value[tuple(slice(0, s) for s in shape)] * (width**0.5 if len(shape) > 1 else 1)

    return {k: shrunk(k, v) for k, v in state.items()}


def theirs(state, x):
    def conv(name, x, padding=0):
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    def cut(y, at, like):
        return y[:, :, at : at + like.shape[2], at : at + like.shape[3]]

    pools, y = [], x
    for stage, count in enumerate((2, 2, 3, 3, 3), start=1):
        for number in range(1, count + 1):
            padding = 100 if (stage, number) == (1, 1) else 1
            y = conv(f"conv{stage}_{number}", y, padding).relu()
        y = F.max_pool2d(y, 2, 2, ceil_mode=True)
        pools.append(y)
    y = conv("score_fr", conv("fc7", conv("fc6", y).relu()).relu())
    if "score_pool4.weight" not in state:
        return cut(F.conv_transpose2d(y, state["upscore.weight"], stride=32), 19, x)
    y = F.conv_transpose2d(y, state["upscore2.weight"], stride=2)
    y = y + cut(conv("score_pool4", pools[3]), 5, y)
    if "score_pool3.weight" not in state:
        return cut(F.conv_transpose2d(y, state["upscore16.weight"], stride=16), 27, x)
    y = F.conv_transpose2d(y, state["upscore_pool4.weight"], stride=2)
    y = y + cut(conv("score_pool3", pools[2]), 9, y)
    return cut(F.conv_transpose2d(y, state["upscore8.weight"], stride=8), 31, x)


@pytest.mark.parametrize("name", ["fcn32s", "fcn16s", "fcn8s"])
def test_the_net_answers_as_caffe_would(name, listed):
    state = slim(listed(f"wkentaro_{name}", "cpu"))
    found = DIALECTS.get("pytorch_fcn").read(state)
    assert (found.net, found.class_set, found.input["channels"]) == (name, "voc21", "BGR")
    assert fit(found).is_whole
    net = NETS.get(name).build(21, **found.net_args).eval()
    net.load_state_dict(found.state)
    torch.manual_seed(1)
    x = torch.randn(1, 3, 37, 50)
    with torch.inference_mode():
        ours, wanted = net(x).logits, theirs(state, x)
    assert wanted.abs().max() > 1e-3
    assert torch.allclose(ours, wanted, atol=1e-4 * wanted.abs().max())
