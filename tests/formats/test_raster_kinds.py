"""Formats of one raster a frame: any mask comes back, and no damaged file is more than a sentence."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segstudio.core.classes import VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.store.class_sets import load_class_set

KINDS = [
    ("index_png", "cocostuff171", {}),
    ("camvid", "cocostuff171", {}),
    ("camvid", "camvid", {"coding": "numbers"}),
    ("kitti", "cityscapes34", {}),
    ("bdd100k", "cityscapes19", {}),
    ("bdd100k", "bdd100k41", {"task": "pan_seg"}),
    ("comma10k", "comma10k", {}),
    ("ade20k", "ade20k150", {}),
    ("ade20k", "cocostuff171", {"class_set": "own"}),
    ("mapillary", "mapillary66", {"version": "v1.2"}),
    ("mapillary", "mapillary124", {"version": "v2.0"}),
]


def masks(ids):
    """Strategy: uint8 (H, W) of these ids and void, of odd sizes and odd forms."""

    def build(height, width, form, seed):
        rng = np.random.default_rng(seed)
        some = rng.choice([*ids, VOID], 8).astype(np.uint8)
        rows, columns = np.indices((height, width))
        code = {
            "random": rng.integers(0, 8, (height, width)),
            "lines": (columns % 3 == 0) * 2 + (rows % 5 == 0),
            "board": (rows + columns) % 2,
            "rings": np.minimum(
                np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns)
            )
            % 8,
            "one": np.zeros((height, width), int),
        }[form]
        return some[code]

    forms = st.sampled_from(["random", "lines", "board", "rings", "one"])
    return st.builds(build, st.integers(1, 33), st.integers(1, 33), forms, st.integers(0, 2**32))


def written(folder, writer, item):
    """Puts a frame and the lists there, as an export does."""
    done = writer.frame(item)
    for file in (*done.files, *writer.finish(lambda: iter([done.entry]))):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        content = file.content if isinstance(file.content, bytes) else b"".join(file.content)
        path.write_bytes(content)


@pytest.mark.parametrize(("name", "classes", "options"), KINDS)
def test_any_mask_comes_back(name, classes, options, tmp_path_factory):
    kind = FORMATS.get(name)
    known = load_class_set(classes)
    writer = kind.writer(known, complete(kind.writes_with, options))

    @given(masks([c.id for c in known.classes]), st.integers(0, 2**32))
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    def check(labels, seed):
        folder = tmp_path_factory.mktemp(name)
        rng = np.random.default_rng(seed)
        instances = rng.integers(0, 200, labels.shape).astype(np.int32)
        written(folder, writer, Labelled("a", labels, instances=instances))
        source = FolderSource(folder)
        guess = kind.sniff(source)
        given_options = complete(kind.reads_with, guess.options if guess else {})
        reader = kind.open(source, given_options, known)
        read = reader.read(reader.frames[0])
        np.testing.assert_array_equal(read.labels, writer.ids[labels])

    check()


@pytest.mark.parametrize(("name", "classes", "options"), KINDS)
def test_every_class_of_its_set_is_carried(name, classes, options, tmp_path):
    kind = FORMATS.get(name)
    known = load_class_set(classes)
    writer = kind.writer(known, complete(kind.writes_with, options))
    labels = np.array([[c.id for c in known.classes] + [VOID]], np.uint8)
    written(tmp_path, writer, Labelled("a", labels))
    source = FolderSource(tmp_path)
    reader = kind.open(source, complete(kind.reads_with, {}), known)
    read = reader.read(reader.frames[0]).labels
    np.testing.assert_array_equal(read, writer.ids[labels])
    lost = {known.name_of(int(i)) for i in labels[0][read[0] == VOID]} - {"void"}
    assert not {name.casefold() for name in lost} - {"unlabeled"}


@pytest.mark.parametrize(("name", "classes", "options"), KINDS)
@pytest.mark.parametrize("how", ["cut", "flip", "text", "empty", "zeros"])
def test_damaged_files_are_one_sentence_or_are_read(name, classes, options, how, tmp_path):
    kind = FORMATS.get(name)
    known = load_class_set(classes)
    writer = kind.writer(known, complete(kind.writes_with, options))
    rng = np.random.default_rng(5)
    labels = rng.choice([c.id for c in known.classes], (20, 20)).astype(np.uint8)
    instances = rng.integers(0, 9, labels.shape).astype(np.int32)
    written(tmp_path, writer, Labelled("a", labels, instances=instances))
    files = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    for place, file in enumerate(files):
        whole = file.read_bytes()
        broken = bytearray(whole)
        for at in rng.integers(0, len(whole), 4):
            broken[at] ^= 1 << int(rng.integers(0, 8))
        content = {
            "cut": whole[: len(whole) // 2],
            "flip": bytes(broken),
            "text": b"[[[[",
            "empty": b"",
            "zeros": b"\0" * 64,
        }[how]
        file.write_bytes(content)
        source = FolderSource(tmp_path)
        try:
            guess = kind.sniff(source)
            given_options = complete(kind.reads_with, guess.options if guess else {})
            reader = kind.open(source, given_options, known)
            for ref in reader.frames:
                reader.read(ref)
        except FormatError as error:
            assert str(error).endswith("."), (place, file)  # noqa: PT017  it may as well be read
        file.write_bytes(whole)


def test_a_header_that_claims_gigabytes_is_refused_before_decoding(tmp_path):
    content = bytearray(rasters.encode_grey(np.zeros((2, 2), np.uint8)))
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/a.png").write_bytes(bytes(content))
    kind = FORMATS.get("index_png")
    source = FolderSource(tmp_path)
    assert kind.sniff(source) is None
    with pytest.raises(FormatError):
        kind.open(source, complete(kind.reads_with, {}))
