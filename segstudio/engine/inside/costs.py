"""What every layer of a net costs: wall time and memory of its answers.

The net runs eagerly, as it does while somebody looks inside, with a hook before and after every
module. Times are what passes between the two, all runs of a module together, so a layer includes
what it contains and the hooks of what it contains, which take microseconds each. On CUDA the times
are those of the device, between two events.

Memory is that of the distinct storages made for the answers of a layer and of what it contains. A
ReLU that works in place, an identity and a view answer with what they were given and count
nothing. It is not the peak of the forward pass, which depends on when storages are let go.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_leaves

from segstudio.core.layers import LayerCost
from segstudio.engine import device as devices
from segstudio.engine.flow import CancelToken
from segstudio.engine.onnx_net import OnnxNet
from segstudio.engine.runner import DTYPES, Runner
from segstudio.engine.windows import mirrored

MIB = 2**20

Begins = Callable[[str, object], None]
Ends = Callable[[str, object], None]
"""A module's name, and what it is given or answers."""


def layer_costs(
    runner: Runner, x: Tensor, runs: int = 5, token: CancelToken | None = None
) -> dict[str, LayerCost]:
    """By name, of the layers that run and, as "", of the net: the median over `runs` passes.

    x: float (1, 3, h, w) prepared, without the margin. Calculated in the runner's precision, after
    a warm-up. Cancelled between layers when the token says so. Nothing for ONNX files, whose layers
    onnxruntime melts together.
    """
    net = runner.net
    if net is None:
        raise RuntimeError("this predictor is closed")
    if isinstance(net, OnnxNet):
        return {}
    token = token or CancelToken()
    with devices.guarded("Measuring the layers", runner.device), torch.inference_mode():
        picture = mirrored(x, runner.spec.margin)
        token.check()
        _run(runner, net, picture)
        memory = _memory(runner, net, picture, token)
        passes = [_times(runner, net, picture, token) for _ in range(runs)]
    return {
        name: LayerCost(statistics.median(one[name] for one in passes), size / MIB)
        for name, size in memory.items()
    }


def _run(runner: Runner, net: nn.Module, picture: Tensor) -> None:
    dtype = DTYPES[runner.precision]
    with torch.autocast(runner.device.type, dtype, enabled=dtype != torch.float32):
        net(picture)


@contextmanager
def _watched(net: nn.Module, begins: Begins, ends: Ends) -> Iterator[None]:
    """Both are called around every run of every module, the net's own ("") included."""
    hooks = []

    def before(name: str) -> Callable[..., None]:
        return lambda _module, args, kwargs: begins(name, (args, kwargs))

    def after(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: ends(name, output)

    try:
        for name, module in net.named_modules():
            hooks.append(module.register_forward_pre_hook(before(name), with_kwargs=True))
            hooks.append(module.register_forward_hook(after(name)))
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _times(runner: Runner, net: nn.Module, picture: Tensor, token: CancelToken) -> dict[str, float]:
    """Milliseconds by name in one forward pass."""
    now = _event if runner.device.type == "cuda" else _instant
    must_wait = runner.device.type == "mps"  # it has no events of its own
    begun: dict[str, list[Any]] = {}
    spans: list[tuple[str, Any, Any]] = []

    def begins(name: str, _given: object) -> None:
        token.check()
        if must_wait:
            devices.synchronize(runner.device)
        begun.setdefault(name, []).append(now())

    def ends(name: str, _answer: object) -> None:
        if must_wait:
            devices.synchronize(runner.device)
        spans.append((name, begun[name].pop(), now()))

    devices.synchronize(runner.device)
    with _watched(net, begins, ends):
        _run(runner, net, picture)
    devices.synchronize(runner.device)
    total: dict[str, float] = {}
    for name, first, last in spans:
        total[name] = total.get(name, 0.0) + _ms_between(first, last)
    return total


def _instant() -> float:
    return time.perf_counter()


def _event() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's
    event.record()
    return event


def _ms_between(first: Any, last: Any) -> float:  # noqa: ANN401  seconds or events
    if isinstance(first, float):
        return float(last - first) * 1e3
    return float(first.elapsed_time(last))


def _memory(runner: Runner, net: nn.Module, picture: Tensor, token: CancelToken) -> dict[str, int]:
    """Bytes by name in one forward pass."""
    storages = _Storages()
    weights = storages.of([*net.parameters(), *net.buffers()])
    open_runs: list[tuple[set[int], set[int]]] = []  # given, made; the innermost is the last
    made_by: dict[str, set[int]] = {}

    def begins(_name: str, given: object) -> None:
        token.check()
        open_runs.append((storages.of(given), set()))

    def ends(name: str, answer: object) -> None:
        given, made = open_runs.pop()
        made |= storages.of(answer) - given - weights
        made_by.setdefault(name, set()).update(made)
        if open_runs:
            open_runs[-1][1].update(made)

    with _watched(net, begins, ends):
        _run(runner, net, picture)
    return {name: storages.size(made) for name, made in made_by.items()}


class _Storages:
    """Tells storages apart, also those that were let go: a weak reference keeps the number."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._held: dict[int, StorageWeakRef] = {}

    def of(self, value: object) -> set[int]:
        """The storages of all tensors in it."""
        return {self._number(t) for t in tree_leaves(value) if isinstance(t, Tensor)}

    def size(self, numbers: set[int]) -> int:
        """Bytes of all of them together."""
        return sum(self._sizes[number] for number in numbers)

    def _number(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        held = StorageWeakRef(storage)  # type: ignore[no-untyped-call]  # torch's
        number = int(held.cdata)
        if number not in self._held:
            self._held[number] = held
        self._sizes[number] = storage.nbytes()
        return number
