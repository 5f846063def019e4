"""Names, and what is said when one is unknown or taken."""

import pytest

from segstudio.errors import UnknownName
from segstudio.registry import Registry


@pytest.fixture
def nets():
    registry = Registry("net", "segstudio.formats")
    registry.add("fcn8s")("one")
    registry.add("unet")("two")
    return registry


def test_things_are_found_by_name_in_order(nets):
    assert list(nets) == ["fcn8s", "unet"]
    assert nets.get("unet") == "two"
    assert "unet" in nets
    assert len(nets) == 2


def test_a_near_miss_is_offered(nets):
    with pytest.raises(UnknownName, match="did you mean 'fcn8s'"):
        nets.get("fcn8")


def test_without_a_near_one_all_are_named(nets):
    with pytest.raises(UnknownName, match="known: fcn8s, unet"):
        nets.get("zzz")


def test_a_taken_name_is_a_bug(nets):
    with pytest.raises(ValueError, match="twice"):
        nets.add("unet")("three")
