"""Weights from files, as plain tensors and nothing else.

Safetensors files hold numbers only. A `.pth` file is a pickle, which could hold a program: it is
read with `weights_only=True` and in no other way, after its zip directory was looked at (nothing
compressed, so that a small file cannot unpack into gigabytes). Training checkpoints carry NumPy
scalars, argument tables and the like beside the tensors; those become inert stubs that drop
whatever they are given (see inert.py), and their names are told.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from segstudio.errors import ModelError
from segstudio.nets.inert import load_inert

TRAINING_ONLY = ("boosters.", "aux")
"""First parts of the names of heads that exist for training only: absent or surplus is fine."""

_WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "params",
    "ema_state_dict",
    "teacher",
    "weights",
)
"""Where training programs put the net's tensors; the first that is there counts."""

_PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "base.", "scale.")
"""What wrappers around a net put before every name (DataParallel, compile, a training module)."""

_BESIDE_THE_NET = ("criterion", "loss", "sem_loss", "bd_loss")
"""First parts of names that training programs save with the net and that belong to the loss."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightsFile:
    """What a weights file holds.

    tensors: name -> tensor on the CPU, without wrapper and prefix. wrapper, prefix: what was taken
    off ("" when nothing). beside: the other entries of a training checkpoint, by name. dropped:
    tensors of the loss, by name. foreign: classes that were replaced by stubs. class_names: in
    channel order, when the file tells (mmsegmentation does).
    """

    path: Path
    tensors: dict[str, Tensor]
    wrapper: str = ""
    prefix: str = ""
    beside: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()


def open_weights(path: Path) -> WeightsFile:
    """Read a weights file: .safetensors, or a .pth/.pt state dict, also in a training checkpoint.

    ModelError when the file is missing, damaged, of another kind, or holds a program.
    """
    start = _first_bytes(path)
    foreign: tuple[str, ...] = ()
    if start[:2] == b"PK":
        _check_zip(path)
        content, foreign = load_inert(path)
    elif start[:1] == b"\x80":
        content, foreign = load_inert(path)
    elif start[8:9] == b"{":
        content = _from_safetensors(path)
    else:
        raise ModelError(
            f"{path} is not a weights file (neither safetensors nor a PyTorch state dict); choose"
            " a .safetensors or .pth file."
        )
    return _plain(content, path, foreign)


def load_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, on the CPU; ModelError as `open_weights`."""
    return open_weights(path).tensors


def _first_bytes(path: Path) -> bytes:
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
    return start


def load_into(net: nn.Module, state: Mapping[str, Tensor], *, source: str) -> tuple[str, ...]:
    """Copy every tensor of `state` to its place in `net`; all fit, or ModelError and no change.

    source: what the weights are called in the message. Heads for training (TRAINING_ONLY) may be
    absent on either side, and batch counters may be missing: neither matters for a prediction.
    Returns the tensors of such heads that `state` lacks: they are as they were.
    """
    own = net.state_dict()
    state = named_for(own, state)
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
    return tuple(k for k in own if k not in state and k.startswith(TRAINING_ONLY))


def named_for(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` with the prefix that all names of a net share, and that reading took off.

    A net that wraps a library's calls its tensors `net.…` throughout, as wrappers do.
    """
    _, shared = _without_prefix(dict(own))
    if not shared or all(k.startswith(shared) for k in state):
        return dict(state)
    return {shared + k: v for k, v in state.items()}


def _may_be_missing(key: str) -> bool:
    return key.startswith(TRAINING_ONLY) or key.endswith(".num_batches_tracked")


def _first(keys: list[str], count: int = 3) -> str:
    return ", ".join(keys[:count]) + (", …" if len(keys) > count else "")


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path, device="cpu"))
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"The weights file {path} is damaged or cut off ({str(error)[:80]}); download or copy"
            " it again."
        ) from error


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
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


def _plain(content: object, path: Path, foreign: tuple[str, ...]) -> WeightsFile:
    """The innermost name -> tensor table, names without wrappers, odd tensors refused."""
    table, wrapper, beside = _unwrapped(content)
    tensors = {str(k): v for k, v in table.items() if isinstance(v, Tensor)}
    if not tensors or len(tensors) < len(table) / 2:
        raise ModelError(
            f"{path} holds no table of named tensors; save the net's state_dict() into it."
        )
    _check_tensors(tensors, path)
    dropped = tuple(k for k in tensors if k.removeprefix("module.").startswith(_BESIDE_THE_NET))
    kept = {k: v for k, v in tensors.items() if k not in dropped}
    tensors, prefix = _without_prefix(kept or tensors)
    return WeightsFile(
        path,
        tensors,
        wrapper=wrapper,
        prefix=prefix,
        beside=beside,
        dropped=dropped if kept else (),
        foreign=foreign,
        class_names=_class_names(content),
    )


def _unwrapped(content: object) -> tuple[dict[Any, Any], str, tuple[str, ...]]:
    """The table of tensors, the names under which it lay, and what lay beside it."""
    table: Any = content
    path: list[str] = []
    beside: tuple[str, ...] = ()
    for _ in range(2):
        if not isinstance(table, dict):
            break
        key = next((k for k in _WRAPPERS if _is_table(table.get(k))), None)
        if key is None:
            break
        beside = beside or tuple(str(k) for k in table if k != key)
        path.append(key)
        table = table[key]
    if isinstance(table, dict) and table and all(_is_table(v) for v in table.values()):
        # Some save one state dict a child (a backbone's branches).
        table = {f"{child}.{k}": v for child, inner in table.items() for k, v in inner.items()}
    return (table if isinstance(table, dict) else {}), ".".join(path), beside


def _without_prefix(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """The tensors without the prefixes that all of them share, and those prefixes."""
    taken = ""
    while True:
        prefix = next((p for p in _PREFIXES if all(k.startswith(p) for k in tensors)), None)
        if prefix is None:
            return tensors, taken
        tensors = {k.removeprefix(prefix): v for k, v in tensors.items()}
        taken += prefix


def _check_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    size = path.stat().st_size
    for key, tensor in tensors.items():
        is_dense = tensor.layout == torch.strided and not tensor.is_quantized
        # A view that repeats itself (stride 0) claims more numbers than the file holds.
        if not is_dense or tensor.is_complex() or tensor.numel() * tensor.element_size() > size:
            raise ModelError(
                f"The tensor {key} in {path} is not a plain array of numbers; save the net's"
                " state_dict() again, best as .safetensors."
            )


def _class_names(content: object) -> tuple[str, ...]:
    """`meta.CLASSES` or `meta.dataset_meta.classes` of mmsegmentation's checkpoints."""
    meta = content.get("meta") if isinstance(content, dict) else None
    if not isinstance(meta, dict):
        return ()
    inner = meta.get("dataset_meta")
    names = meta.get("CLASSES") or (inner.get("classes") if isinstance(inner, dict) else None)
    if isinstance(names, list | tuple) and all(isinstance(n, str) for n in names):
        return tuple(names)
    return ()


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(v, Tensor | dict) for v in value.values())
