"""Any order of strokes, drafts, undo and redo against a plain model that keeps full copies."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from segstudio.core import brush
from segstudio.core.history import History
from segstudio.core.labels import LabelDocument
from segstudio.core.paint_rule import PaintRule
from segstudio.core.step_bytes import step_from_bytes, step_to_bytes

SHAPE = (140, 170)
CONFIDENCE = np.add.outer(np.arange(140), np.arange(170)).astype(np.uint8)

point = st.tuples(st.integers(-15, 155), st.integers(-15, 185))
classes = st.sampled_from([0, 1, 2, 255])
rules = st.one_of(
    st.just(PaintRule()),
    st.builds(
        PaintRule,
        only=st.sampled_from([None, 0, 1, 255]),
        locked=st.frozensets(classes),
        confidence=st.sampled_from([None, CONFIDENCE]),
        below=st.integers(0, 256),
    ),
)


class Painting(RuleBasedStateMachine):
    """labels, origin: the model. states: full copies by position in the history."""

    def __init__(self):
        super().__init__()
        self.labels, self.origin = np.full(SHAPE, 255, np.uint8), np.zeros(SHAPE, np.uint8)
        self.document = LabelDocument(self.labels, self.origin)
        self.store = {}
        self.history = History(fetch=lambda k: step_from_bytes(self.store[k]), budget_bytes=900)
        self.states, self.position, self.keys = [self.now()], 0, 0

    def now(self):
        return self.labels.copy(), self.origin.copy()

    @precondition(lambda self: not self.document.is_busy)
    @rule()
    def begin(self):
        self.document.begin("Brush")

    def expect(self, change, area, patch, allowed, origin, before):
        """Do it in the model too, and compare what the document answered."""
        if not area.mask.any():
            assert change is None
            return
        covered = np.zeros(SHAPE, bool)
        covered[area.rect.slices] = area.mask
        chosen = covered & allowed
        whole = np.zeros(SHAPE, np.uint8)
        whole[area.rect.slices] = patch
        differs = chosen & ((self.labels != whole) | (self.origin != origin))
        assert change.blocked == int((covered & ~allowed).sum())
        assert change.pixels == int(differs.sum())
        np.testing.assert_array_equal(change.before_labels, before[0][change.rect.slices])
        np.testing.assert_array_equal(change.before_origin, before[1][change.rect.slices])
        self.labels[chosen], self.origin[chosen] = whole[chosen], origin

    def allowed(self, rule, *, over_human):
        allowed = ~np.isin(self.labels, list(rule.locked))
        if rule.only is not None:
            allowed &= self.labels == rule.only
        if rule.confidence is not None:
            allowed &= rule.confidence < rule.below
        return allowed if over_human else allowed & (self.origin < 3)

    @precondition(lambda self: self.document.is_busy)
    @rule(a=point, b=point, radius=st.integers(0, 25), class_id=classes, rule=rules,
          origin=st.sampled_from([1, 2, 3, 3, 3]), is_round=st.booleans())  # fmt: skip
    def paint(self, a, b, radius, class_id, rule, origin, is_round):
        segment = brush.round_segment if is_round else brush.square_segment
        area, before = segment(a, b, radius, SHAPE), self.now()
        change = self.document.paint(area, class_id, rule=rule, origin=origin)
        allowed = self.allowed(rule, over_human=origin >= 3)
        self.expect(change, area, class_id, allowed, origin, before)

    @precondition(lambda self: self.document.is_busy)
    @rule(a=point, b=point, rule=rules, origin=st.integers(0, 3), over_human=st.booleans())
    def put(self, a, b, rule, origin, over_human):
        area, before = brush.rectangle(a, b, SHAPE), self.now()
        y, x = np.ogrid[area.rect.slices]
        patch = ((y // 9 + x // 5) % 3).astype(np.uint8)
        change = self.document.put(area, patch, origin=origin, rule=rule, over_human=over_human)
        self.expect(change, area, patch, self.allowed(rule, over_human=over_human), origin, before)

    def push(self, step):
        before = self.states[self.position]
        differs = (before[0] != self.labels) | (before[1] != self.origin)
        if step is None:
            assert not differs.any()
            return
        ys, xs = np.nonzero(differs)
        box = (step.rect.y0, step.rect.x0, step.rect.y1, step.rect.x1)
        assert (step.pixels, box) == (
            ys.size, (ys.min(), xs.min(), ys.max() + 1, xs.max() + 1)
        )  # fmt: skip
        self.keys += 1
        self.store[self.keys] = step_to_bytes(step)
        self.history.push(step, key=self.keys)
        self.states[self.position + 1 :] = [self.now()]
        self.position += 1

    @precondition(lambda self: self.document.is_busy)
    @rule()
    def commit(self):
        self.push(self.document.commit())

    @precondition(lambda self: self.document.is_busy)
    @rule()
    def abort(self):
        self.document.abort()
        self.back_to(self.position)

    @precondition(lambda self: not self.document.is_busy)
    @rule()
    def confirm(self):
        self.origin[:] = 4
        self.push(self.document.confirm())

    def back_to(self, position):
        self.position = position
        self.labels, self.origin = (plane.copy() for plane in self.states[position])

    @precondition(lambda self: not self.document.is_busy)
    @rule(times=st.integers(1, 4))
    def undo(self, times):
        for _ in range(times):
            assert (self.history.undo(self.document) is not None) == (self.position > 0)
            self.back_to(max(0, self.position - 1))

    @precondition(lambda self: not self.document.is_busy)
    @rule(times=st.integers(1, 4))
    def redo(self, times):
        last = len(self.states) - 1
        for _ in range(times):
            assert (self.history.redo(self.document) is not None) == (self.position < last)
            self.back_to(min(last, self.position + 1))

    @invariant()
    def is_the_same(self):
        np.testing.assert_array_equal(self.document.labels, self.labels)
        np.testing.assert_array_equal(self.document.origin, self.origin)
        counts = np.bincount(self.origin.ravel(), minlength=256)
        np.testing.assert_array_equal(self.document.origin_counts, counts)
        assert self.document.human_share == (self.origin >= 3).mean()
        assert self.history.position == self.position
        steps = [e.step for e in self.history.entries if e.step is not None]
        assert self.history.memory_bytes == sum(s.size_bytes for s in steps)


TestPainting = Painting.TestCase
TestPainting.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True
)
