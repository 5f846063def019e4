"""Questions: each returns at once and calls `then` with the answer, if there is one."""

import sys
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from segstudio.ui.panels.parts import label, pad
from segstudio.ui.panels.timeline import parse_time
from segstudio.ui.player import Player
from segstudio.ui.theme import UNIT


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


def labels(parent: QWidget, start: Path, then: Callable[[Path], None]) -> None:
    """A file of another program that holds labels."""
    dialog = _dialog(parent, "Import Labels", start)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(
        ["Labels (*.json *.xml *.zip *.jsonl *.parquet *.png *.txt)", "All files (*)"]
    )
    dialog.fileSelected.connect(lambda name: then(Path(name)))
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
    kinds = {
        "segproj": "SegStudio project",
        "csv": "Table",
        "npy": "NumPy array",
        "mp4": "Video",
    }
    kind = kinds.get(suffix, f"{suffix.upper()} picture")
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
    buttons = _answers(dialog, dialog.accept)
    form = QFormLayout(dialog)
    form.setContentsMargins(20, 20, 20, 20)
    form.setSpacing(12)
    form.addRow("First frame", first)
    form.addRow(f"Last frame (up to {last})", end)
    form.addRow(buttons)
    dialog.accepted.connect(lambda: then(*sorted((first.value(), end.value()))))
    dialog.open()


def frame(parent: QWidget, player: Player, then: Callable[[int], None]) -> None:
    """A frame number, counted from 0, or a time as the timeline writes it."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Go to Frame")
    last = max(0, player.last_index)
    has_times = player.time_us(0) is not None
    place = QLineEdit(str(max(0, player.playing.index)))
    place.setAccessibleName("Frame number or time" if has_times else "Frame number")
    place.selectAll()
    why = label("", look="small", tone="warn")

    def accept() -> None:
        found = frame_at(place.text(), player)
        if found is None:
            why.setText("A time is written like 1:23.5." if has_times else "A number is needed.")
        else:
            dialog.accept()
            then(found)

    buttons = _answers(dialog, accept)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(20, 20, 20, 20)
    column.setSpacing(UNIT)
    times = ", or a time like 1:23.5" if has_times else ""
    column.addWidget(label(f"Frame number, 0 to {last}{times}:"))
    for part in (place, why, buttons):
        column.addWidget(part)
    dialog.resize(280, dialog.sizeHint().height())
    dialog.open()


def frame_at(text: str, player: Player) -> int | None:
    """The frame that "42" or "1:23.5" names, kept inside the source; None for what is neither.

    A time names the frame that is on the screen then.
    """
    last = max(0, player.last_index)
    if text.strip().isdecimal():
        return min(int(text), last)
    found = parse_time(text)
    if found is None or player.time_us(0) is None:
        return None

    def begins(index: int) -> int:
        time = player.time_us(index)
        return sys.maxsize if time is None else time

    return max(0, bisect_right(range(last + 1), found, key=begins) - 1)


def _answers(dialog: QDialog, accept: Callable[[], None]) -> QDialogButtonBox:
    """OK and Cancel, in the order of the system."""
    ok, cancel = QDialogButtonBox.StandardButton.Ok, QDialogButtonBox.StandardButton.Cancel
    buttons = QDialogButtonBox(ok | cancel)
    buttons.button(ok).setProperty("look", "primary")
    buttons.accepted.connect(accept)
    buttons.rejected.connect(dialog.reject)
    return buttons


def _dialog(parent: QWidget, title: str, folder: Path) -> QFileDialog:
    dialog = QFileDialog(parent, title, str(folder))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog
