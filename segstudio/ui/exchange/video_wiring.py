"""Videos in the program: one exporter a window, and what it tells when its window is closed."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from segstudio.formats.names import clean
from segstudio.ui.exchange.places import writable
from segstudio.ui.exchange.unwatched import is_seen, tell_unwatched
from segstudio.ui.exchange.video_exporter import Clip, VideoExporter
from segstudio.ui.session import Session

if TYPE_CHECKING:
    from segstudio.engine.exchange.videos import VideoReport


def video_exporter_of(owner: QWidget, session: Session) -> VideoExporter:
    """The one of a window; made when it is first wanted."""
    found = owner.findChild(VideoExporter)
    if found is not None:
        return found
    made = VideoExporter(session.background, owner)

    def ended(report: "VideoReport") -> tuple[str, str]:
        return f"Written: {report.target}. {' '.join(report.notes)}".strip(), "info"

    tell_unwatched(made, session, lambda: _is_watched(owner), ended)
    return made


def open_video_export(
    owner: QWidget, session: Session, show_folder: Callable[[Path], None]
) -> None:
    """The window for a video of what is open now."""
    from segstudio.ui.dialogs.export.video import VideoWindow

    clip = Clip.of(session)
    if clip is None:
        return
    for old in owner.findChildren(VideoWindow):  # of another clip, or with other models
        old.close()
    made = VideoWindow(
        owner, clip, session.view, _place(clip), video_exporter_of(owner, session),
        session.background,
    )  # fmt: skip
    made.follow(session.player.source_changed, lambda: session.info)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    made.folder_wanted.connect(show_folder)
    exporter = video_exporter_of(owner, session)

    def say(_: int) -> None:
        if exporter.is_running:
            session.tell("The video goes on; you are told here when it is done.", "info")

    made.finished.connect(say)
    session.editor.projects.opened.connect(made.close)  # it shows what is gone
    made.show()
    made.raise_()
    made.activateWindow()


def _place(clip: Clip) -> Path:
    """Beside the clip, under its name; in the home folder where nothing can be written there."""
    return writable(clip.info.path.parent) / (clean(Path(clip.info.title).stem) or "video")


def _is_watched(owner: QWidget) -> bool:
    """Whether the person has the window open and sees it there."""
    from segstudio.ui.dialogs.export.video import VideoWindow

    return is_seen(owner, VideoWindow)
