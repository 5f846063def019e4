"""R15: two windows on one project: one writes, the other looks on, and nothing is overwritten.

Pairs of forked processes open the same project at about the same moment. Exactly one may write;
the other must say who holds it, be refused every write, and see states the script had. Then the
writer closes or is killed, and somebody else must be let in at once, the onlooker still open, and
find all that was acknowledged. A lock that another computer left is never taken by itself. Without
the lock the row must fail.
"""

import json
import os
import random
import signal
import socket
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import sessions
from sizes import size

from rows.kills import MEDIA, look
from segstudio.errors import SegStudioError
from segstudio.store import project_lock
from segstudio.store.project import FrameKey, Project

PAIRS, LONG_PAIRS = 20, 200
PLANTED = 4
FREED_S = 1.0
ACTIONS = 60
SEED = 15


class Window:
    """A process with the project open. is_mute: what goes wrong in it is expected."""

    is_mute = False

    def __init__(self, work: Callable[[socket.socket], None]) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            if Window.is_mute:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                work(theirs)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        theirs.close()
        ours.settimeout(30)
        self._talk = ours
        self._lines = ours.makefile("r")

    def hear(self) -> str:
        """The next line; "" when it ended."""
        return self._lines.readline().rstrip("\n")

    def say(self, word: str) -> None:
        """One letter."""
        self._talk.sendall(word.encode())

    def end(self) -> tuple[int, str]:
        """(exit code, what it still said)."""
        rest = self._lines.read()
        self._lines.close()
        self._talk.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), rest


def window(path: Path, script: sessions.Script, done: int, count: int, delay: float) -> Window:
    """Opens after `delay` seconds, tells how, and acts at a word."""

    def work(talk: socket.socket) -> None:
        time.sleep(delay)
        project = Project.open(path)
        mode = "reads" if project.is_read_only else "writes"
        talk.sendall(f"{mode} {project.why_read_only}\n".encode())
        talk.recv(1)
        if project.is_read_only:
            talk.sendall(f"{onlooker(project, script)}\n".encode())
        else:
            player = sessions.Player(project)
            for action in script.actions[done : done + count]:
                write = player.play(action)
                assert write is not None
                write.add_done_callback(lambda w: w.exception() or talk.sendall(b".\n"))
        talk.recv(1)
        project.close()

    return Window(work)


def onlooker(project: Project, script: sessions.Script) -> str:
    """ "" or what one who must not write could do or see."""
    blank = sessions.Model.blank(script.shape).now
    for frame in range(sessions.FRAMES):
        stored = project.load(FrameKey(MEDIA, frame))
        labels, origin = (stored.labels, stored.origin) if stored else blank
        models = [after[frame] for after in script.after if frame in after]
        if (
            not any(
                np.array_equal(labels, m.now[0]) and np.array_equal(origin, m.now[1])
                for m in models
            )
            and (labels != blank[0]).any()
        ):
            return f"frame {frame} is seen as it never was"
    try:
        project.put_setting("intruder", 1)
    except SegStudioError:
        pass
    else:
        return "a second window may write"
    return ""


def foreign(path: Path) -> str:
    """ "" when a lock of another computer is respected, and taken over when asked."""
    lock = path.with_name(f"{path.name}.lock")
    left = json.dumps({"host": "another-computer", "pid": 1, "since": time.time()})
    lock.write_text(left)
    project = Project.open(path)
    why, read_only = project.why_read_only, project.is_read_only
    project.close()
    if not read_only or lock.read_text() != left:
        return "the lock of another computer was taken"
    if "another-computer" not in why:
        return "it does not say which computer holds it"
    project = Project.open(path, take_over=True)
    read_only = project.is_read_only
    project.close()
    return "it cannot be taken over" if read_only else ""


def pair(path: Path, script: sessions.Script, done: int, rng: random.Random) -> tuple[int, float]:
    """(steps on the disk, seconds until somebody else may write). AssertionError says what not."""
    count = rng.randrange(1, 10)
    delays = (0.0, rng.choice((0.0, rng.uniform(0, 0.02))))
    windows = [window(path, script, done, count, delay) for delay in delays]
    said = [w.hear() for w in windows]
    modes = sorted(line.split(" ")[0] for line in said)
    assert modes == ["reads", "writes"], f"the windows say {said}"
    writer, reader = windows if said[0].startswith("writes") else windows[::-1]
    why = next(line for line in said if line.startswith("reads"))
    # Between the lock and its text lies a moment in which the second cannot know the number.
    is_said = f"process {writer.pid} " in why or "process 0 " in why
    assert "open in another window" in why and is_said, f"does not say who: {why}"  # noqa: PT018
    writer.say("g")
    reader.say("g")
    acknowledged = 0
    wanted = rng.randrange(count + 1)
    while acknowledged < wanted and writer.hear():
        acknowledged += 1
    is_killed = rng.random() < 0.6
    seen = reader.hear()
    assert not seen, seen
    if is_killed:
        os.kill(writer.pid, signal.SIGKILL)
    else:
        writer.say("c")
    code, rest = writer.end()
    acknowledged += rest.count(".")
    assert code == (-signal.SIGKILL if is_killed else 0), f"the writer ended with {code}"
    assert is_killed or acknowledged == count, f"{acknowledged} of {count} steps when it closed"
    start = time.perf_counter()
    project = Project.open(path)
    seconds = time.perf_counter() - start
    why = project.why_read_only
    project.close()
    assert not why, f"nobody is let in: {why}"
    reader.say("c")
    code, _ = reader.end()
    assert code == 0, f"the onlooker ended with {code}"
    steps, _, trouble = look(path, script, done + acknowledged, made=True)
    assert not trouble, trouble
    trouble = foreign(path)
    assert not trouble, trouble
    return steps, seconds


def pairs(folder: Path, wanted: int) -> tuple[list[str], int, float]:
    """(what went wrong, steps acknowledged, slowest opening) of so many pairs."""
    rng = random.Random(SEED)
    troubles, slowest, total = [], 0.0, 0
    done, number, path, script = ACTIONS, 0, Path(), sessions.Script(SEED, 0)
    for i in range(wanted):
        if done + 10 > ACTIONS:
            number += 1
            path = folder / f"{number}.segproj"
            script = sessions.Script(SEED + number, ACTIONS)
            project = sessions.fresh(path)
            sessions.Player(project)
            project.close()
            done = 0
        try:
            steps, seconds = pair(path, script, done, rng)
        except (AssertionError, SegStudioError, TimeoutError) as error:
            troubles.append(f"pair {i + 1}: {error}")
            done = ACTIONS
            continue
        total += steps - done
        done, slowest = steps, max(slowest, seconds)
    return troubles, total, slowest


def measure() -> tuple[str, str, str, bool | None, str]:
    """Pairs of sessions over a few projects."""
    wanted = size(PAIRS, LONG_PAIRS)
    claim, limit = "two windows on one project", f"0 bad; a lock is freed ≤ {FREED_S:.0f} s"
    if not hasattr(os, "fork"):
        return claim, "", limit, None, "not run: processes cannot be forked here"
    cv2.setNumThreads(0)  # as in R1
    sessions.quiet()
    with tempfile.TemporaryDirectory() as folder:
        troubles, total, slowest = pairs(Path(folder), wanted)
    real = project_lock._try_lock
    project_lock._try_lock, Window.is_mute = (lambda _: True), True
    try:
        with tempfile.TemporaryDirectory() as folder:
            planted = len(pairs(Path(folder), PLANTED)[0])
    finally:
        project_lock._try_lock, Window.is_mute = real, False
    return (
        claim,
        f"{len(troubles)} bad of {wanted} pairs, {total} steps; freed ≤ {slowest:.2f} s",
        limit,
        not troubles and slowest <= FREED_S and total > wanted and planted > 0,
        f"without a lock: {planted} of {PLANTED} caught{''.join('; ' + t for t in troubles[:3])}",
    )
