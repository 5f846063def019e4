"""What layers answered during a forward pass.

Hooks exist only inside the `with` block. What is kept is a copy: a ReLU that works in place right
after the layer would otherwise change it (a batch norm's answer would have no negative number).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from segstudio.errors import ModelError


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
        answer = tensor_of(output)
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


def tensor_of(output: Any) -> Tensor | None:  # noqa: ANN401 - whatever a module answers
    """The first map in an answer, else its first tensor: modules answer with anything."""
    leaves = tree_leaves(output)
    if not any(isinstance(leaf, Tensor) for leaf in leaves) and hasattr(output, "__dict__"):
        leaves = tree_leaves(vars(output))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    return next((t for t in tensors if t.dim() == 4), tensors[0] if tensors else None)


def as_map(answer: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, C, h, w) or (1, N, C) tokens -> (C, h, w).

    size: (h, w) of the net's input. Tokens are a map when they cover the input evenly, after one
    class token or none. ModelError when there are no rows and columns in it.
    """
    if answer.dim() == 4:
        return answer[0]
    if answer.dim() == 3:
        count = answer.shape[1]
        for stride in (1, 2, 4, 8, 14, 16, 32, 64):
            h, w = size[0] // stride, size[1] // stride
            if h * w > 1 and count - h * w in (0, 1):
                return answer[0, count - h * w :].T.reshape(-1, h, w)
    shape = "×".join(str(side) for side in answer.shape[1:]) or "one number"
    raise ModelError(
        f"This layer answers with {shape} and has no rows and columns; choose one with a map."
    )
