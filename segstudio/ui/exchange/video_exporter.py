"""Videos of the open clip: what could be shown, and the one that is being written.

The clip is opened once more and models are loaded once more, in a job; playing and painting go on.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from segstudio.core.mask_style import MaskMode
from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled, MediaError
from segstudio.formats.report import Progress
from segstudio.media.source import SourceInfo
from segstudio.ui.bridge import live
from segstudio.ui.bridge.background import Job
from segstudio.ui.comparing.panes import Pane
from segstudio.ui.correcting.drafts import CameFrom, mapping_for
from segstudio.ui.exchange.one_job import OneJob
from segstudio.ui.session import Session

if TYPE_CHECKING:
    from segstudio.engine.exchange.clips import ProjectLabels, Voice
    from segstudio.engine.exchange.videos import VideoReport
    from segstudio.media.source import FrameSource
    from segstudio.store.project import MediaRecord, Project

What = Literal["overlay", "side"]

SCOPES = ("labelled", "human", "confirmed")

_WRITING = 0.95
"""Of the bar; reading back is quick."""

_EVERY = 0.01
"""Steps of the bar that are worth a redraw."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What is open. record: None while no project knows it. panes: with models to be asked."""

    info: SourceInfo
    project: "Project | None"
    record: "MediaRecord | None"
    came_from: CameFrom
    panes: tuple[Pane, ...]

    @staticmethod
    def of(session: Session) -> "Clip | None":
        """None while nothing is open."""
        projects, info = session.editor.projects, session.info
        if info is None:
            return None
        panes = tuple(pane for pane in session.comparison.panes if pane.card is not None)
        return Clip(info, projects.project, projects.media, projects.came_from, panes)


@dataclass(frozen=True, slots=True)
class VideoOrder:
    """What a person wants. scope: of labels, "" for none. letters: of the panes. first, last:
    frames, None is the last one. mode, opacity, hidden: of the masks."""

    what: What
    target: Path
    scope: str = "labelled"
    letters: tuple[str, ...] = ()
    has_difference: bool = False
    has_legend: bool = False
    first: int = 0
    last: int | None = None
    mode: MaskMode = "fill"
    opacity: float = 0.55
    hidden: frozenset[int] = frozenset()


class VideoExporter(OneJob):
    """One video at a time; `finished` brings a VideoReport, there is no file when it is stopped."""

    def start(self, clip: Clip, order: VideoOrder) -> None:
        """Begin; nothing happens while another one runs."""
        self.begin("video", lambda job, token: written(clip, order, job, token))


def written(clip: Clip, order: VideoOrder, job: Job, token: CancelToken) -> "VideoReport | None":
    """The whole of it, in a job's thread; None when it was stopped."""
    from segstudio.engine.exchange.film import VideoLook
    from segstudio.engine.exchange.videos import (
        Span,
        check_target,
        overlay_video,
        side_by_side_video,
    )

    check_target(order.target)
    look = VideoLook(order.mode, order.opacity, order.hidden, order.has_legend)
    span = Span(order.first, order.last)
    told = _Teller(job)
    try:
        with ExitStack() as stack:
            source, labels = _opened(clip, order, stack)
            models = _voices(clip, order, labels, job, token, stack)
            if order.what == "overlay":
                return overlay_video(
                    source, order.target, labels=labels, model=models[0] if models else None,
                    look=look, span=span, progress=told,
                    should_stop=lambda: token.cancelled or job.token.cancelled,
                )  # fmt: skip
            return side_by_side_video(
                source, order.target, labels=labels, models=models, look=look, span=span,
                has_difference=order.has_difference, progress=told,
                should_stop=lambda: token.cancelled or job.token.cancelled,
            )  # fmt: skip
    except Cancelled:
        return None


def counts(clip: Clip) -> dict[str, int]:
    """Scope → frames of the clip that have such labels. In a job: it imports OpenCV."""
    from segstudio.engine.exchange.frames import is_in

    if clip.project is None or clip.record is None:
        return dict.fromkeys(SCOPES, 0)
    known = clip.project.frames(clip.record.id)
    return {scope: sum(is_in(summary, scope) for summary in known) for scope in SCOPES}


def _opened(
    clip: Clip, order: VideoOrder, stack: ExitStack
) -> "tuple[FrameSource, ProjectLabels | None]":
    """The clip once more, and what is labelled in it.

    The project is opened once more too: it may be closed in the window before the video is done.
    """
    from segstudio.engine.exchange.clips import ProjectLabels
    from segstudio.engine.project_sources import files_of, opened
    from segstudio.store.project import Project

    project, files = clip.project, list[Path]()
    if project is not None and clip.record is not None:
        files = files_of(project, clip.record)
    medium = stack.enter_context(opened(files or clip.info.path, clip.info.title))
    if medium.info.id != clip.info.id:
        raise MediaError(
            f"{clip.info.title} has changed since it was opened; open it again and go on."
        )
    if not order.scope or project is None or clip.record is None:
        return medium.source, None
    if not project.frames(clip.record.id):
        return medium.source, None
    if not project.waiting:  # what is not on the disk yet, only it knows
        project = Project.open(project.path, read_only=True)
        stack.callback(project.close)
    return medium.source, ProjectLabels.of_media(project, clip.record, medium.info, order.scope)


def _voices(
    clip: Clip,
    order: VideoOrder,
    labels: "ProjectLabels | None",
    job: Job,
    token: CancelToken,
    stack: ExitStack,
) -> "list[Voice]":
    """The models that are wanted, loaded; all in the same classes where that is possible."""
    from segstudio.engine.exchange.clips import voice

    classes = None if labels is None else labels.classes
    came_from = None if labels is None else clip.came_from
    found: list[Voice] = []
    for pane in clip.panes:
        if pane.letter in order.letters and pane.card is not None:
            token.check()
            job.report(-1, f"Loading {pane.title}…")
            loaded = live.loader(pane.card, pane.device, pane.strategy)()
            stack.callback(loaded.close)
            title = " · ".join(part for part in (pane.letter, pane.title, pane.how) if part)
            mapping = partial(mapping_for, came_from=came_from)
            found.append(voice(loaded, classes, title=title, mapping=mapping))
            classes = classes or found[0].classes
    return found


class _Teller:
    """Passes on what is worth a redraw."""

    def __init__(self, job: Job) -> None:
        self._job, self._shown = job, -1.0

    def __call__(self, now: Progress) -> None:
        share = now.done / max(now.total, 1)
        if now.stage == "writing":
            fraction, text = _WRITING * share, f"Writing frame {now.done:,} of {now.total:,}"
        else:
            fraction, text = _WRITING + (1 - _WRITING) * share, "Reading it back"
        if fraction - self._shown >= _EVERY or share >= 1:
            self._shown = fraction
            self._job.report(fraction, text)
