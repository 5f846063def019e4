"""The zoo: every net by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from segstudio.registry import Registry


class NetOutput(NamedTuple):
    """logits: float (N, C, h, w) at the net's own stride, never enlarged to the input.

    aux: logits of the heads that exist for training only, each (N, C, h_i, w_i); empty in eval.
    """

    logits: Tensor
    aux: tuple[Tensor, ...] = ()


class Tap(NamedTuple):
    """A declared stage that can be looked at: dotted module name, stride, channels."""

    name: str
    stride: int
    channels: int


@dataclass(frozen=True, slots=True)
class NetSpec:
    """One architecture.

    build: (num_classes, **net_args) -> nn.Module whose forward takes float32 (N, 3, H, W) and
    returns NetOutput. align_corners: how its logits are enlarged to the input. multiple_of: both
    input sides must be a multiple of this. min_side: smallest side it accepts.
    """

    name: str
    title: str
    paper: str
    build: Callable[..., nn.Module]
    taps: tuple[Tap, ...] = ()
    align_corners: bool = False
    multiple_of: int = 1
    min_side: int = 32


NETS: Registry[NetSpec] = Registry("net", "segstudio.nets.zoo")


def net(
    name: str,
    *,
    title: str,
    paper: str,
    taps: tuple[Tap, ...] = (),
    align_corners: bool = False,
    multiple_of: int = 1,
    min_side: int = 32,
) -> Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]:
    """A decorator that files a builder in NETS."""

    def file(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        NETS.add(name)(
            NetSpec(name, title, paper, build, taps, align_corners, multiple_of, min_side)
        )
        return build

    return file
