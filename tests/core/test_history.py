"""The list of steps: undo, redo, memory, bytes."""

import numpy as np
import pytest

from segstudio.core import brush
from segstudio.core.classes import CAMVID
from segstudio.core.history import History
from segstudio.core.labels import LabelDocument
from segstudio.core.step_bytes import step_from_bytes, step_to_bytes
from segstudio.errors import SegStudioError

SHAPE = (150, 200)


@pytest.fixture
def document():
    return LabelDocument(np.full(SHAPE, 255, np.uint8), np.zeros(SHAPE, np.uint8))


def painted(document, i):
    document.begin("Brush")
    document.paint(brush.round_segment((10 * i, 5), (10 * i, 190), 6, SHAPE), i)
    return document.commit()


def test_a_new_step_cuts_off_what_could_be_redone(document):
    history = History()
    history.push(painted(document, 1))
    history.push(painted(document, 2))
    history.undo(document)
    history.push(painted(document, 8))
    assert not history.can_redo
    assert [e.class_id for e in history.entries] == [1, 8]
    assert history.entries[1].text(CAMVID) == f"Brush · Car · {history.entries[1].pixels:,} px"


def test_steps_out_of_memory_come_back_from_the_store(document):
    store = {}
    history = History(fetch=lambda key: step_from_bytes(store[key]), budget_bytes=1)
    states = [document.labels.copy()]
    for i in range(8):
        step = painted(document, i)
        store[i] = step_to_bytes(step)
        history.push(step, key=i)
        states.append(document.labels.copy())
    assert sum(e.step is not None for e in history.entries) == 1
    for state in reversed(states[:-1]):
        history.undo(document)
        np.testing.assert_array_equal(document.labels, state)
    for state in states[1:]:
        history.redo(document)
        np.testing.assert_array_equal(document.labels, state)
    assert history.redo(document) is None


def test_every_damaged_byte_of_a_step_is_noticed(document):
    step = painted(document, 3)
    data = step_to_bytes(step)
    assert step_from_bytes(data) == step
    for at in range(0, len(data), 7):
        broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(SegStudioError):
            step_from_bytes(broken)
        with pytest.raises(SegStudioError):
            step_from_bytes(data[:at])
