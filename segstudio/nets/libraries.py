"""Nets that other libraries build: how such a library is found, and built without numbers."""

import importlib
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from segstudio.errors import ModelError


def library(module: str, *, package: str, extra: str, title: str) -> ModuleType:
    """The imported module.

    package: what it is called where packages are installed from. extra: our optional extra that
    brings it. title: what needs it. ModelError when it is not installed or cannot be imported.
    """
    try:
        with warnings.catch_warnings():  # what libraries say about each other helps nobody here
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{title} needs the package {package}, which comes with the extra '{extra}'; install"
            f" segstudio[{extra}]."
        ) from error
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise ModelError(
            f"{title} needs the package {package}, which is there but does not work ({reason});"
            f" install the extra '{extra}' again: segstudio[{extra}]."
        ) from error


class SchedulesOnCpu(TorchFunctionMode):
    """Makes torch.linspace answer with numbers even while everything else is built on "meta".

    Libraries compute drop-path rates with linspace and .item(), which the meta device cannot.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  whatever func answers
        """torch's hook around every function."""
        given = dict(kwargs or {})
        if func is torch.linspace:
            given["device"] = "cpu"
        return func(*args, **given)
