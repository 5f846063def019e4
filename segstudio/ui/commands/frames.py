"""Label → Go To: from frame to frame by what is left to do; flags and bookmarks."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.ui.commands.registry import Desk, command, no_labels, no_picture
from segstudio.ui.correcting.marks import DRAFTED, STARTED

if TYPE_CHECKING:
    from segstudio.store.project import FrameAbout, FrameKey


def _no_frames(desk: Desk) -> str:
    projects = desk.session.editor.projects
    if projects.project is None or projects.media is None:
        return no_picture(desk) or "The project is still being opened."
    return no_picture(desk)


def _no_marks(desk: Desk) -> str:
    """Whether the frame on the screen can be flagged or bookmarked, also while it plays."""
    why = _no_frames(desk)
    project = desk.session.editor.projects.project
    if why or project is None:
        return why
    if project.is_read_only:
        return project.why_read_only
    return "" if _here(desk) is not None else "The labels are still being read."


def _here(desk: Desk) -> "tuple[FrameKey, FrameAbout] | None":
    """The frame on the screen."""
    session = desk.session
    held, result, media = session.editor.held, session.result, session.editor.projects.media
    if held is not None:
        return held.key, held.about
    if result is None or media is None:
        return None
    from segstudio.store.project import FrameAbout, FrameKey

    frame, known = result.frame, session.frames.summary(result.frame.id.index)
    key = FrameKey(media.id, frame.id.index)
    if known is not None:
        return key, known.about
    if session.info is None or session.info.kind != "video":
        return None
    about = FrameAbout(frame.id.time_us, frame.id.fingerprint, "", frame.height, frame.width)
    return key, about


def _index(desk: Desk) -> int:
    return desk.session.player.playing.index


def _go(desk: Desk, wanted: NDArray[np.bool_], what: str, *, back: bool = False) -> bool:
    """Show the nearest of the wanted frames on that side, or say that there is none."""
    session, here = desk.session, _index(desk)
    found = np.flatnonzero(wanted)
    beyond = found[found < here] if back else found[found > here]
    if len(beyond):
        session.player.pause()
        session.player.seek(int(beyond[-1] if back else beyond[0]))
        return True
    side, other = ("before", "after") if back else ("after", "before")
    rest = int(np.count_nonzero(found != here))
    there = f" {rest:,} {other} it." if rest else ""
    session.tell(f"No {what} {side} this frame.{there}")
    return False


def _to_do(desk: Desk) -> NDArray[np.bool_]:
    """bool (n,). Pictures want labels, all of them; of a video only what was begun or flagged."""
    session = desk.session
    columns = session.frames.columns(session.player.last_index + 1)
    is_video = session.info is not None and session.info.kind == "video"
    code = columns.code
    also = (code == STARTED) | columns.flagged if is_video else code == 0
    wanted: NDArray[np.bool_] = (code == DRAFTED) | also
    return wanted


def _labelled(desk: Desk) -> NDArray[np.bool_]:
    code = desk.session.frames.columns(desk.session.player.last_index + 1).code
    found: NDArray[np.bool_] = code != 0
    return found


def _bookmarked(desk: Desk) -> NDArray[np.bool_]:
    return desk.session.frames.columns(desk.session.player.last_index + 1).bookmarked


@command("frames.confirm_next", title="Confirm and Go to the Next", menu="Label",
         keys=("Shift+C", "Ctrl+Return"), unless=no_labels)  # fmt: skip
def confirm_next(desk: Desk) -> None:
    """The next frame to do; of a video with nothing left to do, the next frame."""
    session = desk.session
    session.editor.confirm()
    here, wanted = _index(desk), _to_do(desk)
    if session.info is not None and session.info.kind == "video" and not wanted[here + 1 :].any():
        session.player.step(1)
    else:
        _go(desk, wanted, "frame to do")


@command("frames.bookmark", title="Bookmark", menu="Label", section=1, keys=("K",),
         unless=_no_marks)  # fmt: skip
def bookmark(desk: Desk) -> None:
    """Remember this frame, or no longer."""
    here, project = _here(desk), desk.session.editor.projects.project
    if here is None or project is None:
        return
    key, about = here
    known = project.summary(key)
    is_on = known is not None and known.is_bookmarked
    project.bookmark(key, on=not is_on, about=about)
    desk.session.editor.frames_changed.emit(frozenset({key}))


@command("frames.flag", title="Flag with a Note…", menu="Label", section=1, keys=("Shift+F",),
         unless=_no_marks)  # fmt: skip
def flag(desk: Desk) -> None:
    """Mark the frame for another look; the note may stay empty."""
    here, project = _here(desk), desk.session.editor.projects.project
    if here is None or project is None:
        return
    given, (key, about) = project, here
    known = project.summary(key)

    def then(note: str | None) -> None:
        editor = desk.session.editor
        if editor.projects.project is given:
            given.flag(key, note, about)
            editor.frames_changed.emit(frozenset({key}))

    frame = about.name or f"Frame {key.index}"
    desk.ask_note(frame, None if known is None else known.flag, then)


@command("frames.next_to_do", title="Next Frame to Do", menu="Label/Go To", section=1,
         keys=("N",), unless=_no_frames)  # fmt: skip
def next_to_do(desk: Desk) -> None:
    """Pictures without labels or with a draft; in a video what was begun or flagged."""
    _go(desk, _to_do(desk), "frame to do")


@command("frames.previous_to_do", title="Previous Frame to Do", menu="Label/Go To", section=1,
         keys=("Shift+N",), unless=_no_frames)  # fmt: skip
def previous_to_do(desk: Desk) -> None:
    """Pictures without labels or with a draft; in a video what was begun or flagged."""
    _go(desk, _to_do(desk), "frame to do", back=True)


@command("frames.next_labelled", title="Next Labelled Frame", menu="Label/Go To", section=1,
         keys=("Ctrl+Right",), unless=_no_frames)  # fmt: skip
def next_labelled(desk: Desk) -> None:
    """Whatever its state."""
    _go(desk, _labelled(desk), "labelled frame")


@command("frames.previous_labelled", title="Previous Labelled Frame", menu="Label/Go To",
         section=1, keys=("Ctrl+Left",), unless=_no_frames)  # fmt: skip
def previous_labelled(desk: Desk) -> None:
    """Whatever its state."""
    _go(desk, _labelled(desk), "labelled frame", back=True)


@command("frames.next_bookmark", title="Next Bookmark", menu="Label/Go To", section=1,
         keys=("Shift+K",), unless=_no_frames)  # fmt: skip
def next_bookmark(desk: Desk) -> None:
    """A frame that you remembered (K)."""
    _go(desk, _bookmarked(desk), "bookmark")


@command("frames.previous_bookmark", title="Previous Bookmark", menu="Label/Go To", section=1,
         keys=("Ctrl+K",), unless=_no_frames)  # fmt: skip
def previous_bookmark(desk: Desk) -> None:
    """A frame that you remembered (K)."""
    _go(desk, _bookmarked(desk), "bookmark", back=True)


@command("view.frames", title="Frame List", menu="View", section=4, keys=("F8",),
         checked=lambda desk: desk.are_frames_shown())  # fmt: skip
def frames(desk: Desk) -> None:
    """Show or hide the list of frames on the left."""
    desk.toggle_frames()
