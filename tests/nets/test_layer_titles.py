"""Names that tell: what every layer of every net is, in words."""

import re
from collections import Counter

import pytest
import torch
from torch import nn

from segstudio.errors import ModelError
from segstudio.nets.layer_titles import LONGEST, title_of
from segstudio.nets.registry import NETS


def built(name: str, **net_args) -> nn.Module:
    spec = NETS.get(name)
    try:
        with torch.device("meta"):
            return spec.build(11, **net_args)
    except ModelError as error:
        if not spec.extra:
            raise
        pytest.skip(str(error))


def plain(text: str) -> str:
    return re.sub(r"\W", "", text).lower()


@pytest.fixture(scope="module", params=list(NETS))
def net_and_taps(request):
    net = built(request.param)
    return net, {tap.name for tap in NETS.get(request.param).of(net).taps}


def test_what_people_look_at_first_has_a_title_that_tells_more_than_its_name(net_and_taps):
    net, taps = net_and_taps
    names = {name for name, _ in net.named_modules() if name and name.count(".") <= 1} | taps
    for name in names:
        title = title_of(net, name)
        assert title, name
        assert plain(title) not in (plain(name), plain(name.rpartition(".")[2])), (name, title)


def test_sisters_have_titles_of_their_own_that_fit_a_line(net_and_taps):
    net, _ = net_and_taps
    seen = Counter()
    for name, _ in net.named_modules():
        title = title_of(net, name)
        assert len(title) <= LONGEST, (name, title)
        if title:
            seen[name.rpartition(".")[0], title] += 1
    assert [key for key, count in seen.items() if count > 1] == []


def test_every_layer_of_our_own_nets_has_a_title():
    for name in NETS:
        if NETS.get(name).extra or name.endswith(("_101", "39", "b5", "large")):
            continue
        net = built(name)
        assert [n for n, _ in net.named_modules() if n and not title_of(net, n)] == [], name


PAPERS = {
    "bisenet_v1": {
        "spatial": "Spatial path",
        "spatial.0": "Spatial path · 7×7 convolution, stride 2",
        "resnet.layer3": "Context path · backbone · stage 3",
        "context.arm32": "Context path · attention refinement at 1/32",
        "fusion.attention": "Feature fusion · channel weights",
        "head.1": "Head · classes",
    },
    "bisenet_v2": {
        "detail.stage2": "Detail branch · stage 2",
        "detail.stage2.0.0": "Detail branch · stage 2 · 3×3 convolution, stride 2 · convolution",
        "detail.stage2.0.1": "Detail branch · stage 2 · 3×3 convolution, stride 2 · batch norm",
        "semantic.stem": "Semantic branch · stem",
        "semantic.stage5.3": "Semantic branch · stage 5 · block 4",
        "semantic.context": "Semantic branch · stage 5 · context embedding",
        "aggregation.semantic_up": "Aggregation · gate from the semantic branch, for 1/8",
        "boosters.1": "Booster head on stage 3",
        "head.2": "Head · classes",
    },
    "fcn8s": {
        "backbone.stages.2": "Backbone · stage 3, with its pooling",
        "backbone.stages.2.0": "Backbone · stage 3 · 3×3 convolution 1",
        "fc6": "fc6 as a 7×7 convolution",
        "score_pool4": "Skip level pool4 · scores",
        "upscore8": "Answer · enlarged ×8",
    },
    "fcn_alexnet": {"layers.0": "fc6 as a 6×6 convolution"},
    "fcn_googlenet": {"backbone.stages.2.0.five": "Backbone · stage 3 · block 1 · 5×5 branch"},
    "unet": {
        "contract.2": "Encoder · level 3",
        "expand.1": "Decoder · up 2",
        "classify": "Head · classes",
    },
    "deeplab_v1": {"fc6": "fc6, wide field of view", "fc8": "Head · classes"},
    "deeplab_v2_vgg16": {"conv5": "Backbone · stage 5", "aspp.1": "ASPP · branch 2, dilation 12"},
    "deeplab_v3_resnet50": {
        "backbone.layer3.1.conv2": "Backbone · stage 3 · block 2 · 3×3 convolution",
        "aspp.branches.0": "ASPP · branch 1, 1×1 convolution",
        "aspp.branches.2": "ASPP · branch 3, dilation 12",
        "aspp.branches.4": "ASPP · branch 5, image pooling",
        "conv": "Head · convolution, identity",
    },
    "deeplab_v3plus_mobilenet_v2": {
        "low": "Decoder · low-level features",
        "backbone.blocks.5": "Backbone · block 6",
    },
    "deeplab_v3plus_xception65": {"backbone.middle.15": "Backbone · middle flow · block 16"},
    "pspnet50": {"pyramid.levels.1": "Pyramid pooling · 2×2 bins", "classifier": "Head · classes"},
    "icnet": {
        "conv3_1": "Half picture · stage 3, first block",
        "conv4.5": "Quarter picture · stage 4 · block 6",
        "cff_sub24": "Cascade fusion 1, quarter and half picture",
        "sub1.2": "Full picture · 3×3 convolution 3, stride 2",
    },
    "icnet_liminn": {
        "resnet.layer1": "Half and quarter picture · stage 1",
        "resnet.layer4": "Quarter picture · stage 4",
    },
    "icnet_mmseg": {
        "resnet.layer2": "Half picture · stage 2",
        "pyramid.levels.3": "Pyramid pooling · 6×6 bins",
        "sub4": "Quarter picture · reduced to 256 channels",
    },
    "stdc1": {"stage3": "Backbone · stage 3", "context.up16": "Context path · enlarged to 1/8"},
    "ddrnet_23": {
        "context.0": "Context branch · stage 3",
        "detail.1": "Detail branch · stage 4",
        "compression.1": "Fusion behind stage 4 · context into detail",
        "pyramid.scales.1": "DAPPM · scale 2, 5×5 averages",
    },
    "ddrnet_39": {"context.1": "Context branch · stage 3, part 2"},
    "pidnet_s": {
        "i_branch.0": "Context branch (I) · stage 3",
        "d_branch.2": "Boundary branch (D) · stage 5",
        "pag.1": "Pag 2, detail takes context",
        "pyramid": "PAPPM, pyramid pooling",
    },
    "segformer_b0": {
        "stages.1": "Encoder · stage 2",
        "stages.1.blocks.0.attention.q": "Encoder · stage 2 · block 1 · attention · queries",
        "decoder.project.3": "Decoder · projection of stage 4",
        "decoder.classifier": "Decoder · classes",
    },
    "espnet": {
        "level2.0.branches.3": "Encoder · level 2 · block 1 · branch 4, dilation 8",
        "fuse1": "Decoder · fusion at 1/2",
    },
    "enet": {
        "down1": "Encoder · stage 1 · bottleneck 1.0, down",
        "stage2.1": "Encoder · stage 2 · bottleneck 2.2, dilation 2",
        "stage3.2": "Encoder · stage 3 · bottleneck 3.3, asymmetric",
        "fullconv": "Decoder · classes, enlarged ×2",
    },
    "deeplabv3_resnet50": {
        "backbone.conv1": "Backbone · stem · 7×7 convolution, stride 2",
        "backbone.layer2.0.downsample": "Backbone · stage 2 · block 1 · shortcut",
        "classifier.0.convs.2": "Head · ASPP · branch 3, dilation 24",
        "classifier.4": "Head · classes",
    },
    "lraspp_mobilenet_v3_large": {"backbone.1": "Backbone · block 1"},
}


@pytest.mark.parametrize("net", list(PAPERS))
def test_layers_are_called_as_in_the_paper(net):
    found = built(net)
    assert {name: title_of(found, name) for name in PAPERS[net]} == PAPERS[net]


def test_dilations_are_read_from_the_net_itself():
    net = built("deeplab_v3_resnet50", rate=5)
    assert title_of(net, "aspp.branches.2") == "ASPP · branch 3, dilation 10"


class FoldedNorm(nn.Identity):
    """What the engine puts where a norm was."""


def test_a_norm_keeps_its_title_when_it_is_folded_into_its_convolution():
    net = built("bisenet_v2")
    net.get_submodule("detail.stage1.0")[1] = FoldedNorm()
    assert title_of(net, "detail.stage1.0.1").endswith("· batch norm")
    assert title_of(net, "detail.stage1.0").endswith("3×3 convolution, stride 2")


class Unknown(nn.Module):
    """Nobody has a table for it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.stages_0 = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.GELU())
        self.stages_1 = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.AvgPool2d(2))
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(4, 1, 4) for _ in range(2))
        self.q = nn.Linear(4, 4)
        self.zz = nn.Module()


def test_any_module_is_described_by_its_names_and_kinds():
    net = Unknown()
    assert title_of(net, "stem.0") == "Stem · 3×3 convolution, stride 2"
    assert title_of(net, "stages_0") == "Stage 1"
    assert title_of(net, "stages_0.0") == "Stage 1 · 3×3 depth-wise convolution"
    assert title_of(net, "stages_1.1") == "Stage 2 · 1×1 convolution 2"
    assert title_of(net, "stages_1.2") == "Stage 2 · 2×2 average pooling, stride 2"
    assert title_of(net, "blocks.1") == "Block 2"
    assert title_of(net, "blocks.1.norm2") == "Block 2 · layer norm 2"
    assert title_of(net, "blocks.1.self_attn") == "Block 2 · attention"
    assert title_of(net, "q") == "Queries"


def test_nothing_is_said_where_nothing_is_known():
    net = Unknown()
    assert title_of(net, "zz") == ""
    assert title_of(net, "") == ""
    assert title_of(net, "no.such.layer") == ""


@pytest.mark.parametrize(
    ("net", "net_args", "titles"),
    [
        ("timm_fpn", {"backbone": "efficientnet_b0"},
         {"backbone.blocks.1.1.bn2": "Backbone · stage 2 · block 2 · batch norm 2"}),
        ("timm_fpn", {"backbone": "regnety_002"},
         {"backbone.s4.b2.se": "Backbone · stage 4 · block 2 · squeeze and excitation"}),
        ("smp", {"arch": "UPerNet", "encoder": "mit_b0"},
         {"encoder.block3.0.norm2": "Encoder · stage 3 · block 1 · layer norm 2"}),
        ("smp", {"arch": "DeepLabV3Plus"},
         {"decoder.aspp.0.convs.1": "Decoder · ASPP · branch 2, dilation 12"}),
        ("hub", {},
         {"model.segformer.stages.3.blocks.0.attention.k_proj":
          "Encoder · stage 4 · block 1 · attention · keys",
          "model.decode_head.classifier": "Decoder · classes"}),
    ],
)  # fmt: skip
def test_nets_of_libraries_are_described(net, net_args, titles):
    found = built(net, **net_args)
    assert {name: title_of(found, name) for name in titles} == titles
