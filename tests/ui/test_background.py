"""Jobs beside the window."""

import threading

import pytest

from segstudio.errors import Cancelled, SegStudioError
from segstudio.ui.bridge.background import Background


class Ears:
    """Collects what a job tells."""

    def __init__(self):
        self.values, self.errors, self.progress, self.threads = [], [], [], []

    def success(self, value):
        self.values.append(value)
        self.threads.append(threading.current_thread())

    def failure(self, error):
        self.errors.append(error)

    def hear(self, fraction, text):
        self.progress.append((fraction, text))


def test_work_is_done_elsewhere_and_its_value_arrives_here(background, qtbot):
    ears = Ears()
    background.run(lambda _: threading.current_thread(), success=ears.success, failure=ears.failure)
    qtbot.waitUntil(lambda: bool(ears.values))
    assert ears.values[0] is not threading.main_thread()
    assert ears.threads == [threading.main_thread()]


def test_an_error_arrives_as_it_was(background, qtbot):
    ears, error = Ears(), SegStudioError("no")

    def op(_):
        raise error

    background.run(op, success=ears.success, failure=ears.failure)
    qtbot.waitUntil(lambda: bool(ears.errors))
    assert ears.errors == [error]


def test_progress_arrives_in_order(background, qtbot):
    ears = Ears()

    def op(job):
        for n in range(5):
            job.report(n / 4, str(n))
        return "done"

    background.run(op, success=ears.success, failure=ears.failure, progress=ears.hear)
    qtbot.waitUntil(lambda: bool(ears.values))
    assert ears.progress == [(n / 4, str(n)) for n in range(5)]


@pytest.mark.parametrize("ending", ["value", "error", "cancelled"])
def test_a_cancelled_job_is_silent_however_it_ends(background, qtbot, ending):
    ears, started, go_on, thrown = Ears(), threading.Event(), threading.Event(), []

    def op(job):
        started.set()
        go_on.wait(20)
        if ending == "error":
            raise SegStudioError("no")
        if ending == "cancelled":
            job.token.check()
        return "late"

    job = background.run(
        op, success=ears.success, failure=ears.failure, discard=thrown.append, progress=ears.hear
    )
    assert started.wait(20)
    job.token.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: not background._jobs)
    assert (ears.values, ears.errors) == ([], [])
    assert thrown == (["late"] if ending == "value" else [])


def test_closing_cancels_and_names_who_does_not_end(qtbot):
    background, ears = Background(), Ears()
    started, go_on = threading.Event(), threading.Event()

    def stubborn(_):
        started.set()
        go_on.wait(20)

    def obedient(job):
        job.token.wait(20)
        raise Cancelled

    background.run(stubborn, success=ears.success, failure=ears.failure, name="stubborn")
    background.run(obedient, success=ears.success, failure=ears.failure, name="obedient")
    assert started.wait(20)
    assert background.close(0.2) == ["segstudio-stubborn"]
    go_on.set()


def test_a_value_that_comes_after_closing_is_let_go(qtbot):
    background, ears, thrown = Background(), Ears(), []
    started, go_on = threading.Event(), threading.Event()

    def op(_):
        started.set()
        go_on.wait(20)
        return "late"

    background.run(op, success=ears.success, failure=ears.failure, discard=thrown.append)
    assert started.wait(20)
    background.close(0.1)
    go_on.set()
    qtbot.waitUntil(lambda: thrown == ["late"])
