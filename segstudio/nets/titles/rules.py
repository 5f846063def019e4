"""How a table says what the parts of a module are."""

import re
from collections.abc import Callable
from typing import NamedTuple

from torch import nn

Say = str | Callable[[nn.Module, "re.Match[str]"], str]
"""Text in which {1} is what the first group of the pattern matched and {1+1} is that number plus
one; or a function of the module that the table is about and the match.
"""


class Rule(NamedTuple):
    """What children are called.

    pattern: matches their dotted names below the module that the table is about, wholly. part: how
    titles of what lies inside them begin, "" says nothing. whole: their own title, where it is
    another.
    """

    pattern: str
    part: Say
    whole: Say | None = None

    def said(self, match: "re.Match[str]", owner: nn.Module, *, is_last: bool) -> str:
        """The words for a name that matched."""
        say = self.whole if is_last and self.whole is not None else self.part
        if not isinstance(say, str):
            return say(owner, match)
        return re.sub(r"\{(\d)(?:\+(\d+))?\}", lambda slot: _filled(slot, match), say)


Table = dict[str, tuple[Rule, ...]]
"""By the last part of the module's file and the name of its class: "fcn.FCNVGG16"."""


def _filled(slot: "re.Match[str]", match: "re.Match[str]") -> str:
    text = match[int(slot[1])]
    return text if slot[2] is None else str(int(text) + int(slot[2]))


def number(match: "re.Match[str]", group: int = 1) -> int:
    """What a group matched, as a number."""
    return int(match[group])
