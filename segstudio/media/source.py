"""Where frames come from: the one interface over pictures, folders and videos."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from segstudio.core.frame import Frame


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known about a source at this moment; a frozen snapshot, safe in any thread.

    id: content fingerprint, equal for a renamed or moved copy of the same file.
    kind: "image", "sequence" or "video". frames: how many are known so far.
    is_complete: `frames` is final (a video's index is built in the background).
    progress: 0..1 of the index. is_verified: every frame number was proved by content.
    fps: nominal rate for display, None for stills. Frame numbers are never computed from it.
    width, height: of the upright first frame, 0 when not known yet.
    notes: sentences about what is missing or odd ("cut off after frame 87").
    names: of the picture files, by frame, as seen from `path`; none for a video.
    may_change: a folder or a pattern, which may name other pictures next time; a list may not.
    """

    id: str
    title: str
    path: Path
    kind: str
    width: int
    height: int
    frames: int
    is_complete: bool
    progress: float = 1.0
    is_verified: bool = False
    fps: float | None = None
    duration_us: int | None = None
    codec: str = ""
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=(), repr=False, compare=False)  # `id` tells them apart
    may_change: bool = False


class FrameSource(Protocol):
    """Frames by their ordinal. `read` belongs to one thread at a time, the rest to any."""

    @property
    def info(self) -> SourceInfo:
        """What is known now."""
        ...

    def time_us(self, index: int) -> int | None:
        """Presentation time of frame `index`, None for stills and for frames not indexed yet."""
        ...

    def read(self, index: int) -> Frame:
        """Exactly frame `index`, from 0.

        FrameMissing when it is out of range or cannot be decoded; may wait for the index.
        """
        ...

    def close(self) -> None:
        """Release files and threads; wakes a waiting `read`. Twice is fine."""
        ...
