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
    (r"layers?_?(\d+)", "stage"),
    (r"(?:stages?|conv_stage|s)_?(\d+)", "stage"),
    (r"(?:blocks?|b)_?(\d+)", "block"),
    (r"dense_?block_?(\d+)", "dense block"),
    (r"dense_?layer_?(\d+)", "layer"),
    (r"transition_?(\d+)", "transition"),
    (r"(?:enc|encoder)_?(\d+)", "encoder level"),
    (r"(?:dec|decoder)_?(\d+)", "decoder level"),
    (r"down_?(\d+)", "down"),
    (r"up_?(\d+)", "up"),
)
"""Names of groups with a number."""

NAMES: tuple[tuple[str, str], ...] = (
    (r"stem", "stem"),
    (r"backbone|body", "backbone"),
    (r"features", "features"),
    (r"aspp", "ASPP"),
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

BLOCK = re.compile(r"(Block|Bottleneck|Layer|Residual|Unit|Module)\w*$")


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
        if _is_group(module):
            groups += 1
            found[name] = f"block {groups}"
        else:
            kind = kind_of(module) or unit_of(module)
            found[name] = kind or _spelled(type(module).__name__)
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
    noun, name = LISTS.get(name.strip("_"), ""), name.strip("_")
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
    noun, members = LISTS.get(listed.strip("_")), owner.get_submodule(listed)
    if noun is None or not name.isdigit():
        return ""
    if noun == listed and not isinstance(members, nn.ModuleList):
        return ""
    module = members.get_submodule(name)
    return f"{_noun(noun, module)} {int(name) + 1}"


def _noun(noun: str, module: nn.Module) -> str:
    """Libraries call stages blocks or layers; those are chains of blocks."""
    kind, parts = type(module).__name__, dict(module.named_children())
    if noun not in ("block", "layer"):
        return noun
    is_chain = isinstance(module, nn.Sequential | nn.ModuleList)
    if "Stage" in kind or "blocks" in parts or (is_chain and any(map(_is_group, parts.values()))):
        return "stage"
    return "block" if BLOCK.search(kind) else noun


def _is_group(module: nn.Module) -> bool:
    """Neither a leaf nor a unit nor anything else with a name of its own."""
    has_parts = next(module.children(), None) is not None
    return has_parts and kind_of(module) in ("", RESIDUAL) and not unit_of(module)


def _numbered(owner: nn.Module, name: str) -> str:
    """ "stage 2"; counted from one, also where names count from zero."""
    for pattern, word in NUMBERED:
        match = re.fullmatch(pattern, name)
        if match:
            numbers = [re.fullmatch(pattern, other) for other, _ in owner.named_children()]
            from_zero = any(found and int(found[1]) == 0 for found in numbers)
            noun = _noun(word, owner.get_submodule(name)) if word == "block" else word
            return f"{noun} {int(match[1]) + from_zero}"
    return ""


def _named(name: str) -> str:
    return next((word for pattern, word in NAMES if re.fullmatch(pattern, name)), "")


def _spelled(name: str) -> str:
    """ "decode_head", "SegformerModel" -> words."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " ")).strip()
    return words.lower() if len(words) > 3 else ""
