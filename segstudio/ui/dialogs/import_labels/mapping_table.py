"""What becomes of each class of the files: a row each, with the class of the project it means."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from segstudio.ui.dialogs.export.option_form import TITLES
from segstudio.ui.panels.parts import Picker, label
from segstudio.ui.theme import UNIT

VOID = "\0void"
ADD = "\0add"


class MappingTable(QWidget):
    """Signals:
    changed(str, object): a class of the files, and the project's class that it means; None: void.
    """

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(UNIT)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(1, TITLES)
        self._grid.setColumnStretch(4, 1)
        self.pickers: dict[str, Picker] = {}

    def show_rows(
        self, rows: list[tuple[str, tuple[int, int, int], str | None]], known: list[str]
    ) -> None:
        """rows: (name in the files, colour, name in the project or None). known: the project's."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.pickers = {}
        for number, (name, color, meant) in enumerate(rows):
            picker = Picker(f"What {name} means in the project", self._picked(name))
            picker.setMinimumContentsLength(20)
            entries: list[tuple[object, str]] = [(VOID, "Void (left out)")]
            if name not in known:
                entries.append((ADD, f"Add {name} to the project"))
            entries += [(one, one) for one in known]
            picker.fill(entries, VOID if meant is None else meant)
            self.pickers[name] = picker
            arrow = label("→", tone="faint")
            self._grid.addWidget(_Patch(color), number, 0)
            self._grid.addWidget(label(name, tone="" if meant is not None else "warn"), number, 1)
            self._grid.addWidget(arrow, number, 2)
            self._grid.addWidget(picker, number, 3)

    def _picked(self, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  a slot of a picker
        def tell(value: object) -> None:
            wanted = {VOID: None, ADD: name}.get(str(value), str(value))
            self.changed.emit(name, wanted)

        return tell


class _Patch(QWidget):
    """A small square of a class's colour."""

    def __init__(self, color: tuple[int, int, int]) -> None:
        super().__init__()
        self.setFixedSize(14, 14)
        self._color = QColor(*color)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 3, 3)
        painter.end()
