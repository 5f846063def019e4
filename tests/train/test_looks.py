"""Other cameras and other weather change colours, never shapes, and always in the same way."""

import dataclasses

import numpy as np
import pytest

from segstudio.errors import SegStudioError
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.train.augment import augmented
from segstudio.train.augment_rules import RULES, AugmentRule
from segstudio.train.labelled import LabelledFrame
from segstudio.train.looks import other_look


@pytest.fixture(scope="module")
def street():
    rgb, labels = SyntheticDrive(DriveSettings(height=96, width=128, seed=3)).frame(5)
    rgb.setflags(write=False)
    return LabelledFrame.of(rgb, labels)


CHANGES = [f.name for f in dataclasses.fields(AugmentRule)
           if f.name in ("brightness", "contrast", "saturation", "tint", "gamma", "blur", "noise",
                         "rain", "fog", "dark")]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_seen_and_decided_by_the_generator(street, change):
    rule = AugmentRule(**{change: 0.5 if change in CHANGES[:5] else 1.0})
    one, again, other = (
        other_look(street.rgb, np.random.default_rng(seed), rule) for seed in (1, 1, 2)
    )
    assert (one.dtype, one.shape) == (np.uint8, street.rgb.shape)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, street.rgb)


def test_the_rule_none_leaves_every_pixel_as_it_is(street):
    assert np.array_equal(
        other_look(street.rgb, np.random.default_rng(0), RULES["none"]), street.rgb
    )


def test_hue_turns_colours_and_leaves_greys():
    rule = AugmentRule(hue=90)
    grey = np.full((8, 8, 3), 120, np.uint8)
    assert np.abs(other_look(grey, np.random.default_rng(0), rule).astype(int) - 120).max() <= 1
    red = np.full((8, 8, 3), (200, 20, 20), np.uint8)
    assert np.abs(other_look(red, np.random.default_rng(0), rule).astype(int) - red).max() > 40


def test_fog_is_bright_and_flat_and_night_is_dark(street):
    rng = np.random.default_rng(0)
    foggy = [other_look(street.rgb, rng, AugmentRule(fog=1)) for _ in range(8)]
    dark = [other_look(street.rgb, rng, AugmentRule(dark=1)) for _ in range(8)]
    assert np.mean([f.std() for f in foggy]) < street.rgb.std()
    assert np.mean([d.mean() for d in dark]) < 0.6 * street.rgb.mean()


def test_grain_is_as_strong_as_it_says():
    grey = np.full((200, 200, 3), 128, np.uint8)
    spreads = [
        other_look(grey, np.random.default_rng(s), AugmentRule(noise=1)).std() for s in range(30)
    ]
    assert min(spreads) > 1.9
    assert max(spreads) < 10.3


@pytest.mark.parametrize("name", RULES)
def test_named_rules_make_samples_of_the_size_asked(street, name):
    made = [
        augmented(street, np.random.default_rng(4), RULES[name], crop=(64, 48), short_side=96)[0]
        for _ in range(2)
    ]
    assert made[0].rgb.shape == (64, 48, 3)
    assert np.array_equal(made[0].rgb, made[1].rgb)
    assert np.array_equal(made[0].labels, made[1].labels)
    assert (made[0].labels != 255).any()
    assert np.array_equal(made[0].weights > 0, made[0].labels != 255)


def test_rules_that_mean_nothing_are_refused():
    assert AugmentRule.named("mild") is RULES["mild"]
    with pytest.raises(SegStudioError, match="no augmentation 'wild'; choose one of none, mild"):
        AugmentRule.named("wild")
    for wrong in ({"flip": 1.5}, {"scale": (0, 1)}, {"corrected": 0.7, "rare": 0.7}, {"hue": -1}):
        with pytest.raises(SegStudioError, match="correct the recipe"):
            AugmentRule(**wrong)
