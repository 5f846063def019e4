"""Questions: each returns at once and calls `then` with the answer, if there is one."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QSpinBox, QWidget

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
    dialog.setNameFilters(["PNG picture (*.png)", "All files (*)"])
    dialog.setDefaultSuffix("png")
    dialog.selectFile(suggestion.name)
    dialog.fileSelected.connect(lambda name: then(Path(name)))
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
