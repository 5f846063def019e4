"""What a training brought: class by class, before and after. Trains for minutes on a CPU."""

from PySide6.QtWidgets import QPushButton
from stage import Stage

from segstudio.store.masks import read_mask
from segstudio.ui.training.trainer import Trainer

stage = Stage()
stage.open()
editor = stage.editor
truth = sorted(stage.labels.iterdir())
for index in range(10, 290, 20):
    stage.go(index)
    editor.accept_draft()
    labels = read_mask(truth[index])
    labels[labels > 10] = 255
    editor.replace_labels("Truth", labels, 3, labels >= 0)
    editor.confirm()
stage.wait(lambda: not editor.projects.project.waiting)
stage.window.menus.actions["model.train"].trigger()
trainer = stage.window.findChild(Trainer)
window = trainer.window
window.resize(*stage.size)
stage.wait(lambda: window.what.can_train)
next(b for b in window.what.findChildren(QPushButton) if b.text() == "Train").click()
stage.wait(lambda: window.page == "result")
stage.wait(lambda: "held-out" in window.outcome.message or "could" in window.outcome.message)
stage.take(window)
