"""What holds for every format there is, also for those of tomorrow."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import SegStudioError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

WRITING = [name for name in FORMATS if FORMATS.get(name).can_write]
EXACT = [name for name in WRITING if FORMATS.get(name).is_exact]


def streets(rng, size, *, void=True):
    """Labels with thin lines, a checkerboard, holes in holes and void."""
    height, width = size
    labels = rng.integers(0, 11, (height // 5 + 1, width // 5 + 1), np.uint8)
    labels = np.kron(labels, np.ones((5, 5), np.uint8))[:height, :width].copy()
    labels[height // 2] = 2
    labels[:, width // 3] = 6
    labels[: height // 4, : width // 4] = (np.indices((height // 4, width // 4)).sum(0) % 2) * 3
    for ring, value in enumerate((8, 3, 8, 9)):
        low, high = 2 + ring * 2, min(height, width) - 2 - ring * 2
        labels[height - high : height - low, width - high : width - low] = value
    if void:
        labels[-3:] = VOID
    return labels


@pytest.mark.parametrize("name", list(FORMATS))
def test_it_says_what_it_is(name):
    kind = FORMATS.get(name)
    assert kind.name == name
    assert kind.title
    assert kind.about.endswith(".")
    for option in (*kind.writes_with, *kind.reads_with):
        assert option.parse(option.default) == option.default
        assert option.title
    json.dumps(complete(kind.writes_with, {}))


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("split", ["", "train"])
def test_what_it_writes_it_reads_back(name, split, there_and_back):
    rng = np.random.default_rng(7)
    camvid = load_class_set("camvid")
    sizes = [(40, 61), (33, 48), (64, 64)]
    frames = [
        Labelled(f"drive_{i:06d}", streets(rng, size), None, "drive", split, i)
        for i, size in enumerate(sizes)
    ]
    trip = there_and_back(name, frames, camvid)
    assert trip.proof.frames == 3
    if FORMATS.get(name).is_exact:
        assert trip.proof.is_exact, trip.proof.in_words()
    else:
        assert trip.proof.different < trip.proof.pixels * 0.12, trip.proof.in_words()


@pytest.mark.parametrize("name", WRITING)
def test_it_recognises_its_own_files(name, there_and_back, some_frames):
    camvid = load_class_set("camvid")
    trip = there_and_back(name, some_frames(3, camvid), camvid)
    guess = FORMATS.get(name).sniff(FolderSource(trip.folder))
    assert guess is not None
    assert guess.format == name
    assert guess.why.endswith(".")


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("case", ["void", "one", "pixel", "row", "board"])
def test_odd_masks_survive(name, case, there_and_back):
    camvid = load_class_set("camvid")
    labels = {
        "void": np.full((9, 7), VOID, np.uint8),
        "one": np.full((9, 7), 3, np.uint8),
        "pixel": np.full((1, 1), 4, np.uint8),
        "row": np.arange(23, dtype=np.uint8)[None] % 11,
        "board": (np.indices((16, 17)).sum(0) % 2).astype(np.uint8),
    }[case]
    trip = there_and_back(name, [Labelled("a_000000", labels, None, "a")], camvid)
    assert trip.proof.is_exact, trip.proof.in_words()


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize(
    "called",
    [
        ("x_L", "x"),
        ("x_L", "y_L"),
        ("drive_color", "drive"),
        ("a_gtFine_labelIds", "b"),
        ("front_rgb", "front"),
        ("a%20b", "a+b"),
        ("a b", "a#b"),
        ("01", "1"),
        ("train", "val"),
        ("é" * 60, "é" * 59),
    ],
)
def test_frames_keep_their_names(name, called, there_and_back, some_frames):
    """Also where they end as files of labels do."""
    camvid = load_class_set("camvid")
    frames = [
        replace(frame, name=new, split="val")
        for frame, new in zip(some_frames(2, camvid), called, strict=True)
    ]
    trip = there_and_back(name, frames, camvid)
    assert len(trip.reader.frames) == 2
    assert trip.proof.is_exact or trip.proof.is_expected, trip.proof.in_words()


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize(
    "called",
    [("void", "sky", "ignored"), ("a:b", "#x", "c,d"), ("_background_", "object", "__ignore__")],
)
def test_odd_names_of_classes_lose_nothing_unsaid(name, called, there_and_back, some_frames):
    rows = (ClassDef(i + 3, word, (90 * i, 40, 200)) for i, word in enumerate(called))
    classes = ClassMap("mine", tuple(rows))
    trip = there_and_back(name, some_frames(2, classes), classes)
    assert trip.proof.is_exact or trip.proof.is_expected, trip.proof.in_words()
    assert all(any(word in text for text in trip.report.cannot) for word in trip.report.lost)


@pytest.mark.parametrize("name", list(FORMATS))
def test_foreign_files_are_no_crash(name, tmp_path):
    """Whatever lies there: no guess, or a reader, or one sentence."""
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    (tmp_path / "b.json").write_text('{"images": 3, "annotations": {}, "shapes": [1]}')
    (tmp_path / "c.xml").write_text("<annotations><image/></annotations>")
    (tmp_path / "d.json").write_text("[" * 100_000)
    kind = FORMATS.get(name)
    source = FolderSource(tmp_path)
    guess = kind.sniff(source)
    try:
        reader = kind.open(source, complete(kind.reads_with, guess.options if guess else {}))
        for ref in reader.frames:
            reader.read(ref)
    except SegStudioError as error:
        assert str(error).endswith(".")  # noqa: PT017  it may as well not fail


def test_the_list_of_formats_needs_no_opencv():
    """The window shows it before anything large is loaded."""
    code = (
        "import sys\nfrom segstudio.formats.registry import FORMATS\n"
        "[FORMATS.get(name) for name in FORMATS]\n"
        "print([m for m in ('cv2', 'numba', 'pyarrow', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
