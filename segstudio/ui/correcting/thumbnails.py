"""Small pictures of frames with their labels over them, made by a job with a source of its own.

Only what somebody looks at is made, the newest wish first; a few hundred are kept. UI thread only,
but for the job.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage

from segstudio.core.classes import VOID
from segstudio.errors import SegStudioError
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.ui.bridge.background import Job
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.marks import FrameTable

if TYPE_CHECKING:
    from segstudio.store.project import Project

SIZE = (92, 160)
"""The largest (h, w): twice the logical pixels of a row, for screens of double density."""

KEPT = 200
"""Some 100 kB each."""

WAITING = 40
"""More rows than a screen shows; older wishes are forgotten, their rows are out of sight."""

OPACITY = 0.5


@dataclass(slots=True)
class _Small:
    """rgb: uint8 (h, w, 3), None when it cannot be read. labels: uint8 (h, w), None without.

    is_fresh: the labels are those of the project.
    """

    rgb: NDArray[np.uint8] | None
    labels: NDArray[np.uint8] | None = None
    is_fresh: bool = False
    image: QImage | None = None


class Thumbnails(QObject):
    """Of the source on the screen.

    Signals:
        arrived(int): the picture of that frame is new.
    """

    arrived = Signal(int)
    _made = Signal(object, int, object, object)

    def __init__(self, host: Host, editor: Editor, frames: FrameTable, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._editor = editor
        self._frames = frames
        self._kept: OrderedDict[int, _Small] = OrderedDict()
        self._wanted: deque[tuple[int, bool, bool]] = deque(maxlen=WAITING)
        self._asked: set[int] = set()
        self._job: Job | None = None
        self._source_id = ""
        self._made.connect(self._take)
        frames.changed.connect(self._forget_labels)
        host.player.source_changed.connect(self._follow_source)

    def of(self, index: int) -> QImage | None:
        """The small picture as far as it is known now; `arrived` tells when there is more."""
        found = self._kept.get(index)
        if found is None or not found.is_fresh:
            self._ask(index, found)
        if found is None or found.rgb is None:
            return None
        self._kept.move_to_end(index)
        if found.image is None:
            found.image = _blended(found.rgb, found.labels, self._editor.classes.palette())
        return found.image

    @Slot()
    def keep_shown(self) -> None:
        """The frame on the screen needs no reading."""
        result = self._host.result
        if result is None or self._host.player.playing.is_playing:
            return
        index = result.frame.id.index
        if index not in self._kept and not result.frame.note:
            self._put(index, _Small(small(result.frame.rgb)))
            self.arrived.emit(index)

    # --- what is out of date

    @Slot()
    def _follow_source(self) -> None:
        info = self._host.info
        now = "" if info is None else info.id
        if now != self._source_id:
            self._source_id = now
            self._kept.clear()
            self._stop()

    @Slot(object)
    def _forget_labels(self, indices: frozenset[int]) -> None:
        for index in indices or tuple(self._kept):
            found = self._kept.get(index)
            if found is not None:
                found.is_fresh = False
                self.arrived.emit(index)

    def _stop(self) -> None:
        self._wanted.clear()
        self._asked.clear()
        if self._job is not None:
            self._job.token.cancel()
            self._job = None

    # --- making

    def _ask(self, index: int, found: _Small | None) -> None:
        code = self._frames.columns(index + 1).code[index]
        held = self._editor.held
        is_held = held is not None and held.key.index == index
        if found is not None and (not code or is_held):  # no need of the disk
            labels = held.document.labels if code and held is not None else None
            if found.rgb is not None:
                found.labels = None if labels is None else _nearest(labels, found.rgb.shape[:2])
            found.is_fresh, found.image = True, None
            return
        if index in self._asked:
            return
        if len(self._wanted) == WAITING:
            self._asked.discard(self._wanted[0][0])
        self._asked.add(index)
        self._wanted.append((index, found is None, bool(code)))
        self._start()

    def _start(self) -> None:
        info, projects = self._host.info, self._editor.projects
        if self._job is not None or info is None:
            return
        media = None if projects.media is None else projects.media.id
        op = partial(self._work, info, projects.project, media)

        def done(_: object) -> None:
            self._job = None
            if self._wanted:
                self._start()

        self._job = self._host.background.run(op, success=done, failure=done, name="thumbnails")

    def _work(
        self, info: SourceInfo, project: "Project | None", media: int | None, job: Job
    ) -> None:
        """The job's thread, until nothing is wanted any more."""
        source: FrameSource | None = None
        try:
            while not job.token.cancelled:
                try:
                    index, is_new, has_labels = self._wanted.pop()
                except IndexError:
                    return
                rgb = labels = None
                try:
                    if is_new:
                        source = source or _open(info)
                        rgb = small(source.read(index).rgb)
                    if has_labels and project is not None and media is not None:
                        labels = _labels_of(project, media, index)
                except (SegStudioError, OSError):
                    pass  # a damaged frame, or a project that was closed: a row without a picture
                self._made.emit(job, index, rgb, labels)
        finally:
            if source is not None:
                source.close()

    @Slot(object, int, object, object)
    def _take(
        self, job: Job, index: int, rgb: NDArray[np.uint8] | None, labels: NDArray[np.uint8] | None
    ) -> None:
        if job is not self._job or job.token.cancelled:
            return
        self._asked.discard(index)
        found = self._kept.get(index) or _Small(rgb)
        if found.rgb is not None and labels is not None:
            found.labels = _nearest(labels, found.rgb.shape[:2])
        else:
            found.labels = None
        found.is_fresh, found.image = True, None
        self._put(index, found)
        self.arrived.emit(index)

    def _put(self, index: int, made: _Small) -> None:
        self._kept[index] = made
        self._kept.move_to_end(index)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _open(info: SourceInfo) -> FrameSource:
    """The same frames once more: reading belongs to one thread at a time."""
    from segstudio.media.open import open_source

    if info.kind == "sequence" and info.names:
        return open_source([info.path / name for name in info.names])
    return open_source(info.path, cache_bytes=16 << 20)


def _labels_of(project: "Project", media: int, index: int) -> NDArray[np.uint8] | None:
    from segstudio.store.project import FrameKey

    stored = project.load(FrameKey(media, index))
    if stored is None:
        return None
    h, w = stored.labels.shape
    return _nearest(stored.labels, (min(h, 2 * SIZE[0]), min(w, 2 * SIZE[1])))


def small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) → uint8 (h, w, 3) that fits into SIZE, with the same proportions.

    Pixels are left out down to twice that size and averaged from there: fast and smooth enough.
    """
    by = max(1, min(rgb.shape[0] // (2 * SIZE[0]), rgb.shape[1] // (2 * SIZE[1])))
    part = np.ascontiguousarray(rgb[::by, ::by])
    h, w = part.shape[:2]
    image = QImage(part.data, w, h, 3 * w, QImage.Format.Format_RGB888)
    image = image.scaled(
        QSize(SIZE[1], SIZE[0]), Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    ).convertToFormat(QImage.Format.Format_RGB888)  # fmt: skip
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def _nearest(labels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    h, w = shape[:2]
    ys = (np.arange(h) * 2 + 1) * labels.shape[0] // (2 * h)
    xs = (np.arange(w) * 2 + 1) * labels.shape[1] // (2 * w)
    found: NDArray[np.uint8] = labels[ys[:, None], xs]
    return found


def _blended(
    rgb: NDArray[np.uint8], labels: NDArray[np.uint8] | None, palette: NDArray[np.uint8]
) -> QImage:
    if labels is not None:
        color = palette[labels].astype(np.float32)
        alpha = np.where(labels == VOID, 0, OPACITY).astype(np.float32)[..., None]
        rgb = (rgb + alpha * (color - rgb)).astype(np.uint8)
    h, w = rgb.shape[:2]
    return QImage(rgb.tobytes(), w, h, 3 * w, QImage.Format.Format_RGB888).copy()
