"""wkentaro/pytorch-fcn: the authors' Caffe weights as it converts them, and its own.

The keys are Caffe's. The at-once release has those of FCN-8s and cannot be told apart from it.
"""

from segstudio.nets.backbones.vgg import STAGES
from segstudio.nets.dialect import Found, Renaming, State, dialect


@dialect(
    "pytorch_fcn",
    title="pytorch-fcn (wkentaro)",
    source="https://github.com/wkentaro/pytorch-fcn",
    recognises=lambda state: "conv1_1.weight" in state and "score_fr.weight" in state,
)
def read(state: State) -> Found:
    """32s, 16s or 8s by the scores that are there."""
    names = Renaming(state)
    for stage, (_, count) in enumerate(STAGES):
        for number in range(count):
            for kind in ("weight", "bias"):
                # convolution and ReLU take two places of a stage each
                names.move(
                    f"conv{stage + 1}_{number + 1}.{kind}",
                    f"backbone.stages.{stage}.{2 * number}.{kind}",
                )
    net = "fcn32s"
    if "score_pool4.weight" in state:
        net = "fcn8s" if "score_pool3.weight" in state else "fcn16s"
    notes = (
        "Weights of the at-once release have the same names: give --net fcn8s_atonce for them.",
    )
    count = int(state["score_fr.weight"].shape[0])
    return names.rest_unchanged().found(
        net,
        count,
        net_args={
            "padding": "reference",
            "upsampling": "fixed",
            "width": int(state["fc7.weight"].shape[0]) // 1024,
        },
        input={
            "channels": "BGR",
            "scale": 1.0,
            "mean": (104.00699, 116.66877, 122.67892),
            "std": (1.0, 1.0, 1.0),
            "multiple_of": 1,
        },
        class_set="voc21" if count == 21 else "",
        notes=notes if net == "fcn8s" else (),
    )
