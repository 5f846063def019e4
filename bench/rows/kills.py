"""R1: a process that corrects masks is killed with SIGKILL, anywhere, and nothing is lost.

Forked children work on a project and say through a pipe which steps are on the disk. Half of the
kills come at a random moment, half at or in the middle of the n-th write, sync, truncation,
creation or deletion of a file, also while the project is made, recovered or closed. Then the
project is opened: it must be whole and hold exactly the first k steps of the script, k at least
as many as were acknowledged, with a history that can be undone and redone state by state. The next
child goes on from there.
"""

import os
import random
import signal
import sqlite3
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

import cv2
import faults
import sessions
from sizes import size

from segstudio.errors import SegStudioError
from segstudio.store.project import Project

KILLS, LONG_KILLS = 150, 1000
REOPEN_S = 2.0
ACTIONS = 60
SEED = 1
MADE, STEP = b"m", b"."
MEDIA = 1


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


def kill_one(
    path: Path, script: sessions.Script, done: int, rng: random.Random
) -> tuple[bool, bool, int, int]:
    """(was it made, was it killed by us, steps acknowledged, exit code) of one child."""
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
    return MADE in said, code == -signal.SIGKILL, said.count(STEP), code


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


def measure() -> tuple[str, str, str, bool | None, str]:
    """As many kills as the size asks for, project after project."""
    wanted = size(KILLS, LONG_KILLS)
    claim, limit = "kill -9 anywhere", f"0 corrupt, 0 lost; reopen ≤ {REOPEN_S:.0f} s"
    sessions.quiet()
    try:
        faults.install()
    except faults.NoHooks as error:
        return claim, "", limit, None, f"not run: {error}"
    cv2.setNumThreads(0)  # a forked child must not wait for threads that only its parent has
    rng = random.Random(SEED)
    kills = ends = acknowledged = beyond = 0
    slowest, troubles = 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        path, project, done = Path(folder) / "0.segproj", 0, 0
        script = sessions.Script(SEED, ACTIONS)
        while kills < wanted:
            made, killed, told, code = kill_one(path, script, done, rng)
            kills += killed
            ends += not killed
            acknowledged += told
            if not killed and code:
                troubles.append(f"kill {kills}: the child ended with {code}")
            steps, seconds, trouble = look(path, script, done + told, made=made or done > 0)
            slowest = max(slowest, seconds)
            if trouble:
                troubles.append(f"kill {kills} after {done + told} steps: {trouble}")
            else:
                beyond += steps - done - told
                done = steps
            if trouble or done == len(script.actions):
                project += 1
                path, done = Path(folder) / f"{project}.segproj", 0
                script = sessions.Script(SEED + project, ACTIONS)
    return (
        claim,
        f"{len(troubles)} bad of {kills} kills, {acknowledged} steps; reopen ≤ {slowest:.2f} s",
        limit,
        not troubles and slowest <= REOPEN_S and acknowledged > 3 * kills,
        f"{project} projects, {ends} children ended by themselves, {beyond} steps survived without"
        f" having been acknowledged{''.join('; ' + t for t in troubles[:3])}",
    )
