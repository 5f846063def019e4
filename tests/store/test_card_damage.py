"""Cards of models that were damaged in ways that once crashed."""

import re

import pytest

from segstudio import paths
from segstudio.errors import SegStudioError
from segstudio.store.models import load_card


@pytest.fixture
def card():
    return next(paths.bundled_models().glob("*/card.json")).read_text()


@pytest.mark.parametrize("value", ["[" * 100_000, "1e999", "9" * 6000, "NaN", "null"])
def test_values_that_are_no_colours_are_one_sentence(card, value, tmp_path):
    damaged = re.sub(r'("color": \[\s*)\d+', lambda found: found[1] + value, card, count=1)
    assert damaged != card
    (tmp_path / "card.json").write_text(damaged)
    with pytest.raises(SegStudioError, match=r"\.$"):
        load_card(tmp_path)
