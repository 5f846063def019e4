"""A strategy is a value: checked, comparable, and the same after a trip through JSON."""

import json

import pytest

from segstudio.core.strategy import Strategy
from segstudio.errors import SettingsError


def test_defaults_are_the_plain_way_and_nothing_to_write_down():
    assert Strategy().is_plain
    assert Strategy().to_json() == {}
    assert Strategy().told() == "whole frame"


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy(kind="sliding", tile=(512, 1024), overlap=0.25),
        Strategy(scales=(0.75, 1.0, 1.25), flip=True, precision="bf16"),
        Strategy(kind="mirror", tile=(388, 388), crf=True, compile=True),
        Strategy(size=(360, 480), input_scale=0.5),
    ],
)
def test_it_survives_json(strategy):
    assert Strategy.from_json(json.loads(json.dumps(strategy.to_json()))) == strategy


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "tiles"}, "kind cannot be 'tiles'; choose whole, sliding, mirror."),
        ({"tile": (0, 512)}, "tile"),
        ({"tile": (512,)}, "tile"),
        ({"size": (360.5, 480)}, "size"),
        ({"overlap": 1.0}, "overlap cannot be 1.0; choose 0 to 0.9."),
        ({"overlap": float("nan")}, "overlap"),
        ({"scales": ()}, "scale"),
        ({"scales": (1.0, 0.0)}, "scale"),
        ({"scales": (True,)}, "scale"),
        ({"input_scale": -1}, "scale"),
        ({"precision": "int4"}, "precision"),
        ({"flip": 1}, "flip cannot be 1; choose true or false."),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(changes, words):
    with pytest.raises(SettingsError) as caught:
        Strategy(**changes)
    assert words in str(caught.value)


def test_an_unknown_entry_is_named():
    with pytest.raises(SettingsError, match="has no 'zoom'"):
        Strategy.from_json({"zoom": 2})


def test_people_are_told_what_costs_time():
    told = Strategy(kind="sliding", tile=(512, 1024), scales=(0.75, 1.0), flip=True, crf=True)
    assert told.told() == (
        "sliding window 1024×512, 2 scales, averaged with the mirror image, dense CRF"
    )
