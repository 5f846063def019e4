"""The same clip opened again and again keeps its project writable."""

from segstudio.core.brush import rectangle


def test_the_same_clip_opened_twice_in_a_row_can_be_painted(qtbot, session, clip, told):
    editor = session.editor
    for number in range(1, 4):
        session.open([clip])
        qtbot.waitUntil(lambda: session.opening is None, timeout=20_000)
        qtbot.waitUntil(
            lambda: editor.held is not None and session.result is not None, timeout=20_000
        )
        assert editor.why_not() == ""
        assert len([e for e in editor.held.history.entries if e.title == "Brush"]) == number - 1
        assert editor.begin("Brush")
        editor.paint(rectangle((number, 0), (number, 20), editor.shape), 5)
        editor.commit()
    assert [n.text for n in told] == []
