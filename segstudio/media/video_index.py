"""Every picture of a video by its number: made once per file, in two levels.

Level A reads all packets without decoding them: where the container is MP4/MOV, Matroska/WebM or
MPEG-TS and every shown packet has a stamp of its own, frame n is the n-th stamp in order. Before
it is believed, a few groups of pictures are decoded and must show exactly those stamps.

Level B decodes everything once and keeps the CRC-32 of each luma plane. For a file whose stamps
cannot be believed (AVI, raw streams), it also seeks to key packets and keeps those places where
what comes out matches one unique place of the straight decode; everything else is counted from
them. For a level A file it proves the table: every picture that is handed out is compared.

An index of packets is not an index of shown pictures: decoders swallow pictures, edit lists hide
some, and fps arithmetic is wrong wherever the rate varies. That is why both levels end at decoded
pictures.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import Cancelled
from segstudio.media.color import luma_crc
from segstudio.media.decoder import Decoder, open_video

NO_PTS = -(2**63)
"""Stands for a missing stamp."""

_STAMPED_FORMATS = frozenset({"mov", "matroska", "webm", "mpegts"})
_SEEKS_BY_DTS = frozenset({"mpegts"})
"""Demuxers that look for decoding stamps; the other two seek by presentation stamps (measured)."""

_SPOT_GROUPS = 8
_SPOT_FRAMES = 32
"""Groups that the spot check decodes, and how many pictures of each at most."""

_RUN = 4
"""Consecutive equal CRCs that prove a restart point."""

_MAX_SKIP = 24
"""Pictures after a seek that may precede a proved one (leading pictures of open groups)."""

_RESTART_SPACING = 8
"""Key packets nearer than this to the last restart point are not tried: all-key files."""

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
        expected = _promised_frames(container, stream, len(pts) + hidden + nameless + broken)
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
    container: "av.container.InputContainer", stream: "av.VideoStream", seen: int
) -> int | None:
    """Packets that the header promises when that is clearly more than there are, else None."""
    if stream.frames:
        return int(stream.frames) if stream.frames > seen else None
    is_alone = len(container.streams) == 1
    if is_alone and container.duration and stream.average_rate:
        promised = round(container.duration / 1_000_000 * stream.average_rate)
        # Rates of files with varying frame times are averages: a tenth is within them.
        return promised if promised > 1.1 * seen + 2 else None
    return None


def stamp_index(table: PacketTable) -> VideoIndex:
    """Level A: frame n is the n-th stamp in order. To be spot-checked before it is used."""
    pts = np.sort(np.array(table.pts, np.int64))
    keys = np.array(sorted(table.keys), np.int64).reshape(-1, 2)
    numbers = np.searchsorted(pts, keys[:, 0])
    restarts = np.stack([numbers, keys[:, 1], np.zeros_like(numbers)], axis=1)
    return _frozen(
        VideoIndex(
            by_time=True,
            pts=pts,
            restarts=restarts,
            damaged=np.zeros(len(pts), np.bool_),
            crc=None,
            time_base=table.time_base,
            notes=_cut_note(len(pts), table.expected),
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
    for _ in range(2 * _SPOT_FRAMES + _MAX_SKIP):
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


@dataclass(slots=True)
class StraightDecode:
    """What a straight decode of the whole file showed."""

    pts: list[int]
    crc: list[int]
    is_damaged: list[bool]
    keys: list[int]
    errors: int
    cut_off: bool


def decode_all(path: Path, stop: Stop, progress: Callable[[float, int], None]) -> StraightDecode:
    """Decode every picture on one thread, which is repeatable also for damaged files.

    progress(fraction, pictures so far) is called after each.
    """
    found = StraightDecode([], [], [], [], 0, cut_off=False)
    with Decoder(path, threads="NONE") as decoder:
        while (picture := decoder.next()) is not None:
            if stop():
                raise Cancelled
            found.pts.append(NO_PTS if picture.pts is None else picture.pts)
            found.crc.append(luma_crc(picture))
            found.is_damaged.append(bool(picture.is_corrupt))
            progress(decoder.fraction, len(found.pts))
        found.keys = thinned(decoder.keys)
        found.errors, found.cut_off = decoder.errors, decoder.cut_off
    return found


def verified(index: VideoIndex, found: StraightDecode) -> VideoIndex | None:
    """Level A with the CRC of every picture; None when the stamps turn out to be wrong.

    Pictures that the table has and the decoder did not show are damaged when the decoder met
    errors, and otherwise prove the table wrong.
    """
    numbers = [index.number_of(pts) for pts in found.pts]
    known = [n for n in numbers if n is not None]
    missing = len(index) - len(set(known))
    if len(known) < len(numbers) or known != sorted(set(known)) or (missing and not found.errors):
        return None
    crc = np.zeros(len(index), np.uint32)
    damaged = np.ones(len(index), np.bool_)
    crc[known] = found.crc
    damaged[known] = found.is_damaged
    return _frozen(
        replace(
            index,
            crc=crc,
            damaged=damaged,
            notes=_notes(index.notes, damaged),
            threads=_threads(damaged),
        )
    )


def _threads(damaged: NDArray[np.bool_]) -> str:
    """What the decoder makes up for damaged parts depends on the timing of its threads."""
    return "NONE" if damaged.any() else "AUTO"


def counted_index(
    path: Path, found: StraightDecode, table: PacketTable | None, time_base: Fraction, stop: Stop
) -> VideoIndex:
    """Level B: numbers by counting, from restart points that were proved by content."""
    damaged = np.array(found.is_damaged, np.bool_)
    cut = _cut_note(len(found.pts), table.expected if table else None)
    index = VideoIndex(
        by_time=False,
        pts=np.array(found.pts, np.int64),
        restarts=np.zeros((0, 3), np.int64),
        damaged=damaged,
        crc=np.array(found.crc, np.uint32),
        time_base=time_base,
        notes=_notes(cut, damaged, lost=found.errors),
        threads="NONE" if found.errors else _threads(damaged),
    )
    return _frozen(replace(index, restarts=_proved_restarts(path, index, found.keys, stop)))


def _proved_restarts(
    path: Path, index: VideoIndex, keys: list[int], stop: Stop
) -> NDArray[np.int64]:
    places: dict[tuple[int, ...], list[int]] = {}
    assert index.crc is not None
    crc = index.crc.tolist()
    for at in range(len(crc) - _RUN + 1):
        places.setdefault(tuple(crc[at : at + _RUN]), []).append(at)
    proved: dict[int, tuple[int, int, int]] = {}
    with Decoder(path, threads=index.threads) as decoder:
        for stamp in keys:
            if stop():
                raise Cancelled
            found = _prove(decoder, stamp, index, places)
            if found is not None:
                proved.setdefault(found[0], found)
    return np.array([proved[n] for n in sorted(proved)], np.int64).reshape(-1, 3)


def _prove(
    decoder: Decoder, stamp: int, index: VideoIndex, places: dict[tuple[int, ...], list[int]]
) -> tuple[int, int, int] | None:
    """(number, stamp, skip) of the first run after the seek that fits one place only."""
    if not decoder.seek(stamp):
        return None
    crcs: list[int] = []
    stamps: list[int | None] = []
    while len(crcs) < _MAX_SKIP + _RUN:
        picture = decoder.next()
        if picture is None:
            return None
        crcs.append(luma_crc(picture))
        stamps.append(picture.pts)
        skip = len(crcs) - _RUN
        if skip < 0:
            continue
        fits = places.get(tuple(crcs[skip:]), [])
        if len(fits) > 1 and stamps[skip] is not None:  # a still scene: let the stamp decide
            fits = [n for n in fits if int(index.pts[n]) == stamps[skip]]
        if len(fits) == 1:
            return fits[0], stamp, skip
    return None


def thinned(keys: list[tuple[int, int]]) -> list[int]:
    """Stamps of (packet position, stamp) pairs that lie far enough apart."""
    kept: list[int] = []
    last = -_RESTART_SPACING
    for position, stamp in keys:
        if position - last >= _RESTART_SPACING:
            kept.append(stamp)
            last = position
    return kept


def _cut_note(frames: int, expected: int | None) -> tuple[str, ...]:
    if expected is None or expected <= frames or not frames:
        return ()
    return (f"The file ends after frame {frames - 1} of about {expected}.",)


def _notes(notes: tuple[str, ...], damaged: NDArray[np.bool_], *, lost: int = 0) -> tuple[str, ...]:
    count = max(int(damaged.sum()), lost)
    if not count:
        return notes
    text = "1 frame is damaged" if count == 1 else f"{count} frames are damaged"
    first = f", the first is frame {int(np.argmax(damaged))}" if damaged.any() else ""
    return (*notes, f"{text}{first}.")


def _frozen(index: VideoIndex) -> VideoIndex:
    for array in (index.pts, index.restarts, index.damaged, index.crc):
        if array is not None:
            array.setflags(write=False)
    return index
