"""What can be said about a net by looking at it: size, cost, stride, receptive field.

A net is sent one picture on the meta device, where tensors have shapes and no numbers, so that the
largest net answers within a second. Costs are multiply-accumulate operations as torch's
FlopCounterMode counts them, which gives the figures that torchvision publishes for its nets.

Receptive fields are followed by nets/fields.py.
"""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.fields import fields, picture_for


def parameters(net: nn.Module) -> int:
    """Numbers that training changes or could change; buffers are not counted."""
    return sum(p.numel() for p in net.parameters())


def gmacs(net: nn.Module, height: int, width: int) -> float:
    """Billions of multiply-accumulate operations of one prediction for a (height, width) picture.

    The net must have been built on the meta device, or be small enough to run.
    """
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        net.eval()(picture_for(net, height, width))
    return float(counter.get_total_flops()) / 2e9


def output_stride(net: nn.Module, height: int, width: int) -> int:
    """Input pixels per pixel of the logits."""
    with torch.inference_mode():
        logits = net.eval()(picture_for(net, height, width)).logits
    rows: int = logits.shape[2]
    return round(height / rows)


def receptive_field(net: nn.Module, height: int, width: int) -> int | None:
    """Side in pixels of what the deepest layer sees, before anything is enlarged.

    None when the net looks at the whole picture at once (global pooling, attention). height,
    width: of a picture that the net takes.
    """
    found, logits = fields(net, height, width)
    if logits.is_whole:
        return None
    plain = [f.size[0] for f in found.values() if not f.is_enlarged and not f.is_whole]
    return max(plain, default=logits.size[0])
