"""Facts in words."""

import pytest

from segstudio.core.catalogue import WHOLE_PICTURE, InputRule, NetFacts, NetFigures
from segstudio.ui import words


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            InputRule(short_side=360),
            "Resized to a short side of 360 px, sides rounded to multiples of 32. RGB values"
            " 0–255 brought to 0–1, less ImageNet's mean, by its deviation.",
        ),
        (
            InputRule((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), multiple_of=1),
            "The frame's own size. RGB values 0–255 brought to 0–1, nothing subtracted.",
        ),
        (
            InputRule((104.0, 117.0, 123.0), (1.0, 1.0, 1.0), 1.0, 255.0, "BGR", multiple_of=8),
            "The frame's own size, sides rounded to multiples of 8. BGR values 0–255 as they are,"
            " less (104, 117, 123), by 1, then by 255.",
        ),
    ],
)
def test_an_input_rule(rule, text):
    assert words.input_rule(rule) == text


def test_sizes_that_a_net_takes():
    free = NetFacts("a", "A", "", "")
    assert words.net_input(free) == "Any size from 32 px."
    odd = NetFacts("a", "A", "", "", multiple_of=16, remainder=4, margin=92, min_side=4)
    assert words.net_input(odd) == (
        "Sides of multiples of 16 plus 4, from 4 px; sees 92 px of mirrored picture around it."
    )
    one = NetFacts("a", "A", "", "", only_size=(512, 1024))
    assert words.net_input(one) == "1024 × 512 and nothing else."


def test_figures_wait_fail_and_come():
    assert set(words.figures(None).values()) == {"…"}
    assert set(words.figures(NetFigures(1, 1)).values()) == {"–"}
    found = words.figures(NetFigures(512, 1024, 3_358_627, 24.6, 8, WHOLE_PICTURE))
    assert list(found.values()) == ["3.36 M", "24.60 at 1024 × 512", "8", "whole picture"]


def test_one_and_many():
    assert words.counted(1, "class", "classes") == "1 class"
    assert words.counted(1200, "run") == "1,200 runs"
