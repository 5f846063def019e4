"""The program with the model that is bundled, as a person starts it."""

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.core.settings import Settings
from segstudio.ui import theme
from segstudio.ui.main_window import MainWindow
from segstudio.ui.session import Session


@pytest.fixture
def window(qtbot):
    """Its window; every frame is predicted."""
    theme.apply(QApplication.instance(), "dark")
    session = Session(Settings(play_on_open=False, every_frame=True))
    session.models.scan()
    session.models.restore(session.settings)
    made = MainWindow(session)
    qtbot.addWidget(made)
    made.resize(1400, 860)
    made.show()
    QTest.qWaitForWindowExposed(made)
    made.activateWindow()
    yield made
    made.close()
    assert session.close(20) == []
    session.deleteLater()
