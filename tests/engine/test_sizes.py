"""Sizes that a net is given: always ones it takes, near what was asked for."""

import pytest

from segstudio.core.catalogue import InputRule
from segstudio.core.strategy import Strategy
from segstudio.engine.sizes import MAX_INPUT_PIXELS, MAX_WINDOWED_PIXELS, Sizes
from segstudio.errors import ModelError
from segstudio.nets.registry import NetSpec

FRAMES = [(1, 1), (37, 53), (360, 480), (375, 500), (719, 1281), (1080, 1920), (4, 9000)]


def spec(**changes) -> NetSpec:
    return NetSpec("toy", "Toy", "", lambda classes: None, **changes)


SPECS = [
    spec(multiple_of=32),
    spec(multiple_of=8, remainder=1, min_side=33),
    spec(multiple_of=16, remainder=4, margin=92, min_side=4),
    spec(multiple_of=1, min_side=100),
]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("kind", ["whole", "sliding", "mirror"])
@pytest.mark.parametrize("short_side", [None, 360])
def test_every_frame_becomes_a_size_and_windows_that_the_net_takes(frame, spec, kind, short_side):
    strategy = Strategy(kind=kind, overlap=0.3)
    sizes = Sizes(InputRule(short_side=short_side), spec, strategy)
    limit = MAX_INPUT_PIXELS if kind == "whole" else MAX_WINDOWED_PIXELS
    for factor in (1.0, 0.75, 0.5, 1.25):
        size, _ = sizes.for_frame(*frame, factor)
        spec.check_size(*size)
        assert size[0] * size[1] <= limit
        for windows in (sizes.windows(size, min(factor, 1.0)), sizes.pieces(size, 2)):
            spec.check_size(*windows.tile)
            full = [s + 2 * c for s, c in zip(size, windows.context(), strict=True)]
            for side, tile in zip(full, windows.tile, strict=True):
                assert tile <= side
                assert (side - tile) % spec.multiple_of == 0


@pytest.mark.parametrize("frame", FRAMES[:-1])
def test_the_cards_rule_is_followed(frame):
    rule = InputRule(short_side=360)
    found = Sizes(rule, SPECS[0], Strategy()).for_frame(*frame)
    assert found == (rule.size_for(*frame), False)


def test_full_resolution_puts_the_short_side_aside():
    sizes = Sizes(InputRule(short_side=360), SPECS[0], Strategy(full_resolution=True))
    assert sizes.for_frame(720, 1280) == (InputRule().size_for(720, 1280), False)


def test_a_fixed_size_is_taken_as_it_is_and_scaled_as_the_net_allows():
    sizes = Sizes(InputRule(), SPECS[1], Strategy(size=(473, 713)))
    assert sizes.for_frame(100, 900) == ((473, 713), False)
    scaled, _ = sizes.for_frame(100, 900, 0.5)
    SPECS[1].check_size(*scaled)
    assert abs(scaled[0] - 236) <= 16
    assert abs(scaled[1] - 356) <= 16


@pytest.mark.parametrize(
    "strategy",
    [Strategy(size=(470, 713)), Strategy(kind="sliding", tile=(470, 713))],
)
def test_what_a_net_cannot_take_is_refused_with_the_sizes_that_work(strategy):
    with pytest.raises(ModelError, match="choose 465×713 or 473×713"):
        Sizes(InputRule(), SPECS[1], strategy)


def test_a_net_of_one_size_is_given_that_size_and_windows_of_it():
    only = spec(only_size=(256, 320))
    assert Sizes(InputRule(), only, Strategy()).for_frame(720, 1280) == ((256, 320), False)
    sizes = Sizes(InputRule(), only, Strategy(kind="sliding", full_resolution=True))
    size, _ = sizes.for_frame(720, 1280)
    assert abs(size[0] - 720) <= 16
    assert abs(size[1] - 1280) <= 16
    assert sizes.windows(size).tile == (256, 320)
    assert sizes.for_frame(50, 60)[0] == (256, 320)


def test_mirrored_tiles_of_a_net_with_a_margin_need_no_more_context():
    own = Sizes(InputRule(), SPECS[2], Strategy(kind="mirror", tile=(388, 388)))
    assert own.windows((580, 772)).context() == (0, 0)
    other = Sizes(InputRule(), SPECS[0], Strategy(kind="mirror", tile=(384, 384)))
    assert other.windows((576, 768)).context() == (64, 64)
