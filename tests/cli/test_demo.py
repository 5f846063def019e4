"""`segstudio demo --headless`: files, figures, and a second call."""

import json

import pytest

from segstudio.cli import demo
from segstudio.cli.main import main
from segstudio.media import demo as clips


@pytest.fixture
def run(small_model, tmp_path, monkeypatch, capsys):
    """The command on a tiny drive; the window's picture is a stand-in."""
    ensure = clips.ensure_demo
    tiny = clips.DemoSettings(frames=4, height=48, width=80)
    monkeypatch.setattr(clips, "ensure_demo", lambda *a: ensure(*a, settings=tiny))

    def draw(clip, model, picture):
        picture.write_bytes(b"a picture")
        return ""

    monkeypatch.setattr(demo, "draw_window", draw)

    def call(*words):
        options = ["-m", str(small_model), "-o", str(tmp_path / "d"), "--device", "cpu"]
        code = main(["demo", "--headless", *options, *words])
        said = capsys.readouterr()
        assert code == 0, said.err
        return json.loads((tmp_path / "d" / "report.json").read_text()), said

    return call


def test_it_leaves_overlay_masks_window_and_report(run, tmp_path):
    found, said = run()
    folder = tmp_path / "d"
    assert (folder / "overlay.mp4").stat().st_size > 500
    assert [p.name for p in sorted((folder / "masks" / "drive").iterdir())] == [
        f"{i:06d}.png" for i in range(4)
    ]
    assert found["window"] == str(folder / "window.png")
    assert 0 <= found["miou"] <= 1
    assert len(found["iou"]) == 11
    assert found["frames"] == found["predicted"] == 4
    for word in ("frames/s", "mIoU", "overlay.mp4", "window.png"):
        assert word in said.out


def test_a_second_demo_is_measured_anew(run):
    run()
    assert run()[0]["predicted"] == 4


def test_a_demo_with_other_options_replaces_the_old_one(run, tmp_path):
    run()
    (tmp_path / "d" / "report.json").unlink()  # as if it had been interrupted at the end
    assert run()[0]["resumed"] == 4
    (tmp_path / "d" / "report.json").unlink()
    assert run("--size", "96x160")[0]["predicted"] == 4


def test_a_window_that_cannot_be_drawn_is_told_and_the_rest_stays(run, monkeypatch):
    monkeypatch.setattr(demo, "draw_window", lambda *a: "no window here")
    found, said = run()
    assert found["window"] is None
    assert "no window here" in said.err
