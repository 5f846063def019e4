"""The border between a worker thread and the window."""

import threading

import pytest

from segstudio.ui.bridge.port import Port


@pytest.fixture
def port(qtbot):
    return Port()


def in_thread(work):
    thread = threading.Thread(target=work, name="segstudio-test")
    thread.start()
    thread.join(10)


def test_a_busy_window_gets_only_the_newest(port, qtbot):
    got = []
    port.arrived.connect(got.append)
    in_thread(lambda: [port.deliver(i) for i in range(1000)])
    qtbot.waitUntil(lambda: got == [999])


def test_values_arrive_in_the_window_thread_even_at_a_lambda(port, qtbot):
    seen = []
    port.arrived.connect(lambda _: seen.append(threading.current_thread()))
    port.failed.connect(lambda _: seen.append(threading.current_thread()))
    in_thread(lambda: (port.deliver(1), port.fail(ValueError("no"))))
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert set(seen) == {threading.main_thread()}


def test_a_window_that_keeps_up_misses_nothing(port, qtbot):
    got, taken = [], threading.Event()
    port.arrived.connect(lambda value: (got.append(value), taken.set()))

    def work():
        for i in range(20):
            port.deliver(i)
            taken.wait(5)
            taken.clear()

    thread = threading.Thread(target=work, name="segstudio-test")
    thread.start()
    qtbot.waitUntil(lambda: len(got) == 20)
    thread.join(5)
    assert got == list(range(20))


def test_a_dropped_value_never_arrives(port, qtbot):
    got = []
    port.arrived.connect(got.append)
    port.deliver("old")
    port.drop()
    port.deliver("new")
    qtbot.waitUntil(lambda: bool(got))
    assert got == ["new"]


def test_a_failure_is_told(port, qtbot):
    error = RuntimeError("gone")
    with qtbot.waitSignal(port.failed) as caught:
        in_thread(lambda: port.fail(error))
    assert caught.args == [error]
