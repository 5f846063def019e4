"""Pickles of tensors read without running anything, foreign objects made inert.

`torch.load(weights_only=True)` interprets a pickle itself and calls nothing but what it knows. It
stops at the first class that it does not know, and real training checkpoints hold some: NumPy
scalars (a best score), `argparse.Namespace`, a history buffer. Here such a name is answered by a
stub that accepts anything and keeps nothing, so the tensors beside it can be read and no code of
the file, nor of the class it names, ever runs. What a checkpoint of tensors never needs (a pickled
module, a function of the system or of the interpreter) is no bookkeeping: those files are refused.
"""

import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import torch

from segstudio.errors import ModelError

MOST_STUBS = 64
"""Distinct foreign classes in one file; more than that is no checkpoint."""

_NAME = re.compile(r"Unsupported (?:global|class): ?(?:GLOBAL )?([\w.]+)")

# fmt: off
_REFUSED_ROOTS = frozenset((
    "os", "posix", "nt", "sys", "subprocess", "builtins", "importlib", "shutil", "runpy", "socket",
    "pty", "ctypes", "code", "codeop", "webbrowser", "pickle", "cloudpickle", "marshal",
    "types", "operator", "io", "multiprocessing", "asyncio", "torch", "torchvision", "pip",
    "signal", "threading",
))
# fmt: on
"""First parts of names that no bookkeeping object has: code, the system, and whole nets."""

_PLAIN_TYPES = frozenset(("list", "dict", "set", "tuple", "int", "float", "str", "bool"))

_TORCH_BOOKKEEPING = ("torch.optim.", "torch.cuda.amp.", "torch.amp.")


class Inert(dict[Any, Any]):
    """Stands for an object of a foreign class: takes whatever it is given, keeps nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def __setstate__(self, _: object) -> None:
        """Forget the state."""


def _table(*_: object) -> dict[Any, Any]:
    return {}


def _row(*_: object) -> list[Any]:
    return []


_CONTAINERS = {"collections.defaultdict": _table, "collections.deque": _row}
"""Filled item by item after they are made, which torch allows for plain dicts and lists only."""


def load_inert(path: Path) -> tuple[object, tuple[str, ...]]:
    """The content of a `.pth` file, tensors on the CPU, and the names that became stubs, sorted.

    ModelError when it is damaged, or holds what could be a program or a whole net.
    """
    stubs: dict[str, Any] = dict(_CONTAINERS)
    while len(stubs) <= MOST_STUBS:
        try:
            with warnings.catch_warnings():  # about old pickles: the sentences below say enough
                warnings.simplefilter("ignore")
                allowed: list[Any] = [(stub, name) for name, stub in stubs.items()]
                with torch.serialization.safe_globals(allowed):
                    content = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            name = _stubbed(path, error)
            if name in stubs:  # it is not that name, but one that begins like it
                raise _not_opened(path) from error
            stubs[name] = Inert
        except Exception as error:  # torch.load raises whatever a damaged stream leads to
            raise ModelError(
                f"The weights file {path} is damaged or not a PyTorch state dict; download or copy"
                " it again."
            ) from error
        else:
            return content, tuple(sorted(stubs.keys() - _CONTAINERS.keys()))
    raise ModelError(
        f"The weights file {path} was not opened, because it holds over {MOST_STUBS} kinds of"
        " foreign objects; save its state_dict() alone, best as .safetensors."
    )


def _not_opened(path: Path) -> ModelError:
    return ModelError(
        f"The weights file {path} was not opened, because it is damaged or holds more than"
        " tensors and could run a program; save its state_dict() alone, best as .safetensors."
    )


def _stubbed(path: Path, error: pickle.UnpicklingError) -> str:
    """The name that stopped the reading, if a stub may take its place; else ModelError."""
    match = _NAME.search(str(error))
    if match is None:
        raise _not_opened(path) from error
    name = match[1]
    if name in _PLAIN_TYPES:  # as what a defaultdict makes
        return f"builtins.{name}"
    is_builtin = "." not in name
    is_refused = name.split(".")[0] in _REFUSED_ROOTS and not name.startswith(_TORCH_BOOKKEEPING)
    if is_builtin or is_refused:
        what = "holds a whole net" if name.startswith("torch") else "could run a program"
        raise ModelError(
            f"The weights file {path} was not opened, because it holds more than tensors and {what}"
            f" ({name}); save its state_dict() alone, best as .safetensors."
        ) from error
    return name
