"""Any ONNX segmentation file as a net, by onnxruntime.

What is accepted: one picture as float (N, 3, H, W) in, sizes static or free; logits or
probabilities (N, C, h, w), or labels (N, h, w) or (N, 1, h, w) as whole numbers out. Probabilities
become logarithms and labels become scores, so that whatever comes after sees logits. Everything
else is refused with a sentence that names the shape.

onnxruntime is imported when a file is opened: that takes a moment, and the extra may be missing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segstudio.core.catalogue import ModelCard
from segstudio.errors import ModelError, OutOfMemory
from segstudio.nets.libraries import library
from segstudio.nets.registry import NetOutput, NetSpec

if TYPE_CHECKING:
    from segstudio.engine.inside.onnx_session import Inside, Listening

METADATA = "segstudio"
"""Name of the entry in the file's metadata that our own exports carry: JSON, see onnx_export."""

PROVIDERS = {
    "cuda": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
    "mps": ("CoreMLExecutionProvider", "CPUExecutionProvider"),
    "cpu": ("OpenVINOExecutionProvider", "CPUExecutionProvider"),
}
"""What onnxruntime may calculate with, best first; those that are not installed are passed over."""

EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"
"""onnxruntime's option: where weights lie that are not in the model itself."""

FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
WHOLE = (
    "tensor(uint8)",
    "tensor(int8)",
    "tensor(int16)",
    "tensor(int32)",
    "tensor(int64)",
    "tensor(bool)",
)

SURE = 12.0
"""Logit of a label that the file answers with: a softmax makes it certain."""

LEAST_PROBABILITY = 1e-7

NET_ARGS = ("align_corners", "multiple_of", "remainder", "min_side", "margin")
"""What a card may say about the net in the file, as NetSpec does."""

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """What an ONNX file says about itself. Free sides are None.

    input, output: name, shape and onnxruntime's type of the two that are used. outputs: name and
    shape of all. size: (h, w) when the file takes nothing else. num_classes: channels of the
    answer, None when it answers with labels. answers: "logits", "probabilities" or "labels".
    net_args, card: what our own exports say (align_corners, …; classes, input, …), else empty.
    """

    file: Path
    input: tuple[str, Shape, str]
    output: tuple[str, Shape, str]
    outputs: tuple[tuple[str, Shape], ...]
    size: tuple[int, int] | None
    num_classes: int | None
    answers: str
    net_args: dict[str, int | float | str | bool] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)


def describe_onnx(path: Path) -> OnnxFacts:
    """What the file takes and answers, without predicting anything.

    ModelError when the extra is missing, it is no ONNX file, or its layout is not one of those in
    the module's first lines.
    """
    session = open_session(path, "cpu", is_for_reading=True)
    taken = [(i.name, _shape(i.shape), i.type) for i in session.get_inputs()]
    given = [(o.name, _shape(o.shape), o.type) for o in session.get_outputs()]
    source = _accepted_input(path, taken)
    size = _static(source[1])
    answer = _accepted_output(path, given, size)
    channels = answer[1][1] if len(answer[1]) == 4 else None
    answers = "labels"
    if answer[2] in FLOATS:
        answers = "probabilities" if _ends_in_softmax(path, answer[0]) else "logits"
    else:
        channels = None
    own = _metadata(session)
    return OnnxFacts(
        file=path,
        input=source,
        output=answer,
        outputs=tuple((name, shape) for name, shape, _ in given),
        size=size,
        num_classes=channels,
        answers=answers,
        net_args={k: v for k, v in own.get("net_args", {}).items() if k in NET_ARGS},
        card=own.get("card", {}),
    )


def open_session(
    path: Path, device: str, *, is_for_reading: bool = False, edited: bytes | None = None
) -> Any:  # noqa: ANN401  onnxruntime's
    """An onnxruntime session on that kind of device ("cpu", "cuda", "mps").

    is_for_reading: nothing is optimised, because nothing will be run. edited: the file's model,
    changed; weights outside of it are found beside the file. ModelError when the extra is missing
    or the file is none.
    """
    ort: Any = library("onnxruntime", package="onnxruntime", extra="onnx", title="An ONNX file")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # what matters is raised
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if is_for_reading:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    there = ort.get_available_providers()
    wanted = [p for p in PROVIDERS.get(device, PROVIDERS["cpu"]) if p in there]
    if not path.is_file():
        raise ModelError(
            f"The ONNX file {path} is missing; put it back or install the model again."
        )
    if edited is not None:
        options.add_session_config_entry(EXTERNAL_FOLDER, str(path.parent))
    try:
        return ort.InferenceSession(edited or str(path), options, providers=wanted)
    except Exception as error:  # onnxruntime raises classes of its own
        raise ModelError(
            f"{path} cannot be opened as an ONNX file ({_first_line(error)}); download or export it"
            " again."
        ) from error


class OnnxNet(nn.Module):
    """The net in an ONNX file.

    Input: float32 (N, 3, H, W). Output: logits float32 (N, C, h, w), on the input's device. The
    session is opened at the first picture, for the device that the picture is on.
    num_classes: of the card, which decides where the file answers with labels.
    """

    def __init__(self, facts: OnnxFacts, num_classes: int) -> None:
        super().__init__()
        self.facts = facts
        self.num_classes = num_classes
        self._session: Any = None
        self._device = ""
        self._inside: Inside | None = None

    def listen(self, name: str, listener: Callable[[Tensor], None]) -> "Listening":
        """Tell what the tensor of that name in the file's graph is, whenever the net runs.

        ModelError when there is none, or an extra is missing.
        """
        from segstudio.engine.inside.onnx_session import Inside

        if self._inside is None:
            self._inside = Inside(self.facts.file)
        return self._inside.listen(name, listener)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class. ModelError when it cannot be run or labels beyond the card's classes."""
        if x.is_meta:
            raise NotImplementedError("an ONNX file has no answer without numbers")
        if self._session is None or self._device != x.device.type:
            self._session = open_session(self.facts.file, x.device.type)
            self._device = x.device.type
        name, _, kind = self.facts.input
        image = x.detach().cpu().contiguous().numpy().astype(FLOATS[kind], copy=False)
        try:
            if self._inside is None or not self._inside.prepare(x.device.type):
                values = self._session.run([self.facts.output[0]], {name: image})[0]
            else:
                values = self._inside.run(self.facts.output[0], {name: image}, x.device)
        except Exception as error:
            if "allocat" in str(error).lower() or "out of memory" in str(error).lower():
                raise OutOfMemory(
                    f"{self.facts.file.name} needs more memory than is free; choose a smaller"
                    " input size or close other programs."
                ) from error
            raise ModelError(
                f"{self.facts.file.name} cannot be run on {x.shape[3]}×{x.shape[2]}"
                f" ({_first_line(error)}); choose another input size or export it again."
            ) from error
        return NetOutput(self._logits(torch.from_numpy(np.asarray(values))).to(x.device))

    def _logits(self, answer: Tensor) -> Tensor:
        if self.facts.answers == "labels":
            return self._scores(answer)
        if answer.ndim != 4 or answer.shape[1] != self.num_classes:
            raise ModelError(
                f"{self.facts.file.name} answers with the shape {tuple(answer.shape)}, and its card"
                f" has {self.num_classes} classes; mend the card."
            )
        values = answer.float()
        if self.facts.answers == "probabilities":
            return values.clamp_min(LEAST_PROBABILITY).log()
        return values

    def _scores(self, labels: Tensor) -> Tensor:
        """(N, h, w) or (N, 1, h, w) whole numbers -> (N, C, h, w): SURE at the label, else 0."""
        flat = (labels[:, 0] if labels.ndim == 4 else labels).long()
        low, high = int(flat.min()), int(flat.max())
        if low < 0 or high >= self.num_classes:
            wrong = low if low < 0 else high
            raise ModelError(
                f"{self.facts.file.name} answers with the label {wrong}, and its card has"
                f" {self.num_classes} classes; mend the card."
            )
        return F.one_hot(flat, self.num_classes).permute(0, 3, 1, 2).float() * SURE


def build_onnx_net(card: ModelCard, file: Path) -> tuple[NetSpec, OnnxNet]:
    """The spec and the net of a card whose weights are an ONNX file.

    ModelError when the file is no segmentation net that can be used, or has other classes.
    """
    strange = [name for name in card.net_args if name not in NET_ARGS]
    if strange:
        raise ModelError(
            f"The card of '{card.name}' gives an ONNX file the net_args '{strange[0]}', which it"
            f" does not have; possible are {', '.join(NET_ARGS)}."
        )
    facts = describe_onnx(file)
    classes = len(card.classes)
    if facts.num_classes is not None and facts.num_classes != classes:
        raise ModelError(
            f"{file.name} answers with {facts.num_classes} channels (shape"
            f" {_said(facts.output[1])}), and the card of '{card.name}' has {classes} classes; mend"
            " the card."
        )

    def built(num_classes: int) -> OnnxNet:
        return OnnxNet(facts, num_classes)

    said = {**facts.net_args, **card.net_args}
    wrong = [k for k, v in said.items() if k != "align_corners" and not isinstance(v, int)]
    if wrong:
        raise ModelError(f"The card of '{card.name}' gives no whole number as {wrong[0]}; mend it.")
    spec = NetSpec(
        name="onnx",
        title=file.name,
        paper="https://onnx.ai",
        build=built,
        family="ONNX",
        align_corners=bool(said.get("align_corners", False)),
        multiple_of=max(1, int(said.get("multiple_of", 1))),
        remainder=int(said.get("remainder", 0)),
        min_side=int(said.get("min_side", 32)),
        margin=int(said.get("margin", 0)),
        extra="onnx",
        only_size=facts.size,
    )
    return spec, built(classes)


def _accepted_input(path: Path, inputs: list[tuple[str, Shape, str]]) -> tuple[str, Shape, str]:
    if len(inputs) != 1:
        raise ModelError(
            f"{path.name} takes {len(inputs)} inputs"
            f" ({', '.join(f'{name} {_said(shape)}' for name, shape, _ in inputs)}); a segmentation"
            " net takes one picture, so export it with that alone."
        )
    name, shape, kind = inputs[0]
    if len(shape) == 4 and shape[3] == 3 and shape[1] != 3:
        raise ModelError(
            f"{path.name} takes {_said(shape)}, with the channels last (NHWC); export it with the"
            " channels first, (N, 3, H, W)."
        )
    if len(shape) != 4 or shape[1] not in (3, None) or shape[0] not in (1, None):
        raise ModelError(
            f"{path.name} takes {_said(shape)}; a segmentation net takes one picture (1, 3, H, W),"
            " so export it again with that."
        )
    if kind not in FLOATS:
        raise ModelError(
            f"{path.name} takes {_said(shape)} as {kind}; export it with float numbers."
        )
    return name, shape, kind


def _accepted_output(
    path: Path, outputs: list[tuple[str, Shape, str]], size: tuple[int, int] | None
) -> tuple[str, Shape, str]:
    """The first output that can be scores or labels."""
    for name, shape, kind in outputs:
        if kind in FLOATS and len(shape) == 4 and shape[1] != 1 and not _is_nhwc(shape, size):
            return name, shape, kind
        is_flat = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if kind in WHOLE and is_flat:
            return name, shape, kind
    listed = ", ".join(f"{name} {_said(shape)} {kind}" for name, shape, kind in outputs)
    hint = "scores (N, C, h, w) or whole-numbered labels (N, h, w)"
    if any(kind in FLOATS and _is_nhwc(shape, size) for _, shape, kind in outputs):
        hint = "the channels first, (N, C, h, w)"
    raise ModelError(
        f"{path.name} answers with {listed}; a segmentation net answers with {hint}, so export it"
        " again like that."
    )


def _is_nhwc(shape: Shape, size: tuple[int, int] | None) -> bool:
    """Whether (N, a, b, C) rather than (N, C, a, b), by its sides beside those of the input."""
    if len(shape) != 4:
        return False
    _, first, second, last = shape
    if size is None:
        return first is None and second is None and last is not None
    if first is None or second is None or last is None:
        return False
    return first * size[1] == second * size[0] and second * size[1] != last * size[0]


def _static(shape: Shape) -> tuple[int, int] | None:
    """(h, w) of an input whose sides are both fixed."""
    height, width = shape[2], shape[3]
    return (height, width) if height is not None and width is not None else None


def _shape(sides: Any) -> Shape:  # noqa: ANN401  onnxruntime's list of numbers, names and None
    return tuple(side if isinstance(side, int) and side > 0 else None for side in sides or [])


def _said(shape: Shape) -> str:
    return f"({', '.join('?' if side is None else str(side) for side in shape)})"


def _ends_in_softmax(path: Path, output: str) -> bool:
    """Whether that output is made by a softmax; False when the extra's onnx is not there."""
    try:
        onnx: Any = library("onnx", package="onnx", extra="onnx", title="An ONNX file")
    except ModelError:
        return False
    nodes = onnx.load(str(path), load_external_data=False).graph.node
    makers = {name: node for node in nodes for name in node.output}
    node = makers.get(output)
    while node is not None and node.op_type in ("Identity", "Cast", "Resize", "Upsample"):
        node = makers.get(node.input[0])
    return node is not None and node.op_type == "Softmax"


def _metadata(session: Any) -> dict[str, Any]:  # noqa: ANN401  onnxruntime's
    """What our own export wrote; empty for files of others."""
    text = session.get_modelmeta().custom_metadata_map.get(METADATA, "")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, dict)}


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:160]
