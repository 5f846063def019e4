"""View-sized rasters of a frame and its labels."""

import cv2
import numpy as np
import pytest

from segstudio.core import compose
from segstudio.core.classes import CAMVID, VOID
from segstudio.core.compose import Colors, Composer, mask_box, picture, view_labels
from segstudio.core.frame import Frame, FrameId
from segstudio.core.geometry import Rect
from segstudio.core.mask_style import MODES, MaskStyle
from segstudio.core.scene import Scene
from segstudio.core.viewport import ViewTransform

SIZE, VIEW = (60, 90), (120, 160)


def random_rgb(size=SIZE, seed=0):
    rgb = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    rgb.setflags(write=False)
    return rgb


def random_labels(size=SIZE, seed=1):
    """Areas of a few pixels, all CamVid classes, void and an id no class has."""
    rng = np.random.default_rng(seed)
    small = rng.choice(
        np.array([*range(11), 20, VOID], np.uint8), (size[0] // 5 + 1, size[1] // 7 + 1)
    )
    labels = np.repeat(np.repeat(small, 5, axis=0), 7, axis=1)[: size[0], : size[1]].copy()
    labels.setflags(write=False)
    return labels


def words(rgb):
    """0xFFRRGGBB, computed the plain way."""
    red, green, blue = np.moveaxis(rgb.astype(np.uint32), -1, 0)
    return np.uint32(0xFF000000) | red << 16 | green << 8 | blue


def nearest(raster, view):
    """The pixel under the centre of each visible device pixel, one by one."""
    box, (oy, ox) = view.visible, view.origin
    out = np.empty((box.height, box.width, *raster.shape[2:]), raster.dtype)
    for y in range(box.height):
        for x in range(box.width):
            row = int((box.y0 + y - oy + 0.5) / view.scale)
            column = int((box.x0 + x - ox + 0.5) / view.scale)
            out[y, x] = raster[min(row, SIZE[0] - 1), min(column, SIZE[1] - 1)]
    return out


TRANSFORMS = [
    ViewTransform.fitted(SIZE, VIEW),
    ViewTransform.centered(SIZE, VIEW, 1.0),
    ViewTransform(SIZE, VIEW, 1.0, -13.4, 31.0),
    ViewTransform(SIZE, VIEW, 1.37, 7.2, -20.6),
    ViewTransform(SIZE, VIEW, 2.0, -33.0, -41.0),
    ViewTransform(SIZE, VIEW, 11.3, -301.5, -455.25),
    ViewTransform(SIZE, VIEW, 64.0, -900.0, -2000.0),
]
REDUCED = [
    ViewTransform(SIZE, VIEW, 0.77, 3.0, 5.0),
    ViewTransform(SIZE, VIEW, 0.5, -8.0, 12.0),
    ViewTransform(SIZE, VIEW, 0.21, 30.0, 61.0),
]


@pytest.mark.parametrize("view", TRANSFORMS)
def test_an_enlarged_picture_has_hard_pixel_edges(view):
    rgb = random_rgb()
    drawn = picture(rgb, view)
    assert drawn.box == view.visible
    np.testing.assert_array_equal(drawn.argb, words(nearest(rgb, view)))


@pytest.mark.parametrize("view", TRANSFORMS + REDUCED)
def test_labels_are_those_under_the_pixel_centers(view):
    labels = random_labels()
    seen = view_labels(labels, view, view.visible)
    np.testing.assert_array_equal(seen, nearest(labels, view))
    assert seen.flags.c_contiguous


def saw(positions, scale):
    """Rises by 8 levels per device pixel and starts again: shows a shift of a quarter of one."""
    return positions * scale * 8 % 256


@pytest.mark.parametrize("scale", [0.93, 0.5, 0.43, 0.25, 0.11, 0.052])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (-17.0, -26.0), (35.3, 20.8)])
def test_a_reduced_picture_lies_where_its_labels_lie(scale, shift):
    h, w = size = (701, 1003)
    view = ViewTransform(size, (300, 400), scale, *shift)
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = saw(np.arange(w), scale), saw(np.arange(h), scale)[:, None]
    box, (oy, ox) = view.visible, view.origin
    argb = picture(rgb, view).argb
    assert argb.shape == (box.height, box.width)
    for levels, first, end, origin in (
        (argb[argb.shape[0] // 2] >> 16 & 255, box.x0, box.x1, ox),
        (argb[:, argb.shape[1] // 2] >> 8 & 255, box.y0, box.y1, oy),
    ):
        centers = (np.arange(first, end) + 0.5 - origin) / scale - 0.5
        expected = saw(centers, scale) - 0.5  # the levels were rounded down
        clear = (expected > 24) & (expected < 232)  # of the jump
        clear[:2] = clear[-2:] = False
        assert clear.any()
        np.testing.assert_allclose(levels[clear], expected[clear], atol=2.2)


def test_a_reduced_picture_is_averaged_not_thinned_out():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    argb = picture(stripes, ViewTransform((64, 64), (16, 16), 0.25, 0, 0)).argb
    assert set(np.unique(argb & 255)) <= {127, 128}


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2), (17, 31)])
@pytest.mark.parametrize("scale", [0.02, 0.3, 0.5, 0.99, 1.0, 1.5, 30.0])
def test_every_size_and_scale_fills_its_box(size, scale):
    view = ViewTransform.centered(size, (90, 110), scale)
    drawn = picture(np.full((*size, 3), 77, np.uint8), view)
    assert drawn.argb.shape == (view.visible.height, view.visible.width)
    assert (drawn.argb == 0xFF4D4D4D).all()
    assert view_labels(np.zeros(size, np.uint8), view, view.visible).shape == drawn.argb.shape


def test_a_frame_beside_the_view_gives_nothing():
    view = ViewTransform(SIZE, VIEW, 1.0, 500.0, 0.0)
    assert picture(random_rgb(), view).argb.size == 0
    assert view_labels(random_labels(), view, view.visible).size == 0


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (3, 5), (4, 5), (7, 8)])
def test_colors_are_looked_up_for_odd_and_even_counts(shape, wide, monkeypatch):
    monkeypatch.setattr(compose, "_LUT_TAKES_16_BITS", wide and compose._LUT_TAKES_16_BITS)
    style = MaskStyle.of(CAMVID)
    labels = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    argb = Colors(style).mask(labels, (0, 0))
    expected = np.zeros(shape, np.uint32)
    for c in CAMVID.classes:
        red, green, blue = c.color
        expected[labels == c.id] = 0xFF000000 | red << 16 | green << 8 | blue
    np.testing.assert_array_equal(argb, expected)


def test_void_is_transparent_even_when_it_is_called_visible():
    style = MaskStyle("fill", np.full((256, 3), 9, np.uint8), np.ones(256, np.bool_))
    assert Colors(style).mask(np.full((2, 2), VOID, np.uint8), (0, 0)).max() == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_hidden_class_is_transparent(mode):
    style = MaskStyle.of(CAMVID, mode)
    visible = style.visible.copy()
    visible[3] = False
    labels = random_labels()
    argb = Colors(MaskStyle(mode, style.colors, visible)).mask(labels, (0, 0))
    assert (argb[labels == 3] == 0).all()
    assert argb.any()


def test_an_outline_is_two_pixels_on_each_side_of_a_border():
    labels = np.zeros((9, 20), np.uint8)
    labels[:, 10:] = 1
    argb = Colors(MaskStyle.of(CAMVID, "outline")).mask(labels, (0, 0))
    sky, building = 0xFF808080, 0xFF800000
    expected = np.zeros((9, 20), np.uint32)
    expected[:, 8:10], expected[:, 10:12] = sky, building
    np.testing.assert_array_equal(argb, expected)


def test_there_is_no_outline_between_two_hidden_classes():
    labels = np.zeros((9, 20), np.uint8)
    labels[:, 10:] = 1
    style = MaskStyle("outline", CAMVID.palette(), np.zeros(256, np.bool_))
    assert Colors(style).mask(labels, (0, 0)).max() == 0


def test_stripes_leave_most_of_the_picture_free_and_differ_between_classes():
    colors = Colors(MaskStyle.of(CAMVID, "hatched"))
    seen = set()
    for class_id in range(8):
        area = colors.mask(np.full((48, 48), class_id, np.uint8), (0, 0)) != 0
        assert 0.1 < area.mean() < 0.6
        seen.add(area.tobytes())
    assert len(seen) == 8


def test_stripes_move_with_the_picture():
    labels = random_labels((80, 100))
    colors = Colors(MaskStyle.of(CAMVID, "hatched"))
    first = ViewTransform((80, 100), (80, 100), 1.0, 0.0, 0.0)
    dragged = first.panned(5, 7)
    one = mask_box(labels, first, colors, Rect(10, 10, 50, 60)).argb
    two = mask_box(labels, dragged, colors, Rect(15, 17, 55, 67)).argb
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("view", TRANSFORMS + REDUCED)
def test_a_box_of_the_mask_is_that_part_of_the_whole(mode, view):
    labels, colors = random_labels(), Colors(MaskStyle.of(CAMVID, mode))
    shown = view.visible
    whole = mask_box(labels, view, colors, shown).argb
    rng = np.random.default_rng(3)
    for _ in range(8):
        y, x = rng.integers(shown.y0, shown.y1), rng.integers(shown.x0, shown.x1)
        box = Rect(y, x, rng.integers(y, shown.y1) + 1, rng.integers(x, shown.x1) + 1)
        part = mask_box(labels, view, colors, box)
        inside = whole[box.y0 - shown.y0 : box.y1 - shown.y0, box.x0 - shown.x0 : box.x1 - shown.x0]
        assert part.box == box
        np.testing.assert_array_equal(part.argb, inside)


def scene(**changes):
    given = {
        "frame": Frame(FrameId("s", 0, None, 0), random_rgb(), 0.0),
        "labels": random_labels(),
        "transform": TRANSFORMS[3],
        "style": MaskStyle.of(CAMVID),
    }
    return Scene(**{**given, **changes})


def same(one, other):
    np.testing.assert_array_equal(one.picture.argb, other.picture.argb)
    assert (one.mask is None) == (other.mask is None)
    if one.mask is not None:
        np.testing.assert_array_equal(one.mask.argb, other.mask.argb)


def test_what_is_kept_never_shows_in_what_is_made():
    """A walk through all kinds of changes equals drawing every scene afresh."""
    kept, now = Composer(), scene()
    hidden = MaskStyle("fill", CAMVID.palette(), np.ones(256, np.bool_), hidden=True)
    frame = Frame(FrameId("s", 1, None, 1), random_rgb(seed=5), 0.0)
    steps = [
        {},
        {"style": MaskStyle.of(CAMVID, "outline")},
        {"transform": TRANSFORMS[4]},
        {"style": MaskStyle.of(CAMVID, "hatched", 0.1)},
        {"labels": None},
        {"labels": random_labels(seed=9)},
        {"style": hidden},
        {"transform": REDUCED[0]},
        {"style": MaskStyle.of(CAMVID)},
        {"frame": frame},
        {"labels": random_labels(seed=4)},
    ]
    state = {
        "frame": now.frame,
        "labels": now.labels,
        "transform": now.transform,
        "style": now.style,
    }
    for step in steps:
        state |= step
        same(kept.compose(scene(**state)), Composer().compose(scene(**state)))


def test_labels_written_into_are_drawn_again_when_the_revision_says_so():
    composer, labels = Composer(), random_labels().copy()
    now = scene(labels=labels)
    first = composer.compose(now)
    labels[:] = 4
    second = composer.compose(scene(frame=now.frame, labels=labels, revision=1))
    assert second.picture is first.picture
    assert (second.mask.argb == 0xFF000000 | 60 << 16 | 40 << 8 | 222).all()


def test_a_new_style_keeps_the_picture():
    composer, now = Composer(), scene()
    first = composer.compose(now)
    second = composer.compose(
        scene(frame=now.frame, labels=now.labels, style=MaskStyle.of(CAMVID, "outline"))
    )
    assert second.picture is first.picture
    assert second.mask.argb is not first.mask.argb


def test_opacity_is_not_baked_in():
    styles = MaskStyle.of(CAMVID, opacity=0.2), MaskStyle.of(CAMVID, opacity=0.9)
    same(*(Composer().compose(scene(style=style)) for style in styles))
    assert styles[0].draws_like(styles[1])


@pytest.mark.parametrize(
    "broken",
    [
        {"mode": "glow"},
        {"colors": np.zeros((11, 3), np.uint8)},
        {"visible": np.ones(256, np.uint8)},
        {"opacity": 1.5},
    ],
)
def test_a_style_that_makes_no_sense_is_refused(broken):
    good = {"mode": "fill", "colors": CAMVID.palette(), "visible": np.ones(256, np.bool_)}
    with pytest.raises(ValueError, match=next(iter(broken))):
        MaskStyle(**{**good, **broken})


def test_halving_agrees_with_exact_area_averaging():
    rgb = random_rgb((128, 256), seed=8)
    argb = picture(rgb, ViewTransform((128, 256), (32, 64), 0.25, 0, 0)).argb
    exact = cv2.resize(rgb, (64, 32), interpolation=cv2.INTER_AREA)
    drawn = argb.view(np.uint8).reshape(32, 64, 4)[..., 2::-1].astype(int)
    assert np.abs(drawn - exact).max() <= 1
