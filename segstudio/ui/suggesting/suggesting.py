"""Suggesting: what is worth correcting next in the open source, and going there. Part of the
session; UI thread only. The looking is a job, see `search`.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from segstudio.ui.bridge.background import Job
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.marks import DONE, FrameTable
from segstudio.ui.correcting.ranges import RangeRun
from segstudio.ui.suggesting.dealt_with import DealtWith
from segstudio.ui.suggesting.going import Going
from segstudio.ui.suggesting.search import Found, Kind, Search, Stop
from segstudio.ui.words import counted

if TYPE_CHECKING:
    from segstudio.engine.suggest import Suggestion

BUDGET_S = 20.0
"""Of one look: as many frames as that allows, spread over the clip."""

WHAT: dict[Kind, str] = {"frames": "frame", "regions": "region", "errors": "label"}


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """number: its place in the list as it was found, from 1, which it keeps. worth: 0..1, its
    score as a share of the best one's."""

    kind: Kind
    number: int
    suggestion: "Suggestion"
    worth: float

    @property
    def index(self) -> int:
        """Of its frame."""
        return self.suggestion.frame.index


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the looking is. frames: looked at so far. is_whole: no others are left."""

    frames: int
    is_whole: bool


class Suggesting(QObject):
    """is_on: whether people want to see the list. kind: of what. run: the look that is under way.
    current: the entry that was gone to last, which may be dealt with by now. trouble: why the last
    look failed or its list is gone, one sentence.

    Signals:
        changed(): any of these, or the entries, are new.
        region_wanted(object): Rect of the frame on the screen that is to be seen from near.
    """

    changed = Signal()
    region_wanted = Signal(object)
    _progressed = Signal(object, int, int)

    def __init__(
        self, host: Host, editor: Editor, comparison: Comparison, frames: FrameTable
    ) -> None:
        super().__init__(comparison)
        self._host = host
        self._editor = editor
        self._comparison = comparison
        self._frames = frames
        self.is_on = False
        self.kind: Kind = "frames"
        self.run: RangeRun | None = None
        self.current: Entry | None = None
        self.trouble = ""
        self.budget_s = BUDGET_S
        self._of: tuple[object, ...] | None = None  # what and who the entries are of
        self._search: Search | None = None
        self._entries: dict[Kind, tuple[Entry, ...]] = {}
        self._seen: dict[Kind, Seen] = {}
        self._job: Job | None = None
        self._stop: Stop | None = None
        self._dealt = DealtWith(editor, self)
        self._going = Going(host, editor, comparison, self)
        self._going.region_wanted.connect(self.region_wanted)
        self._progressed.connect(self._count)
        self._dealt.changed.connect(self.changed)
        frames.changed.connect(self.changed)
        comparison.changed.connect(self._follow)
        editor.projects.changed.connect(self._follow)
        host.player.source_changed.connect(self._follow)

    # --- what is listed

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Of the kind, best first, those that are still to be dealt with."""
        found = self._entries.get(self.kind, ())
        if not found:
            return ()
        code = self._frames.columns(max(e.index for e in found) + 1).code
        return tuple(
            entry
            for entry in found
            if not self._dealt.has(entry.suggestion)
            and (entry.kind == "errors" or code[entry.index] != DONE)
        )

    @property
    def listed(self) -> int:
        """How many of the kind there were, also those that are dealt with."""
        return len(self._entries.get(self.kind, ()))

    @property
    def seen(self) -> Seen | None:
        """Of the kind; None before the first look."""
        return self._seen.get(self.kind)

    def why_not(self) -> str:
        """Why nothing can be looked through now, one sentence; "" when it can."""
        projects = self._editor.projects
        if self._host.info is None:
            return "Open a picture or a video first."
        if projects.project is None or projects.media is None:
            return projects.trouble or "The project is still being opened."
        if self._host.models.chosen is None:
            return "Choose a model first."
        if self.kind == "errors" and not self._has_labels():
            return "Nobody has painted or confirmed anything in this clip yet."
        return ""

    def _has_labels(self) -> bool:
        count = self._host.player.last_index + 1
        return bool((self._frames.columns(count).share > 0).any())

    # --- what people want

    def show(self, *, on: bool) -> None:
        """Show the list, or no longer; what was found is kept."""
        if on != self.is_on:
            self.is_on = on
            self.changed.emit()

    def set_kind(self, kind: Kind) -> None:
        """Frames, regions or labels that are probably wrong."""
        if kind != self.kind:
            self.kind, self.current = kind, None
            self.changed.emit()

    def look(self) -> None:
        """Look at frames, or at more of them; nothing happens while that is under way."""
        why, ask = self.why_not(), self._host.player.asker()
        info, projects = self._host.info, self._editor.projects
        if why or info is None or projects.project is None or projects.media is None:
            self._host.tell(why, "hint")
            return
        if self.run is not None:
            return
        if self._search is None:
            self._of = self._now()
            panes = self._comparison.panes
            self._search = Search(info, projects.project, projects.media, panes)
        search, kind, budget_s = self._search, self.kind, self.budget_s
        stop = self._stop = Stop()

        def op(job: Job) -> Found:
            stop.job = job.token
            return search.look(
                kind, ask, stop, budget_s, lambda *far: self._progressed.emit(job, *far)
            )

        def success(found: Found) -> None:
            self._end()
            self._take(found)

        def failure(error: Exception) -> None:
            self._end()
            self.trouble = str(error)
            self.changed.emit()
            self._host.tell_error(error)

        self.trouble = ""
        self.run = RangeRun("Looking for what to correct next", 0)
        self._job = self._host.background.run(op, success=success, failure=failure, name="suggest")
        self.changed.emit()

    def cancel(self) -> None:
        """Look no further; what was seen so far is ranked."""
        if self._stop is not None:
            self._stop.cancel()

    def go(self, entry: Entry) -> None:
        """Show its frame; of a region, from near and outlined."""
        self.current = entry
        self._dealt.watch(entry.suggestion)
        self._going.go(entry.suggestion)
        self.changed.emit()

    def step(self, by: int) -> None:
        """The next suggestion (or with -1 the one before), from the one that was gone to last; the
        first look is begun when there was none."""
        self.show(on=True)
        entries = self.entries
        at = 0 if self.current is None else self.current.number
        ahead = [e for e in entries if e.number > at]
        behind = [e for e in entries if e.number < at]
        found = (ahead[:1] if by > 0 else behind[-1:]) or entries[:0]
        if found:
            self.go(found[0])
        elif self.run is not None:
            self._host.tell("Still looking for what to correct next.", "hint")
        elif self.seen is None:
            self.look()
            if self.run is not None:
                self._host.tell("Looking for what to correct next; the same key goes there.")
        else:
            self._host.tell(self._end_of_list(by, len(entries)), "hint")

    def _end_of_list(self, by: int, left: int) -> str:
        what = WHAT[self.kind]
        if not self.listed:
            return "Nothing stands out; look at more frames, or go on with another clip."
        if not left:
            return f"Every {what} of the list is dealt with; look again for the next ones."
        if by < 0:
            return f"This is the first {what} of the list."
        rest = "" if left == 1 else f" {counted(left, 'is', 'are')} left in it."
        return f"This is the last {what} of the list.{rest}"

    # --- following

    @Slot(object, int, int)
    def _count(self, job: Job, done: int, total: int) -> None:
        if job is self._job and self.run is not None:
            self.run = replace(self.run, done=done, total=total)
            self.changed.emit()

    def _take(self, found: Found) -> None:
        self.current = None
        for kind, suggestions in found.by_kind.items():
            best = max((s.score for s in suggestions), default=0.0) or 1.0
            self._entries[kind] = tuple(
                Entry(kind, number, one, max(0.0, one.score / best))
                for number, one in enumerate(suggestions, start=1)
            )
            self._seen[kind] = Seen(found.looked, found.is_whole)
        self._dealt.forget()
        if found.missing:
            more = f" (and {len(found.missing) - 1} more)" if len(found.missing) > 1 else ""
            self._host.tell(f"Something was left out: {found.missing[0]}{more}", "warning")
        self.changed.emit()

    def _end(self) -> None:
        self.run = self._job = self._stop = None

    def _now(self) -> tuple[object, ...]:
        """Equal as long as suggestions hold."""
        info, projects = self._host.info, self._editor.projects
        project = projects.project
        media = None if projects.media is None else projects.media.id
        classes = None if project is None else project.classes
        panes = tuple(pane.identity for pane in self._comparison.panes)
        return None if info is None else info.id, project, media, classes, panes

    @Slot()
    def _follow(self) -> None:
        """Another clip or other models: what was found holds no more."""
        now = self._now()
        if self._of is not None and now != self._of:
            is_same_clip = now[:-1] == self._of[:-1]
            if self._job is not None:
                self._job.token.cancel()
            was_there = bool(self._seen) or self.run is not None
            self._end()
            self._of = self._search = self.current = None
            self._entries, self._seen = {}, {}
            self._dealt.forget()
            self._going.stop()
            self.trouble = (
                "Other models look at the clip now, so the list is gone; look again."
                if is_same_clip and was_there
                else ""
            )
        self.changed.emit()
