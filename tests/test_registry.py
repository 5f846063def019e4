"""Names, and what is said when one is unknown or taken."""

import threading
from types import ModuleType

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


def test_threads_that_ask_while_it_loads_wait_for_it(monkeypatch):
    registry = Registry("net", "nothing_in_it")
    package = ModuleType("nothing_in_it")
    package.__path__ = []
    is_loading, may_go_on, found = threading.Event(), threading.Event(), []

    def slow_import(name):
        is_loading.set()
        may_go_on.wait(20)
        registry.add("unet")("two")
        return package

    monkeypatch.setattr("importlib.import_module", slow_import)
    first = threading.Thread(target=lambda: found.append("unet" in registry))
    second = threading.Thread(target=lambda: found.append("unet" in registry))
    first.start()
    assert is_loading.wait(20)
    second.start()
    may_go_on.set()
    first.join(20)
    second.join(20)
    assert found == [True, True]
