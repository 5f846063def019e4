"""The first drive: a made-up clip through the bundled model, played, saved, and found again."""

import numpy as np
import pytest

from segstudio.core.settings import Settings
from segstudio.media.demo import DemoSettings, ensure_demo
from segstudio.store.masks import read_mask
from segstudio.store.models import default_model
from segstudio.store.settings import load_settings, save_settings
from segstudio.ui.session import Session


@pytest.fixture
def start(qtbot):
    """Sessions as the program makes them; all are closed."""
    made = []

    def one(settings):
        session = Session(settings)
        session.models.scan()
        session.models.restore(settings)
        made.append(session)
        return session

    yield one
    for session in made:
        assert session.close(20) == []
        session.deleteLater()


def test_from_the_first_picture_to_the_next_day(qtbot, start, tmp_path):
    demo = ensure_demo(settings=DemoSettings(frames=6, height=180, width=320))
    session = start(Settings(play_on_open=False))
    session.open([demo.video])
    qtbot.waitUntil(
        lambda: session.result is not None and session.result.prediction is not None,
        timeout=120_000,
    )
    session.player.step(3)
    qtbot.waitUntil(
        lambda: session.result.frame.id.index == 3 and session.result.prediction is not None,
        timeout=60_000,
    )
    prediction = session.result.prediction
    assert prediction.model == default_model().name
    assert prediction.labels.shape == (180, 320)
    truth = read_mask(demo.labels / "000003.png")
    agreement = (prediction.labels == truth)[truth != 255].mean()
    assert agreement > 0.5, "the bundled model knows a street"
    assert np.bincount(prediction.labels.ravel(), minlength=256).tolist() == list(
        prediction.class_pixels
    )
    session.set_setting("opacity", 0.25)
    save_settings(session.settings)
    again, troubles = load_settings()
    assert troubles == ()
    assert again.opacity == 0.25
    assert str(again.recent[0]) == str(demo.video)
