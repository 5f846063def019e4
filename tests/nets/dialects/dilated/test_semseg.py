"""PSPNet of semseg, its forward pass said again."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.errors import ModelError
from segstudio.nets.dialect import dialect_of


@pytest.mark.parametrize("name", ["semseg_pspnet50_21", "semseg_pspnet101_19"])
@torch.inference_mode()
def test_semseg(name, maths, picture):
    m, x = maths(name), picture(97, 129)
    h = m.deep_stem(x, [(f"layer0.{i}", f"layer0.{i + 1}") for i in (0, 3, 6)])
    h = m.stage(m.stage(h, "layer1."), "layer2.", stride=2)
    h = m.stage(m.stage(h, "layer3.", dilations=(2,)), "layer4.", dilations=(4,))
    levels = [h]
    for i, bins in enumerate((1, 2, 3, 6)):
        level = F.adaptive_avg_pool2d(h, bins)
        level = m.unit(level, f"ppm.features.{i}.1", f"ppm.features.{i}.2")
        levels.append(m.sized(level, h, align_corners=True))
    h = m.unit(torch.cat(levels, 1), "cls.0", "cls.1")
    m.same(m.ours(x, width=4), m.classify(h, "cls.4"))


def test_a_depth_that_is_not_built_is_refused(listed):
    state = listed("semseg_pspnet50_19")
    odd = {k: v for k, v in state.items() if not k.startswith("layer3.5.")}
    with pytest.raises(ModelError, match="5 blocks in its third stage"):
        dialect_of(odd).read(odd)
