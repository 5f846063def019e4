"""Public weights, dropped on the window, with the real engine behind the page."""

import pytest

from segstudio.store.models import load_card
from segstudio.ui.dialogs.models import ModelsDialog


@pytest.mark.slow
@pytest.mark.realdata
def test_public_espnet_weights_become_a_model(
    qtbot, window, session, data_dir, monkeypatch, tmp_path
):
    monkeypatch.setenv("SEGSTUDIO_HOME", str(tmp_path / "home"))
    session.open([data_dir / "weights" / "espnet_p2_q8_camvid.pth"])
    qtbot.waitUntil(lambda: window.findChild(ModelsDialog) is not None, timeout=20_000)
    dialog = window.findChild(ModelsDialog)
    page = dialog._import_page
    qtbot.waitUntil(lambda: page.is_ready, timeout=120_000)
    assert "ESPNet with 12 classes" in page.message
    page.run_import()
    name = page.form.name.text()
    qtbot.waitUntil(lambda: dialog._list.current == ("model", name), timeout=120_000)
    qtbot.waitUntil(lambda: "Parameters" in dialog._details.facts, timeout=20_000)
    qtbot.waitUntil(lambda: dialog._details.facts["Parameters"] != "…", timeout=120_000)
    assert len(dialog._details.diagram.boxes) > 5
    card = load_card(tmp_path / "home" / "data" / "models" / name)
    assert card.net == "espnet"
    assert len(card.classes) == 12
    dialog.close()
