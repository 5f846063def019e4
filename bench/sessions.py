"""A scripted session of corrections, the project it is made in, and plain NumPy that knows better.

Everything follows from a seed, so a process that is killed and the one that looks at what is left
agree on what should be there. The model keeps a full copy of both planes after every step.
"""

import logging
import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.core import brush
from segstudio.core.classes import CAMVID, VOID
from segstudio.core.history import Entry, History
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED
from segstudio.core.paint_rule import PaintRule
from segstudio.core.steps import Step
from segstudio.errors import SegStudioError
from segstudio.store import schema
from segstudio.store.project import FrameAbout, FrameKey, Project, StoredFrame

SHAPE = (150, 200)
FRAMES = 3
T = TypeVar("T")
CLASSES = (0, 1, 2, VOID)
Plane = NDArray[np.uint8]
State = tuple[Plane, Plane]


@dataclass(frozen=True, slots=True)
class Action:
    """kind: brush, polygon, fill, draft, confirm, undo or redo. points: (y, x)."""

    kind: str
    frame: int
    points: tuple[tuple[int, int], ...] = ((0, 0),)
    radius: int = 0
    class_id: int = 0
    only: int | None = None
    locked: frozenset[int] = frozenset()


def area_of(action: Action, labels: Plane) -> brush.Area:
    """The pixels it would cover."""
    shape = (labels.shape[0], labels.shape[1])
    if action.kind == "brush":
        return brush.round_segment(action.points[0], action.points[-1], action.radius, shape)
    if action.kind == "fill":
        return brush.flood(labels, action.points[0])
    if action.kind == "draft":
        return brush.rectangle(action.points[0], action.points[-1], shape)
    return brush.polygon(action.points, shape)


def draft_of(action: Action, area: brush.Area) -> Plane:
    """What a net says there: two classes in a pattern."""
    y, x = np.mgrid[area.rect.y0 : area.rect.y1, area.rect.x0 : area.rect.x1]
    return np.asarray((y // 7 + x // 5) % 2 + action.class_id % 3, np.uint8)


@dataclass(slots=True)
class Model:
    """One frame as it must be: every state of both planes, and which is shown."""

    states: list[State] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    position: int = 0

    @staticmethod
    def blank(shape: tuple[int, int] = SHAPE) -> "Model":
        """Nothing said about any pixel."""
        return Model([(np.full(shape, VOID, np.uint8), np.zeros(shape, np.uint8))])

    @property
    def now(self) -> State:
        """(labels, origin) as shown."""
        return self.states[self.position]

    def play(self, action: Action) -> bool:
        """False when the action changes nothing, as then there is no step."""
        if action.kind in ("undo", "redo"):
            to = self.position + (1 if action.kind == "redo" else -1)
            if not 0 <= to < len(self.states):
                return False
            self.position = to
            return True
        old = self.now
        labels, origin = old[0].copy(), old[1].copy()
        if action.kind == "confirm":
            origin[:] = CONFIRMED
        else:
            area = area_of(action, labels)
            chosen = np.zeros(labels.shape, bool)
            chosen[area.rect.slices] = area.mask
            chosen &= ~np.isin(labels, list(action.locked))
            chosen &= (labels == action.only) | (action.only is None)
            if action.kind == "draft":
                chosen &= origin < PAINTED
                values = np.zeros_like(labels)
                values[area.rect.slices] = draft_of(action, area)
                labels[chosen], origin[chosen] = values[chosen], MODEL
            else:
                labels[chosen], origin[chosen] = action.class_id, PAINTED
        if np.array_equal(old[0], labels) and np.array_equal(old[1], origin):
            return False
        del self.states[self.position + 1 :], self.titles[self.position :]
        self.states.append((labels, origin))
        self.titles.append(action.kind)
        self.position += 1
        return True

    def copy(self) -> "Model":
        """As it is now; the planes are shared, since nobody writes to them."""
        return Model(list(self.states), list(self.titles), self.position)


def make_step(action: Action, document: LabelDocument) -> Step | None:
    """The same in the document of the program."""
    if action.kind == "confirm":
        return document.confirm()
    area = area_of(action, document.labels)
    rule = PaintRule(action.only, action.locked)
    document.begin(action.kind)
    if action.kind == "draft":
        document.put(area, draft_of(action, area), origin=MODEL, rule=rule)
    else:
        document.paint(area, action.class_id, rule=rule)
    return document.commit()


def random_action(rng: random.Random, frame: int, shape: tuple[int, int]) -> Action:
    """Mostly strokes, as people do; points may lie a little outside."""
    kind = rng.choices(
        ("brush", "polygon", "fill", "draft", "confirm", "undo", "redo"), (9, 3, 1, 2, 0.4, 4, 3)
    )[0]

    def point() -> tuple[int, int]:
        return rng.randrange(-9, shape[0] + 9), rng.randrange(-9, shape[1] + 9)

    points = tuple(point() for _ in range(4 if kind == "polygon" else 2))
    if kind == "fill":
        points = ((rng.randrange(shape[0]), rng.randrange(shape[1])),)
    locked = frozenset(rng.sample(CLASSES, 1)) if rng.random() < 0.2 else frozenset()
    only = rng.choice(CLASSES) if rng.random() < 0.1 else None
    return Action(kind, frame, points, rng.randrange(1, 14), rng.choice(CLASSES), only, locked)


class Script:
    """`length` actions that each change something, and the frames after every one of them.

    after[k]: frame → Model when the first k actions are done; only frames touched so far.
    """

    def __init__(self, seed: int, length: int, shape: tuple[int, int] = SHAPE) -> None:
        rng = random.Random(seed)
        self.shape = shape
        self.actions: list[Action] = []
        self.after: list[dict[int, Model]] = [{}]
        models: dict[int, Model] = {}
        frame = 0
        while len(self.actions) < length:
            if rng.random() < 0.2:
                frame = rng.randrange(FRAMES)
            action = random_action(rng, frame, shape)
            model = models.get(frame) or Model.blank(shape)
            if not model.play(action):
                continue
            models[frame] = model
            self.actions.append(action)
            self.after.append({**self.after[-1], frame: model.copy()})


class Player:
    """Does what the window does: documents and histories over the project, frame by frame."""

    def __init__(self, project: Project, shape: tuple[int, int] = SHAPE) -> None:
        self.project = project
        self.shape = shape
        self.media = project.add_media(
            fingerprint="0" * 32,
            title="scripted",
            kind="images",
            path=project.path.with_name("scripted"),
            width=shape[1],
            height=shape[0],
            frames=FRAMES,
        ).id
        self._key: FrameKey | None = None
        self.document = LabelDocument(*Model.blank(shape).now)
        self.history = History()

    def show(self, frame: int) -> None:
        """Go to another frame: what is stored comes back, with its history."""
        key = FrameKey(self.media, frame)
        if key == self._key:
            return
        self.document, self.history = opened(self.project, key, self.shape)
        self._key = key

    def play(self, action: Action) -> "Future[None] | None":
        """The write that was handed over; None when nothing changed."""
        self.show(action.frame)
        key, history, document = self._key, self.history, self.document
        assert key is not None
        if action.kind in ("undo", "redo"):
            step, is_redo = _next_step(history, action.kind), action.kind == "redo"
            if step is None:
                return None
            (history.redo if is_redo else history.undo)(document)
            tiles = [(t.row, t.col, t.after if is_redo else t.before) for t in step.tiles]
            return self.project.move(key, history.position, tiles, counts_of(document))
        made = make_step(action, document)
        if made is None:
            return None
        number = history.position
        history.push(made, key=number)
        about = FrameAbout(
            time_us=None,
            fingerprint=action.frame,
            name=f"frame {action.frame}",
            height=self.shape[0],
            width=self.shape[1],
        )
        return self.project.push(key, number, made, counts_of(document), about)


def _next_step(history: History, kind: str) -> Step | None:
    """The step that undo or redo is about to take, read from the store when it left memory."""
    at = history.position - (kind == "undo")
    if not 0 <= at < len(history.entries):
        return None
    step: Step = history._step(history.entries[at])
    return step


def counts_of(document: LabelDocument) -> tuple[int, ...]:
    """Pixels by origin, five of them."""
    return tuple(int(n) for n in document.origin_counts[:5])


def opened(
    project: Project, key: FrameKey, shape: tuple[int, int]
) -> tuple[LabelDocument, History]:
    """The document and its history as the project has them; blank when it has none."""
    stored = project.load(key)
    if stored is None:
        return LabelDocument(*Model.blank(shape).now), History()
    history = History(fetch=lambda number: project.step(key, number), budget_bytes=1 << 14)
    history.entries = [
        Entry(r.title, r.class_id, r.pixels, r.rect, number, None)
        for number, r in enumerate(stored.history)
    ]
    history.position = stored.summary.position
    return LabelDocument(stored.labels, stored.origin), history


def quiet() -> None:
    """Refusals of the disk are what is looked for here; the log need not tell of each."""
    logging.getLogger("segstudio").setLevel(logging.CRITICAL)


@contextmanager
def journal(*, rollback: bool) -> Iterator[None]:
    """rollback: files as on a network drive, with a rollback journal instead of a log."""
    real = schema.is_network_drive
    if rollback:
        schema.is_network_drive = lambda _: True
    try:
        yield
    finally:
        schema.is_network_drive = real


def fresh(path: Path) -> Project:
    """A new project."""
    return Project.create(path, CAMVID)


def patiently(ask: Callable[[], T], times: int) -> T:
    """Ask again where a disk that fails may make the project say no."""
    for _ in range(times - 1):
        with suppress(SegStudioError):
            return ask()
    return ask()


def play_all(
    player: Player,
    actions: Iterable[Action],
    told: Callable[[int], None],
    start: int = 0,
    patience: int = 1,
) -> None:
    """Hand over every action; told(k) in the store's thread when the first k are on the disk."""
    for number, action in enumerate(actions, start + 1):
        write = patiently(lambda a=action: player.play(a), patience)
        assert write is not None, "the script and the program differ in what changes something"
        write.add_done_callback(lambda w, n=number: None if w.exception() else told(n))


def stored_frames(project: Project, media: int) -> dict[int, StoredFrame | None]:
    """All that the script could touch."""
    return {i: project.load(FrameKey(media, i)) for i in range(FRAMES)}


def differs(project: Project, models: dict[int, Model], media: int) -> str:
    """ "" or how the project differs from the models of its frames; untouched ones do not count."""
    touched = {i: model for i, model in models.items() if len(model.states) > 1}
    return _differs(project, touched, stored_frames(project, media), media)


def found(project: Project, script: Script, least: int, media: int) -> tuple[int, str]:
    """(k, ""): the project holds exactly the first k actions, k ≥ least; else (-1, what it is)."""
    stored = stored_frames(project, media)
    trouble = "no frame"
    for k in range(least, len(script.after)):
        trouble = _differs(project, script.after[k], stored, media)
        if not trouble:
            return k, ""
        if "history" in trouble:  # the planes agree, so this was the one
            break
    return -1, trouble


def _differs(
    project: Project, models: dict[int, Model], stored: dict[int, StoredFrame | None], media: int
) -> str:
    """ "" or how the frames differ from the models."""
    for i in range(FRAMES):
        model, frame = models.get(i), stored[i]
        if (model is None) != (frame is None):
            return f"frame {i} is {'there' if model is None else 'missing'}"
        if model is None or frame is None:
            continue
        titles = ["Confirm frame" if t == "confirm" else t for t in model.titles]
        same = np.array_equal(frame.labels, model.now[0])
        if not same or not np.array_equal(frame.origin, model.now[1]):
            return f"frame {i} has other pixels"
        if frame.summary.position != model.position or [r.title for r in frame.history] != titles:
            return f"frame {i} is at another step"
    for i, model in models.items():
        frame = stored[i]
        assert frame is not None
        if list(frame.summary.counts) != np.bincount(model.now[1].ravel(), minlength=5).tolist():
            return f"the history of frame {i}: its counts are wrong"
        if trouble := _walks(project, FrameKey(media, i), model):
            return f"the history of frame {i}: {trouble}"
    return ""


def _walks(project: Project, key: FrameKey, model: Model) -> str:
    """ "" when every undo and redo of the stored history leads where the model was."""
    shape = (model.now[0].shape[0], model.now[0].shape[1])
    document, history = opened(project, key, shape)
    ways = (
        (history.undo, range(model.position - 1, -1, -1)),
        (history.redo, range(1, len(model.states))),
    )
    for move, positions in ways:
        for at in positions:
            if move(document) is None:
                return f"no step to {at}"
            labels, origin = model.states[at]
            if not np.array_equal(document.labels, labels):
                return f"other labels at step {at}"
            if not np.array_equal(document.origin, origin):
                return f"other origins at step {at}"
    return ""
