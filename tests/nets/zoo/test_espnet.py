"""ESPNet: the paper's figures, and its module by hand."""

import pytest
import torch

from segstudio.nets.registry import NETS
from segstudio.nets.zoo.espnet import ESP


def test_as_many_parameters_as_the_release():
    with torch.device("meta"):
        net = NETS.get("espnet").build(12, p=2, q=8)
    assert sum(p.numel() for p in net.parameters()) == 354_517


def test_the_branches_are_summed_from_small_to_large_dilation():
    torch.manual_seed(0)
    esp = ESP(6, 12, residual=False).eval()
    x = torch.randn(1, 6, 9, 7)
    with torch.inference_mode():
        d = [branch(esp.reduce(x)) for branch in esp.branches]
        assert [v.shape[1] for v in d] == [4, 2, 2, 2, 2]
        merged = [d[0], d[1], d[1] + d[2], d[1] + d[2] + d[3], d[1] + d[2] + d[3] + d[4]]
        torch.testing.assert_close(esp(x), esp.last(torch.cat(merged, 1)))


def test_only_the_last_layer_knows_the_classes_of_a_decoder_with_a_width():
    with torch.device("meta"):
        few, many = (
            NETS.get("espnet").build(classes, decoder_width=12).state_dict() for classes in (3, 40)
        )
    assert [k for k in few if few[k].shape != many[k].shape] == ["up1.weight"]


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_few_classes_are_enough(classes):
    net = NETS.get("espnet").build(classes, q=1).eval()
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 32, 40)).logits.shape == (1, classes, 32, 40)
