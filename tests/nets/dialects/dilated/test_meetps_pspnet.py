"""PSPNet of pytorch-semseg, its forward pass said again."""

import torch
from torch.nn import functional as F


def meetps(block):
    return (
        *((f"{block}.{u}.cbr_unit.0", f"{block}.{u}.cbr_unit.1") for u in ("cbr1", "cbr2")),
        *((f"{block}.{u}.cb_unit.0", f"{block}.{u}.cb_unit.1") for u in ("cb3", "cb4")),
    )


@torch.inference_mode()
def test_meetps_pspnet(maths, picture):
    m, x = maths("meetps_pspnet101_cityscapes"), picture(97, 129)
    stem = [f"convbnrelu1_{i}.cbr_unit" for i in (1, 2, 3)]
    h = m.deep_stem(x, [(f"{name}.0", f"{name}.1") for name in stem])
    for layer, stride, dilation in ((2, 1, 1), (3, 2, 1), (4, 1, 2), (5, 1, 4)):
        prefix = f"res_block{layer}.layers."
        h = m.stage(h, prefix, stride=stride, dilations=(dilation,), names=meetps)
    levels = [h]
    for i, bins in enumerate((6, 3, 2, 1)):
        size = (h.shape[2] // bins, h.shape[3] // bins)
        name = f"pyramid_pooling.path_module_list.{i}.cbr_unit"
        level = m.unit(F.avg_pool2d(h, size, size), f"{name}.0", f"{name}.1")
        levels.append(m.sized(level, h, align_corners=True))
    h = m.unit(torch.cat(levels, 1), "cbr_final.cbr_unit.0", "cbr_final.cbr_unit.1")
    m.same(m.ours(x, width=4), m.classify(h, "classification"))
