"""ENet of github.com/davidtvs/PyTorch-ENet, in the form of its CamVid weights.

Its pictures are RGB, 0..1, without mean and deviation, 360 rows high for CamVid. The last class is
void ("unlabelled"); the others are CamVid's in the order of SegNet's release.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect

_PICTURES = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "multiple_of": 8}

_BLOCK = (
    ("ext_conv1", "project"),
    ("ext_conv2", "main"),
    ("ext_conv3", "expand"),
    ("main_conv1", "shortcut"),
    ("out_prelu", "act"),
)

_RULES = (
    (r"initial_block\.main_branch\.(.*)", r"initial.conv.\1"),
    (r"initial_block\.batch_norm\.(.*)", r"initial.norm.\1"),
    (r"initial_block\.out_prelu\.(.*)", r"initial.act.\1"),
    (r"transposed_conv\.(.*)", r"fullconv.\1"),
    *((rf"downsample(\d)_0\.{old}\.(.*)", rf"down\1.{new}.\2") for old, new in _BLOCK),
    *((rf"upsample(\d)_0\.{old}\.(.*)", rf"up\1.{new}.\2") for old, new in _BLOCK),
)


def _recognises(state: State) -> bool:
    return {
        "initial_block.main_branch.weight",
        "upsample4_0.ext_conv3.0.weight",
        "transposed_conv.weight",
    } <= state.keys()


@dialect(
    "enet_davidtvs",
    title="PyTorch-ENet (davidtvs)",
    source="https://github.com/davidtvs/PyTorch-ENet",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Stage 3 counts its bottlenecks from 0, the others from 1."""
    names = Renaming(state).rules(_RULES)
    for stage, count, first in ((1, 4, 1), (2, 8, 1), (3, 8, 0), (4, 2, 1), (5, 1, 1)):
        for i in range(count):
            names.rules(
                (rf"[a-z]+{stage}_{i + first}\.{old}\.(.*)", rf"stage{stage}.{i}.{new}.\1")
                for old, new in _BLOCK
            )
    num_classes = state["transposed_conv.weight"].shape[1]
    return names.found(
        "enet",
        num_classes,
        net_args={"window": 3},
        class_set={12: "camvid12", 20: "cityscapes20"}.get(num_classes, ""),
        input=_PICTURES,
    )
