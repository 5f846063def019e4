"""Xception-65 against timm's (which loads the authors' TensorFlow weights), and the strides."""

import pytest
import timm
import torch
from torch import nn

from segstudio.nets.backbones.xception import AlignedXception65, Xception

PARTS = ("0.0", "0.1", "1.0", "1.1")
THEIR_PARTS = ("conv_dw", "bn_dw", "conv_pw", "bn_pw")


def from_timm(theirs: nn.Module) -> dict[str, torch.Tensor]:
    names = {f"stem.{i}.conv.": f"stem.{i}.0." for i in (0, 1)}
    names |= {f"stem.{i}.bn.": f"stem.{i}.1." for i in (0, 1)}
    blocks = ["block1", "block2", "block3", *(f"middle.{i}" for i in range(16)), "exit", "last"]
    for index, block in enumerate(blocks):
        convs = block if block == "last" else f"{block}.convs"
        for conv in range(3):
            for part, their_part in zip(PARTS, THEIR_PARTS, strict=True):
                theirs_at = f"blocks.{index}.stack.conv{conv + 1}.{their_part}."
                names[theirs_at] = f"{convs}.{conv}.{part}."
        names[f"blocks.{index}.shortcut.conv."] = f"{block}.shortcut.0."
        names[f"blocks.{index}.shortcut.bn."] = f"{block}.shortcut.1."
    state = {}
    for key, value in theirs.state_dict().items():
        start = next((start for start in names if key.startswith(start)), None)
        if start is not None:
            state[names[start] + key.removeprefix(start)] = value
    return state


@pytest.mark.parametrize("stride", [32, 16])
@torch.inference_mode()
def test_aligned_xception_is_timms(stride):
    torch.manual_seed(0)
    theirs = timm.create_model("xception65", num_classes=0, output_stride=stride).eval()
    net = AlignedXception65(output_stride=stride).eval()
    net.load_state_dict(from_timm(theirs))
    x = torch.randn(1, 3, 65, 97)
    expected = theirs.forward_features(x)
    atol = 1e-4 * float(expected.abs().max())
    torch.testing.assert_close(net(x)[-1], expected, rtol=1e-4, atol=atol)


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("kind", [AlignedXception65, Xception])
def test_stages_have_the_strides_and_channels_it_tells(kind, stride):
    with torch.device("meta"):
        net = kind(output_stride=stride)
    stages = net(torch.empty(1, 3, 128, 64, device="meta"))
    assert [128 // s.shape[2] for s in stages] == list(net.strides)
    assert [s.shape[1] for s in stages] == list(net.channels)
    assert net.strides[-1] == stride


def test_chollets_has_the_parameters_of_the_classifier_without_its_last_layer():
    with torch.device("meta"):
        net = Xception()
    # 22,855,952 of the published classifier (timm's legacy_xception) less 2048 * 1000 + 1000.
    assert sum(p.numel() for p in net.parameters()) == 22_855_952 - 2_049_000


def test_trimmed_maps_are_smaller():
    with torch.device("meta"):
        net = Xception(output_stride=16, trimmed=True)
    stages = net(torch.empty(1, 3, 128, 128, device="meta"))
    assert [s.shape[2] for s in stages] == [61, 31, 16, 8, 4]


@pytest.mark.parametrize("kind", [AlignedXception65, Xception])
def test_unknown_stride_is_refused(kind):
    with pytest.raises(ValueError, match="output_stride 4 is none of 8, 16, 32"):
        kind(output_stride=4)
