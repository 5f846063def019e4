"""A run on the disk, as the window sees it: made, read again, asked for something by a file.

recipe.json: what it was asked. classes.json: its class set, when that has no name of its own.
events.jsonl: what it reported. last.pt, best.pt: its weights. control.json: what is wanted of it,
see train.control. train.log: what it said on its error stream. window.lock: held by the window
that watches it, so that two windows never run it at once.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from PySide6.QtCore import QLockFile

from segstudio.atomic import atomic_write
from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import load_class_set
from segstudio.ui.training.run_record import RunRecord, parse_event

Want: TypeAlias = Literal["pause", "stop", "go"]

LOG = "train.log"

LAST_WORDS = 16_384
"""Bytes of the log that are read to learn how a run ended."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that can be gone on with.

    step: the checkpoint's, 0 where there is none yet. steps: what was asked for. changed: when it
    was last heard of, local time. why: of its failure, "" when it was only interrupted.
    """

    run: Path
    recipe: TrainRecipe
    step: int
    steps: int
    changed: datetime
    why: str = ""


def new_run(runs: Path, recipe: TrainRecipe, classes: ClassMap | None = None) -> Path:
    """A folder in `runs` with that recipe, named after the day and the net.

    classes: of the project; a set that nobody knows by its name goes into the folder too.
    SegStudioError when it cannot be written.
    """
    name = re.sub(r"[^\w.-]+", "-", Path(recipe.base or recipe.net).name).strip("-.") or "run"
    stem = f"{datetime.now().astimezone():%Y-%m-%d}-{name}"
    number = 1
    while True:
        run = runs / (stem if number == 1 else f"{stem}-{number}")
        try:
            run.mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
        except OSError as error:
            raise SegStudioError(
                f"No run could be made in {runs} ({error.strerror}); check the free space and the"
                " permissions there."
            ) from error
    if classes is not None:
        recipe = replace(recipe, classes=_known_as(classes, run))
    atomic_write(run / "recipe.json", recipe.to_json().encode())
    return run


def _known_as(classes: ClassMap, run: Path) -> str:
    """Its name, or a file of the run where another set has that name, or none."""
    try:
        if load_class_set(classes.name).classes == classes.classes:
            return classes.name
    except SegStudioError:
        pass
    rows = {"name": classes.name, "classes": classes.to_json()}
    atomic_write(run / "classes.json", json.dumps(rows, indent=1).encode())
    return str(run / "classes.json")


def events_of(run: Path) -> Iterator[TrainEvent]:
    """Everything it reported, torn and strange lines left out; nothing when there is no file."""
    try:
        with (run / "events.jsonl").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                event = parse_event(line)
                if event is not None:
                    yield event
    except OSError:
        return


def record_of(run: Path) -> RunRecord:
    """The curves of a run that is not running here, from its file."""
    return RunRecord.of(events_of(run), run)


def ask(run: Path, want: Want) -> None:
    """Tell the run what is wanted; it looks between two steps. SegStudioError: not written."""
    atomic_write(run / "control.json", json.dumps({"want": want}).encode())


def lock_of(run: Path) -> QLockFile:
    """The watching window's; a window that died leaves it to the next one."""
    lock = QLockFile(str(run / "window.lock"))
    lock.setStaleLockTime(0)  # as old as it may be: only a dead owner makes it stale
    return lock


def find_unfinished(runs: Path) -> tuple[Unfinished, ...]:
    """Runs that were interrupted and can go on, newest first; not those that some window runs.

    Reads every run's events: not in the window's thread where there may be many.
    """
    try:
        folders = [folder for folder in runs.iterdir() if folder.is_dir()]
    except OSError:
        return ()
    found = [one for one in map(_unfinished, folders) if one is not None]
    return tuple(sorted(found, key=lambda one: (one.changed, one.run.name), reverse=True))


def _unfinished(run: Path) -> Unfinished | None:
    """None for what is finished, running, unreadable or no run."""
    try:
        recipe = TrainRecipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, SegStudioError):
        return None
    record = record_of(run)
    if record.state == "finished" or (record.state == "stopped" and record.why == "asked to"):
        return None
    lock = lock_of(run)
    if not lock.tryLock(0):
        if lock.error() == QLockFile.LockError.LockFailedError:
            return None  # some window runs it
    else:
        lock.unlock()
    has_checkpoint = (run / "last.pt").is_file()
    times = [file.stat().st_mtime for file in run.glob("*.json*")]
    return Unfinished(
        run,
        recipe,
        (record.saved_step or 0) if has_checkpoint else 0,
        recipe.steps,
        datetime.fromtimestamp(max(times, default=0.0)).astimezone(),
        record.why if record.state == "failed" else "",
    )


def last_words(run: Path) -> str:
    """The end of its error stream; "" when it said nothing."""
    try:
        with (run / LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LAST_WORDS))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
