"""Programs that read our exports find the pixels that were written; where script/oracles made them.

Each runs in the environment .oracles as a process of its own.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.class_mapping import plain
from segstudio.core.classes import CAMVID, VOID

TOP = Path(__file__).resolve().parents[2]
PYTHON = TOP / ".oracles" / "bin" / "python"
NOTHING = {"ignored", "background", "void", "unlabeled", "voidunlabeled"}
READER = Path(__file__).with_name("their_readers.py")

WAYS = [
    ("labelme", "labelme", {}, ""),
    ("labelme", "labelme", {"shapes": "masks"}, ""),
    ("label_studio", "label_studio", {}, ""),
    ("datumaro", "voc", {}, "voc_segmentation"),
    ("datumaro", "voc", {"ids": "own"}, "voc_segmentation"),
    ("datumaro", "open_images", {}, "open_images"),
    ("datumaro", "coco", {}, "coco_instances"),
    ("datumaro", "coco_panoptic", {}, "coco_panoptic"),
    ("datumaro", "coco_stuff", {}, "coco_stuff"),
    ("datumaro", "camvid", {}, "camvid"),
    ("datumaro", "kitti", {}, "kitti_segmentation"),
    ("datumaro", "mapillary", {}, "mapillary_vistas"),
    ("datumaro", "cvat", {}, "cvat"),
    ("datumaro", "label_me_xml", {}, "label_me"),
    ("datumaro", "datumaro", {}, "datumaro"),
    # It reads labelTrainIds first where they are, and takes their 0, which is road, for nothing.
    ("datumaro", "cityscapes", {"train_ids": False, "instances": "always"}, "cityscapes"),
]
UNSPLIT = {"cvat", "label_me_xml"}
"""Datumaro takes those pictures of CVAT's alone whose subset is the XML file's name, and looks for
LabelMe's masks beside the folder of a split, where LabelMe has none."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="script/oracles makes their programs"),
]


def theirs(program, kind, folder, out):
    """Frame → names of classes (H, W), "" for none."""
    said = subprocess.run(
        [PYTHON, READER, program, kind, folder, out],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert said.returncode == 0, said.stderr[-2000:]
    with np.load(out) as found:
        names = found["__names__"]
        return {name: names[found[name]] for name in found.files if name != "__names__"}


@pytest.mark.parametrize(("program", "name", "options", "kind"), WAYS)
def test_their_program_finds_the_same_pixels(
    program, name, options, kind, some_frames, there_and_back, tmp_path
):
    split = "" if name in UNSPLIT else "train"
    frames = some_frames(3, CAMVID, split=split, size=(60, 80))
    trip = there_and_back(name, frames, CAMVID, **options)
    found = theirs(program, kind, trip.folder, tmp_path / "found.npz")
    assert len(found) == len(frames)
    named = np.full(256, "", object)
    for known in trip.reader.classes.classes:
        named[known.id] = "" if plain(known.name) in NOTHING else plain(known.name)
    for frame in frames:
        called = trip.report.read_as.get(frame.name, frame.name)
        # By the number at the end: Cityscapes' drives have a name of their own for each program.
        read = next(f for n, f in found.items() if n[-6:] == frame.name[-6:]).astype(object)
        expected = named[trip.read[called].labels]
        assert (expected == "").sum() == (frame.labels == VOID).sum()
        if name == "mapillary":  # whose classes it calls by longer names
            pairs = set(zip(read.flat, expected.flat, strict=True))
            assert len(pairs) == len(set(read.flat)) == len(set(expected.flat))
        else:
            assert np.array_equal(read, expected), frame.name
