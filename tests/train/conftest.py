"""A small labelled set on disk, and a recipe that trains on it in seconds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import PAINTED
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.engine.carry import edit_frame
from segstudio.media.open import complete_info, open_source
from segstudio.media.writer import VideoWriter
from segstudio.store.masks import write_mask
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameKey, Project


def write_set(folder: Path, names: list[str], seed: int) -> LabelledFolder:
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for name in names:
        labels = np.kron(rng.integers(0, 11, (3, 4)), np.ones((24, 24))).astype(np.uint8)
        rgb = CAMVID.palette()[labels]
        (folder / "images" / f"{name}.png").write_bytes(
            cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
        )
        write_mask(folder / "labels" / f"{name}.png", labels, CAMVID.palette())
    return LabelledFolder(str(folder / "images"), str(folder / "labels"))


@pytest.fixture
def labelled(tmp_path) -> LabelledFolder:
    return write_set(tmp_path / "set", ["a1", "a2", "a3", "b1"], 0)


@pytest.fixture
def recipe(labelled, tmp_path) -> TrainRecipe:
    return TrainRecipe(
        net_args={"alpha": 0.25, "head_width": 16, "booster_width": 8},
        train=(replace(labelled, hold_out=("b",)),),
        validate=(write_set(tmp_path / "val", ["c1"], 1),),
        synthetic_share=0.0,
        steps=4,
        batch=2,
        crop=(64, 64),
        scale=(0.8, 1.2),
        short_side=72,
        warm_up=1,
        validate_every=2,
        device="cpu",
        precision="fp32",
        workers=0,
        ema_decay=0.5,
    )


class Corrector:
    """A project on disk, corrected as the window does it: a step for every change."""

    def __init__(self, path: Path) -> None:
        self.project = Project.create(path, CAMVID)
        self.folder = path.parent
        self.sources = {}

    def add(self, path: Path) -> int:
        """A clip, a picture or a folder of them; returns its number."""
        source = open_source(path)
        info = complete_info(source)
        pictures = PictureNames(info.names, info.may_change) if info.kind == "sequence" else None
        record = self.project.add_media(
            fingerprint=info.id, title=info.title, kind=info.kind, path=info.path,
            width=info.width, height=info.height, frames=info.frames, pictures=pictures,
        )  # fmt: skip
        self.sources[record.id] = source
        return record.id

    def clip(self, name: str, frames: int = 12, size: tuple[int, int] = (48, 64)) -> int:
        """Four wandering squares, 2 frames per second."""
        shade = np.random.default_rng(len(name) + frames).integers(0, 255, (4, 3))
        with VideoWriter(self.folder / name, 2, crf=1) as writer:
            for number in range(frames):
                rgb = np.full((*size, 3), 90, np.uint8)
                for i, color in enumerate(shade):
                    rgb[8 * i : 8 * i + 8, 2 * number + 4 * i :][:, :12] = color
                writer.write(rgb)
        return self.add(self.folder / name)

    def paint(self, media, index, class_id, box, origin=PAINTED) -> None:
        """A rectangle (y0, x0, y1, x1) of one class."""
        frame = self.sources[media].read(index)
        whole = Area(Rect(0, 0, *frame.rgb.shape[:2]), np.zeros(frame.rgb.shape[:2], np.bool_))
        whole.mask[box[0] : box[2], box[1] : box[3]] = True
        patch = np.full(whole.mask.shape, class_id, np.uint8)

        def change(document: LabelDocument) -> None:
            document.put(whole, patch, origin=origin, over_human=True)

        edit_frame(self.project, media, frame, "Brush", change)

    def confirm(self, media, index, drafted_by="") -> None:
        """The whole frame is right; drafted_by: the model that made it."""
        stored = self.project.load(FrameKey(media, index))
        document = LabelDocument(stored.labels, stored.origin)
        counts = tuple(int(n) for n in np.bincount(np.full(stored.labels.size, 4), minlength=5))
        step = document.confirm()
        by_hand = int((stored.origin == PAINTED).sum())
        about = replace(stored.summary.about, by_hand=by_hand, drafted_by=drafted_by)
        key = FrameKey(media, index)
        self.project.push(key, stored.summary.position, step, counts, about).result(10)

    def close(self) -> Path:
        """Nobody has it open any more; where it lies."""
        for source in self.sources.values():
            source.close()
        self.sources = {}
        self.project.close()
        return self.project.path


@pytest.fixture
def corrector(tmp_path: Path) -> Iterator[Callable[..., Corrector]]:
    """Makes projects that are closed at the end."""
    made: list[Corrector] = []

    def make(name: str = "mine.segproj") -> Corrector:
        made.append(Corrector(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.close()
