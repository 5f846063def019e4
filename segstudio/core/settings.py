"""What a person can choose for good: the schema, and the value.

`Settings` is a frozen value that the session replaces; `SETTINGS` says of each field how it is
called, grouped, limited and explained, so that the dialog and the file need no list of their own.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from segstudio.core.strategy import PRECISIONS, Strategy
from segstudio.errors import SettingsError

SPEEDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
"""Playback speeds on offer, as a factor."""

INPUT_SCALES = (1.0, 0.75, 0.5, 0.35)
"""Factors on the side of a model's input, best picture first."""

HOWS = (("whole", "Whole frame"), ("sliding", "Sliding window"), ("mirror", "Mirrored tiles"))
"""Kinds of Strategy as people choose them."""

RECENT_LIMIT = 12
"""How many opened files are remembered."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that outlives the window, with its default.

    theme: "system", "light" or "dark". opacity: of the masks, 0..1. mask_mode: "fill", "outline"
    or "hatched". safe_colors: classes in colours that colour-blind people tell apart. model: folder
    name or path, "" for the bundled one. device: "auto" or a name from engine.device. input_scale:
    factor on the side of the model's input. how: a kind of Strategy; windows see frame pixels one
    to one. precision, flip, compile, crf: as in Strategy. cache_mb: limit for decoded frames kept
    in memory. recent: opened paths, newest first. speed: of playback, 1 is real time. every_frame:
    playback waits for the model instead of skipping
    frames.
    """

    theme: str = "system"
    mask_mode: str = "fill"
    opacity: float = 0.55
    safe_colors: bool = False
    model: str = ""
    device: str = "auto"
    input_scale: float = 1.0
    how: str = "whole"
    precision: str = "auto"
    flip: bool = False
    compile: bool = False
    crf: bool = False
    every_frame: bool = False
    play_on_open: bool = True
    loop: bool = False
    speed: float = 1.0
    cache_mb: int = 512
    compared: str = ""
    recent: tuple[str, ...] = ()

    @property
    def strategy(self) -> Strategy:
        """How a model is put to a frame."""
        return Strategy(
            kind=self.how,
            input_scale=self.input_scale,
            full_resolution=self.how != "whole",
            precision=self.precision,
            flip=self.flip,
            compile=self.compile,
            crf=self.crf,
        )

    def with_recent(self, path: str) -> "Settings":
        """The same with `path` as the newest of the opened files."""
        others = tuple(p for p in self.recent if p != path)
        return replace(self, recent=(path, *others)[:RECENT_LIMIT])


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of Settings as people see it.

    kind: "choice", "switch", "number", "percent" or "hidden" (kept, but not in the dialog).
    choices: (value, title) of a choice. low, high: inclusive limits of a number, in `unit`.
    """

    key: str
    kind: str
    group: str = ""
    title: str = ""
    note: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = ""

    def checked(self, value: object) -> Any:  # noqa: ANN401 - the field's own type
        """`value` in the field's own type; SettingsError when the field cannot have it."""
        default = getattr(Settings(), self.key)
        if isinstance(default, tuple):
            if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
                return tuple(value)[:RECENT_LIMIT]
        elif isinstance(default, bool) or isinstance(value, bool):
            if isinstance(default, bool) and isinstance(value, bool):
                return value
        elif isinstance(default, int | float):
            if isinstance(value, int | float) and self._allows(value):
                return type(default)(value)
        elif isinstance(value, str) and self._allows(value):
            return value
        raise SettingsError(
            f"The setting '{self.key}' cannot be {value!r}; remove it to get {default!r} back."
        )

    def _allows(self, value: float | str) -> bool:
        if self.choices:
            return value in [choice for choice, _ in self.choices]
        if isinstance(value, str) or self.low == self.high:
            return True
        return self.low <= value <= self.high


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "theme",
        "choice",
        "Appearance",
        "Theme",
        choices=(("system", "Same as the system"), ("dark", "Dark"), ("light", "Light")),
    ),
    Setting(
        "mask_mode",
        "choice",
        "Appearance",
        "Masks are drawn as",
        choices=(("fill", "Fill"), ("outline", "Outline"), ("hatched", "Hatched")),
    ),
    Setting("opacity", "percent", "Appearance", "Mask opacity", low=0.0, high=1.0),
    Setting("safe_colors", "switch", "Appearance", "Colour-blind safe class colours"),
    Setting(
        "play_on_open",
        "switch",
        "Playback",
        "Play a video when it is opened",
    ),
    Setting("loop", "switch", "Playback", "Start again at the end"),
    Setting(
        "every_frame",
        "switch",
        "Playback",
        "Show every frame, however slow the model",
        note="Off: frames that the model has no time for are passed over.",
    ),
    Setting(
        "speed",
        "choice",
        "Playback",
        "Speed",
        choices=tuple((s, f"{s:g}×") for s in SPEEDS),
    ),
    Setting("device", "hidden"),
    Setting(
        "input_scale",
        "choice",
        "Model",
        "Input size",
        note="Smaller is faster and coarser.",
        choices=tuple((s, "Full" if s == 1 else f"{round(100 * s)} %") for s in INPUT_SCALES),
    ),
    Setting(
        "how",
        "choice",
        "Model",
        "How the model sees a frame",
        note="Windows and tiles see every pixel and are slower.",
        choices=HOWS,
    ),
    Setting(
        "precision",
        "choice",
        "Model",
        "Precision",
        note="Automatic: the fastest that this computer is good at.",
        choices=tuple((p, "Automatic" if p == "auto" else p) for p in PRECISIONS),
    ),
    Setting(
        "flip",
        "switch",
        "Model",
        "Average with the mirror image",
        note="A little better, twice the time.",
    ),
    Setting(
        "crf",
        "switch",
        "Model",
        "Refine borders with a dense CRF",
        note="Borders follow the colours of the picture; far from live.",
    ),
    Setting(
        "compile",
        "switch",
        "Model",
        "Let PyTorch compile the model",
        note="The first frames wait for it, the others are faster.",
    ),
    Setting(
        "cache_mb",
        "number",
        "Memory",
        "Decoded frames kept in memory",
        note="More makes stepping back instant. Takes effect with the next file.",
        low=64,
        high=16384,
        unit="MB",
    ),
    Setting("model", "hidden"),
    Setting("compared", "hidden"),
    Setting("recent", "hidden"),
)


def setting(key: str) -> Setting:
    """The schema of one field; SettingsError for an unknown one."""
    for entry in SETTINGS:
        if entry.key == key:
            return entry
    raise SettingsError(f"There is no setting '{key}'; remove it from the settings file.")


def from_changes(changes: dict[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """Defaults with `changes` laid over them, and a sentence for each that was refused."""
    good: dict[str, Any] = {}
    refused: list[str] = []
    for key, value in changes.items():
        try:
            good[key] = setting(key).checked(value)
        except SettingsError as error:
            refused.append(str(error))
    return replace(Settings(), **good), tuple(refused)


def changes_of(settings: Settings) -> dict[str, Any]:
    """Only what differs from the defaults, ready for JSON."""
    default = Settings()
    found: dict[str, Any] = {}
    for entry in fields(Settings):
        value = getattr(settings, entry.name)
        if value != getattr(default, entry.name):
            found[entry.name] = list(value) if isinstance(value, tuple) else value
    return found
