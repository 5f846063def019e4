"""What people are told: what takes long, what cannot be done, and why there is nothing to see."""

from dataclasses import replace

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QProgressBar, QPushButton

from segstudio.core.look import EvidenceLook, LayerLook
from segstudio.ui.inside.inside import Inside
from segstudio.ui.panels.inside.choices import Choice
from segstudio.ui.panels.inside.evidence import NO_GRADIENT
from segstudio.ui.panels.inside.histogram import MapLegend
from segstudio.ui.panels.inside.panel import DAMAGED
from segstudio.ui.panels.inside.work import COVERING


def said(panel) -> str:
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisible())


def button(panel, text):
    return next(b for b in panel.findChildren(QAbstractButton) if b.text() == text)


@pytest.fixture
def at_work(looked, monkeypatch):
    """The model works on something; a test says how far it is."""
    state = {"asking": True, "share": None, "stopped": 0}
    monkeypatch.setattr(Inside, "is_asking", property(lambda self: state["asking"]))
    monkeypatch.setattr(Inside, "progress", property(lambda self: state["share"]))

    def stop(self):
        state["stopped"] += 1
        state["asking"] = False
        self.asked.emit()

    monkeypatch.setattr(Inside, "stop", stop)
    return state


def test_occlusion_says_how_far_it_is_and_can_be_stopped(at_work, panel, looked):
    inside = looked.inside
    inside.asked.emit()
    assert COVERING not in said(panel), "a map of a layer comes at once"
    inside.set_look(EvidenceLook("occlusion", pixel=(3, 4)))
    assert COVERING in said(panel)
    at_work["share"] = 0.34
    inside.asked.emit()
    assert "34 %" in said(panel)
    bar = panel.findChild(QProgressBar)
    assert bar.value() == 34
    button(panel, "Stop").click()
    assert at_work["stopped"] == 1
    assert COVERING not in said(panel)
    assert not bar.isVisible()


def test_a_damaged_frame_has_no_histogram_but_a_reason(panel, looked):
    legend = panel.findChild(MapLegend)
    assert legend.isVisible()
    assert DAMAGED not in said(panel)
    whole = looked.result
    looked.result = replace(whole, frame=replace(whole.frame, note="cannot be decoded"))
    looked.inside._telling.forget("A")
    looked.inside.arrived.emit()
    assert DAMAGED in said(panel)
    assert not legend.isVisible()
    assert not button(panel, "Robust").isVisible()
    looked.result = whole
    looked.inside.set_look(LayerLook("detail.stage1", show="max"))
    assert DAMAGED not in said(panel)
    assert legend.isVisible()


def test_without_a_map_there_is_no_empty_histogram(panel, looked, net, change_look):
    net.trouble = "This layer's answer is no map."
    change_look(show="max")
    assert not panel.findChild(MapLegend).isVisible()
    net.trouble = ""
    change_look(show="mean")
    assert panel.findChild(MapLegend).isVisible()


def test_what_is_below_the_histogram_stays_while_the_next_map_is_waited_for(panel, looked):
    one = button(panel, "Robust")
    QTest.qWait(1)
    before = one.mapTo(panel, one.rect().topLeft())
    looked.inside._telling.forget("A")
    looked.inside.arrived.emit()
    QTest.qWait(1)
    assert looked.inside.seen is None
    assert one.isVisible()
    assert one.mapTo(panel, one.rect().topLeft()) == before


def test_methods_that_need_gradients_are_not_offered_for_an_onnx_file(panel, looked, card):
    gradients = ("Seg-Grad-CAM", "Grad-CAM++", "HiResCAM")
    button(panel, "Evidence").click()
    assert all(button(panel, title).isEnabled() for title in gradients)
    button(panel, "Layers").click()
    looked.comparison.add(replace(card, name="graph", title="A graph", net="onnx"))
    looked.inside.set_letter("B")
    looked.inside.pin((3, 4))
    button(panel, "Evidence").click()
    for choice in panel.findChildren(Choice):
        if choice.text() in gradients:
            assert not choice.isEnabled()
            assert choice.toolTip() == NO_GRADIENT
    assert looked.inside.look.kind == "occlusion"
    assert button(panel, "Occlusion (slow)").isChecked()
    assert button(panel, "Probability of a class").isEnabled()


def test_the_brush_says_which_measure_it_goes_by(panel, looked):
    button(panel, "Unsure").click()
    assert "It goes by “Best probability”, not by what is shown here." in said(panel)
    button(panel, "Best probability").click()
    assert "It goes by “Best probability”." in said(panel)
    looked.editor.set_options(replace(looked.editor.options, measure="margin"))
    assert "It goes by “Margin”, not by what is shown here." in said(panel)


def test_one_word_for_one_act(panel, looked):
    words = {b.text() for b in panel.findChildren(QPushButton)}
    assert "Let go" in words
    assert "PCA" in words
    assert "Colours" not in words
    assert "Colour map" in said(panel)
