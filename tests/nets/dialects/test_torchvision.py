"""torchvision's files, against torchvision itself."""

import pytest
import torch
from torch.nn import functional as F
from torchvision.models import segmentation

from segstudio.errors import ModelError
from segstudio.nets.dialect import dialect_of
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into

NAMES = [
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_net_is_seen_in_the_names(name, listed):
    state = listed(f"tv_{name}")
    found = dialect_of(state).read(state)
    assert (found.net, found.num_classes, found.class_set) == (name, 21, "voc21")
    assert found.input["short_side"] == 520


@pytest.mark.parametrize(
    "name", ["fcn_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"]
)
@torch.inference_mode()
def test_logits_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=21)
    state = theirs.state_dict()
    found = dialect_of(state).read(state)
    net = NETS.get(found.net).build(found.num_classes, **found.net_args)
    load_into(net, found.state, source="the test")
    x = torch.randn(1, 3, 96, 128)
    logits = F.interpolate(net.eval()(x).logits, x.shape[2:], mode="bilinear")
    torch.testing.assert_close(logits, theirs.eval()(x)["out"], rtol=1e-4, atol=1e-4)


def test_the_auxiliary_head_is_built_where_the_file_has_it(listed):
    state = listed("tv_fcn_resnet50")
    assert dialect_of(state).read(state).net_args == {"aux": True}
    bare = {k: v for k, v in state.items() if not k.startswith("aux_classifier.")}
    assert dialect_of(bare).read(bare).net_args == {}


def test_another_depth_is_refused(listed):
    state = listed("tv_fcn_resnet50")
    odd = {k: v for k, v in state.items() if not k.startswith("backbone.layer3.5.")}
    with pytest.raises(ModelError, match="5 blocks"):
        dialect_of(odd).read(odd)
