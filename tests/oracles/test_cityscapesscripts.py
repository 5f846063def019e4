"""Against cityscapesScripts' own evaluation, run over label and instance rasters on the disk."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main
from segstudio.core.categories import Categories, categories_in, category_scores
from segstudio.core.classes import load_class_map
from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.instances import CITYSCAPES_SIZES, instance_records, instance_scores
from segstudio.core.metrics import scores_of

RESOURCES = Path(__file__).parents[2] / "resources" / "classes"
ALL, TRAINED = (load_class_map(RESOURCES / f"cityscapes{n}.json") for n in (34, 19))
THINGS, STUFF = list(range(24, 34)), [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23]
IGNORED = [0, 1, 3, 4, 5, 9, 16]
TRAIN = 31  # in neither raster


def rows_of(name):
    return json.loads((RESOURCES / f"{name}.json").read_text())["classes"]


def street(rng, size=(96, 128)):
    """(labelIds, predicted labelIds, instanceIds): stuff, things in front, some without a number."""
    truth = rng.choice(STUFF + IGNORED, (6, 8)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    instances = truth.astype(np.uint16)
    for _ in range(14):
        label = int(rng.choice([t for t in THINGS if t != TRAIN]))
        y, x = rng.integers(0, size[0] - 4), rng.integers(0, size[1] - 4)
        area = np.s_[y : y + rng.integers(3, 30), x : x + rng.integers(3, 30)]
        truth[area] = label
        instances[area] = label if rng.random() < 0.2 else label * 1000 + rng.integers(0, 12)
    said = np.roll(truth, tuple(rng.integers(-2, 3, 2)), (0, 1))
    wrong = rng.random((24, 32)).repeat(4, 0).repeat(4, 1) < 0.3
    other = rng.choice([t for t in range(34) if t != TRAIN], (24, 32)).repeat(4, 0).repeat(4, 1)
    return truth, np.where(wrong, other, said).astype(np.uint8), instances


@pytest.fixture
def evaluation(oracle, monkeypatch):
    # NumPy 2.4 has no in1d any more.
    monkeypatch.setattr(np, "in1d", np.isin, raising=False)
    module = oracle("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    monkeypatch.setattr(module.args, "quiet", True)
    monkeypatch.setattr(module.args, "JSONOutput", False)
    return module


@pytest.fixture(scope="module")
def streets():
    rng = np.random.default_rng(2016)
    return [street(rng) for _ in range(5)]


@pytest.fixture
def evaluated_in(evaluation):
    """Writes streets into pred/ and gtFine/ of a folder; their answer for them."""

    def run(folder, streets):
        truths, saids = folder / "gtFine", folder / "pred"
        truths.mkdir()
        saids.mkdir()
        stems = [f"town_{number:06}_000019" for number in range(len(streets))]
        for stem, (truth, said, instances) in zip(stems, streets, strict=True):
            Image.fromarray(truth).save(truths / f"{stem}_gtFine_labelIds.png")
            Image.fromarray(instances).save(truths / f"{stem}_gtFine_instanceIds.png")
            Image.fromarray(said).save(saids / f"{stem}_labelIds.png")
        return evaluation.evaluateImgLists(
            [str(saids / f"{stem}_labelIds.png") for stem in stems],
            [str(truths / f"{stem}_gtFine_labelIds.png") for stem in stems],
            evaluation.args,
        )

    return run


@pytest.fixture
def evaluated(evaluated_in, streets, tmp_path):
    """Their answer for the streets."""
    return evaluated_in(tmp_path, streets)


def told_of(folder, classes, capsys, *more):
    """What `segstudio eval --pred` says of the same files; a figure that is none is NaN."""
    words = ["--pred", str(folder / "pred"), "--labels", str(folder / "gtFine"), "--json", "-"]
    assert main(["eval", *words, "--classes", classes, *more]) == 0
    found = json.loads(capsys.readouterr().out)["models"]["pred"]
    return {
        key: {name: math.nan if v is None else v for name, v in value.items()}
        if key.endswith("iou") and isinstance(value, dict)
        else value
        for key, value in found.items()
    }


def exactly(ours, theirs):
    """Equal to the last digit where either has a figure, and both without one elsewhere."""
    for name in theirs.keys() | ours.keys():
        a, b = ours.get(name, math.nan), theirs.get(name, math.nan)
        assert a == b or (math.isnan(a) and math.isnan(b)), (name, a, b)


def trained_table():
    """uint8 (256,): labelId → row among the 19 classes."""
    table = np.full(256, 255, np.uint8)
    for row, known in enumerate(rows_of("cityscapes19")):
        table[known["label_id"]] = row
    return table


def summed(streets, table=None):
    matrix = ConfusionMatrix.of(ALL) if table is None else ConfusionMatrix(19, table=table)
    for truth, said, _ in streets:
        matrix.add(truth, said)
    return matrix.full


def by_name(names, values):
    return dict(zip(names, values.tolist(), strict=True))


def same(ours, theirs):
    """Equal where either has a figure, and both without one elsewhere."""
    for name, value in theirs.items():
        assert ours.get(name, math.nan) == pytest.approx(value, abs=1e-12, nan_ok=True), name


def test_the_matrix_is_the_same(evaluated, streets):
    assert summed(streets)[:34, :34].tolist() == evaluated["confMatrix"]


def test_classes_and_their_mean_are_the_same(evaluated, streets):
    scores = scores_of(summed(streets, trained_table()))
    same(by_name([c.name for c in TRAINED.classes], scores.iou), evaluated["classScores"])
    assert scores.miou == pytest.approx(evaluated["averageScoreClasses"], abs=1e-12)
    assert math.isnan(evaluated["classScores"]["train"])


@pytest.mark.parametrize("name", ["cityscapes34", "cityscapes19"])
def test_categories_and_their_mean_are_the_same(evaluated, streets, name):
    classes, table = (ALL, None) if name == "cityscapes34" else (TRAINED, trained_table())
    scores = category_scores(
        summed(streets, table), Categories.of(classes, *categories_in(rows_of(name)))
    )
    same(by_name(scores.names, scores.iou), evaluated["categoryScores"])
    assert scores.miou == pytest.approx(evaluated["averageScoreCategories"], abs=1e-12)


def test_iiou_of_classes_and_categories_is_the_same(evaluated, streets):
    categories = Categories.of(ALL, *categories_in(rows_of("cityscapes34")))
    records = np.concatenate([instance_records(*frame, ALL, categories) for frame in streets])
    scores = instance_scores(records, summed(streets), ALL, categories)
    same(by_name([c.name for c in ALL.classes], scores.iou), evaluated["classInstScores"])
    assert scores.miou == pytest.approx(evaluated["averageScoreInstClasses"], abs=1e-12)
    same(by_name(scores.category_names, scores.category_iou), evaluated["categoryInstScores"])
    assert scores.category_names == ("human", "vehicle")
    assert scores.category_miou == pytest.approx(evaluated["averageScoreInstCategories"], abs=1e-12)


def test_iiou_needs_no_more_than_the_19_classes(evaluation, streets, tmp_path):
    """Where nothing is predicted as a caravan or a trailer, which no net of 19 classes can."""
    frames = [
        (t, np.where((s == 29) | (s == 30), 26, s).astype(np.uint8), i) for t, s, i in streets
    ]
    matrix, stats = (
        f(evaluation.args) for f in (evaluation.generateMatrix, evaluation.generateInstanceStats)
    )
    file = {name: str(tmp_path / f"a_{name}.png") for name in ("pred", "labelIds", "instanceIds")}
    for truth, said, instances in frames:
        for name, raster in (("pred", said), ("labelIds", truth), ("instanceIds", instances)):
            Image.fromarray(raster).save(file[name])
        evaluation.evaluatePair(file["pred"], file["labelIds"], matrix, stats, {}, evaluation.args)
    table = trained_table()
    categories = Categories.of(TRAINED, *categories_in(rows_of("cityscapes19")))
    records = np.concatenate(
        [instance_records(table[t], table[s], i, TRAINED, categories) for t, s, i in frames]
    )
    scores = instance_scores(records, summed(frames, table), TRAINED, categories)
    names = [c.name for c in TRAINED.classes]
    for label in (24, 25, 26, 27, 28, 31, 32, 33):
        theirs = evaluation.getInstanceIouScoreForLabel(label, matrix, stats, evaluation.args)
        ours = scores.iou[names.index(evaluation.id2label[label].name)]
        assert ours == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    for name, value in zip(scores.category_names, scores.category_iou, strict=True):
        theirs = evaluation.getInstanceIouScoreForCategory(name, matrix, stats, evaluation.args)
        assert value == pytest.approx(theirs, abs=1e-12)


def test_the_command_says_what_they_say_of_all_their_classes(evaluated, tmp_path, capsys):
    found = told_of(tmp_path, "cityscapes34", capsys)
    exactly(found["iiou"], evaluated["classInstScores"])
    exactly(found["category_iou"], evaluated["categoryScores"])
    exactly(found["category_iiou"], evaluated["categoryInstScores"])
    assert found["miiou"] == evaluated["averageScoreInstClasses"]
    assert found["category_miou"] == evaluated["averageScoreCategories"]
    assert found["category_miiou"] == evaluated["averageScoreInstCategories"]
    assert found["instances"] == found["frames"] == 5
    assert list(found["iiou"]) == [
        *("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
    ]


def test_the_command_says_what_they_say_of_the_19(evaluated_in, streets, tmp_path, capsys):
    """Where nothing is predicted as a caravan or a trailer, which no net of 19 classes can."""
    theirs = evaluated_in(
        tmp_path,
        [(t, np.where((s == 29) | (s == 30), 26, s).astype(np.uint8), i) for t, s, i in streets],
    )
    found = told_of(tmp_path, "cityscapes19", capsys)
    exactly(found["iou"], theirs["classScores"])
    exactly(found["iiou"], theirs["classInstScores"])
    exactly(found["category_iou"], theirs["categoryScores"])
    exactly(found["category_iiou"], theirs["categoryInstScores"])
    for ours, name in (
        ("miou", "averageScoreClasses"),
        ("miiou", "averageScoreInstClasses"),
        ("category_miou", "averageScoreCategories"),
        ("category_miiou", "averageScoreInstCategories"),
    ):
        # The same addends in another order.
        assert found[ours] == pytest.approx(theirs[name], rel=1e-15)


def test_the_command_judges_only_frames_with_instances(evaluated_in, streets, tmp_path, capsys):
    both, some = tmp_path / "both", tmp_path / "some"
    both.mkdir()
    some.mkdir()
    evaluated_in(both, streets)
    theirs = evaluated_in(some, streets[:3])
    for number in (3, 4):
        (both / "gtFine" / f"town_{number:06}_000019_gtFine_instanceIds.png").unlink()
    found = told_of(both, "cityscapes34", capsys)
    exactly(found["iiou"], theirs["classInstScores"])
    exactly(found["category_iiou"], theirs["categoryInstScores"])
    assert (found["instances"], found["frames"]) == (3, 5)


def test_the_average_instances_are_theirs(evaluation):
    assert evaluation.args.avgClassSize == CITYSCAPES_SIZES


@pytest.mark.realdata
def test_camvid_in_their_ids_gives_the_same(
    evaluation, monkeypatch, camvid_val, data_dir, tmp_path
):
    """Eleven of their classes stand for CamVid's, "unlabeled" for void."""
    monkeypatch.setattr(evaluation.args, "evalInstLevelScore", False)
    ids = np.array([*STUFF, 0], np.uint8)
    truths, saids = [], []
    for name, *rasters in camvid_val:
        for kind, raster, files in zip(("gt", "pred"), rasters, (truths, saids), strict=True):
            files.append(str(tmp_path / f"{kind}_{name}"))
            Image.fromarray(ids[raster]).save(files[-1])
    theirs = evaluation.evaluateImgLists(saids, truths, evaluation.args)
    matrix = ConfusionMatrix(11)
    for _, truth, said in camvid_val:
        matrix.add(truth, said)
    counts = np.array(theirs["confMatrix"])
    assert (counts[np.ix_(ids, ids)] == matrix.full).all()
    scores = scores_of(matrix.full)
    assert scores.iou.tolist() == [
        theirs["classScores"][evaluation.id2label[i].name] for i in ids[:11]
    ]
    assert scores.miou == pytest.approx(theirs["averageScoreClasses"], abs=1e-12)
