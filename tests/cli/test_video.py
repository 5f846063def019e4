"""`segstudio video`: a clip with its masks as MP4, from a project, a video or a folder."""

import json

import numpy as np
import pytest

from segstudio.cli.main import main
from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, VOID
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED
from segstudio.media.open import complete_info, open_source
from segstudio.media.writer import VideoWriter
from segstudio.store import own_projects
from segstudio.store.project import FrameAbout, FrameKey, Project

SIZE = (48, 80)
CAR = 8


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch):
    """A sync waits for whatever else the machine writes."""
    monkeypatch.setattr("os.sync", lambda: None, raising=False)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command; returns exit code, report and what was said."""

    def go(*words):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        code = main(["video", *map(str, words), "--json", str(report)])
        said = capsys.readouterr()
        return code, json.loads(report.read_text()) if report.is_file() else None, said

    return go


def make_clip(path, frames=5):
    with VideoWriter(path, 10, crf=0) as writer:
        for i in range(frames):
            writer.write(np.full((*SIZE, 3), 60 + 20 * i, np.uint8))
    return path


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "drive.mp4")


def add(project, path, labelled):
    """A medium with these frames confirmed, all car."""
    source = open_source(path)
    info = complete_info(source)
    record = project.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=info.path, width=info.width,
        height=info.height, frames=info.frames,
    )  # fmt: skip
    for index in labelled:
        frame = source.read(index)
        document = LabelDocument(np.full(SIZE, VOID, np.uint8), np.zeros(SIZE, np.uint8))
        document.begin("Brush")
        area = Area(Rect(0, 0, *SIZE), np.ones(SIZE, np.bool_))
        document.put(area, np.full(SIZE, CAR, np.uint8), origin=CONFIRMED, over_human=True)
        step = document.commit()
        counts = tuple(int(n) for n in document.origin_counts[:5])
        about = FrameAbout(frame.id.time_us, frame.id.fingerprint, "", *SIZE)
        project.push(FrameKey(record.id, index), 0, step, counts, about).result()
    source.close()


@pytest.fixture
def project(tmp_path, clip):
    made = Project.create(tmp_path / "work.segproj", CAMVID)
    add(made, clip, [1])
    made.close()
    return made.path


def middle(path, index):
    source = open_source(path)
    try:
        complete_info(source)
        return source.read(index).rgb[24, 40].astype(int)
    finally:
        source.close()


def test_labels_of_a_project_lie_over_the_picture(run, project, tmp_path):
    code, report, said = run(project, tmp_path / "o.mp4", "--opacity", "1")
    assert code == 0
    assert (report["frames"], report["labelled"], report["predicted"]) == (5, 1, 0)
    assert "5 frames of 80×48" in said.out
    assert "Read back" in said.out
    car = CAMVID.palette()[CAR].astype(int)
    assert np.abs(middle(tmp_path / "o.mp4", 1) - car).max() < 10
    assert np.abs(middle(tmp_path / "o.mp4", 2) - 100).max() < 10


def test_a_model_fills_in_and_the_range_is_kept(run, project, small_model, tmp_path):
    code, report, _ = run(project, tmp_path / "o.mp4", "-m", small_model, "--range", "1-2")
    assert code == 0
    assert (report["frames"], report["labelled"], report["predicted"]) == (2, 1, 1)


def test_panes_beside_each_other(run, project, small_model, tmp_path):
    code, report, _ = run(
        project, tmp_path / "o.mp4", "--show", "side-by-side", "-m", small_model, "-m",
        f"{small_model}@flip", "--difference", "--legend", "--range", "0-1",
    )  # fmt: skip
    assert code == 0
    assert report["size"][1] == 3 * 80 + 8  # five panes in two rows


def test_a_video_has_the_labels_that_the_window_keeps_of_it(run, clip, tmp_path):
    code, report, _ = run(clip, tmp_path / "bare.mp4")
    assert (code, report["labelled"]) == (0, 0)
    source = open_source(clip)
    info = complete_info(source)
    source.close()
    own = Project.create(own_projects.find(info.id, info.title, ""), CAMVID)
    add(own, clip, [0, 4])
    own.close()
    assert run(clip, tmp_path / "o.mp4")[1]["labelled"] == 2
    assert run(clip, tmp_path / "p.mp4", "--scope", "none")[1]["labelled"] == 0


def test_one_clip_of_several_is_named(run, project, tmp_path):
    opened = Project.open(project)
    add(opened, make_clip(tmp_path / "night.mp4", 3), [0])
    opened.close()
    code, _, said = run(project, tmp_path / "o.mp4")
    assert code == 2
    assert "drive.mp4, night.mp4; choose one of them with --media" in said.err
    assert run(project, tmp_path / "o.mp4", "--media", "night.mp4")[1]["frames"] == 3
    assert "There is no 'day'" in run(project, tmp_path / "p.mp4", "--media", "day")[2].err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--range", "3-9"], "it has 0 to 4"),
        (
            ["--range", "5-2"],
            "--range 5-2 runs backwards; write the smaller number first, like 2-5",
        ),
        (["--range", "later"], "no range of frames"),
        (["--opacity", "2"], "no opacity"),
        (["--width", "3"], "makes no video"),
        (["--fps", "0"], "make no video"),
        (["--scope", "mine"], "There are no 'mine' labels"),
        (["--difference"], "add --show side-by-side"),
        (["--show", "side-by-side", "--scope", "none"], "nothing to show beside"),
        (["--show", "side-by-side", "--difference"], "name them with -m"),
        (["-m", "nowhere"], "nowhere"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(run, clip, project, tmp_path, words, why):
    code, _, said = run(project if "none" not in words else clip, tmp_path / "o.mp4", *words)
    assert code == 2
    assert why in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "o.mp4").exists()


def test_nothing_is_replaced(run, project, tmp_path):
    (tmp_path / "o.mp4").write_bytes(b"mine")
    code, _, said = run(project, tmp_path / "o.mp4")
    assert (code, (tmp_path / "o.mp4").read_bytes()) == (2, b"mine")
    assert "exists already" in said.err
    assert "ends in .mp4" in run(project, tmp_path / "o.mkv")[2].err


def test_a_source_that_is_none(run, tmp_path):
    code, _, said = run(tmp_path / "absent.mp4", tmp_path / "o.mp4")
    assert code == 2
    assert "There is no file" in said.err
