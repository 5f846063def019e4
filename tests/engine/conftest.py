"""A small seeded model on disk, made-up frames, and a source that does as it is told."""

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.frame import Frame, FrameId
from segstudio.errors import FrameMissing
from segstudio.media.source import SourceInfo
from segstudio.nets.registry import NETS
from segstudio.store.models import file_sha256

NET_ARGS = {"alpha": 0.25, "head_width": 16, "boosters": False}


@pytest.fixture(autouse=True)
def two_threads():
    """With one, torch interpolates three channels in another order than any other number."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    """BiSeNet V2, a quarter as wide, with seeded weights and lived-in batch norms."""
    folder = tmp_path_factory.mktemp("models") / "seeded"
    folder.mkdir()
    torch.manual_seed(5)
    net = NETS.get("bisenet_v2").build(len(CAMVID), **NET_ARGS)
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.randn(2, 3, 64, 96))
    save_file(net.state_dict(), folder / "weights.safetensors")
    return ModelCard(
        name="seeded",
        title="Seeded",
        net="bisenet_v2",
        classes=CAMVID,
        input=InputRule(short_side=96),
        folder=folder,
        weights="weights.safetensors",
        net_args=dict(NET_ARGS),
        sha256=file_sha256(folder / "weights.safetensors"),
    )


def make_frame(index: int = 0, size: tuple[int, int] = (72, 100), time_us: int | None = None):
    """Noise that is the same for the same index, with a smooth gradient under it."""
    h, w = size
    rng = np.random.default_rng(index)
    slope = np.linspace(0, 200, h)[:, None, None] + np.linspace(0, 40, w)[None, :, None]
    rgb = (slope + rng.integers(0, 15, (h, w, 3))).astype(np.uint8)
    rgb.setflags(write=False)
    return Frame(FrameId("made-up", index, time_us, 0), rgb, 0.1)


class FakeSource:
    """Frames by number, with made-up stamps; reads can be held up and made to fail.

    reads: every index that was read. gate: cleared, reads wait. missing: cannot be read.
    """

    def __init__(
        self,
        frames: int = 20,
        *,
        stamps: list[int] | None = None,
        kind: str = "video",
        size: tuple[int, int] = (72, 100),
    ) -> None:
        self.frames = frames
        self.stamps = stamps if stamps is not None else [i * 1000 for i in range(frames)]
        self.kind = kind
        self.size = size
        self.is_complete = True
        self.missing: set[int] = set()
        self.reads: list[int] = []
        self.reading = threading.Condition()
        self.gate = threading.Event()
        self.gate.set()
        self.closed = threading.Event()
        self.errors: dict[int, Exception] = {}
        self.notes: dict[int, str] = {}

    @property
    def info(self) -> SourceInfo:
        return SourceInfo(
            "made-up", "made-up", Path("x"), self.kind, self.size[1], self.size[0],
            self.frames, self.is_complete,
        )  # fmt: skip

    def time_us(self, index: int) -> int | None:
        return self.stamps[index] if self.stamps and index < len(self.stamps) else None

    def read(self, index: int) -> Frame:
        with self.reading:
            self.reads.append(index)
            self.reading.notify_all()
        self.gate.wait()
        if self.closed.is_set():
            raise FrameMissing("The source is closed; open it again.")
        if index in self.errors:
            raise self.errors[index]
        if index in self.missing or not 0 <= index < self.frames:
            raise FrameMissing(f"Frame {index} cannot be decoded; the file is damaged there.")
        frame = make_frame(index, self.size, self.time_us(index))
        return dataclasses.replace(frame, note=self.notes.get(index, ""))

    def wait_for_read(self, index: int) -> None:
        """Until somebody asked for frame `index`."""
        with self.reading:
            assert self.reading.wait_for(lambda: index in self.reads, 20)

    def close(self) -> None:
        self.closed.set()
        self.gate.set()
