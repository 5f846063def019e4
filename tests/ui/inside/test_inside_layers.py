"""The tree of layers: what is listed, what is found, and what the mouse and the arrows choose."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QTreeView

from segstudio.core.layers import CallFacts, LayerCost, LayerFacts, LayerTree
from segstudio.core.look import EvidenceLook, LayerLook
from segstudio.ui.panels.inside.layer_model import LayerModel
from segstudio.ui.panels.inside.layer_words import (
    call_of,
    cost_shares,
    field_text,
    is_map,
    own_title,
    short_count,
    stride_text,
    why_not,
)
from segstudio.ui.panels.parts import Picker

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
TEXT = Qt.ItemDataRole.DisplayRole


def listed(model, parent=None) -> list[str]:
    """Titles from top to bottom, two blanks for each step down."""
    found = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        found.append(index.data(TEXT))
        found += ["  " + below for below in listed(model, index)]
    return found


def of(panel):
    return panel.findChild(QTreeView)


def named(panel, kind, name):
    return next(w for w in panel.findChildren(kind) if w.accessibleName() == name)


def pressed(panel, text):
    next(b for b in panel.findChildren(QPushButton) if b.text() == text).click()


def said(panel) -> str:
    """Everything that can be read now."""
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisible())


def find(panel, text):
    named(panel, QLineEdit, "Find a layer by title, name or kind").setText(text)


def click(panel, name):
    view = of(panel)
    place = view.visualRect(view.model().index_of(name)).center()
    QTest.mouseClick(view.viewport(), LEFT, NONE, place)


# --- the model


@pytest.fixture
def model(qapp, tree):
    made = LayerModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.show_tree(tree)
    return made


def test_stages_come_with_what_they_lie_in_and_nothing_else(model):
    model.narrow("", taps_only=True)
    assert listed(model) == [
        "Detail branch", "  Stage 1", "  Stage 2", "Semantic branch", "  Stem",
    ]  # fmt: skip


def test_all_layers_are_listed_in_the_order_of_the_net(model, tree):
    model.narrow("", taps_only=False)
    assert len(listed(model)) == len(tree.layers)
    assert listed(model)[:4] == ["Detail branch", "  Stage 1", "    3×3 convolution", "      0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stem", ["Semantic branch", "  Stem"]),
        ("SEMANTIC stem", ["Semantic branch", "  Stem"]),
        ("avgpool", ["Semantic branch", "  pool"]),
        ("semantic.sh", ["Semantic branch", "  Shared block"]),
        ("nothing like it", []),
    ],
)
def test_search_looks_at_title_name_and_kind_and_keeps_what_lies_above(model, text, expected):
    model.narrow(text, taps_only=True)
    assert listed(model) == expected


def test_what_lies_inside_a_hit_can_still_be_unfolded(model):
    model.narrow("stage 1", taps_only=True)
    assert "      0" in listed(model)
    assert model.matches == ["detail.stage1"]


def test_the_chosen_layer_stays_among_the_stages(model):
    model.narrow("", taps_only=True, keep="detail.stage1.0.0")
    assert model.index_of("detail.stage1.0.0").isValid()
    assert not model.index_of("head").isValid()


def test_names_without_a_layer_of_their_own_become_groups(qapp):
    run = (CallFacts((4, 9, 9)),)
    made = LayerModel()
    made.show_tree(LayerTree("x", (9, 9), (LayerFacts("a.b.c", "", "Conv2d", 2, 8, run),)))
    made.narrow("", taps_only=False)
    assert listed(made) == ["a", "  b", "    c"]
    assert made.data(made.index_of("a.b"), Qt.ItemDataRole.ToolTipRole).endswith(
        "It only groups the layers inside it and has no answer of its own."
    )


def test_a_net_of_four_hundred_modules_is_listed_searched_and_folded_again(qapp):
    layers = []
    for stage in range(8):
        layers.append(LayerFacts(f"s{stage}", "", "Sequential", 0, 9))
        for block in range(10):
            layers.append(LayerFacts(f"s{stage}.{block}", "", "Block", 1, 9))
            layers += [
                LayerFacts(f"s{stage}.{block}.{leaf}", "", kind, 2, 9, (CallFacts((8, 9, 9)),))
                for leaf, kind in enumerate(("Conv2d", "BatchNorm2d", "ReLU", "Conv2d"))
            ]
    made = LayerModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.show_tree(LayerTree("big", (9, 9), tuple(layers)))
    made.narrow("", taps_only=False)
    assert len(listed(made)) == 408
    made.narrow("s3 batch", taps_only=False)
    assert len(made.matches) == 10
    made.narrow("", taps_only=True)
    assert made.is_empty


def test_the_net_itself_has_no_line(qapp, tree):
    root = LayerFacts("", "", "Net", 0, 9, tree.layers[0].calls)
    made = LayerModel()
    made.show_tree(replace(tree, layers=(root, *tree.layers)))
    made.narrow("", taps_only=False)
    assert "" not in listed(made)


def test_costs_keep_what_is_unfolded(model, tree):
    model.narrow("", taps_only=False)
    before = model.index_of("head")
    model.show_tree(replace(tree, costs={"": LayerCost(4, 8), "head": LayerCost(1, 4)}))
    assert model.index_of("head") == before
    assert "25 % of the time" in model.data(before, Qt.ItemDataRole.ToolTipRole)


def test_every_line_says_its_name_to_those_who_listen(model):
    model.narrow("", taps_only=False)
    role = Qt.ItemDataRole.AccessibleTextRole
    assert model.data(model.index_of("detail.stage1"), role) == (
        "Detail branch · stage 1, detail.stage1, Sequential, a stage"
    )
    assert "not a map" in model.data(model.index_of("semantic.pool"), role)
    assert model.parent(QModelIndex()) == QModelIndex()


# --- words


def test_layers_without_a_map_say_why(tree):
    def why(shape, kind="Linear"):
        runs = () if shape is None else (CallFacts(shape),)
        return why_not(LayerFacts("x", "", kind, 0, 0, runs), tree)

    assert why((8, 9, 9)) == ""
    assert why(None) == "This layer does not run when the model predicts."
    assert why((64,)).startswith("Its answer is 64 numbers for the whole picture")
    assert why((64, 1, 1)).startswith("Its answer is 64 numbers for the whole picture")
    assert why((1024, 96)).startswith("Its answer is 1,024 tokens of 96 numbers")
    assert "4×2×2×2" in why((4, 2, 2, 2))


def test_figures_are_short():
    assert [short_count(n) for n in (640, 1_250, 12_345, 999_700, 1_234_567)] == [
        "640", "1.2 k", "12 k", "1.0 M", "1.2 M",
    ]  # fmt: skip
    assert stride_text(CallFacts((8, 9, 9), step=(8.0, 8.0))) == "8"
    assert stride_text(CallFacts((8, 9, 9), step=(16.0, 8.5))) == "16 × 8.5"
    assert stride_text(CallFacts((8,))) == "–"
    assert field_text((95, 95)) == "95 px"
    assert field_text((95, 120)) == "95 × 120 px"
    assert field_text((95, 95), is_whole=True) == "all"
    assert field_text(None) == "–"


def test_titles_do_not_repeat_what_stands_above():
    assert own_title("Detail branch · stage 2", "Detail branch") == "Stage 2"
    assert own_title("Stem · … · ReLU", "Stem · first convolution") == "ReLU"
    assert own_title("Head", "Head") == ""
    assert own_title("", "Head") == ""


def test_shares_are_of_the_whole_net(tree):
    some = replace(tree, costs={"head": LayerCost(1, 4), "detail": LayerCost(3, 4)})
    assert cost_shares(some, "head") == (0.25, 0.5)
    assert cost_shares(some, "boosters") is None
    nothing = replace(tree, costs={"head": LayerCost(0, 0)})
    assert cost_shares(nothing, "head") == (0, 0)


def test_a_run_that_is_not_there_is_the_last_one(tree):
    shared = tree.get("semantic.shared")
    assert call_of(shared, 7) == shared.calls[-1]
    assert call_of(tree.get("boosters"), 0) is None
    assert not is_map(tree.get("semantic.pool"))


# --- the page


def test_a_click_looks_at_a_layer_in_the_same_way(panel, looked):
    click(panel, "semantic.stem")
    assert looked.inside.look == LayerLook("semantic.stem", show="mean")
    assert "Semantic branch · stem" in said(panel)


def test_the_arrows_walk_and_look(panel, looked):
    view = of(panel)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert looked.inside.look.layer == "detail.stage2"
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert looked.inside.look.layer == "semantic"
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert looked.inside.look.layer == "detail.stage2"


def test_letters_stay_commands_while_the_tree_has_the_keyboard(panel, looked):
    view = of(panel)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_S)
    assert looked.inside.look.layer == "detail.stage1"


def test_a_layer_without_a_map_is_explained_and_changes_nothing(panel, looked):
    pressed(panel, "All layers")
    find(panel, "pool")
    click(panel, "semantic.pool")
    assert looked.inside.look.layer == "detail.stage1"
    assert "Its answer is 16 numbers for the whole picture" in said(panel)
    assert "The picture still shows “Detail branch · stage 1”." in said(panel)
    assert looked.inside.trouble == ""


def test_stages_first_and_everything_on_demand(panel):
    view = of(panel)
    assert not view.model().index_of("head").isValid()
    pressed(panel, "All layers")
    assert view.model().index_of("head").isValid()
    pressed(panel, "Stages")
    assert not view.model().index_of("head").isValid()


def test_a_model_without_stages_shows_all_its_layers(panel, looked, net, tree):
    net.layers = replace(tree, layers=tuple(replace(n, is_tap=False) for n in tree.layers))
    looked.inside._layers.forget()
    looked.inside.turn_off()
    looked.inside.turn_on()
    assert of(panel).model().index_of("head").isValid()
    stages = next(b for b in panel.findChildren(QPushButton) if b.text() == "Stages")
    assert not stages.isEnabled()


def test_a_search_without_a_hit_says_so_and_can_be_cleared(panel):
    find(panel, "xyz")
    assert "No layer is called “xyz”." in said(panel)
    assert not of(panel).isVisible()
    find(panel, "")
    assert of(panel).isVisible()
    assert of(panel).currentIndex().data(TEXT) == "Stage 1"


def test_return_goes_from_the_search_to_the_tree(panel):
    find(panel, "stem")
    field = named(panel, QLineEdit, "Find a layer by title, name or kind")
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert of(panel).hasFocus()


def test_a_layer_that_runs_twice_lets_its_run_be_chosen(panel, looked):
    find(panel, "shared")
    click(panel, "semantic.shared")
    run = named(panel, Picker, "Which of its runs")
    assert run.isVisible()
    assert run.currentText() == "Run 2 of 2"
    run.activated.emit(0)
    assert looked.inside.look.call == 0
    assert run.currentText() == "Run 1 of 2"
    find(panel, "stem")
    click(panel, "semantic.stem")
    assert looked.inside.look.call == -1
    assert not run.isVisible()


def test_a_channel_that_the_next_layer_lacks_becomes_its_last(panel, looked, change_look):
    change_look(show="channel", channel=40)
    click(panel, "semantic.stem")
    assert looked.inside.look.channel == 15


def test_facts_of_the_layer_are_shown(panel):
    text = said(panel)
    for fact in ("Detail branch · stage 1", "64×9×16", "95 px", "1.2 M"):
        assert fact in text


def test_time_and_memory_are_measured_on_demand(panel):
    assert "2.50 ms" not in said(panel)
    pressed(panel, "Measure cost")
    text = said(panel)
    assert "2.50 ms" in text
    assert "25 %" in text
    assert "10 %" in text
    names = [b.text() for b in panel.findChildren(QPushButton) if b.isVisible()]
    assert "Measure cost" not in names


def test_what_a_cell_really_sees_is_measured_on_demand(panel):
    pressed(panel, "Measure what it sees")
    assert "Measured: its middle cell sees 63 × 61 px, 42 % of the input." in said(panel)
    click(panel, "detail.stage2")
    assert "Measured" not in said(panel)
    click(panel, "detail.stage1")
    assert "Measured: its middle cell sees 63 × 61 px" in said(panel)


def test_a_measured_field_is_of_one_size_of_input(panel, looked, net, tree):
    pressed(panel, "Measure what it sees")
    net.layers = replace(tree, input_size=(144, 256))
    looked.inside._layers.forget()
    looked.inside.turn_off()
    looked.inside.turn_on()
    assert "Measured" not in said(panel)
    pressed(panel, "Measure what it sees")
    assert "63 × 61 px, 10 % of the input" in said(panel)


def test_why_a_field_cannot_be_measured_is_said(panel, net):
    net.field_of = None
    pressed(panel, "Measure what it sees")
    assert "Nothing of the picture reaches this layer." in said(panel)


def test_a_layer_chosen_elsewhere_is_marked(panel, looked):
    looked.inside.set_look(LayerLook("head"))
    assert of(panel).currentIndex().data(TEXT) == "Segmentation head"


def test_the_last_layer_is_remembered_while_something_else_is_looked_at(panel, looked):
    click(panel, "semantic.stem")
    looked.inside.set_look(EvidenceLook(layer="head"))
    assert not of(panel).isVisible()
    pressed(panel, "Layers")
    assert looked.inside.look == LayerLook("semantic.stem", show="mean")
