"""R4: random corrections, undone, redone and reopened, equal plain NumPy after every step.

Hypothesis makes up sessions of strokes with rules and locks, polygons, fills, drafts, confirmed and
abandoned steps, undo, redo, changes of frame and closing and opening the project, over the real
document, history and project file. Six bugs are planted, one after the other: each must be found,
or the row fails.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import sessions
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sizes import size

from rows.kills import MEDIA
from segstudio.core.geometry import Rect
from segstudio.core.history import Entry, History
from segstudio.core.labels import LabelDocument
from segstudio.core.steps import TILE, Step
from segstudio.store import frame_rows
from segstudio.store.project import FrameKey, Project, StoredFrame

RUNS, LONG_RUNS = 60, 2000
STEPS, LONG_STEPS = 40, 100
PLANTED_RUNS = 60
SEED = 4

frames = st.integers(0, sessions.FRAMES - 1)
points = st.tuples(st.integers(-9, sessions.SHAPE[0] + 9), st.integers(-9, sessions.SHAPE[1] + 9))
inside = st.tuples(st.integers(0, sessions.SHAPE[0] - 1), st.integers(0, sessions.SHAPE[1] - 1))
classes = st.sampled_from(sessions.CLASSES)
locks = st.frozensets(classes, max_size=2)
only = st.none() | classes


class Walk(RuleBasedStateMachine):
    """One session. walked: steps of all sessions so far."""

    walked = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="walk-"))
        self.models: dict[int, sessions.Model] = {}
        self.frame = 0
        self.project = sessions.fresh(self.folder / "walk.segproj")
        self.player = sessions.Player(self.project)
        self.player.show(0)

    @property
    def model(self) -> sessions.Model:
        """Of the frame that is shown."""
        return self.models.setdefault(self.frame, sessions.Model.blank())

    def do(self, kind: str, *where: tuple[int, int], **how: object) -> None:
        """Both sides; both must agree on whether something changed."""
        Walk.walked += 1
        action = sessions.Action(kind, self.frame, where or ((0, 0),), **how)  # type: ignore[arg-type]
        write = self.player.play(action)
        assert (write is not None) == self.model.play(action), f"{kind}: one side did nothing"

    @rule(a=points, b=points, radius=st.integers(0, 30), c=classes, only=only, locked=locks)
    def brush(self, a, b, radius, c, only, locked) -> None:
        """A stroke."""
        self.do("brush", a, b, radius=radius, class_id=c, only=only, locked=locked)

    @rule(corners=st.lists(points, min_size=3, max_size=5), c=classes, locked=locks)
    def polygon(self, corners, c, locked) -> None:
        """A polygon."""
        self.do("polygon", *corners, class_id=c, locked=locked)

    @rule(at=inside, c=classes)
    def fill(self, at, c) -> None:
        """A fill."""
        self.do("fill", at, class_id=c)

    @rule(a=points, b=points, c=st.integers(0, 2), locked=locks)
    def draft(self, a, b, c, locked) -> None:
        """What a net says, where no human painted."""
        self.do("draft", a, b, class_id=c, locked=locked)

    @rule()
    def confirm(self) -> None:
        """The whole frame."""
        self.do("confirm")

    @rule(a=points, b=points, c=classes)
    def abandon(self, a, b, c) -> None:
        """A stroke that is taken back before it is finished."""
        Walk.walked += 1
        document = self.player.document
        document.begin("Brush")
        action = sessions.Action("brush", self.frame, (a, b), 9, c)
        document.paint(sessions.area_of(action, document.labels), c)
        document.abort()

    @rule(times=st.integers(1, 5))
    def undo(self, times) -> None:
        """Up to five steps."""
        for _ in range(times):
            self.do("undo")

    @rule(times=st.integers(1, 5))
    def redo(self, times) -> None:
        """Up to five steps."""
        for _ in range(times):
            self.do("redo")

    @rule(frame=frames)
    def change_frame(self, frame) -> None:
        """The window does this with every key press."""
        Walk.walked += 1
        self.frame = frame
        self.player.show(frame)

    @rule()
    def reopen(self) -> None:
        """Close the project and open it again."""
        Walk.walked += 1
        assert self.project.close()
        self.project = Project.open(self.project.path)
        self.player = sessions.Player(self.project)
        self.player.show(self.frame)

    @invariant()
    def is_as_the_model(self) -> None:
        """Pixels, counts and history of what is shown."""
        document, history = self.player.document, self.player.history
        labels, origin = self.model.now
        assert np.array_equal(document.labels, labels), "other labels"
        assert np.array_equal(document.origin, origin), "other origins"
        counts = np.bincount(origin.ravel(), minlength=256)
        assert np.array_equal(document.origin_counts, counts), "other counts"
        assert history.position == self.model.position, "another position"
        assert len(history.entries) == len(self.model.titles), "another history"

    def teardown(self) -> None:
        """Every frame once more from the disk."""
        try:
            self.project.close()
            # A failed step has said enough; what would follow from it need not be said too.
            if sys.exc_info()[0] is None:
                project = Project.open(self.project.path)
                try:
                    trouble = sessions.differs(project, self.models, MEDIA)
                    assert not trouble, trouble
                finally:
                    project.close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def walk(runs: int, steps: int, *, shrink: bool = False) -> None:
    """Raises what the first session that went wrong raised."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Walk,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- planted bugs: (owner, name, what stands there instead, made from what stood there)


def _touch_late(real: Callable[..., object]) -> Callable[..., object]:
    def write(self: LabelDocument, *arguments: object, **named: object) -> object:
        late: list[Rect] = []
        self._touch = late.append  # type: ignore[method-assign]
        try:
            return real(self, *arguments, **named)
        finally:
            del self._touch
            for rect in late:
                self._touch(rect)

    return write


def _keep_redo(_: Callable[..., object]) -> Callable[..., object]:
    def push(self: History, step: Step, *, key: int | None = None) -> None:
        entry = Entry(step.title, step.class_id, step.pixels, step.rect, key, step)
        self.entries.insert(self.position, entry)
        self.position += 1

    return push


def _keep_origin(real: Callable[..., object]) -> Callable[..., object]:
    def restore(self: LabelDocument, tiles: object) -> object:
        origin = self.origin.copy()
        change = real(self, tiles)
        self.origin[:] = origin
        return change

    return restore


def _forget_last_row(real: Callable[..., object]) -> Callable[..., object]:
    def touch(self: LabelDocument, rect: Rect) -> None:
        last = (self.labels.shape[0] - 1) // TILE * TILE
        if rect.y0 < last:
            real(self, Rect(rect.y0, rect.x0, min(rect.y1, last), rect.x1))

    return touch


def _off_by_one(real: Callable[..., object]) -> Callable[..., object]:
    def load(*arguments: object) -> object:
        frame = real(*arguments)
        if not isinstance(frame, StoredFrame) or not frame.summary.position:
            return frame
        return replace(frame, summary=replace(frame.summary, position=frame.summary.position - 1))

    return load


def _move_without_tiles(real: Callable[..., object]) -> Callable[..., object]:
    def move(connection: object, key: FrameKey, position: int, _: object, counts: object) -> object:
        return real(connection, key, position, [], counts)

    return move


BUGS: dict[str, tuple[object, str, Callable[[Callable[..., object]], Callable[..., object]]]] = {
    "tiles copied after the stroke": (LabelDocument, "_write", _touch_late),
    "redo not cut off": (History, "push", _keep_redo),
    "origin not restored": (LabelDocument, "_restore", _keep_origin),
    "last row of tiles forgotten": (LabelDocument, "_touch", _forget_last_row),
    "position off by one after reopening": (frame_rows, "load", _off_by_one),
    "undo not stored": (frame_rows, "move", _move_without_tiles),
}


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """The program with one bug more."""
    owner, name, change = BUGS[bug]
    real = getattr(owner, name)
    setattr(owner, name, change(real))
    try:
        yield
    finally:
        setattr(owner, name, real)


def is_found(bug: str) -> bool:
    """Whether the walk notices."""
    with planted(bug):
        try:
            walk(PLANTED_RUNS, STEPS)
        except Exception:
            return True
    return False


def measure() -> tuple[str, str, str, bool | None, str]:
    """The bugs first: a walk that finds none of them proves nothing."""
    sessions.quiet()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    missed = [bug for bug in BUGS if not is_found(bug)]
    Walk.walked = 0
    runs, steps = size(RUNS, LONG_RUNS), size(STEPS, LONG_STEPS)
    trouble = ""
    try:
        walk(runs, steps, shrink=True)
    except Exception as error:
        notes = getattr(error, "__notes__", [])
        trouble = f"{type(error).__name__}: {error} {' '.join(notes)}"
    return (
        "undo, redo, reopen against NumPy",
        f"{'wrong' if trouble else '0 wrong'} in {Walk.walked} steps; {len(BUGS) - len(missed)} of"
        f" {len(BUGS)} bugs found",
        "0 wrong; every planted bug found",
        not trouble and not missed and Walk.walked > runs * steps / 4,
        "; ".join([trouble] * bool(trouble) + [f"not found: {bug}" for bug in missed]),
    )
