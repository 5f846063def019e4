"""Questions: each returns at once and calls `then` with the answer, if there is one."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QInputDialog,
    QSpinBox,
    QWidget,
)

from segstudio.ui.panels.parts import pad
from segstudio.ui.player import Player


def files(parent: QWidget, folder: Path, then: Callable[[list[Path]], None]) -> None:
    """A video, or one or more pictures."""
    from segstudio.media.images import SUFFIXES
    from segstudio.media.open import VIDEO_SUFFIXES

    videos = " ".join(f"*{s}" for s in sorted(VIDEO_SUFFIXES))
    pictures = " ".join(f"*{s}" for s in sorted(SUFFIXES))
    dialog = _dialog(parent, "Open Video or Pictures", folder)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters(
        [f"Videos and pictures ({videos} {pictures})", f"Videos ({videos})",
         f"Pictures ({pictures})", "All files (*)"]
    )  # fmt: skip
    dialog.filesSelected.connect(lambda names: then([Path(n) for n in names]))
    dialog.open()


def folder(parent: QWidget, title: str, start: Path, then: Callable[[Path], None]) -> None:
    """An existing folder."""
    dialog = _dialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.open()


def save(parent: QWidget, title: str, suggestion: Path, then: Callable[[Path], None]) -> None:
    """A new file; Qt asks before one is replaced."""
    dialog = _dialog(parent, title, suggestion.parent)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    suffix = suggestion.suffix.lstrip(".")
    kind = "SegStudio project" if suffix == "segproj" else f"{suffix.upper()} picture"
    dialog.setNameFilters([f"{kind} (*.{suffix})", "All files (*)"])
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(suggestion.name)
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.open()


def project(parent: QWidget, folder: Path, then: Callable[[Path], None]) -> None:
    """An existing project."""
    dialog = _dialog(parent, "Open Project", folder)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(["SegStudio project (*.segproj)", "All files (*)"])
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.open()


def frames(parent: QWidget, title: str, player: Player, then: Callable[[int, int], None]) -> None:
    """The first and the last of a range of frames."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    last = max(0, player.last_index)
    boxes = []
    for value in (player.playing.index, min(last, player.playing.index + 9)):
        box = QSpinBox()
        box.setRange(0, last)
        box.setValue(max(0, value))
        pad(box)
        boxes.append(box)
    first, end = boxes
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
    )
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    form = QFormLayout(dialog)
    form.setContentsMargins(20, 20, 20, 20)
    form.setSpacing(12)
    form.addRow("First frame", first)
    form.addRow(f"Last frame (up to {last})", end)
    form.addRow(buttons)
    dialog.accepted.connect(lambda: then(*sorted((first.value(), end.value()))))
    dialog.open()


def frame(parent: QWidget, player: Player, then: Callable[[int], None]) -> None:
    """A frame number, counted from 0."""
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Go to Frame")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    last = max(0, player.last_index)
    dialog.setLabelText(f"Frame number, 0 to {last}:")
    dialog.setIntRange(0, last)
    dialog.setIntValue(max(0, player.playing.index))
    dialog.intValueSelected.connect(then)
    number = dialog.findChild(QSpinBox)
    if isinstance(number, QSpinBox):
        pad(number)
    dialog.resize(280, dialog.sizeHint().height())
    dialog.open()


def _dialog(parent: QWidget, title: str, folder: Path) -> QFileDialog:
    dialog = QFileDialog(parent, title, str(folder))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog
