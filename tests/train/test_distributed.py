"""Several processes are one run: the same samples, the same loss, the same weights."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import CAMVID
from segstudio.engine.ranks import Rank
from segstudio.errors import SegStudioError, UsageError
from segstudio.train import checkpoint
from segstudio.train.feeding import Share
from segstudio.train.loop import fit

RULE = InputRule(short_side=72)

RUN = """
import sys, json
from pathlib import Path
from segstudio.core.catalogue import InputRule
from segstudio.core.classes import CAMVID
from segstudio.core.training import TrainRecipe
from segstudio.train import loop
loop.REPORT_EVERY = 1
run = Path(sys.argv[1])
recipe = TrainRecipe.from_json((run / "recipe.json").read_text())
for event in loop.fit(recipe, run, CAMVID, InputRule(short_side=72)):
    print(event.to_json(), flush=True)
    if event.kind == "step" and event.step == int(sys.argv[2]):
        (run / "control.json").write_text('{"want": "stop"}')
"""


@pytest.fixture
def small(recipe):
    """No batch norm: torch synchronises it on CUDA only."""
    return replace(
        recipe,
        net="unet_padded",
        net_args={"width": 4, "batch_norm": False},
        batch=4,
        steps=6,
        validate_every=3,
        learning_rate=0.01,
        loss="ce",
        threads=1,
    )


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def together(recipe, folder: Path, *, of=2, stop_at=-1):
    """The events of each process."""
    folder.mkdir(exist_ok=True)
    (folder / "recipe.json").write_text(recipe.to_json())
    port = str(free_port())
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, folder, str(stop_at if rank == 0 else -1)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "RANK": str(rank),
                "WORLD_SIZE": str(of),
                "LOCAL_RANK": str(rank),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
            },
        )
        for rank in range(of)
    ]
    said = [process.communicate() for process in started]
    assert all(process.returncode == 0 for process in started), said
    return [[json.loads(line) for line in out.splitlines() if line[:1] == "{"] for out, _ in said]


def losses(events):
    return {e["step"]: e["loss"] for e in events if e["event"] == "step"}


def furthest(one, two):
    return max(float((one[key] - two[key]).abs().max()) for key in one)


def test_the_shares_of_all_processes_are_the_samples_of_one():
    whole = Share(12, Rank())
    for step in (0, 7):
        parts = [Share(12, Rank(r, 3)).numbers(step) for r in range(3)]
        assert [n for part in parts for n in part] == list(whole.numbers(step))
    with pytest.raises(SegStudioError, match="5 processes cannot share"):
        Share.of(None, Rank(0, 5), 12)


@pytest.mark.slow
def test_two_processes_are_one_with_the_doubled_batch(small, tmp_path, monkeypatch):
    monkeypatch.setattr("segstudio.train.loop.REPORT_EVERY", 1)
    (tmp_path / "one").mkdir()
    alone = [json.loads(event.to_json()) for event in fit(small, tmp_path / "one", CAMVID, RULE)]
    both = together(replace(small, batch=2), tmp_path / "two")
    expected = losses(alone)
    for events in both:
        assert losses(events) == pytest.approx(expected, abs=1e-5)
    validated = [[e["miou"] for e in ev if e["event"] == "validated"] for ev in (alone, *both)]
    assert validated[0] == validated[1] == validated[2]
    one, two = (checkpoint.load(tmp_path / n / "last.pt") for n in ("one", "two"))
    assert furthest(one["net"], two["net"]) < 1e-5
    assert one["effective"] == two["effective"] == 4


@pytest.mark.slow
def test_processes_stop_together_and_go_on_as_one(small, tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    list(fit(small, tmp_path / "one", CAMVID, RULE))
    halves = replace(small, batch=2)
    both = together(halves, tmp_path / "two", stop_at=2)
    assert [[e["event"] for e in ev][-1] for ev in both] == ["finished", "finished"]
    assert [ev[-1]["step"] for ev in both] == [3, 3]
    last = list(fit(halves, tmp_path / "two", CAMVID, RULE))[-1]  # one process, both shares
    assert last.step == 6
    one, two = (checkpoint.load(tmp_path / n / "last.pt") for n in ("one", "two"))
    assert furthest(one["net"], two["net"]) < 1e-5


def test_an_environment_that_makes_no_sense_is_refused():
    assert Rank.here({}) == Rank(0, 1, 0)
    assert Rank.here({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}) == Rank(3, 8, 1)
    with pytest.raises(UsageError, match="must be numbers"):
        Rank.here({"RANK": "first", "WORLD_SIZE": "2"})
    with pytest.raises(UsageError, match="RANK 2 of WORLD_SIZE 2"):
        Rank.here({"RANK": "2", "WORLD_SIZE": "2"})
