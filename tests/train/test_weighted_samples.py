"""What a fine-tuning run is fed with: picture, labels and weights, by number alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from segstudio.core.catalogue import InputRule
from segstudio.store.masks import write_mask, write_picture
from segstudio.store.pairs import find_pairs
from segstudio.train.augment_rules import RULES, AugmentRule
from segstudio.train.corrected import extract
from segstudio.train.data import CropCounts, WeightedSamples, one_thread
from segstudio.train.replay import Mix, Replay
from segstudio.train.sources import DriveFrames, FolderFrames
from segstudio.train.splits import split


def frames_of(folder: Path, shapes, label=None, weight=1.0) -> FolderFrames:
    """A folder with one frame of each shape."""
    rng = np.random.default_rng(0)
    for i, (h, w) in enumerate(shapes):
        labels = (
            rng.integers(0, 14, (h, w), np.uint8)
            if label is None
            else np.full((h, w), label, np.uint8)
        )
        write_picture(folder / "i" / f"{i}.png", rng.integers(0, 255, (h, w, 3), np.uint8))
        write_mask(folder / "l" / f"{i}.png", labels.astype(np.uint8), None)
    pairs = find_pairs(folder / "i", folder / "l")
    return FolderFrames(folder.name, tuple(pairs), 11, weight)


def samples_of(mix, augment=RULES["strong"], count=40, **options):
    return WeightedSamples(
        mix, InputRule(), augment=augment, crop=(48, 64), short_side=48, count=count, **options
    )


def test_frames_of_mixed_sizes_make_samples_of_one_size(tmp_path):
    mix = Mix((frames_of(tmp_path / "a", [(40, 90), (90, 40), (48, 64), (33, 200)]),))
    samples = samples_of(mix)
    assert len(samples) == 40
    for image, labels, weights in map(samples.__getitem__, range(12)):
        assert (image.dtype, labels.dtype, weights.dtype) == (
            torch.float32, torch.int64, torch.float32,
        )  # fmt: skip
        assert (image.shape, labels.shape, weights.shape) == ((3, 48, 64), (48, 64), (48, 64))
        assert set(labels.unique().tolist()) <= {*range(11), 255}
        assert torch.equal(weights, (labels != 255).float())
        assert image.isfinite().all()


def test_sample_i_is_the_same_whoever_asks_and_when(tmp_path):
    folder = frames_of(tmp_path / "a", [(60, 80)] * 5)
    old = frames_of(tmp_path / "old", [(60, 80)] * 2, weight=0.5)
    mixes = [Mix((folder,), Replay(0.25, (old,)), seed=s) for s in (3, 3, 4)]
    one, two, other = (samples_of(m) for m in mixes)
    torch.manual_seed(0)
    seen = {i: one[i] for i in range(16)}
    torch.manual_seed(1)
    for i in reversed(range(16)):
        assert all(torch.equal(a, b) for a, b in zip(seen[i], two[i], strict=True))
    assert not torch.equal(seen[0][0], other[0][0])
    assert {round(float(v), 2) for _, _, w in seen.values() for v in w.unique()} == {0, 0.5, 1}
    assert mixes[0].counts(0, 16) == {"a": 12, "old": 4}


@pytest.mark.slow
def test_workers_give_the_same_samples_and_count_together(tmp_path):
    sparse = np.where(np.arange(80) < 4, 3, 255)
    mix = Mix((frames_of(tmp_path / "a", [(60, 80)] * 5, label=sparse),))
    alone, together = samples_of(mix, count=12), samples_of(mix, count=12)
    loader = DataLoader(together, 2, num_workers=2, multiprocessing_context="spawn",
                        worker_init_fn=one_thread)  # fmt: skip
    for start, batch in zip(range(0, 12, 2), loader, strict=True):
        for part, expected in zip(
            batch, zip(alone[start], alone[start + 1], strict=True), strict=True
        ):
            assert torch.equal(part, torch.stack(expected))
    assert together.crops == alone.crops
    assert together.crops.again > 0


def test_frames_without_any_label_are_passed_over_and_counted(tmp_path):
    known = frames_of(tmp_path / "known", [(60, 80)], label=2)
    empty = frames_of(tmp_path / "empty", [(60, 80)] * 4, label=255)
    samples = samples_of(Mix((known, empty)), AugmentRule(), count=20)
    for number in range(20):
        assert samples[number][2].any()
    assert samples.crops.elsewhere > 10
    assert samples.crops.void == 0
    nothing = samples_of(Mix((empty,)), AugmentRule(), count=20)
    image, labels, weights = nothing[0]
    assert (labels == 255).all()
    assert not weights.any()
    assert image.isfinite().all()
    assert nothing.crops == CropCounts(again=1, elsewhere=32, void=1)


def test_one_class_alone_is_learned_from(tmp_path):
    samples = samples_of(Mix((frames_of(tmp_path / "a", [(60, 80)] * 2, label=7),)))
    for number in range(10):
        _, labels, weights = samples[number]
        assert set(labels.unique().tolist()) <= {7, 255}
        assert weights.sum() > 0


def test_a_net_that_wants_bgr_gets_it(tmp_path):
    mix = Mix((frames_of(tmp_path / "a", [(48, 64)]),))
    options = {"augment": AugmentRule(), "crop": (48, 64), "short_side": 48, "count": 1}
    rgb, bgr = (
        WeightedSamples(mix, InputRule((0, 0, 0), (1, 1, 1), 1.0, channels=c), **options)[0][0]
        for c in ("RGB", "BGR")
    )
    assert torch.equal(rgb.flip(0), bgr)
    assert np.array_equal(rgb.permute(1, 2, 0).numpy(), mix.sources[0].read(0).rgb)


def test_what_is_kept_in_memory_changes_nothing(tmp_path, monkeypatch):
    folder = frames_of(tmp_path / "a", [(60, 80)] * 3)
    kept = samples_of(Mix((folder,)))
    monkeypatch.setattr("segstudio.train.data._KEPT_BYTES", 0)
    read_again = samples_of(Mix((folder,)))
    for number in range(6):
        assert torch.equal(kept[number][0], read_again[number][0])
    assert (len(kept._kept), len(read_again._kept)) == (3, 0)


def test_corrected_frames_are_trained_on_and_held_out_ones_are_not(corrector, tmp_path):
    made = corrector()
    for name, marked in (("one.mp4", 3), ("other.mp4", 7)):
        clip = made.clip(name)
        for index in (1, 5):
            made.paint(clip, index, marked, (0, 0, 48, 32))
    found = extract(made.close(), tmp_path / "run" / "corrected", which="painted")
    parts = split(found.samples)
    assert parts.reason == "Held out: clip 1 of 2 (2 of 4 frames)." or "clip 2" in parts.reason
    learned = found.chosen(parts.train)
    drive = DriveFrames(tmp_path / "drives", 1, weight=0.3)
    mix = Mix((learned,), Replay(0.25, (drive,)), seed=2)
    assert mix.counts(0, 8) == {"corrected frames": 6, "synthetic drive": 2}
    samples = samples_of(mix, AugmentRule(corrected=1.0), count=8)
    mark = 3 if parts.train[0].title == "one.mp4" else 7
    for number in range(8):
        _, labels, weights = samples[number]
        if mix.draw(number).source == 0:
            assert set(labels.unique().tolist()) <= {mark, 255}
            assert set(weights.unique().tolist()) <= {0.0, 1.0}
        else:
            assert weights.max() == pytest.approx(0.3)
        assert weights.sum() > 0
