"""comma10k: its six colours, and what other colours become."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KIND = FORMATS.get("comma10k")
COMMA = load_class_set("comma10k")
COLORS = ["402020", "ff0000", "808060", "00ff66", "cc00ff", "00ccff"]


def test_files_have_its_very_colours_and_folders(there_and_back, some_frames):
    labels = np.array([[0, 1, 2, 3, 4, 5, VOID]], np.uint8)
    trip = there_and_back("comma10k", [Labelled("0000_a", labels)], COMMA)
    path = trip.folder / "masks/0000_a.png"
    colors = rasters.decode(path.read_bytes(), "a").values[0]
    assert [bytes(c).hex() for c in colors] == [*COLORS, "000000"]
    assert trip.read["0000_a"].labels.tolist() == labels.tolist()
    trip = there_and_back("comma10k", some_frames(1, COMMA), COMMA, folder="two")
    assert (trip.folder / "imgs/drive_000000.png").is_file()
    assert trip.reader.frames[0].picture is not None


def test_what_is_lost_is_said():
    lost = " ".join(KIND.writer(CAMVID, {"class_set": "comma10k5"}).cannot)
    assert "become undrivable" in lost
    assert "no void" in lost
    assert "no splits" in lost


def test_unknown_colours_are_void_and_told_once(tmp_path):
    (tmp_path / "masks").mkdir()
    rgb = np.array([[(64, 32, 32), (64, 32, 33), (64, 32, 33)]], np.uint8)
    (tmp_path / "masks/a.png").write_bytes(rasters.encode_colors(rgb))
    source = FolderSource(tmp_path)
    reader = KIND.open(source, {})
    for _ in range(2):
        read = reader.read(reader.frames[0])
    assert read.labels.tolist() == [[0, VOID, VOID]]
    assert reader.notes == ("No class has the colours #402021 (2 px); their pixels became void.",)
    assert KIND.sniff(source) is None  # so it is rather something else


def test_a_jpeg_is_no_mask(tmp_path):
    from PIL import Image

    (tmp_path / "masks").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "masks/a.png", "JPEG")
    reader = KIND.open(FolderSource(tmp_path), {})
    with pytest.raises(FormatError, match=r"masks/a\.png is a JPEG"):
        reader.read(reader.frames[0])


def test_a_folder_without_masks_says_what_to_choose(tmp_path):
    assert KIND.sniff(FolderSource(tmp_path)) is None
    with pytest.raises(FormatError, match="imgs"):
        KIND.open(FolderSource(tmp_path), {})
