"""How a trained model came to be: its base, its data, its recipe, and what it was made with.

Plain values, JSON in and out. Cards that say nothing of it, or less than this version would, are
as good as any: what is not known is empty.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

KEPT = 20
"""Models that one descends from at most; older ones are forgotten."""

_NOT_TOLD = ("device", "workers", "threads", "precision", "validate_every", "project", "train",
             "validate", "replay", "base", "net_args")  # fmt: skip
"""Fields of a recipe that other facts tell, or that change no weight."""


@dataclass(frozen=True, slots=True)
class DataPart:
    """Frames that were trained on. fingerprint: hex, equal for equal frames and labels; "" where
    the name says it all (the synthetic drive).
    """

    name: str
    frames: int
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """One training.

    model: name of what came of it. base: name of the model that it began from, "" for random
    weights; base_sha256: of its weights. run: name of the folder of the run. step: of the weights
    that were kept; seconds: of training until then, pauses left out, None where nobody counted.
    recipe: fields of a TrainRecipe, with names instead of paths. versions: of the program and what
    it rests on. hardware: processor or GPU, and threads. date: ISO 8601, of the weights.
    earlier: how the base came to be, and what that began from, the newest first; each without
    `earlier` of its own.
    """

    model: str = ""
    base: str = ""
    base_sha256: str = ""
    run: str = ""
    step: int = 0
    seconds: float | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[DataPart, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: str = ""
    date: str = ""
    earlier: tuple["Lineage", ...] = ()

    @property
    def seed(self) -> int | None:
        """Of everything random; None where the recipe does not say it."""
        found = self.recipe.get("seed")
        return found if isinstance(found, int) else None

    @property
    def ancestors(self) -> tuple["Lineage", ...]:
        """What a model that begins from this one keeps as `earlier`."""
        return (replace(self, earlier=()), *self.earlier)[:KEPT]

    def facts(self) -> dict[str, str]:
        """Title → text for people; what is not known is left out."""
        steps = self.recipe.get("steps")
        found = {
            "Began from": self._began(),
            "Data": "\n".join(_told(part) for part in self.data),
            "Recipe": self._recipe(),
            "Kept": f"step {self.step:,}" + (f" of {steps:,}" if isinstance(steps, int) else ""),
            "Seed": "" if self.seed is None else str(self.seed),
            "Took": "" if self.seconds is None else lasting(self.seconds),
            "Hardware": self.hardware,
            "Versions": ", ".join(f"{name} {said}" for name, said in self.versions.items()),
            "Date": self._day(),
            "Run": self.run,
        }
        return {title: text for title, text in found.items() if text}

    def _day(self) -> str:
        minute = self.date[:16].replace("T", " ")
        return f"{minute} UTC" if self.date.endswith("+00:00") else minute

    def _began(self) -> str:
        chain = [f"{self.base} ({self.base_sha256[:12]})" if self.base_sha256 else self.base]
        chain += [one.base for one in self.earlier]
        names = [name or "random weights" for name in chain]
        return " ← ".join(dict.fromkeys(names))

    def _recipe(self) -> str:
        """The fields that say something else than the defaults."""
        from segstudio.core.training import TrainRecipe

        plain = json.loads(TrainRecipe(synthetic_share=1.0).to_json())
        told = [f"{key} {value}" for key, value in dict(self.recipe.get("net_args") or {}).items()]
        for key, value in self.recipe.items():
            if key in _NOT_TOLD or (
                key not in ("net", "steps", "crop") and value == plain.get(key)
            ):
                continue
            between = "×" if key == "crop" else "/"
            shown = between.join(map(str, value)) if isinstance(value, list) else value
            told.append(f"{key.replace('_', ' ')} {shown}")
        return ", ".join(told)

    def to_json(self) -> dict[str, Any]:
        """The block `lineage` of a card."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "Lineage":
        """The inverse; fields that are missing are empty, strange ones are left out.

        ValueError with the name of a field that cannot be what it says.
        """
        known = {f.name: content[f.name] for f in dataclasses.fields(Lineage) if f.name in content}
        for key, kinds in _KINDS.items():
            if key in known and (not isinstance(known[key], kinds) or known[key] is True):
                raise ValueError(f"lineage.{key} is not of the right kind")
        known["data"] = tuple(_part(row) for row in known.get("data", ()))
        known["earlier"] = tuple(
            replace(Lineage.from_json(row), earlier=())
            for row in known.get("earlier", ())[:KEPT]
            if isinstance(row, dict)
        )
        return Lineage(**known)


_KINDS: Mapping[str, Any] = {
    "model": str,
    "base": str,
    "base_sha256": str,
    "run": str,
    "step": int,
    "seconds": (int, float, type(None)),
    "recipe": dict,
    "data": (list, tuple),
    "versions": dict,
    "hardware": str,
    "date": str,
    "earlier": (list, tuple),
}


def _part(row: Any) -> DataPart:  # noqa: ANN401  whatever a file holds
    try:
        return DataPart(str(row["name"]), int(row["frames"]), str(row.get("fingerprint", "")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("lineage.data must be a list of names and numbers of frames") from error


def _told(part: DataPart) -> str:
    frames = f"{part.frames:,} frame{'' if part.frames == 1 else 's'}"
    content = f" (content {part.fingerprint[:12]})" if part.fingerprint else ""
    return f"{part.name}: {frames}{content}"


def lasting(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
