"""Fine-tuning as a part of the window: opened by its command, gone with it, and people decide."""

from segstudio.store.models import list_models
from segstudio.ui.dialogs.training.window import TrainWindow
from segstudio.ui.training.outcome import Outcome
from segstudio.ui.training.trainer import Trainer


def test_the_command_opens_one_window_and_says_what_is_missing(window, session, qtbot):
    for _ in range(2):
        window.menus.actions["model.train"].trigger()
    found = window.findChildren(TrainWindow)
    assert len(found) == 1
    assert found[0].isVisible()
    assert "Nothing is corrected yet" in found[0].what.message


def test_with_labels_it_offers_what_is_confirmed(window, shown, qtbot):
    session = shown(5)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    session.editor.accept_draft()
    session.editor.confirm()
    qtbot.waitUntil(lambda: not session.editor.projects.project.waiting, timeout=20_000)
    window.menus.actions["model.train"].trigger()
    made = window.findChild(TrainWindow)
    qtbot.waitUntil(lambda: "Nothing is corrected yet" not in made.what.message, timeout=20_000)


def test_a_new_model_becomes_the_default_only_when_a_person_says_so(window, shown, qtbot):
    session = shown(0)
    before = session.models.chosen
    window.menus.actions["model.train"].trigger()
    trainer = window.findChild(Trainer)
    card = list_models()[0]
    trainer.models_changed.emit()
    assert session.models.chosen.name == before.name
    trainer.compare_wanted.emit(card, "")
    assert session.comparison.is_on
    assert card.name in [pane.card.name for pane in session.comparison.panes if pane.card]
    assert session.models.chosen.name == before.name
    trainer.use_wanted.emit(card)
    assert session.models.chosen.name == card.name


def test_the_window_takes_its_training_along_when_it_closes(window, session):
    window.menus.actions["model.train"].trigger()
    trainer = window.findChild(Trainer)
    window.close()
    assert trainer.window is None


def test_a_held_out_frame_is_shown_where_it_is(window, shown, qtbot):
    session = shown(2)
    projects = session.editor.projects
    qtbot.waitUntil(lambda: projects.media is not None, timeout=20_000)
    window.menus.actions["model.train"].trigger()
    trainer = window.findChild(Trainer)
    card, told = list_models()[0], []
    places = {"a": (projects.media.fingerprint, 7), "b": ("of another clip", 3)}
    trainer._tell(Outcome(card, None, ("a", "b", "c"), places=places))
    session.noticed.connect(lambda notice: told.append(notice.text))
    trainer.window.outcome.frame_wanted.emit(0)
    qtbot.waitUntil(lambda: session.result.frame.id.index == 7, timeout=20_000)
    trainer.window.outcome.frame_wanted.emit(1)
    trainer.window.outcome.frame_wanted.emit(2)
    assert "not part of the open project" in told[0]
    assert "no clip of this project" in told[1]
    assert session.result.frame.id.index == 7
