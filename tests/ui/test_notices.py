"""Notices over the picture: which of them goes when something else is chosen."""

from dataclasses import replace

import pytest

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.ui.notices import Notice

FEW = ClassMap("few", (ClassDef(0, "Road", (9, 9, 9)), ClassDef(1, "Rest", (99, 9, 9))))


@pytest.fixture
def three(session, card):
    """Three models; the second has other classes than the first."""
    session.models.cards = (card, replace(card, name="small", classes=FEW), replace(card, name="c"))
    return session


def sentences(window):
    return [notice.text for notice in window._banner.notices]


def test_what_is_said_of_a_model_goes_when_another_is_chosen(three, window):
    banner = window._banner
    banner.show_notice(Notice("Of fake.", "warning", model="fake"))
    banner.show_notice(Notice("Of none.", "warning"))
    three.models.reload()
    assert sentences(window) == ["Of fake.", "Of none."]
    three.models.choose("c")
    assert sentences(window) == ["Of none."]
    banner.show_notice(Notice("Of c.", "warning", model="c"))
    three.models.choose(None)
    assert sentences(window) == ["Of none."]


def test_the_warning_about_other_classes_is_of_the_model_that_has_them(three, window, shown, qtbot):
    shown()
    qtbot.waitUntil(lambda: three.editor.held is not None, timeout=20_000)
    three.editor.confirm()  # a project that was worked on keeps its classes

    def is_said():
        return any(text.startswith("small knows other classes") for text in sentences(window))

    three.models.choose("small")
    three.player.seek(4)
    qtbot.waitUntil(is_said, timeout=20_000)
    three.models.choose("c")
    assert not is_said()
    three.player.seek(6)
    qtbot.waitUntil(
        lambda: three.result.frame.id.index == 6 and three.result.prediction is not None
        and three.result.prediction.model == "c", timeout=20_000,
    )  # fmt: skip
    assert not is_said()
