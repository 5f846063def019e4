"""Frames to export, and the whole way there and back."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.formats.exporting import export
from segstudio.formats.files.source import FolderSource
from segstudio.formats.files.target import open_target
from segstudio.formats.labelled import Labelled, Picture
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.proof import prove
from segstudio.formats.registry import FORMATS
from segstudio.formats.report import ExportReport


def picture_of(labels, seed=0):
    """A picture of the size of the labels, as PNG."""
    rgb = np.random.default_rng(seed).integers(0, 255, (*labels.shape, 3), np.uint8)
    return Picture(".png", lambda: rasters.encode_colors(rgb))


@pytest.fixture
def some_classes():
    """make(n) → a class set of n classes with colours of their own."""

    def make(count=5, name="mine"):
        colors = [(40 + i * 7 % 200, (i * 53) % 256, (i * 101 + 7) % 256) for i in range(count)]
        rows = (ClassDef(i, f"class {i}", colors[i]) for i in range(count))
        return ClassMap(name, tuple(rows))

    return make


@pytest.fixture
def some_frames():
    """make(n, classes, split=…) → frames of blocks, thin lines and void, with pictures."""

    def make(count, classes, *, size=(37, 53), split="", clip="drive", pictures=True):
        rng = np.random.default_rng(count)
        ids = np.array([c.id for c in classes.classes] + [VOID], np.uint8)
        frames = []
        for i in range(count):
            blocks = rng.choice(ids, (size[0] // 6 + 1, size[1] // 6 + 1))
            labels = np.kron(blocks, np.ones((6, 6), np.uint8))[: size[0], : size[1]].copy()
            labels[i % size[0]] = ids[i % (len(ids) - 1)]
            picture = picture_of(labels, i) if pictures else None
            frames.append(Labelled(f"{clip}_{i:06d}", labels, picture, clip, split, i))
        return frames

    return make


@dataclass
class Trip:
    """One export and its reading back."""

    folder: Path
    report: ExportReport
    proof: object
    read: dict = field(default_factory=dict)
    reader: object = None


@pytest.fixture
def there_and_back(tmp_path):
    """trip(format, frames, classes, **options) → Trip: written, proven, read again by name."""

    def trip(name, frames, classes, *, pictures=True, folder="out", **options):
        kind = FORMATS.get(name)
        values = complete(kind.writes_with, options)
        target = open_target(tmp_path / folder)
        report = export(frames, len(frames), kind, classes, target, values, pictures=pictures)
        proof = prove(frames, report, kind, classes, target)
        target.finish()
        source = FolderSource(tmp_path / folder)
        guess = kind.sniff(source)
        given = complete(kind.reads_with, guess.options if guess else {})
        reader = kind.open(source, given, classes)
        read = {ref.name: reader.read(ref) for ref in reader.frames}
        return Trip(tmp_path / folder, report, proof, read, reader)

    return trip


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch):
    """A sync waits for whatever else the machine writes."""
    monkeypatch.setattr("os.sync", lambda: None, raising=False)
