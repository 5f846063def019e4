"""One model on one device, ready to label frames.

Batch norms are folded into the convolutions before them and tensors are channels-last: the same
function, 20 to 30 % faster on a CPU.

Precision "auto" means fp16 on CUDA, bf16 on CPUs that calculate with it in hardware (AVX512-BF16
or AMX: 1.5 times faster; ten times slower elsewhere), fp32 otherwise. Reduced precision moves the
border between two classes by a pixel here and there; "fp32" is exact.
"""

import itertools
import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from segstudio.core.catalogue import ModelCard
from segstudio.core.frame import Frame
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine import device as devices
from segstudio.engine.flow import Stopwatch
from segstudio.engine.postprocess import labels_at_frame_size
from segstudio.engine.preprocess import Preparer
from segstudio.errors import ModelError, UnknownName
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import load_into, load_state
from segstudio.store.models import check_weights

log = logging.getLogger("segstudio.engine")

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Predictor:
    """One model on one device; belongs to the thread that uses it.

    card: what it is. device: torch's name. precision: "fp32", "bf16" or "fp16".
    input_scale: the size of the card's input rule times this. ModelError, DeviceError or
    OutOfMemory while loading.
    """

    def __init__(
        self,
        card: ModelCard,
        device: str = "auto",
        *,
        input_scale: float = 1.0,
        precision: str = "auto",
    ) -> None:
        self.card = card
        self._device = devices.choose_device(device)
        self.device = str(self._device)
        self.precision = choose_precision(precision, self._device)
        self._input_scale = input_scale
        self._class_ids = np.array([c.id for c in card.classes.classes], np.uint8)
        spec, net = build_net(card)
        self._align_corners = spec.align_corners
        with devices.guarded(f"The model '{card.name}'", self._device):
            net = fold_batch_norm(net.eval())
            self._net: nn.Module | None = net.requires_grad_(requires_grad=False).to(self._device)
            net.to(memory_format=torch.channels_last)
            self._prepare = Preparer(card.input, self._device)

    def predict(self, frame: Frame, *, request: int = 0) -> Prediction:
        """Label one frame. OutOfMemory or DeviceError when the device gives up."""
        watch = Stopwatch()
        size = self.card.input.size_for(frame.height, frame.width, self._input_scale)
        what = f"The model '{self.card.name}' on {size[1]}×{size[0]}"
        with torch.inference_mode(), devices.guarded(what, self._device):
            x = self._prepare(frame.rgb, size)
            prepare_ms = watch.lap()
            logits = self._forward(x)
            devices.synchronize(self._device)
            forward_ms = watch.lap()
            labels, class_pixels = labels_at_frame_size(
                logits,
                (frame.height, frame.width),
                self._class_ids,
                align_corners=self._align_corners,
            )
            values = logits.float().cpu().numpy()
            values.setflags(write=False)
        return Prediction(
            frame=frame,
            model=self.card.name,
            classes=self.card.classes,
            labels=labels,
            class_pixels=class_pixels,
            logits=Logits(
                values, (frame.height, frame.width), self._align_corners, self._class_ids
            ),
            timing=Timing(prepare_ms, forward_ms, watch.lap()),
            input_size=size,
            device=self.device,
            request=request,
        )

    def close(self) -> None:
        """Let go of the net and give its memory back; `predict` is over. Twice is fine."""
        self._net = None
        devices.free_cache(self._device)

    def _forward(self, x: Tensor) -> Tensor:
        """float (1, 3, h, w) -> logits float (C, h / stride, w / stride)."""
        if self._net is None:
            raise RuntimeError("this predictor is closed")
        dtype = DTYPES[self.precision]
        with torch.autocast(self._device.type, dtype, enabled=dtype != torch.float32):
            logits: Tensor = self._net(x).logits[0]
        return logits


def choose_precision(name: str, device: torch.device) -> str:
    """What "auto" means on that device; another name stays."""
    if name != "auto":
        if name not in DTYPES:
            raise ModelError(f"There is no precision '{name}'; choose auto, fp32, bf16 or fp16.")
        return name
    if device.type == "cuda":
        return "fp16"
    if device.type == "cpu" and _cpu_has_bf16():
        return "bf16"
    return "fp32"


def _cpu_has_bf16() -> bool:
    """AVX512-BF16 or AMX: without them bf16 is emulated and ten times slower than fp32."""
    probes = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", None),
        getattr(torch.cpu, "_is_amx_tile_supported", None),
    )
    return any(bool(probe()) for probe in probes if probe is not None)


def build_net(card: ModelCard) -> tuple[NetSpec, nn.Module]:
    """The card's net with the card's weights, on the CPU in fp32; ModelError when they differ."""
    weights = check_weights(card)
    try:
        spec = NETS.get(card.net)
    except UnknownName as error:
        raise ModelError(f"The model '{card.name}' cannot be used: {error}") from error
    try:
        net = spec.build(len(card.classes), **card.net_args)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The card of '{card.name}' gives net_args that {spec.title} cannot be built with"
            f" ({error}); mend the card."
        ) from error
    load_into(net, load_state(weights), source=str(weights))
    return spec, net


def fold_batch_norm(net: nn.Module) -> nn.Module:
    """The net with every batch norm that follows a convolution folded into it (eval only).

    Which ones follow is known in two forms: neighbours in an nn.Sequential, and pairs of children
    named convN and bnN (ResNet blocks). Other batch norms stay as they are.
    """
    for module in list(net.modules()):
        children = list(module.named_children())
        pairs: list[tuple[str, str]] = []
        if isinstance(module, nn.Sequential):
            pairs = [(a, b) for (a, _), (b, _) in itertools.pairwise(children)]
        else:
            names = {name for name, _ in children}
            pairs = [
                (name, "bn" + name.removeprefix("conv"))
                for name in names
                if name.startswith("conv") and "bn" + name.removeprefix("conv") in names
            ]
        for first, second in pairs:
            conv, norm = module.get_submodule(first), module.get_submodule(second)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, first, fuse_conv_bn_eval(conv, norm))
                setattr(module, second, nn.Identity())
    return net


LoadPredictor = Callable[[], Predictor]
