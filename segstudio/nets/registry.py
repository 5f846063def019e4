"""The zoo: every net by name."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from segstudio.errors import ModelError
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

    build: (num_classes, **net_args) -> nn.Module whose forward takes float32
    (N, 3, H + 2 margin, W + 2 margin) and returns NetOutput. family: what it is listed under.
    align_corners: how its logits are enlarged to H, W. multiple_of, remainder: H and W must be a
    multiple of the one plus the other. min_side: smallest H and W it accepts. margin: pixels that
    it wants to see around the picture and answers nothing for (valid convolutions); whoever calls
    it mirrors the picture there. extra: the optional extra of the package that must be installed.
    only_size: the one (height, width) that it takes, where there is only one. aux_weights: of the
    training losses on the outputs in `aux`, in order; () means 1 each.

    Heads that exist for training only are children named `boosters` or `aux…`: weights without
    them are complete.
    """

    name: str
    title: str
    paper: str
    build: Callable[..., nn.Module]
    taps: tuple[Tap, ...] = ()
    family: str = ""
    align_corners: bool = False
    multiple_of: int = 1
    remainder: int = 0
    min_side: int = 32
    margin: int = 0
    extra: str = ""
    only_size: tuple[int, int] | None = None
    aux_weights: tuple[float, ...] = ()

    def of(self, net: nn.Module) -> "NetSpec":
        """The spec of one built net.

        What net_args decide, a net says itself: attributes of it that are called taps,
        align_corners, multiple_of, remainder, min_side, margin, only_size or aux_weights come
        before those declared here.
        """
        own = {name: getattr(net, name) for name in _SAID_BY_THE_NET if hasattr(net, name)}
        return dataclasses.replace(self, **own)

    def sides_near(self, side: int) -> tuple[int, ...]:
        """The next side lengths in pixels that the net can take: `side` alone when it can."""
        lowest = self._next_from(self.min_side)
        if side < lowest:
            return (lowest,)
        above = self._next_from(side)
        return (side,) if above == side else (above - self.multiple_of, above)

    def check_size(self, height: int, width: int) -> None:
        """ModelError with the next sizes that work when the net cannot take that one."""
        if self.only_size is not None:
            if (height, width) == self.only_size:
                return
            raise ModelError(
                f"{self.title} cannot take {height}×{width} (height×width): it takes"
                f" {self.only_size[0]}×{self.only_size[1]} and nothing else; choose that."
            )
        rows, cols = self.sides_near(height), self.sides_near(width)
        if rows == (height,) and cols == (width,):
            return
        near = " or ".join(
            f"{h}×{w}" for h, w in dict.fromkeys([(rows[0], cols[0]), (rows[-1], cols[-1])])
        )
        rule = f"sides of a multiple of {self.multiple_of}"
        if self.remainder:
            rule += f" plus {self.remainder}"
        raise ModelError(
            f"{self.title} cannot take {height}×{width} (height×width): it needs {rule}, at least"
            f" {self.sides_near(0)[0]}; choose {near}."
        )

    def _next_from(self, side: int) -> int:
        steps = max(0, -(-(side - self.remainder) // self.multiple_of))
        return steps * self.multiple_of + self.remainder


_SAID_BY_THE_NET = (
    "taps",
    "align_corners",
    "multiple_of",
    "remainder",
    "min_side",
    "margin",
    "only_size",
    "aux_weights",
)

NETS: Registry[NetSpec] = Registry("net", "segstudio.nets.zoo")


def net(
    name: str,
    *,
    title: str,
    paper: str,
    taps: tuple[Tap, ...] = (),
    family: str = "",
    align_corners: bool = False,
    multiple_of: int = 1,
    remainder: int = 0,
    min_side: int = 32,
    margin: int = 0,
    extra: str = "",
    aux_weights: tuple[float, ...] = (),
) -> Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]:
    """A decorator that files a builder in NETS. family: the title, unless given."""

    def file(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        spec = NetSpec(
            name=name,
            title=title,
            paper=paper,
            build=build,
            taps=taps,
            family=family or title,
            align_corners=align_corners,
            multiple_of=multiple_of,
            remainder=remainder,
            min_side=min_side,
            margin=margin,
            extra=extra,
            aux_weights=aux_weights,
        )
        NETS.add(name)(spec)
        return build

    return file
