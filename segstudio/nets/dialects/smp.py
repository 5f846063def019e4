"""segmentation-models-pytorch: `encoder.…`, `decoder.…`, `segmentation_head.0.…`.

The names are those of the library's own modules, which our net "smp" is built from: nothing is
renamed. What the file does not say is the architecture and the encoder; both follow from names and
shapes. What neither tells is the library's default: stride 8 for DeepLab V3, 16 for V3+.
"""

import re
from collections.abc import Callable

from torch import Tensor

from segstudio.errors import ModelError
from segstudio.nets.dialect import Found, Renaming, State, dialect
from segstudio.nets.libraries import SchedulesOnCpu, library

SOURCE = "https://github.com/qubvel-org/segmentation_models.pytorch"

ARCHITECTURES = (
    ("MAnet", r"decoder\.center\.top_conv\.weight"),
    ("Unet", r"decoder\.blocks\.0\.conv1\.0\.weight"),
    ("UnetPlusPlus", r"decoder\.blocks\.x_0_0\.conv1\.0\.weight"),
    ("Linknet", r"decoder\.blocks\.0\.block\.0\.0\.weight"),
    ("FPN", r"decoder\.p5\.weight"),
    ("PSPNet", r"decoder\.psp\.blocks\.0\.pool\.1\.0\.weight"),
    ("PAN", r"decoder\.fpa\.branch1\.1\.conv\.weight"),
    ("DeepLabV3", r"decoder\.aspp\.convs\.0\.0\.weight"),
    ("DeepLabV3Plus", r"decoder\.aspp\.0\.convs\.0\.0\.weight"),
    ("UPerNet", r"decoder\.psp\.blocks\.0\.1\.0\.weight|decoder\.fpn_lateral_blocks\..*"),
    ("Segformer", r"decoder\.mlp_stage\.0\.linear\.weight"),
)
"""Architecture and a name that only its decoder has, or none before it in this list."""

INPUTS = {"tu-xception": {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}}
"""Start of an encoder's name -> what the library prepares pictures with, if not ImageNet's."""

OLD_V3 = r"decoder\.0\.convs\.0\.0\.weight"

RESNETS: dict[tuple[bool, tuple[int, ...]], dict[int, str]] = {
    (False, (2, 2, 2, 2)): {64: "resnet18"},
    (False, (3, 4, 6, 3)): {64: "resnet34"},
    (True, (3, 4, 6, 3)): {64: "resnet50", 128: "resnext50_32x4d"},
    (True, (3, 4, 23, 3)): {64: "resnet101", 256: "resnext101_32x8d"},
    (True, (3, 8, 36, 3)): {64: "resnet152"},
}
"""(bottlenecks?, blocks of each stage) -> width of the first block's convolutions -> encoder."""

MIXED_TRANSFORMERS: dict[tuple[int, tuple[int, ...]], str] = {
    (32, (2, 2, 2, 2)): "mit_b0",
    (64, (2, 2, 2, 2)): "mit_b1",
    (64, (3, 4, 6, 3)): "mit_b2",
    (64, (3, 4, 18, 3)): "mit_b3",
    (64, (3, 8, 27, 3)): "mit_b4",
    (64, (3, 6, 40, 3)): "mit_b5",
}
"""(width of the first stage, blocks of each stage) -> encoder."""


def _is_smp(state: State) -> bool:
    return "segmentation_head.0.weight" in state and any(k.startswith("encoder.") for k in state)


@dialect("smp", title="segmentation-models-pytorch", source=SOURCE, recognises=_is_smp)
def read_smp(state: State) -> Found:
    """ModelError when the architecture or the encoder cannot be told from the names."""
    names = {key: _today(key) for key in state} if _has(state, OLD_V3) else {}
    given, state = state, {names.get(key, key): value for key, value in state.items()}
    arch = next((a for a, key in ARCHITECTURES if _has(state, key)), None)
    if arch is None:
        raise ModelError(
            "These weights of segmentation-models-pytorch have a decoder that is not known here;"
            " choose weights of Unet, FPN, PSPNet, DeepLabV3 or another of its plain architectures."
        )
    args: dict[str, int | float | str | bool] = {"arch": arch, **_decoder_args(arch, state)}
    args["encoder"] = _known_encoder(state) or _encoder_of_library(arch, args, state)
    notes = []
    if arch.startswith("DeepLab"):
        stride = 8 if arch == "DeepLabV3" else 16
        notes.append(f"The file does not tell the encoder's stride; {stride} is the usual one.")
    moves = Renaming(given).ignore(r"classification_head\..*", "labels whole pictures")
    for old, new in names.items():
        moves.move(old, new)
    return moves.rest_unchanged().found(
        "smp",
        int(state["segmentation_head.0.weight"].shape[0]),
        net_args=args,
        input=dict(next((v for k, v in INPUTS.items() if str(args["encoder"]).startswith(k)), {})),
        notes=tuple(notes),
    )


def _today(key: str) -> str:
    """DeepLab V3's decoder was an unnamed sequence before version 0.4 of the library."""
    for old, new in (("0", "aspp"), ("1", "conv"), ("2", "bn")):
        if key.startswith(f"decoder.{old}."):
            return f"decoder.{new}." + key.removeprefix(f"decoder.{old}.")
    return key


def _has(state: State, pattern: str) -> bool:
    compiled = re.compile(pattern)
    return any(map(compiled.fullmatch, state))


def _count(state: State, pattern: str) -> int:
    """How many different numbers stand at the pattern's group in the names."""
    compiled = re.compile(pattern)
    return len({m[1] for m in map(compiled.match, state) if m})


def _decoder_args(arch: str, state: State) -> dict[str, int | float | str | bool]:
    """What the decoder's shapes say, where it differs from the library's default."""

    def width(key: str) -> int:
        return int(state[key].shape[0]) if key in state else 0

    if arch in ("Unet", "MAnet", "UnetPlusPlus"):
        return _unet_args(arch, state, width)
    found: dict[str, tuple[int, int]] = {}
    if arch == "FPN":
        found["decoder_pyramid_channels"] = (width("decoder.p5.weight"), 256)
        segments = width("decoder.seg_blocks.0.block.0.block.0.weight")
        found["decoder_segmentation_channels"] = (segments, 128)
    elif arch == "PSPNet":
        found["psp_out_channels"] = (width("decoder.conv.0.weight"), 512)
    elif arch == "DeepLabV3":
        found["decoder_channels"] = (width("decoder.conv.weight"), 256)
    elif arch == "DeepLabV3Plus":
        found["decoder_channels"] = (width("decoder.block2.0.1.weight"), 256)
    elif arch == "Segformer":
        found["decoder_segmentation_channels"] = (width("decoder.fuse_stage.0.weight"), 256)
    return {name: own for name, (own, usual) in found.items() if own and own != usual}


def _unet_args(
    arch: str, state: State, width: Callable[[str], int]
) -> dict[str, int | float | str | bool]:
    """Width of each block, and how many there are."""
    args: dict[str, int | float | str | bool] = {}
    if arch == "Unet":
        blocks = _count(state, r"decoder\.blocks\.(\d+)\.conv1\.0\.weight")
        channels = [width(f"decoder.blocks.{i}.conv1.0.weight") for i in range(blocks)]
        if channels != [256, 128, 64, 32, 16]:
            args["decoder_channels"] = ",".join(map(str, channels))
        if blocks != 5:
            args["encoder_depth"] = blocks
    if _has(state, r"decoder\..*\.attention1\.attention\..*"):
        args["decoder_attention_type"] = "scse"
    return args


def _known_encoder(state: State) -> str | None:
    """The encoders that are met most."""
    if "encoder.layer1.0.conv1.weight" in state:
        return _resnet(state)
    if "encoder.patch_embed1.proj.weight" in state:
        blocks = tuple(_count(state, rf"encoder\.block{i}\.(\d+)\.") for i in (1, 2, 3, 4))
        return MIXED_TRANSFORMERS.get(
            (int(state["encoder.patch_embed1.proj.weight"].shape[0]), blocks)
        )
    if "encoder.features.18.0.weight" in state and "encoder.features.0.1.running_mean" in state:
        return "mobilenet_v2"
    if "encoder.model.stem_0.conv.weight" in state:
        blocks_ = _count(state, r"encoder\.model\.blocks_(\d+)\.")
        return {12: "tu-xception41", 21: "tu-xception65", 23: "tu-xception71"}.get(blocks_)
    return None


def _resnet(state: State) -> str | None:
    is_bottleneck = "encoder.layer1.0.conv3.weight" in state
    blocks = tuple(_count(state, rf"encoder\.layer{i}\.(\d+)\.") for i in (1, 2, 3, 4))
    stem = state.get("encoder.conv1.weight")
    if stem is None or tuple(stem.shape[:1]) + tuple(stem.shape[2:]) != (64, 7, 7):
        return None
    if "encoder.layer1.0.se_module.fc1.weight" in state:
        return None
    width = int(state["encoder.layer1.0.conv1.weight"].shape[0])
    return RESNETS.get((is_bottleneck, blocks), {}).get(width)


def _encoder_of_library(arch: str, args: dict[str, int | float | str | bool], state: State) -> str:
    """The encoder of the library whose names and shapes these are; all are tried.

    ModelError when none fits.
    """
    smp = library(
        "segmentation_models_pytorch",
        package="segmentation-models-pytorch",
        extra="smp",
        title=f"{arch} with an encoder that only the library can name",
    )
    depth = {"PSPNet": 3}.get(arch, int(args.get("encoder_depth", 5)))
    wanted = _shapes({k.removeprefix("encoder."): v for k, v in _part(state, "encoder.").items()})
    for name in smp.encoders.encoders:
        if name.startswith(("timm-", "mit_")):
            continue
        own = _library_shapes(smp, name, depth)
        if own == wanted:
            return str(name)
    raise ModelError(
        f"These weights of segmentation-models-pytorch are a {arch} with an encoder that cannot be"
        " told from its names; write the card by hand, with arch and encoder in net_args."
    )


def _library_shapes(smp: object, name: str, depth: int) -> dict[str, tuple[int, ...]]:
    import torch

    encoders = smp.encoders  # type: ignore[attr-defined]  # a module of the library
    try:
        with torch.device("meta"), SchedulesOnCpu():
            return _shapes(encoders.get_encoder(name, depth=depth, weights=None).state_dict())
    except (RuntimeError, ValueError, TypeError, NotImplementedError):
        return {}


def _part(state: State, prefix: str) -> dict[str, Tensor]:
    return {k: v for k, v in state.items() if k.startswith(prefix)}


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {k: tuple(v.shape) for k, v in state.items() if not k.endswith("num_batches_tracked")}
