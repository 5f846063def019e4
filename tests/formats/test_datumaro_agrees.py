"""Datumaro, which CVAT imports with, finds the same pixels in our exports; where it is installed."""

import numpy as np
import pytest

from segstudio.core.class_mapping import plain
from segstudio.core.classes import CAMVID, VOID

NOTHING = {"ignored", "background", "void", "unlabeled", "voidunlabeled"}
"""Datumaro's names of pixels that have no class."""

FORMATS = [
    ("voc", {}, "voc_segmentation"),
    ("voc", {"ids": "own"}, "voc_segmentation"),
    ("open_images", {}, "open_images"),
    ("coco", {}, "coco_instances"),
    ("coco_panoptic", {}, "coco_panoptic"),
    ("coco_stuff", {}, "coco_stuff"),
    ("camvid", {}, "camvid"),
    ("kitti", {}, "kitti_segmentation"),
    ("mapillary", {}, "mapillary_vistas"),
    ("cvat", {}, "cvat"),
    # It reads labelTrainIds first where they are, and takes their 0, which is road, for nothing.
    ("cityscapes", {"train_ids": False, "instances": "always"}, "cityscapes"),
]


def names_found(dataset, item):
    """Plain names of classes, (H, W); "" for none."""
    from datumaro.components.annotation import AnnotationType

    labels = [plain(c.name) for c in dataset.categories()[AnnotationType.label]]
    found = None
    for one in item.annotations:
        if one.type == AnnotationType.mask:
            mask = np.asarray(one.image, bool)
            if found is None:
                found = np.full(mask.shape, "", object)
            name = labels[one.label]
            found[mask] = "" if name in NOTHING else name
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what it and its libraries have to say of one another
@pytest.mark.parametrize(("name", "options", "theirs"), FORMATS)
def test_datumaro_finds_the_same_pixels(name, options, theirs, some_frames, there_and_back):
    datumaro = pytest.importorskip("datumaro")
    # Of CVAT's pictures with a subset it takes those alone whose subset is the XML file's name.
    split = "" if name == "cvat" else "train"
    frames = some_frames(3, CAMVID, split=split, size=(60, 80))
    trip = there_and_back(name, frames, CAMVID, **options)
    dataset = datumaro.Dataset.import_from(str(trip.folder), theirs)
    items = {item.id.split("/")[-1]: item for item in dataset}  # some are in trainval too
    assert len(items) == len(frames)
    named = np.full(256, "", object)
    for known in trip.reader.classes.classes:
        named[known.id] = plain(known.name)
    for frame, item in zip(frames, sorted(items.values(), key=lambda i: i.id[-6:]), strict=True):
        expected = named[trip.read[frame.name].labels]
        assert (expected == "").sum() == (frame.labels == VOID).sum()
        found = names_found(dataset, item)
        if name == "mapillary":  # whose classes it calls by longer names
            pairs = set(zip(found.flat, expected.flat, strict=True))
            assert len(pairs) == len(set(found.flat)) == len(set(expected.flat))
        else:
            assert np.array_equal(found, expected)
