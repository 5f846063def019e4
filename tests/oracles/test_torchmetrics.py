"""Against torchmetrics: its matrix exactly, its figures in the float32 that it has."""

import numpy as np
import pytest
import torch

from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import mean_of_scores, scores_of

CLASSES = 19


@pytest.fixture
def torchmetrics(oracle):
    return oracle("torchmetrics.classification")


def tensors(pairs):
    return [tuple(torch.from_numpy(r.astype(np.int64)) for r in pair) for pair in pairs]


def ours(pairs, classes=CLASSES, ignore=255):
    matrix = ConfusionMatrix(classes)
    for truth, said in pairs:
        matrix.add(truth, said, ignore=ignore)
    return matrix.full


def theirs(torchmetrics, pairs, classes, void):
    """int64 (classes, classes): void predictions as a class more, which torchmetrics lacks."""
    metric = torchmetrics.MulticlassConfusionMatrix(classes, ignore_index=255)
    for truth, said in tensors(pairs):
        truth = torch.where(truth == void, 255, truth)
        metric.update(torch.where(said == void, classes - 1, said), truth)
    return metric.compute().numpy()


def test_the_matrix_is_the_same(torchmetrics, frames):
    other = theirs(torchmetrics, frames, CLASSES + 1, 255)
    assert other.dtype == np.int64
    assert (other[:CLASSES] == ours(frames)[:CLASSES]).all()


def test_its_jaccard_index_is_the_same(torchmetrics, known_frames):
    scores = scores_of(ours(known_frames))
    for average, figure in (("macro", scores.miou), ("none", scores.iou)):
        metric = torchmetrics.MulticlassJaccardIndex(CLASSES, average=average, ignore_index=255)
        for truth, said in tensors(known_frames):
            metric.update(said, truth)
        value = metric.compute().numpy()
        # A class without a pixel is 0 there when asked one by one, and no part of its mean.
        assert value == pytest.approx(np.nan_to_num(figure), abs=1e-6)


def test_its_accuracies_are_the_same(torchmetrics, known_frames):
    scores = scores_of(ours(known_frames))
    metric = torchmetrics.MulticlassAccuracy(CLASSES, average="micro", ignore_index=255)
    for truth, said in tensors(known_frames):
        metric.update(said, truth)
    assert float(metric.compute()) == pytest.approx(scores.pixel_accuracy, abs=1e-6)


@pytest.mark.realdata
def test_camvids_matrix_and_mean_iou_are_the_same(torchmetrics, camvid_val):
    pairs = [(truth, said) for _, truth, said in camvid_val]
    full = ours(pairs, 11, ignore=11)
    assert (theirs(torchmetrics, pairs, 12, 11)[:11] == full[:11]).all()
    metric = torchmetrics.MulticlassJaccardIndex(12, average="none", ignore_index=11)
    for truth, said in tensors(pairs):
        metric.update(said, truth)
    assert metric.compute().numpy()[:11] == pytest.approx(scores_of(full).iou, abs=1e-6)


def test_its_mean_iou_of_segmentation_is_the_mean_of_per_image_means(oracle, known_frames):
    """It knows no void, so there is none here; classes that an image lacks are left out of it."""
    segmentation = oracle("torchmetrics.segmentation")
    pairs = [(np.where(t == 255, 0, t).astype(np.uint8), s) for t, s in known_frames]
    metric = segmentation.MeanIoU(CLASSES, input_format="index")
    for truth, said in tensors(pairs):
        metric.update(said[None], truth[None])
    each = [ours([pair]) for pair in pairs]
    assert float(metric.compute()) == pytest.approx(mean_of_scores(each, CLASSES).miou, abs=1e-6)
    assert scores_of(sum(each)).miou != pytest.approx(float(metric.compute()), abs=0.01)
