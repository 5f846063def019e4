"""What an export has done, in figures and sentences."""

from dataclasses import dataclass, field
from typing import Any

from segstudio.formats.options import Values


@dataclass(frozen=True, slots=True)
class Progress:
    """stage: "writing", "lists", "packing" or "reading back". done of total frames. name: of the
    frame that was done last."""

    stage: str
    done: int
    total: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class FrameError:
    """A frame that came back with other labels: how many of its pixels, and a word of why."""

    name: str
    different: int
    pixels: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What reading back found. frames: read back. equal: of them without a different pixel.

    pixels, different: of all of them. worst: the frames that differ most, at most twenty.
    is_expected: whether a difference is in the nature of the format (polygons). is_fitted: what was
    compared are the format's classes, some of which stand for several of the project or for none.
    """

    frames: int
    equal: int
    pixels: int
    different: int
    worst: tuple[FrameError, ...] = ()
    is_expected: bool = False
    is_fitted: bool = False

    @property
    def is_exact(self) -> bool:
        """Every pixel of every frame came back, and there was a frame."""
        return bool(self.frames) and not self.different and self.frames == self.equal

    def in_words(self) -> str:
        """A sentence."""
        if self.is_exact:
            fitted = ", as this format has its classes" if self.is_fitted else ""
            return (
                f"Read back: all {self.pixels:,} pixels of {self.frames:,} frames are the"
                f" same{fitted}."
            )
        if not self.frames:
            return "Read back: no frame is as it was when it was written, so nothing is proven."
        share = self.different / max(self.pixels, 1)
        text = (
            f"Read back: {self.different:,} of {self.pixels:,} pixels ({share:.3%}) differ, in"
            f" {self.frames - self.equal:,} of {self.frames:,} frames"
        )
        if self.is_expected:
            return f"{text}, as this format draws outlines."
        worst = f"; first {self.worst[0].name} {self.worst[0].why}".rstrip() if self.worst else ""
        return f"{text}: the export is not what the project holds{worst}."


@dataclass(frozen=True, slots=True)
class ExportReport:
    """splits: frames by split ("" where nothing is split). pixels: class name → pixels, void by the
    name "void". lost: class name → pixels that became void because the format has no such class.
    cannot: what the format does not carry. notes: what else one should know. read_as: frame → the
    name under which its own reader finds it, where that is another. proof: None when it was not
    asked for.
    """

    format: str
    title: str
    target: str
    options: Values
    frames: int
    splits: dict[str, int]
    pixels: dict[str, int]
    lost: dict[str, int]
    files: int
    bytes: int
    seconds: float
    resumed: int = 0
    cannot: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proof: Proof | None = None
    read_as: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        from dataclasses import asdict

        content = {**asdict(self), "options": dict(self.options)}
        if self.proof is not None:
            content["proof"] |= {"is_exact": self.proof.is_exact, "text": self.proof.in_words()}
        return content

    def lines(self) -> list[str]:
        """What a person reads, the most important first."""
        where = f" in {self.seconds:.1f} s" if self.seconds else ""
        found = [
            f"{self.frames:,} frames as {self.title}: {self.files:,} files,"
            f" {self.bytes / 1e6:,.1f} MB{where}."
        ]
        if self.proof is not None:
            found.append(self.proof.in_words())
        if self.lost:
            told = ", ".join(f"{name} ({count:,} px)" for name, count in self.lost.items())
            found.append(f"Became void, since this format has no such class: {told}.")
        return [*found, *self.cannot, *self.notes]
