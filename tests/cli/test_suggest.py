"""`segstudio suggest` on real files with a real net that knows nothing."""

import json

import numpy as np
import pytest

from segstudio.cli.main import main
from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, VOID
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED
from segstudio.media.open import open_source
from segstudio.media.writer import VideoWriter
from segstudio.store import own_projects
from segstudio.store.masks import read_mask, write_mask
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, Project


@pytest.fixture
def suggest(small_model, tmp_path, capsys):
    """Runs the command; returns exit code, report and what was said."""

    def run(*words, models=1):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        options = ["-m", str(small_model), "-m", f"{small_model}@flip"][: 2 * models]
        options += ["--device", "cpu", "--precision", "fp32"]
        code = main(["suggest", *map(str, words), *options, "--json", str(report)])
        found = json.loads(report.read_text()) if report.is_file() else None
        said = capsys.readouterr()
        return code, found, said.err or said.out

    return run


@pytest.fixture
def project(pictures, tmp_path):
    """Three pictures in a folder, and a project over them, of which the first is confirmed."""
    path = tmp_path / "drive.segproj"
    made = Project.create(path, CAMVID)
    add_pictures(made, pictures)
    confirm(made, pictures, 0)
    made.close()
    return path


def add_pictures(project, folder):
    source = open_source(folder)
    info = source.info
    source.close()
    project.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=folder, width=info.width,
        height=info.height, frames=info.frames, pictures=PictureNames(info.names, True),
    )  # fmt: skip
    return info


def confirm(project, folder, index, labels=None):
    """A person says that everything there is road, or that."""
    source = open_source(folder)
    frame, name = source.read(index), source.info.names[index]
    source.close()
    shape = (frame.height, frame.width)
    labels = np.full(shape, 3, np.uint8) if labels is None else labels
    document = LabelDocument(np.full(shape, VOID, np.uint8), np.zeros(shape, np.uint8))
    document.begin("Confirm frame")
    document.put(Area(Rect(0, 0, *shape), np.ones(shape, np.bool_)), labels, origin=CONFIRMED)
    step, counts = document.commit(), tuple(int(n) for n in document.origin_counts[:5])
    about = FrameAbout(None, frame.id.fingerprint, name, *shape)
    project.push(FrameKey(1, index), 0, step, counts, about).result()


@pytest.fixture
def clip(tmp_path):
    """Twelve frames of noise that changes, 48×80, ten a second."""
    path = tmp_path / "drive.mp4"
    with VideoWriter(path, 10) as writer:
        for i in range(12):
            rng = np.random.default_rng(i)
            writer.write(rng.integers(0, 255, (6, 10, 3), np.uint8).repeat(8, 0).repeat(8, 1))
    return path


def test_frames_of_a_video_with_scores_and_reasons(suggest, clip):
    code, found, said = suggest(clip, "-n", 2, "--every", 2)
    assert code == 0
    assert 1 <= len(found) <= 2
    assert {"frame", "region", "score", "reason"} <= set(found[0])
    assert found[0]["region"] is None
    assert found[0]["frame"] % 2 == 0
    assert found[0]["time_s"] == pytest.approx(found[0]["frame"] / 10)
    assert found[0]["reason"].startswith(("Unsure on", "The class", "Less sure"))
    assert said.splitlines()[0].startswith(f"  1  frame {found[0]['frame']} (0:0")
    assert [one["score"] for one in found] == sorted((o["score"] for o in found), reverse=True)
    assert suggest(clip, "-n", 2, "--every", 2)[1] == found


def test_of_a_project_the_confirmed_frames_are_not_offered(suggest, project):
    code, found, said = suggest(project)
    assert code == 0
    assert found
    assert {one["name"] for one in found} <= {"picture_1.png", "picture_2.png"}
    assert "picture_0.png" not in said
    assert said.splitlines()[-1].startswith(("The other 1 of 2", "There are no more than 2"))


def test_what_the_window_keeps_of_a_source_without_a_project_counts(suggest, pictures):
    assert {one["frame"] for one in suggest(pictures)[1]} == {0, 1, 2}
    source = open_source(pictures)
    info = source.info
    source.close()
    names = PictureNames(info.names, info.may_change)
    place = own_projects.place_of(info.path, info.title, names)
    made = Project.create(own_projects.find(info.id, info.title, place), CAMVID)
    add_pictures(made, pictures)
    confirm(made, pictures, 1)
    made.close()
    assert {one["frame"] for one in suggest(pictures)[1]} <= {0, 2}


def test_regions_have_boxes_and_a_question(suggest, pictures):
    code, found, said = suggest(pictures, "--regions", "-n", 4, models=2)
    assert code == 0
    assert 1 <= len(found) <= 4
    for one in found:
        y0, x0, y1, x1 = one["region"]
        assert 0 <= y0 < y1 <= 48
        assert 0 <= x0 < x1 <= 80
        first, second = one["classes"]
        assert one["reason"].startswith(f"{first} or {second}? The model")
    y0, x0, y1, x1 = found[0]["region"]
    assert f"rows {y0}–{y1}, columns {x0}–{x1}" in said


def test_two_models_are_held_against_each_other(suggest, pictures):
    _, found, _ = suggest(pictures, models=2)
    assert "disagreement" in found[0]["terms"]
    assert "disagreement" not in suggest(pictures)[1][0]["terms"]


@pytest.fixture
def own_words(small_model, labelled):
    """A labelled folder whose labels are the model's own; it is sure enough of them."""
    from segstudio.engine.strategies import labeller
    from segstudio.store.models import find_model

    model = labeller(find_model(str(small_model)), "cpu")
    for picture in sorted((labelled / "images").iterdir()):
        source = open_source(picture)
        write_mask(labelled / "labels" / picture.name, model.predict(source.read(0)).labels, None)
        source.close()
    model.close()
    return labelled


def test_labels_that_are_the_models_own_are_not_doubted(suggest, own_words):
    code, found, said = suggest(own_words, "--errors")
    assert (code, found) == (0, [])
    assert said == "No label stands out as wrong in 3 frames.\n"


def test_a_planted_error_in_a_folder_is_found(suggest, own_words, monkeypatch):
    from segstudio.core import label_errors

    monkeypatch.setattr(label_errors, "LEAST_PROBABILITY", 0.05)  # it is sure of nothing
    file = own_words / "labels" / "picture_1.png"
    labels = read_mask(file).copy()
    said_there = np.bincount(labels[8:40, 16:64].ravel(), minlength=11).argmax()
    labels[8:40, 16:64] = 5 if said_there != 5 else 6
    write_mask(file, labels, None)
    code, found, _ = suggest(own_words, "--errors", "-n", 3)
    assert code == 0
    assert (found[0]["frame"], found[0]["name"]) == (1, "picture_1.png")
    assert found[0]["classes"] == [CAMVID.name_of(labels[20, 40]), CAMVID.name_of(said_there)]
    assert " px labelled " in found[0]["reason"]
    named = suggest(own_words / "images", "--labels", own_words / "labels", "--errors", "-n", 3)
    assert named[1] == found


def test_errors_of_a_project(suggest, project):
    code, found, said = suggest(project, "--errors")
    assert (code, found) == (0, [])
    assert "in 1 frame" in said


def test_damaged_pictures_are_told_and_the_rest_is_looked_at(suggest, pictures):
    (pictures / "picture_1.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    code, found, said = suggest(pictures)
    assert code == 0
    assert {one["frame"] for one in found} <= {0, 2}
    assert "picture_1.png" in said


def test_when_nothing_can_be_looked_at_it_is_an_error(suggest, project, pictures):
    for picture in pictures.iterdir():
        picture.unlink()
    pictures.rmdir()
    code, _, said = suggest(project)
    assert code == 2
    assert said.startswith("segstudio: error: drive is not at ")
    assert len(said.splitlines()) == 1


def test_when_every_frame_is_confirmed_that_is_said(suggest, pictures, tmp_path):
    path = tmp_path / "done.segproj"
    made = Project.create(path, CAMVID)
    add_pictures(made, pictures)
    for index in range(3):
        confirm(made, pictures, index)
    made.close()
    code, found, said = suggest(path)
    assert (code, found) == (0, [])
    assert said == (
        "Nothing is left to suggest: every frame that would be looked at is confirmed.\n"
    )


def test_a_project_without_labels_has_no_errors(suggest, pictures, tmp_path):
    path = tmp_path / "new.segproj"
    made = Project.create(path, CAMVID)
    add_pictures(made, pictures)
    made.close()
    code, found, said = suggest(path, "--errors")
    assert (code, found) == (0, [])
    assert said == "Nothing to look at: nobody has painted or confirmed anything.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-n", "0"], "-n 0 asks for nothing"),
        (["--every", "0"], "--every 0 makes no sense"),
        (["--seconds", "0"], "--seconds 0 leaves no time"),
        (["--labels", "x"], "--labels are for --errors"),
    ],
)
def test_options_that_make_no_sense_are_refused(suggest, pictures, words, sentence):
    code, _, said = suggest(pictures, *words)
    assert code == 2
    assert said.startswith(f"segstudio: error: {sentence}")


def test_what_is_not_there_is_told_in_one_line(suggest, tmp_path, clip):
    for path in (tmp_path / "no.segproj", tmp_path / "no.mp4"):
        code, _, said = suggest(path)
        assert code == 2
        assert said.startswith("segstudio: error: ")
        assert len(said.splitlines()) == 1
    Project.create(tmp_path / "empty.segproj", CAMVID).close()
    code, _, said = suggest(tmp_path / "empty.segproj")
    assert code == 2
    assert "has no media yet" in said
    code, _, said = suggest(clip, "--errors")
    assert code == 2
    assert "has no labels of people" in said
