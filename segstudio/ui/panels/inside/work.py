"""What takes long: what is going on, how far it is, and a way to stop it."""

from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from segstudio.core.look import EvidenceLook
from segstudio.ui.inside.inside import Inside
from segstudio.ui.panels.parts import Spinner, button, label, row
from segstudio.ui.theme import UNIT, tabular

COVERING = "Covering patch after patch…"


class WorkLine(QWidget):
    """Shown while occlusion runs the model again and again."""

    def __init__(self, inside: Inside) -> None:
        super().__init__()
        self._inside = inside
        self._said = label(COVERING)
        self._percent = label(tone="muted")
        self._percent.setFont(tabular(self._percent.font()))
        self._stop = button("Stop", "", inside.stop)
        self._stop.setToolTip("Stop covering; the picture keeps what it shows")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 100)
        self._bar.setAccessibleName("How much has been covered")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, UNIT // 2, 0, UNIT // 2)
        column.setSpacing(UNIT // 2)
        column.addLayout(row(Spinner(), self._said, 1, self._percent, self._stop))
        column.addWidget(self._bar)
        self.hide()
        inside.asked.connect(self.follow)
        inside.changed.connect(self.follow)

    def follow(self) -> None:
        """Something was asked, came back, or got further."""
        inside = self._inside
        look = inside.look
        is_covering = isinstance(look, EvidenceLook) and look.kind == "occlusion"
        is_shown = inside.is_on and inside.is_asking and is_covering
        self.setVisible(is_shown)
        if not is_shown:
            return
        share = inside.progress
        self._percent.setText("" if share is None else f"{100 * share:.0f} %")
        self._bar.setValue(0 if share is None else round(100 * share))
