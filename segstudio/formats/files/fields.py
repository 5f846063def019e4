"""Fields of other programs' JSON, asked for by name and type.

JSON of strangers is no Python object yet: a number may be text, a list may be missing, and an id
may be larger than the memory. Every question here is answered by a value of the asked type, or by
one sentence with the file, the place in it and the field.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from segstudio.errors import FormatError
from segstudio.formats.files.source import Source

MOST = 2**53
"""Whole numbers beyond are not kept exactly by every program that writes JSON."""


class Fields:
    """One object of a JSON file. where: what messages call it: "a.json: annotations 3"."""

    __slots__ = ("_row", "where")

    def __init__(self, row: object, where: str) -> None:
        self.where = where
        if not isinstance(row, dict):
            raise FormatError(f"{where} is {_named(row)} instead of an object; export it again.")
        self._row: dict[str, Any] = row

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._row.get(name) is not None

    def names(self) -> list[str]:
        """Of all fields."""
        return list(self._row)

    def raw(self, name: str) -> object:
        """Whatever it is; None when it is absent."""
        return self._row.get(name)

    def text(self, name: str, otherwise: str | None = None) -> str:
        """A text, or a number as text; `otherwise` when it is absent."""
        value = self._row.get(name)
        if value is None and otherwise is not None:
            return otherwise
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)[:100]
        raise self._wrong(name, "text")

    def whole(self, name: str, low: int = 0, high: int = MOST, otherwise: int | None = None) -> int:
        """A whole number from low to high, also written as 3.0 or "3"; `otherwise` when absent."""
        value = self._row.get(name)
        if value is None and otherwise is not None:
            return otherwise
        if isinstance(value, str) and value.isdecimal() and len(value) < 20:
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, otherwise: float | None = None) -> float:
        """A finite number; `otherwise` when it is absent."""
        value = self._row.get(name)
        if value is None and otherwise is not None:
            return otherwise
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not -MOST <= value <= MOST  # NaN fails too
        ):
            raise self._wrong(name, "a number")
        return float(value)

    def rows(self, name: str) -> list[Any]:
        """A list; an absent one is empty."""
        value = self._row.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def record(self, name: str) -> "Fields":
        """An object inside this one."""
        return Fields(self._row.get(name), f"{self.where}, '{name}'")

    def records(self, name: str) -> Iterator["Fields"]:
        """The objects of a list inside this one."""
        return records(self.rows(name), f"{self.where}, '{name}'")

    def _wrong(self, name: str, wanted: str) -> FormatError:
        value = self._row.get(name)
        found = "is missing" if name not in self._row else f"is {_named(value)}"
        return FormatError(f"{self.where}: '{name}' {found} instead of {wanted}; export it again.")


def records(rows: Sequence[object], where: str) -> Iterator[Fields]:
    """Objects of a list, one after the other."""
    return (Fields(row, f"{where} {place}") for place, row in enumerate(rows))


def opened(source: Source, path: Any) -> Fields:  # noqa: ANN401  PurePosixPath or str
    """The object that a JSON file is. FormatError when it is none."""
    return Fields(source.json(path), source.called(path))


def _named(value: object) -> str:
    """A value of JSON in words, short."""
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"
