"""The zoo as facts: listed without building, described as built, counted on the meta device."""

import pytest

from segstudio.core.catalogue import WHOLE_PICTURE, NetFacts
from segstudio.engine.catalogue import describe_net, describe_zoo, measure_net
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.registry import NETS


def test_every_net_is_listed_once_with_title_paper_and_family():
    nets = describe_zoo()
    assert sorted(n.name for n in nets) == list(NETS)
    assert all(n.title and n.paper and n.family for n in nets)


def test_a_net_is_described_as_its_arguments_build_it():
    declared = next(n for n in describe_zoo() if n.name == "espnet")
    built = describe_net("espnet", {}, classes=12)
    assert len(built.taps) > len(declared.taps)
    assert built.taps[-1].channels == 12


def test_bisenet_v2_has_the_figures_of_its_table():
    figures = measure_net("bisenet_v2", None, 19, 512, 1024)
    assert figures.parameters == 3_358_627
    assert figures.gmacs == pytest.approx(24.60, abs=0.01)
    assert figures.output_stride == 8
    assert figures.receptive_field == WHOLE_PICTURE


def test_a_net_that_cannot_be_built_says_why(monkeypatch):
    facts = describe_net("bisenet_v2", {"no_such": 1})
    assert "bisenet" in facts.trouble.lower()
    assert facts.title == "BiSeNet V2"
    with pytest.raises(ModelError, match="net arguments"):
        measure_net("bisenet_v2", {"no_such": 1}, 19, 512, 1024)


def test_an_unknown_net_is_told():
    with pytest.raises(SegStudioError, match="bisenet_v2"):
        describe_net("bisenet_v22")


@pytest.mark.parametrize(
    ("facts", "size", "near"),
    [
        (NetFacts("a", "A", "", "", multiple_of=8, remainder=1), (512, 1024), (513, 1025)),
        (NetFacts("a", "A", "", "", multiple_of=32, min_side=64), (10, 1020), (64, 1024)),
        (NetFacts("a", "A", "", "", only_size=(65, 129)), (512, 1024), (65, 129)),
        (NetFacts("a", "A", "", ""), (333, 77), (333, 77)),
    ],
)
def test_the_next_size_that_a_net_takes(facts, size, near):
    assert facts.size_near(*size) == near
