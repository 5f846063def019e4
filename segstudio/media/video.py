"""Exact frames of a video file.

Frame n is the n-th picture that a straight decode shows (see decoder.py), whatever the way to it:
going on from where the decoder stands, seeking to a restart point, or starting over. After a seek
the first picture must be the one that the index promises; otherwise the restart points 1, 2, 4, …
before it are tried, and at last the beginning. Nothing is ever handed out as "nearest".

Decoded pictures are kept (as the decoder's own planes, half the size of RGB) up to a byte limit,
so that a step back costs a look-up instead of a group of pictures.

Anamorphic pixels are left as stored, because labels belong to stored pixels; `info.notes` says so.
"""

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from segstudio.core.frame import Frame, FrameId
from segstudio.errors import FrameMissing, MediaError
from segstudio.media import fingerprint
from segstudio.media.color import Orientation, ToRgb, is_hdr
from segstudio.media.decoder import Decoder
from segstudio.media.indexer import Indexer
from segstudio.media.source import SourceInfo
from segstudio.media.video_index import VideoIndex, ticks_to_us
from segstudio.media.walk import Picture, PictureCache, Walk

_NEAR = 8
"""Going on over this many pictures is cheaper than a seek, which empties the decoder's threads."""

_LINEAR = 64
"""Before the index is there, frames this near are counted; farther ones wait for level A."""

_LOST = "This frame cannot be decoded; the picture before it is shown."

Stop = Callable[[], bool]


class VideoSource:
    """A FrameSource over one video file.

    cache_bytes: limit of the decoded pictures kept for stepping back.
    MediaError when the file cannot be opened or its first picture cannot be decoded.
    """

    def __init__(self, path: Path, *, cache_bytes: int = 256_000_000) -> None:
        self._path = path
        self._id = fingerprint.of_file(path)
        self._lock = threading.Lock()
        self._is_closed = False
        self._decoder = Decoder(path)
        self._scrubber: Decoder | None = None
        try:
            first = self._first_picture()
            self._cache = PictureCache(cache_bytes)
            self._to_rgb = ToRgb()
            self._orientation = Orientation(first)
            self._stamps: list[int | None] = []
            self._walk = Walk(self._decoder, None, -1)
            self._numbering: VideoIndex | None = None
            self._before: Picture | None = None
            self._base = self._describe(first)
        except BaseException:
            self._decoder.close()
            raise
        self._indexer = Indexer(path, self._id)

    @property
    def info(self) -> SourceInfo:
        """What is known now; any thread."""
        index = self._indexer.index
        base = self._base
        frames = len(index) if index else max(self._indexer.counted, len(self._stamps), 1)
        return SourceInfo(
            id=self._id,
            title=base.title,
            path=base.path,
            kind="video",
            width=base.width,
            height=base.height,
            frames=frames,
            is_complete=index is not None,
            progress=self._indexer.fraction,
            is_verified=self._indexer.is_verified,
            fps=base.fps,
            duration_us=base.duration_us,
            codec=base.codec,
            notes=(*base.notes, *(index.notes if index else ()), *self._indexer.notes),
        )

    def time_us(self, index: int) -> int | None:
        """Presentation time as the file states it, None while it is not known; any thread."""
        known = self._indexer.index
        if known is not None:
            return known.time_us(index)
        stamps = self._stamps
        if not 0 <= index < len(stamps):
            return None
        return ticks_to_us(stamps[index], self._time_base)

    def read(self, index: int) -> Frame:
        """Exactly frame `index`; waits for the index only where counting would take longer."""
        start = time.perf_counter()
        self._indexer.reading()
        with self._lock:
            picture = self._picture(index, None)
            assert picture is not None
            return self._frame(index, picture, start)

    def prepare(self, index: int, should_stop: Stop) -> bool:
        """Decode frame `index` into the cache; False when `should_stop` interrupted it.

        A later call goes on where it was interrupted. Same thread as `read`.
        """
        self._indexer.reading()
        with self._lock:
            return self._picture(index, should_stop) is not None

    def preview(self, index: int) -> Frame | None:
        """A picture near frame `index` at once, for scrubbing: the key frame at or before it.

        Its id and time are its own; its note is "preview". None when the file has no index yet.
        Same thread as `read`.
        """
        start = time.perf_counter()
        known = self._indexer.index
        with self._lock:
            if known is None or not known.by_time or not 0 <= index < len(known):
                return None
            if (row := known.restart_before(index)) < 0 or self._is_closed:
                return None
            if self._scrubber is None:
                # Frame threads would take several packets before the first picture comes out.
                self._scrubber = Decoder(self._path, threads="SLICE")
            item = Walk(self._scrubber, known, row).next()
            if item is None:
                return None
            number, picture = item
            picture.note = "preview"
            return self._frame(number, picture, start)

    def wait_complete(self, timeout_s: float | None = None) -> bool:
        """Until the number of frames is final; any thread."""
        return self._indexer.wait_complete(timeout_s)

    def wait_verified(self, timeout_s: float | None = None) -> bool:
        """Until every frame number was proved by content, without resting; any thread."""
        return self._indexer.wait_verified(timeout_s)

    def close(self) -> None:
        """Stop indexing and release the file; wakes a waiting `read`, which raises FrameMissing."""
        self._is_closed = True
        self._indexer.wake()
        self._indexer.close()
        with self._lock:
            self._cache.clear()
            self._decoder.close()
            if self._scrubber is not None:
                self._scrubber.close()

    def _first_picture(self) -> VideoFrame:
        first = self._decoder.next()
        if first is None:
            raise MediaError(
                f"No picture of {self._path.name} can be decoded; the file is damaged or uses a"
                " codec that SegStudio does not know."
            )
        return first

    def _frame(self, number: int, picture: Picture, start: float) -> Frame:
        known = self._numbering
        stamp = known.time_us(number) if known else ticks_to_us(picture.image.pts, self._time_base)
        identity = FrameId(self._id, number, stamp, picture.crc)
        rgb = self._to_rgb(picture.image, self._orientation)
        return Frame(identity, rgb, (time.perf_counter() - start) * 1000, picture.note)

    def _picture(self, number: int, should_stop: Stop | None) -> Picture | None:
        """From the cache or decoded; None when stopped."""
        index = self._adopt_index()
        if index is None and number > self._walk.position + _LINEAR:
            self._indexer.wait_decided(unless=lambda: self._is_closed)
            index = self._adopt_index()
        self._check_range(number, index)
        self._cache.aim = number
        if should_stop is None:
            self._cache.focus = number
        kept = self._cache.get(number)
        if kept is not None:
            return kept
        self._before = None
        for walk in self._ways_to(number, index):
            outcome = self._advance(walk, number, should_stop)
            if outcome == "stopped":
                return None
            found = self._cache.get(number)
            if found is not None and outcome == "found":
                return found
            if outcome == "lost":
                return self._stand_in(number)
            if outcome == "later":  # the index came while counting
                return self._picture(number, should_stop)
        return self._stand_in(number)

    def _ways_to(self, number: int, index: VideoIndex | None) -> Iterator[Walk]:
        """Where to decode from: here, a restart point, 1, 2, 4, … before it, the start."""
        row = index.restart_before(number) if index else -1
        begin = int(index.restarts[row, 0]) if index and row >= 0 else 0
        here = self._walk
        if here.is_usable and begin - _NEAR - 1 <= here.position < number:
            yield here
        back = 1
        while index is not None and row >= 0:
            yield self._new_walk(index, row)
            row -= back
            back *= 2
        yield self._new_walk(index, -1)

    def _new_walk(self, index: VideoIndex | None, row: int) -> Walk:
        self._walk = Walk(self._decoder, index, row)
        return self._walk

    def _advance(self, walk: Walk, number: int, should_stop: Stop | None) -> str:
        """Decode until `number` is in the cache.

        "found", "lost" (it cannot be decoded), "late" (the walk began behind it or shows something
        else: try an earlier one), "later" (an index arrived meanwhile) or "stopped".
        """
        if not walk.is_usable:
            return "late"
        self._before = walk.latest or self._before
        while True:
            if self._is_closed:
                raise FrameMissing(f"{self._path.name} was closed while a frame was read.")
            if should_stop is not None and should_stop():
                return "stopped"
            if walk.index is None and self._indexer.index is not None:
                return "later"
            item = walk.next()
            if item is None:
                return self._at_end(walk, number)
            reached, picture = item
            self._remember(walk, reached, picture)
            if reached < number:
                self._before = picture
            if reached == number:
                return "found" if self._is_right(walk, reached, picture) else "late"
            if reached > number:
                return "lost" if self._passed(walk, number) else "late"

    def _passed(self, walk: Walk, number: int) -> bool:
        """The walk began before `number` and did not show it, for a reason that is known."""
        began_before = walk.starts_at_zero or (walk.first is not None and walk.first < number)
        is_known = walk.index is not None and bool(walk.index.damaged[number])
        return began_before and (is_known or walk.met_errors or walk.starts_at_zero)

    def _at_end(self, walk: Walk, number: int) -> str:
        walk.is_usable = False
        if walk.index is None:
            # Counted to the end: this is the number of frames until the index says so too.
            raise self._out_of_range(number, walk.position + 1)
        return "lost" if self._passed(walk, number) else "late"

    def _is_right(self, walk: Walk, number: int, picture: Picture) -> bool:
        """What was decoded is what the full check saw under this number."""
        index = self._numbering
        if index is None or index.crc is None or index.damaged[number] or picture.note:
            return True
        if picture.crc == int(index.crc[number]):
            return True
        if walk.starts_at_zero:
            picture.note = "This frame does not look as it did when the file was indexed."
            return True
        self._cache.clear()
        walk.is_usable = False
        return False

    def _remember(self, walk: Walk, number: int, picture: Picture) -> None:
        index = walk.index
        if index is None and number == len(self._stamps):
            self._stamps.append(picture.image.pts)
        self._cache.put(number, picture)

    def _stand_in(self, number: int) -> Picture:
        """The last good picture in place of one that cannot be decoded."""
        before = self._before or self._cache.before(number)
        if before is None:
            raise FrameMissing(
                f"Frame {number} of {self._path.name} cannot be decoded; the file is damaged there."
            )
        return Picture(before.image, _LOST, _crc=0)

    def _adopt_index(self) -> VideoIndex | None:
        """The newest index; what was decoded before is kept where the numbers agree."""
        if self._is_closed:
            raise FrameMissing(f"{self._path.name} is closed; open it again.")
        index = self._indexer.index
        if index is self._numbering or index is None:
            return index
        same = self._numbering is not None and self._numbering.by_time == index.by_time
        if not same and not self._agrees(index):
            self._cache.clear()
            self._walk.is_usable = False
        self._walk.index = index
        if index.threads != self._decoder.threads:
            self._decoder.threads = index.threads
            # The index knows what is damaged; show what is left of it, not a guess.
            self._decoder.conceals = False
            self._decoder.restart()
            self._cache.clear()
            self._walk.is_usable = False
        self._numbering = index
        return index

    def _agrees(self, index: VideoIndex) -> bool:
        """What was counted so far has the numbers that the index gives it."""
        if self._decoder.errors + self._decoder.broken:
            return False
        stamps = self._cache.stamps()
        return all(
            number < len(index) and stamp is not None and int(index.pts[number]) == stamp
            for number, stamp in stamps.items()
        )

    def _check_range(self, number: int, index: VideoIndex | None) -> None:
        if number < 0 or (index is not None and number >= len(index)):
            raise self._out_of_range(number, len(index) if index else self.info.frames)

    def _out_of_range(self, number: int, frames: int) -> FrameMissing:
        if number < 0:
            return FrameMissing(f"{number} is no frame of {self._path.name}; frames count from 0.")
        return FrameMissing(
            f"{self._path.name} has no frame {number}; its frames go from 0 to {frames - 1}."
        )

    def _describe(self, first: VideoFrame) -> SourceInfo:
        stream = self._decoder.stream
        context = stream.codec_context
        height, width = self._orientation.size(first)
        self._time_base = stream.time_base or Fraction(1, 1_000_000)
        notes = []
        ratio = stream.sample_aspect_ratio
        if ratio and ratio != 1:
            notes.append(f"Pixels are {ratio} wide; the picture is shown as stored.")
        if is_hdr(first):
            notes.append("This is an HDR video; it is shown without tone mapping.")
        rate = stream.average_rate or stream.guessed_rate
        length = stream.duration
        return SourceInfo(
            id=self._id,
            title=self._path.name,
            path=self._path,
            kind="video",
            width=width,
            height=height,
            frames=1,
            is_complete=False,
            fps=float(rate) if rate else None,
            duration_us=ticks_to_us(length, self._time_base),
            codec=f"{context.codec.canonical_name} {context.pix_fmt or ''}".strip(),
            notes=tuple(notes),
        )
