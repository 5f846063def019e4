"""Two models on one frame, with scores and speeds; side by side or by difference."""

from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtTest import QTest
from stage import Stage

from segstudio.core.origins import PAINTED
from segstudio.store.masks import read_mask

stage = Stage()
stage.open()
session, editor = stage.session, stage.editor
comparison, player = session.comparison, session.player
truth = sorted(stage.labels.iterdir())


def go(index: int) -> None:
    """To a frame that both models have answered."""
    player.seek(index)
    stage.wait(lambda: editor.held is not None and editor.held.key.index == index)
    stage.wait(
        lambda: session.result.frame.id.index == index and comparison.labels("B") is not None
    )


comparison.turn_on()
comparison.set_pane("B", strategy=replace(session.models.strategy, input_scale=0.5))
stage.wait(lambda: comparison.labels("B") is not None)
for index in (*range(20, 280, 26), 136):
    go(index)
    labels = read_mask(truth[index])
    labels = np.where(labels < 11, labels, 255).astype(np.uint8)
    editor.replace_labels("Truth", labels, PAINTED, np.ones(labels.shape, bool))
    editor.confirm()
comparison.set_look(replace(comparison.look, mode=stage.more[0], pair=("A", "B")))
for letter in comparison.letters:
    done: list[int] = []
    stage.window._grid.figures.measure_alone(letter, partial(done.append, 1))
    stage.wait(partial(len, done))
for _ in range(12):
    player.step(1)
    QTest.qWait(1200)
go(136)
stage.wait(lambda: not editor.projects.project.waiting)
stage.take(settle_ms=2500)
