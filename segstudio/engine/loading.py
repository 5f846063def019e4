"""From a model card to a net with its weights, made fast for inference."""

import itertools

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

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


def fold_batch_norm(net: nn.Module) -> nn.Module:
    """The net with every batch norm that follows a convolution folded into it; eval only.

    Which ones follow is known in two forms: neighbours in an nn.Sequential, and pairs of children
    named convN and bnN (ResNet). Other batch norms stay as they are. The net itself is changed.
    """
    for module in list(net.modules()):
        names = [name for name, _ in module.named_children()]
        if isinstance(module, nn.Sequential):
            pairs = list(itertools.pairwise(names))
        else:
            pairs = [(n, "bn" + n.removeprefix("conv")) for n in names if n.startswith("conv")]
        for first, second in pairs:
            conv, norm = getattr(module, first), getattr(module, second, None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, first, fuse_conv_bn_eval(conv, norm))
                setattr(module, second, nn.Identity())
    return net
