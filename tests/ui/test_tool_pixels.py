"""Every tool with a real mouse over the real window: exactly the pixels that it should change."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from segstudio.core.confidence import sureness, sureness_seen
from segstudio.core.feature_map import FeatureMap, Lattice
from segstudio.core.look import Seen, UnsureLook
from segstudio.core.origins import MODEL, PAINTED
from segstudio.ui.tools.registry import TOOLS

ROAD, SKY, TREE, CAR = 3, 0, 5, 8
SIZE = (72, 128)
SHIFT, ALT, CTRL = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
)
ZOOMS = [1.0, 3.3, 8.0]


def draft():
    """What the fake model says: Road on the left half, Sky on the right."""
    labels = np.zeros(SIZE, np.uint8)
    labels[:, :64] = ROAD
    return labels


def expect(hand, labels, origin):
    """The labels and origins of the frame, no class that nobody chose, and undo to the start."""
    document = hand.editor.held.document
    assert np.array_equal(document.labels, labels)
    assert np.array_equal(document.origin, origin)
    assert set(np.unique(document.labels)) <= {SKY, ROAD, TREE, CAR, 255}
    while hand.editor.held.history.position:
        hand.editor.undo()
    assert (document.labels == 255).all()
    assert (document.origin == 0).all()


def disc(shape, centre, radius):
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return (ys - centre[0]) ** 2 + (xs - centre[1]) ** 2 <= radius * radius


def inside(corners):
    """Even-odd by ray casting at pixel centres."""
    ys, xs = np.mgrid[: SIZE[0], : SIZE[1]]
    found = np.zeros(SIZE, bool)
    for (y0, x0), (y1, x1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        crosses = (y0 > ys) != (y1 > ys)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = (x1 - x0) * (ys - y0) / (y1 - y0) + x0
        found ^= crosses & (xs < at)
    return found


@pytest.mark.parametrize("zoom", ZOOMS)
def test_a_dab_of_the_brush_is_a_disc(hand, zoom):
    hand.zoom(zoom)
    hand.take("brush", size=11)
    where = disc(SIZE, hand.click(36, 64), 5)
    expect(hand, np.where(where, TREE, draft()), np.where(where, PAINTED, MODEL))


def test_a_square_brush_is_a_square(hand):
    hand.take("brush", size=7, is_square=True)
    y, x = hand.click(30, 60)
    where = np.zeros(SIZE, bool)
    where[y - 3 : y + 4, x - 3 : x + 4] = True
    expect(hand, np.where(where, TREE, draft()), np.where(where, PAINTED, MODEL))


def test_a_size_on_the_screen_shrinks_with_the_zoom(hand):
    hand.zoom(4.0)
    hand.take("brush", size=36, size_on_screen=True)
    where = disc(SIZE, hand.click(36, 64), 4)  # 9 pixels across
    expect(hand, np.where(where, TREE, draft()), np.where(where, PAINTED, MODEL))


def test_shift_draws_a_straight_line_from_the_last_stroke(hand):
    hand.take("brush", size=1)
    y, x = hand.click(20, 30)
    v, u = hand.click(20, 70, modifier=SHIFT)
    assert y == v
    where = np.zeros(SIZE, bool)
    where[y, x : u + 1] = True
    expect(hand, np.where(where, TREE, draft()), np.where(where, PAINTED, MODEL))


def test_a_fast_move_leaves_no_gap(hand):
    hand.take("brush", size=3)
    (y, x), (v, u) = hand.drag((10, 5), (60, 120))
    labels = hand.editor.held.document.labels
    for share in np.linspace(0, 1, 400):
        assert labels[round(y + share * (v - y)), round(x + share * (u - x))] == TREE


def test_the_eraser_leaves_void(hand):
    hand.take("eraser", size=9, erases_to="void")
    where = disc(SIZE, hand.click(36, 64), 4)
    expect(hand, np.where(where, 255, draft()), np.where(where, PAINTED, MODEL))


def test_the_eraser_goes_back_to_the_model(hand):
    hand.take("rectangle")
    (y, x), (v, u) = hand.drag((20, 40), (50, 90))
    hand.take("eraser", size=9, erases_to="model")
    gone = disc(SIZE, hand.click(36, 60), 4)
    painted = np.zeros(SIZE, bool)
    painted[y : v + 1, x : u + 1] = True
    painted &= ~gone
    expect(hand, np.where(painted, TREE, draft()), np.where(painted, PAINTED, MODEL))


@pytest.mark.parametrize("zoom", ZOOMS[:2])
@pytest.mark.parametrize("ends", ["return", "double click", "first corner"])
def test_a_polygon_holds_its_inside_and_outline(hand, window, zoom, ends):
    hand.zoom(zoom)
    hand.take("polygon")
    corners = [hand.click(*p) for p in ((20, 30), (20, 90), (50, 90), (50, 30))]
    if ends == "return":
        hand.key(Qt.Key.Key_Return)
    elif ends == "first corner":
        hand.click(*corners[0])
    else:
        point = hand.at(50, 30)[0]
        QTest.mouseDClick(window.canvas, Qt.MouseButton.LeftButton, pos=point)
    (y, x), (v, u) = corners[0], corners[2]
    where = np.zeros(SIZE, bool)
    where[y : v + 1, x : u + 1] = True
    expect(hand, np.where(where, TREE, draft()), np.where(where, PAINTED, MODEL))


def test_backspace_takes_a_corner_back_and_escape_all(hand):
    hand.take("polygon")
    for pixel in ((10, 10), (10, 50), (60, 60)):
        hand.click(*pixel)
    hand.key(Qt.Key.Key_Backspace)
    hand.key(Qt.Key.Key_Return)  # two corners are no polygon
    assert hand.editor.held.is_blank
    for pixel in ((10, 10), (10, 50), (60, 60)):
        hand.click(*pixel)
    hand.key(Qt.Key.Key_Escape)
    assert hand.editor.held.is_blank
    assert hand.editor.preview.lines == ()


def test_a_lasso_holds_what_it_goes_around(hand):
    hand.take("lasso")
    way = hand.drag((20, 30), (15, 60), (25, 95), (55, 80), (50, 40))
    labels = hand.editor.held.document.labels
    sure = inside(list(way))
    assert (labels[sure] == TREE).all()
    outside = ~(sure | inside_border(way))
    assert (labels[outside] == draft()[outside]).all()
    origin = np.where(labels == TREE, PAINTED, MODEL)
    expect(hand, labels.copy(), origin)


def inside_border(corners):
    """Pixels within one of the outline."""
    ys, xs = np.mgrid[: SIZE[0], : SIZE[1]]
    near = np.zeros(SIZE, bool)
    for (y0, x0), (y1, x1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = (y1 - y0) ** 2 + (x1 - x0) ** 2
        along = np.clip(((ys - y0) * (y1 - y0) + (xs - x0) * (x1 - x0)) / length, 0, 1)
        far = (ys - y0 - along * (y1 - y0)) ** 2 + (xs - x0 - along * (x1 - x0)) ** 2
        near |= far <= 1.0
    return near


@pytest.mark.parametrize("by", ["option", "alt"])
def test_an_outline_takes_the_active_class_away(hand, by):
    hand.take("rectangle")
    hand.drag((20, 40), (50, 90))
    before = hand.editor.held.document.labels.copy()
    hand.take("rectangle", subtracts=by == "option")
    modifier = ALT if by == "alt" else Qt.KeyboardModifier.NoModifier
    y, x = hand.press(30, 80, modifier=modifier)
    hand.move(60, 110)
    v, u = hand.at(60, 110)[1]
    hand.release(60, 110, modifier=modifier)
    box = np.zeros(SIZE, bool)
    box[y : v + 1, x : u + 1] = True
    gone = box & (before == TREE)
    assert gone.any()
    kept = (before == TREE) & ~gone
    expect(hand, np.where(gone, 255, before), np.where(kept | gone, PAINTED, MODEL))


def test_fill_everywhere_takes_the_whole_class(hand):
    hand.take("rectangle")
    hand.drag((0, 30), (71, 34))  # cuts the road in two
    hand.take("fill", is_joined=False)
    hand.editor.choose_class(CAR)
    hand.click(30, 10)
    labels = hand.editor.held.document.labels
    assert not (labels == ROAD).any()
    assert (labels == CAR).sum() == (draft() == ROAD).sum() - (labels == TREE).sum()


def test_the_picker_takes_the_class_under_the_cursor(hand):
    hand.take("picker")
    hand.click(30, 10)
    assert hand.editor.options.class_id == ROAD
    hand.click(30, 100)
    assert hand.editor.options.class_id == SKY
    assert hand.editor.held.is_blank, "picking paints nothing"


def test_the_wand_takes_what_has_the_colour_of_the_seed(hand):
    hand.take("wand", tolerance=5.0)
    hand.move(30, 20)
    hand.click(30, 20)
    # The clip's frame 5 is grey 45 on the left half and 230 on the right.
    where = np.zeros(SIZE, bool)
    where[:, :64] = True
    rgb = hand.editor.rgb.astype(int)
    flat = np.abs(rgb - rgb[30, 20]).max(axis=2) <= 2
    labels = hand.editor.held.document.labels
    assert (labels[where & flat] == TREE).all()
    assert (labels[~where] == SKY).all()
    expect(hand, labels.copy(), np.where(labels == TREE, PAINTED, MODEL))


def test_dragging_the_wand_widens_its_tolerance(hand):
    hand.take("wand", tolerance=1.0)
    hand.press(30, 20)
    hand.move(30, 22)
    few = int(hand.editor.preview.area.mask.sum())
    hand.move(30, 120)
    many = int(hand.editor.preview.area.mask.sum())
    assert few < many == SIZE[0] * SIZE[1]
    hand.key(Qt.Key.Key_Escape)
    hand.release(30, 120)
    assert hand.editor.held.is_blank, "Escape paints nothing"


def test_select_takes_regions_and_shift_adds(hand):
    hand.take("select")
    hand.click(30, 10)
    assert int(hand.editor.selection.mask.sum()) == 72 * 64
    hand.click(30, 100, modifier=SHIFT)
    assert int(hand.editor.selection.mask.sum()) == 72 * 128
    hand.click(30, 10, modifier=CTRL)
    area = hand.editor.selection
    whole = np.zeros(SIZE, bool)
    whole[area.rect.slices] = area.mask
    assert (whole == (draft() == SKY)).all()
    hand.key(Qt.Key.Key_Escape)
    assert hand.editor.selection is None
    assert hand.editor.held.is_blank, "selecting paints nothing"


def spot(hand, window):
    """A 20 × 20 car with a hole of one pixel, selected."""
    hand.take("rectangle")
    hand.editor.choose_class(CAR)
    hand.drag((20, 90), (39, 109))
    hand.take("brush", size=1)
    hand.editor.choose_class(SKY)
    hand.click(30, 100)
    hand.take("select")
    hand.click(22, 92)
    return hand.editor.held.document.labels.copy()


@pytest.mark.parametrize(
    ("name", "car"),
    [
        ("fill_holes", 400),
        ("keep_largest", 399),
        ("remove_specks", 399),
        ("grow", None),
        ("shrink", None),
        ("smooth", None),
        ("paint", None),
    ],
)
def test_what_is_done_with_a_selection_is_one_step(hand, window, name, car):
    before = spot(hand, window)
    steps = hand.editor.held.history.position
    window.menus.actions[f"selection.{name}"].trigger()
    labels = hand.editor.held.document.labels
    was, now = before == CAR, labels == CAR
    if car is not None:
        assert now.sum() == car
    if name == "grow":
        assert now[was].all()
        assert now[18:42, 92:108].all()
    elif name == "shrink":
        assert not (now & ~was).any()
        assert now.sum() < was.sum()
        assert (labels[was & ~now] == 255).all()
    elif name == "smooth":
        assert now[30, 100], "the hole is closed"
    elif name == "paint":
        assert (labels[was] == TREE).all()
    if (labels != before).any():
        assert hand.editor.held.history.position == steps + 1
        hand.editor.undo()
        assert (hand.editor.held.document.labels == before).all()


def test_the_model_brush_brings_the_other_model(hand, qtbot, session):
    hand.take("rectangle")
    (y, x), (v, u) = hand.drag((20, 40), (50, 90))
    hand.take("reveal", size=9, reveals="fake")
    hand.move(36, 60)
    qtbot.waitUntil(lambda: hand.editor.second_draft() is not None, timeout=20_000)
    back = disc(SIZE, hand.click(36, 62), 4)
    box = np.zeros(SIZE, bool)
    box[y : v + 1, x : u + 1] = True
    labels = np.where(box & ~back, TREE, draft())
    expect(hand, labels, np.where(box | back, PAINTED, MODEL))


def test_cut_out_follows_the_thing_in_the_box(hand, qtbot, monkeypatch):
    rng = np.random.default_rng(3)
    rgb = rng.integers(20, 50, (*SIZE, 3), np.uint8)
    rgb[20:50, 50:90] = rng.integers(180, 230, (30, 40, 3), np.uint8)
    monkeypatch.setattr(hand.editor.current, "frame", replace(hand.editor.current.frame, rgb=rgb))
    hand.take("grab_cut")
    hand.drag((10, 40), (60, 100))
    qtbot.waitUntil(lambda: hand.editor.preview.area is not None, timeout=30_000)
    hand.key(Qt.Key.Key_Return)
    labels = hand.editor.held.document.labels
    thing = np.zeros(SIZE, bool)
    thing[20:50, 50:90] = True
    assert (labels[thing] == TREE).mean() > 0.95
    assert (labels[~thing] == TREE).mean() < 0.02
    expect(hand, labels.copy(), np.where(labels == TREE, PAINTED, MODEL))


RULES = [
    ({}, lambda labels: np.ones(SIZE, bool)),
    ({"rule": "void"}, lambda labels: labels == 255),
    ({"rule": "class", "only": ROAD}, lambda labels: labels == ROAD),
    ({"rule": "class", "only": 255}, lambda labels: labels == 255),
    ({"locked": frozenset({ROAD})}, lambda labels: labels != ROAD),
    ({"locked": frozenset({ROAD, SKY})}, lambda labels: labels == 255),
    ({"rule": "class", "only": ROAD, "locked": frozenset({SKY})}, lambda labels: labels == ROAD),
]


@pytest.mark.parametrize(("options", "allowed"), RULES)
def test_rules_and_locks_say_what_a_stroke_may_change(hand, options, allowed):
    hand.take("eraser", size=15, erases_to="void")
    hand.click(36, 64)
    before = hand.editor.held.document.labels.copy()
    hand.take("brush", size=31, **options)
    centre = hand.click(36, 64)
    changed = disc(SIZE, centre, 15) & allowed(before)
    labels = hand.editor.held.document.labels
    assert np.array_equal(labels, np.where(changed, TREE, before))
    assert (hand.editor.preview.lock_at is not None) == (not changed.any())


def test_only_where_the_model_is_unsure(hand, monkeypatch):
    sure = np.tile(np.arange(128, dtype=np.uint8) * 2, (72, 1))
    monkeypatch.setattr(hand.editor.drafts, "sureness", lambda frame, measure: sure)
    hand.take("brush", size=999, rule="unsure", below=0.25)
    hand.click(36, 64)
    labels = hand.editor.held.document.labels
    assert np.array_equal(labels, np.where(sure < 64, TREE, draft()))


@pytest.mark.parametrize("measure", ["probability", "margin", "entropy"])
def test_how_unsure_is_measured_is_a_choice(hand, monkeypatch, measure):
    """The fake model is as sure everywhere; here its answer is another one in every cell."""
    drafts = hand.editor.drafts
    said = drafts.prediction(hand.editor.current.frame)
    values = np.random.default_rng(5).normal(0, 2, (11, 9, 16)).astype(np.float32)
    said = replace(said, logits=replace(said.logits, values=values))
    monkeypatch.setattr(drafts, "prediction", lambda frame: said)
    for other in ("entropy", "probability", "margin"):  # each is asked for before
        drafts.sureness(hand.editor.current.frame, other)
    sure = sureness(said.logits, measure)
    below = float(np.median(sure)) / 256
    hand.take("brush", size=999, rule="unsure", below=below, measure=measure)
    hand.click(36, 64)
    labels = hand.editor.held.document.labels
    allowed = sure < round(256 * below)
    assert 0 < allowed.sum() < allowed.size
    assert np.array_equal(labels, np.where(allowed, TREE, draft()))


def test_what_is_looked_at_is_a_measure_too(hand, monkeypatch):
    """Without being looked at, nothing counts as unsure; with another look neither."""
    unsure = np.zeros((9, 16), np.float32)
    unsure[:, 8:] = 0.6
    found = FeatureMap(np.zeros((9, 16), np.uint8), Lattice.even((9, 16), SIZE), exact=unsure)
    before = hand.editor.held.document.labels.copy()
    hand.take("brush", size=999, rule="unsure", below=0.7, measure="flicker")
    for seen in (None, Seen(UnsureLook("flip"), found)):
        monkeypatch.setattr(hand.editor.drafts, "seen", lambda seen=seen: seen)
        hand.click(36, 64)
        labels = hand.editor.held.document.labels
        assert (labels == before).all() or np.array_equal(labels, draft())
    monkeypatch.setattr(hand.editor.drafts, "seen", lambda: Seen(UnsureLook("flicker"), found))
    hand.click(36, 64)
    allowed = sureness_seen(found, SIZE) < round(256 * 0.7)
    assert 0 < allowed.sum() < allowed.size
    assert np.array_equal(labels, np.where(allowed, TREE, draft()))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_undo_leads_back_and_no_class_is_made_up(hand, window, seed):
    rng = np.random.default_rng(seed)
    names = ["brush", "eraser", "polygon", "lasso", "rectangle", "fill", "select", "wand"]
    hand.zoom(float(rng.choice([1.0, 2.7, 5.3])))
    for _ in range(12):
        name = str(rng.choice(names))
        hand.take(
            name, size=int(rng.integers(1, 30)), subtracts=bool(rng.integers(2)),
            is_joined=bool(rng.integers(2)), erases_to=str(rng.choice(["void", "model"])),
            rule=str(rng.choice(["everything", "void", "unsure"])),
        )  # fmt: skip
        hand.editor.choose_class(int(rng.choice([SKY, ROAD, TREE, CAR])))
        pixels = [(int(rng.integers(25, 47)), int(rng.integers(45, 83))) for _ in range(4)]
        hand.drag(*pixels)
        hand.key(Qt.Key.Key_Return)
        labels = hand.editor.held.document.labels
        assert set(np.unique(labels)) <= {SKY, ROAD, TREE, CAR, 255}
        assert not hand.editor.held.document.is_busy
    final, steps = labels.copy(), hand.editor.held.history.position
    hand.editor.go_to_step(0)
    assert (labels == 255).all()
    hand.editor.go_to_step(steps)
    assert (labels == final).all()


def test_strokes_that_begin_or_end_beside_the_frame_are_cut_at_its_border(hand, window):
    hand.take("brush", size=9)
    canvas = window.canvas
    start = QPointF(2, canvas.height() / 2).toPoint()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(canvas, hand.at(36, 30)[0])
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=hand.at(36, 30)[0])
    labels = hand.editor.held.document.labels
    assert (labels[36, :30] == TREE).all()
    assert set(np.unique(labels)) == {SKY, ROAD, TREE}


def test_leaving_the_frame_ends_the_stroke_and_keeps_it(hand, window, qtbot, session):
    hand.take("brush", size=5)
    y, x = hand.press(30, 40)
    session.player.seek(6)
    qtbot.waitUntil(
        lambda: hand.editor.held is not None and hand.editor.held.key.index == 6, timeout=20_000
    )
    hand.release(30, 90)
    assert hand.editor.held.is_blank, "the release belongs to no stroke"
    session.player.seek(5)
    qtbot.waitUntil(
        lambda: hand.editor.held is not None and hand.editor.held.key.index == 5, timeout=20_000
    )
    assert hand.editor.held.document.labels[y, x] == TREE


def test_a_right_press_during_a_stroke_changes_nothing(hand, window):
    hand.take("brush", size=5)
    hand.press(30, 40)
    point = hand.at(30, 60)[0]
    QTest.mousePress(window.canvas, Qt.MouseButton.RightButton, pos=point)
    QTest.mouseRelease(window.canvas, Qt.MouseButton.RightButton, pos=point)
    assert hand.editor.held.document.is_busy
    hand.release(30, 60)
    assert not hand.editor.held.document.is_busy
    assert hand.editor.held.history.position == 2


def test_a_pen_that_is_pressed_less_paints_thinner(hand, window):
    hand.take("brush", size=21)
    window.canvas._pressure = 0.5  # what tabletEvent keeps for the mouse event that follows
    y = hand.click(36, 64)[0]
    labels = hand.editor.held.document.labels
    assert int((labels[y] == TREE).sum()) == 11  # half of 21, rounded to an odd number of pixels
    window.canvas._pressure = 1.0


@pytest.mark.parametrize("name", list(TOOLS))
def test_every_tool_is_silent_when_there_is_nothing_to_paint_on(hand, window, name, session):
    """Beside the picture, far outside, nothing happens and nothing is half-done."""
    hand.zoom(0.37)
    hand.take(name)
    corner = QPointF(1, 1).toPoint()
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=corner)
    QTest.mouseMove(window.canvas, QPointF(3, 3).toPoint())
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=corner)
    hand.key(Qt.Key.Key_Escape)
    held = hand.editor.held
    assert not held.document.is_busy
    assert not (held.document.labels == TREE).any()


@pytest.mark.parametrize("zoom", [0.37, 1.0, 1.7, 3.3, 9.1])
def test_a_click_changes_the_very_pixel_that_the_status_line_names(hand, window, zoom):
    hand.zoom(zoom)
    hand.take("brush", size=1)
    canvas, rng = window.canvas, np.random.default_rng(7)
    for _ in range(40):
        at = QPointF(int(rng.integers(canvas.width())), int(rng.integers(canvas.height())))
        pixel = canvas.pixel_at(at)
        if pixel is None:
            continue
        hand.editor.go_to_step(0)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at.toPoint())
        painted = np.argwhere(hand.editor.held.document.origin == PAINTED)
        assert painted.tolist() == [list(pixel)]


def test_a_frame_whose_steps_are_all_undone_shows_the_draft_again(hand):
    """And a frame that somebody erased does not."""
    editor = hand.editor
    hand.take("rectangle")
    hand.drag((10, 20), (30, 60))
    assert editor.held.history.position == 2, "the draft and the rectangle"
    painted = editor.held.document.labels.copy()
    editor.go_to_step(0)
    assert editor.held.is_blank
    assert np.array_equal(editor.shown_labels(), draft())
    editor.go_to_step(2)
    assert not editor.held.is_blank
    assert np.array_equal(editor.shown_labels(), painted)
    editor.replace_labels("Erase", np.full(SIZE, 255, np.uint8), 0, np.ones(SIZE, bool))
    assert not editor.held.is_blank
