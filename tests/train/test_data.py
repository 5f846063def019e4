"""What is trained on, and what never is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segstudio.core.catalogue import InputRule
from segstudio.errors import MediaError
from segstudio.store.masks import write_mask
from segstudio.store.pairs import find_pairs
from segstudio.train.data import Samples, batches, read_pair, split_held_out


def test_a_held_out_drive_is_never_trained_on(recipe, tmp_path):
    train, held = split_held_out(recipe.train[0])
    assert [p.name for p in train] == ["a1", "a2", "a3"]
    assert [p.name for p in held] == ["b1"]
    samples = Samples(recipe, 11, InputRule(), tmp_path)
    assert {p.name for p in samples._pairs} == {"a1", "a2", "a3"}


def test_sample_i_is_the_same_whoever_asks_and_when(recipe, tmp_path):
    one, two = (
        Samples(recipe, 11, InputRule(), tmp_path),
        Samples(recipe, 11, InputRule(), tmp_path),
    )
    for i in (5, 0, 3):
        assert torch.equal(one[i][0], two[i][0])
        assert torch.equal(one[i][1], two[i][1])
    assert not torch.equal(one[0][0], one[1][0])


def test_an_epoch_shows_every_picture_once(recipe, tmp_path):
    samples = Samples(recipe, 11, InputRule(), tmp_path)
    for epoch in range(3):
        seen = [samples._real(3 * epoch + i) for i in range(3)]
        assert sorted(seen) == [0, 1, 2]


def test_synthetic_samples_carry_labels_of_the_class_set(recipe, tmp_path):
    samples = Samples(replace(recipe, synthetic_share=1.0), 11, InputRule(), tmp_path)
    image, labels = samples[0]
    assert image.shape == (3, 64, 64)
    assert set(labels.unique().tolist()) <= {*range(11), 255}
    assert len(labels.unique()) > 1


def test_a_resumed_loader_goes_on_with_the_next_batch(recipe, tmp_path):
    samples = Samples(recipe, 11, InputRule(), tmp_path)
    straight = list(batches(samples, recipe, 0))
    resumed = list(batches(samples, recipe, 2))
    assert len(straight) == 4
    assert all(torch.equal(a[0], b[0]) for a, b in zip(straight[2:], resumed, strict=True))


def test_ids_outside_the_class_set_become_void(labelled):
    pair = find_pairs(Path(labelled.images), Path(labelled.labels))[0]
    rgb, labels = read_pair(pair, 5)
    assert rgb.shape == (72, 96, 3)
    assert set(np.unique(labels)) <= {0, 1, 2, 3, 4, 255}
    assert (labels == 255).any()


def test_a_label_of_another_size_is_refused_by_name(labelled):
    write_mask(Path(labelled.labels) / "a1.png", np.zeros((5, 5), np.uint8), None)
    with pytest.raises(MediaError, match="and its labels differ in size"):
        read_pair(find_pairs(Path(labelled.images), Path(labelled.labels))[0], 11)
