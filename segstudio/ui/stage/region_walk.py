"""From one error region to the next, the largest first. UI thread; the search is a job."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Slot

from segstudio.core.classes import ClassMap
from segstudio.core.geometry import Rect
from segstudio.engine.seats import FIRST
from segstudio.store.project_rows import FrameKey
from segstudio.ui.comparing.panes import LABELS
from segstudio.ui.tools.preview import NOTHING, Place, Preview
from segstudio.ui.tools.registry import Pointer

if TYPE_CHECKING:
    from segstudio.core.brush import Area
    from segstudio.ui.session import Session

SHOWN_MS = 2500
"""How long a region stays outlined when nothing else happens."""

SHARE = 20_000
"""Regions of less than one part in so many of the frame are left out; less than 4 pixels, too."""

Labels = NDArray[np.uint8]


class Shows(Protocol):
    """The picture."""

    def show_rect(self, rect: Rect) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """names, labels: who is held against whom, the reference last. letter: of the model that the
    errors are of, "" where models differ. error_class: only the errors of that class.
    """

    frame: object
    names: tuple[str, ...]
    labels: tuple[Labels, ...]
    letter: str = ""
    error_class: int | None = None

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for searches that one walk may go through."""
        return self.frame, self.names, self.error_class

    def run(self) -> "list[Area]":
        """Regions in which everybody says the same and not all agree; the largest first."""
        from segstudio.core import differing
        from segstudio.core.regions import regions_of_answers

        first, *others = self.labels
        drawn = np.zeros(first.shape, np.bool_)
        if self.letter:
            (reference,) = others
            codes = differing.errors(reference, first)
            if self.error_class is not None:
                codes = differing.errors_of_class(reference, first, self.error_class)
            kinds = (differing.WRONG, differing.FALSE_POSITIVE, differing.FALSE_NEGATIVE)
            drawn = np.isin(codes, kinds)
        else:
            for other in others:
                drawn |= other != first
        return regions_of_answers(self.labels, drawn, max(4, drawn.size // SHARE))


class RegionWalk(QObject):
    """Remembers where it is; one for each session, made when it is first wanted."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self._session = session
        self._kind: tuple[object, ...] = ()
        self._current: Area | None = None
        self._offered: tuple[object, int] | None = None  # on which frame, and which frame
        self._visited: set[FrameKey] = set()
        self._shown = NOTHING
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self._hide)

    @staticmethod
    def of(session: "Session") -> "RegionWalk":
        """The walk of that session."""
        found: RegionWalk | None = session.findChild(RegionWalk)
        return RegionWalk(session) if found is None else found

    def why_not(self) -> str:
        """Why there is nothing to go through, one sentence; "" when there may be."""
        if self._session.result is None:
            return "Open a picture or a video first."
        if self._search() is not None:
            return ""
        return "Compare two models (T), or label this frame: there is nothing to differ from."

    def step(self, canvas: Shows, *, forward: bool) -> None:
        """Show the next or the previous region, or say that there is none."""
        session, search = self._session, self._search()
        session.player.pause()
        if search is None:
            return
        if forward and self._offered is not None and self._offered[0] == search.frame:
            session.player.seek(self._offered[1])
            self._offered = None
            return
        self._offered = None
        if search.kind != self._kind:
            self._kind, self._current = search.kind, None

        def show(areas: "list[Area]") -> None:
            self._take(areas, search, canvas, forward=forward)

        session.editor.run(lambda _: search.run(), show, name="regions")

    def _search(self) -> Search | None:
        """What is looked at decides: the difference on the screen, else errors, else models."""
        comparison, scores = self._session.comparison, self._session.scores
        result, answers = self._session.result, dict(self._session.editor.answers())
        if result is None:
            return None
        frame, look, standing = result.frame.id, comparison.look, scores.standing()
        if comparison.is_on and look.mode == "difference":
            both = [comparison.member_labels(member) for member in look.pair]
            known = tuple(labels.copy() for labels in both if labels is not None)
            return _same_size(Search(frame, look.pair, known)) if len(known) == 2 else None
        reference = scores.reference()
        if standing is not None and (standing.is_reference or len(answers) < 2):
            letter = next((m for m in look.pair if m in answers), FIRST)
            if reference is not None and letter in answers:
                one = look.error_class if look.colours == "errors" else None
                pair = answers[letter], reference.copy()  # people paint while it is looked at
                return _same_size(Search(frame, (letter, LABELS), pair, letter, one))
        if len(answers) < 2:
            return None
        return _same_size(Search(frame, tuple(answers), tuple(answers.values())))

    def _take(self, areas: "list[Area]", search: Search, canvas: Shows, *, forward: bool) -> None:
        from segstudio.core.regions import next_region

        session, result = self._session, self._session.result
        if result is None or result.frame.id != search.frame or search.kind != self._kind:
            return
        area = next_region(areas, self._current, forward=forward)
        if area is None:
            self._tell_end(len(areas), search, forward=forward)
            return
        self._current = area
        canvas.show_rect(area.rect)
        if self._is_taken_up(area):
            return
        number = next(k for k, each in enumerate(areas, start=1) if each is area)
        text = f"{_said(area, search, session.editor.classes)} · {number} of {len(areas)}"
        place = _place_of(area.rect, search.labels[0].shape)
        session.editor.show(
            Preview(area=area, has_border=True, has_tint=False, text=text, text_at=place)
        )
        self._shown = session.editor.preview
        self._timer.start()

    def _is_taken_up(self, area: "Area") -> bool:
        """With the tool in the hand that adopts regions, it waits for a digit at once."""
        session = self._session
        if session.editor.options.tool != "adopt" or len(session.editor.answers()) < 2:
            return False
        y, x = np.argwhere(area.mask)[-1] + (area.rect.y0, area.rect.x0)
        session.tools.press(Pointer((y + 0.5, x + 0.5)))
        session.tools.release(Pointer((y + 0.5, x + 0.5)))
        return session.tools.wants("1")

    def _tell_end(self, count: int, search: Search, *, forward: bool) -> None:
        """There is no more on that side; offer the worst of the other frames."""
        what = "error" if search.letter else "difference"
        if not forward and count:
            self._session.tell(f"This is the largest {what} of this frame.", "hint")
            return
        end = f"That was the last {what} of this frame ({count:,})."
        if not count:
            end = f"No {what} of this frame is large enough to be shown."
        worst = self._worst(search.letter) if forward and search.letter else None
        if worst is not None:
            index, miou = worst
            self._offered = search.frame, index
            end += f" The same key again goes to frame {index}, mIoU {100 * miou:.1f} %."
        self._session.tell(end, "hint")
        self._current = None  # and it begins anew

    def _worst(self, letter: str) -> tuple[int, float] | None:
        """(index, mIoU 0..1) of the worst frame of this clip that was not offered yet."""
        editor = self._session.editor
        media, held = editor.projects.media, editor.held
        if media is None or held is None:
            return None
        self._visited.add(held.key)
        for key, miou in self._session.scores.tally(letter).worst():
            if key.media == media.id and key not in self._visited and miou < 1:
                self._visited.add(key)
                return key.index, miou
        self._visited.clear()
        return None

    @Slot()
    def _hide(self) -> None:
        """Only what was shown here: a tool may have something else there now."""
        if self._session.editor.preview is self._shown:
            self._session.editor.show(NOTHING)
        self._shown = NOTHING


def _same_size(search: Search) -> Search | None:
    """None when somebody speaks about a frame of another size."""
    return search if len({labels.shape for labels in search.labels}) == 1 else None


def _said(area: "Area", search: Search, classes: ClassMap) -> str:
    """ "A Road · labels Pavement": everybody says one thing in a region."""
    y, x = np.argwhere(area.mask)[0] + (area.rect.y0, area.rect.x0)
    said = zip(search.names, search.labels, strict=True)
    return " · ".join(f"{name} {classes.name_of(int(labels[y, x]))}" for name, labels in said)


def _place_of(rect: Rect, shape: tuple[int, ...]) -> Place:
    """Below the region; in its middle when there is no room below."""
    is_low = rect.y1 + rect.height / 2 > shape[0]
    return ((rect.y0 + rect.y1) / 2 if is_low else rect.y1, rect.x0)
