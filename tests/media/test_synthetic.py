"""The made-up street: the same everywhere, moving, and labelled exactly."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from segstudio.core.classes import CAMVID
from segstudio.media.synthetic import sprites, surfaces
from segstudio.media.synthetic.bodies import BODIES, mesh_of
from segstudio.media.synthetic.camera import LOOP, NEAR, Curve, View, clip_near
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.media.synthetic.light import NIGHT
from segstudio.media.synthetic.paint import Canvas

SMALL = DriveSettings(height=120, width=160, seed=3)
WHITE = np.full((256, 1, 3), 255, np.uint8)


def digest(*arrays):
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def straight_view(size=(120, 160)):
    flat = Curve(())
    return View(
        size, focal=160.0, horizon=(55.0, 80.0), place=(0.0, 0.0, 1.4), bend=flat, rise=flat
    )


def painted_and_labelled(paint):
    """Which pixels a call on an empty canvas coloured, and which it labelled."""
    canvas = Canvas(straight_view())
    paint(canvas)
    return canvas.rgb.any(axis=2), canvas.labels != 255


@pytest.fixture(scope="module")
def town():
    """Twelve frames along one drive, half a second apart: (rgb, labels) each."""
    drive = SyntheticDrive(DriveSettings(height=240, width=320, seed=1))
    return [drive.frame(15 * i) for i in range(12)]


def test_a_frame_is_rgb_with_one_label_per_pixel():
    rgb, labels = SyntheticDrive(SMALL).frame(0)
    assert (rgb.shape, rgb.dtype) == ((120, 160, 3), np.uint8)
    assert (labels.shape, labels.dtype) == ((120, 160), np.uint8)
    assert set(np.unique(labels)) <= {c.id for c in CAMVID.classes}


@pytest.mark.parametrize("size", [(32, 32), (97, 131), (200, 60), (48, 300)])
def test_any_size_is_drawn(size):
    rgb, labels = SyntheticDrive(DriveSettings(height=size[0], width=size[1], seed=5)).frame(40)
    assert rgb.shape == (*size, 3)
    assert labels.shape == size
    assert len(np.unique(labels)) >= 4


def test_a_frame_is_the_same_in_any_order():
    drive = SyntheticDrive(SMALL)
    in_order = [digest(*drive.frame(i)) for i in range(6)]
    backwards = [digest(*drive.frame(i)) for i in reversed(range(6))]
    assert in_order == backwards[::-1]
    assert digest(*SyntheticDrive(SMALL).frame(4)) == in_order[4]


def test_threads_may_share_a_drive():
    drive = SyntheticDrive(SMALL)
    alone = [digest(*drive.frame(i)) for i in range(8)]
    shared = SyntheticDrive(SMALL)
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda i: digest(*shared.frame(i)), range(8)))
    assert together == alone


def test_another_process_draws_the_same_bytes():
    code = (
        "import hashlib\n"
        "from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive\n"
        "drive = SyntheticDrive(DriveSettings(height=120, width=160, seed=3))\n"
        "rgb, labels = drive.frame(11)\n"
        "print(hashlib.sha256(rgb.tobytes() + labels.tobytes()).hexdigest())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rgb, labels = SyntheticDrive(SMALL).frame(11)
    assert done.stdout.strip() == hashlib.sha256(rgb.tobytes() + labels.tobytes()).hexdigest()


def test_the_street_is_still_the_one_of_this_version():
    """Raise VERSION in drive.py together with these numbers."""
    rgb, labels = SyntheticDrive(SMALL).frame(20)
    shares = np.bincount(labels.ravel(), minlength=11)
    assert shares.tolist() == GOLDEN_COUNTS
    assert rgb.mean(axis=(0, 1)).round(1).tolist() == pytest.approx(GOLDEN_MEAN, abs=0.3)


def test_seeds_and_moments_differ():
    drive = SyntheticDrive(SMALL)
    frames = {digest(drive.frame(i)[0]) for i in range(5)}
    seeds = {digest(SyntheticDrive(DriveSettings(120, 160, s)).frame(0)[1]) for s in range(5)}
    assert len(frames) == 5
    assert len(seeds) == 5


def test_a_street_by_night_is_dark_and_has_the_labels_of_the_day():
    settings = DriveSettings(height=120, width=160, seed=3)
    day, night = SyntheticDrive(settings), SyntheticDrive(settings, light=NIGHT)
    (by_day, labels), (by_night, same) = day.frame(40), night.frame(40)
    assert np.array_equal(labels, same)
    assert by_night.mean() < 0.4 * by_day.mean()


def test_frames_a_moment_apart_resemble_each_other():
    drive = SyntheticDrive(DriveSettings(height=120, width=160, seed=1))
    first, soon, late = (drive.frame(i)[1] for i in (0, 1, 90))
    assert np.mean(first == soon) > 0.9
    assert np.mean(first == soon) > np.mean(first == late)


def test_every_class_appears_along_a_drive(town):
    seen = np.zeros(256, int)
    for _, labels in town:
        seen += np.bincount(labels.ravel(), minlength=256)
    assert (seen[:11] > 0).all(), seen[:11]
    assert seen[255] == 0


def test_road_lies_below_and_sky_above(town):
    for _, labels in town:
        rows = np.arange(labels.shape[0])[:, None] + np.zeros_like(labels)
        assert rows[labels == 0].mean() < 0.4 * labels.shape[0] < rows[labels == 3].mean()


def test_label_edges_lie_where_the_colour_changes(town):
    """Moved by three pixels, the edges of the labels fit the picture clearly worse."""

    def contrast(rgb, labels):
        change = np.abs(np.diff(rgb.astype(int), axis=1)).sum(axis=2)
        return change[labels[:, 1:] != labels[:, :-1]].mean()

    for rgb, labels in town:
        here = contrast(rgb, labels)
        for shift in (-3, 3):
            assert here > 1.5 * contrast(rgb, np.roll(labels, shift, axis=1))


def test_a_filled_polygon_labels_exactly_its_pixels():
    rng = np.random.default_rng(4)
    for _ in range(50):
        points = rng.uniform(-40, 200, (int(rng.integers(3, 9)), 2))
        color, label = painted_and_labelled(lambda c, p=points: c.fill(p, np.full(3, 255.0), 7))
        assert (color == label).all()


@pytest.mark.parametrize("texture", [surfaces.facade(3), surfaces.fence(0), surfaces.hedge(2)])
def test_a_textured_wall_labels_exactly_its_pixels(texture):
    for near, d in ((0.8, -3.0), (2.0, 4.0), (9.0, -2.5)):
        view = straight_view()
        street = np.array([(near, d, 0), (near + 12, d, 0), (near + 12, d, 4), (near, d, 4)])
        corners = view.project(street)
        color, label = painted_and_labelled(lambda c, k=corners: c.face(texture, k, WHITE, 1))
        assert label.any()
        assert (color == label).all()


@pytest.mark.parametrize(
    "texture",
    [sprites.tree(0), sprites.walker(2, 1, is_side=True), sprites.rider(1, 2, is_side=False)],
)
def test_a_cut_out_labels_exactly_its_pixels(texture):
    for foot, scale, mirrored in (((80.0, 110.0), 9.0, False), ((-3.0, 130.0), 31.7, True)):
        color, label = painted_and_labelled(
            lambda c, f=foot, s=scale, m=mirrored: c.sprite(texture, f, s, WHITE, 5, is_mirrored=m)
        )
        assert label.any()
        assert (color == label).all()


def test_a_veil_is_labelled_where_it_can_be_seen():
    texture = surfaces.fence(1)
    assert texture.is_veil
    corners = np.array([(20.0, 100), (140, 100), (140, 40), (20, 40)])
    color, label = painted_and_labelled(lambda c: c.face(texture, corners, WHITE, 7))
    assert (color[42:98, 22:138] & label[42:98, 22:138]).all()
    assert not label[~color].any()


def test_a_car_shows_the_end_that_looks_at_the_camera():
    for body in BODIES:
        mesh = mesh_of(body)
        ends = mesh.normals[mesh.layers == 2][:, 0]
        assert (np.abs(ends) > 0.99).all()
        rear = mesh.points[:, 0] < -body.length / 2
        assert rear.any()
        # Every side polygon looks outwards: to the side on which it lies.
        sides = mesh.layers == 1
        assert (mesh.normals[sides][:, 1] * mesh.middles[sides][:, 1] > 0).all()


def test_what_is_behind_the_camera_is_clipped_away():
    box = np.array([(-2.0, 1, 0), (5.0, 1, 0), (5.0, 1, 2), (-2.0, 1, 2)])
    kept = clip_near(box)
    assert kept[:, 0].min() == pytest.approx(NEAR)
    assert kept[:, 0].max() == 5.0
    assert len(clip_near(box - (9, 0, 0))) == 0


def test_one_point_projects_like_many():
    bend = Curve(((12.0, 1, 0.4), (5.0, 2, 1.0)))
    view = View(
        (100, 200),
        focal=180.0,
        horizon=(50.0, 100.0),
        place=(30.0, -1.5, 1.4),
        bend=bend,
        rise=bend,
    )
    points = np.array([(1.0, 2, 0), (17.3, -4, 2.5), (120.8, 9, 7)])
    one_by_one = [view.spot(*point) for point in points]
    assert view.project(points) == pytest.approx(np.array(one_by_one))


def test_the_loop_has_no_seam():
    curve = Curve(((12.0, 1, 0.4), (5.0, 3, 1.0)))
    assert curve.at(LOOP) == pytest.approx(curve.at(0.0))
    view = straight_view()
    assert view.ahead(LOOP - 5.0) == pytest.approx(-5.0)
    assert view.ahead(7.0) == pytest.approx(7.0)


def test_many_streets_are_drawn_without_a_fault():
    for seed in range(200, 216):
        drive = SyntheticDrive(DriveSettings(height=64, width=96, seed=seed))
        for index in (0, 333, 100_000):
            rgb, labels = drive.frame(index)
            assert 3 in labels
            assert rgb.std() > 8


def test_opencv_threads_do_not_change_the_picture():
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = digest(*SyntheticDrive(SMALL).frame(2))
        cv2.setNumThreads(4)
        assert digest(*SyntheticDrive(SMALL).frame(2)) == alone
    finally:
        cv2.setNumThreads(before)


GOLDEN_COUNTS = [5038, 60, 378, 8320, 159, 2969, 56, 75, 1990, 77, 78]
GOLDEN_MEAN = [124.0, 128.0, 126.8]
