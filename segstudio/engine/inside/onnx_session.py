"""Intermediate tensors of an ONNX file while it runs.

onnxruntime answers with what the graph declares as outputs, and melts everything else together. So
the graph gets the wanted tensors as further outputs, in memory; the file stays as it is, and
weights beside it are found by its path. Such a session is opened once for a set of names and let
go of by the first run that nobody listens to.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segstudio.engine.onnx_net import open_session
from segstudio.errors import ModelError
from segstudio.nets.libraries import library

Listener = Callable[[Tensor], None]


def read_graph(file: Path) -> Any:  # noqa: ANN401  onnx.ModelProto
    """The model in the file without large weights that lie beside it.

    ModelError when the extra is missing.
    """
    onnx: Any = library("onnx", package="onnx", extra="onnx", title="Looking into an ONNX file")
    return onnx.load(str(file), load_external_data=False)


def with_outputs(model: Any, names: tuple[str, ...]) -> bytes:  # noqa: ANN401  onnx.ModelProto
    """The model with these tensors as further outputs."""
    onnx: Any = library("onnx", package="onnx", extra="onnx", title="Looking into an ONNX file")
    wider = onnx.ModelProto()
    wider.CopyFrom(model)
    there = {output.name for output in model.graph.output}
    for name in names:
        if name not in there:
            wider.graph.output.append(onnx.ValueInfoProto(name=name))
    data: bytes = wider.SerializeToString()
    return data


class Listening:
    """Somebody who wants to know a tensor."""

    def __init__(self, inside: "Inside", name: str, listener: Listener) -> None:
        self.name, self.listener = name, listener
        self._inside = inside

    def remove(self) -> None:
        """Nobody is told any more; twice is fine."""
        self._inside.forget(self)


class Inside:
    """One file's tensors and who listens to them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = {name for node in read_graph(file).graph.node for name in node.output if name}
        self._listening: list[Listening] = []
        self._session: Any = None
        self._opened_for: tuple[tuple[str, ...], str] = ((), "")

    def listen(self, name: str, listener: Listener) -> Listening:
        """ModelError when the graph has no such tensor."""
        if name not in self._known:
            raise ModelError(
                f"{self._file.name} has no layer '{name}'; choose one of its own layers."
            )
        made = Listening(self, name, listener)
        self._listening.append(made)
        return made

    def forget(self, listening: Listening) -> None:
        """See Listening.remove."""
        self._listening = [one for one in self._listening if one is not listening]

    def prepare(self, device: str) -> bool:
        """Whether somebody listens; then the session is open, and else it is gone."""
        names = tuple(sorted({one.name for one in self._listening}))
        if not names:
            self._session, self._opened_for = None, ((), "")
            return False
        if self._opened_for != (names, device):
            self._session = None  # not two at once
            edited = with_outputs(read_graph(self._file), names)
            self._session = open_session(self._file, device, edited=edited)
            self._opened_for = names, device
        return True

    def run(self, output: str, given: dict[str, Any], device: torch.device) -> Any:  # noqa: ANN401
        """The file's answer (a NumPy array); everybody has been told when this returns."""
        names, _ = self._opened_for
        answer, *inner = self._session.run([output, *names], given)
        found = dict(zip(names, inner, strict=True))
        for one in tuple(self._listening):
            one.listener(torch.from_numpy(found[one.name]).to(device))
        return answer
