"""Evidence by hand: nets whose maps are known in closed form, and everything that may go wrong."""

import dataclasses
import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from segstudio.core.feature_map import Lattice
from segstudio.core.layers import CallFacts
from segstudio.core.look import EvidenceLook
from segstudio.engine.flow import CancelToken
from segstudio.engine.inside.evidence import evidence
from segstudio.engine.runner import Runner
from segstudio.errors import Cancelled, ModelError
from segstudio.nets.registry import NETS, NetOutput, NetSpec

SIZE = (8, 12)
FRAME = (16, 24)
IDS = np.array([5, 2], np.uint8)


class Linear(nn.Module):
    """Two channels from three, a 1x1 classifier behind them; with what the tests ask for between.

    The classifier says 2 a0 - a1 for class 5 and -a0 for class 2.
    """

    def __init__(self, between=None, *, runs=1, asleep=False):
        super().__init__()
        self.first = nn.Conv2d(3, 2, 1, bias=False)
        self.between = between or nn.Identity()
        self.last = nn.Conv2d(2, 2, 1, bias=False)
        self.bystander = nn.Conv2d(3, 2, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.runs = runs
        with torch.no_grad():
            self.first.weight[:] = torch.tensor([[1.0, 0, 0], [0, 1, 0]])[..., None, None]
            self.last.weight[:] = torch.tensor([[2.0, -1], [-1, 0]])[..., None, None]
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, x):
        a = self.first(x)
        self.bystander(x)
        self.pool(x)
        for _ in range(self.runs):
            a = self.between(a)
            if not isinstance(a, torch.Tensor):
                a = a[0] if isinstance(a, tuple) else a[1]["on"] if isinstance(a, list) else a.map
        return NetOutput(self.last(a))


class Doubling(nn.Module):
    def forward(self, x):
        return 2 * x


class WithExtras(nn.Module):
    """Answers with a tuple whose first tensor is no map."""

    def forward(self, x):
        return x, x.mean((2, 3))


class WithAside(nn.Module):
    """Answers first with a map that goes nowhere."""

    def forward(self, x):
        return [3 - x, {"on": x}]


@dataclasses.dataclass
class Answer:
    map: torch.Tensor


class AsADataclass(nn.Module):
    def forward(self, x):
        return Answer(x)


class AsTokens(nn.Module):
    def forward(self, x):
        return x.flatten(2).transpose(1, 2)


class Tokens(Linear):
    """A layer in the middle answers with (1, h w, C)."""

    def forward(self, x):
        a = self.first(x)
        tokens = self.between(a)
        return NetOutput(self.last(tokens.transpose(1, 2).reshape(a.shape)))


def runner_of(net, **said):
    spec = NetSpec("made-up", "Made-up", "https://example.org", lambda n: net, **said)
    return SimpleNamespace(net=net, spec=spec, device=torch.device("cpu"), precision="fp32")


@pytest.fixture
def x():
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def labels():
    """The left half is class 5 in two regions, the rest class 2."""
    made = np.full(FRAME, 2, np.uint8)
    made[:7, :12] = made[9:, :12] = 5
    return made


def asked(runner, x, labels, token=None, known=None, **look):
    look = EvidenceLook(**{"layer": "first", "pixel": (3, 3), **look})
    return evidence(
        runner, x, labels, IDS, look, lambda shape: Lattice.even(shape[-2:], labels.shape),
        token or CancelToken(), known=known,
    )  # fmt: skip


def between_0_and_1(cam):
    cam = np.maximum(cam, 0)
    return (cam - cam.min()) / (cam - cam.min()).max()


@pytest.mark.parametrize("target", ["pixel", "region", "class"])
def test_a_linear_net_weighs_its_channels_as_its_classifier_does(x, labels, target):
    a = x[0].numpy()
    found = asked(runner_of(Linear()), x, labels, target=target)
    assert found.exact == pytest.approx(between_0_and_1(2 * a[0] - a[1]), abs=1e-4)
    assert found.exact.dtype == np.float32
    assert found.values.shape == SIZE
    assert (found.values == np.rint(found.exact / found.high * 255)).all()
    assert found.histogram.sum() == SIZE[0] * SIZE[1]
    assert found.lattice == Lattice((0, 0), (2, 2))


def test_cell_by_cell_only_the_target_is_lit(x, labels):
    lit = asked(runner_of(Linear()), x, labels, kind="hirescam", target="region").exact
    assert (lit[4:] == 0).all()
    assert (lit[:, 7:] == 0).all()
    assert lit[:3, :5].max() > 0.9


def test_another_class_has_its_own_evidence(x, labels):
    found = asked(runner_of(Linear()), -x, labels, class_id=2)
    assert found.exact == pytest.approx(between_0_and_1(x[0, 0].numpy()), abs=1e-4)


def test_a_region_is_what_is_joined_and_the_class_is_all_of_it(x, labels):
    runner = runner_of(Linear())
    region = asked(runner, x, labels, kind="hirescam", target="region").exact
    everywhere = asked(runner, x, labels, kind="hirescam", target="class", pixel=(12, 3)).exact
    assert region[5:].max() == 0 < everywhere[5:, :6].max()
    by_name = asked(runner, x, labels, kind="hirescam", target="class", pixel=None, class_id=5)
    assert (by_name.exact == everywhere).all()


def test_a_relu_in_place_changes_nothing_of_what_is_weighed(x, labels):
    x = x - 0.5
    plain = asked(runner_of(Linear(nn.ReLU())), x, labels)
    inplace = asked(runner_of(Linear(nn.ReLU(inplace=True))), x, labels)
    assert (plain.exact == inplace.exact).all()


def test_every_run_of_a_layer_can_be_asked(x, labels):
    """Each run doubles: all maps are alike but for their size, which goes in the scaling."""
    runner = runner_of(Linear(Doubling(), runs=3))
    maps = [asked(runner, x, labels, layer="between", call=c).exact for c in (0, 1, 2, -1, -3)]
    for made in maps[1:]:
        assert made == pytest.approx(maps[0], abs=1e-5)
    with pytest.raises(ModelError, match=r"did not run for the 4\. time"):
        asked(runner, x, labels, layer="between", call=3)


def test_the_first_run_sees_what_the_later_ones_do_with_it(x, labels):
    class Grows(nn.Module):
        def forward(self, a):
            return a * a

    net = Linear(Grows(), runs=2)
    first = asked(runner_of(net), x, labels, layer="between", call=0, kind="hirescam").exact
    a = x[0, :2].numpy() ** 2  # gradient of (a0², a1²) is (2 a0, 2 a1), times a
    mask = np.zeros(SIZE)
    full = torch.zeros(1, 1, *SIZE, requires_grad=True)
    large = nn.functional.interpolate(full, size=FRAME, mode="bilinear")
    large[0, 0, 3, 3].backward()
    mask = full.grad[0, 0].numpy()
    assert first == pytest.approx(between_0_and_1(mask * (4 * a[0] ** 2 - 2 * a[1] ** 2)), abs=1e-4)


@pytest.mark.parametrize("way", [WithExtras, WithAside, AsADataclass])
def test_answers_of_any_form_are_looked_through(x, labels, way):
    """Of several maps the first counts that the class depends on."""
    plain = asked(runner_of(Linear()), x, labels).exact
    found = asked(runner_of(Linear(way())), x, labels, layer="between").exact
    assert (found == plain).all()


def test_tokens_are_a_map_where_it_is_known_how_they_lie(x, labels):
    plain = asked(runner_of(Linear()), x, labels).exact
    known = CallFacts((2, *SIZE), (0.0, 0.0), (1.0, 1.0), layout="tokens")
    tokens = asked(runner_of(Tokens(AsTokens())), x, labels, known=known, layer="between").exact
    assert (tokens == plain).all()
    with pytest.raises(ModelError, match="no rows and columns"):
        asked(runner_of(Tokens(AsTokens())), x, labels, layer="between")


def test_it_works_inside_inference_mode_and_autocast_with_the_figures_of_fp32(x, labels):
    runner = runner_of(Linear())
    plain = asked(runner, x, labels).exact
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        inside = asked(runner, x.clone(), labels).exact
    assert (inside == plain).all()


def test_a_margin_is_mirrored_before_the_net(labels):
    class Valid(Linear):
        def forward(self, x):
            return NetOutput(super().forward(x).logits[:, :, 2:-2, 2:-2])

    x = torch.rand(1, 3, *SIZE)
    found = asked(runner_of(Valid(), margin=2), x, labels)
    inner = np.array(asked(runner_of(Linear()), x, labels).exact)
    assert found.exact.shape == (SIZE[0] + 4, SIZE[1] + 4)
    assert found.exact[2:-2, 2:-2] == pytest.approx(inner, abs=1e-5)
    assert (found.exact[2:-2, 1] == found.exact[2:-2, 3]).all()


def test_real_nets_work_after_a_prediction(card):
    """What a net keeps from inference mode must not spoil the recording."""
    runner = Runner(card, torch.device("cpu"), "fp32")
    rgb = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    with torch.inference_mode():
        x = runner.prepare(rgb, (64, 96))
        logits = runner.whole(x)
        ids = np.arange(len(logits), dtype=np.uint8)
        labels = np.kron(logits.argmax(0).numpy().astype(np.uint8), np.ones((8, 8), np.uint8))
        for kind in ("gradcam", "gradcam++", "hirescam"):
            look = EvidenceLook(kind, "semantic.stage4", pixel=(30, 40))
            found = evidence(
                runner, x, labels, ids, look, lambda s: Lattice.even(s[1:], (64, 96)),
                CancelToken(),
            )  # fmt: skip
            assert found.values.shape == (4, 6)
        assert (runner.whole(x) == logits).all()


def test_nothing_is_left_behind(x, labels):
    """No hook, no gradient, and no tensor that belongs to a graph."""
    net = Linear(nn.ReLU(inplace=True))
    seen = []
    keep = net.last.register_forward_hook(lambda m, i, o: seen.append(weakref.ref(o)))
    asked(runner_of(net), x, labels)
    keep.remove()
    gc.collect()
    assert [ref() for ref in seen] == [None]
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in net.modules())
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())
    assert not net.training
    assert x.grad is None


def test_a_hook_is_gone_after_an_error_too(x, labels):
    net = Linear()
    with pytest.raises(ModelError):
        asked(runner_of(net), x, labels, layer="bystander")
    assert all(not m._forward_hooks for m in net.modules())


@pytest.mark.parametrize(
    ("look", "said"),
    [
        ({"layer": "bystander"}, "has no influence"),
        ({"layer": "pool"}, "no rows and columns"),
        ({"layer": "nowhere"}, "no layer 'nowhere'"),
        ({"pixel": None}, "click a pixel"),
        ({"pixel": (16, 0)}, "lies outside"),
        ({"class_id": 9}, "does not know the class 9"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(x, labels, look, said):
    with pytest.raises(ModelError, match=said) as caught:
        asked(runner_of(Linear()), x, labels, **look)
    assert str(caught.value).endswith(".")
    assert ". " not in str(caught.value).replace("1. time", "")


def test_a_class_that_is_nowhere_has_no_evidence_as_a_whole(x):
    with pytest.raises(ModelError, match="Nothing on this picture"):
        asked(runner_of(Linear()), x, np.full(FRAME, 5, np.uint8), target="class", class_id=2)


def test_a_net_that_lets_no_gradients_through_says_so(x, labels):
    class Sealed(Linear):
        def forward(self, x):
            with torch.no_grad():
                return super().forward(x)

    with pytest.raises(ModelError, match="has no influence"):
        asked(runner_of(Sealed()), x, labels)


def test_it_can_be_cancelled(x, labels):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        asked(runner_of(Linear()), x, labels, token)


@pytest.mark.parametrize("name", ["icnet", "segformer_b0"])
def test_nets_of_the_zoo_with_twice_run_stages_and_attention(name):
    torch.manual_seed(1)
    spec = NETS.get(name)
    net = spec.build(3).eval().requires_grad_(requires_grad=False)
    spec = spec.of(net)
    size = (spec.sides_near(64)[-1], spec.sides_near(96)[-1])
    x = torch.randn(1, 3, *size)
    runner = SimpleNamespace(net=net, spec=spec, device=torch.device("cpu"), precision="fp32")
    labels = np.full(size, 5, np.uint8)
    layer = "conv2" if name == "icnet" else "stages.2"
    for kind in ("gradcam", "hirescam"):
        look = EvidenceLook(kind, layer, pixel=(20, 30), target="class")
        found = evidence(
            runner, x, labels, np.array([5, 2, 1], np.uint8), look,
            lambda s: Lattice.even(s[1:], size), CancelToken(),
        )  # fmt: skip
        assert np.isfinite(found.exact).all()
