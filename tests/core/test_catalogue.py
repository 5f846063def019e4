"""The size a net sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.core.catalogue import InputRule


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [((360, 480), (352, 480)), ((720, 1280), (352, 640)), ((1080, 1920), (352, 640))],
)
def test_the_short_side_rules_and_both_are_multiples(frame, wanted):
    assert InputRule(short_side=360).size_for(*frame) == wanted


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([0.25, 0.5, 1.0, 1.5]))
def test_any_frame_gives_a_size_the_net_accepts(h, w, factor):
    for rule in (InputRule(short_side=360), InputRule()):
        size = rule.size_for(h, w, factor)
        assert all(side >= 32 and side % 32 == 0 for side in size)
