"""The full check of a video: level B of its index.

Everything is decoded once and the CRC-32 of each luma plane is kept. For a level A file that
proves the table, and from then on every picture that is handed out is compared. For a file whose
stamps cannot be believed (AVI, raw streams) the numbers are counted, and seeks are tried: those
places are kept where what comes out matches one unique place of the straight decode.

A damaged picture spoils those that were predicted from it, up to the next key picture, and
decoders do not say so: here they are all marked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import Cancelled
from segstudio.media.color import luma_crc
from segstudio.media.decoder import Decoder
from segstudio.media.video_index import (
    NO_PTS,
    PacketTable,
    Stop,
    VideoIndex,
    cut_note,
    frozen,
)

_RUN = 4
"""Consecutive equal CRCs that prove a restart point."""

_MAX_SKIP = 24
"""Pictures after a seek that may precede a proved one (leading pictures of open groups)."""

_RESTART_SPACING = 8
"""Key packets nearer than this to the last restart point are not tried: all-key files."""


@dataclass(slots=True)
class StraightDecode:
    """What a straight decode of the whole file showed, picture by picture.

    is_damaged: marked by the decoder, or the first one after an error. keys: stamps of key
    packets that are worth a try as restart points.
    """

    pts: list[int] = field(default_factory=list)
    crc: list[int] = field(default_factory=list)
    is_damaged: list[bool] = field(default_factory=list)
    is_key: list[bool] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    errors: int = 0


def decode_all(path: Path, stop: Stop, progress: Callable[[float, int], None]) -> StraightDecode:
    """Decode every picture on one thread, which is repeatable also for damaged files.

    progress(fraction, pictures so far) is called after each.
    """
    found = StraightDecode()
    with Decoder(path, threads="NONE") as decoder:
        while (picture := decoder.next()) is not None:
            if stop():
                raise Cancelled
            found.pts.append(NO_PTS if picture.pts is None else picture.pts)
            found.crc.append(luma_crc(picture))
            found.is_damaged.append(picture.is_corrupt or decoder.errors > found.errors)
            found.is_key.append(bool(picture.key_frame))
            found.errors = decoder.errors
            progress(decoder.fraction, len(found.pts))
        found.keys = thinned(decoder.keys)
        found.errors = decoder.errors
    return found


def verified(index: VideoIndex, found: StraightDecode, table: PacketTable) -> VideoIndex | None:
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
    bad = {int(pts) for pts in index.pts[damaged]}
    damaged = np.isin(index.pts, list(_spoiled(table, bad)))
    return frozen(
        replace(
            index,
            crc=crc,
            damaged=damaged,
            notes=_notes(index.notes, damaged),
            threads=_threads(damaged),
        )
    )


def _spoiled(table: PacketTable, bad: set[int]) -> set[int]:
    """Stamps of bad pictures and of those decoded after them, up to the next good key picture.

    Leading pictures of an open group follow its key packet in the file, but belong to both groups.
    """
    spoiled = set(bad)
    keys = {pts for pts, _ in table.keys}
    is_bad = was_bad = False
    key = NO_PTS
    for pts in table.pts:
        if pts in keys:
            was_bad, is_bad, key = is_bad, False, pts
        is_bad = is_bad or pts in bad
        if is_bad or (was_bad and pts < key):
            spoiled.add(pts)
    return spoiled


def _threads(damaged: NDArray[np.bool_]) -> str:
    """What the decoder makes up for damaged parts depends on the timing of its threads."""
    return "NONE" if damaged.any() else "AUTO"


def counted_index(path: Path, found: StraightDecode, table: PacketTable, stop: Stop) -> VideoIndex:
    """Level B: numbers by counting, from restart points that were proved by content."""
    damaged = np.zeros(len(found.pts), np.bool_)
    is_bad = False
    for at, (is_hit, is_key) in enumerate(zip(found.is_damaged, found.is_key, strict=True)):
        is_bad = is_hit or (is_bad and not is_key)
        damaged[at] = is_bad
    cut = cut_note(len(found.pts), table.expected)
    index = VideoIndex(
        by_time=False,
        pts=np.array(found.pts, np.int64),
        restarts=np.zeros((0, 3), np.int64),
        damaged=damaged,
        crc=np.array(found.crc, np.uint32),
        time_base=table.time_base,
        notes=_notes(cut, damaged, lost=found.errors),
        threads="NONE" if found.errors else _threads(damaged),
    )
    return frozen(replace(index, restarts=_proved_restarts(path, index, found.keys, stop)))


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


def _notes(notes: tuple[str, ...], damaged: NDArray[np.bool_], *, lost: int = 0) -> tuple[str, ...]:
    count = max(int(damaged.sum()), lost)
    if not count:
        return notes
    text = "1 frame is damaged" if count == 1 else f"{count} frames are damaged"
    first = f", the first is frame {int(np.argmax(damaged))}" if damaged.any() else ""
    return (*notes, f"{text}{first}.")
