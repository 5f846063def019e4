"""The old model labels what nobody did, where it is sure and nothing is judged."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.errors import Cancelled, SegStudioError
from segstudio.train.corrected import extract
from segstudio.train.pseudo import PseudoRule, pseudo_label
from segstudio.train.splits import Gap, split

BOX = (0, 0, 20, 20)


def teacher(sure=0.98, classes=CAMVID):
    """Sure of class 1 on the left, unsure of class 2 on the right."""
    seen = []

    def predict(frame):
        seen.append(frame.id.index)
        h, w = frame.rgb.shape[:2]
        chance = np.full((3, h, w), 0.01, np.float32)
        chance[1, :, : w // 2], chance[2, :, w // 2 :] = sure, 0.5
        chance[0] = 1 - chance[1] - chance[2]
        values = np.log(chance)
        labels = values.argmax(0).astype(np.uint8)
        labels[:, w // 2 :] = 2
        logits = Logits(values, (h, w), False, np.arange(3, dtype=np.uint8))
        return Prediction(
            frame, "old", classes, labels, np.bincount(labels.ravel(), minlength=256), logits,
            Timing(0, 0, 0), (h, w), "cpu",
        )  # fmt: skip

    predict.seen = seen
    return predict


@pytest.fixture
def clips(corrector):
    """Makes a project of so many clips of 20 s with frames 4, 12, 20, 28 and 36 painted."""

    def make(count):
        made = corrector()
        for number in range(count):
            clip = made.clip(f"{'x' * number}clip.mp4", frames=40)
            for index in (4, 12, 20, 28, 36):
                made.paint(clip, index, 3, BOX)
        return made.close()

    return make


def parts_of(path, folder, gap=None):
    return split(extract(path, folder, which="painted").samples, gap=gap)


def test_only_what_it_is_sure_of_becomes_a_label(clips, tmp_path):
    path, predict = clips(1), teacher()
    parts = parts_of(path, tmp_path / "c")
    found = pseudo_label(path, parts, predict, tmp_path / "p", rule=PseudoRule(12, weight=0.3))
    assert len(found) == 12
    frame = found.read(0)
    assert (frame.labels[:, :32] == 1).all()
    assert (frame.labels[:, 32:] == 255).all()
    assert set(np.unique(frame.weights)) == {0, 15}
    again = pseudo_label(path, parts, None, tmp_path / "p")  # it is kept, nobody is asked
    assert again == found
    assert len(pseudo_label(path, parts, teacher(0.85), tmp_path / "q")) == 0


def test_nothing_near_a_judged_frame_and_nothing_labelled_is_taken(clips, tmp_path):
    path, predict = clips(1), teacher()
    parts = parts_of(path, tmp_path / "c")
    (judged,) = parts.held_out
    pseudo_label(path, parts, predict, tmp_path / "p", rule=PseudoRule(1000))
    assert not {4, 12, 20, 28, 36} & set(predict.seen)
    assert min(abs(i / 2 - judged.time_s) for i in predict.seen) == 3.0
    assert len(predict.seen) == len(set(predict.seen)) > 20


def test_a_clip_that_is_held_out_gives_none(clips, tmp_path):
    path, predict = clips(2), teacher()
    parts = parts_of(path, tmp_path / "c")
    held = {s.name.split("_")[0] for s in parts.held_out}
    found = pseudo_label(path, parts, predict, tmp_path / "p", rule=PseudoRule(30))
    assert len(held) == 1
    assert 10 < len(found) <= 30
    assert held.isdisjoint(p.name.split("_")[0] for p in found.pairs)


def test_stills_are_kept_apart_by_their_numbers(corrector, tmp_path):
    from segstudio.store.masks import write_picture

    made, rng = corrector(), np.random.default_rng(0)
    for number in range(30):
        file = tmp_path / "stills" / f"{number:02d}.png"
        write_picture(file, rng.integers(0, 255, (40, 50, 3), np.uint8))
    media = made.add(tmp_path / "stills")
    for index in (2, 10, 18, 26):
        made.paint(media, index, 3, BOX)
    path, predict = made.close(), teacher()
    parts = parts_of(path, tmp_path / "c", gap=Gap(frames=5))
    pseudo_label(path, parts, predict, tmp_path / "p", gap=Gap(frames=5), rule=PseudoRule(99))
    assert min(abs(i - s.index) for s in parts.held_out for i in predict.seen) == 5


def test_another_class_set_is_translated_by_name(clips, tmp_path):
    path = clips(1)
    mine = ClassMap("mine", (ClassDef(0, "Sky", (0, 0, 0)), ClassDef(1, "Car", (1, 1, 1)),
                             ClassDef(2, "Road", (2, 2, 2))))  # fmt: skip
    parts = parts_of(path, tmp_path / "c")
    found = pseudo_label(path, parts, teacher(classes=mine), tmp_path / "p", rule=PseudoRule(3))
    assert (found.read(0).labels[:, :32] == 8).all()


def test_it_can_be_stopped_and_nonsense_is_refused(clips, tmp_path):
    path = clips(1)
    parts = parts_of(path, tmp_path / "c")
    told = []
    with pytest.raises(Cancelled):
        pseudo_label(path, parts, teacher(), tmp_path / "p", tell=lambda *now: told.append(now),
                     should_stop=lambda: len(told) == 2)  # fmt: skip
    assert told == [(1, 60), (2, 60)]
    assert not (tmp_path / "p" / "manifest.json").exists()
    (tmp_path / "p" / "manifest.json").write_text("{")
    with pytest.raises(SegStudioError, match="delete that folder"):
        pseudo_label(path, parts, teacher(), tmp_path / "p")
    with pytest.raises(SegStudioError, match="at least one frame"):
        PseudoRule(count=0)
