"""Frames on their way: what is shown, what is passed over, and how it ends.

Nothing here sleeps or looks at a clock: sources and nets wait at gates, and the tests wait for
what they expect to be told.
"""

import threading
from types import SimpleNamespace

import pytest

from segstudio.core.frame import Frame
from segstudio.engine.pipeline import ModelState, Pipeline, PipelineResult, PlayState
from segstudio.errors import FrameMissing, MediaError, ModelError, OutOfMemory
from tests.engine.conftest import FakeSource

PATIENCE_S = 20


class Sink:
    """Everything a pipeline tells; waits for what a test expects."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.results: list[PipelineResult] = []
        self.errors: list[Exception] = []
        self.models: list[ModelState] = []
        self.plays: list[PlayState] = []
        self.inside = 0
        self.overlaps = 0

    def _take(self, where: list, value: object) -> None:
        with self.changed:
            self.inside += 1
            self.overlaps += self.inside > 1
        with self.changed:
            where.append(value)
            self.inside -= 1
            self.changed.notify_all()

    def pipeline(self, source) -> Pipeline:
        return Pipeline(
            source,
            on_result=lambda r: self._take(self.results, r),
            on_error=lambda e: self._take(self.errors, e),
            on_model=lambda m: self._take(self.models, m),
            on_play=lambda p: self._take(self.plays, p),
        )

    def wait(self, expected) -> None:
        with self.changed:
            assert self.changed.wait_for(expected, PATIENCE_S), (
                f"results {self.indices}, errors {self.errors}, models {self.models},"
                f" plays {self.plays}"
            )

    @property
    def indices(self) -> list[int]:
        return [r.frame.id.index for r in self.results]

    @property
    def predicted(self) -> list[int]:
        return [r.frame.id.index for r in self.results if r.prediction is not None]

    def wait_for_frame(self, index: int) -> None:
        self.wait(lambda: self.indices and self.indices[-1] == index)

    def wait_for_end(self) -> None:
        self.wait(lambda: self.plays and not self.plays[-1].playing and len(self.plays) > 1)


class FakePredictor:
    """Answers with the frame's number. gate: cleared, it is busy. started: counts begun frames."""

    def __init__(self, name: str = "fake", error: Exception | None = None) -> None:
        self.card = SimpleNamespace(name=name)
        self.device = "cpu"
        self.error = error
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Semaphore(0)
        self.is_closed = False

    def predict(self, frame: Frame, *, request: int = 0):
        self.started.release()
        assert self.gate.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(frame=frame, request=request)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def run(sink):
    """Starts pipelines and ends them after the test."""
    made = []

    def start(source: FakeSource, predictor: FakePredictor | None = None) -> Pipeline:
        pipeline = sink.pipeline(source)
        made.append((pipeline, predictor))
        pipeline.start()
        if predictor is not None:
            pipeline.set_model(lambda: predictor)
            sink.wait(lambda: sink.models and sink.models[-1].kind == "ready")
            sink.wait(lambda: sink.predicted)
        else:
            sink.wait(lambda: sink.results)
        return pipeline

    yield start
    for pipeline, predictor in made:
        if predictor is not None:
            predictor.gate.set()
        pipeline.stop()
        assert pipeline.join(PATIENCE_S)
    assert sink.overlaps == 0


def test_the_first_frame_is_shown_without_a_model(run, sink):
    pipeline = run(FakeSource())
    assert sink.indices == [0]
    assert sink.results[0].prediction is None
    assert pipeline.state == PlayState(playing=False, speed=1.0, loop=False, index=0)


def test_playing_shows_the_frames_in_order_and_pauses_on_the_last(run, sink):
    pipeline = run(FakeSource(12))
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait_for_frame(11)
    sink.wait_for_end()
    assert sink.indices == list(range(12))
    assert [p.playing for p in sink.plays] == [False, True, False]
    assert pipeline.state.index == 11


def test_a_slow_net_skips_to_the_newest_frame(run, sink):
    net = FakePredictor()
    pipeline = run(FakeSource(20), net)
    before = len(sink.results)
    net.gate.clear()
    pipeline.refresh()
    assert net.started.acquire(timeout=PATIENCE_S)
    pipeline.play()
    sink.wait_for_end()
    net.gate.set()
    sink.wait_for_frame(19)
    assert sink.predicted[-1] == 19
    new = sink.results[before:]
    assert sum(r.skipped for r in new) + len(set(sink.indices) - {0}) == 19
    assert max(r.skipped for r in new) >= 15


def test_every_frame_waits_for_a_slow_net(run, sink):
    source = FakeSource(60, stamps=[0] * 60)

    class AlwaysLate(FakePredictor):
        """Busy until the frame after the next one was read."""

        def predict(self, frame: Frame, *, request: int = 0):
            if frame.id.index > 0:
                source.wait_for_read(min(frame.id.index + 2, 59))
            return super().predict(frame, request=request)

    pipeline = run(source, AlwaysLate())
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait_for_frame(59)
    assert sorted(set(sink.predicted)) == list(range(60))
    assert sum(r.skipped for r in sink.results if r.frame.id.index) == 0


def test_a_prediction_is_always_of_its_own_frame(run, sink):
    pipeline = run(FakeSource(30), FakePredictor())
    pipeline.play(8.0)
    sink.wait_for_frame(29)
    assert all(r.prediction.frame is r.frame for r in sink.results if r.prediction)
    assert all(r.prediction.request == r.request for r in sink.results if r.prediction)


def test_of_many_seeks_the_newest_wins_and_none_queues(run, sink):
    source = FakeSource(100)
    pipeline = run(source)
    source.gate.clear()
    pipeline.seek(30)
    source.wait_for_read(30)
    for index in (40, 50, 60, 70):
        pipeline.seek(index)
    source.gate.set()
    sink.wait_for_frame(70)
    assert source.reads == [0, 30, 70]


def test_a_seek_is_kept_inside_the_source(run, sink):
    pipeline = run(FakeSource(10))
    pipeline.seek(10_000)
    sink.wait_for_frame(9)
    pipeline.seek(-5)
    sink.wait_for_frame(0)
    assert sink.errors == []


def test_steps_are_exact_in_both_directions(run, sink):
    pipeline = run(FakeSource(10))
    pipeline.seek(5)
    sink.wait_for_frame(5)
    pipeline.step(-1)
    sink.wait_for_frame(4)
    pipeline.step(1)
    sink.wait_for_frame(5)
    pipeline.step(-100)
    sink.wait_for_frame(0)


def test_steps_add_up_while_a_frame_is_still_being_read(run, sink):
    source = FakeSource(50)
    pipeline = run(source)
    source.gate.clear()
    pipeline.seek(20)
    source.wait_for_read(20)
    for _ in range(3):
        pipeline.step(1)
    pipeline.step(-1)
    source.gate.set()
    sink.wait_for_frame(22)


def test_a_step_pauses_playing(run, sink):
    pipeline = run(FakeSource(1000, stamps=[i * 10_000_000 for i in range(1000)]))
    pipeline.play()
    sink.wait(lambda: sink.plays[-1].playing)
    pipeline.step(1)
    sink.wait_for_frame(1)
    sink.wait(lambda: not sink.plays[-1].playing)
    assert not pipeline.state.playing


def test_play_at_the_end_starts_again(run, sink):
    pipeline = run(FakeSource(6))
    pipeline.seek(5)
    sink.wait_for_frame(5)
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait(lambda: sink.indices[-6:] == [0, 1, 2, 3, 4, 5])


def test_a_loop_goes_on_from_the_start(run, sink):
    pipeline = run(FakeSource(4))
    pipeline.set_loop(True)
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait(lambda: len(sink.indices) >= 11)
    pipeline.pause()
    assert sink.indices[:9] == [0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_a_still_does_not_play(run, sink):
    pipeline = run(FakeSource(1, kind="image", stamps=[]))
    pipeline.set_loop(True)
    pipeline.play()
    sink.wait(lambda: any(p.playing for p in sink.plays) and not sink.plays[-1].playing)
    assert sink.indices == [0]


def test_a_frame_that_was_not_due_before_a_pause_is_not_read_again(run, sink):
    source = FakeSource(5, stamps=[i * 10**12 for i in range(5)])
    pipeline = run(source)
    pipeline.play()
    source.wait_for_read(1)
    pipeline.pause()
    sink.wait(lambda: len(sink.plays) > 1 and not sink.plays[-1].playing)
    assert sink.indices == [0]
    pipeline.step(1)
    sink.wait_for_frame(1)
    assert source.reads == [0, 1]


def test_files_of_a_sequence_are_passed_over_unread(run, sink):
    """Here 1000 pictures are due in one millisecond."""
    source = FakeSource(1000, kind="sequence", stamps=list(range(1000)))
    pipeline = run(source)
    pipeline.play()
    sink.wait_for_frame(999)
    assert len(source.reads) < 900
    assert sum(r.skipped for r in sink.results) + len(sink.results) == 1000


def test_frames_that_cannot_be_decoded_are_told_once_and_passed(run, sink):
    source = FakeSource(12)
    source.missing = {4, 5, 6, 9}
    pipeline = run(source)
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait_for_frame(11)
    assert sink.indices == [0, 1, 2, 3, 7, 8, 10, 11]
    assert [str(e)[:8] for e in sink.errors] == ["Frame 4 ", "Frame 9 "]


def test_a_damaged_frame_is_shown_and_never_labelled(run, sink):
    source = FakeSource(6)
    source.notes = {3: "This frame cannot be decoded; the picture before it is shown."}
    pipeline = run(source, FakePredictor())
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait_for_frame(5)
    assert [r.frame.id.index for r in sink.results if r.frame.note] == [3]
    assert sorted(set(sink.predicted)) == [0, 1, 2, 4, 5]


def test_playing_pauses_when_the_rest_is_missing(run, sink):
    source = FakeSource(12)
    source.missing = set(range(5, 12))
    pipeline = run(source)
    pipeline.play()
    sink.wait_for_end()
    assert len(sink.errors) == 1
    assert pipeline.state.index == 4


def test_a_loop_over_nothing_ends(run, sink):
    source = FakeSource(12)
    pipeline = run(source)
    source.missing = set(range(12))
    pipeline.set_loop(True)
    pipeline.play()
    sink.wait_for_end()


def test_a_seek_to_a_missing_frame_is_told_and_stays(run, sink):
    source = FakeSource(12)
    source.missing = {7}
    pipeline = run(source)
    pipeline.seek(3)
    sink.wait_for_frame(3)
    pipeline.seek(7)
    sink.wait(lambda: sink.errors)
    assert isinstance(sink.errors[0], FrameMissing)
    assert pipeline.state.index == 3
    pipeline.step(1)
    sink.wait_for_frame(4)


def test_a_source_that_fails_pauses(run, sink):
    source = FakeSource(12)
    source.errors = {3: MediaError("The file is gone; open it again.")}
    pipeline = run(source)
    pipeline.play()
    sink.wait_for_end()
    assert [str(e) for e in sink.errors] == ["The file is gone; open it again."]
    pipeline.seek(5)
    sink.wait_for_frame(5)


def test_a_bug_in_a_source_is_told_and_ends_both_threads(sink, caplog):
    source = FakeSource(12)
    source.errors = {0: ZeroDivisionError("a bug")}
    pipeline = sink.pipeline(source)
    pipeline.start()
    sink.wait(lambda: sink.errors)
    assert isinstance(sink.errors[0], ZeroDivisionError)
    assert pipeline.join(PATIENCE_S)
    assert "segstudio-clock stopped" in caplog.text


def test_a_model_is_loaded_in_the_infer_thread_and_the_frame_predicted(run, sink):
    where = []
    net = FakePredictor("city")
    pipeline = run(FakeSource())

    def load():
        where.append(threading.current_thread().name)
        return net

    pipeline.set_model(load)
    sink.wait(lambda: sink.predicted == [0])
    assert where == ["segstudio-infer"]
    assert sink.models == [ModelState("loading", ""), ModelState("ready", "city", "cpu")]


def test_pictures_go_on_while_a_model_loads(run, sink):
    loading, gate = threading.Event(), threading.Event()
    net = FakePredictor()

    def load():
        loading.set()
        assert gate.wait(PATIENCE_S)
        return net

    pipeline = run(FakeSource(15))
    pipeline.set_model(load)
    assert loading.wait(PATIENCE_S)
    pipeline.play()
    sink.wait_for_frame(14)
    assert sink.indices == list(range(15))
    assert sink.predicted == []
    gate.set()
    sink.wait(lambda: sink.predicted == [14])


def test_the_first_frame_does_not_wait_for_the_model(sink):
    gate = threading.Event()

    def load():
        assert gate.wait(PATIENCE_S)
        return FakePredictor()

    source = FakeSource()
    pipeline = sink.pipeline(source)
    source.gate.clear()
    pipeline.set_model(load)
    pipeline.start()
    source.gate.set()
    sink.wait_for_frame(0)
    assert sink.predicted == []
    gate.set()
    sink.wait(lambda: sink.predicted == [0])
    pipeline.stop()
    assert pipeline.join(PATIENCE_S)


def test_a_frame_that_waited_for_the_old_model_is_shown_before_the_new_one_loads(run, sink):
    source, old, gate = FakeSource(9), FakePredictor("old"), threading.Event()

    def load():
        assert gate.wait(PATIENCE_S)
        return FakePredictor("new")

    pipeline = run(source, old)
    old.started.acquire()
    old.gate.clear()
    pipeline.refresh()
    assert old.started.acquire(timeout=PATIENCE_S)
    pipeline.seek(5)
    while pipeline.state.index != 5:  # nobody tells; it is a matter of microseconds
        source.wait_for_read(5)
    pipeline.set_model(load)
    old.gate.set()
    sink.wait_for_frame(5)
    assert 5 not in sink.predicted
    gate.set()
    sink.wait(lambda: sink.predicted[-1] == 5)


def test_a_model_that_cannot_be_loaded_leaves_pictures_playing(run, sink):
    error = ModelError("The weights are missing; put them back.")

    def load():
        raise error

    pipeline = run(FakeSource(8))
    pipeline.set_model(load)
    sink.wait(lambda: sink.models and sink.models[-1].kind == "failed")
    assert sink.models[-1].error is error
    pipeline.play()
    sink.wait_for_frame(7)
    assert sink.predicted == []


def test_a_failing_prediction_is_told_once_and_pictures_go_on(run, sink):
    net = FakePredictor("heavy")
    pipeline = run(FakeSource(9), net)
    net.error = OutOfMemory("It does not fit; choose a smaller model.")
    pipeline.set_every_frame(True)
    pipeline.play()
    sink.wait_for_frame(8)
    assert sink.errors == [net.error]
    assert sink.models[-1] == ModelState("failed", "heavy", "cpu", net.error)
    assert net.is_closed
    assert sorted(set(sink.indices)) == list(range(9))


def test_the_old_model_is_closed_before_the_new_one_loads(run, sink):
    old, new = FakePredictor("old"), FakePredictor("new")
    closed = []
    pipeline = run(FakeSource(), old)

    def load():
        closed.append(old.is_closed)
        return new

    pipeline.set_model(load)
    sink.wait(lambda: sink.models[-1].name == "new" and len(sink.predicted) >= 2)
    assert closed == [True]
    pipeline.set_model(None)
    sink.wait(lambda: sink.models[-1].kind == "none" and sink.results[-1].prediction is None)
    assert new.is_closed


def test_refresh_predicts_the_current_frame_again(run, sink):
    pipeline = run(FakeSource(), FakePredictor())
    count = len(sink.predicted)
    pipeline.refresh()
    sink.wait(lambda: len(sink.predicted) == count + 1)
    assert sink.indices[-1] == 0


def test_request_numbers_grow_and_never_fall(run, sink):
    pipeline = run(FakeSource(40), FakePredictor())
    for index in (5, 9, 2):
        pipeline.seek(index)
        sink.wait_for_frame(index)
    pipeline.play()
    sink.wait_for_frame(39)
    requests = [r.request for r in sink.results]
    assert requests == sorted(requests)
    assert requests[-1] > requests[0]


def test_a_new_model_and_a_refresh_are_new_requests(run, sink):
    pipeline = run(FakeSource())
    numbers = [sink.results[-1].request]
    for ask in (lambda: pipeline.set_model(FakePredictor), pipeline.refresh):
        count = len(sink.predicted)
        ask()
        sink.wait(lambda count=count: len(sink.predicted) > count)
        numbers.append(sink.results[-1].request)
    assert numbers == sorted(set(numbers))


def test_a_late_frame_of_an_old_seek_has_no_old_number(run, sink):
    source = FakeSource(50)
    pipeline = run(source)
    source.gate.clear()
    pipeline.seek(20)
    source.wait_for_read(20)
    pipeline.set_model(FakePredictor)
    sink.wait(lambda: sink.predicted)
    pipeline.pause()
    source.gate.set()
    sink.wait_for_frame(20)
    requests = [r.request for r in sink.results]
    assert requests == sorted(requests)


def test_stop_wakes_a_read_that_waits(sink):
    source = FakeSource()
    source.gate.clear()
    pipeline = sink.pipeline(source)
    pipeline.start()
    source.wait_for_read(0)
    pipeline.stop()
    assert pipeline.join(0.2)
    assert source.closed.is_set()
    assert sink.errors == []


def test_stop_wakes_a_frame_that_is_not_due_for_hours(sink):
    source = FakeSource(3, stamps=[0, 10**12, 2 * 10**12])
    pipeline = sink.pipeline(source)
    pipeline.start()
    pipeline.play()
    source.wait_for_read(1)
    pipeline.stop()
    assert pipeline.join(PATIENCE_S)
    assert not source.closed.is_set()


def test_join_says_when_a_net_does_not_come_back(sink, caplog):
    net = FakePredictor()
    pipeline = sink.pipeline(FakeSource())
    pipeline.start()
    pipeline.set_model(lambda: net)
    sink.wait(lambda: sink.predicted)
    net.gate.clear()
    assert net.started.acquire(timeout=PATIENCE_S)
    pipeline.refresh()
    assert net.started.acquire(timeout=PATIENCE_S)
    pipeline.stop()
    assert not pipeline.join(0.02)
    assert "segstudio-infer" in caplog.text
    net.gate.set()
    assert pipeline.join(PATIENCE_S)
    assert net.is_closed


def test_after_a_stop_it_starts_again_where_it_was(run, sink):
    source = FakeSource()
    pipeline = run(source)
    pipeline.seek(7)
    sink.wait_for_frame(7)
    pipeline.stop()
    assert pipeline.join(PATIENCE_S)
    count = len(sink.results)
    pipeline.start()
    sink.wait(lambda: len(sink.results) > count)
    assert sink.indices[-1] == 7
    with pytest.raises(RuntimeError, match="running"):
        pipeline.start()


def test_a_seek_beyond_the_index_waits_for_it_but_not_for_long(run, sink):
    source = FakeSource(500)
    pipeline = run(source)
    source.is_complete, source.frames = False, 20
    pipeline.seek(400)
    pipeline.seek(10)
    sink.wait_for_frame(10)
    pipeline.seek(300)
    source.frames, source.is_complete = 500, True
    sink.wait_for_frame(300)
    assert 400 not in source.reads


@pytest.mark.parametrize("speed", [0, -1, 65, float("nan")])
def test_a_speed_that_makes_no_sense_is_refused(run, speed):
    pipeline = run(FakeSource())
    with pytest.raises(ValueError, match="speed"):
        pipeline.play(speed)
    with pytest.raises(ValueError, match="speed"):
        pipeline.set_speed(speed)


def test_a_window_can_import_the_pipeline_without_torch():
    import subprocess
    import sys

    code = "import sys, segstudio.engine.pipeline; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
