"""References: the project's labels of frames that go by, read before their predictions are shown.

So that errors are seen while the video plays. Read in the infer thread, which is the one that waits
for a model anyway; asked in the UI thread.
"""

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.frame import FrameId
from segstudio.engine.play import PipelineResult
from segstudio.errors import SegStudioError
from segstudio.store.project_rows import FrameKey

if TYPE_CHECKING:
    from segstudio.store.project import Project

log = logging.getLogger("segstudio.ui")

KEPT = 4
"""Frames on their way to the screen."""


class References:
    """wanted: whether anybody looks at errors; without, nothing is read."""

    def __init__(self) -> None:
        self.wanted = False
        self._of: tuple[Project, int] | None = None
        self._lock = threading.Lock()
        self._labels: OrderedDict[FrameId, NDArray[np.uint8]] = OrderedDict()

    def use(self, project: "Project | None", media: int | None) -> None:
        """Whose labels these are; None for nobody's."""
        with self._lock:
            self._of = None if project is None or media is None else (project, media)
            self._labels.clear()

    def read(self, result: PipelineResult) -> None:
        """In the infer thread, with every result."""
        with self._lock:
            of = self._of
        if not self.wanted or of is None:
            return
        project, media = of
        key = FrameKey(media, result.frame.id.index)
        summary = project.summary(key)
        if summary is None or not sum(summary.counts[1:]):
            return
        try:
            stored = project.load(key)
        except SegStudioError:  # told where the frame itself is read
            log.info("the labels of frame %d cannot be read now", key.index)
            return
        if stored is None:
            return
        with self._lock:
            if self._of == of:
                self._labels[result.frame.id] = stored.labels
                while len(self._labels) > KEPT:
                    self._labels.popitem(last=False)

    def get(self, frame: FrameId) -> NDArray[np.uint8] | None:
        """uint8 (H, W) of that frame, None when it has no labels or they were not read."""
        with self._lock:
            return self._labels.get(frame)
