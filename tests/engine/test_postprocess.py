"""Labels made fast are the labels that torch's plain way makes."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from segstudio.core.frame import Frame, FrameId
from segstudio.engine import cells, postprocess
from segstudio.engine.predictor import Predictor
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.store.models import default_model

IDS = np.arange(256, dtype=np.uint8)


def enlarged(logits: torch.Tensor, size, align_corners):
    return F.interpolate(logits[None], size=size, mode="bilinear", align_corners=align_corners)[0]


def check(logits: torch.Tensor, size: tuple[int, int], *, align_corners: bool) -> None:
    plain = enlarged(logits, size, align_corners).argmax(0).numpy()
    labels, pixels = postprocess.labels_at_frame_size(
        logits, size, IDS[: logits.shape[0]], align_corners=align_corners
    )
    assert labels.dtype == np.uint8
    assert not labels.flags.writeable
    np.testing.assert_array_equal(labels, plain)
    np.testing.assert_array_equal(pixels, np.bincount(plain.reshape(-1), minlength=256))


def made_up(kind: str, shape: tuple[int, int, int], seed: int) -> torch.Tensor:
    """Logits of one character; the ones with ties are the hard ones."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(shape, generator=random) * 4
    c, h, w = shape
    if kind == "noise":
        return noise
    if kind == "smooth":
        coarse = torch.randn(1, c, max(h // 4, 2), max(w // 4, 2), generator=random) * 5
        return enlarged(coarse[0], (h, w), align_corners=True) + noise / 40
    if kind == "few values":
        return torch.randint(-2, 3, shape, generator=random).float()
    if kind == "bf16":
        return noise.bfloat16().float()
    if kind == "nearly equal":
        return 1000 + torch.randint(-2, 3, shape, generator=random) * 6.1e-5
    if kind == "huge range":
        return noise * 10.0 ** torch.randint(-20, 20, (c, 1, 1), generator=random)
    return torch.zeros(shape)


KINDS = ("noise", "smooth", "few values", "bf16", "nearly equal", "huge range", "constant")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 24), st.integers(1, 24)),
    size=st.tuples(st.integers(1, 130), st.integers(1, 180)),
    align_corners=st.booleans(),
    seed=st.integers(0, 2**31),
)
@example(kind="nearly equal", shape=(19, 9, 9), size=(72, 72), align_corners=False, seed=0)
@example(kind="few values", shape=(5, 24, 24), size=(100, 90), align_corners=True, seed=1)
@example(kind="smooth", shape=(11, 24, 24), size=(11, 173), align_corners=False, seed=2)
def test_labels_are_those_of_the_plain_way(kind, shape, size, align_corners, seed):
    check(made_up(kind, shape, seed), size, align_corners=align_corners)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((19, 44, 60), (352, 480)),
        ((11, 45, 61), (359, 487)),
        ((11, 90, 120), (360, 480)),
        ((7, 200, 150), (101, 77)),
        ((4, 64, 64), (64, 512)),
        ((19, 30, 40), (1, 400)),
    ],
)
def test_labels_are_those_of_the_plain_way_at_frame_sizes(kind, shape, size, align_corners):
    check(made_up(kind, shape, seed=shape[1]), size, align_corners=align_corners)


def test_the_labels_of_a_net_are_those_of_the_plain_way(card):
    y, x = np.mgrid[0:200, 0:280]
    rgb = np.stack([y, x // 2, (y * x) % 251], 2).astype(np.uint8)
    predictor = Predictor(card, "cpu", precision="fp32")
    done = predictor.predict(Frame(FrameId("f", 0, None, 0), rgb, 0.0))
    assert len(np.unique(done.labels)) > 3
    check(torch.from_numpy(done.logits.values.copy()), (200, 280), align_corners=False)
    check(torch.from_numpy(done.logits.values.copy()), (201, 283), align_corners=True)
    predictor.close()


def test_the_labels_of_a_street_are_those_of_the_plain_way():
    """The bundled model looks at the synthetic drive: real borders, real confidence."""
    card = default_model()
    if card is None:
        pytest.skip("no model is bundled")
    drive = SyntheticDrive(DriveSettings(height=180, width=320))
    predictor = Predictor(card, "cpu", input_scale=0.5)
    for index in (0, 90):
        rgb = np.ascontiguousarray(drive.frame(index)[0])
        done = predictor.predict(Frame(FrameId("drive", index, 0, 0), rgb, 0.0))
        logits = torch.tensor(done.logits.values)
        for align_corners in (False, True):
            check(logits, (180, 320), align_corners=align_corners)
            check(logits, (721, 1283), align_corners=align_corners)
    predictor.close()


@pytest.mark.parametrize("fused", [False, True])
def test_both_ways_of_rounding_are_followed(fused):
    """One of them is torch's on this machine; the other must agree with its own definition."""
    logits = made_up("nearly equal", (6, 13, 17), seed=4).numpy()
    size = (91, 103)
    labels, _ = cells.labels_by_cells(logits, size, IDS[:6], align_corners=False, fused=fused)
    rows, cols = (
        cells.axis(n, m, align_corners=False) for n, m in zip((13, 17), size, strict=True)
    )
    y0, x0 = (np.repeat(np.arange(len(a.starts) - 1), np.diff(a.starts)) for a in (rows, cols))
    y1, x1 = np.minimum(y0 + 1, 12), np.minimum(x0 + 1, 16)
    w, h = cols.weight[None, :], rows.weight[:, None]
    mix = postprocess._mixed
    upper = mix(logits[:, y0][:, :, x0], 1 - w, logits[:, y0][:, :, x1], w, fused=fused)
    lower = mix(logits[:, y1][:, :, x0], 1 - w, logits[:, y1][:, :, x1], w, fused=fused)
    np.testing.assert_array_equal(labels, mix(upper, 1 - h, lower, h, fused=fused).argmax(0))


def test_the_fast_way_is_in_use_here():
    assert postprocess._torch_fuses() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_the_running_maximum_agrees_too(kind):
    for shape in ((1, 9, 9), (4, 9, 13), (11, 24, 31)):
        logits = made_up(kind, shape, seed=8)
        running = postprocess.running_labels(logits, (95, 201), align_corners=False)
        plain = postprocess.plain_labels(logits, (95, 201), align_corners=False)
        assert torch.equal(running, plain)


def test_an_unknown_order_of_torch_falls_back_to_the_running_maximum(monkeypatch):
    monkeypatch.setattr(postprocess, "_torch_fuses", lambda: None)
    monkeypatch.setattr(cells, "labels_by_cells", None)
    check(made_up("smooth", (11, 24, 31), seed=8), (190, 201), align_corners=False)


def test_class_ids_stand_in_for_channels():
    logits = made_up("smooth", (3, 20, 20), seed=1)
    ids = np.array([7, 0, 250], np.uint8)
    plain = ids[enlarged(logits, (160, 160), False).argmax(0).numpy()]
    labels, pixels = postprocess.labels_at_frame_size(logits, (160, 160), ids, align_corners=False)
    np.testing.assert_array_equal(labels, plain)
    np.testing.assert_array_equal(pixels, np.bincount(plain.reshape(-1), minlength=256))


def test_of_equal_logits_the_lowest_channel_wins():
    logits = torch.ones(5, 9, 9)
    logits[0] = 0
    labels, pixels = postprocess.labels_at_frame_size(
        logits, (72, 72), IDS[:5], align_corners=False
    )
    assert np.unique(labels).tolist() == [1]
    assert pixels[1] == 72 * 72


def test_half_precision_and_channels_last_logits_are_taken():
    logits = made_up("smooth", (11, 24, 30), seed=3).half()
    odd = logits.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    labels, _ = postprocess.labels_at_frame_size(odd, (192, 240), IDS[:11], align_corners=False)
    plain = enlarged(logits.float(), (192, 240), False).argmax(0).numpy()
    np.testing.assert_array_equal(labels, plain)


def test_a_cache_folder_that_fails_costs_only_time(monkeypatch):
    import numba

    real = numba.njit

    def no_cache(*args, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function if not options else real(**options)(function)

    cells._kernels.cache_clear()
    monkeypatch.setattr(numba, "njit", no_cache)
    try:
        check(made_up("few values", (3, 5, 5), seed=1), (60, 80), align_corners=False)
    finally:
        cells._kernels.cache_clear()


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_gives_the_labels_of_its_own_plain_way(kind):
    logits = made_up(kind, (19, 45, 60), seed=2).cuda()
    for align_corners in (False, True):
        plain = postprocess.plain_labels(logits, (360, 481), align_corners=align_corners)
        labels, pixels = postprocess.labels_at_frame_size(
            logits, (360, 481), IDS[:19], align_corners=align_corners
        )
        np.testing.assert_array_equal(labels, plain.cpu().numpy())
        assert pixels.sum() == labels.size
