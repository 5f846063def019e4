"""What any module is, by its class, its settings and what it contains: "3×3 convolution"."""

import re

from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

WEIGHTY = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear)

BATCH_NORM = nn.modules.batchnorm._NormBase
"""All batch and instance norms."""

IDENTITY = "identity"
RESIDUAL = "inverted residual block"

WORDS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.LayerNorm, "layer norm"),
    (nn.GroupNorm, "group norm"),
    (nn.LocalResponseNorm, "local response norm"),
    (nn.ReLU6, "ReLU6"),
    (nn.ReLU, "ReLU"),
    (nn.PReLU, "PReLU"),
    (nn.LeakyReLU, "leaky ReLU"),
    (nn.ELU, "ELU"),
    (nn.GELU, "GELU"),
    (nn.SiLU, "SiLU"),
    (nn.Mish, "Mish"),
    (nn.Hardswish, "hard swish"),
    (nn.Hardsigmoid, "hard sigmoid"),
    (nn.Sigmoid, "sigmoid"),
    (nn.Tanh, "tanh"),
    (nn.Softplus, "softplus"),
    (nn.Softmax, "softmax"),
    (nn.Softmax2d, "softmax"),
    (nn.modules.dropout._DropoutNd, "dropout"),
    (nn.Linear, "linear layer"),
    (nn.Embedding, "embedding"),
    (nn.MultiheadAttention, "multi-head attention"),
    (nn.Flatten, "flattening"),
    (nn.PixelShuffle, "pixel shuffle"),
    (nn.Identity, IDENTITY),
)

NAMED: tuple[tuple[str, str], ...] = (
    (r"^FoldedNorm$", "batch norm"),
    (r"LayerNorm", "layer norm"),
    (r"RMSNorm", "RMS norm"),
    (r"GELU", "GELU"),
    (r"SiLU|Swish", "SiLU"),
    (r"DropPath|StochasticDepth", "stochastic depth"),
    (r"Sq\w*Ex|^SEModule|SELayer|EffectiveSE", "squeeze and excitation"),
    (r"^ASPP$|AtrousSpatialPyramid", "ASPP"),
    (r"PyramidPooling|^PSPModule|^PPM$", "pyramid pooling"),
    (r"Patch\w*Embed", "patch embedding"),
    (r"PatchMerging", "patch merging"),
    (r"PositionEmbed|PositionalEnc|PosEmbed", "position embedding"),
    (r"Attention|Attn", "attention"),
    (r"Mlp|MLP|FeedForward|FFN", "MLP"),
    (r"Separable", "separable convolution"),
    (r"InvertedResidual|MBConv", RESIDUAL),
    (r"Encoder$", "encoder"),
    (r"Decoder$", "decoder"),
    (r"Head$", "head"),
)
"""Pattern in the name of a class -> what it is; for classes of libraries."""


def kind_of(module: nn.Module) -> str:
    """What a module is by its class and settings, "" where those say nothing."""
    if isinstance(module, TRANSPOSED):
        return f"{_window(module.kernel_size)} transposed convolution{_after(module)}"
    if isinstance(module, CONVOLUTIONS):
        return _convolution(module)
    if isinstance(module, BATCH_NORM):
        return "instance norm" if "Instance" in type(module).__name__ else "batch norm"
    pooling = _pooling(module)
    if pooling:
        return pooling
    if isinstance(module, nn.Upsample):
        return f"enlargement{_times(module.scale_factor)}, {module.mode}"
    by_class = (word for cls, word in WORDS if isinstance(module, cls))
    by_name = (word for pattern, word in NAMED if re.search(pattern, type(module).__name__))
    # A library's class, by name, says more than the one of torch that it is derived from.
    is_torchs = type(module).__module__.startswith("torch.nn.")
    return next(by_class if is_torchs else by_name, "") or next(by_class, "")


def unit_of(module: nn.Module) -> str:
    """What a chain is that has one layer with weights (and norms, ReLUs, … around it), or ""."""
    found: nn.Module | None = None
    for inner in module.modules():
        if isinstance(inner, nn.MultiheadAttention):
            return ""
        if isinstance(inner, WEIGHTY):
            if found is not None:
                return ""
            found = inner
    return "" if found is None else kind_of(found)


def dilation_of(module: nn.Module) -> int:
    """The largest dilation of the convolutions in a module; 1 without any."""
    found = (m.dilation for m in module.modules() if isinstance(m, CONVOLUTIONS))
    return max((max(dilation) for dilation in found), default=1)


def kernel_of(module: nn.Module) -> str:
    """The window of the first convolution in a module: "3×3"; "" without any."""
    found = (m for m in module.modules() if isinstance(m, (*CONVOLUTIONS, *TRANSPOSED)))
    return next((_window(m.kernel_size) for m in found), "")


def _convolution(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> str:
    is_depthwise = conv.groups == conv.in_channels > 1
    after = _after(conv)
    if conv.groups > 1 and not is_depthwise:
        after += f", {conv.groups} groups"
    return f"{_window(conv.kernel_size)} {'depth-wise ' * is_depthwise}convolution{after}"


def _after(conv: nn.Module) -> str:
    text = ""
    for name in ("stride", "dilation"):
        value = getattr(conv, name)
        if max(value) > 1:
            alike = len(set(value)) == 1
            text += f", {name} {value[0] if alike else _window(value)}"
    return text


def _pooling(module: nn.Module) -> str:
    name = type(module).__name__
    sort = "max" if "Max" in name else "average"
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d | nn.AdaptiveAvgPool1d):
        size = module.output_size
        sides = tuple(size) if isinstance(size, tuple) else (size,) * 2
        is_global = all(side == 1 for side in sides)
        return f"global {sort} pooling" if is_global else f"{sort} pooling to {_window(sides)}"
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        stride = _pair(module.stride)
        after = f", stride {stride[0]}" if max(stride) > 1 else ""
        return f"{_window(_pair(module.kernel_size))} {sort} pooling{after}"
    if isinstance(module, nn.MaxUnpool2d):
        return "unpooling"
    return ""


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (size, size)


def _window(size: tuple[int | None, ...]) -> str:
    return "×".join(str(side) for side in size)


def _times(factor: object) -> str:
    return f" ×{factor:g}" if isinstance(factor, int | float) else ""
