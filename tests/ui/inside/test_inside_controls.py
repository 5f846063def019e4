"""How a layer is shown and coloured: each control asks for the look or the style it says."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)

from segstudio.core.brush import Area
from segstudio.core.color_maps import COLOR_MAPS, table
from segstudio.core.feature_map import FeatureMap, Lattice
from segstudio.core.geometry import Rect
from segstudio.core.look import LayerLook, Scale
from segstudio.core.map_style import MapStyle
from segstudio.ui import theme
from segstudio.ui.panels.inside.histogram import MapLegend, number
from segstudio.ui.panels.inside.style import ramp
from segstudio.ui.panels.inside.views import VIEWS
from segstudio.ui.panels.parts import Picker


def pressed(panel, text):
    next(b for b in panel.findChildren(QPushButton) if b.text() == text).click()


def named(panel, kind, name):
    return next(w for w in panel.findChildren(kind) if w.accessibleName() == name)


def check(panel, text):
    return next(b for b in panel.findChildren(QCheckBox) if b.text() == text)


def pick(picker, value):
    picker.activated.emit(picker.findData(value))


def said(panel) -> str:
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisible())


# --- views


@pytest.mark.parametrize(("show", "title", "words"), VIEWS)
def test_every_view_is_one_click_and_says_what_it_shows(panel, looked, show, title, words):
    pressed(panel, title)
    assert looked.inside.look.show == show
    assert looked.inside.look.layer == "detail.stage1"
    assert words in said(panel)


def test_a_channel_is_chosen_within_those_of_the_layer(panel, looked, change_look):
    change_look(show="channel")
    box = named(panel, QSpinBox, "Channel")
    assert (box.minimum(), box.maximum()) == (0, 63)
    assert "of 64" in said(panel)
    box.setValue(17)
    assert looked.inside.look.channel == 17
    named(panel, QSlider, "Channel").setValue(5)
    assert looked.inside.look.channel == 5
    assert box.value() == 5


def test_groups_are_two_to_twelve(panel, looked, change_look):
    change_look(show="segments")
    box = named(panel, QSpinBox, "Groups")
    assert (box.minimum(), box.maximum(), box.value()) == (2, 12, 6)
    box.setValue(3)
    assert looked.inside.look.segments == 3


def test_options_of_other_views_are_out_of_the_way(panel, change_look):
    change_look(show="mean")
    for name in ("Channel", "Groups"):
        assert not named(panel, QSpinBox, name).isVisible()
    assert not named(panel, Picker, "Which channels come first").isVisible()


def test_a_grid_has_an_order_and_a_size(panel, looked, change_look):
    change_look(show="grid")
    pick(named(panel, Picker, "How many channels at most"), 64)
    pick(named(panel, Picker, "Which channels come first"), "number")
    assert looked.inside.look.count == 64
    assert looked.inside.look.order == "number"


def test_a_grid_follows_the_cursor_or_the_pinned_pixel(panel, looked, change_look):
    change_look(show="grid")
    looked.inside.point((10, 20))
    pick(named(panel, Picker, "Which channels come first"), "pixel")
    assert looked.inside.look.pixel == (10, 20)
    assert "click with Look (H)" in said(panel)
    looked.inside.pin((30, 40))
    assert looked.inside.look.pixel == (30, 40)
    assert "At the pinned pixel: x 40, y 30." in said(panel)


def test_a_grid_follows_the_selection(panel, looked, change_look):
    change_look(show="grid")
    pick(named(panel, Picker, "Which channels come first"), "region")
    assert "Nothing is selected" in said(panel)
    looked.editor.select(Area(Rect(8, 16, 24, 40), np.ones((16, 24), np.bool_)))
    assert looked.inside.look.region == (8, 16, 24, 40)
    assert "Inside the selection" in said(panel)


def test_similar_starts_where_one_points(panel, looked):
    looked.inside.point((10, 20))
    pressed(panel, "Similar")
    assert looked.inside.look.pixel == (10, 20)


def test_colours_are_kept_until_they_are_fitted_anew(panel, looked):
    keep = check(panel, "Keep it over the clip")
    assert keep.isChecked()
    pressed(panel, "Fit anew")
    pressed(panel, "Fit anew")
    assert looked.inside.look.fit == 2
    keep.click()
    assert not looked.inside.look.is_frozen
    anew = next(b for b in panel.findChildren(QPushButton) if b.text() == "Fit anew")
    assert not anew.isVisible()


# --- the scale


def test_a_fixed_scale_starts_with_what_is_seen_and_can_be_written(panel, looked):
    low, high = (named(panel, QLineEdit, f"{n} number of the scale") for n in ("Lowest", "Highest"))
    assert not low.isVisible()
    pressed(panel, "Fixed")
    assert looked.inside.look.scale == Scale("fixed", 0.0, 1.5)
    assert low.isEnabled()
    high.setFocus()
    high.selectAll()
    QTest.keyClicks(high, "0.75")
    QTest.keyClick(high, Qt.Key.Key_Return)
    assert looked.inside.look.scale == Scale("fixed", 0.0, 0.75)
    pressed(panel, "Full")
    assert looked.inside.look.scale.kind == "full"
    assert not low.isVisible()


def test_ends_that_were_swapped_are_put_in_order_and_equal_ones_are_not_taken(panel, looked):
    low, high = (named(panel, QLineEdit, f"{n} number of the scale") for n in ("Lowest", "Highest"))
    pressed(panel, "Fixed")
    low.setText("2")
    low.editingFinished.emit()
    assert looked.inside.look.scale == Scale("fixed", 1.5, 2.0)
    high.setText("1.5")
    high.editingFinished.emit()
    assert looked.inside.look.scale == Scale("fixed", 1.5, 2.0)
    assert high.text() == "2"


def test_colours_and_groups_have_no_scale(panel, change_look):
    scale = next(b for b in panel.findChildren(QPushButton) if b.text() == "Robust")
    for show, expected in (("pca", False), ("segments", False), ("similar", True), ("max", True)):
        change_look(show=show)
        assert scale.isVisible() is expected


# --- style


def test_a_colour_map_is_chosen_by_its_swatch(panel, looked):
    picker = named(panel, Picker, "Colour map")
    assert [picker.itemData(i) for i in range(picker.count())] == list(COLOR_MAPS)
    assert not any(picker.itemIcon(i).isNull() for i in range(picker.count()))
    pick(picker, "fire")
    assert looked.inside.style.color_map == "fire"
    assert picker.currentText() == COLOR_MAPS["fire"]


def test_swatches_have_the_colours_of_the_map():
    image = ramp("viridis", is_reversed=False)
    colors = table("viridis")
    for place in (0, 100, 255):
        assert image.pixelColor(place, 0).getRgb()[:3] == tuple(colors[place])
    turned = ramp("viridis", is_reversed=True)
    assert turned.pixelColor(0, 0) == image.pixelColor(255, 0)


def test_opacity_cells_reversal_and_masks(panel, looked):
    inside = looked.inside
    slider = named(panel, QSlider, "Opacity of the map")
    slider.setValue(40)
    assert inside.style.opacity == 0.4
    assert "40 %" in said(panel)
    slider.setValue(100)
    assert "Alone" in said(panel)
    pressed(panel, "Cells")
    assert not inside.style.is_smooth
    check(panel, "Reversed").click()
    assert inside.style.is_reversed
    check(panel, "Masks over it").click()
    assert inside.shows_labels
    assert inside.style == MapStyle("viridis", 1.0, is_smooth=False, is_reversed=True)


def test_what_does_not_apply_is_not_offered(panel, change_look):
    change_look(show="segments")
    assert not named(panel, Picker, "Colour map").isVisible()
    assert not check(panel, "Reversed").isVisible()
    cells = next(b for b in panel.findChildren(QPushButton) if b.text() == "Cells")
    assert not cells.isVisible()
    change_look(show="pca")
    assert cells.isVisible()
    assert not named(panel, Picker, "Colour map").isVisible()


# --- the legend


def test_the_legend_says_its_ends_and_its_groups(panel, change_look):
    legend = panel.findChild(MapLegend)
    assert legend.accessibleName() == "Colours from 0 to 1.5"
    change_look(show="segments")
    assert legend.groups() == [(0, 0.75), (1, 0.25)]
    assert legend.accessibleName() == "Groups: 75 %, 25 %"
    change_look(show="pca")
    assert legend.accessibleName() == "Three components as red, green and blue"


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_the_colour_bar_is_painted_from_low_to_high(qtbot, mode):
    theme.apply(QApplication.instance(), mode)
    legend = MapLegend()
    qtbot.addWidget(legend)
    legend.resize(256, 80)
    values = np.zeros((2, 2), np.uint8)
    histogram = np.arange(64, dtype=np.int64)
    found = FeatureMap(values, Lattice((0.0, 0.0), (1.0, 1.0)), histogram=histogram)
    legend.show_map(found, MapStyle("grey"))
    image = legend.grab().toImage()
    row = 57  # in the middle of the bar
    grey = [image.pixelColor(x, row).red() for x in (10, 128, 245)]
    assert grey[0] < 30 < grey[1] < 200 < grey[2]
    legend.show_map(found, MapStyle("grey", is_reversed=True))
    image = legend.grab().toImage()
    assert image.pixelColor(10, row).red() > 200 > image.pixelColor(245, row).red()


def test_the_number_under_the_cursor_is_marked(panel, looked):
    legend = panel.findChild(MapLegend)
    before = legend.grab().toImage()
    looked.inside.point((36, 64))
    assert legend.grab().toImage() != before
    looked.inside.point(None)
    assert legend.grab().toImage() == before


def test_numbers_have_three_figures_and_a_real_minus():
    assert [number(v) for v in (0, 1.674, -0.5, 12.34, 1234.5, 1e-5, 3.2e6)] == [
        "0", "1.67", "−0.5", "12.3", "1234", "1.00e−05", "3.20e+06",
    ]  # fmt: skip


def test_every_control_has_a_name_and_a_tip(panel, change_look):
    for show in ("channel", "grid", "segments"):
        change_look(show=show)
        for kind in (QSlider, QSpinBox, Picker, QLineEdit):
            for widget in panel.findChildren(kind):
                owner = widget.parentWidget()
                if not isinstance(owner, QSpinBox) and widget.isVisible():
                    assert widget.accessibleName(), widget


def test_looks_elsewhere_are_followed_without_an_echo(panel, looked):
    asked = []
    looked.inside.changed.connect(lambda: asked.append(looked.inside.look))
    looked.inside.set_look(LayerLook("head", show="segments", segments=9, is_frozen=False))
    assert len(asked) == 1
    assert named(panel, QSpinBox, "Groups").value() == 9
    assert not check(panel, "Keep it over the clip").isChecked()
    assert panel.findChild(QWidget) is not None
