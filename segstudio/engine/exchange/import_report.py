"""What an import has done, in figures and sentences."""

from dataclasses import asdict, dataclass
from typing import Any

from segstudio.core.class_mapping import listed


@dataclass(frozen=True, slots=True)
class ImportReport:
    """frames: that were read; unchanged: of them with the labels that were there already.

    pixels: class → pixels as imported, void by the name "void". lost: class of the files → pixels
    that became void because the project has no such class. kept: pixels that a human had painted
    otherwise and that stayed. media, classes: titles and names of those that are new. left_out:
    name and reason.
    """

    format: str
    source: str
    imported_as: str
    is_dry_run: bool
    frames: int
    unchanged: int
    pixels: dict[str, int]
    lost: dict[str, int]
    kept: int
    media: tuple[str, ...]
    classes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        rows = [{"name": name, "why": why} for name, why in self.left_out]
        return {**asdict(self), "left_out": rows}

    def lines(self) -> list[str]:
        """What a person reads, the most important first."""
        what = "ground truth" if self.imported_as == "ground_truth" else "predictions"
        done = "would be imported" if self.is_dry_run else "imported"
        frames = "1 frame" if self.frames == 1 else f"{self.frames:,} frames"
        found = [f"{frames} of {self.source} {done} as {what}."]
        if self.unchanged:
            are = "frame has" if self.unchanged == 1 else "frames have"
            found.append(f"{self.unchanged:,} {are} these labels already.")
        if self.media:
            found.append(f"New in the project: {listed(self.media)}.")
        if self.classes:
            found.append(f"Classes that were added: {listed(self.classes)}.")
        if self.lost:
            told = [f"{name} ({count:,} px)" for name, count in self.lost.items()]
            found.append(f"Became void, since the project has no such class: {listed(told)}.")
        if self.kept:
            found.append(
                f"{self.kept:,} pixels that a human painted otherwise stayed as they were."
            )
        if self.left_out:
            name, why = self.left_out[0]
            are = "frame was" if len(self.left_out) == 1 else "frames were"
            found.append(f"{len(self.left_out):,} {are} left out; {name}: {why}")
        return [*found, *self.notes]
