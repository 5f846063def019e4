"""Hiding parts of the picture finds the pixels that matter, and nothing else."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from segstudio.core.look import EvidenceLook
from segstudio.engine.flow import CancelToken
from segstudio.engine.inside.evidence import evidence
from segstudio.engine.inside.occlusion import boxes_of, note_on_occlusion
from segstudio.errors import Cancelled, ModelError
from segstudio.nets.registry import NetOutput, NetSpec

SIZE = (24, 36)
FRAME = (48, 72)
SPOT = slice(10, 12), slice(20, 22)
"""Of the input: the only pixels that the net looks at."""


class Spotter(nn.Module):
    """Says class 1 everywhere when the spot is bright, and counts its pictures."""

    def __init__(self):
        super().__init__()
        self.pictures = 0

    def forward(self, x):
        self.pictures += len(x)
        spot = x[:, :, *SPOT].mean((1, 2, 3))[:, None, None]
        bright = (20 * spot).expand(len(x), 6, 9)
        return NetOutput(torch.stack([torch.full_like(bright, 10.0), bright], 1))


@pytest.fixture
def x():
    made = torch.zeros(1, 3, *SIZE)
    made[:, :, *SPOT] = 1
    return made


@pytest.fixture
def runner():
    net = Spotter()
    spec = NetSpec("made-up", "Made-up", "https://example.org", lambda n: net)
    return SimpleNamespace(net=net, spec=spec, device=torch.device("cpu"), precision="fp32")


def occluded(runner, x, token=None, **look):
    look = EvidenceLook("occlusion", **{"pixel": (2, 2), **look})
    labels, ids = np.full(FRAME, 8, np.uint8), np.array([3, 8], np.uint8)
    return evidence(runner, x, labels, ids, look, None, token or CancelToken())


def test_only_boxes_over_the_spot_change_the_answer(runner, x):
    found = occluded(runner, x)
    y, left, bottom, right = 20, 40, 24, 44  # the spot in the frame
    (start_y, start_x), (step_y, step_x) = found.lattice.start, found.lattice.step
    assert (start_y, start_x) == (0, 0)
    for row, col in np.ndindex(*found.exact.shape):
        top, edge = (row - 0.5) * step_y, (col - 0.5) * step_x
        is_over = (
            top < bottom and y < top + 2 * step_y and edge < right and left < edge + 2 * step_x
        )
        assert (found.exact[row, col] > 1e-3) == is_over, (row, col)
    assert found.high == found.exact.max() > 0.9
    assert found.values.max() == 255
    assert found.value_at(21, 41) > 0.9
    assert found.value_at(2, 2) == 0


def test_it_takes_as_many_passes_as_it_says(runner, x):
    found = occluded(runner, x)
    step, (rows, cols) = boxes_of(*SIZE)
    assert (step, rows, cols) == (2, 12, 18)
    assert found.exact.shape == (rows, cols)
    assert runner.net.pictures == rows * cols + 1
    assert note_on_occlusion(720, 1280).startswith("264 passes, each with a box of 120×120")


def test_what_is_gained_by_hiding_counts_for_nothing(runner, x):
    found = occluded(runner, x, class_id=3)
    assert (found.exact == 0).all()
    assert (found.values == 0).all()


def test_regions_and_classes_are_targets_too(runner, x):
    pixel = occluded(runner, x).exact
    assert occluded(runner, x, target="region").exact == pytest.approx(pixel, abs=1e-6)
    assert occluded(runner, x, target="class").exact == pytest.approx(pixel, abs=1e-6)


def test_it_stops_between_two_pictures(runner, x):
    token = CancelToken()

    def stop(_module, _inputs):
        if runner.net.pictures == 5:
            token.cancel()

    handle = runner.net.register_forward_pre_hook(stop)
    with pytest.raises(Cancelled):
        occluded(runner, x, token)
    handle.remove()
    assert runner.net.pictures == 6


def test_it_needs_a_pixel(runner, x):
    with pytest.raises(ModelError, match="click a pixel"):
        occluded(runner, x, pixel=None)
