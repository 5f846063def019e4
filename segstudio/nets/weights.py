"""Weights from files, as plain tensors and nothing else.

Safetensors files hold numbers only. A `.pth` file is a pickle, which could hold a program: it is
read with `weights_only=True` and in no other way, after its zip directory was looked at (nothing
compressed, so that a small file cannot unpack into gigabytes).
"""

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from segstudio.errors import ModelError

TRAINING_ONLY = ("boosters.", "aux")
"""First parts of the names of heads that exist for training only: absent or surplus is fine."""

_WRAPPERS = ("state_dict", "model", "net", "model_state_dict", "model_state")
_PREFIXES = ("module.", "_orig_mod.")


def load_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, on the CPU.

    .safetensors, or a .pth/.pt state dict (also wrapped in a training checkpoint).
    ModelError when the file is missing, damaged, of another kind, or holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(
            f"The weights file {path} is missing; put it back or install the model again."
        )
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise ModelError(
            f"The weights file {path} cannot be read ({error.strerror}); check its permissions."
        ) from error
    if not start:
        raise ModelError(f"The weights file {path} is empty; download or copy it again.")
    if start[:2] == b"PK":
        state = _from_zip(path)
    elif start[:1] == b"\x80":
        state = _from_pickle(path)
    elif start[8:9] == b"{":
        state = _from_safetensors(path)
    else:
        raise ModelError(
            f"{path} is not a weights file (neither safetensors nor a PyTorch state dict); choose"
            " a .safetensors or .pth file."
        )
    return _plain(state, path)


def load_into(net: nn.Module, state: Mapping[str, Tensor], *, source: str) -> None:
    """Copy every tensor of `state` to its place in `net`; all fit, or ModelError and no change.

    source: what the weights are called in the message. Heads for training (TRAINING_ONLY) may be
    absent on either side, and batch counters may be missing: neither matters for a prediction.
    """
    own = net.state_dict()
    missing = [k for k in own if k not in state and not _may_be_missing(k)]
    unexpected = [k for k in state if k not in own and not k.startswith(TRAINING_ONLY)]
    misshapen = [k for k in own if k in state and own[k].shape != state[k].shape]
    problems = []
    if missing:
        problems.append(f"{len(missing)} of {len(own)} tensors are missing ({_first(missing)})")
    if unexpected:
        problems.append(f"{len(unexpected)} are unexpected ({_first(unexpected)})")
    if misshapen:
        k = misshapen[0]
        problems.append(
            f"{len(misshapen)} have another shape ({k} is {tuple(state[k].shape)} instead of"
            f" {tuple(own[k].shape)})"
        )
    if problems:
        raise ModelError(
            f"The weights {source} do not fit the net {type(net).__name__}: "
            f"{', '.join(problems)}; choose the net they were trained with, or other weights."
        )
    fitting = {k: v for k, v in state.items() if k in own}
    net.load_state_dict(fitting, strict=False)


def _may_be_missing(key: str) -> bool:
    return key.startswith(TRAINING_ONLY) or key.endswith(".num_batches_tracked")


def _first(keys: list[str], count: int = 3) -> str:
    return ", ".join(keys[:count]) + (", …" if len(keys) > count else "")


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path, device="cpu"))
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"The weights file {path} is damaged or cut off ({error}); download or copy it again."
        ) from error


def _from_zip(path: Path) -> object:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ModelError(
            f"The weights file {path} is damaged or cut off; download or copy it again."
        ) from error
    if any(e.compress_type != zipfile.ZIP_STORED for e in entries) or (
        sum(e.file_size for e in entries) > path.stat().st_size
    ):
        raise ModelError(
            f"{path} is a compressed archive, which PyTorch never writes; choose a .safetensors"
            " or .pth file."
        )
    return _from_pickle(path)


def _from_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():  # about old pickles: the sentence below says enough
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"The weights file {path} was not opened, because it is damaged or holds more than"
            " tensors and could run a program; save its state_dict() alone, best as .safetensors."
        ) from error
    except Exception as error:  # torch.load raises whatever a damaged stream leads to
        raise ModelError(
            f"The weights file {path} is damaged or not a PyTorch state dict; download or copy it"
            " again."
        ) from error


def _plain(state: object, path: Path) -> dict[str, Tensor]:
    """The innermost name -> tensor table, names without wrappers, odd tensors refused."""
    table: Any = state
    for _ in range(2):
        inner = next(
            (table[k] for k in _WRAPPERS if isinstance(table, dict) and _is_table(table.get(k))),
            None,
        )
        if inner is None:
            break
        table = inner
    if not isinstance(table, dict):
        raise ModelError(
            f"{path} holds no table of named tensors; save the net's state_dict() into it."
        )
    tensors = {str(k): v for k, v in table.items() if isinstance(v, Tensor)}
    if not tensors or len(tensors) < len(table) / 2:
        raise ModelError(
            f"{path} holds no table of named tensors; save the net's state_dict() into it."
        )
    for prefix in _PREFIXES:
        if all(k.startswith(prefix) for k in tensors):
            tensors = {k.removeprefix(prefix): v for k, v in tensors.items()}
    size = path.stat().st_size
    for key, tensor in tensors.items():
        is_dense = tensor.layout == torch.strided and not tensor.is_quantized
        # A view that repeats itself (stride 0) claims more numbers than the file holds.
        if not is_dense or tensor.is_complex() or tensor.numel() * tensor.element_size() > size:
            raise ModelError(
                f"The tensor {key} in {path} is not a plain array of numbers; save the net's"
                " state_dict() again, best as .safetensors."
            )
    return tensors


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(v, Tensor | dict) for v in value.values())
