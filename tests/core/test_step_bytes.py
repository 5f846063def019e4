"""Steps with a right checksum and wrong content; steps that do not fit their frame."""

import json
import struct
import zlib

import numpy as np
import pytest
import zstandard

from segstudio.core import brush
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.step_bytes import MAGIC, step_from_bytes
from segstudio.core.steps import Step, TileChange
from segstudio.errors import SegStudioError

SHAPE = (150, 200)
GOOD = {"title": "B", "class_id": 1, "pixels": 4, "rect": [0, 0, 2, 2], "tiles": [[0, 0, 1, 1]]}


def packed(head, tiles=b"ab"):
    text = json.dumps(head).encode()
    body = struct.pack("<I", len(text)) + text + tiles
    return MAGIC + struct.pack("<I", zlib.crc32(body)) + body


def test_the_head_these_tests_spoil_is_good():
    assert step_from_bytes(packed(GOOD)).pixels == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"rect": [0, 0, 2]}, {"rect": [0, 0, 2, "2"]}, {"rect": [0, 0, 2, -2]},
        {"rect": [2, 0, 0, 2]}, {"rect": [0, 0, 2, 2.0]}, {"rect": [128, 0, 130, 2]},
        {"pixels": 5}, {"pixels": -1}, {"pixels": True}, {"pixels": None},
        {"class_id": 256}, {"class_id": "1"}, {"title": 7},
        {"tiles": [[-1, 0, 1, 1]]}, {"tiles": [[0, 0, 3, -1]]}, {"tiles": [[0, 0, 1]]},
        {"tiles": [[0, 9, 1, 1]]}, {"tiles": [[0, 0, 1, 0], [0, 0, 1, 0]]}, {"tiles": []},
    ],
)  # fmt: skip
def test_a_head_that_does_not_add_up_is_refused(wrong):
    with pytest.raises(SegStudioError):
        step_from_bytes(packed(GOOD | wrong))


def tile(pixels=2 * 128 * 128):
    return zstandard.compress(bytes(pixels))


@pytest.mark.parametrize(
    "bad",
    [
        TileChange(0, 1, tile(), tile()),
        TileChange(2, 0, tile(), tile()),
        TileChange(-1, 0, tile(), tile()),
        TileChange(1, 0, tile(1 << 28), tile(1 << 28)),
        TileChange(1, 0, b"rubbish", b"rubbish"),
        TileChange(1, 0, b"", b""),
        TileChange(1, 0, tile(2 * 22 * 128)[:-3], tile(2 * 22 * 128)[:-3]),
    ],
)
def test_a_step_that_does_not_fit_the_frame_changes_nothing(bad):
    document = LabelDocument(np.full(SHAPE, 7, np.uint8), np.full(SHAPE, 3, np.uint8))
    good = TileChange(0, 0, tile(), tile())
    step = Step("Brush", 0, 1, Rect(0, 0, 150, 200), (good, bad))
    for act in (document.apply, document.revert):
        with pytest.raises(SegStudioError):
            act(step)
        assert (document.labels == 7).all()
        assert (document.origin == 3).all()
        assert document.origin_counts[3] == 150 * 200
    document.begin("Brush")
    assert document.paint(brush.rectangle((0, 0), (9, 9), SHAPE), 255).pixels == 100
