"""SegFormer's files: the logits of transformers, of the authors and of MMSegmentation."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.nets.dialect import dialect_of, fit
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into, load_state

HEADS, REDUCTIONS = (1, 2, 5, 8), (8, 4, 2, 1)


@pytest.fixture
def picture():
    return torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def ours(state):
    found = dialect_of(state).read(state)
    assert fit(found).is_whole
    net = NETS.get(found.net).build(found.num_classes, **found.net_args).eval()
    load_into(net, found.state, source="random")
    return net


def faint(state, *names):
    """So small in places that the eps of a layer norm shows."""
    return {k: v * 0.003 if any(n in k for n in names) else v for k, v in state.items()}


def test_files_of_transformers_give_its_logits(listed, picture, tmp_path):
    library = pytest.importorskip("transformers", reason="extra hub")
    state = faint(listed("hf_segformer_b0", "cpu"), "patch_embeddings.", "sequence_reduction.")
    theirs = library.SegformerForSemanticSegmentation(library.SegformerConfig(num_labels=19)).eval()
    theirs.load_state_dict(state)
    theirs.save_pretrained(tmp_path)
    written = load_state(tmp_path / "model.safetensors")
    assert "segformer.encoder.block.0.0.attention.self.query.weight" in written
    with torch.inference_mode():
        expected = theirs(picture).logits
        torch.testing.assert_close(ours(state)(picture).logits, expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours(written)(picture).logits, expected, rtol=1e-4, atol=1e-4)


class Theirs:
    """What the authors' and MMSegmentation's forwards have in common."""

    def __init__(self, state):
        self.s = state

    def linear(self, name, x):
        return F.linear(x, self.s[f"{name}.weight"].flatten(1), self.s[f"{name}.bias"])

    def conv(self, name, x, stride=1, padding=0):
        w = self.s[f"{name}.weight"]
        groups = x.shape[1] // w.shape[1]
        return F.conv2d(x, w, self.s.get(f"{name}.bias"), stride, padding, groups=groups)

    def norm(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self.s[f"{name}.weight"], self.s[f"{name}.bias"], eps)

    def bn_relu(self, name, x):
        rest = (self.s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.relu(F.batch_norm(x, *rest))

    def tokens(self, x):
        return x.flatten(2).transpose(1, 2)

    def grid(self, x, size):
        return x.transpose(1, 2).reshape(x.shape[0], -1, *size)

    def up(self, x, like):
        return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)

    def mix_ffn(self, names, x, size):
        first, depthwise, last = names
        wide = self.grid(self.linear(first, x), size)
        return self.linear(last, self.tokens(F.gelu(self.conv(depthwise, wide, padding=1))))


class Authors(Theirs):
    """Linear decoder, coarse stages first; eps 1e-6 in and behind blocks, 1e-5 elsewhere."""

    def attention(self, name, x, size, i):
        count, length, width = x.shape
        source = x
        if REDUCTIONS[i] > 1:
            smaller = self.conv(f"{name}.sr", self.grid(x, size), REDUCTIONS[i])
            source = self.norm(f"{name}.norm", self.tokens(smaller), 1e-5)
        heads, deep = HEADS[i], width // HEADS[i]
        q = self.linear(f"{name}.q", x).reshape(count, length, heads, deep).permute(0, 2, 1, 3)
        kv = self.linear(f"{name}.kv", source).reshape(count, -1, 2, heads, deep)
        k, v = kv.permute(2, 0, 3, 1, 4)
        mixed = (q @ k.transpose(-2, -1) * deep**-0.5).softmax(-1) @ v
        return self.linear(f"{name}.proj", mixed.transpose(1, 2).reshape(x.shape))

    def __call__(self, x):
        found = []
        for i in range(4):
            n = i + 1
            x = self.conv(f"backbone.patch_embed{n}.proj", x, *((4, 3) if i == 0 else (2, 1)))
            size = x.shape[2:]
            x = self.norm(f"backbone.patch_embed{n}.norm", self.tokens(x), 1e-5)
            for j in range(2):
                b = f"backbone.block{n}.{j}"
                x = x + self.attention(f"{b}.attn", self.norm(f"{b}.norm1", x, 1e-6), size, i)
                names = [f"{b}.mlp.{k}" for k in ("fc1", "dwconv.dwconv", "fc2")]
                x = x + self.mix_ffn(names, self.norm(f"{b}.norm2", x, 1e-6), size)
            x = self.grid(self.norm(f"backbone.norm{n}", x, 1e-6), size)
            found.append(x)
        flat = [
            self.grid(self.linear(f"decode_head.linear_c{n}.proj", self.tokens(c)), c.shape[2:])
            for n, c in enumerate(found, 1)
        ]
        together = torch.cat([self.up(c, flat[0]) for c in reversed(flat)], 1)
        fused = self.conv("decode_head.linear_fuse.conv", together)
        return self.conv(
            "decode_head.linear_pred", self.bn_relu("decode_head.linear_fuse.bn", fused)
        )


def authors_shapes():
    """B0's tensors under the authors' names, with the classifier that nobody uses."""
    widths, shapes = (32, 64, 160, 256), {}

    def add(name, *weight, bias=True):
        shapes[f"{name}.weight"] = weight
        if bias:
            shapes[f"{name}.bias"] = weight[:1]

    for n, (inner, c, r) in enumerate(zip((3, *widths), widths, REDUCTIONS, strict=False), 1):
        add(f"backbone.patch_embed{n}.proj", c, inner, *((7, 7) if n == 1 else (3, 3)))
        add(f"backbone.patch_embed{n}.norm", c)
        add(f"backbone.norm{n}", c)
        for j in range(2):
            b = f"backbone.block{n}.{j}"
            for name, weight in (
                *(("norm1", (c,)), ("norm2", (c,)), ("attn.q", (c, c)), ("attn.kv", (2 * c, c))),
                *(("attn.proj", (c, c)), ("mlp.fc1", (4 * c, c)), ("mlp.fc2", (c, 4 * c))),
                ("mlp.dwconv.dwconv", (4 * c, 1, 3, 3)),
                *((("attn.sr", (c, c, r, r)), ("attn.norm", (c,))) if r > 1 else ()),
            ):
                add(f"{b}.{name}", *weight)
        add(f"decode_head.linear_c{n}.proj", 256, c)
    add("decode_head.linear_fuse.conv", 256, 1024, 1, 1, bias=False)
    for name in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"decode_head.linear_fuse.bn.{name}"] = (256,)
    add("decode_head.linear_pred", 19, 256, 1, 1)
    add("decode_head.conv_seg", 19, 128, 1, 1)
    return shapes


def test_files_of_the_authors_give_their_logits(picture):
    random = torch.Generator().manual_seed(0)
    state = {
        name: torch.rand(shape, generator=random) + 0.5
        if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight"))
        else torch.randn(shape, generator=random) * 0.1
        for name, shape in authors_shapes().items()
    }
    state = faint(state, "patch_embed", "attn.sr")
    assert dialect_of(state).read(state).ignored.keys() == {
        "decode_head.conv_seg.weight",
        "decode_head.conv_seg.bias",
    }
    with torch.inference_mode():
        torch.testing.assert_close(
            ours(state)(picture).logits, Authors(state)(picture), rtol=1e-4, atol=1e-4
        )


class MMSegmentation(Theirs):
    """Batch norm and ReLU in the decoder, fine stages first; eps 1e-6 everywhere."""

    def attention(self, name, x, size, i):
        source = x
        if REDUCTIONS[i] > 1:
            smaller = self.conv(f"{name}.sr", self.grid(x, size), REDUCTIONS[i])
            source = self.norm(f"{name}.norm", self.tokens(smaller), 1e-6)
        module = nn.MultiheadAttention(x.shape[2], HEADS[i], batch_first=True).eval()
        start = f"{name}.attn."
        module.load_state_dict(
            {k.removeprefix(start): v for k, v in self.s.items() if k.startswith(start)}
        )
        return module(x, source, source)[0]

    def __call__(self, x):
        found = []
        for i in range(4):
            stage = f"backbone.layers.{i}"
            x = self.conv(f"{stage}.0.projection", x, *((4, 3) if i == 0 else (2, 1)))
            size = x.shape[2:]
            x = self.norm(f"{stage}.0.norm", self.tokens(x), 1e-6)
            for j in range(2):
                b = f"{stage}.1.{j}"
                x = x + self.attention(f"{b}.attn", self.norm(f"{b}.norm1", x, 1e-6), size, i)
                names = [f"{b}.ffn.layers.{k}" for k in (0, 1, 4)]
                x = x + self.mix_ffn(names, self.norm(f"{b}.norm2", x, 1e-6), size)
            x = self.grid(self.norm(f"{stage}.2", x, 1e-6), size)
            found.append(x)
        heads = [f"decode_head.convs.{i}" for i in range(4)]
        same = [
            self.up(self.bn_relu(f"{h}.bn", self.conv(f"{h}.conv", c)), found[0])
            for h, c in zip(heads, found, strict=True)
        ]
        fused = self.conv("decode_head.fusion_conv.conv", torch.cat(same, 1))
        return self.conv("decode_head.conv_seg", self.bn_relu("decode_head.fusion_conv.bn", fused))


def test_files_of_mmsegmentation_give_its_logits(listed, picture):
    state = faint(listed("mm_segformer_mit-b0", "cpu"), "layers.0.0.", "layers.1.0.", "attn.sr")
    with torch.inference_mode():
        torch.testing.assert_close(
            ours(state)(picture).logits, MMSegmentation(state)(picture), rtol=1e-4, atol=1e-4
        )
