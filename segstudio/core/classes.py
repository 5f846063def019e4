"""What a pixel can mean: classes, their colours, and class sets."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import SegStudioError

VOID = 255
"""The label of a pixel that has no class and is left out of every figure."""


@dataclass(frozen=True, slots=True)
class ClassDef:
    """One meaning a pixel can have.

    id: 0..254, the value in a label raster. color: (r, g, b), 0..255 each.
    key: the digit 1..9 that chooses it; None = none of its own, see `ClassMap.keys`.
    """

    id: int
    name: str
    color: tuple[int, int, int]
    key: int | None = None


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A class set: what the ids 0..254 of a label raster mean. 255 is void in every set."""

    name: str
    classes: tuple[ClassDef, ...]

    def __post_init__(self) -> None:
        ids = [c.id for c in self.classes]
        if len(set(ids)) != len(ids):
            raise SegStudioError(
                f"The class set '{self.name}' uses an id twice; give every class its own id."
            )
        if not ids or any(not 0 <= i < VOID for i in ids):
            raise SegStudioError(
                f"The class set '{self.name}' needs class ids from 0 to 254; 255 means void."
            )
        keys = [c.key for c in self.classes if c.key is not None]
        if len(set(keys)) != len(keys) or any(not 1 <= k <= 9 for k in keys):
            raise SegStudioError(
                f"The class set '{self.name}' needs keys from 1 to 9, each for one class only."
            )

    def __len__(self) -> int:
        return len(self.classes)

    def by_id(self, class_id: int) -> ClassDef | None:
        """The class with that id; None for void and unknown ids."""
        return next((c for c in self.classes if c.id == class_id), None)

    def name_of(self, class_id: int) -> str:
        """Its name; "void" for 255, "class 17" for an id that the set does not know."""
        known = self.by_id(class_id)
        if known is not None:
            return known.name
        return "void" if class_id == VOID else f"class {class_id}"

    def keys(self) -> dict[int, int]:
        """Digit 1..9 → class id: as the classes say, or the first nine where none says anything."""
        said = {c.key: c.id for c in self.classes if c.key is not None}
        return said or {digit: c.id for digit, c in enumerate(self.classes[:9], start=1)}

    def palette(self) -> NDArray[np.uint8]:
        """uint8 (256, 3) RGB, row = class id; void and unknown ids are black."""
        table = np.zeros((256, 3), np.uint8)
        for c in self.classes:
            table[c.id] = c.color
        return table

    def to_json(self) -> list[dict[str, Any]]:
        """The form used in files, cards and reports: [{"id", "name", "color"}], "key" if any."""
        return [_class_to_json(c) for c in self.classes]

    @staticmethod
    def from_json(name: str, rows: object) -> "ClassMap":
        """The inverse of `to_json`; SegStudioError when a row is not of that form."""
        try:
            found = [_class_from_json(row) for row in rows]  # type: ignore[attr-defined]  # checked below
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise SegStudioError(
                f"The class list of '{name}' is malformed; each class needs id, name and color"
                " [r, g, b]."
            ) from error
        return ClassMap(name, tuple(found))


def _class_to_json(known: ClassDef) -> dict[str, Any]:
    """One row; the key only where the class has one of its own."""
    row = {"id": known.id, "name": known.name, "color": list(known.color)}
    return row if known.key is None else {**row, "key": known.key}


def _class_from_json(row: dict[str, Any]) -> ClassDef:
    """One row; KeyError, TypeError or ValueError when it is not {"id", "name", "color"}.

    Whatever else it says (categories, ids of evaluation) is for other readers.
    """
    red, green, blue = (int(v) for v in row["color"])
    if not all(0 <= v <= 255 for v in (red, green, blue)):
        raise ValueError("colour out of range")
    key = row.get("key")
    return ClassDef(
        int(row["id"]),
        str(row["name"]),
        (red, green, blue),
        None if key is None else int(key),
    )


def load_class_map(path: Path) -> ClassMap:
    """A class set from `resources/classes/<name>.json`: {"name", "classes": [...]}."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return ClassMap.from_json(str(content["name"]), content["classes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SegStudioError(
            f"The class set {path.name} cannot be read; check that it is JSON with name and"
            " classes."
        ) from error


CAMVID = ClassMap(
    "camvid",
    (
        ClassDef(0, "Sky", (128, 128, 128)),
        ClassDef(1, "Building", (128, 0, 0)),
        ClassDef(2, "Pole", (192, 192, 128)),
        ClassDef(3, "Road", (128, 64, 128)),
        ClassDef(4, "Pavement", (60, 40, 222)),
        ClassDef(5, "Tree", (128, 128, 0)),
        ClassDef(6, "SignSymbol", (192, 128, 128)),
        ClassDef(7, "Fence", (64, 64, 128)),
        ClassDef(8, "Car", (64, 0, 128)),
        ClassDef(9, "Pedestrian", (64, 64, 0)),
        ClassDef(10, "Bicyclist", (0, 128, 192)),
    ),
)
"""The 11 classes of CamVid in the order of SegNet's release (Brostow et al. 2009)."""
