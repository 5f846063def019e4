"""Clips and projects looked through: what is offered of them, and what is doubted."""

import dataclasses
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.core.frame import Frame, FrameId
from segstudio.core.labels import LabelDocument
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine.flow import CancelToken
from segstudio.engine.project_sources import Medium, files_of, human_pixels, media_of
from segstudio.engine.suggest import (
    ErrorFinder,
    Looked,
    Looker,
    Told,
    find_label_errors,
    look_through,
    suggest,
)
from segstudio.errors import Cancelled, FrameMissing, SegStudioError
from segstudio.media.open import open_source
from segstudio.media.source import SourceInfo
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.store.masks import write_picture
from segstudio.store.project import FrameAbout, FrameKey, Project
from segstudio.store.project_rows import FrameSummary

SIZE = (96, 160)
STRIDE = 4
IDS = np.arange(len(CAMVID), dtype=np.uint8)
EASY, HARD = 3, 11
"""Seeds of drives: a sunny one, which the model knows, and other weather elsewhere."""


@cache
def drive(seed):
    return SyntheticDrive(DriveSettings(*SIZE, seed=seed))


@cache
def rendered(seed, index):
    """Picture and truth; read-only, as several tests look at them."""
    return drive(seed).frame(index)


class Clip:
    """Every fifth frame of a drive, with some of another one in between."""

    def __init__(self, frames=40, planted=(), missing=(), damaged=(), kind="video"):
        self.made = [rendered(HARD if i in planted else EASY, 5 * i) for i in range(frames)]
        self.missing, self.damaged, self.kind, self.reads = set(missing), set(damaged), kind, []

    @property
    def info(self):
        return SourceInfo(
            "clip", "clip", None, self.kind, SIZE[1], SIZE[0], len(self.made), True, fps=6.0
        )

    def time_us(self, index):
        return round(index / 6 * 1e6)

    def read(self, index):
        self.reads.append(index)
        if index in self.missing:
            raise FrameMissing(f"Frame {index} cannot be decoded; the file is damaged there.")
        note = "cut off" if index in self.damaged else ""
        identity = FrameId("clip", index, self.time_us(index), index)
        return Frame(identity, self.made[index][0], 0.1, note)

    def close(self):
        pass


def medium(clip, confirmed=(), number=0):
    return Medium(clip, "clip", None, number, frozenset(confirmed))


class Model:
    """Says what `logits_of` makes of a frame: float32 (C, h, w) at a quarter of its size."""

    device, precision = "cpu", "fp32"

    def __init__(self, logits_of, classes=CAMVID, name="model"):
        self.card = SimpleNamespace(name=name, classes=classes)
        self._logits_of = logits_of
        self.seen = []

    def predict(self, frame, *, request=0):
        self.seen.append(frame.id.index)
        values = self._logits_of(frame).astype(np.float32)
        labels = values.argmax(0).astype(np.uint8).repeat(STRIDE, 0).repeat(STRIDE, 1)
        ids = np.array([c.id for c in self.card.classes.classes], np.uint8)
        return Prediction(
            frame, self.card.name, self.card.classes, ids[labels],
            np.zeros(256, np.int64), Logits(values, SIZE, False, ids), Timing(0, 0, 0), SIZE, "cpu",
        )  # fmt: skip

    def close(self):
        pass


def sure_of(truths):
    """A model that knows what is there, and whose numbers are noisy."""

    def logits_of(frame):
        truth = truths[frame.id.index][2::4, 2::4]
        values = np.random.default_rng(frame.id.index).normal(0, 0.7, (len(CAMVID), *truth.shape))
        known = np.where(truth == VOID, 0, truth)
        np.put_along_axis(values, known[None].astype(np.intp), 6.0, axis=0)
        return values

    return logits_of


def struggling(clip):
    """A model that is sure of the easy drive, and in other weather of hardly anything."""
    known = sure_of([truth for _, truth in clip.made])

    def logits_of(frame):
        strange = clip.made[frame.id.index][0] is rendered(HARD, 5 * frame.id.index)[0]
        return known(frame) * (0.3 if strange else 1.0)

    return Model(logits_of)


def found_in(clip, *models, n=8, told=None, confirmed=(), **more):
    looker = Looker(models, CAMVID)
    return suggest([medium(clip, confirmed)], looker, n, every=1, told=told, **more)


def indices(found):
    return [one.frame.index for one in found]


# --- frames


def test_frames_of_other_weather_come_first_and_neighbours_of_them_last():
    planted = (9, 10, 11, 30)
    clip = Clip(planted=planted)
    found = found_in(clip, struggling(clip))
    assert {indices(found)[0], indices(found)[1]} <= set(planted)
    assert 30 in indices(found)[:2]
    assert "nsure on" in found[0].reason
    times = sorted(one.frame.time_us for one in found)
    assert min(b - a for a, b in pairwise(times)) >= 500_000
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_frames_with_a_class_that_was_hardly_corrected_come_first():
    clip = Clip()
    truths = [truth.copy() for _, truth in clip.made]
    for truth in truths:
        truth[truth == 10] = 3
    truths[25][60:80, 60:80] = 10
    corrected = np.zeros(256, np.int64)
    corrected[:10] = 10**6
    found = found_in(clip, Model(sure_of(truths)), n=3, corrected=corrected)
    assert indices(found)[0] == 25
    assert found[0].reason.startswith("Bicyclist is rare in what you corrected")


def test_where_another_model_differs_is_offered_and_its_region_is_told():
    clip = Clip()
    truths = [truth for _, truth in clip.made]
    others = [truth.copy() for truth in truths]
    others[17][20:60, 40:120] = 8
    models = Model(sure_of(truths)), Model(sure_of(others), name="other")
    found = found_in(clip, *models, n=1)
    assert indices(found) == [17]
    assert found[0].reason.startswith("The models disagree on")
    regions = found_in(clip, *models, n=5, regions=True)
    assert {one.frame.index for one in regions} == {17}
    assert regions[0].region is not None
    y0, x0, y1, x1 = regions[0].region
    assert 20 <= y0 < y1 <= 60
    assert 40 <= x0 < x1 <= 120
    assert "disagree on" in regions[0].reason
    assert 8 in regions[0].classes


def test_twice_the_same():
    clip = Clip(20, planted=(4, 12))
    assert found_in(clip, struggling(clip)) == found_in(clip, struggling(clip))


def test_a_model_that_is_sure_of_everything_has_nothing_to_ask():
    clip = Clip(12)
    same = Model(lambda frame: 30.0 * (np.arange(11)[:, None, None] == 3) + np.zeros((11, 24, 40)))
    told = Told()
    assert found_in(clip, same, told=told) == []
    assert told.looked == 12


def test_one_frame_only():
    clip = Clip(1, planted=(0,), kind="image")
    (one,) = found_in(clip, struggling(clip))
    assert one.frame.index == 0
    assert one.reason.endswith(".")


def test_damaged_frames_are_told_and_passed_over():
    told = Told()
    clip = Clip(10, planted=(3, 5, 8), missing=(0, 3), damaged=(5,))
    found = found_in(clip, struggling(clip), told=told)
    assert told.looked == 7
    assert not set(indices(found)) & {0, 3, 5}
    assert told.missing == [
        "Frame 0 cannot be decoded; the file is damaged there.",
        "Frame 3 cannot be decoded; the file is damaged there.",
        "Frame 5: cut off",
    ]


def test_confirmed_frames_are_not_offered_nor_what_is_like_them():
    planted = (9, 30)
    clip = Clip(planted=planted)
    found = found_in(clip, struggling(clip), n=1)
    other = ({9, 30} - {found[0].frame.index}).pop()
    first = found[0].frame.index
    again = found_in(clip, struggling(clip), n=1, confirmed=(first, first + 1))
    assert indices(again) == [other]


def test_every_and_the_usual_step_decide_which_frames_are_looked_at():
    clip = Clip(10)
    model, told = struggling(clip), Told()
    look_through(medium(clip), Looker([model], CAMVID), told)
    assert model.seen == [0, 2, 4, 6, 8]  # 6 frames a second
    model.seen.clear()
    look_through(medium(clip, confirmed=(5,)), Looker([model], CAMVID), told, every=4)
    assert model.seen == [0, 4, 5, 8]
    clip.kind = "sequence"
    model.seen.clear()
    look_through(medium(clip), Looker([model], CAMVID), told)
    assert model.seen == list(range(10))


def test_with_no_time_left_few_frames_are_looked_at():
    told = Told()
    clip = Clip(10)
    looker = Looker([struggling(clip)], CAMVID)
    look_through(medium(clip), looker, told, every=1, budget_s=1e-9)
    assert told.looked == 1
    look_through(medium(clip), looker, told, every=1, budget_s=1e6)
    assert told.looked == 11


def test_progress_is_told_and_a_cancelled_look_ends():
    clip, token, seen = Clip(6), CancelToken(), []

    def on_progress(done, total):
        seen.append((done, total))
        if done == 2:
            token.cancel()

    with pytest.raises(Cancelled):
        found_in(clip, struggling(clip), on_progress=on_progress, token=token)
    assert seen == [(1, 6), (2, 6)]


def test_what_was_looked_at_is_kept_when_stopped_and_not_looked_at_again():
    clip, known, told, token = Clip(8), Looked(), Told(), CancelToken()
    looker = Looker([struggling(clip)], CAMVID)
    with pytest.raises(Cancelled):
        look_through(
            medium(clip), looker, told, every=1, known=known, token=token,
            on_progress=lambda done, _: token.cancel() if done == 3 else None,
        )  # fmt: skip
    assert [each.frame.index for each in known.found] == [0, 1, 2]
    clip.reads.clear()
    found, taken = look_through(medium(clip), looker, told, every=1, known=known)
    assert clip.reads == [3, 4, 5, 6, 7]
    assert found is known.found
    assert known.indices == frozenset(range(8))
    assert taken == []


def test_models_of_nothing_in_common_are_refused():
    strange = ClassMap("fruit", (ClassDef(0, "Apple", (1, 2, 3)),))
    with pytest.raises(SegStudioError, match="no name in common"):
        Looker([Model(np.zeros, strange)], CAMVID)


def test_a_model_of_other_numbers_is_read_in_the_classes_of_the_labels():
    turned = ClassMap("turned", tuple(
        dataclasses.replace(c, id=20 + c.id) for c in reversed(CAMVID.classes)
    ))  # fmt: skip
    clip = Clip(2)
    truths = [truth for _, truth in clip.made]
    logits_of = sure_of(truths)
    backwards = Model(lambda frame: logits_of(frame)[::-1], turned, "turned")
    looker, told = Looker([Model(logits_of), backwards], CAMVID), Told()
    worth = looker.look(clip.read(1), told)
    assert worth.disagreement == 0.0


# --- projects


@pytest.fixture
def project(tmp_path):
    """Twelve pictures of the easy drive in a folder, and a project over them."""
    folder = tmp_path / "drive"
    folder.mkdir()
    for i in range(12):
        write_picture(folder / f"{i:02d}.png", rendered(EASY, 30 * i)[0])
    made = Project.create(tmp_path / "drive.segproj", CAMVID)
    source = open_source(folder)
    info = source.info
    from segstudio.store.picture_names import PictureNames

    made.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=folder, width=info.width,
        height=info.height, frames=info.frames, pictures=PictureNames(info.names, True),
    )  # fmt: skip
    source.close()
    yield made
    made.close()


def truth_of(index):
    return rendered(EASY, 30 * index)[1]


def label(project, index, labels, *, confirmed=True, fingerprint=None):
    """Labels of a person on a frame of the project's one medium."""
    (record,) = project.media()
    source = open_source(record.path)
    frame = source.read(index)
    source.close()
    print_of = frame.id.fingerprint if fingerprint is None else fingerprint
    about = FrameAbout(None, print_of, f"{index:02d}.png", *labels.shape)
    blank = LabelDocument(np.full_like(labels, VOID), np.zeros_like(labels))
    blank.begin("Draft")
    from segstudio.core.brush import Area
    from segstudio.core.geometry import Rect

    whole = Area(Rect(0, 0, *labels.shape), np.ones(labels.shape, np.bool_))
    blank.put(whole, labels, origin=4 if confirmed else 3, over_human=True)
    step = blank.commit()
    counts = tuple(int(n) for n in blank.origin_counts[:5])
    project.push(FrameKey(record.id, index), 0, step, counts, about).result()


def test_a_project_tells_what_was_confirmed_and_how_much_of_each_class(project):
    labels = truth_of(4)
    label(project, 4, labels)
    half = np.full(SIZE, VOID, np.uint8)
    label(project, 6, half, confirmed=False)
    missing = []
    (one,) = list(media_of(project, missing))
    assert one.confirmed == {4}
    assert set(one.labelled) == {4, 6}
    wanted = np.bincount(labels.ravel(), minlength=256)
    wanted[VOID] = 0
    assert np.array_equal(human_pixels(project, missing), wanted)
    assert missing == []


def test_a_folder_that_moved_or_grew_is_found_and_frames_are_found_by_name(project, tmp_path):
    label(project, 4, truth_of(4))
    (record,) = project.media()
    write_picture(record.path / "00a.png", np.zeros((*SIZE, 3), np.uint8))
    assert files_of(project, record) == [record.path]
    (one,) = list(media_of(project, []))
    assert one.confirmed == {5}
    record.path.rename(tmp_path / "elsewhere")
    missing = []
    assert list(media_of(project, missing)) == []
    assert missing[0].startswith("drive is not at ")
    assert "open the project in the window" in missing[0]


def test_a_planted_error_is_found_first_and_clean_labels_yield_nothing(project):
    truths = [truth_of(i) for i in range(12)]
    for i in (1, 5, 8):
        label(project, i, truths[i])
    model = Model(sure_of(truths))

    def doubts():
        finder, told = ErrorFinder(Looker([model], CAMVID)), Told()
        find_label_errors(media_of(project, told.missing), project, finder, told)
        return finder.found(), told

    found, told = doubts()
    assert (found, told.looked, told.missing) == ([], 3, [])
    wrong = truths[9].copy()
    wrong[64:88, 40:100] = 0  # of the road, sky
    label(project, 9, wrong)
    found, told = doubts()
    assert told.looked == 4
    assert found[0].frame.index == 9
    assert found[0].name == "09.png"
    assert found[0].classes[0] == 0
    y0, x0, y1, x1 = found[0].region
    assert 64 <= y0 < y1 <= 88
    assert 40 <= x0 < x1 <= 100
    assert " px labelled Sky look like " in found[0].reason
    assert set(found[0].terms) == {"pixels", "probability", "margin"}
    assert doubts()[0] == found


def test_a_picture_that_was_replaced_is_not_held_against_its_labels(project):
    label(project, 2, truth_of(2), fingerprint=77)
    told = Told()
    finder = ErrorFinder(Looker([Model(sure_of([truth_of(0)] * 12))], CAMVID))
    find_label_errors(media_of(project, told.missing), project, finder, told)
    assert told.looked == 0
    assert "Frame 2 of drive is not the picture that was labelled any more" in told.missing[0]


def test_labels_that_cannot_be_read_are_told(project, monkeypatch):
    label(project, 2, truth_of(2))
    damaged = SegStudioError("The labels of frame 2 are damaged in the project file.")

    def load(self, key: FrameKey) -> FrameSummary:
        raise damaged

    monkeypatch.setattr(Project, "load", load)
    told = Told()
    assert not human_pixels(project, told.missing).any()
    finder = ErrorFinder(Looker([Model(sure_of([truth_of(0)] * 12))], CAMVID))
    find_label_errors(media_of(project, told.missing), project, finder, told)
    assert (told.looked, told.missing) == (0, [str(damaged)] * 2)


def test_an_empty_project_has_no_media_to_go_through(tmp_path):
    made = Project.create(tmp_path / "empty.segproj", CAMVID)
    missing = []
    assert list(media_of(made, missing)) == []
    assert not human_pixels(made, missing).any()
    assert missing == []
    made.close()
