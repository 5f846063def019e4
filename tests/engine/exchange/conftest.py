"""Projects over real files, with frames that people labelled."""

import json
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, VOID, ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED, MODEL
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.registry import FORMATS, FrameRef, Guess, OutFile, Written
from segstudio.media.open import complete_info, open_source
from segstudio.media.writer import VideoWriter
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, Project


class Bench:
    """A project that is filled as the window would."""

    def __init__(self, path: Path, classes=CAMVID) -> None:
        self.project = Project.create(path, classes)
        self.places: dict[int, Path] = {}

    def add(self, path: Path) -> int:
        """A medium; its id."""
        source = open_source(path)
        info = complete_info(source)
        source.close()
        names = PictureNames(info.names, info.may_change) if info.kind == "sequence" else None
        record = self.project.add_media(
            fingerprint=info.id, title=info.title, kind=info.kind, path=info.path,
            width=info.width, height=info.height, frames=info.frames, pictures=names,
        )  # fmt: skip
        self.places[record.id] = path
        return record.id

    def label(self, media: int, index: int, labels=None, origin=CONFIRMED, drafted_by=""):
        """uint8 (H, W) labels in one step, by default random ones, whole."""
        source = open_source(self.places[media])
        info = complete_info(source)
        frame = source.read(index)
        source.close()
        shape = frame.height, frame.width
        if labels is None:
            labels = random_labels(shape, 100 * media + index)
        key = FrameKey(media, index)
        known = self.project.load(key)
        planes = np.full(shape, VOID, np.uint8), np.zeros(shape, np.uint8)
        document = LabelDocument(*(planes if known is None else (known.labels, known.origin)))
        document.begin("Draft" if origin == MODEL else "Brush")
        whole = Area(Rect(0, 0, *shape), np.ones(shape, np.bool_))
        document.put(whole, labels, origin=origin, over_human=True)
        step = document.commit()
        counts = tuple(int(n) for n in document.origin_counts[:5])
        name = info.names[index] if info.names else ""
        about = FrameAbout(frame.id.time_us, frame.id.fingerprint, name, *shape, drafted_by)
        number = 0 if known is None else known.summary.position
        self.project.push(key, number, step, counts, about).result()
        return labels


def random_labels(shape, seed):
    """Blocks of classes and void."""
    rng = np.random.default_rng(seed)
    blocks = rng.choice([*range(len(CAMVID)), VOID], (shape[0] // 4 + 1, shape[1] // 4 + 1))
    return blocks.astype(np.uint8).repeat(4, 0).repeat(4, 1)[: shape[0], : shape[1]].copy()


@pytest.fixture
def bench(tmp_path):
    """Makes benches; their projects are closed at the end."""
    made = []

    def make(name="work", classes=CAMVID):
        made.append(Bench(tmp_path / f"{name}.segproj", classes))
        return made[-1]

    yield make
    for each in made:
        each.project.close()


@pytest.fixture
def clip(tmp_path):
    """Twelve frames of noise, 48×80, ten a second."""
    path = tmp_path / "media" / "night drive.mp4"
    path.parent.mkdir(exist_ok=True)
    with VideoWriter(path, 10) as writer:
        for i in range(12):
            rng = np.random.default_rng(i)
            writer.write(rng.integers(0, 255, (6, 10, 3), np.uint8).repeat(8, 0).repeat(8, 1))
    return path


@pytest.fixture
def photos(tmp_path):
    """Makes a folder of pictures, 30×40, by name; JPEG ones may be turned by EXIF."""

    def make(folder="photos", names=("a.png", "b.jpg", "c.png"), turned=(), seed=0):
        place = tmp_path / "media" / folder
        place.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            rgb = np.random.default_rng((seed, number)).integers(0, 256, (30, 40, 3), np.uint8)
            exif = Image.Exif()
            if name in turned:
                exif[0x0112] = 6
            Image.fromarray(rgb).save(place / name, exif=exif)
        return place

    return make


class PlainWriter:
    """masks/<split>/<name>.png, bytes are ids; images/ beside it; classes.json."""

    cannot = ()

    def __init__(self, classes):
        self.classes = classes
        self.ids = np.full(256, VOID, np.uint8)
        for known in classes.classes:
            self.ids[known.id] = known.id

    def frame(self, item):
        place = PurePosixPath(item.split, f"{item.name}.png")
        mask = rasters.encode_indices(self.ids[item.labels], self.classes.palette())
        picture = None
        if item.picture is not None:
            picture = "images" / PurePosixPath(item.split, f"{item.name}{item.picture.suffix}")
        return Written((OutFile("masks" / place, mask),), picture, {"name": item.name})

    def finish(self, entries):
        text = json.dumps({"name": self.classes.name, "classes": self.classes.to_json()})
        yield OutFile(PurePosixPath("classes.json"), text.encode())


class PlainReader:
    """What PlainWriter wrote, and folders like it that have no classes.json."""

    notes = ()

    def __init__(self, source, classes):
        self._source = source
        self.classes = classes
        if source.has("classes.json"):
            content = source.json(PurePosixPath("classes.json"))
            self.classes = ClassMap.from_json(content["name"], content["classes"])
        pictures = {file.stem: file for file in source.below("images")}
        self.frames = tuple(
            FrameRef(file.stem, file, picture=pictures.get(file.stem))
            for file in source.below("masks")
        )

    def read(self, frame):
        found = rasters.decode(self._source.read(frame.key), str(frame.key))
        return Labelled(frame.name, found.values)


class Plain:
    """Stands for every exact format."""

    name = "plain"
    title = "Plain"
    about = "Bytes that are ids."
    is_exact = True
    can_write = True
    writes_with = ()
    reads_with = ()

    def writer(self, classes, options):
        return PlainWriter(classes)

    def sniff(self, source):
        return Guess("plain", 1.0, "there are masks/", {}) if source.below("masks") else None

    def open(self, source, options, classes=None):
        return PlainReader(source, classes)


@pytest.fixture
def plain(monkeypatch):
    """A format as simple as they come."""
    made = Plain()
    list(FORMATS)
    monkeypatch.setitem(FORMATS._entries, "plain", made)
    return made


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch):
    """A sync waits for whatever else the machine writes."""
    monkeypatch.setattr("os.sync", lambda: None, raising=False)
