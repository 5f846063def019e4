"""Runs as folders, made-up streams of events, and a real child process that writes them."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import MODEL
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.store.project import FrameAbout, FrameKey, Project
from segstudio.ui.training.process import TrainingProcess

CHILD = """
import json, os, signal, sys, time
from pathlib import Path

mode, run = sys.argv[1], Path(sys.argv[2])
assert sys.argv[3:] == ["--json", "-"], sys.argv

def tell(kind, step, **figures):
    line = json.dumps({"event": kind, "step": step, **figures}) + "\\n"
    with (run / "events.jsonl").open("a") as file:
        file.write(line)
    sys.stdout.write(line)
    sys.stdout.flush()

def want():
    try:
        return json.loads((run / "control.json").read_text())["want"]
    except (OSError, ValueError):
        return "go"

def until(*wishes):
    while want() not in wishes:
        time.sleep(0.01)

def begin(step=0):
    (run / "control.json").unlink(missing_ok=True)
    tell("started", step, device="cpu", precision="torch.float32", batch=2, notes=[])

def save(step, miou=0.5):
    tell("validated", step, set="held out", miou=miou, iou={"Road": miou}, pictures=[])
    (run / "last.pt").write_bytes(b"weights")
    tell("saved", step, file="last.pt", is_best=True)

if mode == "fine":
    begin()
    print("not an event at all")
    for step in (20, 40):
        tell("step", step, loss=1 / step, lr=0.1, samples_per_s=8.0, eta_s=3, memory_mb=None)
    tell("novelty", 40, anything={"at": "all"})
    save(40, 0.7)
    tell("finished", 40, best_miou=0.7)
elif mode == "obedient":
    begin()
    tell("step", 20, loss=1.0, lr=0.1)
    until("pause")
    tell("paused", 20)
    until("go")
    tell("resumed", 20)
    until("stop")
    tell("stopped", 21, why="asked to")
    save(21)
    tell("finished", 21, best_miou=0.5)
elif mode == "late":
    until("stop")  # before it was heard
    begin()
    until("stop")
    tell("stopped", 0, why="asked to")
elif mode == "endless":
    begin()
    save(20)
    tell("step", 40, loss=1.0)
    time.sleep(600)
elif mode == "helped":
    begin()
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
    tell("step", 20, loss=1.0, helper=pid)
    time.sleep(600)
elif mode == "humble":
    begin()
    tell("step", 20, nice=os.nice(0), session=os.getsid(0), pid=os.getpid())
elif mode == "torn":
    begin()
    save(20)
    sys.stdout.write('{"event": "step", "step": 40, "lo')
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
elif mode == "unended":
    begin()
    sys.stdout.write(json.dumps({"event": "finished", "step": 7}))
elif mode == "refuses":
    print("segstudio: error: The crop is too large; use a smaller one.", file=sys.stderr)
    sys.exit(2)
elif mode == "bug":
    begin()
    raise RuntimeError("what nobody thought of")
elif mode == "segv":
    begin()
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "silent":
    begin()
elif mode == "flood":
    sys.stdout.write("x" * 3_000_000)
    sys.stdout.write("\\n")
    begin()
    tell("finished", 1)
"""


@pytest.fixture
def run(tmp_path) -> Path:
    """The folder of a run that has not begun."""
    folder = tmp_path / "runs" / "first"
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(TrainRecipe(synthetic_share=1.0, steps=100).to_json())
    return folder


@pytest.fixture
def child(qtbot, tmp_path):
    """Makes a process whose run does as the mode says; none of them outlives the test."""
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    made: list[TrainingProcess] = []

    def make(mode: str, *, program: str = sys.executable) -> TrainingProcess:
        process = TrainingProcess(command=[program, str(script), mode])
        made.append(process)
        return process

    yield make
    for process in made:
        process.close()
        assert not process.is_running


def story(steps: int = 1200, every: int = 200, *, pictures=(), sets=("held out",)):
    """The events of a run as it really goes: a noisy falling loss, classes that differ."""
    yield TrainEvent("started", 0, {"device": "cuda:0", "precision": "torch.bfloat16", "batch": 8,
                                    "accumulation": 1, "processes": 1, "notes": []})  # fmt: skip
    for step in range(20, steps + 1, 20):
        share = step / steps
        loss = 0.28 + 1.5 * math.exp(-4 * share) + 0.07 * math.sin(step * 12.9898)
        yield TrainEvent("step", step, {
            "loss": loss, "lr": 0.01 * min(1, step / 100) * (1 - share) ** 0.9,
            "samples_per_s": 61.3 + 3 * math.sin(step), "eta_s": int((steps - step) * 0.13),
            "memory_mb": 5120.4})  # fmt: skip
        if step % every == 0:
            for number, name in enumerate(sets):
                iou = {}
                for c in CAMVID.classes:
                    top = 0.93 - 0.06 * c.id - 0.03 * number
                    swing = 0.02 * math.sin(step + c.id)
                    iou[c.name] = round(top * (1 - 0.6 * math.exp(-5 * share)) + swing, 4)
                iou["Pedestrian"] = None if step == every else iou["Pedestrian"]
                known = [v for v in iou.values() if v is not None]
                yield TrainEvent("validated", step, {
                    "set": name, "miou": sum(known) / len(known), "iou": iou,
                    "pictures": [dict(row) for row in pictures]})  # fmt: skip
            yield TrainEvent("saved", step, {"file": "last.pt", "is_best": step != 800})
    yield TrainEvent("finished", steps, {"best_miou": 0.7})


@pytest.fixture(name="story")
def story_fixture():
    """`story` for tests, which import nothing from here."""
    return story


@pytest.fixture
def written(run):
    """Writes events into the run's file."""

    def write(events, folder=run):
        lines = [event.to_json() for event in events]
        (folder / "events.jsonl").write_text("".join(line + "\n" for line in lines))
        return folder

    return write


class Labeller:
    """A project with labels and no pictures: frames painted in two halves, and confirmed."""

    def __init__(self, path: Path) -> None:
        self.project = Project.create(path, CAMVID)

    def clip(self, name: str) -> int:
        """A video of 100 frames that is nowhere."""
        record = self.project.add_media(
            fingerprint=name, title=name, kind="video", path=Path(f"{name}.mp4"), width=32,
            height=24, frames=100,
        )  # fmt: skip
        return record.id

    def label(
        self, media: int, index: int, classes=(3, 5), *, confirm: bool = True, frame=None,
        drafted_by: str = "",
    ) -> None:  # fmt: skip
        """One class on the left, one on the right; on that picture, or on none. By hand, or all of
        it by that model.
        """
        h, w = (24, 32) if frame is None else frame.rgb.shape[:2]
        document = LabelDocument(np.full((h, w), 255, np.uint8), np.zeros((h, w), np.uint8))
        key = FrameKey(media, index)
        about = FrameAbout(index * 1_000_000, 7, "", h, w)
        if frame is not None:
            about = FrameAbout(frame.id.time_us, frame.id.fingerprint, "", h, w)
        if drafted_by:
            about = replace(about, drafted_by=drafted_by, by_hand=0)
        steps = []
        for number, class_id in enumerate(classes):
            mask = np.zeros((h, w), np.bool_)
            mask[:, w // 2 * number : w // 2 * (number + 1)] = True
            document.begin("Brush")
            if drafted_by:
                patch = np.full((h, w), class_id, np.uint8)
                document.put(Area(Rect(0, 0, h, w), mask), patch, origin=MODEL)
            else:
                document.paint(Area(Rect(0, 0, h, w), mask), class_id)
            steps.append((document.commit(), self._counts(document)))
        if confirm:
            steps.append((document.confirm(), self._counts(document)))
        made = [(step, counts) for step, counts in steps if step is not None]
        for number, (step, counts) in enumerate(made):
            self.project.push(key, number, step, counts, about).result(10)

    def _counts(self, document):
        return tuple(int(n) for n in document.origin_counts[:5])


@pytest.fixture
def labeller(tmp_path):
    """A project to be labelled; closed at the end."""
    made = Labeller(tmp_path / "drive.segproj")
    yield made
    made.project.close()
