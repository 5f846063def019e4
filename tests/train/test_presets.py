"""Recipes by name are recipes, for any net, and what the caller says wins."""

import pytest

from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.errors import SegStudioError, UsageError
from segstudio.train.presets import PRESETS, describe, preset


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("net", ["bisenet_v2", "segformer_b0", "deeplab_v2_vgg16"])
def test_a_preset_is_a_whole_recipe_that_survives_json(name, net):
    recipe = preset(name, net)
    assert recipe.net == net
    assert TrainRecipe.from_json(recipe.to_json()) == recipe
    assert describe(name).endswith((".", ")."))


def test_what_the_caller_says_wins():
    data = (LabelledFolder("i", "l"),)
    recipe = preset("quick", "bisenet_v2", steps=7, train=data, synthetic_share=0.25)
    assert (recipe.steps, recipe.train, recipe.synthetic_share) == (7, data, 0.25)
    assert recipe.freeze == "all_but_head"
    assert preset("quick", "bisenet_v2", train=data).synthetic_share == 0


def test_nets_of_tokens_take_small_steps_of_adamw():
    assert preset("standard", "segformer_b0").optimiser == "adamw"
    assert preset("standard", "bisenet_v2").optimiser == "sgd"


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match="quick, standard, full, scratch"):
        preset("magic", "bisenet_v2")


def test_a_recipe_of_an_older_version_is_read_and_a_newer_one_is_told():
    old = '{"train": [{"images": "i", "labels": "l"}], "crop": [64, 64], "warm_up": 3}'
    assert TrainRecipe.from_json(old).warm_up == 3
    assert TrainRecipe.from_json(old).loss == "ohem"
    with pytest.raises(SegStudioError, match="has colour, taste, which this version does not"):
        TrainRecipe.from_json('{"taste": 1, "colour": "blue"}')
    with pytest.raises(SegStudioError, match="augment 'wild', which is none of"):
        preset("quick", "bisenet_v2", augment="wild")


def test_the_rate_follows_the_effective_batch_when_asked():
    recipe = preset("pspnet", "pspnet50")
    assert recipe.optimiser_rule(32).learning_rate == pytest.approx(0.02)
    assert recipe.optimiser_rule().learning_rate == pytest.approx(0.01)
    assert preset("fcn", "fcn8s").optimiser_rule(32).learning_rate == pytest.approx(1e-4)
