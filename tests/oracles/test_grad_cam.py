"""Against the package grad-cam: its maps on the same layer and mask, to five digits.

LR-ASPP runs in double precision: its last layer has 960 channels whose shares almost cancel each
other, and in single precision the package's own sum is off by five units of the fifth digit.
"""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.core.feature_map import Lattice
from segstudio.core.look import EvidenceLook
from segstudio.engine.flow import CancelToken
from segstudio.engine.inside.evidence import evidence
from segstudio.engine.inside.target import target_of
from segstudio.engine.windows import mirrored
from segstudio.nets.registry import NETS

CLASSES = 5
IDS = np.array([3, 0, 7, 9, 2], np.uint8)
FRAME = (90, 130)
NETS_AND_LAYERS = {
    "bisenet_v2": (
        {"alpha": 0.25, "head_width": 16, "boosters": False},
        (64, 96),
        ("detail.stage2", "semantic.stage3", "head.0"),
    ),
    "lraspp_mobilenet_v3_large": ({}, (64, 96), ("backbone.6", "backbone.12", "backbone.16")),
    "unet": ({"width": 4}, (36, 52), ("contract.1", "contract.4", "expand.2")),
}
DOUBLE = "lraspp_mobilenet_v3_large"
METHODS = {"gradcam": "GradCAM", "gradcam++": "GradCAMPlusPlus", "hirescam": "HiResCAM"}


class Enlarged(nn.Module):
    """What the package wants: logits at frame size."""

    def __init__(self, net, align_corners):
        super().__init__()
        self.net, self.align_corners = net, align_corners

    def forward(self, x):
        return F.interpolate(
            self.net(x).logits, size=FRAME, mode="bilinear", align_corners=self.align_corners
        )


@torch.no_grad()
def decide(net, x):
    """Large logits and several classes: a net that never learnt says next to nothing."""
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.out_channels == CLASSES]
    for conv in convs:
        conv.weight.mul_(100)
    convs[-1].bias.sub_(net(x).logits.mean((0, 2, 3)))


@pytest.fixture(scope="module", params=list(NETS_AND_LAYERS))
def made(request):
    """A lived-in net with a picture, and what it predicts."""
    net_args, size, layers = NETS_AND_LAYERS[request.param]
    torch.manual_seed(0)
    spec = NETS.get(request.param)
    net = spec.build(CLASSES, **net_args)
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.randn(2, 3, *(side + 2 * spec.of(net).margin for side in size)))
    net.eval()
    spec = spec.of(net)
    x = torch.randn(1, 3, *size)
    if request.param == DOUBLE:
        net, x = net.double(), x.double()
    decide(net, mirrored(x, spec.margin))
    runner = SimpleNamespace(net=net, spec=spec, device=torch.device("cpu"), precision="fp32")
    with torch.inference_mode():
        labels = IDS[
            Enlarged(net, spec.align_corners)(mirrored(x, spec.margin))[0].argmax(0).numpy()
        ]
    return runner, x, labels, layers


@pytest.fixture
def gradcam(oracle):
    return oracle("pytorch_grad_cam")


def as_they_scale(cam, size):
    """Enlarged to the input and scaled again, as the package ends."""
    large = cv2.resize(cam, (size[1], size[0]))
    large = large - large.min()
    return large / (1e-7 + large.max())


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("what", ["pixel", "region", "class"])
def test_maps_are_the_same(made, gradcam, oracle, kind, what):
    runner, x, labels, layers = made
    targets = oracle("pytorch_grad_cam.utils.model_targets")
    method = getattr(gradcam, METHODS[kind])
    model = Enlarged(runner.net, runner.spec.align_corners)
    whole = mirrored(x, runner.spec.margin)
    peaks = []
    for layer in layers:
        look = EvidenceLook(kind, layer, target=what, pixel=(40, 61))
        target = target_of(look, labels, IDS, align_corners=runner.spec.align_corners)
        cam = method(model, [runner.net.get_submodule(layer)])
        asked = targets.SemanticSegmentationTarget(target.channel, target.mask)
        theirs = cam(input_tensor=whole, targets=[asked])[0]
        found = evidence(
            runner, x, labels, IDS, look, lambda shape: Lattice.even(shape[1:], FRAME),
            CancelToken(),
        )  # fmt: skip
        peaks.append(found.exact.max())
        assert as_they_scale(found.exact, whole.shape[2:]) == pytest.approx(theirs, abs=1e-5), layer
    assert max(peaks) > 0.9, "nothing speaks for the class anywhere: choose another seed"
