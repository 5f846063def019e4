"""Models as they are written on the command line, each with the settings that are its own.

    NAME                                 the model as the other options say
    NAME@flip                            the same, averaged with the mirrored frame
    NAME@scale=0.5,how=sliding,tile=512x1024,precision=fp32,device=cpu

After the @: `key=value` or a bare `flip`, `full`, `compile`, `crf`, separated by commas.
"""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segstudio.cli.predict import choose_model
from segstudio.cli.strategy import strategy_of
from segstudio.cli.synth import parse_size
from segstudio.core.catalogue import ModelCard
from segstudio.core.strategy import Strategy
from segstudio.errors import UsageError

GRAMMAR = """\
NAME@SETTINGS runs one model in its own way, so that a model can be held against itself:
  scale=F      factor on the input size      scales=F+F+…  average over input sizes
  size=HxW     what the net sees             full          frame pixels one to one
  how=KIND     whole, sliding or mirror      tile=HxW, overlap=F  of its windows
  flip         average mirrored too       crf           refine borders
  precision=P  auto, fp32, bf16 or fp16      compile       let torch compile the net
  device=D     auto, cpu, cuda, cuda:1, mps
separated by commas. The other options hold for every model that does not say otherwise.
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """name: in the report, unique. card: the model. device: torch's name, or "auto"."""

    name: str
    card: ModelCard
    strategy: Strategy
    device: str


def contenders(words: Sequence[str | None], arguments: argparse.Namespace) -> list[Contender]:
    """Each `-m WORD`; None is the best bundled model.

    UsageError or SettingsError for settings that make no sense, ModelError for an unknown model.
    """
    found: list[Contender] = []
    for word in words:
        name, settings = _parted(word)
        card = choose_model(name)
        strategy, device = _settings(settings, strategy_of(arguments), arguments.device)
        wished = f"{card.name}@{settings}" if settings else card.name
        found.append(Contender(_unique(wished, found), card, strategy, device))
    return found


def _parted(word: str | None) -> tuple[str | None, str]:
    """Name and settings; a folder whose own name has an @ is a name."""
    if word is None or "@" not in word or Path(word).is_dir():
        return word, ""
    name, _, settings = word.rpartition("@")
    if not name or not settings.strip():
        raise UsageError(f"'{word}' names no model with settings; write NAME@flip or NAME@scale=2.")
    return name, settings.strip()


def _unique(wished: str, found: list[Contender]) -> str:
    taken = {each.name for each in found}
    number, name = 1, wished
    while name in taken:
        number += 1
        name = f"{wished}#{number}"
    return name


def _settings(text: str, base: Strategy, device: str) -> tuple[Strategy, str]:
    """`base` and `device` with what the text changes."""
    given: dict[str, Any] = {}
    for part in (p.strip() for p in text.split(",") if p.strip()):
        key, equals, value = part.partition("=")
        if key == "device" and value:
            device = value
        elif key in _FLAGS and not equals:
            given[_FLAGS[key]] = True
        elif key in _VALUES and value:
            field, read = _VALUES[key]
            given[field] = _read(read, key, value)
        else:
            known = ", ".join([*(f"{k}=…" for k in (*_VALUES, "device")), *_FLAGS])
            raise UsageError(f"'{part}' is no setting of a model; there are {known}.")
    return dataclasses.replace(base, **given), device


def _read(read: Callable[[str], Any], key: str, value: str) -> Any:  # noqa: ANN401
    try:
        return read(value)
    except ValueError as error:
        raise UsageError(f"{key}={value} is no number; write it like {key}=0.5.") from error


def _scales(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split("+"))


_FLAGS = {"flip": "flip", "full": "full_resolution", "compile": "compile", "crf": "crf"}

_VALUES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "scale": ("input_scale", float),
    "scales": ("scales", _scales),
    "size": ("size", parse_size),
    "how": ("kind", str),
    "tile": ("tile", parse_size),
    "overlap": ("overlap", float),
    "precision": ("precision", str),
}
"""Key → field of Strategy, and how its value is read."""
