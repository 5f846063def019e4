"""R16: what was exported is imported again bit by bit, in every format that promises it.

Projects over pictures of odd sizes (down to 1×1), JPEG turned by EXIF in all eight ways, a video
and one that is turned by its header; masks of every id, noise, checkerboards, lines of one pixel,
holes in holes, nothing but void. Each is exported (by turns: splits, a zip file) and imported twice
through the engine: into a new project over the same media, where every pixel must have the same id
and every frame its own labels; and into one made of the files alone, where the ids must be those
that the format has for them, the names of the classes and void the same, and the picture beside
the labels the one they were made for. Mistakes that others make are planted and must be found.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import labelled
import numpy as np
from sizes import size

from segstudio.core.classes import VOID, ClassMap
from segstudio.engine.exchange import importing
from segstudio.engine.exchange.exporting import export_project
from segstudio.engine.exchange.importing import run_import
from segstudio.engine.exchange.naming import FrameNames
from segstudio.engine.exchange.planning import ImportPlan, plan_import
from segstudio.engine.exchange.splits import Splits
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.formats.report import ExportReport
from segstudio.media.open import open_source
from segstudio.store.class_sets import load_class_set
from segstudio.store.project import FrameKey, Project

FRAMES, LONG_FRAMES = 60, 1000
AT_ONCE = 8
SEED = 16
SPLITS = (None, Splits((50, 25, 25), seed=SEED))


@dataclass(frozen=True)
class Way:
    """A format as it is asked for. classes: the name of a class set, or how many classes."""

    format: str
    classes: str | int
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def title(self) -> str:
        """For a person."""
        return " ".join([self.format, *(f"{k}={v}" for k, v in self.options)])

    def class_set(self) -> ClassMap:
        """The project's."""
        if isinstance(self.classes, int):
            return labelled.some_classes(self.classes)
        return load_class_set(self.classes)


NO_CLASS = {"unlabeled", "void"}
"""Classes that are void in the formats they come from."""

WAYS = (
    Way("index_png", 255),
    Way("index_png", "cityscapes19", (("ids", "cityscapes34"),)),
    Way("camvid", 255),
    Way("camvid", "camvid", (("coding", "numbers"),)),
    Way("camvid", "camvid32", (("class_set", "camvid32"),)),
    Way("cityscapes", "cityscapes34"),
    Way("cityscapes", "cityscapes34", (("instances", "always"),)),
    Way("kitti", "cityscapes34"),
    Way("bdd100k", "bdd100k19"),
    Way("bdd100k", "bdd100k41", (("task", "pan_seg"),)),
    Way("ade20k", "ade20k150"),
    Way("ade20k", 100, (("class_set", "own"),)),
    Way("comma10k", "comma10k"),
    Way("mapillary", "mapillary124"),
    Way("mapillary", "mapillary66", (("version", "v1.2"),)),
    Way("voc", 200),
    Way("voc", 255, (("ids", "own"),)),
    Way("voc", "voc21", (("ids", "voc21"),)),
    Way("coco", 255),
    Way("coco", 20, (("shape", "polygons"),)),
    Way("coco_panoptic", 255),
    Way("coco_stuff", 255),
    Way("cvat", 255),
    Way("datumaro", 255),
    Way("hugging_face", 200),
    Way("hugging_face", 255, (("ids", "own"),)),
    Way("label_me_xml", 60),
    Way("label_me_xml", 20, (("shapes", "polygons"),)),
    Way("label_studio", 255),
    Way("labelme", 20),
    Way("labelme", 60, (("shapes", "masks"),)),
    Way("open_images", 100),
)


def exported(folder: Path, way: Way, media: list[tuple[Path, int]], frames: int, turn: int) -> str:
    """ "" when so many frames in that format came back, or what was wrong."""
    rng = np.random.default_rng((SEED, turn))
    classes = way.class_set()
    carried = carried_by(way, classes)
    filled = labelled.Filled(folder / "from.segproj", classes)
    places = [(place, i) for place, count in media for i in range(count)]
    try:
        picked = rng.choice(len(places), min(frames, len(places)), replace=False)
        for number, i in enumerate(picked):
            kind = turn + number
            filled.confirm(*places[i], lambda s, k=kind: labelled.mask(carried, s, k, rng))
        target = folder / ("files.zip" if turn % 3 == 2 else "files")
        report = export_project(
            filled.project, target, way.format, options=dict(way.options),
            splits=SPLITS[turn % 2], zipped=target.suffix == ".zip", proof=turn % 4 == 0,
        )  # fmt: skip
        if report.frames != len(filled.labels) and turn % 2 == 0:
            return f"{report.frames} frames of {len(filled.labels)} were written"
        if report.proof is not None and not report.proof.is_exact:
            return report.proof.in_words()
        same = over_the_same_media(folder / "same.segproj", filled, target, way)
        return same or of_the_files(folder / "files.segproj", filled, target, way, report)
    finally:
        filled.project.close()


def carried_by(way: Way, classes: ClassMap) -> Any:
    """uint8: the ids that the format has a place for, and void. FormatError when that is not all
    but what is no class anyhow."""
    kind = FORMATS.get(way.format)
    ids = kind.writer(classes, complete(kind.writes_with, dict(way.options))).ids
    lost = [c.name for c in classes.classes if ids[c.id] == VOID]
    if any(name.casefold() not in NO_CLASS for name in lost):
        raise FormatError(f"{', '.join(lost[:5])} cannot be carried.")
    known = [c.id for c in classes.classes if ids[c.id] != VOID]
    return np.array([*known, VOID], np.uint8)


def over_the_same_media(path: Path, filled: labelled.Filled, target: Path, way: Way) -> str:
    """Into a new project that has the media, in another order."""
    new = labelled.Filled(path, filled.project.classes)
    try:
        pairs = {}
        for record in reversed(filled.project.media()):
            pairs[record.id] = new.add(record.path)
        plan = plan_import(target, new.project, format_name=way.format)
        try:
            run_import(plan, new.project, with_empty=True)
            wanted = {each.key for each in plan.matched}
        finally:
            plan.close()
        names = FrameNames(filled.project)
        found = 0
        for key, labels in filled.labels.items():
            other = FrameKey(pairs[key.media], key.index)
            stored = new.project.load(other)
            found += stored is not None
            if stored is not None and not np.array_equal(stored.labels, labels):
                wrong = np.count_nonzero(stored.labels != labels)
                name = filled.project.summary(key).about.name
                return f"{names.of(key, name)}: {wrong} of {labels.size} pixels, by id"
        if found != len(wanted) or found < len(filled.labels) * 0.7:
            return f"{found} of {len(filled.labels)} frames came back"
        return ""
    finally:
        new.project.close()


def of_the_files(
    path: Path, filled: labelled.Filled, target: Path, way: Way, report: ExportReport
) -> str:
    """Into a project that is made of the files and their pictures, whatever they seem to be."""
    plan = plan_import(target)
    if plan.guess.format != way.format:
        guess = plan.guess.format
        plan.close()
        return f"the files were taken for {guess}"
    writer = FORMATS.get(way.format).writer(filled.project.classes, report.options)
    project = Project.create(path, plan.classes)
    try:
        run_import(plan, project, with_empty=True)
        where = _frames_of(plan, project)
        names = FrameNames(filled.project)
        for key, labels in filled.labels.items():
            name = names.of(key, filled.project.summary(key).about.name)
            new = where.get(report.read_as.get(name, name).casefold())
            if new is None and report.frames < len(filled.labels):
                continue  # cut away between two splits
            trouble = "is not there" if new is None else ""
            trouble = trouble or _compared(filled, key, labels, project, new, writer.ids)
            if trouble:
                return f"{name}: {trouble}, of the files"
        return ""
    finally:
        plan.close()
        project.close()


def _frames_of(plan: ImportPlan, project: Project) -> dict[str, FrameKey]:
    """The reader's name of a frame → its frame in the new project."""
    by_picture = {
        (record.path if record.kind == "sequence" else record.path.parent, s.about.name): s.key
        for record in project.media()
        for s in project.frames(record.id)
    }
    pictures = project.path.with_name(f"{project.path.stem} pictures")
    found = {}
    for each in plan.matched:
        new = plan.new[-1 - each.key.media]
        file = new.files[each.key.index]
        folders = [new.folder] if new.folder else list(pictures.iterdir())
        keys = [k for f in folders if (k := by_picture.get((f, file.name))) is not None]
        if len(keys) == 1:
            found[each.ref.name.casefold()] = keys[0]
    return found


def _compared(
    filled: labelled.Filled, key: FrameKey, labels: Any, project: Project, new: FrameKey, ids: Any
) -> str:
    stored = project.load(new)
    expected = ids[labels]
    if stored is None or stored.labels.shape != expected.shape:
        return "has another size"
    if not np.array_equal(stored.labels, expected):
        return f"{np.count_nonzero(stored.labels != expected)} of {labels.size} pixels"
    pairs = np.unique(np.stack([labels.ravel(), stored.labels.ravel()]), axis=1).T
    for old, now in pairs:
        before, after = _name(filled.project.classes, old), _name(project.classes, now)
        if before != after:
            return f"'{before}' is called '{after}' now"
    if not _is_same_picture(filled.project, key, project, new):
        return "the picture is another one"
    return ""


def _name(classes: ClassMap, class_id: int) -> str:
    return "" if class_id == VOID else classes.name_of(int(class_id))


def _is_same_picture(old: Project, key: FrameKey, new: Project, other: FrameKey) -> bool:
    """JPEG that was turned may have been encoded again."""
    seen = []
    for project, at in ((old, key), (new, other)):
        record = next(r for r in project.media() if r.id == at.media)
        source = open_source(record.path)
        seen.append(source.read(at.index).rgb.astype(np.int16))
        source.close()
    return seen[0].shape == seen[1].shape and float(np.abs(seen[0] - seen[1]).mean()) < 4


def trips(ways: tuple[Way, ...], frames: int) -> tuple[int, list[str]]:
    """(frames there and back, what went wrong): so many frames, over all ways."""
    troubles: list[str] = []
    done, turn = 0, 0
    with labelled.scratch() as scratch:
        media = labelled.odd_media(Path(scratch) / "media")
        each = max(2, min(AT_ONCE, -(-frames // len(ways))))
        while done < frames or turn < len(ways):
            way = ways[turn % len(ways)]
            with labelled.scratch() as folder:
                # Another turn for each way: they are a multiple of what turns decide.
                number = turn + turn // len(ways)
                try:
                    trouble = exported(Path(folder), way, media, each, number)
                except SegStudioError as error:
                    trouble = str(error)
            troubles += [f"{way.title}, turn {number}: {trouble}"] if trouble else []
            done += each
            turn += 1
    return done, troubles


def _void_is_zero(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda labels, *more: real(np.where(labels == VOID, 0, labels).astype(np.uint8), *more)


def _in_seven_bits(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda labels, *more: real(labels & 127, *more)


def _shifted(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda labels, *more: real(np.roll(labels, 1), *more)


def _unmapped(_: Callable[..., Any]) -> Callable[..., Any]:
    return lambda labels, _: labels


MISTAKES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "void becomes a class": (rasters, "encode_indices", _void_is_zero),
    "seven bits": (rasters, "encode_indices", _in_seven_bits),
    "a pixel aside": (rasters, "encode_indices", _shifted),
    "ids of the files": (importing, "remap", _unmapped),
}
CAUGHT_BY = (
    Way("index_png", 255),
    Way("index_png", "cityscapes19", (("ids", "cityscapes34"),)),
)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The program with that mistake."""
    where, what, mistake = MISTAKES[name]
    real = getattr(where, what)
    setattr(where, what, mistake(real))
    try:
        yield
    finally:
        setattr(where, what, real)


def measure() -> tuple[str, str, str, bool | None, str]:
    """All ways by turns."""
    wanted = size(FRAMES, LONG_FRAMES)
    os.sync = lambda: None  # it waits for whatever else the machine writes
    done, troubles = trips(WAYS, wanted)
    seen = []
    for name in MISTAKES:
        with planted(name):
            seen += [name] if trips(CAUGHT_BY, 4)[1] else []
    formats = {way.format for way in WAYS}
    lacking = [
        name for name in FORMATS
        if FORMATS.get(name).is_exact and FORMATS.get(name).can_write and name not in formats
    ]  # fmt: skip
    return (
        "export, import: equal to the bit",
        f"{len(troubles)} bad of {done} frames, {len(formats)} formats",
        "0 bad, every exact format",
        not troubles and not lacking and len(seen) == len(MISTAKES),
        f"{len(WAYS)} ways; {len(seen)} of {len(MISTAKES)} planted mistakes caught"
        + "".join(f"; {name} is not tried" for name in lacking)
        + "".join("; " + t for t in troubles[:20]),
    )
