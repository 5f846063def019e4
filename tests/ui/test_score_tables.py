"""Confusion matrices as shares and sentences, and the table of classes as lines and as a file."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from segstudio import paths
from segstudio.core.classes import ClassDef, ClassMap, load_class_map
from segstudio.core.metrics import Convention, scores_of
from segstudio.core.tally import FrameCounts, Standing, Tally
from segstudio.ui.dialogs.scores.class_lines import (
    Measured,
    as_text,
    best_of,
    categories_of,
    lines_of,
)
from segstudio.ui.dialogs.scores.frames_list import FrameFigures, mious
from segstudio.ui.dialogs.scores.matrix import (
    cell_figures,
    cell_text,
    cell_title,
    counted,
    shares,
    short,
    tones,
)
from segstudio.ui.dialogs.scores.source import Graded

MATRICES = [c for c in Convention if c is not Convention.PER_IMAGE]
NAMES = ("Road", "Building", "Tree", "void")
THREE = ClassMap(
    "three",
    (
        ClassDef(0, "Road", (1, 2, 3)),
        ClassDef(1, "Building", (4, 5, 6)),
        ClassDef(2, "Tree", (7, 8, 9)),
    ),
)
CONFIRMED = Standing(is_reference=True, human_share=1.0)


def any_matrix(seed=0, size=12):
    """int64 (size, size): a class that is absent, one that is only predicted."""
    rng = np.random.default_rng(seed)
    full = rng.integers(0, 90_000, (size, size))
    full[2, :] = full[:, 2] = 0
    full[3, :] = 0
    return full


def measured(letter, full, convention=Convention.VOID_IGNORED, frames=3):
    graded = Graded(letter, letter.lower(), f"Net {letter}")
    return Measured(graded, scores_of(full, convention), full, frames)


# --- shares


@pytest.mark.parametrize("convention", MATRICES)
@pytest.mark.parametrize(("by", "axis"), [("rows", 1), ("columns", 0)])
def test_what_is_shared_makes_a_hundred_percent(by, axis, convention):
    found = shares(any_matrix(), by, convention)
    sums = np.nansum(found, axis)
    has_any = ~np.isnan(found).all(axis)
    assert sums[has_any] == pytest.approx(1)
    assert not has_any[2]


@pytest.mark.parametrize("convention", MATRICES)
def test_the_diagonal_is_recall_by_rows_and_precision_by_columns(convention):
    full = any_matrix(1)
    scores = scores_of(full, convention)
    size = len(scores.iou)
    for by, figures in (("rows", scores.accuracy), ("columns", scores.precision)):
        diagonal = np.diagonal(shares(full, by, convention))[:size]
        np.testing.assert_allclose(diagonal, figures)


def test_void_counts_where_the_convention_says_so():
    full = any_matrix()
    assert not counted(full, Convention.VOID_IGNORED)[-1].any()
    assert counted(full, Convention.VOID_IGNORED)[:-1].all()
    assert not counted(full, Convention.BOTH_VOID_IGNORED)[:, -1].any()
    assert counted(full, Convention.VOID_IS_WRONG)[-1, :-1].all()
    assert counted(full, Convention.VOID_IS_A_CLASS).all()


@pytest.mark.parametrize("by", ["rows", "columns", "pixels"])
def test_colours_grow_with_figures_and_nothing_is_blank(by):
    full = any_matrix()
    found = tones(full, by, Convention.VOID_IS_A_CLASS)
    assert np.isnan(found[full == 0]).all()
    assert np.nanmax(found) <= 1
    assert np.nanmin(found) > 0
    row = np.argsort(full[4])
    if by != "columns":
        known = found[4, row][full[4, row] > 0]
        assert (np.diff(known) >= 0).all()


def test_an_empty_matrix_is_blank_everywhere():
    empty = np.zeros((4, 4), np.int64)
    for by in ("rows", "columns", "pixels"):
        assert np.isnan(tones(empty, by, Convention.VOID_IGNORED)).all()


# --- cells in words


def test_a_cell_in_a_sentence():
    full = np.zeros((4, 4), np.int64)
    full[1, 1], full[1, 2], full[1, 3] = 4_300_000, 92_809, 27_191
    full[3, 2], full[2, 2] = 500, 1
    ignored = Convention.VOID_IGNORED

    def said(at, by="rows", convention=ignored):
        return cell_text(full, at, NAMES, by, convention)

    assert said((1, 2)) == "Building taken for Tree: 92,809 px, 2.1 % of Building"
    assert said((1, 1)) == "Building found: 4,300,000 px, 97.3 % of Building"
    assert said((1, 3)) == "Building called void: 27,191 px, 0.6 % of Building"
    assert said((1, 2), "pixels") == said((1, 2))
    assert said((2, 2), "columns") == "Tree found: 1 px, less than 0.1 % of all Tree predictions"
    assert said((1, 2), "columns").endswith("more than 99.9 % of all Tree predictions")
    assert said((0, 1)) == "Road taken for Building: 0 px"
    assert said((3, 2)) == (
        "no class in the reference, called Tree: 500 px, 100.0 % of void, not counted"
    )
    assert said((3, 2), convention=Convention.VOID_IS_WRONG).endswith("100.0 % of void")
    assert cell_title("void", "void") == "void called void"


def test_figures_in_cells_are_short():
    assert cell_figures(0.0214, 92_809, "rows") == ("2.1", "2")
    assert cell_figures(1.0, 5, "rows") == ("100", "100")
    assert cell_figures(0.9999, 5, "rows") == (">99.9", "")
    assert cell_figures(0.0001, 5, "rows") == ("", "")
    assert cell_figures(float("nan"), 5, "columns") == ("", "")
    assert cell_figures(92_809, 92_809, "pixels") == ("93k", "")
    assert [short(n) for n in (7, 1234, 99_949, 999_600, 3 * 10**9)] == [
        "7", "1.2k", "100k", "1.0M", "3.0G",
    ]  # fmt: skip


# --- the table


def lecture():
    """Road 8 right of 10, Building all right, Tree absent from both."""
    full = np.zeros((4, 4), np.int64)
    full[0, 0], full[0, 1], full[1, 1], full[3, 0] = 8, 2, 5, 4
    return full


def test_lines_hold_what_the_scores_say():
    found = lines_of(THREE, [measured("A", lecture())], None)
    assert [x.name for x in found] == [
        "Road", "Building", "Tree",
        "Mean", "Pixel accuracy", "Mean accuracy", "Frequency-weighted IoU",
    ]  # fmt: skip
    assert found[0].values[0] == pytest.approx((0.8, 1.0, 0.8, 16 / 18))
    assert found[0].pixels == 10
    assert all(v != v for v in found[2].values[0])
    scores = scores_of(lecture())
    assert found[3].values[0] == pytest.approx(
        (scores.miou, (1 + 5 / 7) / 2, scores.mean_accuracy, scores.mean_f1)
    )
    assert found[4].values[0] == pytest.approx((13 / 15,))


def test_means_follow_the_convention():
    full = lecture()
    full[0, 2] = 3  # Tree is only in the prediction
    present = lines_of(THREE, [measured("A", full, Convention.PRESENT)], None)
    assert present[3].value(0, 1) == pytest.approx((1 + 5 / 7) / 2)
    ignored = lines_of(THREE, [measured("A", full)], None)
    assert ignored[3].value(0, 1) == pytest.approx((1 + 5 / 7 + 0) / 3)


def test_void_has_a_line_where_it_is_a_class():
    found = lines_of(THREE, [measured("A", lecture(), Convention.VOID_IS_A_CLASS)], None)
    assert [x.name for x in found[:4]] == ["Road", "Building", "Tree", "void"]
    assert found[3].pixels == 4
    assert found[3].row == 3


def test_no_models_no_lines():
    assert lines_of(THREE, [], None) == []


def test_the_best_of_each_class_is_known():
    other = lecture()
    other[0, 0], other[0, 1] = 9, 1
    models = [measured("A", lecture()), measured("B", other), measured("C", lecture())]
    road, building, tree = lines_of(THREE, models, None)[:3]
    assert best_of(road, 0, (0, 1, 2)) == {1}
    assert best_of(road, 0, (0, 2)) == frozenset(), "alike: nobody is best"
    assert best_of(building, 2, (0, 1)) == frozenset()
    assert best_of(tree, 0, (0, 1)) == frozenset()
    assert best_of(road, 0, (1,)) == frozenset()


def test_categories_stand_below_where_the_class_set_has_them():
    cityscapes = load_class_map(paths.resources() / "classes" / "cityscapes19.json")
    categories = categories_of(cityscapes)
    full = np.zeros((20, 20), np.int64)
    full[0, 0], full[0, 1] = 50, 50  # road taken for sidewalk: both are flat
    full[13, 13], full[13, 0] = 30, 70
    found = lines_of(cityscapes, [measured("A", full)], categories)
    by_name = {x.name: x.value(0, 0) for x in found if x.kind == "category"}
    assert by_name == pytest.approx({"flat": 100 / 170, "vehicle": 0.3})
    assert found[-1].name == "Mean category IoU"
    assert found[-1].value(0, 0) == pytest.approx((100 / 170 + 0.3) / 2)


def test_a_set_that_only_shares_the_name_has_no_categories():
    assert categories_of(THREE) is None
    assert categories_of(ClassMap("cityscapes19", THREE.classes)) is None
    assert categories_of(ClassMap("../../etc/passwd", THREE.classes)) is None


# --- the file


def test_the_file_holds_every_figure_and_on_what_it_stands():
    models = [measured("A", lecture()), measured("B", lecture(), frames=2)]
    lines = lines_of(THREE, models, None)
    text = as_text(lines, models, Convention.VOID_IGNORED, shown=(0, 1), is_reference=True)
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:4] == ["class", "reference pixels", "A Net A IoU", "A Net A Precision"]
    assert rows[0][6:] == ["B Net B IoU", "B Net B Precision", "B Net B Recall", "B Net B F1"]
    assert rows[1][:6] == ["Road", "10", "0.800000", "1.000000", "0.800000", "0.888889"]
    assert rows[3][:4] == ["Tree", "0", "", ""]
    assert rows[5][:5] == ["Pixel accuracy", "", "0.866667", "", ""]
    assert rows[-2] == ["convention", "Void ignored"]
    own = [replace(models[0], own=3), models[1]]
    text = as_text(lines, own, Convention.VOID_IGNORED, shown=(0, 1), is_reference=True)
    assert text.splitlines()[-1].startswith('"its own drafts, left out",,3,,,,0')
    assert rows[-1] == ["confirmed frames", "", "3", "", "", "", "2", "", "", ""]
    assert all(len(r) == 10 for r in rows if r[0] != "convention")


def test_only_what_is_shown_is_copied_and_drafts_are_called_drafts():
    models = [measured("A", lecture()), measured("B", lecture())]
    lines = lines_of(THREE, models, None)
    text = as_text(
        lines, models, Convention.VOID_IGNORED, shown=(1,), is_reference=False, separator="\t"
    )
    first, *_, last = text.splitlines()
    assert first.split("\t")[2] == "B Net B IoU"
    assert "Net A" not in text
    assert last.startswith("frames of unconfirmed labels (agreement only)")


# --- frames


def test_many_frames_are_scored_as_one_by_one():
    tally = Tally(11)
    for index in range(40):
        tally.put(index, any_matrix(index), CONFIRMED)
    tally.put(99, np.zeros((12, 12), np.int64), CONFIRMED)
    expected = tally.worst()
    found = FrameFigures().lines(tally.frames())
    assert [x.key for x in found] == [key for key, _ in expected]
    np.testing.assert_allclose([x.miou for x in found], [value for _, value in expected])
    assert len(mious(())) == 0


def test_a_frame_is_scored_again_only_when_it_changed(monkeypatch):
    from segstudio.ui.dialogs.scores import frames_list

    asked = []
    real = frames_list.mious
    monkeypatch.setattr(frames_list, "mious", lambda f: asked.append(len(f)) or real(f))
    figures = FrameFigures()
    frames = [FrameCounts(n, any_matrix(n), CONFIRMED) for n in range(5)]
    figures.lines(frames)
    frames[3] = FrameCounts(3, any_matrix(77), CONFIRMED)
    found = figures.lines(frames)
    assert asked == [5, 1]
    assert {x.key: x.miou for x in found}[3] == scores_of(any_matrix(77)).miou
