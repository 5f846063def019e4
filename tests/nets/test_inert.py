"""What training programs save beside the tensors is passed over; nothing of it runs."""

import argparse
import collections
import pickle
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from segstudio.errors import ModelError
from segstudio.nets.weights import open_weights

TENSORS = {"conv.weight": torch.arange(12.0).reshape(3, 4), "conv.bias": torch.ones(3)}


def save(path, content, *, zipped):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


class HistoryBuffer:
    """As a training library keeps its running losses."""

    def __init__(self):
        self._log = np.arange(3.0)
        self._functions = {"mean": 1}


@pytest.fixture
def foreign_module(monkeypatch):
    """The class lives in a module that is not there any more when the file is read."""
    module = types.ModuleType("trainer_of_others")
    module.HistoryBuffer = HistoryBuffer
    monkeypatch.setattr(HistoryBuffer, "__module__", "trainer_of_others")
    monkeypatch.setitem(sys.modules, "trainer_of_others", module)
    return module


CONTAINERS = {
    "bare": lambda t: t,
    "epoch and optimizer": lambda t: {
        "epoch": 3,
        "state_dict": t,
        "optimizer": {"state": {0: {"momentum": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]},
    },
    "model_state with a NumPy score": lambda t: {"model_state": t, "best_iou": np.float64(0.71)},
    "NumPy array": lambda t: {"model_state_dict": t, "iou": np.arange(19.0)},
    "arguments": lambda t: {"model": t, "args": argparse.Namespace(lr=0.1, crop=[512, 1024])},
    "default dict": lambda t: {"state_dict": t, "log": collections.defaultdict(list, a=[1])},
    "queue": lambda t: {"state_dict": t, "last": collections.deque([1, 2], maxlen=3)},
    "set": lambda t: {"state_dict": t, "seen": {1, 2}},
    "history": lambda t: {"state_dict": t, "message_hub": {"loss": HistoryBuffer()}},
    "number beside the tensors": lambda t: {**t, "mask_values": [0, 1]},
    "prefixed": lambda t: {"state_dict": {f"module.model.{k}": v for k, v in t.items()}},
    "with the loss": lambda t: {
        **{f"model.{k}": v for k, v in t.items()},
        "sem_loss.criterion.weight": torch.ones(19),
    },
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("kind", list(CONTAINERS))
def test_the_tensors_come_out_of_every_container(tmp_path, kind, zipped, foreign_module):
    file = save(tmp_path / "w.pth", CONTAINERS[kind](TENSORS), zipped=zipped)
    found = open_weights(file)
    assert found.tensors.keys() == TENSORS.keys()
    assert all(torch.equal(found.tensors[k], TENSORS[k]) for k in TENSORS)


def test_what_was_taken_off_is_told(tmp_path, foreign_module):
    content = {
        "state_dict": {f"module.{k}": v for k, v in TENSORS.items()},
        "best": np.float64(0.5),
        "history": HistoryBuffer(),
        "meta": {"CLASSES": ("road", "sky"), "PALETTE": [[0, 0, 0], [1, 1, 1]]},
    }
    found = open_weights(save(tmp_path / "w.pth", content, zipped=True))
    assert (found.wrapper, found.prefix) == ("state_dict", "module.")
    assert found.beside == ("best", "history", "meta")
    assert found.class_names == ("road", "sky")
    assert "trainer_of_others.HistoryBuffer" in found.foreign
    assert any(name.endswith("multiarray.scalar") for name in found.foreign)


def test_a_foreign_class_is_not_even_looked_up(tmp_path, foreign_module):
    made = []
    file = save(tmp_path / "w.pth", {"state_dict": TENSORS, "h": HistoryBuffer()}, zipped=True)
    foreign_module.HistoryBuffer = lambda *a: made.append(a)
    open_weights(file)
    assert made == []


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickled_net_is_refused(tmp_path, zipped):
    file = tmp_path / "net.pth"
    save(file, nn.Sequential(nn.Conv2d(3, 4, 1)), zipped=zipped)
    with pytest.raises(ModelError, match="whole net"):
        open_weights(file)


def test_functions_of_the_interpreter_are_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return (eval, ("1 + 1",))

    file = save(tmp_path / "w.pth", {"state_dict": TENSORS, "x": Trap()}, zipped=True)
    with pytest.raises(ModelError, match=r"could run a program \(eval\)"):
        open_weights(file)


def test_files_without_end_of_foreign_kinds_are_refused(tmp_path, monkeypatch):
    module = types.ModuleType("many")
    monkeypatch.setitem(sys.modules, "many", module)
    things = []
    for i in range(70):
        kind = type(f"Kind{i}", (), {"__module__": "many"})
        setattr(module, kind.__name__, kind)
        things.append(kind())
    file = save(tmp_path / "w.pth", {"state_dict": TENSORS, "x": things}, zipped=True)
    with pytest.raises(ModelError, match="kinds of foreign objects"):
        open_weights(file)


def test_one_state_dict_a_child_becomes_one_table(tmp_path):
    file = save(tmp_path / "w.pth", {"detail": TENSORS, "segment": TENSORS}, zipped=True)
    assert set(open_weights(file).tensors) == {
        f"{child}.{k}" for child in ("detail", "segment") for k in TENSORS
    }


def test_a_torn_pickle_is_told_as_damaged(tmp_path):
    whole = pickle.dumps(dict.fromkeys("abc", 1), protocol=2)
    file = tmp_path / "w.pth"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        open_weights(file)
