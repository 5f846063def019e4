"""`train` on bad data and on a computer in trouble: one sentence, and nothing that was good is lost."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from segstudio.cli.main import main
from segstudio.core.classes import CAMVID, VOID
from segstudio.nets.registry import NETS
from segstudio.store.masks import read_mask, write_mask
from segstudio.store.project import Project
from segstudio.train import checkpoint


def words(data, *more):
    return [
        "train", str(data / "run"), "--images", str(data / "images"), "--labels",
        str(data / "labels"), "--net", "unet_padded", "--net-arg", "width=4", "--net-arg",
        "batch_norm=false", "--loss", "ce", "--lr", "0.01", "--steps", "4", "--batch", "4",
        "--crop", "64x64", "--short-side", "48", "--validate-every", "2", "--hold-out", "picture_2",
        "--ema", "0", "--workers", "0", "--device", "cpu", "--threads", "1", "--precision", "fp32",
        "--warm-up", "0", *more,
    ]  # fmt: skip


def events(data):
    rows = (data / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row) for row in rows]


def refusal(capsys, command):
    """The one line of a command that is refused."""
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("segstudio: error: ")
    assert said.count("\n") == 1
    return said


def relabel(data, change):
    for file in (data / "labels").iterdir():
        write_mask(file, change(read_mask(file)), None)


def test_a_project_without_a_confirmed_frame_says_what_to_do(tmp_path, capsys):
    Project.create(tmp_path / "new.segproj", CAMVID).close()
    command = ["train", str(tmp_path / "run"), "--project", str(tmp_path / "new.segproj"),
               "--net", "unet_padded", "--device", "cpu", "--crop", "64x64"]  # fmt: skip
    said = refusal(capsys, command)
    assert "There is no confirmed frame in new.segproj to train on; confirm some frames" in said


def test_labels_of_one_class_alone_are_refused(labelled, capsys):
    relabel(labelled, lambda labels: np.full_like(labels, 4))
    assert "All labels of 2 frames are Pavement" in refusal(capsys, words(labelled))


def test_labels_that_are_all_void_are_refused(labelled, capsys):
    relabel(labelled, lambda labels: np.full_like(labels, VOID))
    assert "all of it is void" in refusal(capsys, words(labelled))


def test_pictures_of_many_sizes_are_trained_and_judged_together(labelled, capsys):
    for number, size in enumerate(((40, 96), (131, 57), (20, 20))):
        name = f"picture_{number}.png"
        for kind, way in (
            ("images", Image.Resampling.BILINEAR),
            ("labels", Image.Resampling.NEAREST),
        ):
            picture = Image.open(labelled / kind / name)
            picture.load()
            picture.resize(size[::-1], way).save(labelled / kind / name)
    assert main(words(labelled, "--quiet")) == 0
    assert events(labelled)[-1]["event"] == "finished"
    assert [p["frame"] for e in events(labelled) for p in e.get("pictures", ())]
    capsys.readouterr()


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_a_picture_of_another_size_than_its_labels_is_named(labelled, capsys, workers):
    for name in ("picture_0.png", "picture_1.png"):
        write_mask(
            labelled / "labels" / name, np.arange(600, dtype=np.uint8).reshape(20, 30) % 9, None
        )
    said = refusal(capsys, words(labelled, "--workers", workers, "--quiet"))
    assert "and its labels differ in size (80×48 and 30×20); export them at one size." in said


def test_a_disk_that_is_full_keeps_the_checkpoint_of_before(labelled, capsys, monkeypatch):
    assert main(words(labelled, "--steps", "2", "--quiet")) == 0
    kept = {name: (labelled / "run" / name).read_bytes() for name in ("last.pt", "best.pt")}

    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("segstudio.atomic._sync_file", full)
    said = refusal(capsys, words(labelled, "--quiet"))
    assert "could not be written" in said
    assert "make room" in said
    assert any("No space left" in e["why"] for e in events(labelled) if e["event"] == "not_saved")
    monkeypatch.undo()
    for name, content in kept.items():
        assert (labelled / "run" / name).read_bytes() == content
    assert main(words(labelled, "--quiet")) == 0  # the same command goes on from there
    assert checkpoint.load(labelled / "run" / "last.pt")["step"] == 4


def test_a_loss_that_is_no_number_stops_names_its_samples_and_keeps_the_best(
    labelled, capsys, monkeypatch
):
    assert main(words(labelled, "--steps", "2", "--quiet")) == 0
    best = (labelled / "run" / "best.pt").read_bytes()
    capsys.readouterr()
    said = refusal(
        capsys, words(labelled, "--clip", "0", "--lr", "1e30", "--steps", "9", "--quiet")
    )
    assert "is not a finite number (samples " in said
    failed = events(labelled)[-1]
    assert failed["event"] == "failed"
    assert len(failed["samples"]) == 4
    assert failed["samples"][0] % 4 == 0  # a whole batch
    assert (labelled / "run" / "best.pt").read_bytes() == best
    assert (labelled / "run" / "last.pt").read_bytes() == best


def test_a_net_that_needs_more_memory_gets_half_a_batch_twice_a_step(labelled, capsys, monkeypatch):
    net = type(NETS.get("unet_padded").build(11, width=4))
    forward, seen = net.forward, []

    def tight(self, x):
        seen.append(len(x))
        if len(x) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")
        return forward(self, x)

    monkeypatch.setattr(net, "forward", tight)
    assert main(words(labelled)) == 0
    assert seen[:3] == [4, 2, 2]
    assert "memory was short, now 2 at once, 2 times a step" in capsys.readouterr().out
    told = [e for e in events(labelled) if e["event"] == "smaller_batch"]
    assert [(e["batch"], e["accumulation"]) for e in told] == [(2, 2)]
    assert events(labelled)[-1]["step"] == 4


def test_a_net_that_has_no_room_for_one_picture_is_told_with_a_remedy(
    labelled, capsys, monkeypatch
):
    net = type(NETS.get("unet_padded").build(11, width=4))

    def full(_self, _x):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")

    monkeypatch.setattr(net, "forward", full)
    assert "choose a smaller --batch" in refusal(capsys, words(labelled, "--quiet"))
