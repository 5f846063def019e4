"""Every architecture of segmentation-models-pytorch on every encoder it has.

The library is https://github.com/qubvel-org/segmentation_models.pytorch (MIT); which paper an
architecture follows, and where it deviates, stands in its documentation. Ours is the adapter
alone: the modules are the library's under the library's names, so weights saved from it load as
they are. Only the last enlargement is left out (and with it its align_corners=True, which the net
says instead): logits come at the decoder's stride. Nothing is ever fetched from the network.

The library is imported when a net is built: that takes seconds.
"""

import inspect
from typing import Any

from torch import Tensor, nn

from segstudio.errors import ModelError
from segstudio.nets.libraries import SchedulesOnCpu, library
from segstudio.nets.registry import NetOutput, Tap, net

ARCHITECTURES = (
    "Unet",
    "UnetPlusPlus",
    "MAnet",
    "Linknet",
    "FPN",
    "PSPNet",
    "PAN",
    "DeepLabV3",
    "DeepLabV3Plus",
    "UPerNet",
    "Segformer",
)
"""The library's DPT is left out: it takes one size only, and the hub's DPT takes any."""

OURS = ("encoder_name", "encoder_weights", "in_channels", "classes", "activation", "aux_params")
"""Arguments of the library that are not a card's to choose."""


class SmpNet(nn.Module):
    """Encoder, decoder and head of a segmentation-models-pytorch net.

    Input: float32 (N, 3, H, W), H and W multiples of what the encoder shrinks by. Output: logits
    (N, C, H/s, W/s), s the decoder's stride: 1 for the U-Nets, 4 or 8 for the rest, 16 where
    DeepLab V3 is told so.
    """

    def __init__(self, built: nn.Module) -> None:
        super().__init__()
        encoder: Any = built.get_submodule("encoder")
        self.encoder = encoder
        self.decoder = built.get_submodule("decoder")
        head = built.get_submodule("segmentation_head")
        enlarge: Any = head.get_submodule("1")
        self.align_corners = isinstance(enlarge, nn.Upsample)
        stride = int(enlarge.scale_factor) if self.align_corners else 1
        classify = head.get_submodule("0")
        assert isinstance(classify, nn.Conv2d)
        self.segmentation_head = nn.Sequential(classify)
        self.multiple_of = int(encoder.output_stride)
        # PAN's attention halves the deepest stage three times.
        halvings = 8 if type(built).__name__ == "PAN" else 2
        self.min_side = max(64, halvings * self.multiple_of)
        self.taps = (*_encoder_taps(encoder), Tap("decoder", stride, classify.in_channels))

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        return NetOutput(self.segmentation_head(self.decoder(self.encoder(x))))


def _encoder_taps(encoder: Any) -> tuple[Tap, ...]:  # noqa: ANN401  the library's class
    """The four stages of a ResNet; other encoders name theirs in too many ways."""
    if not all(hasattr(encoder, f"layer{i}") for i in (1, 2, 3, 4)):
        return ()
    channels = encoder.out_channels[2:]  # behind the picture and the stem
    strides = (min(2 ** (i + 2), encoder.output_stride) for i in range(len(channels)))
    return tuple(
        Tap(f"encoder.layer{i}", stride, width)
        for i, (stride, width) in enumerate(zip(strides, channels, strict=True), 1)
    )


@net(
    "smp",
    title="segmentation-models-pytorch",
    paper="https://github.com/qubvel-org/segmentation_models.pytorch",
    multiple_of=32,
    min_side=64,
    extra="smp",
)
def smp_net(
    num_classes: int,
    *,
    arch: str = "Unet",
    encoder: str = "resnet18",
    **options: int | float | str | bool,
) -> SmpNet:
    """arch: one of ARCHITECTURES. encoder: the library's name of it.

    options: further arguments of the library's class; what it wants as a list of whole numbers is
    given as text ("256,128,64,32,16"). ModelError when the library is missing or refuses.
    """
    if arch not in ARCHITECTURES:
        raise ModelError(
            f"There is no architecture '{arch}' of segmentation-models-pytorch here; choose one of"
            f" {', '.join(ARCHITECTURES)}."
        )
    smp = library(
        "segmentation_models_pytorch",
        package="segmentation-models-pytorch",
        extra="smp",
        title=f"{arch} on {encoder}",
    )
    build = getattr(smp, arch)
    known = set(inspect.signature(build.__init__).parameters) - {"self", "kwargs", "upsampling"}
    strange = [name for name in options if name not in known or name in OURS]
    if strange:
        raise ModelError(
            f"{arch} of segmentation-models-pytorch takes no '{strange[0]}' from a card; leave it"
            " out of net_args."
        )
    try:
        with SchedulesOnCpu():
            built = build(
                encoder,
                encoder_weights=None,
                classes=num_classes,
                **{
                    name: _listed(value) if isinstance(value, str) else value
                    for name, value in options.items()
                },
            )
    except KeyError as error:  # the library lists eight hundred names
        raise ModelError(
            f"segmentation-models-pytorch has no encoder '{encoder}'; look its name up in the"
            " library's list of encoders."
        ) from error
    return SmpNet(built)


def _listed(value: str) -> str | tuple[int, ...]:
    """ "256,128" as (256, 128); other text as it is."""
    parts = value.split(",")
    return tuple(map(int, parts)) if all(part.strip().isdigit() for part in parts) else value
