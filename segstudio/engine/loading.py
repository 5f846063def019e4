"""From a model card to a net with its weights."""

from torch import nn

from segstudio.core.catalogue import ModelCard
from segstudio.errors import ModelError, UnknownName
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import load_into, load_state
from segstudio.store.models import check_weights

_LACKING = "tensors_without_weights"
"""Attribute of a built net: names of the tensors that the file did not have."""


def build_net(card: ModelCard) -> tuple[NetSpec, nn.Module]:
    """The spec of the card's net and the net with the card's weights, on the CPU in fp32.

    ModelError when they differ.
    """
    weights = check_weights(card)
    if card.net == "onnx" or weights.suffix == ".onnx":
        from segstudio.engine.onnx_net import build_onnx_net

        return build_onnx_net(card, weights)
    try:
        spec = NETS.get(card.net)
    except UnknownName as error:
        raise ModelError(f"The model '{card.name}' cannot be used: {error}") from error
    try:
        net = spec.build(len(card.classes), **card.net_args)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The card of '{card.name}' gives net_args that {spec.title} cannot be built with"
            f" ({error}); mend the card."
        ) from error
    lacking = load_into(net, load_state(weights), source=str(weights))
    setattr(net, _LACKING, lacking)
    return spec.of(net), net


def has_weights(net: nn.Module, layer: str) -> bool:
    """False for a head for training that the net was built with and no weights came for."""
    lacking: tuple[str, ...] = getattr(net, _LACKING, ())
    return not any(
        name.startswith(layer + ".")
        for name in lacking
        if not name.endswith(".num_batches_tracked")
    )
