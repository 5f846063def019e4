"""The zoo described without tensors, for lists, details and diagrams.

Everything here imports torch and may take a second: call it in a background thread. Nets are
built on the meta device, so nothing is allocated and nothing is random.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from segstudio.core.catalogue import WHOLE_PICTURE, ModelCard, NetFacts, NetFigures, TapFacts
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.dialect import may_be_missing
from segstudio.nets.registry import NETS, NetSpec

NetArgs = Mapping[str, int | float | str | bool]

_TYPICAL_CLASSES = 19


def describe_zoo() -> tuple[NetFacts, ...]:
    """Every net by its declared facts, in the order family, title. Builds nothing."""
    specs = [NETS.get(name) for name in NETS]
    return tuple(_facts(s) for s in sorted(specs, key=lambda s: (s.family, s.title)))


def describe_net(
    name: str, net_args: NetArgs | None = None, classes: int = _TYPICAL_CLASSES
) -> NetFacts:
    """One net as it is when built with these net_args: its own taps and size rule.

    A net that cannot be built here (its extra is missing, say) tells so in `trouble`.
    ModelError when there is no net of that name.
    """
    spec = NETS.get(name)
    try:
        return _facts(spec.of(_built(spec, net_args or {}, classes)))
    except SegStudioError as error:
        return _facts(spec, str(error))


def measure_net(
    name: str, net_args: NetArgs | None, classes: int, height: int, width: int
) -> NetFigures:
    """Count one net at one input size in pixels; what cannot be counted stays None.

    ModelError when the net cannot be built.
    """
    from segstudio.nets import facts

    net = _built(NETS.get(name), net_args or {}, classes)
    return NetFigures(
        height,
        width,
        parameters=_parameters(net),
        gmacs=_asked(lambda: facts.gmacs(net, height, width)),
        output_stride=_asked(lambda: facts.output_stride(net, height, width)),
        receptive_field=_asked(lambda: facts.receptive_field(net, height, width) or WHOLE_PICTURE),
    )


def count_model(card: ModelCard, size: tuple[int, int]) -> NetFigures:
    """Parameters and multiply-accumulates of a model at one input size (h, w), and no more.

    What cannot be counted (an ONNX file, a net whose extra is missing) stays None, except that the
    card may know the parameters.
    """
    from segstudio.nets import facts

    try:
        net = _built(NETS.get(card.net), card.net_args, len(card.classes))
    except (SegStudioError, ImportError):
        return NetFigures(*size, parameters=card.params)
    gmacs = _asked(lambda: facts.gmacs(net, *size))
    return NetFigures(*size, parameters=_parameters(net), gmacs=gmacs)


def _parameters(net: nn.Module) -> int:
    """Without heads for training only."""
    return sum(p.numel() for name, p in net.named_parameters() if not may_be_missing(name))


def _asked(question: Callable[[], Any]) -> Any:  # noqa: ANN401  a count or a factor
    try:
        return question()
    except (SegStudioError, RuntimeError, ValueError, TypeError, NotImplementedError):
        return None


def _built(spec: NetSpec, net_args: NetArgs, classes: int) -> nn.Module:
    try:
        with torch.device("meta"):
            return spec.build(classes, **net_args).eval()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{spec.title} cannot be built with these net arguments ({error}); correct the card."
        ) from error


def _facts(spec: NetSpec, trouble: str = "") -> NetFacts:
    return NetFacts(
        spec.name,
        spec.title,
        spec.paper,
        spec.family,
        tuple(TapFacts(t.name, t.stride, t.channels) for t in spec.taps),
        spec.multiple_of,
        spec.remainder,
        spec.min_side,
        spec.margin,
        spec.extra,
        trouble,
        spec.only_size,
    )
