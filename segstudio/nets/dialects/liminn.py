"""ICNet of github.com/liminn/ICNet-pytorch.

Its files carry the unused ImageNet classifier of the ResNet.
"""

from segstudio.nets.dialect import Found, Renaming, State, conv_and_norm, dialect

_RULES = (
    (r"pretrained\.conv1\.(.*)", r"resnet.stem.\1"),
    # The stem's last norm stands outside of it there.
    (r"pretrained\.bn1\.(.*)", r"resnet.stem.7.\1"),
    (r"pretrained\.(layer\d\..*)", r"resnet.\1"),
    *conv_and_norm(r"conv_sub1\.(\d)", r"sub1.\1"),
    (r"head\.(cff_\d+)\.conv_(low|high)\.(.*)", r"\1.\2.\3"),
    (r"head\.cff_(\d+)\.conv_low_cls\.(.*)", r"aux_\1.\2"),
    (r"head\.conv_cls\.(.*)", r"classifier.\1"),
)


def _recognises(state: State) -> bool:
    return "pretrained.conv1.0.weight" in state and "head.cff_24.conv_low.0.weight" in state


@dialect(
    "liminn_icnet",
    title="ICNet-pytorch (liminn)",
    source="https://github.com/liminn/ICNet-pytorch",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """layer3 has 6 blocks in a ResNet-50, 23 in a ResNet-101."""
    names = Renaming(state).rules(_RULES)
    names.ignore(r"pretrained\.fc\..*", "the classifier of ImageNet goes unused")
    num_classes = state["head.conv_cls.weight"].shape[0]
    return names.found(
        "icnet_liminn",
        num_classes,
        net_args={"depth": 101 if "pretrained.layer3.6.conv1.weight" in state else 50},
        class_set="cityscapes19" if num_classes == 19 else "",
    )
