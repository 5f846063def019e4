"""MMSegmentation's UNet-S5-D16 with an FCN head."""

from segstudio.nets.dialect import Found, Renaming, State, dialect


def _rules() -> list[tuple[str, str]]:
    rules = []
    block, enlarge = r"backbone\.decoder\.{}\.conv_block", r"backbone\.decoder\.{}\.upsample"
    for number in range(2):
        # convolution, batch norm and ReLU take three places of a Double each
        for part, place in (("conv", 3 * number), ("bn", 3 * number + 1)):
            rules += [
                (
                    rf"backbone\.encoder\.(\d)\.\d\.convs\.{number}\.{part}\.(.*)",
                    rf"contract.\1.{place}.\2",
                ),
                *(
                    (
                        block.format(3 - level) + rf"\.convs\.{number}\.{part}\.(.*)",
                        rf"expand.{level}.convs.{place}.\1",
                    )
                    for level in range(4)
                ),
            ]
    for part, place in (("conv", 1), ("bn", 2)):
        rules += [
            (
                enlarge.format(3 - level) + rf"\.interp_upsample\.1\.{part}\.(.*)",
                rf"expand.{level}.up.{place}.\1",
            )
            for level in range(4)
        ]
    for part, place in (("conv", 0), ("bn", 1)):
        rules += [
            (rf"decode_head\.convs\.0\.{part}\.(.*)", rf"head.{place}.\1"),
            (rf"auxiliary_head\.convs\.0\.{part}\.(.*)", rf"aux.0.{place}.\1"),
        ]
    rules += [
        (r"decode_head\.conv_seg\.(.*)", r"classify.\1"),
        (r"auxiliary_head\.conv_seg\.(.*)", r"aux.1.\1"),
    ]
    return rules


@dialect(
    "mmseg_unet",
    title="U-Net (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=lambda state: (
        "backbone.encoder.0.0.convs.0.conv.weight" in state
        and "backbone.decoder.0.upsample.interp_upsample.1.conv.weight" in state
        and "decode_head.convs.0.conv.weight" in state
    ),
)
def read(state: State) -> Found:
    """Decoder levels are counted from the finest there, from the coarsest here."""
    count = int(state["decode_head.conv_seg.weight"].shape[0])
    return (
        Renaming(state)
        .rules(_rules())
        .found(
            "unet_mmseg",
            count,
            net_args={
                "width": int(state["backbone.encoder.0.0.convs.0.conv.weight"].shape[0]),
                "aux": "auxiliary_head.conv_seg.weight" in state,
            },
            class_set="cityscapes19" if count == 19 else "",
        )
    )
