"""What the layers of a net are, in words for people who learn nets.

"Detail branch · stage 2", "ASPP · branch 3, dilation 12", "Backbone · stage 3 · block 2 · 3×3
convolution". Tables (nets/titles) know the modules of the zoo and say what the papers call them;
what no table knows is described by its name and kind, so any nn.Module has titles.
"""

import re

from torch import nn

from segstudio.nets.titles import backbones, classics, generic, libraries, pyramids, two_branches
from segstudio.nets.titles.kinds import IDENTITY, kind_of
from segstudio.nets.titles.rules import Rule, Table

LONGEST = 70
"""Characters of a title."""

JOINT = " · "

TABLES: Table = {
    **two_branches.TABLE,
    **classics.TABLE,
    **pyramids.TABLE,
    **backbones.TABLE,
    **libraries.TABLE,
}


def title_of(net: nn.Module, name: str) -> str:
    """What the layer of that dotted name is, in at most LONGEST characters.

    "" for the net itself, for a name that it does not have, and for what nobody can say.
    """
    module, todo = net, name.split(".") if name else []
    parts: list[str] = []
    while todo:
        try:
            said, used = _step(module, todo)
            module = module.get_submodule(".".join(todo[:used]))
        except (AttributeError, KeyError):
            return ""
        todo = todo[used:]
        if not said and not todo:
            return ""
        if said and IDENTITY not in said and kind_of(module) == IDENTITY:
            said += f", {IDENTITY}"
        if parts and said and said == _unnumbered(parts[-1]):
            # The one layer of a unit; or a wrapper around what is called alike.
            said = "convolution" if "convolution" in said else said * (not todo)
        parts += [said] if said else []
    return _fitted(parts)


def _step(owner: nn.Module, todo: list[str]) -> tuple[str, int]:
    """Words for the first names to do, and for how many of them they stand."""
    rules = _rules_of(owner)
    for count in range(min(len(todo), 3), 0, -1):
        path = ".".join(todo[:count])
        for rule in rules:
            match = re.fullmatch(rule.pattern, path)
            if match:
                return rule.said(match, owner, is_last=count == len(todo)), count
    if len(todo) > 1:
        said = generic.member_of(owner, todo[0], todo[1])
        if said:
            return said, 2
    return generic.label(owner, todo[0]), 1


def _rules_of(module: nn.Module) -> tuple[Rule, ...]:
    for cls in type(module).__mro__:
        key = f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"
        if key in TABLES:
            return TABLES[key]
    return ()


def _unnumbered(part: str) -> str:
    head, comma, tail = part.partition(",")
    return re.sub(r" \d+$", "", head) + comma + tail


def _fitted(parts: list[str]) -> str:
    """Joined, the first letter large; what is too long loses parts behind its first one."""
    parts = JOINT.join(parts).split(JOINT)
    kept, lost = parts, 0
    while len(JOINT.join(kept)) > LONGEST and len(parts) - lost > 2:
        lost += 1
        kept = [parts[0], "…", *parts[1 + lost :]]
    text = JOINT.join(kept)
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rstrip() + "…"
    first = text.partition(" ")[0]
    return text if re.search(r"\d", first) else text[:1].upper() + text[1:]
