"""What can be chosen about a format: declared once, asked by the window and by the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from segstudio.errors import UsageError

Value: TypeAlias = bool | int | float | str
Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. name: a word, for files and the command line. title, about: for people.

    default: its type says what may be given. choices: word → what it means, for those of a few
    words. low, high: of a number, both allowed.
    """

    name: str
    title: str
    default: Value
    about: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float = 0.0
    high: float = 1e9

    def parse(self, given: Value) -> Value:
        """`given` as this option's value, also from the text of a command line.

        UsageError when it cannot be one.
        """
        try:
            value = self._typed(given)
        except ValueError as error:
            raise UsageError(
                f"The option '{self.name}' cannot be '{given}'; it takes {self._wanted()}."
            ) from error
        return value

    def _typed(self, given: Value) -> Value:
        if isinstance(self.default, bool):
            words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
            if str(given).lower() not in words:
                raise ValueError
            return words[str(given).lower()]
        if isinstance(self.default, str):
            if self.choices and given not in self.choices:
                raise ValueError
            return str(given)
        number = type(self.default)(given)
        if not self.low <= number <= self.high:  # NaN fails too
            raise ValueError
        return number

    def _wanted(self) -> str:
        if isinstance(self.default, bool):
            return "yes or no"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(self.default, str):
            return "text"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}"


def complete(options: tuple[Option, ...], given: Values) -> dict[str, Value]:
    """Every option with its value: the given one, or its default.

    UsageError for a name that none of them has, and for a value that cannot be.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise UsageError(
                f"This format has no option '{name}';"
                f" it has {', '.join(known) if known else 'none'}."
            )
    return {
        name: option.parse(given[name]) if name in given else option.default
        for name, option in known.items()
    }
