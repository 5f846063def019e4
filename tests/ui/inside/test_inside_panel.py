"""The column as a whole: its pages, what each remembers, and what it says while there is nothing."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton, QTreeView

from segstudio.core.look import ClassLook, EvidenceLook, LayerLook, Scale, UnsureLook
from segstudio.ui import theme
from segstudio.ui.inside.inside import Chance
from segstudio.ui.panels.inside.choices import Choice
from segstudio.ui.panels.inside.evidence import default_layer
from segstudio.ui.panels.inside.histogram import MapLegend
from segstudio.ui.panels.inside.layers import first_layer
from segstudio.ui.panels.inside.panel import LEAST, InsidePanel, duration
from segstudio.ui.panels.parts import Picker, Spinner

LEFT = Qt.MouseButton.LeftButton


def pressed(panel, text):
    next(b for b in panel.findChildren(QAbstractButton) if b.text() == text).click()


def named(panel, kind, name):
    return next(w for w in panel.findChildren(kind) if w.accessibleName() == name)


def pick(picker, value):
    picker.activated.emit(picker.findData(value))


def said(panel) -> str:
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisible())


def marked(panel) -> list[str]:
    """Titles of what is chosen and can be seen."""
    buttons = panel.findChildren(QAbstractButton)
    return [b.text() for b in buttons if b.isChecked() and b.isVisible()]


# --- head


def test_whose_inside_it_is_and_what_it_costs(panel):
    assert "Fake Net" in said(panel)
    assert "+2.1 ms" in said(panel)
    assert not named(panel, Picker, "Whose inside is shown").isVisible()


def test_closing_stops_looking(panel, looked):
    named(panel, QAbstractButton, "Close (Shift+I)").click()
    assert not looked.inside.is_on


def test_one_of_several_models_is_chosen_by_its_letter(panel, looked, card):
    looked.comparison.add(replace(card, name="other", title="Other Net"))
    picker = named(panel, Picker, "Whose inside is shown")
    assert picker.isVisible()
    assert [picker.itemText(i) for i in range(2)] == ["A · Fake Net", "B · Other Net"]
    pick(picker, "B")
    assert looked.inside.letter == "B"
    assert picker.currentText() == "B · Other Net"


def test_it_is_not_wider_than_it_must_be(panel):
    panel.resize(LEAST, 700)
    assert panel.width() == LEAST
    assert panel.minimumSizeHint().width() <= LEAST


# --- nothing to see


def test_without_a_model_it_asks_for_one(panel, looked):
    looked.models.choose(None)
    assert "Choose a model to look inside." in said(panel)
    assert said(panel).count("Choose a model") == 1
    assert not panel.findChild(QTreeView).isVisible()


def test_while_layers_are_read_it_says_so(qtbot, looked, monkeypatch):
    waiting = []
    monkeypatch.setattr(
        looked.player, "ask", lambda letter, op, then, token=None: waiting.append(then)
    )
    monkeypatch.setattr(type(looked), "info", property(lambda self: object()))
    made = InsidePanel(looked)
    qtbot.addWidget(made)
    made.resize(340, 900)
    looked.inside.turn_on()
    made.show()
    QTest.qWaitForWindowExposed(made)
    assert "Reading the layers…" in said(made)
    assert any(s.isVisible() for s in made.findChildren(Spinner))


def test_with_nothing_open_it_says_what_to_do(qtbot, session):
    made = InsidePanel(session)
    qtbot.addWidget(made)
    made.show()
    assert "Open a picture or a video to look inside." in said(made)


def test_trouble_is_said_where_the_eye_is(panel, net, change_look):
    net.trouble = "The layer is gone; choose another one."
    change_look(show="max")
    assert "The layer is gone; choose another one." in said(panel)
    net.trouble, net.note = "", "Its first half alone."
    change_look(show="mean")
    assert "The layer is gone" not in said(panel)
    assert "Its first half alone." in said(panel)


# --- pages


def test_the_page_follows_the_look(panel, looked):
    inside = looked.inside
    for look, page in (
        (EvidenceLook(layer="head"), "Evidence"),
        (ClassLook(3), "Evidence"),
        (UnsureLook("margin"), "Unsure"),
        (LayerLook("head"), "Layers"),
    ):
        inside.set_look(look)
        assert page in marked(panel)


def test_each_page_remembers_its_last_look(panel, looked, change_look):
    inside = looked.inside
    change_look(show="pca", fit=3)
    layers = inside.look
    pressed(panel, "Unsure")
    pressed(panel, "Margin")
    unsure = inside.look
    pressed(panel, "Evidence")
    pressed(panel, "HiResCAM")
    evidence = inside.look
    assert (unsure.kind, evidence.kind) == ("margin", "hirescam")
    for page, look in (("Layers", layers), ("Unsure", unsure), ("Evidence", evidence)):
        pressed(panel, page)
        assert inside.look == look


# --- evidence


def test_evidence_begins_with_the_last_stage_and_asks_for_a_pixel(panel, looked):
    pressed(panel, "Evidence")
    assert looked.inside.look == EvidenceLook(layer="semantic.stem")
    assert "Click into the picture with Look (H) to choose a pixel." in said(panel)
    looked.inside.pin((30, 40))
    assert looked.inside.look.pixel == (30, 40)
    assert "Pixel x 40, y 30." in said(panel)
    pressed(panel, "Let go")
    assert looked.inside.pinned is None
    assert looked.inside.look.pixel is None


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Seg-Grad-CAM", "gradcam"),
        ("Grad-CAM++", "gradcam++"),
        ("HiResCAM", "hirescam"),
        ("Occlusion (slow)", "occlusion"),
    ],
)
def test_every_kind_of_evidence_is_one_click(panel, looked, title, kind):
    looked.inside.pin((30, 40))
    pressed(panel, "Evidence")
    pressed(panel, title)
    assert looked.inside.look == EvidenceLook(kind, "semantic.stem", pixel=(30, 40))
    assert marked(panel).count(title) == 1
    assert named(panel, Picker, "In which layer").isVisible() == (kind != "occlusion")


def test_evidence_is_for_a_pixel_a_region_or_a_class_in_any_stage(panel, looked):
    pressed(panel, "Evidence")
    pressed(panel, "Region")
    assert looked.inside.look.target == "region"
    assert "Region" in marked(panel)
    pick(named(panel, Picker, "In which layer"), "detail.stage2")
    assert looked.inside.look.layer == "detail.stage2"
    pressed(panel, "Class")
    classes = named(panel, Picker, "Evidence for which class")
    assert classes.currentText() == "What is predicted there"
    pick(classes, 3)
    assert looked.inside.look == EvidenceLook(
        "gradcam", "detail.stage2", target="class", class_id=3
    )
    assert "Click into the picture" not in said(panel)
    pick(classes, None)
    assert looked.inside.look.class_id is None


def test_the_layer_looked_at_last_can_be_one_for_evidence(panel, looked):
    looked.inside.set_look(EvidenceLook(layer="head"))
    picker = named(panel, Picker, "In which layer")
    assert picker.currentText() == "Segmentation head"
    assert picker.itemText(0) == "Semantic branch · stem (last before the classes)"


def test_a_missing_pixel_is_asked_for_once(panel, looked, net):
    net.note = "Choose a pixel in the picture first."
    pressed(panel, "Evidence")
    assert "Click into the picture" in said(panel)
    assert net.note not in said(panel)
    net.note = "Pause to see it."
    looked.inside.set_look(EvidenceLook("occlusion", target="class", class_id=3))
    assert "Pause to see it." in said(panel)


def test_the_probability_of_a_class_and_the_lead_over_another(panel, looked, monkeypatch):
    chances = [Chance(3, "Road", (0, 0, 0), 0.7), Chance(5, "Tree", (0, 0, 0), 0.2)]
    monkeypatch.setattr(looked.inside, "probabilities", lambda letter: chances)
    pressed(panel, "Evidence")
    pressed(panel, "Probability of a class")
    assert looked.inside.look == ClassLook(3)
    against = named(panel, Picker, "The class it is held against")
    assert not against.isVisible()
    pressed(panel, "Lead of one class over another")
    assert looked.inside.look == ClassLook(3, 5, Scale("robust"))
    pick(against, 8)
    assert looked.inside.look == ClassLook(3, 8, Scale("robust"))
    pick(named(panel, Picker, "Evidence for which class"), 8)
    assert looked.inside.look == ClassLook(8, 3, Scale("robust")), (
        "one class has no lead over itself"
    )
    pressed(panel, "Probability of a class")
    assert looked.inside.look == ClassLook(3)


def test_a_lead_has_colours_with_two_sides_as_long_as_it_is_shown(panel, looked, change_style):
    inside = looked.inside
    pressed(panel, "Evidence")
    pressed(panel, "Lead of one class over another")
    assert inside.style.color_map == "blue-red"
    pressed(panel, "Probability of a class")
    assert inside.style.color_map == "viridis"
    pressed(panel, "Lead of one class over another")
    change_style(color_map="fire")
    pressed(panel, "Unsure")
    assert inside.style.color_map == "fire", "chosen by a person"


def test_the_ends_of_a_lead_are_called_by_their_classes(panel, looked):
    looked.inside.set_look(ClassLook(3, 5, Scale("robust")))
    legend = panel.findChild(MapLegend)
    assert legend.accessibleName() == "Colours from 0 Tree to Road 1.5"
    looked.inside.set_look(ClassLook(3))
    assert legend.accessibleName() == "Colours from 0 % to 150 %"


def test_the_predicted_class_is_named_once_a_pixel_is_pinned(panel, looked, monkeypatch):
    chances = [Chance(3, "Road", (0, 0, 0), 0.7)]
    monkeypatch.setattr(looked.inside, "probabilities", lambda letter: chances)
    pressed(panel, "Evidence")
    classes = named(panel, Picker, "Evidence for which class")
    assert classes.currentText() == "What is predicted there"
    looked.inside.pin((30, 40))
    assert classes.currentText() == "Predicted there: Road"


def test_durations_are_short():
    assert [duration(ms) for ms in (0.04, 2.13, 99.96, 335.4, 1294)] == [
        "0.0 ms", "2.1 ms", "100 ms", "335 ms", "1.3 s",
    ]  # fmt: skip


def test_layers_to_begin_with(tree):
    assert first_layer(tree).name == "detail.stage1"
    assert default_layer(tree, 11).name == "semantic.stem"
    assert default_layer(tree, 16).name == "detail.stage2"
    bare = replace(tree, layers=tuple(replace(one, is_tap=False) for one in tree.layers))
    assert default_layer(bare, 11).name == "semantic.shared"
    assert default_layer(bare, 8).name == "head"
    assert default_layer(replace(tree, layers=()), 11) is None
    assert first_layer(replace(tree, layers=())) is None


# --- uncertainty


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Entropy", "entropy"),
        ("Margin", "margin"),
        ("Best probability", "probability"),
        ("Mirrored picture", "flip"),
        ("Flicker", "flicker"),
    ],
)
def test_every_measure_of_uncertainty_is_one_click(panel, looked, title, kind):
    pressed(panel, "Unsure")
    pressed(panel, title)
    assert looked.inside.look == UnsureLook(kind)
    assert [t for t in marked(panel) if t in (title, "Entropy")] == [title]
    assert "12.4 %" in said(panel)
    assert "where unsure" in said(panel)


def test_choices_are_walked_with_the_keyboard_and_explain_themselves(panel, looked):
    pressed(panel, "Unsure")
    rows = [c for c in panel.findChildren(Choice) if c.isVisible()]
    assert all(c.accessibleName() and c.accessibleDescription() for c in rows)
    margin = next(c for c in rows if c.text() == "Margin")
    margin.setFocus()
    QTest.keyClick(margin, Qt.Key.Key_Space)
    assert looked.inside.look == UnsureLook("margin")


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_every_page_can_be_painted_in_both_themes(panel, looked, mode):
    theme.apply(QApplication.instance(), mode)
    for page in ("Layers", "Evidence", "Unsure"):
        pressed(panel, page)
        picture = panel.grab().toImage()
        assert picture.pixelColor(2, 500).name() == theme.current().panel
    theme.apply(QApplication.instance(), "dark")


def test_buttons_leave_the_keyboard_where_it_is(panel):
    policy = Qt.FocusPolicy.TabFocus
    for button in panel.findChildren(QPushButton):
        assert button.focusPolicy() == policy, button.text()
