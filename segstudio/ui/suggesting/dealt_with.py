"""Regions that were painted since they were suggested.

A frame is dealt with when it is confirmed, which its state says. A region is when people painted
half of the box around it, a label that is probably wrong when half of its pixels have another one.
"""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.origins import PAINTED
from segstudio.ui.correcting.editor import Editor

if TYPE_CHECKING:
    from segstudio.core.labels import LabelDocument
    from segstudio.engine.suggest import Suggestion

Key: TypeAlias = tuple[object, ...]


class DealtWith(QObject):
    """Watches the regions that somebody went to. UI thread only.

    Signals:
        changed(): one more is dealt with, or one less, as after an undo.
    """

    changed = Signal()

    def __init__(self, editor: Editor, parent: QObject) -> None:
        super().__init__(parent)
        self._editor = editor
        self._watched: dict[Key, Suggestion] = {}
        self._before: dict[Key, int] = {}  # pixels of the doubted class in the box at first
        self._done: set[Key] = set()
        editor.document_changed.connect(self._look)
        editor.step_finished.connect(self._look)

    def has(self, suggestion: "Suggestion") -> bool:
        """True when it is dealt with."""
        return _key(suggestion) in self._done

    def watch(self, suggestion: "Suggestion") -> None:
        """Somebody goes there."""
        if suggestion.region is not None:
            self._watched[_key(suggestion)] = suggestion
            self._look()

    def forget(self) -> None:
        """Another list."""
        self._watched.clear()
        self._before.clear()
        self._done.clear()

    @Slot()
    def _look(self) -> None:
        held = self._editor.held
        if held is None or held.document.is_busy:
            return
        done = set(self._done)
        for key, each in self._watched.items():
            if (each.media, each.frame.index) == (held.key.media, held.key.index):
                done.discard(key)
                if self._is_done(key, each, held.document):
                    done.add(key)
        if done != self._done:
            self._done = done
            self.changed.emit()

    def _is_done(self, key: Key, suggestion: "Suggestion", document: "LabelDocument") -> bool:
        if suggestion.region is None:
            return False
        box = suggestion.region.slices
        pixels = suggestion.terms.get("pixels")
        if pixels is None:  # nobody's label is doubted there
            painted = int(np.count_nonzero(document.origin[box] >= PAINTED))
            return painted >= document.origin[box].size / 2
        now = int(np.count_nonzero(document.labels[box] == suggestion.classes[0]))
        return self._before.setdefault(key, now) - now >= pixels / 2


def _key(suggestion: "Suggestion") -> Key:
    return suggestion.media, suggestion.frame.index, suggestion.region, suggestion.classes
