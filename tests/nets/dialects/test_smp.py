"""segmentation-models-pytorch: the same answers as the library's own forward."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.errors import ModelError
from segstudio.nets.dialect import dialect_of, fit
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into

smp = pytest.importorskip("segmentation_models_pytorch")


def lived_in(net):
    """Random weights, and batch norms that have seen something."""
    torch.manual_seed(3)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net.eval()


@pytest.mark.parametrize(
    ("arch", "encoder", "options"),
    [
        ("Unet", "resnet18", {"decoder_channels": (32, 16, 16, 8, 8)}),
        ("Unet", "resnet18", {"encoder_depth": 4, "decoder_channels": (32, 16, 16, 8)}),
        ("UnetPlusPlus", "resnet18", {}),
        ("MAnet", "resnet18", {}),
        ("Linknet", "resnet18", {}),
        ("FPN", "resnet18", {"decoder_pyramid_channels": 64}),
        ("PSPNet", "resnet18", {"psp_out_channels": 64}),
        ("PAN", "resnet18", {}),
        ("DeepLabV3", "resnet18", {"decoder_channels": 32}),
        ("DeepLabV3Plus", "resnet18", {"decoder_channels": 32}),
        ("DeepLabV3Plus", "mobilenet_v2", {}),
        ("UPerNet", "resnet18", {}),
        ("Segformer", "mit_b0", {}),
        ("FPN", "dpn68", {}),
    ],
)
def test_a_file_of_the_library_answers_as_the_library(arch, encoder, options):
    torch.manual_seed(1)
    theirs = lived_in(getattr(smp, arch)(encoder, encoder_weights=None, classes=5, **options))
    state = theirs.state_dict()
    found = dialect_of(state).read(state)
    assert fit(found).is_whole
    assert (found.net, found.num_classes) == ("smp", 5)
    assert (found.net_args["arch"], found.net_args["encoder"]) == (arch, encoder)
    spec = NETS.get("smp")
    ours = spec.build(5, **found.net_args)
    load_into(ours, found.state, source="the test")
    own = spec.of(ours.eval())
    x = torch.randn(1, 3, own.min_side, own.min_side + 32)
    with torch.inference_mode():
        wanted = theirs(x)
        logits = ours(x).logits
        if logits.shape != wanted.shape:
            logits = F.interpolate(
                logits, size=x.shape[2:], mode="bilinear", align_corners=own.align_corners
            )
    torch.testing.assert_close(logits, wanted, rtol=1e-4, atol=1e-4)


def test_what_only_the_library_decides_is_no_argument_of_a_card():
    build = NETS.get("smp").build
    for name, value in {"encoder_weights": "imagenet", "upsampling": 2, "colour": 1}.items():
        with pytest.raises(ModelError, match=f"takes no '{name}' from a card"):
            build(5, **{name: value})
    with pytest.raises(ModelError, match="no architecture 'Uned'"):
        build(5, arch="Uned")
    with pytest.raises(ModelError, match="no encoder 'resnet19'"):
        build(5, encoder="resnet19")


def test_deeplab_v3_of_older_versions_is_renamed(listed):
    new = {
        "decoder.aspp.": "decoder.0.",
        "decoder.conv.": "decoder.1.",
        "decoder.bn.": "decoder.2.",
    }
    state = {}
    for key, value in listed("smp_DeepLabV3_resnet101").items():
        start = next((s for s in new if key.startswith(s)), "")
        state[new.get(start, "") + key.removeprefix(start)] = value
    found = dialect_of(state).read(state)
    report = fit(found)
    assert report.is_whole
    assert len(report.renamed) == sum("decoder." in key for key in state)
    assert found.origins["decoder.conv.weight"] == "decoder.1.weight"


def test_pictures_are_prepared_as_the_encoder_was_trained(listed):
    assert dialect_of(state := listed("smp_FPN_resnet50")).read(state).input == {}
    state = listed("smp_DeepLabV3Plus_tu-xception65")
    assert dialect_of(state).read(state).input["mean"] == (0.5, 0.5, 0.5)


def test_an_unknown_decoder_is_a_sentence(listed):
    state = {
        key: value
        for key, value in listed("smp_FPN_resnet50").items()
        if not key.startswith("decoder.")
    }
    with pytest.raises(ModelError, match="a decoder that is not known here"):
        dialect_of(state).read(state)


def test_a_timm_backbone_gets_a_pyramid():
    net = NETS.get("timm_fpn").build(4, backbone="resnet18", width=16).eval()
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 64, 96)).logits.shape == (1, 4, 16, 24)
    with pytest.raises(ModelError, match="no backbone 'resnet19'"):
        NETS.get("timm_fpn").build(4, backbone="resnet19")
