"""What the pages of the column share."""

from PySide6.QtWidgets import QWidget

from segstudio.core.classes import ClassDef
from segstudio.core.look import ClassLook, Look, Seen
from segstudio.ui.session import Session


class Page(QWidget):
    """One way to look inside. It remembers what was looked at last."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._inside = session.inside

    def look(self) -> Look | None:
        """What this page would show now; None while there is nothing to choose."""
        raise NotImplementedError

    def follow(self) -> None:
        """Another look, model, pixel or tree."""
        raise NotImplementedError

    def see(self, seen: Seen | None) -> None:
        """The answer for the frame on the screen."""

    def sides(self, look: Look | None) -> tuple[str, str]:
        """The classes that the low and the high numbers of a lead speak for."""
        if not isinstance(look, ClassLook) or look.against is None:
            return "", ""
        names = {c.id: c.name for c in self.classes()}
        return names.get(look.against, ""), names.get(look.class_id, "")

    def classes(self) -> tuple[ClassDef, ...]:
        """Of the model that is looked into."""
        pane = self._session.comparison.pane(self._inside.letter)
        return () if pane is None or pane.card is None else pane.card.classes.classes
