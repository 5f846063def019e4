"""PIDNet of MMSegmentation: other names, and no bias in the stem."""

from segstudio.nets.dialect import Found, Renaming, State, dialect

_STAGES = (
    (r"stem\.2", "layer1"),
    (r"stem\.4", "layer2"),
    *((rf"{b}_branch_layers\.{n}", f"{b}_branch.{n}") for b in "ipd" for n in range(3)),
)

_CONV_BN = (
    (r"backbone\.compression_1", "compression.0"),
    (r"backbone\.compression_2", "compression.1"),
    (r"backbone\.pag_1\.f_p", "pag.0.of_p"),
    (r"backbone\.pag_1\.f_i", "pag.0.of_i"),
    (r"backbone\.pag_2\.f_p", "pag.1.of_p"),
    (r"backbone\.pag_2\.f_i", "pag.1.of_i"),
    (r"backbone\.diff_1", "difference.0"),
    (r"backbone\.diff_2", "difference.1"),
    (r"backbone\.dfm\.f_p", "bag.of_p"),
    (r"backbone\.dfm\.f_i", "bag.of_i"),
)
"""Pairs of a convolution and the batch norm behind it."""

_BN_CONV = (
    (r"backbone\.dfm\.conv", "bag.last"),
    (r"backbone\.spp\.scales\.(\d)(?:\.1)?", r"pyramid.scales.\1"),
    (r"backbone\.spp\.processes\.(\d)", r"pyramid.processes.\1"),
    (r"backbone\.spp\.(processes)", "pyramid.process"),
    (r"backbone\.spp\.(compression|shortcut)", r"pyramid.\1"),
    (r"decode_head\.i_head\.conv", "head"),
    (r"decode_head\.p_head\.conv", "aux"),
)
"""The batch norm comes first, then ReLU, then the convolution."""

_REST = (
    (r"backbone\.stem\.0\.conv\.(.*)", r"stem.0.\1"),
    (r"backbone\.stem\.0\.bn\.(.*)", r"stem.1.\1"),
    (r"backbone\.stem\.1\.conv\.(.*)", r"stem.3.\1"),
    (r"backbone\.stem\.1\.bn\.(.*)", r"stem.4.\1"),
    (r"decode_head\.i_head\.norm\.(.*)", r"head.3.\1"),
    (r"decode_head\.conv_seg\.(.*)", r"head.5.\1"),
    (r"decode_head\.p_head\.norm\.(.*)", r"aux.3.\1"),
    (r"decode_head\.p_cls_seg\.(.*)", r"aux.5.\1"),
)


def _recognises(state: State) -> bool:
    return {
        "backbone.pag_1.f_i.conv.weight",
        "backbone.stem.0.conv.weight",
        "decode_head.conv_seg.weight",
    } <= state.keys()


def _paired(pairs: tuple[tuple[str, str], ...], conv: int, norm: int) -> list[tuple[str, str]]:
    """Rules for modules `conv` and `bn`, which are our modules of those places."""
    rules = []
    for old, ours in pairs:
        last = rf"\{old.count('(') - old.count('(?:') + 1}"
        rules.append((old + r"\.conv\.(.*)", f"{ours}.{conv}.{last}"))
        rules.append((old + r"\.bn\.(.*)", f"{ours}.{norm}.{last}"))
    return rules


@dialect(
    "mmseg_pidnet",
    title="PIDNet (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """S by the width of the stem, L by its sequential pyramid."""
    names = Renaming(state).ignore(
        r"decode_head\.d_(head|cls_seg)\..*", "boundary head, for training only"
    )
    names.rules((*_REST, *_paired(_CONV_BN, 0, 1), *_paired(_BN_CONV, 2, 0)))
    for old, ours in _STAGES:
        first = rf"backbone\.{old}"
        names.rules(
            (
                (first + r"\.(\d+)\.conv(\d)\.conv\.(.*)", ours + r".\1.conv\2.\3"),
                (first + r"\.(\d+)\.conv(\d)\.bn\.(.*)", ours + r".\1.bn\2.\3"),
                (first + r"\.(\d+)\.downsample\.conv\.(.*)", ours + r".\1.shortcut.0.\2"),
                (first + r"\.(\d+)\.downsample\.bn\.(.*)", ours + r".\1.shortcut.1.\2"),
                # The D branch has stages that are one block, without a number.
                (first + r"\.conv(\d)\.conv\.(.*)", ours + r".0.conv\1.\2"),
                (first + r"\.conv(\d)\.bn\.(.*)", ours + r".0.bn\1.\2"),
                (first + r"\.downsample\.conv\.(.*)", ours + r".0.shortcut.0.\1"),
                (first + r"\.downsample\.bn\.(.*)", ours + r".0.shortcut.1.\1"),
            )
        )
    num_classes = state["decode_head.conv_seg.weight"].shape[0]
    light = "pidnet_s" if state["backbone.stem.0.conv.weight"].shape[0] == 32 else "pidnet_m"
    return names.found(
        light if "backbone.spp.processes.conv.weight" in state else "pidnet_l",
        num_classes,
        net_args={"stem_bias": "backbone.stem.0.conv.bias" in state},
        class_set={19: "cityscapes19"}.get(num_classes, ""),
        input={"multiple_of": 8},
    )
