"""What is in a weights file, as a value that the command line prints and the window shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segstudio.core.catalogue import InputRule
from segstudio.nets.dialect import Fit, Found
from segstudio.nets.registry import NetSpec


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What a weights file holds.

    dialect, dialect_title: who wrote it. spec: the net it is for. found: its tensors under our
    names. fit: how they compare with the net. class_set: the set such files usually mean, "" when
    that cannot be known. class_names: in channel order, () when the file does not tell. input: how
    frames must be prepared for it. beside, foreign: other entries of the file, and classes that
    were replaced by inert stubs. notes: sentences.
    """

    file: Path
    dialect: str
    dialect_title: str
    spec: NetSpec
    found: Found
    fit: Fit
    class_set: str
    class_names: tuple[str, ...]
    input: InputRule
    beside: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """Output channels of the weights."""
        return self.found.num_classes

    def to_json(self) -> dict[str, Any]:
        """The report of `segstudio models inspect`; missing and others are lists of names."""
        return {
            "file": str(self.file),
            "dialect": self.dialect,
            "net": self.spec.name,
            "net_args": dict(self.found.net_args),
            "num_classes": self.num_classes,
            "classes": self.class_set,
            "class_names": list(self.class_names),
            "matched": len(self.fit.matched),
            "renamed": len(self.fit.renamed),
            "missing": list(self.fit.missing),
            "unexpected": list(self.fit.unexpected),
            "misshapen": [
                {"name": name, "file": list(there), "net": list(here)}
                for name, there, here in self.fit.misshapen
            ],
            "ignored": dict(self.fit.ignored),
            "foreign": list(self.foreign),
            "beside": list(self.beside),
            "notes": list(self.notes),
            "fits": self.fit.is_whole,
        }
