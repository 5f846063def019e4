"""Several models on one frame: the same frame for all, in turn, and a broken one stops nobody."""

import threading
from types import SimpleNamespace

import pytest

from segstudio.engine.flow import CancelToken
from segstudio.engine.pipeline import Pipeline
from segstudio.engine.seats import Question
from segstudio.errors import Cancelled, ModelError
from tests.engine.conftest import FakeSource

PATIENCE_S = 20


class Model:
    """Answers with its name and the frame; `broken` raises, from then on."""

    def __init__(self, name, turns):
        self.card, self.device, self.name = SimpleNamespace(name=name), "cpu", name
        self.turns, self.broken, self.is_closed = turns, None, False

    def predict(self, frame, *, request=0):
        self.turns.append((self.name, frame.id.index))
        if self.broken is not None:
            raise self.broken
        return SimpleNamespace(model=self.name, frame=frame, request=request)

    def close(self):
        self.is_closed = True


class Heard:
    """What the pipeline told, and waiting for it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.results, self.states, self.answers, self.errors = [], [], [], []

    def take(self, where, value):
        with self.changed:
            where.append(value)
            self.changed.notify_all()

    def wait(self, expected):
        with self.changed:
            assert self.changed.wait_for(expected, PATIENCE_S), (self.results, self.states)

    def last(self):
        return self.results[-1]

    def wait_for(self, index, letters):
        self.wait(
            lambda: (
                self.results
                and self.last().frame.id.index == index
                and [a.letter for a in self.last().others] == letters
                and self.last().prediction is not None
            )
        )


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def pipeline(heard):
    made = Pipeline(
        FakeSource(),
        on_result=lambda r: heard.take(heard.results, r),
        on_error=lambda e: heard.take(heard.errors, e),
        on_compared=lambda s: heard.take(heard.states, s),
    )
    yield made
    made.stop()
    assert made.join(PATIENCE_S)


@pytest.fixture
def turns():
    return []


@pytest.fixture
def models(turns):
    return {name: Model(name, turns) for name in ("first", "second", "third")}


@pytest.fixture
def running(pipeline, models, heard):
    pipeline.set_model(lambda: models["first"])
    pipeline.set_compared({"B": lambda: models["second"], "C": lambda: models["third"]})
    pipeline.start()
    heard.wait_for(0, ["B", "C"])
    return pipeline


def test_all_models_answer_about_the_very_same_frame_in_turn(running, heard, turns):
    turns.clear()
    running.seek(7)
    heard.wait_for(7, ["B", "C"])
    result = heard.last()
    assert result.prediction.frame is result.frame
    assert all(a.prediction.frame is result.frame for a in result.others)
    assert [a.prediction.model for a in result.others] == ["second", "third"]
    assert turns[-3:] == [("first", 7), ("second", 7), ("third", 7)]


def test_a_model_that_fails_half_way_says_so_and_the_others_go_on(running, heard, models):
    models["second"].broken = ModelError("It broke; choose another.")
    running.seek(3)
    heard.wait(lambda: heard.last().frame.id.index == 3 and heard.last().others[0].error)
    assert heard.last().others[0].error == "It broke; choose another."
    assert heard.last().others[1].prediction.model == "third"
    assert heard.last().prediction.model == "first"
    assert heard.states[-1]["B"].kind == "failed"
    assert models["second"].is_closed
    running.seek(4)
    heard.wait_for(4, ["B", "C"])
    assert heard.last().others[0].error == "It broke; choose another."
    assert not heard.errors


def test_a_model_that_cannot_be_loaded_leaves_its_seat_empty(pipeline, heard, models):
    def broken():
        raise ModelError("No such weights; import them.")

    pipeline.set_model(lambda: models["first"])
    pipeline.set_compared({"B": broken, "C": lambda: models["third"]})
    pipeline.start()
    heard.wait_for(0, ["B", "C"])
    assert heard.last().others[0].error == "No such weights; import them."
    assert heard.last().others[1].prediction.model == "third"


def test_only_what_changed_is_loaded_anew(running, heard, models, turns):
    loads = []

    def load_third():
        loads.append("third")
        return models["third"]

    other = Model("other", turns)
    running.set_compared({"C": load_third, "D": lambda: other})
    heard.wait_for(0, ["C", "D"])
    assert models["second"].is_closed
    running.set_compared({"C": load_third})
    heard.wait_for(0, ["C"])
    assert loads == ["third"]
    assert other.is_closed
    assert not models["third"].is_closed or loads == ["third"]
    running.set_compared({})
    heard.wait_for(0, [])
    assert models["third"].is_closed


def test_a_question_is_answered_with_one_model_and_the_last_frame(running, heard):
    running.seek(5)
    heard.wait_for(5, ["B", "C"])
    ask = lambda letter, op: running.ask(  # noqa: E731
        Question(letter, op, lambda value: heard.take(heard.answers, value))
    )
    ask("B", lambda model, frame: (model.name, frame.id.index))
    heard.wait(lambda: heard.answers)
    assert heard.answers == [("second", 5)]
    ask("Z", lambda model, frame: 1)
    ask("A", lambda model, frame: 1 / 0)
    heard.wait(lambda: len(heard.answers) == 3)
    assert isinstance(heard.answers[1], Cancelled)
    assert isinstance(heard.answers[2], ZeroDivisionError)


def test_a_question_that_takes_long_hears_that_the_pipeline_stops(running, heard):
    token, is_asked = CancelToken(), threading.Event()

    def op(model, frame):
        is_asked.set()
        assert token.wait(PATIENCE_S)
        token.check()

    running.ask(Question("B", op, lambda value: heard.take(heard.answers, value), token))
    assert is_asked.wait(PATIENCE_S)
    running.stop()
    assert running.join(PATIENCE_S)
    assert isinstance(heard.answers[0], Cancelled)


def test_all_are_closed_at_the_end_and_open_questions_are_dropped(running, heard, models):
    running.stop()
    assert running.join(PATIENCE_S)
    assert all(model.is_closed for model in models.values())


def test_a_model_that_joins_while_the_first_is_loading_answers_about_the_frame_too(
    pipeline, heard, models
):
    is_loading, may_go_on = threading.Event(), threading.Event()

    def load():
        is_loading.set()
        assert may_go_on.wait(PATIENCE_S)
        return models["first"]

    pipeline.set_model(load)
    pipeline.start()
    assert is_loading.wait(PATIENCE_S)
    heard.wait(lambda: heard.results)  # the picture alone
    pipeline.set_compared({"B": lambda: models["second"]})
    may_go_on.set()
    heard.wait_for(0, ["B"])
