"""A run that is killed at any moment goes on to the very weights of an unbroken one."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from segstudio.train import checkpoint

LIVES = """
import os, random, signal, sys
from pathlib import Path
from segstudio.core.catalogue import InputRule
from segstudio.core.classes import CAMVID
from segstudio.core.training import TrainRecipe
from segstudio.train import loop

def live(run, events):
    # A process of its own, killed after so many events; -1: lives to the end.
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            recipe = TrainRecipe.from_json((run / "recipe.json").read_text())
            for event in loop.fit(recipe, run, CAMVID, InputRule(short_side=72)):
                os.write(writer, (event.kind + "\\n").encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as told:
        for number, line in enumerate(told, start=1):
            if number == events:
                os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

straight, broken = (Path(folder) for folder in sys.argv[1:])
assert live(straight, -1) == 0
chance = random.Random(5)
for _ in range(3):
    assert live(broken, 4 + chance.randrange(6)) == -signal.SIGKILL
assert live(broken, -1) == 0
"""
"""Forked from one process that has imported everything and computed nothing: no threads yet."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that were forked")
def test_killed_at_random_points_a_run_ends_with_the_same_weights(recipe, tmp_path):
    tiny = replace(
        recipe,
        net="unet_padded",
        net_args={"width": 4},
        steps=10,
        validate_every=1,
        learning_rate=0.01,
        threads=1,
    )
    for name in ("straight", "broken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.json").write_text(tiny.to_json())
    done = subprocess.run(
        [sys.executable, "-c", LIVES, tmp_path / "straight", tmp_path / "broken"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("last", "best"):
        one, two = (checkpoint.load(tmp_path / n / f"{name}.pt") for n in ("straight", "broken"))
        assert one["step"] == two["step"]
        assert one["best"] == two["best"]
        for part in ("net", "average"):
            assert all(torch.equal(v, two[part][key]) for key, v in one[part].items())
        states = one["optimiser"]["state"], two["optimiser"]["state"]
        for number, state in states[0].items():
            assert torch.equal(state["momentum_buffer"], states[1][number]["momentum_buffer"])
