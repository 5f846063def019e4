"""ESPNet's masks of CamVid, counted by others in four conventions."""

import csv
import json

import numpy as np
import pytest

from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import Convention, mean_of_scores, scores_of

pytestmark = pytest.mark.realdata

NAMES = {
    Convention.VOID_IGNORED: "void_gt_pixels_ignored",
    Convention.VOID_IS_WRONG: "void_gt_pixels_count_as_false_positives",
    Convention.BOTH_VOID_IGNORED: "void_gt_and_void_pred_pixels_ignored",
    Convention.VOID_IS_A_CLASS: "all_12_classes_void_is_a_class",
}


@pytest.fixture(scope="module")
def counted(camvid_val):
    """[(file name, int64 (12, 12))]: 11 classes and void."""
    matrix = ConfusionMatrix(11)
    return [(name, matrix.counted(truth, said)) for name, truth, said in camvid_val]


@pytest.fixture(scope="module")
def expected(data_dir):
    return json.loads((data_dir / "metrics" / "espnet_val" / "expected.json").read_text())


def test_the_matrix_is_the_same(counted, expected):
    assert len(counted) == expected["images"]
    assert sum(full for _, full in counted).tolist() == expected["confusion"]


@pytest.mark.parametrize("convention", NAMES)
def test_each_convention_gives_its_figures(counted, expected, convention):
    scores = scores_of(sum(full for _, full in counted), convention)
    told = expected["metrics"][NAMES[convention]]
    assert scores.miou == told["mIoU"]
    if "per_class_IoU" in told:
        assert scores.iou.tolist() == told["per_class_IoU"]
        assert scores.accuracy.tolist() == told["per_class_accuracy"]
        assert scores.mean_accuracy == told["mean_class_accuracy"]
        assert scores.pixel_accuracy == told["pixel_accuracy"]


def test_every_image_has_its_own_figures(counted, data_dir):
    with (data_dir / "metrics" / "espnet_val" / "per_image.csv").open(encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(counted)
    for name, full in counted:
        scores, present = scores_of(full), scores_of(full, Convention.PRESENT)
        row = rows[name]
        assert f"{scores.pixel_accuracy:.8f}" == row["pixel_acc"]
        assert f"{scores.miou:.8f}" == row["mIoU_union_nonempty"]
        assert f"{present.miou:.8f}" == row["mIoU_gt_present"]
        assert (~np.isnan(scores.iou)).sum() == int(row["n_union"])
        assert (scores.reference > 0).sum() == int(row["n_present"])


def test_the_mean_of_per_image_means_is_the_mean_of_that_column(counted, data_dir):
    with (data_dir / "metrics" / "espnet_val" / "per_image.csv").open(encoding="utf-8") as file:
        told = np.mean([float(row["mIoU_union_nonempty"]) for row in csv.DictReader(file)])
    assert mean_of_scores([full for _, full in counted], 11).miou == pytest.approx(told, abs=1e-8)
