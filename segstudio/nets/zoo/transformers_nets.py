"""The segmentation nets of the library transformers, by their configuration.

The library is https://github.com/huggingface/transformers (Apache-2.0); the papers stand in its
documentation. Ours is the adapter alone: modules and names (behind "model.") are the library's.
Nothing is ever fetched from the network: nets are built from a configuration, never by name.

Two kinds. Semantic nets (SegFormer, UPerNet, DPT, BEiT, MobileViT, DeepLab on MobileNetV2) answer
with logits; only the last enlargement is left out. Mask classifiers (MaskFormer, Mask2Former,
OneFormer, EoMT) answer with queries, each a class distribution and a mask. Their semantic
inference is defined in Cheng, Schwing, Kirillov, "Per-Pixel Classification is Not All You Need for
Semantic Segmentation", NeurIPS 2021, https://arxiv.org/abs/2107.06278, section 3.4: the score of
a class is the sum over queries of its probability times the mask's, "no object" left out. Logits
are the logarithm of that, so that a softmax gives shares of the scores. Two deviations: the sum is
taken at the masks' stride and then enlarged, where the paper enlarges the masks first; and the
auxiliary and matching losses are left out.

The library is imported when a net is built: that takes seconds.
"""

import json
from typing import Any

import torch
from torch import Tensor, nn

from segstudio.errors import ModelError
from segstudio.nets.libraries import SchedulesOnCpu, library
from segstudio.nets.registry import NetOutput, net

SMALL = (
    '{"model_type": "segformer", "depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 48, 64],'
    ' "decoder_hidden_size": 64}'
)
"""A small SegFormer: what is built when a card names no configuration."""

MASK_CLASSIFIERS = ("maskformer", "mask2former", "oneformer", "eomt", "eomt_dinov3")

FOR_ONE_SIZE = ("eomt", "eomt_dinov3", "data2vec-vision")

LEAST_SCORE = 1e-6
"""Added to a score before its logarithm; far below what one query in a hundred contributes."""

SEMANTIC_TASK = (49406, 518, 10549, 533, 29119, 1550, 49407)
""" "the task is semantic" in the tokens of CLIP: what OneFormer is told. Zeros follow."""


class HubNet(nn.Module):
    """A net of transformers.

    Input: float32 (N, 3, H, W), H and W multiples of 32 (or the one size that the net takes).
    Output: logits (N, C, H/s, W/s); s = 4 for most, 2 for DPT, 8 or 16 on MobileNetV2, 32 at
    most.
    """

    def __init__(self, built: Any, num_classes: int) -> None:  # noqa: ANN401  the library's class
        super().__init__()
        self.kind = str(built.config.model_type)
        if hasattr(built, "criterion"):  # the matching loss and its buffers
            built.criterion = None
        self.multiple_of = 32
        self.min_side = 64
        self.align_corners = False
        if self.kind == "dpt":
            built.head.head[-1] = nn.Identity()  # an enlargement by two
            self.align_corners = True
            self._patch = int(built.config.patch_size)
        only = _only_size(built.config)
        if only is not None:
            self.only_size = only
        if self.kind == "oneformer":
            task = torch.zeros(1, int(built.config.task_seq_len), device="cpu")
            task[0, : len(SEMANTIC_TASK)] = torch.tensor(SEMANTIC_TASK, device="cpu")
            self._task = task  # no buffer: autocast and half precision leave token numbers alone
        self.num_classes = num_classes
        self.model = built

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        if self.kind in MASK_CLASSIFIERS:
            return NetOutput(self._semantic(x))
        if self.kind == "upernet":
            maps = self.model.backbone.forward_with_filtered_kwargs(x).feature_maps
            return NetOutput(self.model.decode_head(maps))
        if self.kind == "dpt":
            return NetOutput(self._dpt(x))
        return NetOutput(self.model(x).logits)

    def _semantic(self, x: Tensor) -> Tensor:
        """Class probabilities times mask probabilities, summed over the queries; logarithm."""
        if self.kind == "oneformer":
            out = self.model(x, task_inputs=self._task.expand(x.shape[0], -1).to(x.device))
        else:
            out = self.model(x)
        classes = out.class_queries_logits.float().softmax(-1)[..., :-1]  # (N, Q, C)
        masks = out.masks_queries_logits.float().sigmoid()  # (N, Q, h, w)
        scores = torch.einsum("nqc,nqhw->nchw", classes, masks)
        return (scores + LEAST_SCORE).log()

    def _dpt(self, x: Tensor) -> Tensor:
        """The library's own forward takes squares only: it does not tell the neck the grid."""
        config = self.model.config
        out = self.model.dpt(x, output_hidden_states=True)
        wanted = config.backbone_out_indices
        if config.is_hybrid:
            first = list(out.intermediate_activations)
            wanted = wanted[2:]
        else:
            first = []
        states = [state for i, state in enumerate(out.hidden_states[1:]) if i in wanted]
        rows, cols = x.shape[2] // self._patch, x.shape[3] // self._patch
        neck = self.model.neck(first + states, patch_height=rows, patch_width=cols)
        logits: Tensor = self.model.head(neck)
        return logits


def _only_size(config: Any) -> tuple[int, int] | None:  # noqa: ANN401  the library's class
    """Some nets have positions, or reshape their tokens, for one size alone."""
    if config.model_type in FOR_ONE_SIZE or getattr(config, "is_hybrid", False):
        side = config.image_size
        return (side, side) if isinstance(side, int) else (int(side[0]), int(side[1]))
    return None


@net(
    "hub",
    title="transformers",
    paper="https://github.com/huggingface/transformers",
    multiple_of=32,
    min_side=64,
    extra="hub",
)
def hub_net(num_classes: int, *, config: str = SMALL) -> HubNet:
    """config: the library's config.json as text, "model_type" first of all.

    ModelError when the library is missing, or the text is none of its configurations, or the kind
    of net labels no pixels by class, or it wants something from the network.
    """
    fields = _fields(config)
    kind = str(fields.pop("model_type"))
    transformers = library(
        "transformers", package="transformers", extra="hub", title=f"A net of the kind '{kind}'"
    )
    transformers.logging.set_verbosity_error()
    if kind not in transformers.CONFIG_MAPPING:
        raise ModelError(
            f"The installed transformers knows no '{kind}' nets; install a newer one with the extra"
            " 'hub'."
        )
    made = transformers.CONFIG_MAPPING[kind].from_dict({**fields, **_ours(num_classes)})
    if kind in MASK_CLASSIFIERS:
        library("scipy.optimize", package="scipy", extra="hub", title=f"A net of the kind '{kind}'")
        automatic = transformers.AutoModelForUniversalSegmentation
    elif type(made) in transformers.AutoModelForSemanticSegmentation._model_mapping:
        automatic = transformers.AutoModelForSemanticSegmentation
    else:
        raise ModelError(
            f"A net of the kind '{kind}' labels no pixels by class; choose a semantic segmentation"
            " model."
        )
    with SchedulesOnCpu():
        built = automatic.from_config(made)
    return HubNet(built, num_classes)


def _fields(config: str) -> dict[str, Any]:
    """The configuration as a table; nothing in it may name something in the network."""
    try:
        fields = json.loads(config)
    except ValueError as error:
        raise ModelError(
            "The configuration of the net is not valid JSON; copy the text of its config.json."
        ) from error
    if not isinstance(fields, dict) or not isinstance(fields.get("model_type"), str):
        raise ModelError(
            "The configuration of the net names no model_type; copy the text of its config.json."
        )
    named = _named_backbone(fields)
    if named:
        raise ModelError(
            f"The configuration of the net wants the backbone '{named}' from the network; write"
            " that backbone's own configuration into backbone_config."
        )
    return fields


def _named_backbone(fields: object) -> str:
    """The name of a backbone that the library would look up in the network, "" without one."""
    if isinstance(fields, list):
        return next(filter(None, map(_named_backbone, fields)), "")
    if not isinstance(fields, dict):
        return ""
    name = fields.get("backbone")
    if name and fields.get("model_type") != "timm_backbone":
        return str(name)
    return next(filter(None, map(_named_backbone, fields.values())), "")


def _ours(num_classes: int) -> dict[str, Any]:
    """What no card decides: the classes, and that heads for training only are left out."""
    return {
        "id2label": {i: str(i) for i in range(num_classes)},
        "label2id": {str(i): i for i in range(num_classes)},
        "num_labels": num_classes,
        "use_auxiliary_head": False,
        "use_pretrained_backbone": False,
        "is_training": False,
    }
