"""R2: the power goes at any moment, and everything acknowledged is on the disk.

Sessions are recorded: every write, truncation, sync, creation and deletion of the project's files,
with a mark wherever a step was acknowledged. The record is cut, half of the time just before
something is made durable; `disk` says what may then be found. That project must open, be whole,
hold at least the acknowledged steps exactly, and take another one. Some sessions run with a
rollback journal, as on network drives; in some a few syncs report an error and lose what they
should have synced. The same with synchronous=NORMAL and OFF, and with a store that believes what
the system shows after a failed sync, must lose something, or the row fails: a harness that cannot
find a loss proves nothing.
"""

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import disk
import faults
import sessions
from sizes import size

from rows.kills import MEDIA, look
from segstudio.errors import SegStudioError
from segstudio.store import schema, store_thread
from segstudio.store.project import Project
from segstudio.store.store_thread import StoreThread

CUTS, LONG_CUTS = 60, 500
PLANTED = 24
ACTIONS = 72
LIVES = 3
FAILING = 6
TRUSTED = frozenset({30, 31, 36, 37, 42, 43, 48, 49, 54, 55})
FIRST_FAILING = 24  # the project is there, and work is under way
SEED = 2
MADE = 0


def record(
    path: Path, script: sessions.Script, failing: frozenset[int] = frozenset()
) -> list[faults.Event]:
    """The script in a few sittings, checkpoints in between as they come in long sessions.

    failing: the numbers of syncs that report an error, once each.
    """
    hooks = faults.install()
    hooks.start(
        lambda call: faults.Fault.IO_ERROR if call.number in failing else None,
        kinds=frozenset({"sync"}),
        record=True,
    )
    part = len(script.actions) // LIVES
    for start in range(0, len(script.actions), part):
        project = (
            sessions.fresh(path)
            if start == 0
            else sessions.patiently(lambda: Project.open(path), FAILING + 1)
        )
        hooks.mark(start or MADE)
        player = sessions.Player(project)
        actions = script.actions[start : start + part]
        middle = len(actions) // 2
        sessions.play_all(player, actions[:middle], hooks.mark, start, FAILING + 1)
        key = sessions.FrameKey(MEDIA, actions[middle - 1].frame)
        sessions.patiently(lambda p=project, k=key: p.load(k), FAILING + 1)  # its writes are done
        with closing(sqlite3.connect(path)) as other, suppress(sqlite3.Error):
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        sessions.play_all(player, actions[middle:], hooks.mark, start + middle, FAILING + 1)
        if not project.close(60):
            raise RuntimeError("the project did not close")
    if not hooks.seen.get("write"):
        raise RuntimeError("the harness saw no write: it proves nothing")
    return hooks.stop()


def cut_at(
    events: list[faults.Event], at: int, script: sessions.Script, seed: int, folder: Path
) -> str:
    """ "" or what was lost when the power went before event `at`."""
    before = events[:at]
    marks = [event.offset for event in before if event.kind == "mark"]
    least = max(marks, default=0)
    state = disk.Disk(random.Random(seed))
    state.play(before)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    disk.cut_in(folder, state.cut())
    path = folder / "power.segproj"
    steps, _, trouble = look(path, script, least, made=bool(marks))
    if trouble or steps == len(script.actions) or not path.exists():
        return trouble
    try:
        project = Project.open(path)
        try:
            write = sessions.Player(project).play(script.actions[steps])
            if write is not None:
                write.result(60)
        finally:
            project.close()
    except (SegStudioError, TimeoutError) as error:
        return f"takes no more steps: {error}"
    return look(path, script, steps + 1, made=True)[2]


def places(events: list[faults.Event], count: int, rng: random.Random) -> list[int]:
    """Half just before a sync, half anywhere."""
    points = disk.syncs(events)
    aimed = [rng.choice(points) for _ in range(count // 2)] if points else []
    return aimed + [rng.randrange(1, len(events) + 1) for _ in range(count - len(aimed))]


def failing_pairs(rng: random.Random) -> frozenset[int]:
    """Which syncs fail: two in a row, so that the second hits what the first brought about."""
    starts = rng.sample(range(FIRST_FAILING, ACTIONS), FAILING // 2)
    return frozenset(n + i for n in starts for i in (0, 1))


@contextmanager
def syncing(mode: str) -> Iterator[None]:
    """A store that syncs less than it says."""
    real = schema.connect

    def connect(path: Path) -> sqlite3.Connection:
        connection = real(path)
        connection.execute(f"PRAGMA synchronous={mode}")
        return connection

    schema.connect = connect
    try:
        yield
    finally:
        schema.connect = real


@contextmanager
def trusting() -> Iterator[None]:
    """A store that believes what the system shows after a sync that failed."""
    real = StoreThread._renewed

    def renewed(self: StoreThread) -> sqlite3.Connection:
        self._drop_connection()
        return self._ready_connection()

    StoreThread._renewed = renewed  # type: ignore[method-assign]
    try:
        yield
    finally:
        StoreThread._renewed = real  # type: ignore[method-assign]


def caught(folder: Path, script: sessions.Script, failing: frozenset[int] = frozenset()) -> int:
    """How many of some cuts lose or break something."""
    folder.mkdir()
    rng = random.Random(SEED)
    events = record(folder / "power.segproj", script, failing)
    return sum(
        bool(cut_at(events, at, script, rng.randrange(1 << 30), folder / "cut"))
        for at in places(events, PLANTED, rng)
    )


def measure() -> tuple[str, str, str, bool | None, str]:
    """Sessions with a log and with a rollback journal, with and without syncs that fail."""
    wanted = size(CUTS, LONG_CUTS)
    claim, limit = "power cut, simulated", "0 unopenable, 0 steps lost"
    sessions.quiet()
    try:
        faults.install()
    except faults.NoHooks as error:
        return claim, "", limit, None, f"not run: {error}"
    store_thread.RETRY_S = 0.02  # a failed sync is tried again at once
    rng = random.Random(SEED)
    troubles, done, seen, session = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while done < wanted:
            script = sessions.Script(SEED + session, ACTIONS)
            (folder / str(session)).mkdir()
            failing = failing_pairs(rng) if session % 2 else frozenset()
            rollback = session % 4 >= 2
            with sessions.journal(rollback=rollback):
                path = folder / str(session) / "power.segproj"
                events = record(path, script, failing)
                seen += len(disk.syncs(events))
                for at in places(events, min(CUTS // 4, wanted - done), rng):
                    trouble = cut_at(events, at, script, rng.randrange(1 << 30), folder / "cut")
                    done += 1
                    if trouble:
                        how = "rollback journal, " * rollback + "syncs failed, " * bool(failing)
                        troubles.append(f"cut {done} ({how}before event {at}): {trouble}")
            session += 1
        planted = {}
        for mode in ("NORMAL", "OFF"):
            with syncing(mode):
                planted[f"synchronous={mode}"] = caught(folder / mode, script)
        with trusting():
            planted["trust in failed syncs"] = caught(folder / "trust", script, TRUSTED)
    finds = ", ".join(f"{what} {n} of {PLANTED}" for what, n in planted.items())
    return (
        claim,
        f"{len(troubles)} bad of {done} cuts",
        limit,
        not troubles and seen >= ACTIONS and all(planted.values()),
        f"{session} sessions, {seen} syncs seen; lost with {finds}"
        f"{''.join('; ' + t for t in troubles[:3])}",
    )
