"""torchvision's nets under torchvision's own names."""

import hashlib
import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS

PUBLISHED = {
    # name: (parameters that torchvision publishes, sha256 of the names and shapes of its
    # checkpoint with 21 classes)
    "fcn_resnet50": (35_322_218, "2bb622661e05ba46"),
    "fcn_resnet101": (54_314_346, "62793d2fcc61f66b"),
    "deeplabv3_resnet50": (42_004_074, "31c05b4bc1741152"),
    "deeplabv3_resnet101": (60_996_202, "25860a8cc906dd92"),
    "deeplabv3_mobilenet_v3_large": (11_029_328, "30cf64a60d316826"),
    "lraspp_mobilenet_v3_large": (3_221_538, "c12cc46b8b104ff8"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_shapes_are_those_of_the_published_checkpoint(name):
    options = {} if name.startswith("lraspp") else {"aux": True}
    with torch.device("meta"):
        net = NETS.get(name).build(21, **options)
    rows = sorted(
        f"{key}\t{tuple(value.shape)}"
        for key, value in net.state_dict().items()
        if not key.endswith("num_batches_tracked")
    )
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
    assert (sum(p.numel() for p in net.parameters()), digest) == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("fcn_resnet50", 152.717),
        ("fcn_resnet101", 232.738),
        ("deeplabv3_resnet50", 178.722),
        ("deeplabv3_resnet101", 258.743),
        ("deeplabv3_mobilenet_v3_large", 10.452),
        ("lraspp_mobilenet_v3_large", 2.086),
    ],
)
def test_operations_are_those_that_torchvision_publishes(name, published):
    options = {} if name.startswith("lraspp") else {"aux": True}
    with torch.device("meta"):
        net = NETS.get(name).build(21, **options)
    # Torchvision counts the auxiliary head, which answers while training; batch norm wants two.
    with FlopCounterMode(display=False) as counter:
        net.train()(torch.empty(2, 3, 520, 520, device="meta"))
    assert counter.get_total_flops() / 2 / 2e9 == pytest.approx(published, abs=0.0006)


def test_the_auxiliary_head_answers_while_training_only():
    with torch.device("meta"):
        net = NETS.get("fcn_resnet50").build(5, aux=True)
    x = torch.empty(2, 3, 64, 64, device="meta")
    assert [tuple(a.shape) for a in net.train()(x).aux] == [(2, 5, 8, 8)]
    assert net.eval()(x).aux == ()


def test_listing_the_zoo_does_not_import_torchvision():
    code = (
        "import sys; from segstudio.nets.registry import NETS; list(NETS);"
        "assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
