"""Going to a suggestion: its frame, and of a region a closer look and a line around it."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core.geometry import Rect
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host
from segstudio.ui.tools.preview import NOTHING, Preview

if TYPE_CHECKING:
    from segstudio.engine.suggest import Suggestion

SHOWN_MS = 4000
"""How long a region stays outlined when nothing else happens: its reason is read meanwhile."""


class Going(QObject):
    """Waits for the frame, then shows the region. UI thread only.

    Signals:
        region_wanted(object): Rect of the frame on the screen that is to be seen from near.
    """

    region_wanted = Signal(object)

    def __init__(self, host: Host, editor: Editor, comparison: Comparison, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._editor = editor
        self._wanted: Suggestion | None = None
        self._outlined: Suggestion | None = None
        self._is_near = False  # a region was shown last, so a whole frame wants a step back
        self._shown = NOTHING
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self._hide)
        comparison.arrived.connect(self._arrive)
        editor.document_changed.connect(self._outline_again)

    def go(self, suggestion: "Suggestion") -> None:
        """Pause there."""
        self.stop()
        self._wanted = suggestion
        player = self._host.player
        player.pause()
        if player.playing.index != suggestion.frame.index:
            player.seek(suggestion.frame.index)
        self._arrive()

    def stop(self) -> None:
        """Go nowhere, outline nothing."""
        self._wanted = None
        self._timer.stop()
        self._hide()

    def _is_here(self, suggestion: "Suggestion") -> bool:
        result = self._host.result
        return result is not None and result.frame.id.index == suggestion.frame.index

    @Slot()
    def _arrive(self) -> None:
        """A frame is on the screen: the one that was wanted, or somebody went elsewhere."""
        wanted, there = self._wanted, self._host.player.playing.index
        if self._outlined is not None and self._outlined.frame.index != there:
            self.stop()
        if wanted is None:
            return
        if wanted.frame.index != there:
            self._wanted = None
        elif self._is_here(wanted):
            self._wanted = None
            self._show(wanted)

    def _show(self, suggestion: "Suggestion") -> None:
        result, rect = self._host.result, suggestion.region
        if rect is not None:
            self._outlined = suggestion
            self.region_wanted.emit(rect)
            self._outline(suggestion)
            self._timer.start()
        elif self._is_near and result is not None:
            self.region_wanted.emit(Rect(0, 0, result.frame.height, result.frame.width))
        self._is_near = rect is not None

    @Slot()
    def _outline_again(self) -> None:
        """The labels of the frame came after its picture, and with them the tools began anew."""
        one = self._outlined
        if one is not None and self._is_here(one) and self._editor.preview.is_empty:
            self._outline(one)

    def _outline(self, suggestion: "Suggestion") -> None:
        rect = suggestion.region
        if rect is None:
            return
        from segstudio.core.brush import Area

        area = Area(rect, np.ones((rect.height, rect.width), np.bool_))
        self._editor.show(
            Preview(area=area, has_border=True, has_tint=False, text=suggestion.reason,
                    text_at=(rect.y1, rect.x0))
        )  # fmt: skip
        self._shown = self._editor.preview

    @Slot()
    def _hide(self) -> None:
        """Only what was shown here: a tool may have something else there now."""
        if self._shown is not NOTHING and self._editor.preview is self._shown:
            self._editor.show(NOTHING)
        self._shown, self._outlined = NOTHING, None
