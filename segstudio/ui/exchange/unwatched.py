"""What the main window says of work whose own window is closed."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from segstudio.ui.exchange.one_job import OneJob
from segstudio.ui.session import Session


def tell_unwatched(
    job: OneJob,
    session: Session,
    is_watched: Callable[[], bool],
    ended: Callable[[Any], tuple[str, str]],
    stopped: str = "",
) -> None:
    """How the job ends is told while nobody looks at it. ended: of what it returned a sentence and
    its kind, as Session.tell takes them. stopped: the sentence for that, "" for none.
    """

    def tell(text: str, kind: str) -> None:
        if text and not is_watched():
            session.tell(text, kind)

    job.finished.connect(lambda report: tell(*ended(report)))
    job.failed.connect(lambda text: tell(text, "error"))
    job.stopped.connect(lambda: tell(stopped, "info"))


def is_seen(owner: QWidget, window: type[QWidget]) -> bool:
    """Whether a window of that kind is open."""
    return any(found.isVisible() for found in owner.findChildren(window))
