"""Weights files: what fits is loaded, everything else gets one sentence, and no code runs."""

import os
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from segstudio.errors import ModelError
from segstudio.nets.weights import load_into, load_state


class Small(nn.Sequential):
    """A net with a batch norm, to have counters too."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return Small().state_dict()


def same(a, b) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def message(call) -> str:
    with pytest.raises(ModelError) as caught:
        call()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_safetensors_come_back_as_they_were(tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    assert same(load_state(tmp_path / "w.safetensors"), state)


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_state_dict_in_a_pth_file_is_read(tmp_path, state, is_zip):
    torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=is_zip)
    assert same(load_state(tmp_path / "w.pth"), state)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_the_state_dict_is_found_inside_a_training_checkpoint(tmp_path, state, key):
    torch.save({"epoch": 3, key: {f"module.{k}": v for k, v in state.items()}}, tmp_path / "w.pth")
    assert same(load_state(tmp_path / "w.pth"), state)


def test_a_pickle_that_runs_code_does_not_run(tmp_path):
    canary = tmp_path / "canary"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (canary,))

    class Shell:
        def __reduce__(self):
            return (os.system, (f"touch {canary}",))

    for number, trap in enumerate([Trap(), Shell(), {"a": torch.zeros(1), "b": Shell()}]):
        for name, save in (
            ("plain", lambda t, p: p.write_bytes(pickle.dumps(t))),
            ("zip", torch.save),
        ):
            file = tmp_path / f"{name}{number}.pth"
            save(trap, file)
            text = message(lambda file=file: load_state(file))
            assert "could run a program" in text
            assert "safetensors" in text
    assert not canary.exists()


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.safetensors is missing" in message(
        lambda: load_state(tmp_path / "nowhere.safetensors")
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello, these are no weights\n", "not a weights file"),
        (b"<html>404</html>" * 9, "not a weights file"),
        (struct.pack("<Q", 2**40) + b'{"a"', "damaged or cut off"),
        (b"PK\x03\x04" + b"\0" * 40, "damaged or cut off"),
        (b"\x80\x02]q\0.", "damaged or not a PyTorch state dict"),
        (b"\x80\x02}q\0(X", "damaged"),
    ],
)
def test_a_file_that_holds_no_weights_is_explained(tmp_path, content, words):
    file = tmp_path / "w.pth"
    file.write_bytes(content)
    assert words in message(lambda: load_state(file))


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_file_cut_off_anywhere_is_explained(tmp_path, state, suffix):
    whole = tmp_path / f"whole.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(state, whole)
    content = whole.read_bytes()
    for part in (0.05, 0.3, 0.6, 0.9, 0.99):
        file = tmp_path / f"cut.{suffix}"
        file.write_bytes(content[: int(len(content) * part)])
        message(lambda file=file: load_state(file))


def test_a_small_archive_cannot_unpack_into_a_large_one(tmp_path, state):
    torch.save(state, tmp_path / "w.pth")
    packed = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(tmp_path / "w.pth") as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.namelist():
            target.writestr(entry, source.read(entry))
        target.writestr("w/data/bomb", bytes(1_000_000))
    assert "compressed archive" in message(lambda: load_state(packed))


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1).expand(10**12)}, tmp_path / "w.pth")
    assert "tensor a" in message(lambda: load_state(tmp_path / "w.pth"))


def test_a_file_without_named_tensors_is_explained(tmp_path):
    for content in ([torch.zeros(1)], {"epoch": 3}, torch.zeros(2), {}):
        torch.save(content, tmp_path / "w.pth")
        assert "no table of named tensors" in message(lambda: load_state(tmp_path / "w.pth"))


def test_sparse_and_complex_tensors_are_refused(tmp_path):
    for odd in (torch.eye(4).to_sparse(), torch.zeros(4, dtype=torch.complex64)):
        torch.save({"odd": odd}, tmp_path / "w.pth")
        assert "tensor odd" in message(lambda: load_state(tmp_path / "w.pth"))


def test_fitting_weights_land_in_the_net(state):
    net = Small()
    load_into(net, {k: v.half() if v.is_floating_point() else v for k, v in state.items()},
              source="w")  # fmt: skip
    assert net[0].weight.dtype == torch.float32
    torch.testing.assert_close(net[0].weight, state["0.weight"], rtol=1e-3, atol=1e-3)


def test_every_misfit_is_counted_in_one_sentence(state):
    net = Small()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    del state["2.bias"]
    state["0.weight"] = torch.zeros(4, 1, 1, 1)
    state |= {f"extra.{i}": torch.zeros(1) for i in range(9)}
    text = message(lambda: load_into(net, state, source="city.pth"))
    assert "city.pth" in text
    assert "1 of 9 tensors are missing (2.bias)" in text
    assert "9 are unexpected (extra.0, extra.1, extra.2, …)" in text
    assert "0.weight is (4, 1, 1, 1) instead of (4, 3, 1, 1)" in text
    assert same(net.state_dict(), before)


def test_heads_for_training_and_batch_counters_do_not_matter(state):
    del state["1.num_batches_tracked"]
    state["boosters.0.weight"] = torch.zeros(3)
    state["aux_classifier.0.weight"] = torch.zeros(3)
    load_into(Small(), state, source="w")

    class WithHead(Small):
        def __init__(self) -> None:
            super().__init__()
            self.aux_classifier = nn.Conv2d(4, 2, 1)

    load_into(WithHead(), state, source="w")
