"""milesial/Pytorch-UNet: U-Nets with padding and batch norm, as its training program saves them.

Pictures are RGB divided by 255 and nothing else. The layout is a matter of names alone: the skip
comes first where maps are joined, as it does in ours.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect


@dialect(
    "milesial",
    title="Pytorch-UNet (milesial)",
    source="https://github.com/milesial/Pytorch-UNet",
    recognises=lambda state: "inc.double_conv.0.weight" in state and "outc.conv.weight" in state,
)
def read(state: State) -> Found:
    """Transposed convolutions, or bilinear enlargement where there are none."""
    names = Renaming(state).rules(
        [
            (r"inc\.double_conv\.(.*)", r"contract.0.\1"),
            (r"down(\d)\.maxpool_conv\.1\.double_conv\.(.*)", r"contract.\1.\2"),
            *((rf"up{i + 1}\.up\.(.*)", rf"expand.{i}.up.\1") for i in range(4)),
            *((rf"up{i + 1}\.conv\.double_conv\.(.*)", rf"expand.{i}.convs.\1") for i in range(4)),
            (r"outc\.conv\.(.*)", r"classify.\1"),
        ]
    )
    first = state["inc.double_conv.0.weight"]
    net_args: dict[str, int | float | str | bool] = {"width": int(first.shape[0])}
    if first.shape[1] != 3:
        net_args["channels"] = int(first.shape[1])
    if "up1.up.weight" not in state:
        net_args["way"] = "bilinear"
    return names.found(
        "unet_padded",
        int(state["outc.conv.weight"].shape[0]),
        net_args=net_args,
        input={"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "multiple_of": 1},
    )
