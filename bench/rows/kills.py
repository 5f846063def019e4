"""R1: a process that corrects masks is killed with SIGKILL, anywhere, and nothing is lost.

Forked children work on a project and say through a pipe which steps are on the disk. Half of the
kills come at a random moment, half at or in the middle of the n-th write, sync, truncation,
creation or deletion of a file, also while the project is made, recovered or closed. Then the
project is opened: it must be whole and hold exactly the first k steps of the script, k at least
as many as were acknowledged, with a history that can be undone and redone state by state. The next
child goes on from there. A store that acknowledges a step before it is committed must be caught, or
the row fails.
"""

import os
import random
import signal
import sqlite3
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import faults
import sessions
from sizes import size

from segstudio.errors import SegStudioError
from segstudio.store.project import Project
from segstudio.store.store_thread import StoreThread, Write

KILLS, LONG_KILLS = 150, 1000
PLANTED = 20
REOPEN_S = 2.0
ACTIONS = 60
SEED = 1
MADE, STEP = b"m", b"."
MEDIA = 1


@dataclass(frozen=True, slots=True)
class Life:
    """made: the project was there. aimed: to be killed at a call. told: steps acknowledged."""

    made: bool
    aimed: bool
    code: int
    told: int

    @property
    def was_killed(self) -> bool:
        """By us, and not the end of its work."""
        return self.code == -signal.SIGKILL


def life(path: Path, script: sessions.Script, done: int, pipe: int, seed: int) -> None:
    """In the child: goes on with the script after its first `done` actions, then closes."""
    rng = random.Random(seed)
    project = Project.open(path) if path.exists() else sessions.fresh(path)
    os.write(pipe, MADE)
    player = sessions.Player(project)
    for number, action in enumerate(script.actions[done:]):
        write = player.play(action)
        if write is None:
            raise RuntimeError(f"action {done + number} changed nothing")
        write.add_done_callback(lambda w: os.write(pipe, b"!" if w.exception() else STEP))
        if rng.random() < 0.5:
            write.result()
    project.close()


def kill_one(path: Path, script: sessions.Script, done: int, rng: random.Random) -> Life:
    """One child from birth to death."""
    hooks = faults.install()
    aimed, seed = rng.random() < 0.5, rng.randrange(1 << 30)
    number, half = rng.randrange(300), rng.choice((faults.Fault.KILL, faults.Fault.KILL_HALF))
    if done == 0 and rng.random() < 0.5:
        number //= 12  # while it is made
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            if aimed:
                hooks.start(lambda call: half if call.number == number else None)
            life(path, script, done, write, seed)
        except BaseException:
            traceback.print_exc()
            os._exit(70)
        os._exit(0)
    os.close(write)
    if not aimed:
        time.sleep(rng.uniform(0, 0.1))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    said = b""
    while chunk := os.read(read, 65536):
        said += chunk
    os.close(read)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if b"!" in said:
        code = 71
    return Life(MADE in said, aimed, code, said.count(STEP))


def look(path: Path, script: sessions.Script, least: int, *, made: bool) -> tuple[int, float, str]:
    """(steps found, seconds to open and show a frame, what is wrong or "")."""
    if not path.exists():
        return 0, 0.0, "the project is gone" if made else ""
    start = time.perf_counter()
    try:
        project = Project.open(path)
    except SegStudioError as error:
        if not made:
            with suppress(SegStudioError):
                sessions.fresh(path).close()
                return 0, 0.0, ""
        return -1, 0.0, f"cannot be opened: {error}"
    try:
        project.load(sessions.FrameKey(MEDIA, 0))
        seconds = time.perf_counter() - start
        steps, trouble = sessions.found(project, script, least, MEDIA)
        if project.is_read_only:
            trouble = f"read-only: {project.why_read_only}"
    except SegStudioError as error:
        return -1, 0.0, f"cannot be read: {error}"
    finally:
        project.close()
    connection = sqlite3.connect(path)
    whole = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return steps, seconds, trouble if whole == [("ok",)] else f"integrity_check: {whole[0][0]}"


@dataclass(slots=True)
class Account:
    """Of many kills."""

    kills: int = 0
    aimed: int = 0
    ends: int = 0
    projects: int = 1
    acknowledged: int = 0
    beyond: int = 0
    slowest: float = 0.0
    troubles: list[str] = field(default_factory=list)


def campaign(folder: Path, wanted: int, seed: int) -> Account:
    """So many kills, project after project."""
    rng, account = random.Random(seed), Account()
    path, done, script = folder / "1.segproj", 0, sessions.Script(seed, ACTIONS)
    while account.kills < wanted:
        one = kill_one(path, script, done, rng)
        account.kills += one.was_killed
        account.aimed += one.was_killed and one.aimed
        account.ends += not one.was_killed
        account.acknowledged += one.told
        if one.code and not one.was_killed:
            account.troubles.append(f"kill {account.kills}: the child ended with {one.code}")
        steps, seconds, trouble = look(path, script, done + one.told, made=one.made or done > 0)
        account.slowest = max(account.slowest, seconds)
        if trouble:
            said = f"kill {account.kills} after {done + one.told} steps: {trouble}"
            account.troubles.append(said)
        else:
            account.beyond += steps - done - one.told
            done = steps
        if trouble or done == len(script.actions):
            account.projects += 1
            path, done = folder / f"{account.projects}.segproj", 0
            script = sessions.Script(seed + account.projects, ACTIONS)
    return account


@contextmanager
def hasty() -> Iterator[None]:
    """A store that acknowledges steps before they are on the disk."""
    real = StoreThread._transact

    def transact(self: StoreThread, write: Write) -> object:
        write.future.set_result(None)
        return real(self, write)

    StoreThread._transact = transact  # type: ignore[method-assign]
    try:
        yield
    finally:
        StoreThread._transact = real  # type: ignore[method-assign]


def measure() -> tuple[str, str, str, bool | None, str]:
    """As many kills as the size asks for."""
    wanted = size(KILLS, LONG_KILLS)
    claim, limit = "kill -9 anywhere", f"0 corrupt, 0 lost; reopen ≤ {REOPEN_S:.0f} s"
    sessions.quiet()
    try:
        faults.install()
    except faults.NoHooks as error:
        return claim, "", limit, None, f"not run: {error}"
    cv2.setNumThreads(0)  # a forked child must not wait for threads that only its parent has
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(Path(folder), wanted, SEED)
    with tempfile.TemporaryDirectory() as folder, hasty():
        planted = len(campaign(Path(folder), PLANTED, SEED).troubles)
    is_good = not found.troubles and found.slowest <= REOPEN_S
    is_work = found.acknowledged > 3 * wanted and found.aimed >= wanted // 4
    return (
        claim,
        f"{len(found.troubles)} bad of {found.kills} kills; reopen ≤ {found.slowest:.2f} s",
        limit,
        is_good and is_work and planted > 0,
        f"{found.acknowledged} steps acknowledged in {found.projects} projects, {found.aimed} kills"
        f" at a call, {found.ends} children ended by themselves, {found.beyond} steps survived"
        f" without having been acknowledged; a store that acknowledges too early: {planted} of"
        f" {PLANTED} caught{''.join('; ' + t for t in found.troubles[:3])}",
    )
