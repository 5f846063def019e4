"""A model as an ONNX file, proved by running it: its labels are ours.

The file takes float32 (1, 3, H, W), the frame as the card's input rule makes it, and answers with
logits at the net's own stride, or with labels at the size of the picture. Height and width are free
(in the net's steps) where the net lets itself be exported so; nets with adaptive pools and the like
are written for one size. What an importer must know stands in the file's metadata.
"""

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segstudio.atomic import atomic_path
from segstudio.core.catalogue import ModelCard
from segstudio.engine.loading import build_net
from segstudio.engine.onnx_net import METADATA, open_session
from segstudio.engine.postprocess import running_labels
from segstudio.engine.preprocess import Preparer
from segstudio.errors import ModelError
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.nets.libraries import library
from segstudio.nets.registry import NetSpec
from segstudio.store.models import card_json

OPSET = 18

MOST_DIFFERING = 0.001
"""Share of pixels whose label may differ: rounding moves a border by a pixel here and there."""

FREE_SIZES = ((256, 384), (320, 288))
"""(h, w) near which a file of free size is written and proved; any would do."""

WIDE_FRAME = (1080, 1920)
"""The frame for which a file of one size is written, unless a size is asked for."""

_MOST_BYTES = 2**31 - 2**20
"""An ONNX file is one protobuf message, which ends at 2 GiB."""

_LOGGERS = ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written and how it was proved.

    size: (h, w) of the picture it was written for. is_dynamic: other sizes work too. sizes: those
    it was proved on. differing: largest share of pixels whose label differs from ours, 0..1.
    largest_difference: of a logit (0 when the file answers with labels). note: why the size is
    fixed although a free one was asked for, else "".
    """

    file: Path
    megabytes: float
    opset: int
    size: tuple[int, int]
    is_dynamic: bool
    has_labels: bool
    sizes: tuple[tuple[int, int], ...]
    differing: float
    largest_difference: float
    note: str = ""

    def __str__(self) -> str:
        height, width = self.size
        free = "any size that the net takes" if self.is_dynamic else f"{width}×{height} alone"
        note = f" {self.note}" if self.note else ""
        return (
            f"{self.file.name}: {self.megabytes:.1f} MB, for {free};"
            f" {self.differing:.4%} of the pixels differ, logits by at most"
            f" {self.largest_difference:.1e}.{note}"
        )


class _Answer(nn.Module):
    """The net with a plain tensor as answer: logits, or labels at the size of the picture."""

    def __init__(self, net: nn.Module, spec: NetSpec, *, with_labels: bool) -> None:
        super().__init__()
        self.net = net
        self._border = 2 * spec.margin
        self._align_corners = spec.align_corners
        self._with_labels = with_labels

    def forward(self, image: Tensor) -> Tensor:
        """float32 (1, 3, H, W) -> float32 (1, C, h, w) or uint8 (1, H, W)."""
        logits: Tensor = self.net(image).logits
        if not self._with_labels:
            return logits
        size = (image.shape[2] - self._border, image.shape[3] - self._border)
        large = F.interpolate(logits, size=size, mode="bilinear", align_corners=self._align_corners)
        return large.argmax(1).to(torch.uint8)


def export_onnx(
    card: ModelCard,
    file: Path,
    *,
    size: tuple[int, int] | None = None,
    dynamic: bool = True,
    with_labels: bool = False,
) -> ExportReport:
    """Write the model to `file`, whole or not at all, after its labels were compared with ours.

    size: (h, w) of the net's input (None: chosen). dynamic: height and width free, where the net
    allows it. with_labels: the file answers with labels (1, H, W) uint8, channel numbers, instead
    of logits. ModelError when the extra is missing, the net cannot be exported or takes no such
    size, or more than MOST_DIFFERING of the labels differ.
    """
    title = f"The export of '{card.name}'"
    for module in ("onnx", "onnxscript", "onnxruntime"):
        library(module, package=module, extra="onnx", title=title)
    if card.net == "onnx":
        raise ModelError(f"The model '{card.name}' is an ONNX file already; copy {card.weights}.")
    spec, net = build_net(card)
    net = net.eval().requires_grad_(requires_grad=False)
    if sum(p.numel() * p.element_size() for p in net.state_dict().values()) > _MOST_BYTES:
        raise ModelError(
            f"The model '{card.name}' is larger than the 2 GB that an ONNX file can hold; choose a"
            " smaller one."
        )
    if size is not None:
        spec.check_size(*size)
    work = _Export(card, spec, _Answer(net, spec, with_labels=with_labels).eval(), with_labels)
    with atomic_path(file) as temporary, _quiet():
        done = work.written(temporary, size, dynamic=dynamic and spec.only_size is None)
        megabytes = temporary.stat().st_size / 1e6
    return ExportReport(
        file=file,
        megabytes=megabytes,
        opset=OPSET,
        size=done.sizes[0],
        is_dynamic=done.is_dynamic,
        has_labels=with_labels,
        sizes=done.sizes,
        differing=done.differing,
        largest_difference=done.largest_difference,
        note=done.note,
    )


@dataclass(frozen=True, slots=True)
class _Proof:
    sizes: tuple[tuple[int, int], ...]
    is_dynamic: bool
    differing: float
    largest_difference: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Export:
    """One model on its way into a file. answer: what is exported."""

    card: ModelCard
    spec: NetSpec
    answer: _Answer
    with_labels: bool

    def written(self, file: Path, size: tuple[int, int] | None, *, dynamic: bool) -> _Proof:
        """Write and prove: with free size if asked for and possible, else for one size."""
        note = ""
        if dynamic:
            first, second = (self._near(s) for s in FREE_SIZES)
            sizes = (size or first, second if size != second else first)
            try:
                self._write(file, sizes[0], dynamic=True)
                return self._proved(file, sizes, is_dynamic=True)
            except Exception as error:  # noqa: BLE001  the exporter raises of everything
                logging.getLogger("segstudio.engine").info("free size: %s", error)
                note = f"The size is fixed, because a free one failed ({_reason(error)})."
        fixed = size or self.spec.only_size or self._near(self.card.input.size_for(*WIDE_FRAME))
        try:
            self._write(file, fixed, dynamic=False)
        except Exception as error:
            raise ModelError(
                f"The net of '{self.card.name}' cannot be written as ONNX ({_reason(error)}); try"
                " another size, or another model."
            ) from error
        done = self._proved(file, (fixed,), is_dynamic=False)
        return _Proof(done.sizes, False, done.differing, done.largest_difference, note)

    def _near(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = (self.spec.sides_near(side)[-1] for side in size)
        return height, width

    def _write(self, file: Path, size: tuple[int, int], *, dynamic: bool) -> None:
        shapes = {"image": {2: self._side("rows"), 3: self._side("cols")}} if dynamic else None
        program = torch.onnx.export(
            self.answer,
            (self._picture(size, 0),),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=shapes,
            input_names=["image"],
            output_names=["labels" if self.with_labels else "logits"],
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props[METADATA] = json.dumps(self._about(), ensure_ascii=False)
        program.save(str(file), external_data=False)

    def _side(self, name: str) -> Any:  # noqa: ANN401  torch calls a derived dimension a Dim
        """A free side, in the net's steps."""
        steps: Any = torch.export.Dim(name, min=2)
        side = self.spec.multiple_of * steps if self.spec.multiple_of > 1 else steps
        rest = self.spec.remainder + 2 * self.spec.margin
        return side + rest if rest else side

    def _about(self) -> dict[str, Any]:
        """What an importer must know: the card, and how the net wants to be asked."""
        card = card_json(self.card)
        return {
            "card": {key: card[key] for key in ("name", "title", "classes", "input", "licence")},
            "net_args": {
                "align_corners": self.spec.align_corners,
                "multiple_of": self.spec.multiple_of,
                "remainder": self.spec.remainder,
                "min_side": self.spec.min_side,
                "margin": self.spec.margin,
            },
        }

    def _picture(self, size: tuple[int, int], index: int) -> Tensor:
        """A made-up street as the net's input for a picture of that size."""
        border = 2 * self.spec.margin
        height, width = size[0] + border, size[1] + border
        drive = SyntheticDrive(DriveSettings(height=height, width=width, seed=7))
        prepare = Preparer(self.card.input, torch.device("cpu"))
        return prepare(drive.frame(index)[0], (height, width)).contiguous()

    def _proved(
        self, file: Path, sizes: tuple[tuple[int, int], ...], *, is_dynamic: bool
    ) -> _Proof:
        """ModelError when more labels differ than rounding explains."""
        session = open_session(file, "cpu")
        differing = largest = 0.0
        for index, size in enumerate(sizes):
            image = self._picture(size, index)
            theirs = torch.from_numpy(np.asarray(session.run(None, {"image": image.numpy()})[0]))
            with torch.inference_mode():
                ours = self.answer(image)
            if not self.with_labels:
                largest = max(largest, float((ours - theirs).abs().max()))
                ours, theirs = (self._labels(logits, size) for logits in (ours, theirs))
            differing = max(differing, float((ours != theirs).float().mean()))
        if not differing <= MOST_DIFFERING:  # also when it is no number
            raise ModelError(
                f"The ONNX file of '{self.card.name}' labels {differing:.2%} of the pixels"
                " differently from the model itself, so it was not kept; export another size."
            )
        return _Proof(sizes, is_dynamic, differing, largest)

    def _labels(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        return running_labels(logits[0], size, align_corners=self.spec.align_corners)


def _reason(error: Exception) -> str:
    """The first line that says something, without a full stop, 120 characters at most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    return said.rstrip(".:")[:120]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's warnings are about its own inside; what matters is proved afterwards."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
