"""From a model card to a net with its weights."""

from torch import nn

from segstudio.core.catalogue import ModelCard
from segstudio.errors import ModelError, UnknownName
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import load_into, load_state
from segstudio.store.models import check_weights


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
    load_into(net, load_state(weights), source=str(weights))
    return spec.of(net), net
