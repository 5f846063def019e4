"""Words for children that no table knows: from their names and kinds."""

import re

from torch import nn

from segstudio.nets.titles.kinds import IDENTITY, RESIDUAL, kind_of, unit_of

LISTS = {
    "stages": "stage",
    "levels": "level",
    "layers": "layer",
    "layer": "layer",
    "blocks": "block",
    "block": "block",
    "branches": "branch",
    "heads": "head",
    "convs": "convolution",
    "norms": "norm",
    "scales": "scale",
    "encoders": "encoder",
    "decoders": "decoder",
    "downs": "down",
    "ups": "up",
}
"""Name of a list -> one member of it."""

NUMBERED: tuple[tuple[str, str], ...] = (
    (r"layer_?(\d+)", "stage"),
    (r"(?:stages?|conv_stage|features_stage)_?(\d+)", "stage"),
    (r"blocks?_?(\d+)", "block"),
    (r"(?:enc|encoder|down)_?(\d+)", "encoder level"),
    (r"(?:dec|decoder|up)_?(\d+)", "decoder level"),
)
"""Names of groups with a number."""

NAMES: tuple[tuple[str, str], ...] = (
    (r"stem", "stem"),
    (r"backbone|body|features", "backbone"),
    (r"encoder", "encoder"),
    (r"decoder", "decoder"),
    (r"neck", "neck"),
    (r"aux(iliary)?_?(classifier|head)?", "auxiliary head"),
    (r"(seg|segmentation|decode|main|out|output)_?head|head|classifier", "head"),
    (r"downsample|shortcut|skip|residual", "shortcut"),
    (r"se|squeeze_excite", "squeeze and excitation"),
    (r"attn|attention|self_attn", "attention"),
    (r"mlp|ffn|feed_forward", "MLP"),
    (r"patch_embed(ding)?s?", "patch embedding"),
    (r"pos(ition)?_embed(ding)?s?", "position embedding"),
    (r"query|q|q_proj|to_q", "queries"),
    (r"key|k|k_proj|to_k", "keys"),
    (r"value|v|v_proj|to_v", "values"),
    (r"qkv", "queries, keys, values"),
    (r"pyramid(_pooling)?|ppm", "pyramid pooling"),
    (r"bottleneck", "bottleneck"),
    (r"fuse|fusion|fpn_bottleneck", "fusion"),
)
"""Names of children; the first that matches wholly."""

BLOCK = re.compile(r"(Block|Bottleneck|BasicBlock|Layer|Residual|Stage|Unit|Module)\w*$")


def label(owner: nn.Module, name: str) -> str:
    """What a child of `owner` is, told apart from its sisters; "" when nobody knows."""
    said = _all(owner)
    mine = said[name]
    same = [other for other, text in said.items() if text == mine]
    if not mine or len(same) == 1 or re.search(r"\d$", mine.partition(",")[0]):
        return mine
    head, comma, tail = mine.partition(",")
    return f"{head} {same.index(name) + 1}{comma}{tail}"


def _all(owner: nn.Module) -> dict[str, str]:
    """Every child by name, before those that are called alike are numbered."""
    found, groups = {}, 0
    for name, module in owner.named_children():
        if not name.isdigit():
            found[name] = _alone(owner, name, module)
            continue
        # In a chain or a list leaves and units go by their kind, all else is a block.
        kind = kind_of(module) or unit_of(module)
        if next(module.children(), None) is None or kind not in ("", RESIDUAL):
            found[name] = kind or _spelled(type(module).__name__)
        else:
            groups += 1
            found[name] = f"block {groups}"
    return found


def _alone(owner: nn.Module, name: str, module: nn.Module) -> str:
    kind = kind_of(module)
    if next(module.children(), None) is None:
        return _of_leaf(name, module, kind)
    return (
        _numbered(owner, name)
        or _named(name)
        or kind
        or unit_of(module)
        or _of_list(name, module)
        or _spelled(name)
    )


def _of_list(name: str, module: nn.Module) -> str:
    noun = LISTS.get(name, "")
    if noun == name and not isinstance(module, nn.ModuleList):
        return "inside"
    return noun + {"branch": "es"}.get(noun, "s") * bool(noun)


def _of_leaf(name: str, module: nn.Module, kind: str) -> str:
    """Queries and the like are linear layers; their name says more."""
    if isinstance(module, nn.Identity) and kind == IDENTITY:
        return f"{_named(name)}, identity".removeprefix(", ")
    is_linear = isinstance(module, nn.Linear | nn.Conv2d)
    by_name = _named(name) if is_linear or not kind else ""
    if by_name == "head":
        return "classes" if is_linear else kind
    return by_name or kind or _spelled(name)


def member_of(owner: nn.Module, listed: str, name: str) -> str:
    """A member of a list that is a child of `owner`: "block 3", "level 2 · …"."""
    noun, members = LISTS.get(listed), owner.get_submodule(listed)
    if noun is None or not name.isdigit():
        return ""
    if noun == listed and not isinstance(members, nn.ModuleList):
        return ""
    module = members.get_submodule(name)
    if noun == "layer" and BLOCK.search(type(module).__name__):
        noun = "block"
    return f"{noun} {int(name) + 1}"


def _numbered(owner: nn.Module, name: str) -> str:
    """ "stage 2"; counted from one, also where names count from zero."""
    for pattern, word in NUMBERED:
        match = re.fullmatch(pattern, name)
        if match:
            numbers = [re.fullmatch(pattern, other) for other, _ in owner.named_children()]
            from_zero = any(found and int(found[1]) == 0 for found in numbers)
            return f"{word} {int(match[1]) + from_zero}"
    return ""


def _named(name: str) -> str:
    return next((word for pattern, word in NAMES if re.fullmatch(pattern, name)), "")


def _spelled(name: str) -> str:
    """ "decode_head", "SegformerModel" -> words."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " "))
    return words.lower() if len(words) > 3 else ""
