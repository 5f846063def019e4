"""COCO: what its lists hold, what pycocotools makes of them, real files, and damaged ones."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.kinds.coco import Coco
from segstudio.formats.labelled import Labelled
from segstudio.formats.options import complete

A = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]], np.uint8)
KIND = Coco()
LISTS = "annotations/instances_train.json"

maps = arrays.arrays(
    np.uint8,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0, 1, 2, VOID]),
)


def written(folder, frames, classes, **options):
    """What the writer makes of frames, on the disk; the source of it."""
    writer = KIND.writer(classes, complete(KIND.writes_with, options))
    entries = [json.loads(json.dumps(writer.frame(item).entry)) for item in frames]
    for file in writer.finish(lambda: iter(entries)):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            file.content if isinstance(file.content, bytes) else b"".join(file.content)
        )
    return FolderSource(folder)


def opened(source):
    return KIND.open(source, {})


def read_first(source):
    reader = opened(source)
    return reader.read(reader.frames[0])


@pytest.fixture
def two_classes():
    return ClassMap("two", (ClassDef(4, "sky", (1, 2, 3)), ClassDef(9, "car", (4, 5, 6))))


@pytest.fixture
def list_of(tmp_path):
    """make(segmentation, …) → the folder of a list with one annotation of a 4×3 image."""

    def make(segmentation, *, image=None, annotation=None, category=None, **more):
        rows = {
            "images": [{"id": 5, "file_name": "a.jpg", "width": 4, "height": 3, **(image or {})}],
            "categories": [{"id": 7, "name": "car", **(category or {})}],
            "annotations": [
                {"id": 1, "image_id": 5, "category_id": 7, "segmentation": segmentation}
                | (annotation or {})
            ],
        }
        (tmp_path / "list.json").write_text(json.dumps({**rows, **more}))
        return FolderSource(tmp_path)

    return make


def test_the_list_is_coco_s(tmp_path, two_classes):
    labels = np.where(A, 9, VOID).astype(np.uint8)
    labels[2, 0] = 4
    written(tmp_path, [Labelled("drive_0", labels)], two_classes)
    content = json.loads((tmp_path / LISTS).read_text())
    assert content["images"] == [{"id": 1, "file_name": "drive_0.png", "width": 4, "height": 3}]
    assert [(c["id"], c["name"]) for c in content["categories"]] == [(1, "sky"), (2, "car")]
    assert content["annotations"][1] == {
        "id": 2,
        "image_id": 1,
        "category_id": 2,
        "segmentation": {"size": [3, 4], "counts": "32112"},
        "area": 5,
        "bbox": [1, 0, 2, 3],
        "iscrowd": 0,
    }


def test_each_split_has_its_list_and_folder(there_and_back, some_classes, some_frames):
    classes = some_classes()
    frames = some_frames(2, classes, split="train") + some_frames(
        1, classes, split="val", clip="other"
    )
    trip = there_and_back("coco", frames, classes)
    files = sorted(
        p.relative_to(trip.folder).as_posix() for p in trip.folder.rglob("*") if p.is_file()
    )
    assert files == [
        "annotations/instances_train.json",
        "annotations/instances_val.json",
        "images/train/drive_000000.png",
        "images/train/drive_000001.png",
        "images/val/other_000000.png",
    ]
    val = json.loads((trip.folder / "annotations/instances_val.json").read_text())
    assert val["images"][0]["id"] == 3
    assert val["annotations"][0]["id"] == 1
    assert {a["image_id"] for a in val["annotations"]} == {3}
    assert trip.proof.is_exact
    assert [str(ref.picture) for ref in trip.reader.frames] == files[2:]


@given(maps, st.sampled_from(["rle", "polygons"]))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_labels_come_back(tmp_path_factory, some_classes, labels, shape):
    folder = tmp_path_factory.mktemp("coco")
    classes = some_classes(3)
    reader = opened(written(folder, [Labelled("a", labels)], classes, shape=shape))
    (ref,) = reader.frames
    assert reader.read(ref).labels.tolist() == labels.tolist()


def test_all_255_classes_survive(tmp_path, some_classes):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    reader = opened(written(tmp_path, [Labelled("a", labels)], some_classes(255)))
    assert (reader.read(reader.frames[0]).labels == labels).all()
    assert [c.name for c in reader.classes.classes[253:]] == ["class 253", "class 254"]


def test_instances_are_annotations_and_the_rest_of_their_class_a_crowd(tmp_path, two_classes):
    labels = np.array([[9, 9, 9, 9], [4, 4, 9, 9]], np.uint8)
    instances = np.array([[1, 2, 2, 0], [0, 0, 0, 0]], np.int32)
    for shape in ("rle", "polygons"):
        folder = tmp_path / shape
        source = written(
            folder, [Labelled("a", labels, instances=instances)], two_classes, shape=shape
        )
        reader = opened(source)
        back = reader.read(reader.frames[0])
        assert (back.labels == np.where(labels == 9, 1, 0)).all()
        assert (back.instances[labels == 9] > 0).sum() >= 3
        assert back.instances[0].tolist()[:3] == [1, 2, 2]
    rows = json.loads((tmp_path / "rle" / LISTS).read_text())["annotations"]
    assert [(r["category_id"], r["iscrowd"], r["area"]) for r in rows] == [
        (1, 0, 2),
        (2, 1, 3),
        (2, 0, 1),
        (2, 0, 2),
    ]


def test_polygons_with_a_tolerance_have_fewer_corners_and_say_so(some_classes):
    yy, xx = np.mgrid[:60, :60]
    labels = ((yy - 30) ** 2 + (xx - 30) ** 2 < 400).astype(np.uint8)
    points = []
    for tolerance in (0.0, 1.5):
        options = complete(KIND.writes_with, {"shape": "polygons", "tolerance": tolerance})
        writer = KIND.writer(some_classes(2), options)
        rows = writer.frame(Labelled("a", labels)).entry["annotations"]
        points.append(sum(len(ring) for row in rows for ring in row["segmentation"]))
    assert points[1] < points[0] / 2
    assert writer.cannot == ("Borders are moved by up to about 1.5 px.",)


def test_only_a_loss_that_was_asked_for_is_expected(there_and_back, some_classes):
    yy, xx = np.mgrid[:60, :60]
    frames = [Labelled("a", ((yy - 30) ** 2 + (xx - 30) ** 2 < 400).astype(np.uint8))]
    for tolerance in (0.0, 3.0):
        trip = there_and_back(
            "coco",
            frames,
            some_classes(2),
            shape="polygons",
            tolerance=tolerance,
            folder=f"{tolerance}",
        )
        assert trip.proof.is_exact != trip.proof.is_expected
        assert trip.proof.is_expected == bool(tolerance)


@pytest.mark.parametrize("shape", ["rle", "polygons"])
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of its compiled part
def test_pycocotools_finds_the_same_pixels(tmp_path, some_classes, some_frames, shape, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    classes = some_classes(4)
    frames = some_frames(2, classes, size=(41, 57))
    frames[0].labels[10:30, 10:30] = 2  # holes in holes
    frames[0].labels[13:27, 13:27] = VOID
    frames[0].labels[16:20, 16:20] = 2
    written(tmp_path, frames, classes, shape=shape)
    theirs = coco.COCO(str(tmp_path / LISTS))
    for image, item in zip(theirs.loadImgs(theirs.getImgIds()), frames, strict=True):
        labels = np.full(item.labels.shape, VOID, np.uint8)
        for row in theirs.loadAnns(theirs.getAnnIds(imgIds=image["id"])):
            mask = theirs.annToMask(row).astype(bool)
            assert mask.sum() == row["area"]
            assert (labels[mask] == VOID).all()
            labels[mask] = row["category_id"] - 1
        assert (labels == item.labels).all()


def test_a_list_is_never_whole_in_memory(some_classes):
    """Pieces come while entries are still being asked for, and none is large."""
    writer = KIND.writer(some_classes(2), complete(KIND.writes_with, {}))
    entry = writer.frame(
        Labelled("a", np.kron(np.indices((9, 9)).sum(0) % 2, np.ones((3, 3))).astype(np.uint8))
    ).entry
    asked = []

    def entries():
        for i in range(5000):
            asked.append(i)
            yield {**entry, "file_name": f"{i}.png"}

    (file,) = writer.finish(entries)
    pieces = iter(file.content)
    asked.clear()
    first = [next(pieces) for _ in range(4)]
    assert len(asked) < 5000
    assert all(len(piece) < 100_000 for piece in [*first, *pieces])


def test_ids_that_jump_become_classes_in_their_order(list_of):
    categories = [{"id": 90, "name": "x"}, {"id": 7, "name": "car"}, {"id": 11, "name": "y"}]
    reader = opened(list_of({"size": [3, 4], "counts": "32112"}, categories=categories))
    assert [(c.id, c.name) for c in reader.classes.classes] == [(0, "car"), (1, "y"), (2, "x")]
    assert (reader.read(reader.frames[0]).labels == np.where(A, 0, VOID)).all()


def test_lists_counts_text_and_polygons_are_the_same_region(list_of):
    for segmentation in (
        {"size": [3, 4], "counts": [3, 2, 1, 3, 3]},
        {"size": [3, 4], "counts": "32112"},
        [[1, 0, 3, 0, 3, 3, 2, 3, 2, 2, 1, 2]],
        [1, 0, 3, 0, 3, 3, 2, 3, 2, 2, 1, 2],
        [[1, 0, 3, 0, 3, 2, 1, 2], [2, 2, 3, 2, 3, 3, 2, 3]],
    ):
        reader = opened(list_of(segmentation))
        assert (reader.read(reader.frames[0]).labels == np.where(A, 0, VOID)).all()


def test_small_regions_lie_on_large_ones_and_crowds_below(list_of):
    annotations = [
        {"image_id": 5, "category_id": 2, "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]},
        {"image_id": 5, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]},
        {"image_id": 5, "category_id": 3, "iscrowd": 1, "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]},
    ]
    categories = [{"id": i, "name": str(i)} for i in (1, 2, 3)]
    reader = opened(list_of(None, annotations=annotations, categories=categories))
    assert reader.read(reader.frames[0]).labels[:2, :2].tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"segmentation": {"size": [4, 3], "counts": "32112"}}, "'size' is [4, 3]"),
        ({"segmentation": {"size": [3, 4], "counts": "3211"}}, "'counts' sums to"),
        ({"segmentation": {"size": [3, 4], "counts": [1, 2]}}, "'counts' sums to 3"),
        ({"segmentation": {"size": [3, 4], "counts": [12, -1, 1]}}, "'counts' holds a run of -1"),
        ({"segmentation": {"size": [3, 4], "counts": {}}}, "'counts' is no list"),
        ({"segmentation": {"size": [3, 4]}}, "'counts' is no list"),
        ({"segmentation": {"counts": "32112"}}, "'size' is None"),
        ({"segmentation": "32112"}, "'segmentation' is neither"),
        ({"segmentation": [["a", 1, 2, 3, 4, 5]]}, "'segmentation' 0 is no list of numbers"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "5 numbers instead of pairs"),
        ({"segmentation": [[1, 2, 3, 4, 5, float("nan")]]}, "not finite"),
        ({"segmentation": [[1, 2, 3, 4, 5, 10**400]]}, "not finite"),
        ({"segmentation": [1, [2]]}, "no list of numbers"),
        ({"annotation": {"image_id": "x"}}, "'image_id' is 'x'"),
        ({"annotation": {"image_id": None}}, "'image_id' is null"),
        ({"annotation": {"category_id": 8}}, "category_id 8"),
        ({"annotation": {"category_id": 7.5}}, "'category_id' is '7.5'"),
        ({"image": {"width": 10**9, "height": 10**9}}, "1000000000×1000000000"),
        ({"image": {"width": "4px"}}, "'width' is '4px'"),
        ({"image": {"height": -3}}, "'height' is '-3'"),
        ({"image": {"height": 0}}, "4×0 pixels"),
        ({"image": {"file_name": None}}, "'file_name' is null"),
        ({"image": {"id": True}}, "'id' is 'True'"),
        ({"category": {"name": ["x"]}}, "'name' is a list"),
        ({"category": {"id": {}}}, "'id' is an object"),
        ({"images": 3}, "'images' is '3' instead of a list"),
        ({"images": [3]}, "'images' 0 is '3' instead of an object"),
        ({"annotations": {}}, "'annotations' is an object"),
        (
            {"categories": [{"id": i, "name": "x"} for i in range(300)], "annotations": []},
            "no classes",
        ),
        (
            {"images": [{"id": 1, "file_name": "a", "width": 1, "height": 1}] * 2},
            "id 1 comes twice",
        ),
        (
            {"categories": [{"id": 7, "name": "a"}, {"id": 7, "name": "b"}]},
            "'b' here and 'a' elsewhere",
        ),
    ],
)
def test_damage_is_one_sentence_with_file_and_field(list_of, change, field):
    source = list_of(**{"segmentation": {"size": [3, 4], "counts": "32112"}, **change})
    with pytest.raises(FormatError) as told:
        read_first(source)
    assert field in str(told.value)
    assert "list.json" in str(told.value)


def test_more_than_255_categories_are_read_where_fewer_are_used(list_of):
    many = [{"id": i, "name": f"c{i}"} for i in range(1203)]
    reader = opened(list_of({"size": [3, 4], "counts": "32112"}, categories=many))
    assert [c.name for c in reader.classes.classes] == ["c7"]


def test_a_name_that_leads_out_is_only_a_name(list_of):
    reader = opened(
        list_of({"size": [3, 4], "counts": "32112"}, image={"file_name": "../../etc/passwd"})
    )
    assert (reader.frames[0].name, reader.frames[0].picture) == ("passwd", None)


def test_regions_without_pixels_or_lists_are_noted(list_of):
    rows = [
        {"image_id": 5, "category_id": 7, "bbox": [0, 0, 1, 1], "segmentation": []},
        {"image_id": 6, "category_id": 7, "segmentation": [[0, 0, 1, 0, 1, 1]]},
    ]
    reader = opened(list_of(None, annotations=rows))
    assert (reader.read(reader.frames[0]).labels == VOID).all()
    assert len(reader.notes) == 2


@pytest.mark.realdata
@pytest.mark.parametrize("export", ["coco_instances", "coco_rle_compressed"])
def test_camvid_run_lengths_are_the_truth(data_dir, export):
    exports = data_dir / "importers/camvid_exports"
    reader = opened(open_files(exports / export))
    assert len(reader.frames) == 2
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        labels = reader.read(ref).labels
        assert (labels[truth < 11] == truth[truth < 11]).all()
        assert (labels[truth == 11] == VOID).all()
        assert ref.picture.name == f"{ref.name}.png"


@pytest.mark.realdata
def test_camvid_polygons_lose_what_pycocotools_loses(data_dir):
    exports = data_dir / "importers/camvid_exports"
    reader = opened(open_files(exports / "coco_instances_polygons"))
    for ref in reader.frames:
        truth = np.asarray(Image.open(exports / "truth" / f"{ref.name}.png"))
        wrong = (reader.read(ref).labels != truth) & (truth < 11)
        assert 0.04 < wrong.sum() / (truth < 11).sum() < 0.055


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of its compiled part
def test_camvid_polygons_are_to_the_pixel_what_pycocotools_makes_of_them(data_dir):
    coco = pytest.importorskip("pycocotools.coco")
    folder = data_dir / "importers/camvid_exports/coco_instances_polygons"
    theirs = coco.COCO(str(folder / "annotations/instances_train.json"))
    reader = opened(open_files(folder))
    for ref in reader.frames:
        rows = theirs.imgToAnns[ref.key.image.number]  # this file gives annotations their ids twice
        labels = reader.read(ref).labels
        masks = [theirs.annToMask(row).astype(bool) for row in rows]
        assert ((labels != VOID) == np.any(masks, axis=0)).all()
        alone = np.sum(masks, axis=0) == 1
        for row, mask in zip(rows, masks, strict=True):
            assert (labels[mask & alone] == row["category_id"] - 1).all()


@pytest.mark.realdata
def test_files_of_other_tools_load(data_dir):
    panoptic = data_dir / "importers/coco_panopticapi/sample_data"
    reader = opened(open_files(panoptic / "panoptic_coco_detection_format.json"))
    assert len(reader.classes) == 133
    for ref in reader.frames:
        found = reader.read(ref)
        assert found.instances.max() == 13
        assert (found.labels != VOID).mean() > 0.9
    for name in ("coco_person_keypoints", "coco", "coco_instances"):
        reader = opened(open_files(data_dir / "importers/datumaro_assets/coco_dataset" / name))
        assert [c.name for c in reader.classes.classes][:2] == ["a", "b"]
        by_name = {ref.name: reader.read(ref).labels for ref in reader.frames}
        assert np.bincount(by_name["b"].ravel(), minlength=256)[[0, 1, 255]].tolist() == [2, 18, 30]
