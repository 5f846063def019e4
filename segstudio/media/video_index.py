"""Every picture of a video by its number: made once per file, in two levels.

Level A reads all packets without decoding them: where the container is MP4/MOV, Matroska/WebM or
MPEG-TS and every shown packet has a stamp of its own, frame n is the n-th stamp in order. Before
it is believed, a few groups of pictures are decoded and must show exactly those stamps.

Level B decodes everything once (full_check.py): it proves the table of level A, and it finds the
numbers of files whose stamps cannot be believed.

An index of packets is not an index of shown pictures: decoders swallow pictures, edit lists hide
some, and fps arithmetic is wrong wherever the rate varies. That is why both levels end at decoded
pictures.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import Cancelled
from segstudio.media.decoder import Decoder, open_video

NO_PTS = -(2**63)
"""Stands for a missing stamp."""

_STAMPED_FORMATS = frozenset({"mov", "matroska", "webm", "mpegts"})
_SEEKS_BY_DTS = frozenset({"mpegts"})
"""Demuxers that look for decoding stamps; the other two seek by presentation stamps (measured)."""

_SPOT_GROUPS = 8
_SPOT_FRAMES = 32
"""Groups that the spot check decodes, and how many pictures of each at most."""

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """The numbers of a file's pictures. Immutable; arrays are read-only.

    by_time: a picture's number is found through its stamp (level A), else by counting from a
    restart point (level B). pts: int64 (n,), stamps in stream ticks, NO_PTS where unknown.
    restarts: int64 (k, 3), ascending: number of the first good picture, stamp to seek to, and how
    many pictures to skip after that seek (level B). damaged: bool (n,), no trustworthy picture.
    crc: uint32 (n,), CRC-32 of each luma plane, or None before the file was verified.
    time_base: seconds per tick. threads: how the decoder must run for counts to agree.
    """

    by_time: bool
    pts: NDArray[np.int64]
    restarts: NDArray[np.int64]
    damaged: NDArray[np.bool_]
    crc: NDArray[np.uint32] | None
    time_base: Fraction
    notes: tuple[str, ...] = ()
    threads: str = "AUTO"

    def __len__(self) -> int:
        return len(self.pts)

    def number_of(self, pts: int | None) -> int | None:
        """The number of the picture with that stamp; level A only."""
        if pts is None:
            return None
        at = int(np.searchsorted(self.pts, pts))
        return at if at < len(self.pts) and int(self.pts[at]) == pts else None

    def time_us(self, number: int) -> int | None:
        """Presentation time as the file states it."""
        if not 0 <= number < len(self.pts):
            return None
        return ticks_to_us(int(self.pts[number]), self.time_base)

    def restart_before(self, number: int) -> int:
        """Row of the last restart point at or before `number`, -1 when there is none."""
        return int(np.searchsorted(self.restarts[:, 0], number, side="right")) - 1


def ticks_to_us(pts: int | None, time_base: Fraction) -> int | None:
    """Microseconds, rounded; None for a missing stamp."""
    if pts is None or pts == NO_PTS:
        return None
    return round(pts * time_base * 1_000_000)


@dataclass(frozen=True, slots=True)
class PacketTable:
    """What reading all packets told.

    pts: of shown packets, in file order. keys: (pts, stamp to seek to) of key packets.
    stamps_are_unique: level A may be tried. broken: packets that cannot be read. expected: frames
    that the header promises when there are fewer, else None.
    """

    pts: list[int]
    keys: list[tuple[int, int]]
    stamps_are_unique: bool
    broken: int
    expected: int | None
    time_base: Fraction


def read_packets(path: Path, stop: Stop) -> PacketTable:
    """All packets of the video stream, not decoded; Cancelled when `stop` says so."""
    container, stream = open_video(path)
    try:
        names = container.format.name.split(",")
        seeks_by_dts = not _SEEKS_BY_DTS.isdisjoint(names)
        pts: list[int] = []
        keys: list[tuple[int, int]] = []
        broken = hidden = nameless = 0
        try:
            for packet in container.demux(stream):
                if stop():
                    raise Cancelled
                if not packet.size:
                    continue
                if packet.is_corrupt:
                    broken += 1
                elif packet.is_discard:
                    hidden += 1
                elif packet.pts is None:
                    nameless += 1
                else:
                    pts.append(packet.pts)
                    if packet.is_keyframe:
                        dts = packet.dts if seeks_by_dts else None
                        keys.append((packet.pts, packet.pts if dts is None else dts))
        except (av.FFmpegError, OSError):
            broken += 1
        seen = len(pts) + hidden + nameless + broken
        span_us = _span_us(pts, stream.time_base)
        expected = _promised_frames(container, stream, seen, span_us)
        is_stamped = not _STAMPED_FORMATS.isdisjoint(names) and not nameless and bool(keys)
        return PacketTable(
            pts,
            keys,
            is_stamped and len(set(pts)) == len(pts),
            broken,
            expected - hidden if expected is not None else None,
            Fraction(stream.time_base or Fraction(1, 1_000_000)),
        )
    finally:
        container.close()


def _promised_frames(
    container: "av.container.InputContainer", stream: "av.VideoStream", seen: int, span_us: float
) -> int | None:
    """Packets that the header promises when that is clearly more than there are, else None.

    span_us: from the first stamp to the last. A file whose stamps reach the promised end has all
    its frames, however few for its nominal rate: frame times vary in it.
    """
    if stream.frames:
        return int(stream.frames) if stream.frames > seen else None
    is_alone = len(container.streams) == 1
    if is_alone and container.duration and stream.average_rate:
        promised = round(container.duration / 1_000_000 * stream.average_rate)
        # Rates of files with varying frame times are averages: a tenth is within them.
        is_short = span_us < 0.9 * container.duration
        return promised if is_short and promised > 1.1 * seen + 2 else None
    return None


def _span_us(pts: list[int], time_base: Fraction | None) -> float:
    """Microseconds between the first and the last stamp; 0 without stamps."""
    if not pts or time_base is None:
        return 0.0
    return float((max(pts) - min(pts)) * time_base * 1_000_000)


def stamp_index(table: PacketTable) -> VideoIndex:
    """Level A: frame n is the n-th stamp in order. To be spot-checked before it is used."""
    pts = np.sort(np.array(table.pts, np.int64))
    keys = np.array(sorted(table.keys), np.int64).reshape(-1, 2)
    numbers = np.searchsorted(pts, keys[:, 0])
    restarts = np.stack([numbers, keys[:, 1], np.zeros_like(numbers)], axis=1)
    return frozen(
        VideoIndex(
            by_time=True,
            pts=pts,
            restarts=restarts,
            damaged=np.zeros(len(pts), np.bool_),
            crc=None,
            time_base=table.time_base,
            notes=cut_note(len(pts), table.expected),
        )
    )


def spot_check(path: Path, index: VideoIndex, stop: Stop) -> bool:
    """True when the first, the last and some other groups show exactly the indexed stamps."""
    groups = len(index.restarts)
    chosen = {0, groups - 1} | set(
        # The same file is always checked at the same places.
        random.Random(len(index)).sample(range(groups), min(groups, _SPOT_GROUPS - 2))
    )
    with Decoder(path) as decoder:
        for row in sorted(chosen):
            if not _group_agrees(decoder, index, row, stop):
                return False
    return True


def _group_agrees(decoder: Decoder, index: VideoIndex, row: int, stop: Stop) -> bool:
    """Decode one group. A seek that lands elsewhere proves nothing and passes."""
    first = int(index.restarts[row, 0]) if row else 0
    is_last = row + 1 == len(index.restarts)
    end = len(index) if is_last else int(index.restarts[row + 1, 0])
    end = min(end, first + _SPOT_FRAMES)
    if row == 0:
        decoder.restart()
    elif not decoder.seek(int(index.restarts[row, 1])):
        return True
    wanted = first
    for _ in range(3 * _SPOT_FRAMES):
        if wanted >= end:
            return True
        if stop():
            raise Cancelled
        picture = decoder.next()
        if picture is None:
            landed_nowhere = wanted == first and row > 0
            return landed_nowhere or decoder.errors > 0
        number = index.number_of(picture.pts)
        if number is None:
            return False
        is_leading = decoder.entry_pts is not None and (picture.pts or 0) < decoder.entry_pts
        if number < wanted or (is_leading and row):
            if wanted > first:
                return False
            continue
        if number > wanted:
            landed_late = wanted == first and row > 0
            return landed_late or decoder.errors > 0
        wanted += 1
    return True


def cut_note(frames: int, expected: int | None) -> tuple[str, ...]:
    if expected is None or expected <= frames or not frames:
        return ()
    return (f"The file ends after frame {frames - 1} of about {expected}.",)


def frozen(index: VideoIndex) -> VideoIndex:
    for array in (index.pts, index.restarts, index.damaged, index.crc):
        if array is not None:
            array.setflags(write=False)
    return index
