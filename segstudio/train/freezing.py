"""Parts of a net that training leaves as they are."""

from typing import NamedTuple

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from segstudio.errors import SegStudioError
from segstudio.nets.registry import NetSpec
from segstudio.train.parts import Part, layout_of

WHAT = ("none", "backbone", "all_but_head")
"""Parts that can be frozen: none, the backbone, or the decoder too."""

NORMS = ("trained", "statistics", "frozen")
"""What becomes of batch norms: all is trained, mean and variance stay, scale and shift stay too."""


class Trained(NamedTuple):
    """What goes on learning: names of parameters in the net's order, how many numbers they are,
    and how many the whole net has.
    """

    names: tuple[str, ...]
    numbers: int
    of: int


def freeze(net: nn.Module, spec: NetSpec, what: str, *, norms: str = "trained") -> Trained:
    """Freeze a part of the net (`WHAT`) and its batch norms (`NORMS`), for good.

    Batch norms in a frozen part keep their statistics, or the part would still change. Frozen
    batch norms stay in eval mode whatever `net.train()` says, in copies of the net too. What a net
    does not train by itself (the enlargements of FCN) stays as it is. SegStudioError for words
    that are none of these.
    """
    for word, known in ((what, WHAT), (norms, NORMS)):
        if word not in known:
            raise SegStudioError(
                f"'{word}' is nothing that can be frozen; choose one of {', '.join(known)}."
            )
    layout = layout_of(net, spec)
    frozen = {
        "none": (),
        "backbone": (Part.BACKBONE,),
        "all_but_head": (Part.BACKBONE, Part.DECODER),
    }[what]
    for name, parameter in net.named_parameters():
        if layout.part_of(name) in frozen:
            parameter.requires_grad_(False)
    kinds: dict[type[nn.Module], type[nn.Module]] = {}
    for name, module in net.named_modules():
        if not isinstance(module, _BatchNorm):
            continue
        if norms != "trained" or layout.part_of(name) in frozen:
            _keep_in_eval(module, kinds)
        if norms == "frozen":
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)
    learning = {name: p for name, p in net.named_parameters() if p.requires_grad}
    return Trained(
        tuple(learning),
        sum(p.numel() for p in learning.values()),
        sum(p.numel() for p in net.parameters()),
    )


def is_frozen(norm: nn.Module) -> bool:
    """Whether a batch norm was frozen; such a one must not be made another kind of batch norm."""
    return isinstance(norm, _InEval)


class _InEval(nn.Module):
    """Added to the class of a batch norm, so that it holds in copies as well; hooks would leave
    `training` wrong until the next forward.
    """

    def train(self, mode: bool = True) -> "_InEval":  # noqa: ARG002, FBT001  torch's own
        """Stays in eval mode."""
        return super().train(mode=False)


def _keep_in_eval(norm: nn.Module, kinds: dict[type[nn.Module], type[nn.Module]]) -> None:
    """kinds: classes made so far, by what they were made of."""
    if not is_frozen(norm):
        own = type(norm)
        kinds.setdefault(own, type(f"Frozen{own.__name__}", (_InEval, own), {}))
        norm.__class__ = kinds[own]
    norm.eval()
