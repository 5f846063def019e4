"""The demo clip: rendered once, whole or not at all."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from segstudio import paths
from segstudio.core.classes import CAMVID
from segstudio.errors import Cancelled, MediaError
from segstudio.media import demo
from segstudio.media.demo import DemoSettings, ensure_demo
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive

FEW = DemoSettings(frames=7, height=120, width=160)


def truth(index):
    drive = SyntheticDrive(DriveSettings(FEW.height, FEW.width, FEW.seed, float(FEW.fps)))
    return drive.frame(index)


def test_the_clip_holds_the_frames_of_the_drive():
    clip = ensure_demo(settings=FEW)
    with av.open(str(clip.video)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 30
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(shown) == FEW.frames
    for index, rgb in enumerate(shown):
        assert np.abs(rgb.astype(int) - truth(index)[0]).mean() < 8


def test_the_labels_are_palette_pictures_of_the_truth():
    clip = ensure_demo(settings=FEW)
    names = sorted(path.name for path in clip.labels.iterdir())
    assert names == [f"{i:06d}.png" for i in range(FEW.frames)]
    with Image.open(clip.labels / "000003.png") as picture:
        assert picture.mode == "P"
        assert picture.getpalette()[3:6] == list(CAMVID.by_id(1).color)
        assert (np.asarray(picture) == truth(3)[1]).all()


def test_a_second_call_renders_nothing(monkeypatch):
    first = ensure_demo(settings=FEW)
    monkeypatch.setattr(demo, "SyntheticDrive", None)
    heard = []
    assert ensure_demo(heard.append, settings=FEW) == first
    assert heard == [1.0]


@pytest.mark.parametrize("damage", ["label", "video", "manifest", "version"])
def test_what_is_missing_or_old_is_rendered_again(damage, monkeypatch):
    clip = ensure_demo(settings=FEW)
    manifest = clip.video.parent / "manifest.json"
    if damage == "label":
        (clip.labels / "000002.png").unlink()
    elif damage == "video":
        clip.video.write_bytes(clip.video.read_bytes()[:100])
    elif damage == "manifest":
        manifest.write_text("{", encoding="utf-8")
    else:
        monkeypatch.setattr(demo, "VERSION", demo.VERSION + 1)
    again = ensure_demo(settings=FEW)
    assert (again.labels / "000002.png").is_file()
    assert again.video.stat().st_size == json.loads(manifest.read_text())["bytes"] > 100


def test_progress_rises_to_one():
    heard = []
    ensure_demo(heard.append, settings=FEW)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) == FEW.frames


def test_cancelling_leaves_nothing_behind():
    shares = []
    with pytest.raises(Cancelled):
        ensure_demo(shares.append, lambda: len(shares) >= 3, settings=FEW)
    assert len(shares) == 3
    assert list(paths.user_cache().iterdir()) == []


def test_a_cache_that_cannot_be_written_is_explained(own_home: Path):
    (own_home / "cache").write_text("in the way")
    with pytest.raises(MediaError, match="cannot be written"):
        ensure_demo(settings=FEW)
