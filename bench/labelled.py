"""Projects with labels in them, filled as the window does it, and odd media to label."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import clips
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segstudio.core.brush import Area
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED
from segstudio.media.open import complete_info, open_source
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, Project

Plane = NDArray[np.uint8]

SIZES = ((1, 1), (1, 17), (23, 1), (31, 47), (64, 64), (37, 5), (16, 24))
EXIF_ORIENTATION = 0x0112
VIDEO_FRAMES = 6


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder in memory where there is one: what is measured there is not the disk."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)


def some_classes(count: int, name: str = "many") -> ClassMap:
    """So many classes with colours of their own, none of them black."""
    rows = (
        ClassDef(i, f"class {i}", (1 + i * 67 % 255, i * 29 % 256, i * 131 % 256))
        for i in range(count)
    )
    return ClassMap(name, tuple(rows))


def _noise(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    return rng.choice(ids, shape)


def _checkerboard(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    y, x = np.indices(shape)
    return rng.choice(ids, 2)[(y + x) % 2]


def _lines(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """One pixel thick, up, down and aslant."""
    labels = np.full(shape, rng.choice(ids), np.uint8)
    labels[rng.integers(shape[0])] = rng.choice(ids)
    labels[:, rng.integers(shape[1])] = rng.choice(ids)
    y, x = np.indices(shape)
    labels[y == x] = rng.choice(ids)
    return labels


def _rings(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Holes in holes, two pixels wide."""
    y, x = np.indices(shape)
    depth = np.minimum.reduce([y, x, shape[0] - 1 - y, shape[1] - 1 - x]) // 2
    return rng.choice(ids, int(depth.max()) + 1)[depth]


def _void(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:  # noqa: ARG001
    return np.full(shape, VOID, np.uint8)


def _one(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    return np.full(shape, rng.choice(ids), np.uint8)


def _every(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """All ids, as far as there is room."""
    return np.resize(rng.permutation(ids), shape)


def _blocks(ids: Plane, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    blocks = rng.choice(ids, (shape[0] // 5 + 1, shape[1] // 5 + 1))
    return blocks.repeat(5, 0).repeat(5, 1)[: shape[0], : shape[1]]


MASKS: tuple[Callable[[Plane, tuple[int, int], np.random.Generator], Plane], ...] = (
    _every, _blocks, _checkerboard, _lines, _rings, _void, _one, _noise,
)  # fmt: skip


def mask(ids: Plane, shape: tuple[int, int], kind: int, rng: np.random.Generator) -> Plane:
    """uint8 labels of this shape, of the kind-th sort, of these ids."""
    return np.ascontiguousarray(MASKS[kind % len(MASKS)](ids, shape, rng))


def odd_media(folder: Path, seed: int = 0) -> list[tuple[Path, int]]:
    """(place, frames) of what is made there: pictures of odd sizes, JPEG turned by EXIF in each
    way, a video, one that is turned by its header."""
    rng = np.random.default_rng(seed)
    sizes, turned = folder / "odd sizes", folder / "turned"
    sizes.mkdir(parents=True)
    turned.mkdir()
    for number, shape in enumerate(SIZES):
        rgb = rng.integers(0, 256, (*shape, 3), np.uint8)
        Image.fromarray(rgb).save(sizes / f"odd_{number}.{'png' if number % 2 else 'bmp'}")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = orientation
        rgb = np.kron(rng.integers(0, 256, (3, 5, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
        Image.fromarray(rgb).save(turned / f"turned {orientation}.jpg", exif=exif, quality=95)
    video(folder / "night drive.mp4")
    video(folder / "held upright.mp4", rotation=90)
    return [
        (sizes, len(SIZES)),
        (turned, 8),
        (folder / "night drive.mp4", VIDEO_FRAMES),
        (folder / "held upright.mp4", VIDEO_FRAMES),
    ]


def video(path: Path, rotation: int = 0, frames: int = VIDEO_FRAMES) -> Path:
    """A video of clips.SIZE, shown turned by so many degrees."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options=clips.X264)
        stream.height, stream.width = clips.SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        if rotation:
            stream.set_display_rotation(rotation)
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(clips.picture(i + rotation), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Filled:
    """A project that is filled. labels: what was put into each frame."""

    def __init__(self, path: Path, classes: ClassMap) -> None:
        self.project = Project.create(path, classes)
        self.labels: dict[FrameKey, Plane] = {}
        self._media: dict[Path, int] = {}

    def add(self, place: Path) -> int:
        """The medium there, added when it is not in yet; its id."""
        if place not in self._media:
            source = open_source(place)
            info = complete_info(source)
            source.close()
            is_folder = info.kind == "sequence"
            self._media[place] = self.project.add_media(
                fingerprint=info.id, title=info.title, kind=info.kind, path=info.path,
                width=info.width, height=info.height, frames=info.frames,
                pictures=PictureNames(info.names, info.may_change) if is_folder else None,
            ).id  # fmt: skip
        return self._media[place]

    def confirm(
        self, place: Path, index: int, make: Callable[[tuple[int, int]], Plane]
    ) -> FrameKey:
        """Labels of a frame, confirmed whole. make: from its (H, W)."""
        key = FrameKey(self.add(place), index)
        source = open_source(place)
        frame = source.read(index)
        name = source.info.names[index] if source.info.names else ""
        source.close()
        shape = frame.height, frame.width
        labels = make(shape)
        about = FrameAbout(frame.id.time_us, frame.id.fingerprint, name, *shape)
        self.put(key, labels, about)
        return key

    def put(self, key: FrameKey, labels: Plane, about: FrameAbout) -> None:
        """The same for a frame of which all is known."""
        shape = labels.shape
        document = LabelDocument(np.full(shape, VOID, np.uint8), np.zeros(shape, np.uint8))
        document.begin("Confirm")
        whole = Area(Rect(0, 0, *shape), np.ones(shape, np.bool_))
        document.put(whole, labels, origin=CONFIRMED, over_human=True)
        step = document.commit()
        counts = tuple(int(n) for n in document.origin_counts[:5])
        self.project.push(key, 0, step, counts, about).result()
        self.labels[key] = labels
