"""Odd names, odd sizes and odd class sets through every exact format and back, recognised alone."""

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.engine.exchange.exporting import export_project
from segstudio.engine.exchange.importing import run_import
from segstudio.engine.exchange.planning import plan_import
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.media.open import open_source
from segstudio.store.class_sets import find_mapping

EXACT = [name for name in FORMATS if FORMATS.get(name).is_exact and FORMATS.get(name).can_write]

NAMES = ("b c.png", "Ünï.jpg", "x.y.bmp", "con.png", "frame_1.png", "frame_10.png", "-q.jpg")
SIZES = ((1, 1), (7, 5), (30, 40), (64, 33), (1, 9), (128, 129), (40, 30))


def class_set(ids):
    rows = (ClassDef(i, f"class {i}", (i, 255 - i, i * 7 % 256)) for i in ids)
    return ClassMap("own", tuple(rows))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    place.mkdir()
    for number, (name, size) in enumerate(zip(NAMES, SIZES, strict=True)):
        rgb = np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(rgb).save(place / name)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("ids", [[0], [3, 7, 200, 254], range(255)], ids=["one", "gaps", "all"])
@pytest.mark.parametrize("name", EXACT)
def test_labels_come_back_to_the_pixel(bench, folder, tmp_path, name, ids):
    classes = class_set(ids)
    work, again = bench("work", classes), bench("again", classes)
    media = work.add(folder)
    again.add(folder)
    rng = np.random.default_rng(len(classes))
    for index, size in enumerate(sizes_of(folder)):
        labels = rng.choice([*ids, VOID], size).astype(np.uint8)
        work.label(media, index, labels)
    report = export_project(work.project, tmp_path / "out", name)
    assert report.proof.is_exact, report.proof.in_words()
    plan = plan_import(tmp_path / "out", again.project)
    assert plan.guess.format == name
    run_import(plan, again.project)
    kind = FORMATS.get(name)
    written = kind.writer(classes, complete(kind.writes_with, {})).ids
    wanted = find_mapping(plan.reader.classes, classes).lut()[written]
    plan.close()
    for summary in work.project.frames(media):
        labels = work.project.load(summary.key).labels
        assert np.array_equal(again.project.load(summary.key).labels, wanted[labels])


def sizes_of(folder):
    """By frame."""
    source = open_source(folder)
    names = source.info.names
    source.close()
    return [SIZES[NAMES.index(name)] for name in names]
