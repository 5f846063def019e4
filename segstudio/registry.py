"""A registry: things of one kind, each in a file of its own, found by name."""

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from segstudio.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind, found by importing every module of `package` once.

    kind: what one entry is called in messages ("net", "command").
    package: dotted name of the package whose modules call `add`.
    """

    def __init__(self, kind: str, package: str) -> None:
        self._kind = kind
        self._package = package
        self._entries: dict[str, T] = {}
        self._is_loaded = False
        self._loading = threading.RLock()  # who asks meanwhile waits, instead of finding nothing

    def add(self, name: str) -> Callable[[T], T]:
        """A decorator that files the thing under `name`; a taken name raises ValueError."""

        def file(thing: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self._kind} '{name}' is registered twice")
            self._entries[name] = thing
            return thing

        return file

    def get(self, name: str) -> T:
        """The thing called `name`, or UnknownName with the nearest known name."""
        self._load()
        if name in self._entries:
            return self._entries[name]
        near = difflib.get_close_matches(name, self._entries, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(self)}."
        raise UnknownName(f"There is no {self._kind} '{name}'{hint}")

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def _load(self) -> None:
        with self._loading:
            if self._is_loaded:
                return
            self._is_loaded = True
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__, self._package + "."):
                importlib.import_module(module.name)
