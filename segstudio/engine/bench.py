"""How fast one model is on one device: the bare net, and everything around it.

The bare forward pass and the whole predictor (resize, normalise, forward, labels at frame size)
take turns on the same frame, so that a busy machine hits both alike. Both run the same net with
the same input size, precision and number of threads.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch

from segstudio.core.catalogue import ModelCard
from segstudio.core.frame import Frame, FrameId
from segstudio.core.strategy import Strategy
from segstudio.engine import device as devices
from segstudio.engine.catalogue import count_model
from segstudio.engine.predictor import Predictor
from segstudio.engine.windows import mirrored

FRAME = (720, 1280)
"""(h, w) of the frame where no input size is asked for: what dashcams record."""

_WARM_UP = 3
"""Rounds before the clock: the first as it is, the second compiles, the third is as the others."""


@dataclass(frozen=True, slots=True)
class BenchFigures:
    """One model measured. Times in milliseconds of wall time, synchronised with the device.

    model, net: names. device, precision: used. compiled: the compiler did its work. frame_*,
    input_*: pixels. fps: of the whole predictor, from its median; forward_fps: of the bare net.
    overhead: median of the predictor by median of the forward pass. parameters: without heads for
    training only. gmacs: 10^9 multiply-accumulates at the input size. peak_mb: as in
    Prediction. None: cannot be counted here. notes: what the predictor told.
    """

    model: str
    net: str
    device: str
    precision: str
    compiled: bool
    threads: int
    frame_height: int
    frame_width: int
    input_height: int
    input_width: int
    runs: int
    fps: float
    forward_fps: float
    forward_p50: float
    forward_p95: float
    predict_p50: float
    predict_p95: float
    overhead: float
    parameters: int | None
    gmacs: float | None
    peak_mb: float | None
    notes: tuple[str, ...] = ()


def bench_model(
    card: ModelCard,
    device: str = "auto",
    *,
    size: tuple[int, int] | None = None,
    precision: str = "auto",
    compile: bool = False,  # noqa: A002  torch's own word for it
    runs: int = 20,
) -> BenchFigures:
    """Measure `runs` rounds of both.

    size: (h, w) of input and frame; without one the card's rule decides about a 720p frame.
    ModelError when the net cannot take that size, DeviceError or OutOfMemory as the predictor.
    """
    strategy = Strategy(size=size, precision=precision, compile=compile)
    predictor = Predictor(card, device, strategy=strategy)
    try:
        return _measured(predictor, make_frame(size or FRAME), runs)
    finally:
        predictor.close()


def make_frame(size: tuple[int, int]) -> Frame:
    """Smooth colours with a little noise, the same every time."""
    height, width = size
    rng = np.random.default_rng(0)
    rows = np.linspace(0, 180, height)[:, None, None]
    cols = np.linspace(0, 60, width)[None, :, None]
    rgb = (rows + cols + rng.integers(0, 15, (height, width, 3))).astype(np.uint8)
    rgb.setflags(write=False)
    return Frame(FrameId("made-up", 0, None, 0), rgb, 0.0)


def _measured(predictor: Predictor, frame: Frame, runs: int) -> BenchFigures:
    runner = predictor.runner
    size = predictor.predict(frame).input_size
    with torch.inference_mode():
        x = mirrored(runner.prepare(frame.rgb, size), runner.spec.margin)
    forwards, predictions = [], []
    notes: dict[str, None] = {}
    for round_ in range(_WARM_UP + runs):
        start = time.perf_counter()
        with torch.inference_mode():
            runner.forward(x)
            devices.synchronize(runner.device)
        middle = time.perf_counter()
        done = predictor.predict(frame)
        end = time.perf_counter()
        notes.update(dict.fromkeys(done.notes))
        if round_ >= _WARM_UP:
            forwards.append(1000 * (middle - start))
            predictions.append(1000 * (end - middle))
    forward_p50, forward_p95 = (float(v) for v in np.percentile(forwards, (50, 95)))
    predict_p50, predict_p95 = (float(v) for v in np.percentile(predictions, (50, 95)))
    counted = count_model(predictor.card, done.input_size)
    return BenchFigures(
        model=predictor.card.name,
        net=predictor.card.net,
        device=predictor.device,
        precision=predictor.precision,
        compiled=runner.is_compiled,
        threads=torch.get_num_threads(),
        frame_height=frame.height,
        frame_width=frame.width,
        input_height=done.input_size[0],
        input_width=done.input_size[1],
        runs=runs,
        fps=1000 / predict_p50,
        forward_fps=1000 / forward_p50,
        forward_p50=forward_p50,
        forward_p95=forward_p95,
        predict_p50=predict_p50,
        predict_p95=predict_p95,
        overhead=predict_p50 / forward_p50,
        parameters=counted.parameters,
        gmacs=counted.gmacs,
        peak_mb=done.peak_mb,
        notes=tuple(notes),
    )
