"""What a disk may hold after the power went: from a record of all that was done to its files.

The rules are the ones SQLite's own crash tests assume, and worse than most file systems: what was
synced is there. Of what was not, every write by itself was kept, dropped, torn at sectors, or left
zeros or rubbish; a file that was made or deleted may be as before until its folder was synced (the
names of a folder change in order, as in a journal). When a sync fails, the system forgets what was
to be written: each of those writes may be on the disk or not, and no later sync brings it there.
"""

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults import Event

SECTOR = 512


@dataclass(slots=True)
class Inode:
    """One file, whatever its name. waiting: writes and truncations that no sync has followed."""

    content: bytearray = field(default_factory=bytearray)
    waiting: list[Event] = field(default_factory=list)


class Disk:
    """Files by name, and what of it is certain."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, Inode] = {}  # as programs see them
        self.certain: dict[str, Inode] = {}  # as they are after a power cut at worst
        self.renamed: list[tuple[str, Inode | None]] = []  # names not synced yet; None: deleted

    def play(self, events: Iterable[Event]) -> None:
        """Do what was recorded."""
        for event in events:
            if event.kind == "mark":
                continue
            if event.kind == "directory":
                for name, inode in self.renamed:
                    _rename(self.certain, name, inode)
                self.renamed.clear()
            elif event.kind == "delete":
                self.names.pop(event.path, None)
                self.renamed.append((event.path, None))
            elif event.kind == "link":
                self.names[event.path] = self.names[os.fsdecode(event.data)]
                self.renamed.append((event.path, self.names[event.path]))
            else:
                if event.path not in self.names:  # made by "create", or before the record began
                    self.names[event.path] = Inode()
                    self.renamed.append((event.path, self.names[event.path]))
                inode = self.names[event.path]
                if event.kind == "sync":
                    for change in inode.waiting:
                        _apply(inode.content, change)
                    inode.waiting.clear()
                elif event.kind == "failed sync":
                    for change in inode.waiting:
                        if self.rng.random() < 0.5:
                            _apply(inode.content, change)
                    inode.waiting.clear()
                elif event.kind in ("write", "truncate"):
                    inode.waiting.append(event)

    def cut(self) -> dict[str, bytes]:
        """One of the many things that may be found: name → content."""
        rng = self.rng
        left = dict(self.certain)
        for name, inode in self.renamed[: rng.randint(0, len(self.renamed))]:
            _rename(left, name, inode)
        mood = rng.choice(("all kept", "all dropped", "some", "some", "some"))
        return {name: _after(inode, mood, rng) for name, inode in left.items()}


def cut_in(folder: Path, files: dict[str, bytes]) -> None:
    """Put what is left into a folder."""
    for name, content in files.items():
        (folder / Path(name).name).write_bytes(content)


def syncs(events: Sequence[Event]) -> list[int]:
    """Where in the record something was made durable."""
    return [i for i, event in enumerate(events) if event.kind == "sync"]


def _rename(names: dict[str, Inode], name: str, inode: Inode | None) -> None:
    if inode is None:
        names.pop(name, None)
    else:
        names[name] = inode


def _apply(content: bytearray, change: Event) -> None:
    if change.kind == "truncate":
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.data


def _after(inode: Inode, mood: str, rng: random.Random) -> bytes:
    content = bytearray(inode.content)
    for change in inode.waiting:
        fate = {"all kept": "kept", "all dropped": "dropped"}.get(mood) or rng.choice(
            ("kept", "kept", "dropped", "torn", "zeros", "rubbish")
        )
        if fate == "dropped":
            continue
        spoil = change.kind == "write" and fate != "kept"
        _apply(content, _spoilt(change, content, fate, rng) if spoil else change)
    return bytes(content)


def _spoilt(change: Event, content: bytearray, fate: str, rng: random.Random) -> Event:
    """The write with some of its sectors as they were, as zeros, or as rubbish."""
    data = bytearray(change.data)
    start, end = change.offset, change.offset + len(data)
    for sector in range(start // SECTOR, (end - 1) // SECTOR + 1):
        if rng.random() < 0.5:
            continue
        low, high = max(start, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        if fate == "torn":
            old = bytes(content[low:high]).ljust(high - low, b"\0")
        else:
            old = bytes(high - low) if fate == "zeros" else rng.randbytes(high - low)
        data[low - start : high - start] = old
    return Event("write", change.path, change.offset, bytes(data))
