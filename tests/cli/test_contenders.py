"""A model and its own settings in one word."""

import argparse

import pytest

from segstudio.cli.contenders import contenders
from segstudio.cli.predict import add_model_options
from segstudio.core.strategy import Strategy
from segstudio.errors import ModelError, SettingsError, UsageError


@pytest.fixture
def options():
    def parsed(*words):
        parser = argparse.ArgumentParser()
        add_model_options(parser)
        return parser.parse_args(words)

    return parsed


@pytest.mark.parametrize(
    ("settings", "strategy"),
    [
        ("flip", Strategy(flip=True)),
        ("scale=0.5,flip", Strategy(input_scale=0.5, flip=True)),
        (
            "how=sliding,tile=512x1024,overlap=0.25",
            Strategy(kind="sliding", tile=(512, 1024), overlap=0.25),
        ),
        ("scales=0.75+1+1.25", Strategy(scales=(0.75, 1.0, 1.25))),
        (
            "size=64x96,precision=fp32,crf",
            Strategy(size=(64, 96), precision="fp32", crf=True),
        ),
        ("full, compile", Strategy(full_resolution=True, compile=True)),
    ],
)
def test_settings_become_a_strategy(settings, strategy, small_model, options):
    (found,) = contenders([f"{small_model}@{settings}"], options())
    assert found.strategy == strategy
    assert found.name == f"small@{settings}"
    assert found.device == "auto"


def test_a_model_says_only_what_is_its_own(small_model, options):
    plain, own = contenders(
        [str(small_model), f"{small_model}@precision=fp32,device=cpu"], options("--flip")
    )
    assert plain.strategy == Strategy(flip=True)
    assert own.strategy == Strategy(flip=True, precision="fp32")
    assert own.device == "cpu"


def test_names_are_unique_even_of_one_model_twice(small_model, options):
    word = str(small_model)
    names = [c.name for c in contenders([word, word, f"{word}@flip", word], options())]
    assert names == ["small", "small#2", "small@flip", "small#3"]


def test_a_folder_with_an_at_sign_is_a_folder(made, options, tmp_path):
    folder = made("odd").rename(tmp_path / "a@b")
    assert contenders([str(folder)], options())[0].card.name == "odd"
    assert contenders([f"{folder}@flip"], options())[0].strategy.flip


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ("flop", UsageError, "'flop' is no setting of a model"),
        ("flip=yes", UsageError, "no setting"),
        ("scale=", UsageError, "no setting"),
        ("scale=big", UsageError, "scale=big is no number"),
        ("tile=9", UsageError, "not a size"),
        ("how=round", SettingsError, "kind"),
        ("scale=0", SettingsError, "scale"),
        ("", UsageError, "names no model with settings"),
    ],
)
def test_nonsense_is_told_with_the_remedy(settings, error, told, small_model, options):
    with pytest.raises(error, match=told):
        contenders([f"{small_model}@{settings}"], options())


def test_an_unknown_model_is_told(options):
    with pytest.raises((ModelError, UsageError)):
        contenders(["no_such_model@flip"], options())
