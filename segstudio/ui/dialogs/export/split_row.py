"""How frames are divided, and what comes of it before anything is written."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.exchange.exporter import Outlook, Shares
from segstudio.ui.panels.parts import Segments, label, row, set_tone

SPLITS = (
    ("none", "All in one", "No train, val and test"),
    ("clip", "By clip", "Whole clips go to train, val or test; never neighbouring frames"),
)
DEFAULT = "80/10/10"


class SplitRow(QWidget):
    """Signals:
    changed(): `shares` is new, by a person.
    """

    changed = Signal()

    def __init__(self, background: Background, divided: Callable[[str, Shares], Outlook]) -> None:
        """divided: (scope, shares) → what comes of it; called in a job."""
        super().__init__()
        self._background, self._divided = background, divided
        self._value, self._scope = "none", ""
        self._asked: tuple[str, Shares | None] = ("", None)
        self._telling: Job | None = None
        self._choices = Segments(SPLITS, self._pick)
        self._choices.setAccessibleName("Split")
        self._shares = QLineEdit(DEFAULT)
        self._shares.setAccessibleName("Shares of train, val and test")
        self._shares.setToolTip("Shares of train, val and test, like 80/10/10")
        self._shares.setMaximumWidth(104)
        self._shares.textEdited.connect(lambda _: self._change())
        self._told = label(look="small", tone="muted")
        self._told.setWordWrap(True)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addLayout(row(self._choices, self._shares, 1))
        box.addWidget(self._told)
        self._show()

    @property
    def shares(self) -> Shares | None:
        """Of train, val and test; None for all in one, and while the text is none."""
        return shares_in(self._shares.text()) if self._value == "clip" else None

    @property
    def trouble(self) -> str:
        """Why nothing can be divided like this; "" when it can."""
        is_wrong = self._value == "clip" and self.shares is None
        return "Shares are numbers like 80/10/10." if is_wrong else ""

    @property
    def message(self) -> str:
        """What comes of it, for tests and for reading aloud."""
        return self._told.text()

    @property
    def chosen(self) -> tuple[str, str]:
        """For the next time: one of SPLITS, and the text of the shares."""
        return self._value, self._shares.text()

    def choose(self, value: str, text: str = DEFAULT) -> None:
        """As `chosen` was once; what cannot be is left alone."""
        if value in ("none", "clip"):
            self._value = value
        if shares_in(text) is not None:
            self._shares.setText(text)
        self._show()

    def show_scope(self, scope: str) -> None:
        """Which frames are divided; "" while nobody knows."""
        self._scope = scope
        self._show()

    def leave(self) -> None:
        """What is still being found out is not wanted any more."""
        if self._telling is not None:
            self._telling.token.cancel()
            self._telling = None

    def _pick(self, value: str) -> None:
        self._value = value
        self._change()

    def _change(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self._choices.show_value(self._value)
        self._shares.setVisible(self._value == "clip")
        shares, scope = self.shares, self._scope
        if shares is None or not scope:
            self.leave()
            self._asked = ("", None)
            self._tell(None)
        elif (scope, shares) != self._asked:
            self.leave()
            self._asked = (scope, shares)
            self._telling = self._background.run(
                lambda _: self._divided(scope, shares),
                success=self._tell,
                failure=lambda _: self._tell(None),  # the export itself says what is wrong
                name="split",
            )

    def _tell(self, found: Outlook | None) -> None:
        self._told.setText("" if found is None else "\n".join(found.lines()))
        self._told.setVisible(bool(self._told.text()))
        set_tone(self._told, "warn" if found is not None and found.empty else "muted")


def shares_in(text: str) -> Shares | None:
    """Of train, val and test; None when the text says no shares."""
    try:
        numbers = [float(part) for part in text.split("/")]
    except ValueError:
        return None
    if not 2 <= len(numbers) <= 3 or not min(numbers) >= 0 or not 0 < sum(numbers) < 1e9:
        return None
    return (numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 0.0)
