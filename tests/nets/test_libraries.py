"""Nets of other libraries: a missing package is a sentence, and numbers exist without numbers."""

import socket
import sys

import pytest
import torch

from segstudio.errors import ModelError
from segstudio.nets.libraries import SchedulesOnCpu
from segstudio.nets.registry import NETS


@pytest.mark.parametrize(
    ("net", "module", "package", "extra"),
    [
        ("smp", "segmentation_models_pytorch", "segmentation-models-pytorch", "smp"),
        ("timm_fpn", "timm", "timm", "smp"),
        ("hub", "transformers", "transformers", "hub"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(net, module, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError) as caught:
        NETS.get(net).build(3)
    said = str(caught.value)
    assert f"needs the package {package}" in said
    assert f"the extra '{extra}'" in said
    assert f"install segstudio[{extra}]" in said
    assert NETS.get(net).extra == extra


def test_schedules_have_numbers_on_the_meta_device():
    with torch.device("meta"), SchedulesOnCpu():
        rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        assert torch.empty(1).device.type == "meta"
    assert rates == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("name", ["smp", "timm_fpn", "hub"])
def test_building_asks_nobody_in_the_network(name, monkeypatch):
    asked = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, place: asked.append(place))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *place, **_: asked.append(place))
    try:
        with torch.device("meta"):
            NETS.get(name).build(3)
    except ModelError as error:
        pytest.skip(str(error))
    assert asked == []
