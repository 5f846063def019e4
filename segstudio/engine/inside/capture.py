"""What layers answered during a forward pass.

Hooks exist only inside the `with` block. What is kept is a copy: a ReLU that works in place right
after the layer would otherwise change it (a batch norm's answer would have no negative number).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol

from torch import Tensor, nn

from segstudio.core.layers import CallFacts
from segstudio.errors import ModelError
from segstudio.nets.fields import as_map as laid_out
from segstudio.nets.fields import first_map


class Removable(Protocol):
    """What torch gives for a hook."""

    def remove(self) -> None:
        """The hook is gone."""


Answered = Callable[[Tensor], None]
"""Told a layer's answer right when it is there, with its batch; not to be kept without a copy."""


@contextmanager
def listening(net: nn.Module, listeners: Mapping[str, Answered]) -> Iterator[None]:
    """Tell listeners what the layers of these dotted names answer, every time they run.

    ModelError when there is no such layer. A net that is no torch graph has a method `listen` that
    takes a name and a listener.
    """
    with ExitStack() as stack:
        for name, listener in listeners.items():
            stack.callback(_listen(net, name, listener).remove)
        yield


def _listen(net: nn.Module, name: str, listener: Answered) -> Removable:
    listen = getattr(net, "listen", None)
    if listen is not None:
        handle: Removable = listen(name, listener)
        return handle
    try:
        module = net.get_submodule(name)
    except AttributeError:
        module = None
    if module is None or not name:
        raise ModelError(f"This model has no layer '{name}'; choose one of its own layers.")

    def hook(_module: nn.Module, _inputs: object, output: object) -> None:
        answer = first_map(output)
        if answer is not None:
            listener(answer)

    return module.register_forward_hook(hook)


@contextmanager
def capturing(net: nn.Module, names: Mapping[str, int]) -> Iterator[dict[str, Tensor]]:
    """Copies of what layers answer; filled while the net runs.

    names: layer -> which of its runs counts, from 0 in each forward pass, -1 for the last. A pass
    that is repeated (in another precision) replaces what was there.
    """
    found: dict[str, Tensor] = {}
    runs: dict[str, int] = {}

    def begin(_module: nn.Module, _inputs: object) -> None:
        runs.clear()

    def take(name: str, call: int) -> Answered:
        def listener(answer: Tensor) -> None:
            number = runs[name] = runs.get(name, -1) + 1
            if call in (-1, number):
                found[name] = answer.detach().clone()

        return listener

    first = net.register_forward_pre_hook(begin)
    try:
        with listening(net, {name: take(name, call) for name, call in names.items()}):
            yield found
    finally:
        first.remove()


def as_map(answer: Tensor, known: CallFacts | None) -> Tensor:
    """A layer's answer -> (C, h, w); known: of that run, which says how tokens are laid out.

    ModelError when there are no rows and columns in it.
    """
    if known is not None and known.layout != "first":
        channels, rows, cols = known.shape
        if answer.numel() == channels * rows * cols:
            return laid_out(answer, known.shape, known.layout)[0]
    if answer.dim() == 4:
        return answer[0]
    shape = "×".join(str(side) for side in answer.shape[1:]) or "one number"
    raise ModelError(
        f"This layer answers with {shape} and has no rows and columns; choose one with a map."
    )
