"""From what was dropped, picked or typed to an open source. Runs in a background thread."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from segstudio.core.catalogue import ModelCard
from segstudio.errors import Cancelled
from segstudio.media.source import FrameSource
from segstudio.store.models import WEIGHTS_SUFFIXES, load_card
from segstudio.ui import startup
from segstudio.ui.bridge.background import Job

log = logging.getLogger("segstudio.ui")

MEGABYTE = 1_000_000

WEIGHTS_FILES = (*WEIGHTS_SUFFIXES, ".bin", ".ckpt", ".tar")
"""Endings of files that may hold the weights of a net."""


PROJECT_SUFFIX = ".segproj"


@dataclass(frozen=True, slots=True)
class BareWeights:
    """Weights that nobody has described yet: no card.json lies beside them."""

    file: Path


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A project: labels and the media they belong to."""

    file: Path


Opened = FrameSource | ModelCard | BareWeights | ProjectFile


@dataclass(frozen=True, slots=True)
class Opening:
    """What is being opened now. fraction: 0..1, negative while unknown."""

    title: str
    text: str = ""
    fraction: float = -1.0


def title_of(paths: Sequence[Path]) -> str:
    """What people call it: the file's name, or how many files."""
    if len(paths) == 1:
        return paths[0].name or str(paths[0])
    return f"{len(paths)} files"


def open_paths(paths: Sequence[Path], cache_mb: int) -> Callable[[Job], Opened]:
    """A job that opens pictures, a folder or a video; a model's folder gives its card, weights
    without a card are for importing.
    """

    def op(job: Job) -> Opened:
        if len(paths) == 1 and paths[0].suffix.lower() == PROJECT_SUFFIX:
            return ProjectFile(paths[0])
        if len(paths) == 1 and _is_bare(paths[0]):
            return BareWeights(paths[0])
        if len(paths) == 1 and _is_model(paths[0]):
            return load_card(paths[0])
        return _read_ahead(paths[0] if len(paths) == 1 else paths, cache_mb, job)

    return op


def open_demo(cache_mb: int) -> Callable[[Job], Opened]:
    """A job that opens the demo drive, rendering it first where that was never done."""

    def op(job: Job) -> Opened:
        from segstudio.media.demo import ensure_demo

        clip = ensure_demo(
            lambda fraction: job.report(fraction, "Painting the demo drive"),
            lambda: job.token.cancelled,
        )
        return _read_ahead(clip.video, cache_mb, job)

    return op


def close_unused(opened: Opened) -> None:
    """Let go of what nobody wants any more."""
    if not isinstance(opened, ModelCard | BareWeights | ProjectFile):
        opened.close()


def _is_model(path: Path) -> bool:
    return path.suffix in WEIGHTS_SUFFIXES or (path / "card.json").is_file()


def _is_bare(path: Path) -> bool:
    is_weights = path.suffix.lower() in WEIGHTS_FILES and path.is_file()
    return is_weights and not (path.parent / "card.json").is_file()


def _read_ahead(what: Path | Sequence[Path], cache_mb: int, job: Job) -> FrameSource:
    """A source with its decode thread. Half of the memory holds frames as decoded, for steps back;
    half as RGB, ready to be shown.
    """
    job.token.check()
    half = cache_mb * MEGABYTE // 2
    with startup.linker_turn():
        from segstudio.media.open import open_source
        from segstudio.media.readahead import ReadAhead

        source = open_source(what, cache_bytes=half)
    if job.token.cancelled:
        source.close()
        raise Cancelled
    return ReadAhead(source, half)
