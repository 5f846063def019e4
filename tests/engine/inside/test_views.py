"""Views of a layer's answer, against plain torch and NumPy."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from segstudio.core.feature_map import BINS, Lattice
from segstudio.core.look import LayerLook, Scale
from segstudio.engine.inside import fitting
from segstudio.engine.inside.views import LayerReader
from segstudio.errors import ModelError

SHOWS = ("mean", "max", "norm", "channel", "grid", "pca", "segments", "similar")
PLAIN = {
    "mean": lambda x: x.mean(0),
    "max": lambda x: x.amax(0),
    "norm": lambda x: torch.linalg.vector_norm(x, dim=0),
}
LATTICE = Lattice((0.0, 0.0), (8.0, 8.0))


def features(channels=16, h=9, w=14, seed=0):
    """Smooth patches with noise, of unlike strength by channel."""
    seeded = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, channels, 3, 4, generator=seeded)
    smooth = F.interpolate(coarse, (h, w), mode="bilinear")[0]
    strength = torch.linspace(0.5, 2, channels)[:, None, None]
    return smooth * strength + 0.05 * torch.randn(channels, h, w, generator=seeded)


def channels_last(x):
    return x[None].to(memory_format=torch.channels_last)[0]


def read(x, lattice=LATTICE, **look):
    look = LayerLook("stage", **look)
    return LayerReader(look).read(x, lattice, look)


tensors = st.builds(
    lambda c, h, w, seed, power, dtype, lay: lay(
        torch.randn(c, h, w, generator=torch.Generator().manual_seed(seed)).mul(10.0**power)
    ).to(dtype),
    st.integers(1, 20),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(-2, 2),
    st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
    st.sampled_from([channels_last, torch.Tensor.contiguous]),
)


@settings(max_examples=40, deadline=None)
@given(x=tensors, show=st.sampled_from(sorted(PLAIN)))
def test_one_number_per_cell_is_plain_torch_bit_for_bit(x, show):
    seen, sheet = read(x, show=show)
    assert sheet is None
    assert seen.kind == "values"
    assert seen.exact.dtype == np.float32
    assert np.array_equal(seen.exact, PLAIN[show](x.float()).numpy())


@settings(max_examples=40, deadline=None)
@given(x=tensors, at=st.integers(0, 10**6))
def test_a_channel_is_that_channel_and_its_own_memory(x, at):
    before = x.float()[at % len(x)].clone()
    seen, _ = read(x, show="channel", channel=at % len(x))
    x.zero_()
    assert np.array_equal(seen.exact, before.numpy())
    assert not seen.exact.flags.writeable
    assert not seen.values.flags.writeable


@settings(max_examples=40, deadline=None)
@given(x=tensors, row=st.integers(0, 11), col=st.integers(0, 11))
def test_similar_is_the_cosine_to_the_cell_under_the_pixel(x, row, col):
    row, col = row % x.shape[1], col % x.shape[2]
    seen, _ = read(x, show="similar", pixel=(8 * row + 3, 8 * col + 7))
    wide = x.double()
    right = F.cosine_similarity(wide, wide[:, row, col][:, None, None], dim=0)
    np.testing.assert_allclose(seen.exact, right.numpy(), rtol=0, atol=1e-6)


def test_similar_without_a_pixel_looks_at_the_middle_and_beside_the_map_at_the_nearest_cell():
    x = features()
    for pixel, cell in ((None, (4, 7)), ((-9, 4000), (0, 13)), ((4000, -9), (8, 0))):
        seen, _ = read(x, show="similar", pixel=pixel)
        assert seen.exact[cell] == pytest.approx(1, abs=1e-6)
        assert (seen.exact > 1 - 1e-6).sum() == 1


@settings(max_examples=30, deadline=None)
@given(x=tensors, seed=st.integers(0, 99))
def test_a_frozen_basis_projects_the_next_frame_as_the_first(x, seed):
    look = LayerLook("stage", "pca")
    reader = LayerReader(look)
    reader.read(x, LATTICE, look)
    later = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    seen, _ = reader.read(later, LATTICE, look)
    cells = x.double().flatten(1).T
    basis = fitting.fit_basis(cells)
    right = (later.double().flatten(1).T - basis.mean) @ basis.axes
    scale = float(later.abs().max() + basis.mean.abs().max()) * len(x) ** 0.5
    if x.shape[1] * x.shape[2] > 1:
        np.testing.assert_allclose(
            seen.exact.reshape(-1, 3), right.numpy(), rtol=0, atol=1e-5 * max(scale, 1)
        )


@settings(max_examples=30, deadline=None)
@given(x=tensors)
def test_components_are_orthonormal_sorted_and_point_where_their_largest_loading_is(x):
    cells = x.double().flatten(1).T
    basis = fitting.fit_basis(cells)
    spread = ((cells - cells.mean(0)) @ basis.axes).square().sum(0)
    lengths = basis.axes.square().sum(0)
    assert torch.allclose(basis.axes.T @ basis.axes, torch.diag(lengths), atol=1e-6)
    for n, (length, loadings) in enumerate(zip(lengths, basis.axes.T, strict=True)):
        assert length == pytest.approx(1) or not loadings.any()
        assert loadings[loadings.abs().argmax()] > 0 or not loadings.any()
        assert n == 0 or spread[n] <= spread[n - 1] * (1 + 1e-6)
    assert int((lengths > 0).sum()) <= min(3, cells.shape[1], max(len(cells) - 1, 0))


def test_many_channels_have_the_components_of_a_full_decomposition():
    seeded = torch.Generator().manual_seed(1)
    mixed = torch.randn(3, 700, generator=seeded, dtype=torch.float64)
    strength = torch.tensor([9.0, 5.0, 3.0], dtype=torch.float64)
    cells = (torch.randn(900, 3, generator=seeded, dtype=torch.float64) * strength) @ mixed
    cells += 0.1 * torch.randn(900, 700, generator=seeded, dtype=torch.float64)
    found = fitting.fit_basis(cells).axes
    _, _, rows = torch.linalg.svd(cells - cells.mean(0), full_matrices=False)
    assert torch.allclose((rows[:3] @ found).diag().abs(), torch.ones(3).double(), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(x=tensors, count=st.integers(1, 12))
def test_no_cell_is_nearer_to_another_centre(x, count):
    look = LayerLook("stage", "segments", segments=count)
    reader = LayerReader(look)
    seen, _ = reader.read(x, LATTICE, look)
    assert seen.kind == "segments"
    groups = fitting.fit_groups(fitting.some_cells(x.flatten(1), x.shape[1:]), count)
    groups = fitting.largest_first(groups, groups.of(x.flatten(1))[0])
    gaps = torch.cdist(
        x.double().flatten(1).T, groups.centres, compute_mode="donot_use_mm_for_euclid_dist"
    )
    own = gaps.gather(1, torch.from_numpy(seen.values.reshape(-1, 1).astype(np.int64)))[:, 0]
    slack = 1e-5 * float(x.float().abs().max() + 1e-6) * len(x) ** 0.5
    assert bool((own <= gaps.amin(1) + slack).all())
    assert np.array_equal(seen.exact, seen.values)


def test_groups_are_numbered_by_size_and_keep_their_numbers():
    x = torch.zeros(3, 6, 10)
    x[0, :, :6], x[1, :, 6:9], x[2, :, 9:] = 5, 5, 5
    look = LayerLook("stage", "segments", segments=3)
    reader = LayerReader(look)
    first, _ = reader.read(x, LATTICE, look)
    assert np.array_equal(first.values[0], [0] * 6 + [1] * 3 + [2])
    turned, _ = reader.read(x.flip(2) + 0.1, LATTICE, look)
    assert np.array_equal(turned.values[0], [2] + [1] * 3 + [0] * 6)
    mostly_last = torch.zeros(3, 6, 10)
    mostly_last[2] = 5
    assert (reader.read(mostly_last, LATTICE, look)[0].values == 2).all()


def test_asking_for_more_groups_than_there_are_different_cells_gives_those():
    x = torch.tensor([0.0, 0, 0, 7]).reshape(1, 2, 2)
    seen, _ = read(x, show="segments", segments=6)
    assert seen.values.tolist() == [[0, 0], [0, 1]]


def test_bytes_go_from_low_to_high_and_the_histogram_counts_every_cell():
    x = features(h=40, w=60)
    seen, _ = read(x, show="channel", channel=3)
    plain = x[3].numpy()
    low, high = np.quantile(plain[2:-2, 3:-3], [0.01, 0.99])
    assert seen.low == pytest.approx(low, rel=1e-5)
    assert seen.high == pytest.approx(high, rel=1e-5)
    right = np.clip((plain - low) / (high - low), 0, 1) * 255
    assert np.abs(seen.values - right).max() <= 0.51
    assert seen.histogram.shape == (BINS,)
    assert seen.histogram.sum() == plain.size
    assert np.array_equal(seen.histogram, np.histogram(seen.values, BINS, (0, 256))[0])


def test_full_and_fixed_scales_are_what_they_say():
    x = features()
    full, _ = read(x, scale=Scale("full"))
    assert (full.low, full.high) == (full.exact.min(), full.exact.max())
    assert full.values.min() == 0
    assert full.values.max() == 255
    for ends in ((-0.25, 0.25), (0.25, -0.25)):
        fixed, _ = read(x, scale=Scale("fixed", *ends))
        assert (fixed.low, fixed.high) == (-0.25, 0.25)
        assert (fixed.values[fixed.exact > 0.25] == 255).all()
        assert (fixed.values[fixed.exact < -0.25] == 0).all()


def test_a_large_map_is_scaled_by_cells_from_all_over_it():
    slope = torch.arange(200.0 * 300).reshape(1, 200, 300)
    for x in (slope, slope.reshape(1, 300, 200).transpose(1, 2)):
        seen, _ = read(x)
        low, high = np.quantile(x[0, 3:-3, 3:-3].numpy(), [0.01, 0.99])
        assert seen.low == pytest.approx(low, rel=0.02)
        assert seen.high == pytest.approx(high, rel=0.001)
    places = fitting.spread((200, 300), fitting.FIT_CELLS)
    assert len(places.unique()) == fitting.FIT_CELLS
    assert fitting.spread((15, 15), 4096) is None


@pytest.mark.parametrize("show", SHOWS)
def test_a_rim_that_outshines_everything_spoils_no_view(show):
    x = features(8, 48, 64)
    rimmed = x.clone()
    rimmed[:, :2] = 900 * torch.randn(8, 2, 64, generator=torch.Generator().manual_seed(8))
    rimmed[:, :, -1] -= 500
    seen, sheet = read(rimmed, show=show, pixel=(200, 200))
    well, well_sheet = read(x, show=show, pixel=(200, 200))
    inner = np.s_[3:-3, 3:-3]
    if show == "segments":  # the same groups, though the rim counts when they are numbered
        pairs = {*zip(seen.values[inner].flat, well.values[inner].flat, strict=True)}
        assert len(pairs) == 6
        assert (np.diff(np.bincount(seen.values.ravel())) <= 0).all()
    else:
        assert np.array_equal(seen.values[inner], well.values[inner])
    if sheet is not None:
        assert np.array_equal(sheet.channels, well_sheet.channels)
        assert np.array_equal(sheet.values[:, 3:-3, 3:-3], well_sheet.values[:, 3:-3, 3:-3])


def test_a_map_of_zeros_with_a_few_lights_shows_the_lights():
    x = torch.zeros(1, 40, 40)
    x[0, 7, 9] = 3
    seen, _ = read(x)
    assert (seen.low, seen.high) == (0, 3)
    assert seen.values[7, 9] == 255
    assert seen.values.sum() == 255


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 7), (2, 1, 6), (5, 1, 1), (600, 2, 3)])
@pytest.mark.parametrize("kind", ["noise", "constant", "zero"])
def test_every_view_of_small_and_flat_maps_works(show, shape, kind):
    x = {
        "noise": features(*shape, seed=3) if shape[0] < 9 else torch.randn(shape),
        "constant": torch.full(shape, -2.5),
        "zero": torch.zeros(shape),
    }[kind]
    look = LayerLook("stage", show)
    reader = LayerReader(look)
    for _ in range(2):
        seen, sheet = reader.read(x, LATTICE, look)
        assert seen.values.shape[:2] == shape[1:]
        assert seen.values.dtype == np.uint8
        assert np.isfinite(seen.exact).all()
        assert reader.note == ""
        if kind != "noise":
            assert not seen.values.any()
        assert (sheet is not None) == (show == "grid")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("show", SHOWS)
def test_numbers_that_are_none_are_lowest_and_leave_the_rest_alone(show, bad, dtype):
    x = features(4, 20, 30).to(dtype)
    broken = x.clone()
    broken[:, 5, 6] = bad
    look = LayerLook("stage", show)
    reader = LayerReader(look)
    seen, sheet = reader.read(broken, LATTICE, look)
    well, well_sheet = read(x, show=show)
    assert not seen.values[5, 6].any()
    assert reader.note == "Not finite, and shown as the lowest: 1 of 600 cells."
    if show == "segments":
        assert set(seen.values.ravel()) == set(range(look.segments))
    else:
        assert seen.low == pytest.approx(well.low, abs=0.05)
        assert seen.high == pytest.approx(well.high, abs=0.05)
        rest = np.ones((20, 30), bool)
        rest[5, 6] = False
        apart = np.abs(seen.values.astype(int) - well.values.astype(int))[rest]
        assert apart.mean() < 4
    if sheet is not None:
        assert np.array_equal(np.sort(sheet.channels), np.sort(well_sheet.channels))
        assert np.isfinite(sheet.lows).all()
        assert not sheet.values[:, 5, 6].any()
    assert reader.read(x, LATTICE, look)
    assert reader.note == ""


@pytest.mark.parametrize("show", SHOWS)
def test_a_frame_of_nothing_but_nan_is_shown_as_zeros_and_forgotten(show):
    look = LayerLook("stage", show)
    reader = LayerReader(look)
    seen, _ = reader.read(torch.full((4, 6, 7), torch.nan), LATTICE, look)
    assert not seen.values.any()
    assert reader.note == "Not finite, and shown as the lowest: 42 of 42 cells."
    x = features(4, 6, 7)
    again, _ = reader.read(x, LATTICE, look)
    fresh, _ = read(x, show=show)
    assert np.array_equal(again.values, fresh.values)


@pytest.mark.parametrize("show", [s for s in SHOWS if s != "similar"])
def test_frozen_keeps_what_was_fitted_until_it_is_to_be_fitted_anew(show):
    look = LayerLook("stage", show)
    reader = LayerReader(look)
    first, first_sheet = reader.read(features(seed=1), LATTICE, look)
    later = 3 * features(seed=2) + 1
    frozen, frozen_sheet = reader.read(later, LATTICE, look)
    fresh, fresh_sheet = read(later, show=show)
    assert (frozen.low, frozen.high) == (first.low, first.high)
    assert not np.array_equal(frozen.values, fresh.values)
    if show == "grid":
        assert np.array_equal(frozen_sheet.channels, first_sheet.channels)
        assert np.array_equal(frozen_sheet.lows, first_sheet.lows)
        assert not np.array_equal(frozen_sheet.lows, fresh_sheet.lows)
    live = dataclasses.replace(look, is_frozen=False)
    assert reader.fits(live)
    for one in (live, live):
        assert np.array_equal(reader.read(later, LATTICE, one)[0].values, fresh.values)
    anew = dataclasses.replace(look, fit=1)
    assert not reader.fits(anew)
    assert np.array_equal(reader.read(later, LATTICE, anew)[0].values, fresh.values)


def test_what_was_fitted_is_kept_for_looks_that_share_it():
    reader = LayerReader(LayerLook("stage", "segments"))
    for change in ({"scale": Scale("full")}, {"pixel": (1, 1)}, {"channel": 3}, {"count": 2}):
        assert reader.fits(LayerLook("stage", "segments", **change))
    for change in ({"layer": "other"}, {"call": 0}, {"show": "pca"}, {"segments": 2}, {"fit": 1}):
        assert not reader.fits(LayerLook(**{"layer": "stage", "show": "segments", **change}))


def test_another_scale_or_channel_gets_its_own_range_and_another_net_its_own_basis():
    look = LayerLook("stage", "channel")
    reader = LayerReader(look)
    x = features()
    for change in ({}, {"channel": 5}, {"channel": 5, "scale": Scale("full")}):
        one = dataclasses.replace(look, **change)
        assert np.array_equal(
            reader.read(x, LATTICE, one)[0].values, LayerReader(one).read(x, LATTICE, one)[0].values
        )
    look = LayerLook("stage", "pca")
    reader = LayerReader(look)
    reader.read(x, LATTICE, look)
    wider = features(24)
    fresh, _ = read(wider, show="pca")
    assert np.array_equal(reader.read(wider, LATTICE, look)[0].values, fresh.values)


def test_components_are_stretched_each_on_its_own():
    seen, _ = read(features(h=30, w=40), show="pca")
    assert seen.kind == "rgb"
    assert seen.values.shape == seen.exact.shape == (30, 40, 3)
    for part in range(3):
        ends = np.quantile(seen.exact[1:-1, 2:-2, part], [0.01, 0.99])
        right = np.clip((seen.exact[..., part] - ends[0]) / (ends[1] - ends[0]), 0, 1) * 255
        assert np.abs(seen.values[..., part] - right).max() <= 0.51


def test_one_channel_shows_as_red_alone():
    seen, _ = read(features(1), show="pca")
    assert seen.values[..., 0].any()
    assert not seen.values[..., 1:].any()


def test_channels_are_sorted_by_what_was_asked_for():
    x = features(40)
    wants = {
        "variance": x.var((1, 2), correction=0),
        "pixel": x[:, 2, 3],
        "region": x[:, 1:3, 2:6].mean((1, 2)),
        "number": -torch.arange(40.0),
    }
    for order, worth in wants.items():
        seen, sheet = read(
            x, show="grid", order=order, pixel=(17, 29), region=(8, 16, 24, 48), count=10
        )
        best = np.argsort(-worth.numpy(), kind="stable")[:10]
        assert np.array_equal(sheet.channels, best), order
        np.testing.assert_allclose(
            sheet.worth, worth.abs()[best] if order == "number" else worth[best], rtol=1e-5
        )
        assert sheet.total == 40
        assert sheet.values.shape == (10, 9, 14)
        assert np.array_equal(seen.exact, x.mean(0).numpy())
    for place, channel in enumerate(sheet.channels):
        alone, _ = read(x, show="channel", channel=int(channel))
        assert np.array_equal(sheet.values[place], alone.values)
        assert np.array_equal(sheet.map_of(place).values, alone.values)
        assert (sheet.lows[place], sheet.highs[place]) == (
            np.float32(alone.low),
            np.float32(alone.high),
        )


def test_equal_channels_go_by_number_and_broken_ones_come_last():
    x = features(1).repeat(6, 1, 1)
    x[2, 0, 0] = torch.nan
    _, sheet = read(x, show="grid", order="variance", count=99)
    assert sheet.channels.tolist() == [0, 1, 3, 4, 5, 2]


@pytest.mark.parametrize(
    "region", [(8, 16, 8, 16), (900, 900, 950, 950), (-90, -90, -80, -80), (30, 30, 9, 9), None]
)
def test_a_region_that_is_empty_or_beside_the_map_still_sorts(region):
    _, sheet = read(features(), show="grid", order="region", region=region, count=0)
    assert len(sheet.channels) == 1
    assert np.isfinite(sheet.worth).all()


def test_a_sheet_follows_the_pixel_but_not_the_frame():
    look = LayerLook("stage", "grid", order="pixel", pixel=(3, 3), count=3)
    reader = LayerReader(look)
    x = features(40)
    first = reader.read(x, LATTICE, look)[1].channels
    assert np.array_equal(reader.read(features(40, seed=9), LATTICE, look)[1].channels, first)
    moved = dataclasses.replace(look, pixel=(60, 90))
    best = x[:, 7, 11].topk(3).indices.numpy()
    assert np.array_equal(reader.read(x, LATTICE, moved)[1].channels, best)


@pytest.mark.parametrize("channel", [16, -1, 400])
def test_a_channel_that_is_not_there_is_refused_with_the_range(channel):
    with pytest.raises(ModelError, match=r"'stage' has the channels 0 to 15 and no channel"):
        read(features(), show="channel", channel=channel)


@pytest.mark.parametrize("shape", [(4,), (4, 6), (1, 4, 6, 7), (0, 4, 4), (4, 0, 4)])
def test_an_answer_without_rows_and_columns_is_refused(shape):
    with pytest.raises(ModelError, match="no rows and columns; choose another layer"):
        read(torch.zeros(shape))


@pytest.mark.parametrize("show", SHOWS)
def test_memory_order_and_autocast_change_nothing_that_can_be_seen(show):
    x = features(24, 18, 26)
    plain, _ = read(x, show=show)
    with torch.autocast("cpu", torch.bfloat16):
        other, _ = read(channels_last(x).requires_grad_(), show=show)
    apart = np.abs(other.values.astype(int) - plain.values.astype(int))
    assert apart.max() <= 1
    np.testing.assert_allclose(other.exact, plain.exact, rtol=0, atol=1e-5)
    assert other.values.flags.c_contiguous
    assert other.exact.flags.c_contiguous


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("show", SHOWS)
def test_a_gpu_shows_the_same(show, dtype):
    look = LayerLook("stage", show)
    x = features(24, 90, 160).to(dtype)
    readers = LayerReader(look), LayerReader(look)
    for frame in (x, x.flip(2)):
        here, sheet = readers[0].read(frame, LATTICE, look)
        there, their_sheet = readers[1].read(frame.cuda(), LATTICE, look)
        apart = np.abs(here.values.astype(int) - there.values.astype(int))
        assert (apart > 1).mean() < 1e-3
        np.testing.assert_allclose(here.exact, there.exact, atol=2e-5 if show != "segments" else 9)
        if sheet is not None:
            assert np.array_equal(sheet.channels, their_sheet.channels)
