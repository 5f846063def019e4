"""Figures of one model: complete, consistent, in the right units."""

import dataclasses

import pytest

from segstudio.engine.bench import bench_model
from segstudio.errors import ModelError


def test_both_paths_are_measured_on_the_same_input(card):
    found = bench_model(card, "cpu", size=(64, 96), precision="fp32", runs=3)
    assert (found.model, found.net, found.device, found.precision) == (
        "seeded",
        "bisenet_v2",
        "cpu",
        "fp32",
    )
    assert (found.input_height, found.input_width, found.runs) == (64, 96, 3)
    assert (found.frame_height, found.frame_width) == (64, 96)
    assert found.fps == pytest.approx(1000 / found.predict_p50)
    assert found.overhead == pytest.approx(found.predict_p50 / found.forward_p50)
    assert found.forward_p50 <= found.forward_p95
    assert found.peak_mb is None
    assert not found.compiled
    assert set(dataclasses.asdict(found)) >= {"parameters", "gmacs", "notes"}


def test_without_a_size_the_cards_rule_decides_about_a_720p_frame(card):
    found = bench_model(card, "cpu", precision="fp32", runs=1)
    assert (found.frame_height, found.frame_width) == (720, 1280)
    assert (found.input_height, found.input_width) == card.input.size_for(720, 1280)


def test_a_size_that_the_net_cannot_take_is_refused_with_those_it_can(card):
    with pytest.raises(ModelError, match="64×96 or 96×128"):
        bench_model(card, "cpu", size=(70, 100), runs=1)
