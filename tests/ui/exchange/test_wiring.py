"""Closing the export window while it writes: the main window says that it goes on, and its end."""

import threading

from segstudio.core.brush import rectangle
from segstudio.ui.dialogs.export.window import ExportWindow
from segstudio.ui.exchange.wiring import exporter_of

WAIT = 30_000


def test_closed_while_it_writes_the_main_window_says_so(
    qtbot, window, shown, told, tmp_path, monkeypatch
):
    import segstudio.engine.exchange.exporting as engine

    whole, go = engine.export_project, threading.Event()

    def slow(*args, **more):
        go.wait(WAIT / 1000)
        return whole(*args, **more)

    monkeypatch.setattr(engine, "export_project", slow)
    session = shown(5)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=WAIT)
    assert session.editor.begin("Brush")
    session.editor.paint(rectangle((0, 0), (71, 127), session.editor.shape), 8)
    session.editor.commit()
    window.show_dialog("export")
    made = window.findChild(ExportWindow)
    qtbot.waitUntil(lambda: made.is_ready, timeout=WAIT)
    made.how.choose_place(tmp_path / "out")
    made.how._pick_scope("human")
    exporter = exporter_of(window, session)
    made.how._go.click()
    made.reject()  # Escape
    assert any("The export goes on" in notice.text for notice in told)
    with qtbot.waitSignal(exporter.finished, timeout=WAIT):
        go.set()
    assert any("1 frames as" in notice.text for notice in told)
