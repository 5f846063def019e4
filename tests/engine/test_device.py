"""Devices by name, and what their errors become."""

import pytest
import torch

from segstudio.engine import device
from segstudio.errors import DeviceError, ModelError, OutOfMemory


def test_the_cpu_is_always_there_and_last():
    found = device.list_devices()
    assert found[-1].name == "cpu"
    assert "thread" in found[-1].title
    assert device.choose_device("cpu") == torch.device("cpu")
    assert str(device.choose_device("auto")) == found[0].name


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "", "cpu:7"])
def test_a_device_that_is_not_there_is_refused_with_the_names_of_those_that_are(name):
    with pytest.raises(DeviceError, match=r"is not on this computer; choose one of auto, .*cpu\."):
        device.choose_device(name)


def raising(error: BaseException):
    with device.guarded("The model 'city' on 640×352", "cuda:0"):
        raise error


def wrapped(inner: BaseException) -> RuntimeError:
    outer = RuntimeError("the compiled model failed")
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory"),
        wrapped(torch.OutOfMemoryError("CUDA out of memory")),
        wrapped(wrapped(MemoryError())),
    ],
)
def test_too_little_memory_is_told_as_such(error):
    with pytest.raises(
        OutOfMemory, match=r"^The model 'city' on 640×352 needs more .*cuda:0;.*\.$"
    ):
        raising(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors"),
        wrapped(RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")),
    ],
)
def test_a_device_that_stopped_is_told_as_such(error):
    with pytest.raises(DeviceError, match=r"^The device cuda:0 stopped working.*\.$") as caught:
        raising(error)
    assert "\n" not in str(caught.value)


def test_other_errors_pass_as_they_are():
    for error in (ValueError("shapes"), RuntimeError("size mismatch"), ModelError("a sentence.")):
        with pytest.raises(type(error)) as caught:
            raising(error)
        assert caught.value is error


def test_a_chain_of_errors_that_bites_its_tail_ends():
    one, two = RuntimeError("a"), RuntimeError("b")
    one.__cause__, two.__cause__ = two, one
    assert not device.is_out_of_memory(one)
