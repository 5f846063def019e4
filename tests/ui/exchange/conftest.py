"""A project with confirmed frames, and the export window on it."""

import numpy as np
import pytest

from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, VOID
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED, MODEL
from segstudio.media.open import complete_info, open_source
from segstudio.store.masks import write_picture
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, Project

SIZE = (24, 36)


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch):
    """A sync waits for whatever else the machine writes."""
    monkeypatch.setattr("os.sync", lambda: None, raising=False)


@pytest.fixture
def project(tmp_path):
    """Six pictures: four confirmed, one drafted, one without labels."""
    folder = tmp_path / "drive"
    folder.mkdir()
    for i in range(6):
        rgb = np.random.default_rng(i).integers(0, 255, (*SIZE, 3), np.uint8)
        write_picture(folder / f"f{i}.png", rgb)
    source = open_source(folder)
    info = complete_info(source)
    made = Project.create(tmp_path / "work.segproj", CAMVID)
    record = made.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=info.path, width=info.width,
        height=info.height, frames=info.frames, pictures=PictureNames(info.names, info.may_change),
    )  # fmt: skip
    for i in range(5):
        frame = source.read(i)
        labels = np.random.default_rng(i).integers(0, 11, SIZE).astype(np.uint8)
        document = LabelDocument(np.full(SIZE, VOID, np.uint8), np.zeros(SIZE, np.uint8))
        document.begin("Brush")
        area = Area(Rect(0, 0, *SIZE), np.ones(SIZE, np.bool_))
        document.put(area, labels, origin=CONFIRMED if i < 4 else MODEL, over_human=True)
        step = document.commit()
        counts = tuple(int(n) for n in document.origin_counts[:5])
        about = FrameAbout(None, frame.id.fingerprint, info.names[i], *SIZE)
        made.push(FrameKey(record.id, i), 0, step, counts, about).result()
    source.close()
    yield made
    made.close()
