"""A feature pyramid head of ours on any backbone of timm.

The backbones are those of https://github.com/huggingface/pytorch-image-models (Apache-2.0), taken
as feature extractors; the papers stand there. The head is the semantic branch of Kirillov,
Girshick, He, Dollár, "Panoptic Feature Pyramid Networks", CVPR 2019,
https://arxiv.org/abs/1901.02446, section 3 and Figure 3, with these deviations: each level is
brought to the finest one by a single convolution and one enlargement instead of a chain of
doublings, and batch norm takes the place of group norm. Nobody published weights for these nets:
they are for training.

timm is imported when a net is built: that takes seconds.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from segstudio.errors import ModelError
from segstudio.nets.libraries import SchedulesOnCpu, library
from segstudio.nets.registry import NetOutput, Tap, net


class PyramidHead(nn.Module):
    """Lateral 1x1, top-down sums, 3x3 on each level, all levels summed at the finest stride."""

    def __init__(self, channels: list[int], width: int, num_classes: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(inner, width, 1) for inner in channels)
        self.smooth = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            )
            for _ in channels
        )
        self.classify = nn.Conv2d(width, num_classes, 1)

    def forward(self, stages: list[Tensor]) -> Tensor:
        """Stages (N, channels[i], H/s_i, W/s_i), finest first -> logits (N, C, H/s_0, W/s_0)."""
        size = stages[0].shape[2:]
        pyramid = [lateral(stage) for lateral, stage in zip(self.lateral, stages, strict=True)]
        for i in range(len(pyramid) - 1, 0, -1):
            fine = pyramid[i - 1]
            pyramid[i - 1] = fine + F.interpolate(pyramid[i], size=fine.shape[2:])
        total = self.smooth[0](pyramid[0])
        for smooth, level in zip(self.smooth[1:], pyramid[1:], strict=True):
            total = total + _enlarged(smooth(level), size)
        logits: Tensor = self.classify(total)
        return logits


def _enlarged(x: Tensor, size: Any) -> Tensor:  # noqa: ANN401  torch.Size, symbolic in an export
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class TimmPyramid(nn.Module):
    """A timm backbone and the pyramid head.

    Input: float32 (N, 3, H, W), H and W multiples of the backbone's largest stride. Output: logits
    (N, C, H/s, W/s), s = 4 for most backbones.
    """

    def __init__(self, backbone: Any, width: int, num_classes: int) -> None:  # noqa: ANN401  timm's
        super().__init__()
        about = backbone.feature_info
        strides: list[int] = list(about.reduction())
        first = next((i for i, stride in enumerate(strides) if stride >= 4), 0)
        self._first = first
        self._channels: list[int] = list(about.channels())[first:]
        self.backbone = backbone
        self.head = PyramidHead(self._channels, width, num_classes)
        self.multiple_of = max(strides)
        self.min_side = 2 * max(strides)  # batch norm of one pixel cannot learn
        self.taps = tuple(
            Tap(f"backbone.{name.replace('.', '_')}", stride, channels)
            for name, stride, channels in zip(
                about.module_name()[first:], strides[first:], self._channels, strict=True
            )
            if _is_stage(backbone, name.replace(".", "_"))
        )

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stages = self.backbone(x)[self._first :]
        # Swin and its kin hand out (N, h, w, channels).
        stages = [
            stage if stage.shape[1] == channels else stage.permute(0, 3, 1, 2)
            for stage, channels in zip(stages, self._channels, strict=True)
        ]
        return NetOutput(self.head(stages))


def _is_stage(backbone: Any, name: str) -> bool:  # noqa: ANN401  timm's
    """Whether that module's own output is the stage, as (N, channels, h, w)."""
    is_chain = type(backbone).__name__ == "FeatureListNet"
    return is_chain and backbone.output_fmt == "NCHW" and name in dict(backbone.named_modules())


@net(
    "timm_fpn",
    title="Feature pyramid on timm",
    paper="https://arxiv.org/abs/1901.02446",
    multiple_of=32,
    min_side=64,
    extra="smp",
)
def timm_fpn(num_classes: int, *, backbone: str = "resnet18", width: int = 128) -> TimmPyramid:
    """backbone: timm's name of it. width: channels of the pyramid.

    ModelError when timm is missing, or has no such backbone, or it cannot hand out features.
    """
    timm = library("timm", package="timm", extra="smp", title=f"A pyramid on {backbone}")
    if not timm.is_model(backbone.partition(".")[0]):
        near = timm.list_models(f"*{backbone.partition('.')[0]}*")[:3]
        hint = f"did you mean {' or '.join(near)}?" if near else "look its name up in timm's list."
        raise ModelError(f"timm has no backbone '{backbone}'; {hint}")
    try:
        with SchedulesOnCpu():
            built = timm.create_model(backbone, pretrained=False, features_only=True)
    except (RuntimeError, AttributeError, TypeError, AssertionError) as error:
        raise ModelError(
            f"The backbone '{backbone}' of timm cannot hand out the features of its stages"
            f" ({error}); choose another."
        ) from error
    return TimmPyramid(built, width, num_classes)
