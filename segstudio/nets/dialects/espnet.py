"""ESPNet's authors: the decoder files of github.com/sacmehta/ESPNet.

Their loader normalises BGR values of 0..255 and then divides by 255 once more. The last class is
void; of 12 classes the others are CamVid's in the order of SegNet's release, of 20 Cityscapes' 19.
"""

import re
from typing import Any

from segstudio.nets.dialect import Found, Renaming, State, dialect

_PICTURES = {"scale": 1.0, "divide_after": 255.0, "channels": "BGR", "multiple_of": 8}

_TRAINED_ON: dict[int, tuple[str, dict[str, Any]]] = {
    12: (
        "camvid12",
        {
            "mean": (110.331, 108.409, 105.033),
            "std": (72.126, 72.691, 69.904),
            "short_side": 360,
        },
    ),
    20: (
        "cityscapes20",
        {
            "mean": (72.3923111, 82.90893555, 73.15840149),
            "std": (45.3192215, 46.15289307, 44.91483307),
            "short_side": 512,
        },
    ),
}
"""Classes -> class set, and what the authors normalise by (BGR, 0..255)."""

_ESP = r"(encoder\.level\d_0|encoder\.level\d\.\d+|combine_l2_l3\.1)"
_BRANCHES = {"d1": 0, "d2": 1, "d4": 2, "d8": 3, "d16": 4}

_RULES = (
    (r"encoder\.level1\.conv\.(.*)", r"level1.0.\1"),
    (r"encoder\.level1\.bn\.(.*)", r"level1.1.\1"),
    (r"encoder\.level1\.act\.(.*)", r"level1.2.\1"),
    (r"encoder\.b(\d)\.bn\.(.*)", r"level\1_merge.0.\2"),
    (r"encoder\.b(\d)\.act\.(.*)", r"level\1_merge.1.\2"),
    (r"encoder\.classifier\.conv\.(.*)", r"score3.0.\1"),
    (r"br\.(.*)", r"score3.1.\1"),
    (r"level3_C\.conv\.(.*)", r"score2.\1"),
    (r"up_l3\.0\.(.*)", r"up3.\1"),
    (r"combine_l2_l3\.0\.bn\.(.*)", r"fuse2.0.0.\1"),
    (r"combine_l2_l3\.0\.act\.(.*)", r"fuse2.0.1.\1"),
    (r"up_l2\.0\.(.*)", r"up2.0.\1"),
    (r"up_l2\.1\.bn\.(.*)", r"up2.1.\1"),
    (r"up_l2\.1\.act\.(.*)", r"up2.2.\1"),
    (r"conv\.conv\.(.*)", r"fuse1.0.\1"),
    (r"conv\.bn\.(.*)", r"fuse1.1.\1"),
    (r"conv\.act\.(.*)", r"fuse1.2.\1"),
    (r"classifier\.(.*)", r"up1.\1"),
)


def _recognises(state: State) -> bool:
    return {
        "encoder.level2_0.d16.conv.weight",
        "up_l3.0.weight",
        "classifier.weight",
    } <= state.keys()


def _esp_name(module: str) -> str:
    """Our name of an ESP module."""
    if module == "combine_l2_l3.1":
        return "fuse2.1"
    return re.sub(r"_0$", "_down", module.removeprefix("encoder."))


@dialect(
    "espnet",
    title="ESPNet (authors)",
    source="https://github.com/sacmehta/ESPNet",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """p, q and the number of classes are counted."""
    names = Renaming(state)
    for module in sorted({m[1] for m in (re.match(_ESP + r"\.", k) for k in state) if m}):
        ours, theirs = _esp_name(module), re.escape(module)
        names.rules(
            [
                (theirs + r"\.c1\.conv\.(.*)", ours + r".reduce.\1"),
                *(
                    (rf"{theirs}\.{d}\.conv\.(.*)", rf"{ours}.branches.{i}.\1")
                    for d, i in _BRANCHES.items()
                ),
                # Strided modules hold norm and slopes themselves, the others in a pair.
                (theirs + r"\.bn\.act\.(.*)", ours + r".last.1.\1"),
                (theirs + r"\.act\.(.*)", ours + r".last.1.\1"),
                (theirs + r"\.bn\.(?:bn\.)?(.*)", ours + r".last.0.\1"),
            ]
        )
    names.rules(_RULES)
    width, num_classes = state["classifier.weight"].shape[:2]
    class_set, pictures = _TRAINED_ON.get(num_classes, ("", {}))
    repeats = {
        name: len(
            [k for k in state if re.fullmatch(rf"encoder\.level{n}\.\d+\.c1\.conv\.weight", k)]
        )
        for name, n in (("p", 2), ("q", 3))
    }
    return names.found(
        "espnet",
        num_classes,
        net_args={**repeats, "decoder_width": width},
        class_set=class_set,
        input={**_PICTURES, **pictures},
    )
