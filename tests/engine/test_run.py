"""A whole source onto disk: every frame, whole files, and going on after an interruption."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine.flow import CancelToken
from segstudio.engine.run import RunFigures, percentiles, predict_all
from segstudio.errors import Cancelled, FrameMissing, SegStudioError
from segstudio.media.source import SourceInfo
from segstudio.store.masks import read_mask


class Clip:
    """Six frames; frame 4 is damaged, frame 2 cannot be read. Its length is known at the end."""

    def __init__(self, damaged=(4,), missing=(2,)):
        self.damaged, self.missing = damaged, missing
        self.known = 1

    @property
    def info(self):
        return SourceInfo(
            "clip", "clip.mp4", Path("clip.mp4"), "video", 6, 4, self.known, self.known == 6
        )

    def read(self, index):
        self.known = min(6, index + 2)
        if index >= 6 or index in self.missing:
            raise FrameMissing(f"Frame {index} cannot be decoded.")
        note = "cut off" if index in self.damaged else ""
        return Frame(
            FrameId("clip", index, index, 0), np.full((4, 6, 3), index, np.uint8), 1.0, note
        )


class Net:
    """Labels every pixel with the frame's number; remembers which frames it saw."""

    device, precision = "cpu", "fp32"
    card = ModelCard("net", "Net", "net", CAMVID, InputRule(), Path(), "w.safetensors")

    def __init__(self, stop_at=None):
        self.seen = []
        self.stop_at = stop_at

    def predict(self, frame, *, request=0):
        if frame.id.index == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(frame.id.index)
        labels = frame.rgb[..., 0].copy()
        logits = Logits(
            np.zeros((11, 1, 1), np.float32), labels.shape, False, np.arange(11, dtype=np.uint8)
        )
        return Prediction(
            frame,
            "net",
            CAMVID,
            labels,
            np.bincount(labels.ravel(), minlength=256),
            logits,
            Timing(1, 2, 3),
            (4, 6),
            "cpu",
        )

    def close(self):
        pass


@pytest.fixture
def mask_file(tmp_path):
    return lambda index: tmp_path / f"{index:06d}.png"


def test_every_readable_frame_gets_its_own_mask(mask_file):
    net, figures, order = Net(), RunFigures(), []
    predict_all(Clip(), net, mask_file, figures, on_frame=lambda d: order.append(d.frame.id.index))
    assert net.seen == order == [0, 1, 3, 5]
    for index in order:
        assert (read_mask(mask_file(index)) == index).all()
    assert figures.missing == ["Frame 2 cannot be decoded.", "Frame 4: cut off"]
    assert figures.predicted == 4
    assert figures.latencies == [7.0] * 4
    assert len(figures.stages["write"]) == 4


def test_an_interrupted_run_goes_on_where_it_stopped(mask_file):
    with pytest.raises(KeyboardInterrupt):
        predict_all(Clip(), Net(stop_at=3), mask_file, RunFigures())
    assert mask_file(1).is_file()
    net, figures = Net(), RunFigures()
    done = []
    predict_all(Clip(), net, mask_file, figures, on_frame=done.append)
    assert net.seen == [3, 5]
    assert (figures.resumed, figures.predicted) == (2, 2)
    assert [d.prediction is None for d in done] == [True, True, False, False]
    assert all((d.labels == d.frame.id.index).all() for d in done)


def test_only_each_third_frame(mask_file):
    net = Net()
    predict_all(Clip(), net, mask_file, RunFigures(), every=3)
    assert net.seen == [0, 3]


def test_the_length_is_told_once_it_is_known(mask_file):
    told = []
    predict_all(Clip((), ()), Net(), mask_file, RunFigures(), on_progress=lambda *a: told.append(a))
    assert told[0] == (1, None)
    assert told[-1] == (6, 6)


def test_a_cancelled_token_stops_between_frames(mask_file):
    token = CancelToken()
    net = Net()
    with pytest.raises(Cancelled):
        predict_all(
            Clip(), net, mask_file, RunFigures(), on_frame=lambda d: token.cancel(), token=token
        )
    assert net.seen == [0]
    assert mask_file(0).is_file()


def test_a_full_disk_ends_the_run_with_a_sentence(tmp_path):
    (tmp_path / "masks").write_text("a file where a folder must be")
    with pytest.raises(SegStudioError):
        predict_all(Clip(), Net(), lambda i: tmp_path / "masks" / f"{i}.png", RunFigures())


def test_percentiles_of_nothing_are_unknown():
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}
    assert percentiles([1.0, 2.0, 3.0])["p50"] == 2.0
