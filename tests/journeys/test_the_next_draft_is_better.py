"""Frames are corrected, a model is trained on them in the window, judged on others, and taken: the
next draft is its work, and nearer to the truth."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QSpinBox

from segstudio import paths
from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.origins import PAINTED
from segstudio.media.demo import DemoSettings, ensure_demo
from segstudio.store.masks import read_mask
from segstudio.store.models import file_sha256, find_model, write_card
from segstudio.ui.dialogs.training.preset_card import PresetCard
from segstudio.ui.training.trainer import Trainer

SIZE = (96, 160)
FRAMES = range(0, 60, 4)


@pytest.fixture
def beginner():
    """A slim net of random weights among the person's models."""
    import torch
    from safetensors.torch import save_file

    from segstudio.nets.registry import NETS

    folder = paths.user_models() / "beginner"
    folder.mkdir(parents=True)
    torch.manual_seed(3)
    net_args = {"alpha": 0.25, "head_width": 32, "boosters": False}
    net = NETS.get("bisenet_v2").build(len(CAMVID), **net_args)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, folder / "w.safetensors")
    write_card(
        ModelCard("beginner", "Beginner", "bisenet_v2", CAMVID, InputRule(short_side=96), folder,
                  "w.safetensors", net_args=net_args,
                  sha256=file_sha256(folder / "w.safetensors")),
        folder,
    )  # fmt: skip


def press(widget, text):
    found = [b for b in widget.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    assert found, text
    QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)


def test_from_corrected_frames_to_a_better_draft(qtbot, beginner, window):
    demo = ensure_demo(
        settings=DemoSettings(frames=60, height=SIZE[0], width=SIZE[1], fps=2, seed=7)
    )
    session, editor = window.session, window.session.editor
    truths = sorted(demo.labels.iterdir())

    def until(condition, seconds=60):
        qtbot.waitUntil(condition, timeout=1000 * seconds)

    def go(index):
        session.player.seek(index)
        until(lambda: editor.held is not None and editor.held.key.index == index)
        until(lambda: session.result is not None and session.result.frame.id.index == index)
        until(lambda: editor.draft() is not None)

    def right(labels, index):
        truth = read_mask(truths[index])
        known = truth < 11
        return (labels[known] == truth[known]).mean()

    # A person corrects every fourth frame of what a beginner says.
    session.models.choose("beginner")
    session.open([demo.video])
    until(lambda: editor.draft() is not None, 120)
    for index in FRAMES:
        go(index)
        truth = read_mask(truths[index])
        labels = np.where(truth < 11, truth, 255).astype(np.uint8)
        editor.replace_labels("Truth", labels, PAINTED, np.ones(SIZE, bool))
        window.menus.actions["label.confirm"].trigger()
    go(30)
    before = right(editor.draft(), 30)
    until(lambda: not editor.projects.project.waiting)

    # It is trained on them, in the window.
    window.menus.actions["model.train"].trigger()
    trainer = window.findChild(Trainer)
    made = trainer.window
    until(lambda: made.what.can_train)
    assert f"{len(FRAMES)}" in made.what.message
    card = next(c for c in made.what.findChildren(PresetCard) if c.accessibleName() == "Standard")
    card.click()
    press(made.what, "Advanced")
    wanted = {"Steps": 60, "Height of the crop": 96, "Width of the crop": 128}
    for box in made.what.findChildren(QSpinBox):
        if box.accessibleName() in wanted:
            box.setValue(wanted[box.accessibleName()])
            box.editingFinished.emit()
    press(made.what, "Train")
    until(lambda: made.page == "running")

    # The curves move while it goes on.
    until(lambda: len(trainer.process.record.loss[0]) >= 2, 600)
    assert made.page == "running"
    assert "Training" in made.running.message
    until(lambda: made.page == "result", 600)
    record = trainer.process.record
    steps, loss = record.loss
    assert steps.tolist() == sorted(steps.tolist())
    assert loss[-1] < loss[0]
    assert record.sets == ("held out",)
    until(lambda: made.outcome.message and "held-out" in made.outcome.message, 120)
    assert trainer._outcome.gains.mean.delta > 0
    new = trainer._outcome.card.name
    assert session.models.chosen.name == "beginner", "nobody said that it should be used"

    # Beside the old one, on every frame that a person confirmed.
    press(made, "Compare with the Old Model")
    comparison = session.comparison
    until(lambda: comparison.labels("B") is not None)
    assert [pane.card.name for pane in comparison.panes] == ["beginner", new]
    session.measuring.start()
    until(lambda: session.measuring.run is None, 120)
    old_miou, new_miou = (session.scores.tally(letter).scores().miou for letter in "AB")
    assert new_miou > old_miou + 0.1
    window.menus.actions["compare.toggle"].trigger()

    # It is taken, and drafts the next frame.
    made.show()
    press(made, "Use for Drafts")
    until(lambda: session.models.chosen.name == new)
    go(30)
    until(lambda: editor.draft() is not None and session.result.prediction.model == new)
    window.menus.actions["carry.draft"].trigger()
    assert right(editor.held.document.labels, 30) > before + 0.2
    window.menus.actions["label.confirm"].trigger()
    until(lambda: not editor.projects.project.waiting)
    project, key = editor.projects.project, editor.held.key
    (stored,) = [s for s in project.frames(key.media) if s.key == key]
    assert stored.about.drafted_by == new
    assert find_model(new).lineage, "where it comes from"
