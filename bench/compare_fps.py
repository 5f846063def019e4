"""Two models side by side: frames per second that both reach, against a bare loop taking turns.

The bare loop: two Predictors in one thread, one after the other on the same frames, which were
decoded before the clock started; a second bare loop decodes them on the way, ahead in a thread as
the program does. The path: pipeline with one model and one compared with it, every frame of a
1280×720 H.264 file decoded, predicted twice and delivered. The window: the same in SegStudio's
window, offscreen, with the grid of two panes, their masks and their strips of figures. All take
turns in every round, so that a busy machine hits all; ratios are medians over rounds. CPU per frame
is that of all threads: on a busy machine it says more than the clock.

A is the bundled model, B the same with an input of 75 %.

    python bench/compare_fps.py [--rounds N] [--frames N] [--threads N] [--device D] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from pipeline_fps import Counter, make_clip
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from models import any_model
from segstudio.core.catalogue import ModelCard
from segstudio.core.settings import Settings
from segstudio.core.strategy import Strategy
from segstudio.engine.pipeline import Pipeline
from segstudio.engine.predictor import Predictor
from segstudio.media.open import open_source
from segstudio.media.readahead import ReadAhead
from segstudio.ui import app as program
from segstudio.ui import theme
from segstudio.ui.main_window import MainWindow
from segstudio.ui.session import Session

GOAL = 0.9
SECOND = Strategy(input_scale=0.75)
SIZE = (1440, 900)
CACHE = 64_000_000


def is_whole(results: list) -> bool:
    """The newest result has both predictions."""
    if not results or results[-1][2].prediction is None:
        return False
    others = results[-1][2].others
    return len(others) == 1 and others[0].prediction is not None


class Listener(Counter):
    """Writes down when a result came, and how much CPU time all threads had taken by then."""

    def __call__(self, result) -> None:
        """The pipeline's on_result."""
        with self._changed:
            self.results.append(
                (time.perf_counter(), result.frame.id.index, result, time.process_time())
            )
            self._changed.notify_all()


def rate(results: list, frames: int) -> tuple[float, float]:
    """Frames per second, and CPU milliseconds per frame, from the first result to the last.

    Every frame must have come, predicted twice.
    """
    run = results[-frames:]
    assert [index for _, index, *_ in run] == list(range(frames)), "frames were lost"
    assert all(is_whole([one]) for one in run), "a prediction is missing"
    wall, cpu = run[-1][0] - run[0][0], run[-1][3] - run[0][3]
    return (frames - 1) / wall, 1000 * cpu / (frames - 1)


class Bare:
    """Two predictors in this thread."""

    def __init__(self, card: ModelCard, device: str, clip: Path, frames: int) -> None:
        self.pair = (Predictor(card, device), Predictor(card, device, strategy=SECOND))
        self._source = ReadAhead(open_source(clip), CACHE)
        self._source.wait_complete()
        self._frames = [self._source.read(index) for index in range(frames)]

    def run(self) -> tuple[float, float]:
        """On frames that are there already."""
        return self._turns(lambda index: self._frames[index])

    def run_decoding(self) -> tuple[float, float]:
        """Decoded ahead, while the nets are at work."""
        return self._turns(self._source.read)

    def _turns(self, read: Callable) -> tuple[float, float]:
        for predictor in self.pair:
            predictor.predict(read(0))
        start, cpu = time.perf_counter(), time.process_time()
        for index in range(1, len(self._frames)):
            frame = read(index)
            for predictor in self.pair:
                predictor.predict(frame)
        done = len(self._frames) - 1
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        return done / wall, 1000 * cpu / done

    def close(self) -> None:
        """Its file and its nets."""
        self._source.close()
        for predictor in self.pair:
            predictor.close()


class Playing:
    """The pipeline without a window."""

    def __init__(self, card: ModelCard, device: str, clip: Path, frames: int) -> None:
        self._frames = frames
        self._errors: list[Exception] = []
        self._counter = Listener()
        self._source = ReadAhead(open_source(clip), CACHE)
        self._source.wait_complete()
        self._pipeline = Pipeline(
            self._source, on_result=self._counter, on_error=self._errors.append
        )
        self._pipeline.set_every_frame(True)
        self._pipeline.set_model(lambda: Predictor(card, device))
        self._pipeline.set_compared({"B": lambda: Predictor(card, device, strategy=SECOND)})
        self._pipeline.start()
        self._counter.wait(is_whole)

    def run(self) -> tuple[float, float]:
        """From the first delivered frame of a play to the last."""
        self._counter.results.clear()
        self._pipeline.seek(0)
        self._counter.wait(lambda r: is_whole(r) and r[-1][1] == 0)
        self._pipeline.play(64.0)
        self._counter.wait(lambda r: r[-1][1] == self._frames - 1)
        if self._errors:
            raise self._errors[0]
        return rate(self._counter.results, self._frames)

    def close(self) -> None:
        """Stop and wait."""
        self._pipeline.stop()
        self._pipeline.join()
        self._source.close()


class Window:
    """The program's window with the grid on."""

    def __init__(self, card: ModelCard, device: str, clip: Path, frames: int) -> None:
        self._frames = frames
        self._counter = Listener()
        self._results = self._counter.results
        self.shown = 0
        settings = Settings(play_on_open=False, every_frame=True, device=device, mask_mode="fill")
        self._session = session = Session(settings)
        session.models.cards = (card,)
        session.models.chosen = card
        self._listen(session)
        self.window = MainWindow(session)
        self.window.resize(*SIZE)
        self.window.show()
        session.open([clip])
        self._wait(lambda: bool(self._results) and session.result is not None)
        session.comparison.add(card)
        session.comparison.set_pane("B", strategy=SECOND, device=device)
        session.player.set_speed(64.0)
        session.comparison.arrived.connect(self._count)
        self._wait(lambda: is_whole(self._results) and session.info.is_complete)

    def _listen(self, session: Session) -> None:
        """Hear what the infer thread delivers, where the program itself measures speeds."""
        measure = session.player.speeds.add_result

        def listen(result) -> None:
            self._counter(result)
            measure(result)

        session.player.speeds.add_result = listen

    def _count(self) -> None:
        self.shown += 1

    def run(self) -> tuple[float, float]:
        """From the first delivered frame of a play to the last."""
        player = self._session.player
        player.seek(0)
        self._results.clear()
        self._wait(lambda: is_whole(self._results) and self._results[-1][1] == 0)
        player.play()
        self._wait(lambda: self._results[-1][1] == self._frames - 1)
        self._wait(lambda: not player.playing.is_playing)
        return rate(self._results, self._frames)

    def _wait(self, condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
        """The event loop, until the condition holds."""
        loop, timer, end = QEventLoop(), QTimer(), time.monotonic() + timeout_s

        def look() -> None:
            if condition() or time.monotonic() > end:
                loop.quit()

        timer.timeout.connect(look)
        timer.start(50)
        loop.exec()
        timer.stop()
        assert condition(), "the window did not get there in time"

    def close(self) -> None:
        """The window and its threads."""
        self._session.close()
        self.window.close()


def measure(options: argparse.Namespace, clip: Path, card: ModelCard) -> dict:
    """All contestants in turns."""
    arguments = (card, options.device, clip, options.frames)
    bare, path, window = Bare(*arguments), Playing(*arguments), Window(*arguments)
    contestants = {
        "bare": bare.run,
        "bare_decoding": bare.run_decoding,
        "path": path.run,
        "window": window.run,
    }
    found: dict[str, list[float]] = {name: [] for name in contestants}
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    window.shown = 0
    for _ in range(options.rounds):
        for name, run in contestants.items():
            fps, cpu_ms = run()
            found[name].append(fps)
            spent[name].append(cpu_ms)
    if options.picture:
        window.window.grab().save(str(options.picture))
    row = {
        "device": bare.pair[0].device,
        "precision": bare.pair[0].precision,
        "threads": torch.get_num_threads(),
        "rounds": options.rounds,
        "frames": options.frames,
        "shown": round(window.shown / (options.rounds * options.frames), 3),
    }
    for name, values in found.items():
        pairs = [value / bare_ for value, bare_ in zip(values, found["bare"], strict=True)]
        row |= {f"{name}_fps": round(statistics.median(values), 2)}
        row |= {f"{name}_ratio": round(statistics.median(pairs), 3)}
        row |= {f"{name}_cpu_ms": round(statistics.median(spent[name]), 1)}
        row |= {f"{name}_least": round(min(pairs), 3), f"{name}_most": round(max(pairs), 3)}
    for contestant in (window, path, bare):
        contestant.close()
    return row


TITLES = {
    "bare": "bare loop, frames decoded before (limit)",
    "bare_decoding": "bare loop, decoded ahead in a thread",
    "path": "pipeline, every frame",
    "window": "window with two panes and their strips",
}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--picture", type=Path, help="save what the window looked like")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    qt = QApplication([])
    theme.apply(qt, "dark")
    sys.setswitchinterval(program.SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder), options.frames)
        row = measure(options, clip, any_model())
    print(
        f"Frames per second, each predicted by both models; {row['device']} {row['precision']},"
        f" {row['threads']} threads, {row['rounds']} rounds of {row['frames']} frames, 1280×720."
    )
    print(
        f"\n| | median | of the limit (goal ≥ {GOAL}) | least | most | CPU per frame |"
        "\n|-|-|-|-|-|-|"
    )
    for name, title in TITLES.items():
        print(
            f"| {title} | {row[f'{name}_fps']} fps | {row[f'{name}_ratio']}"
            f" | {row[f'{name}_least']} | {row[f'{name}_most']}"
            f" | {row[f'{name}_cpu_ms']} ms |"
        )
    print(f"\nOf the window's frames {100 * row['shown']:.0f} % reached the screen.")
    if options.json:
        options.json.write_text(json.dumps({"compare_fps": [row]}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
