"""R3: every call to the disk fails once; nothing is lost, it is told, and work goes on.

A session over a project that holds work already: opened, corrected on several frames, undone,
closed. Its calls to the project's files are counted, then it runs again for every one of them, with
EIO at that call, with a disk that is full after half of it, and with a disk that is full from there
on. Then: what was on the disk can still be opened by somebody else; each step is written or the
listener has heard one sentence; a copy elsewhere holds the waiting steps; when the fault is over
all steps get through, and the project is exactly as if nothing had happened. Making a project goes
through the same; a second attempt must work. A store that swallows such errors must be caught, or
the row fails.
"""

import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import faults
import sessions
from sizes import size

from rows.kills import look
from segstudio.errors import SegStudioError
from segstudio.store import store_thread
from segstudio.store.project import Project, StoreNews

POINTS, LONG_POINTS = 60, 100_000
PLANTED = 8
ACTIONS, BEFORE, MORE = 30, 12, 6
SEED = 3
WAIT_S = 60.0
HANG_S = 20.0
KINDS = faults.CHANGES | {"open", "read"}
ASIDE = "another disk"
MODES = ("EIO", "ENOSPC", "ENOSPC from there on")


class Wound:
    """A plan of faults for the folder of one project, until it is healed."""

    def __init__(self, path: Path, mode: str, at: int) -> None:
        self.folder, self.mode, self.at = str(path.parent), mode, at
        self.call: faults.Call | None = None
        self.is_over = False
        self.is_stuck = False

    def __call__(self, call: faults.Call) -> faults.Fault | None:
        is_elsewhere = not call.path.startswith(self.folder) or ASIDE in call.path
        if self.is_over or is_elsewhere:
            return None
        if self.mode == "EIO":
            if call.number != self.at:
                return None
            self.call = call
            return faults.Fault.IO_ERROR
        if call.number < self.at or call.kind in ("read", "open", "delete"):
            return None
        if self.mode == "ENOSPC" and self.call is not None:
            return None
        is_first, self.call = self.call is None, call
        return faults.Fault.HALF_THEN_FULL if is_first else faults.Fault.DISK_FULL


class Ear:
    """Hears what the store says, and waits for a step or a word about it."""

    def __init__(self) -> None:
        self.news: list[StoreNews] = []
        self._change = threading.Condition()

    def hear(self, news: StoreNews) -> None:
        """In the store's thread."""
        with self._change:
            self.news.append(news)
            self._change.notify_all()

    @property
    def trouble(self) -> str:
        """The sentence; "" when all is well."""
        kinds = [n for n in self.news if n.kind != "saved"]
        return kinds[-1].text if kinds and kinds[-1].kind == "trouble" else ""

    def wait(self, write: "Future[None]") -> bool:
        """False when a step is not written and nobody said why."""

        def done(_: object) -> None:
            with self._change:
                self._change.notify_all()

        write.add_done_callback(done)
        with self._change:
            return self._change.wait_for(lambda: write.done() or self.trouble, WAIT_S)


def again(wound: Wound, action: Callable[[], object]) -> object:
    """Twice: an operation that refused with a sentence works when the disk does."""
    try:
        return action()
    except SegStudioError as error:
        if wound.call is None or not str(error).rstrip().endswith("."):
            raise
        wound.is_over = True
        return action()


def session(path: Path, script: sessions.Script, wound: Wound, aside: Path) -> str:
    """ "" or what was wrong. aside: an empty folder."""
    project = again(wound, lambda: Project.open(path))
    assert isinstance(project, Project)
    ear = Ear()
    project.add_listener(ear.hear)
    trouble, done, writes = "", BEFORE, []
    watch = threading.Timer(HANG_S, _unstick, (project, wound))
    watch.start()
    try:
        player = sessions.Player(project)
        extra = 0
        for action in script.actions[BEFORE:]:
            if ear.trouble and extra == MORE:  # on other frames too
                safe = BEFORE + sum(write.done() for write in writes)
                trouble = _while_broken(project, script, wound, aside, safe, done)
                if trouble:
                    return trouble
                for write in writes:
                    write.result(WAIT_S)
                extra = 0
            extra += bool(ear.trouble)
            write = again(wound, lambda a=action: player.play(a))
            assert isinstance(write, Future)
            writes.append(write)
            done += 1
            if not ear.wait(write):
                return "a step waited without a word"
        wound.is_over = True
        project.retry()
        for write in writes:
            write.result(WAIT_S)
    finally:
        watch.cancel()
        watch.join()
        wound.is_over = True
        project.retry()
        closed = project.close(WAIT_S)
    if wound.is_stuck:
        return f"a caller had to wait {HANG_S:.0f} s for the disk to heal"
    return "" if closed else "the project did not close"


def _unstick(project: Project, wound: Wound) -> None:
    """Somebody waits for what cannot come before the disk heals; that is a fault of its own."""
    wound.is_stuck = wound.is_over = True
    project.retry()


def _while_broken(
    project: Project, script: sessions.Script, wound: Wound, aside: Path, safe: int, done: int
) -> str:
    """The disk refuses: what of it others see, and what a copy elsewhere holds; then it heals."""
    for suffix in ("", "-wal", "-journal"):
        source = project.path.with_name(project.path.name + suffix)
        if source.exists():
            shutil.copyfile(source, aside / f"old.segproj{suffix}")
    copied = aside / "copy.segproj"
    again(wound, lambda: project.copy_to(copied))
    wound.is_over = True
    project.retry()
    trouble = look(aside / "old.segproj", script, safe, made=True)[2]
    if trouble:
        return f"the old state: {trouble}"
    steps, _, trouble = look(copied, script, done, made=True)
    if not trouble and steps != done:
        trouble = f"{steps} steps of {done}"
    shutil.rmtree(aside)
    aside.mkdir()
    return trouble and f"the copy elsewhere: {trouble}"


def creation(path: Path, wound: Wound) -> str:
    """ "" when a project that could not be made can be made when the disk works."""
    project = again(wound, lambda: sessions.fresh(path))
    assert isinstance(project, Project)
    wound.is_over = True
    project.retry()
    return "" if project.close(WAIT_S) else "the project did not close"


def point(folder: Path, script: sessions.Script | None, mode: str, at: int) -> tuple[str, str]:
    """(the kind of call that failed, "" or what was wrong). script: None for a creation."""
    shutil.rmtree(folder / "now", ignore_errors=True)
    (folder / "now").mkdir()
    (folder / "now" / ASIDE).mkdir()
    path = folder / "now" / "faults.segproj"
    if script is not None:
        shutil.copyfile(folder / "before.segproj", path)
    wound = Wound(path, mode, at)
    hooks = faults.install()
    hooks.start(wound, kinds=KINDS)
    try:
        if script is None:
            trouble = creation(path, wound)
        else:
            trouble = session(path, script, wound, folder / "now" / ASIDE)
    except Exception as error:
        trouble = f"{type(error).__name__}: {error}"
    hooks.stop()
    if not trouble and script is not None:
        trouble = look(path, script, len(script.actions), made=True)[2]
    elif not trouble:
        trouble = look(path, sessions.Script(SEED, 0), 0, made=True)[2]
    if trouble:
        call = wound.call
        trouble = f"{mode} at {call.kind if call else ''} {at} of {Path(path).name}: {trouble}"
    return wound.call.kind if wound.call else "", trouble


def sweep(
    folder: Path, script: sessions.Script | None, wanted: float
) -> tuple[Counter[str], list[str]]:
    """(how often which kind of call failed, what went wrong): about so many points."""
    kinds: Counter[str] = Counter()
    troubles: list[str] = []
    point(folder, script, "EIO", -1)
    points = faults.install().calls * len(MODES)
    stride, told = max(1.0, points / wanted), 0
    while told * stride < points:
        at, mode = divmod(int(told * stride), len(MODES))
        kind, trouble = point(folder, script, MODES[mode], at)
        kinds[kind] += bool(kind)
        troubles += [trouble] if trouble else []
        told += 1
    return kinds, troubles


@contextmanager
def careless() -> Iterator[None]:
    """A store that takes a refused write for a written one."""
    real = store_thread.StoreThread._do

    def do(self: store_thread.StoreThread, write: store_thread.Write) -> None:
        try:
            value = self._transact(write)
        except Exception:
            value = None
        self._end(write, value, None)

    store_thread.StoreThread._do = do  # type: ignore[method-assign]
    try:
        yield
    finally:
        store_thread.StoreThread._do = real  # type: ignore[method-assign]


def measure() -> tuple[str, str, str, bool | None, str]:
    """Every call in the long form, every so many in the short one."""
    wanted = size(POINTS, LONG_POINTS)
    claim, limit = "every call to the disk fails once", "0 lost, 0 unsaid, work goes on"
    sessions.quiet()
    try:
        faults.install()
    except faults.NoHooks as error:
        return claim, "", limit, None, f"not run: {error}"
    store_thread.CHECKPOINT_AFTER = 5  # so that its calls fail too
    script = sessions.Script(SEED, ACTIONS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = sessions.fresh(folder / "before.segproj")
        sessions.play_all(sessions.Player(project), script.actions[:BEFORE], lambda _: None)
        project.close()
        kinds, troubles = sweep(folder, script, 0.8 * wanted)
        more, others = sweep(folder, None, 0.2 * wanted)
        with careless():
            planted = len(sweep(folder, script, PLANTED)[1])
    kinds, troubles = kinds + more, troubles + others
    failed = sum(kinds.values())
    seen = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()) if kind)
    return (
        claim,
        f"{len(troubles)} bad of {failed} faults",
        limit,
        not troubles and failed > POINTS // 2 and min(kinds["write"], kinds["sync"]) > 0 < planted,
        f"{seen}; a store that swallows errors: {planted} of {PLANTED} caught"
        f"{''.join('; ' + t for t in troubles[:5])}",
    )
