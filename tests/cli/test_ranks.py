"""`predict` and `eval` in several processes: together they write and count what one does."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main
from segstudio.core.classes import CAMVID
from segstudio.store.masks import write_mask


@pytest.fixture
def labelled(tmp_path):
    """Five noisy pictures with labels, and one whose labels are of another size."""
    rng = np.random.default_rng(3)
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for i in range(6):
        rgb = rng.integers(0, 256, (48, 80, 3), dtype=np.uint8)
        Image.fromarray(rgb).save(tmp_path / "images" / f"f{i}.png")
        labels = np.kron(rng.integers(0, 11, (3, 5)), np.ones((16, 16))).astype(np.uint8)
        labels = labels[:, :64] if i == 4 else labels
        write_mask(tmp_path / "labels" / f"f{i}.png", labels, CAMVID.palette())
    return tmp_path


def together(*words, of=2):
    """What each process said on standard output; all of them must end well."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    meeting = {"WORLD_SIZE": str(of), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "segstudio", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **meeting, "OMP_NUM_THREADS": "1", "RANK": str(rank)},
        )
        for rank in range(of)
    ]
    said = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0] * of, said
    return [out for out, _ in said]


@pytest.mark.slow
def test_two_processes_write_the_masks_of_one(small_model, labelled, capsys):
    words = ["predict", str(labelled / "images"), "-m", str(small_model), "--device", "cpu"]
    assert main([*words, "-o", str(labelled / "one"), "--quiet"]) == 0
    capsys.readouterr()
    first, second = together(*words, "-o", labelled / "two", "--json", "-")
    report = json.loads(first)
    assert second == ""
    assert report["frames"] == report["predicted"] == 6
    one, two = (
        {f.relative_to(labelled / n): f.read_bytes() for f in (labelled / n).rglob("*.png")}
        for n in ("one", "two")
    )
    assert one == two
    assert len(one) == 6
    assert report["files"] == sorted(str(labelled / "two" / name) for name in two)


@pytest.mark.slow
def test_two_processes_count_what_one_counts(small_model, labelled, capsys):
    words = [
        "eval", "-m", str(small_model), "--images", str(labelled / "images"), "--labels",
        str(labelled / "labels"), "--device", "cpu", "--per-frame", "--boundary", "--json", "-",
    ]  # fmt: skip
    assert main(words) == 0
    alone = json.loads(capsys.readouterr().out)
    first, second = together(*words)
    both = json.loads(first)
    assert second == ""
    (name,) = alone["models"]
    for figures in (alone["models"][name], both["models"][name]):
        figures.pop("speed")
    assert both == alone
    assert [row["file"] for row in both["skipped"]] == ["f4.png"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["predict", "p.mp4", "-o", "out", "--overlay"], "needs all frames in one process"),
        (["predict", "p.mp4", "-o", "out"], "MASTER_ADDR and MASTER_PORT do not say"),
    ],
)
def test_what_cannot_be_shared_is_refused(monkeypatch, capsys, small_model, words, says):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    assert main([*words, "-m", str(small_model)]) == 2
    assert says in capsys.readouterr().err
