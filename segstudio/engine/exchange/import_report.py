"""What an import has done, in figures and sentences."""

from dataclasses import asdict, dataclass
from typing import Any

from segstudio.core.class_mapping import listed


@dataclass(frozen=True, slots=True)
class ImportReport:
    """frames: that were read; unchanged: of them with the labels that were there already.

    pixels: class → pixels as imported, void by the name "void". lost: class of the files → pixels
    that became void because the project has no such class; unwanted: because a person said so.
    kept: pixels that a human had painted otherwise and that stayed, in so many kept_frames.
    replaced: pixels that a human had painted or confirmed and that are not so any more;
    no_longer_confirmed: frames that were. empty: frames without labels that were left out. media,
    classes: titles and names of those that are new. left_out: name and reason.
    """

    format: str
    source: str
    imported_as: str
    is_dry_run: bool
    frames: int
    unchanged: int
    pixels: dict[str, int]
    lost: dict[str, int]
    unwanted: dict[str, int]
    kept: int
    kept_frames: int
    replaced: int
    no_longer_confirmed: int
    empty: int
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
        found = [f"{_frames(self.frames)} of {self.source} {done} as {what}."]
        found += self._over_humans()
        if self.empty:
            found.append(f"{_frames(self.empty)} without labels {self._were(self.empty)} left out.")
        if self.unchanged:
            has = "has" if self.unchanged == 1 else "have"
            found.append(f"{_frames(self.unchanged)} {has} these labels already.")
        found += self._classes_and_media()
        if self.left_out:
            name, why = self.left_out[0]
            count = len(self.left_out)
            found.append(f"{_frames(count)} {self._were(count)} left out; {name}: {why}")
        return [*found, *self.notes]

    def _over_humans(self) -> list[str]:
        """What becomes of pixels that humans made."""
        found = []
        if self.replaced:
            found.append(
                f"{_pixels(self.replaced)} that humans painted or confirmed"
                f" {self._were(self.replaced)} replaced."
            )
        if self.no_longer_confirmed:
            one = self.no_longer_confirmed == 1
            is_ = "would not be" if self.is_dry_run else "is not" if one else "are not"
            found.append(
                f"{self.no_longer_confirmed:,} confirmed frame{'' if one else 's'} {is_} confirmed"
                " any more."
            )
        if self.kept:
            stayed = "would stay as they are" if self.is_dry_run else "stayed as they were"
            found.append(
                f"{_pixels(self.kept)} in {_frames(self.kept_frames)} that a human painted"
                f" otherwise {stayed}."
            )
        return found

    def _classes_and_media(self) -> list[str]:
        found = []
        would = self.is_dry_run
        if self.media:
            found.append(f"New in the project{' would be' if would else ''}: {listed(self.media)}.")
        if self.classes:
            what = "would be" if would else "were"
            found.append(f"Classes that {what} added: {listed(self.classes)}.")
        became = "Would become void" if would else "Became void"
        if self.lost:
            names = _with_pixels(self.lost)
            found.append(f"{became}, since the project has no such class: {names}.")
        if self.unwanted:
            found.append(f"{became}, as wished: {_with_pixels(self.unwanted)}.")
        return found

    def _were(self, count: int) -> str:
        return "would be" if self.is_dry_run else "was" if count == 1 else "were"


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count:,} frames"


def _pixels(count: int) -> str:
    return "1 pixel" if count == 1 else f"{count:,} pixels"


def _with_pixels(classes: dict[str, int]) -> str:
    return listed([f"{name} ({count:,} px)" for name, count in classes.items()])
