"""Nets that label nothing by class: the SAM family and the DINO backbones.

Their files lie around on many disks, and what they are is told at once instead of "unknown".
"""

from typing import NoReturn

from segstudio.errors import ModelError
from segstudio.nets.dialect import State, dialect


def _what(state: State) -> str:
    """What it is, as it stands in a sentence; "" when it is none of them."""
    if "mask_decoder.iou_token.weight" in state or "sam_mask_decoder.iou_token.weight" in state:
        if any(".timm_model." in key or "spatial_perceiver" in key for key in state):
            return "EdgeTAM"
        if any("obj_score_token" in key for key in state):
            return "SAM 2"
        return "SAM (Segment Anything)"
    if any(key.startswith(("decode_head.", "head.head.", "class_predictor.")) for key in state):
        return ""
    is_own = {"cls_token", "pos_embed", "blocks.0.ls1.gamma"} <= state.keys()
    is_hub = {"embeddings.cls_token", "embeddings.mask_token"} <= state.keys()
    if is_own or (is_hub and any(k.endswith("layer_scale1.lambda1") for k in state)):
        return "a DINO backbone"
    return ""


@dialect(
    "promptable",
    title="SAM and DINO",
    source="https://github.com/facebookresearch",
    recognises=lambda state: bool(_what(state)),
)
def read_promptable(state: State) -> NoReturn:
    """Always ModelError: there is nothing to predict classes with."""
    what = _what(state)
    does = "finds outlines or features" if what.startswith("a ") else "outlines what one clicks on"
    raise ModelError(
        f"These weights are {what}, which {does} but labels nothing by class; choose weights of a"
        " semantic segmentation net."
    )
