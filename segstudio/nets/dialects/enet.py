"""ENet of github.com/davidtvs/PyTorch-ENet, as its first CamVid weights have it and as it is today.

Today's pools without overlap, shares one slope in each bottleneck, has ReLU in the decoder and
transposed convolutions of 2x2. Pictures are RGB, 0..1, without mean and deviation. Void is the last
class of CamVid's 12 and the first of Cityscapes' 20.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect

_CITYSCAPES = (
    *("void", "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light"),
    *("traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus"),
    *("train", "motorcycle", "bicycle"),
)

_TRAINED_ON = {12: ("camvid12", 360, ()), 20: ("cityscapes20", 512, _CITYSCAPES)}
"""Classes -> class set, rows of the pictures, classes in order (those of the set: empty)."""

_BLOCK = (
    ("ext_conv1", "project"),
    ("ext_conv2", "main"),
    ("ext_conv3", "expand"),
    ("out_prelu", "act"),
)

_FIRST_UP = (*_BLOCK, ("main_conv1", "shortcut"))
_TODAYS_UP = (
    ("main_conv1", "shortcut"),
    ("ext_conv1", "project"),
    ("ext_tconv1", "main.0"),
    ("ext_tconv1_bnorm", "main.1"),
    ("ext_conv2", "expand"),
)

_RULES = (
    (r"initial_block\.main_branch\.(.*)", r"initial.conv.\1"),
    (r"initial_block\.batch_norm\.(.*)", r"initial.norm.\1"),
    (r"initial_block\.out_prelu\.(.*)", r"initial.act.\1"),
    (r"transposed_conv\.(.*)", r"fullconv.\1"),
    *((rf"downsample(\d)_0\.{old}\.(.*)", rf"down\1.{new}.\2") for old, new in _BLOCK),
)


def _recognises(state: State) -> bool:
    names = state.keys()
    ups = {"upsample4_0.ext_conv3.0.weight", "upsample4_0.ext_tconv1.weight"}
    return {"initial_block.main_branch.weight", "transposed_conv.weight"} <= names and bool(
        ups & names
    )


@dialect(
    "enet_davidtvs",
    title="PyTorch-ENet (davidtvs)",
    source="https://github.com/davidtvs/PyTorch-ENet",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Stage 3 counts its bottlenecks from 0, the others from 1."""
    is_first = "upsample4_0.ext_conv3.0.weight" in state
    up = _FIRST_UP if is_first else _TODAYS_UP
    names = Renaming(state).rules(_RULES)
    names.rules((rf"upsample(\d)_0\.{old}\.(.*)", rf"up\1.{new}.\2") for old, new in up)
    for stage, count, first in ((1, 4, 1), (2, 8, 1), (3, 8, 0), (4, 2, 1), (5, 1, 1)):
        for i in range(count):
            names.rules(
                (rf"[a-z]+{stage}_{i + first}\.{old}\.(.*)", rf"stage{stage}.{i}.{new}.\1")
                for old, new in _BLOCK
            )
    num_classes = state["transposed_conv.weight"].shape[1]
    class_set, rows, class_names = _TRAINED_ON.get(num_classes, ("", None, ()))
    pictures = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "multiple_of": 8}
    todays = {"deconv": 2, "single_slopes": True, "relu_decoder": True}
    return names.found(
        "enet",
        num_classes,
        net_args={"window": 3} if is_first else todays,
        class_set=class_set,
        class_names=class_names,
        input={**pictures, "short_side": rows} if rows else pictures,
    )
