"""Visit: from a figure to the frame and the pixels behind it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Slot

from segstudio.core.confusion import positions
from segstudio.core.geometry import Rect
from segstudio.store.project_rows import FrameKey
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host

if TYPE_CHECKING:
    from segstudio.store.project import MediaRecord


class Visit(QObject):
    """Waits for the frame, its labels and its prediction, then marks the pixels. UI thread only."""

    def __init__(
        self,
        host: Host,
        editor: Editor,
        comparison: Comparison,
        show_media: "Callable[[MediaRecord], None]",
    ) -> None:
        """show_media: opens another clip of the project."""
        super().__init__(comparison)
        self._host = host
        self._editor = editor
        self._comparison = comparison
        self._show_media = show_media
        self._wanted: tuple[FrameKey, str, int | None, int | None] | None = None
        comparison.arrived.connect(self._look)
        editor.document_changed.connect(self._look)
        host.player.source_changed.connect(self._go)

    def visit(self, key: FrameKey, letter: str, row: int | None, column: int | None) -> None:
        """Go there; row, column: of the matrix of that model, None for the frame as a whole."""
        self._wanted = key, letter, row, column
        projects = self._editor.projects
        project = projects.project
        if projects.media is not None and projects.media.id == key.media:
            self._go()
        elif project is not None:
            record = next((m for m in project.media() if m.id == key.media), None)
            if record is not None:
                self._show_media(record)

    @Slot()
    def _go(self) -> None:
        media = self._editor.projects.media
        if self._wanted is None or media is None or media.id != self._wanted[0].media:
            return
        index, player = self._wanted[0].index, self._host.player
        if player.playing.is_playing:
            player.pause()
        if player.playing.index != index:
            player.seek(index)
        self._look()

    @Slot()
    def _look(self) -> None:
        """Mark the pixels once everything is there."""
        if self._wanted is None:
            return
        key, letter, row, column = self._wanted
        held, labels = self._editor.held, self._comparison.labels(letter)
        if held is None or held.key != key:
            return
        if row is None or column is None:
            self._wanted = None
            return
        if labels is None or labels.shape != held.document.labels.shape:
            return
        self._wanted = None
        from segstudio.core.brush import Area

        table = positions(self._editor.classes)
        count = len(self._editor.classes)
        rows, columns = (
            np.minimum(table[raster], count) for raster in (held.document.labels, labels)
        )
        mask = (rows == min(row, count)) & (columns == min(column, count))
        if mask.any():
            self._editor.select(Area(Rect(0, 0, *mask.shape), mask))
        else:
            self._host.tell("These pixels have changed since they were counted.", "hint")
