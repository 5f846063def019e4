"""Against scikit-learn: its matrix exactly, its figures to 1e-12."""

import numpy as np
import pytest

from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import Convention, scores_of

CLASSES = 19


@pytest.fixture
def sklearn(oracle):
    return oracle("sklearn.metrics")


def judged(pairs, void, classes):
    """int64 (n,) each: pixels with a class in the reference; predictions outside become `classes`."""
    truth, said = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    kept = truth != void
    return truth[kept], np.minimum(said[kept], classes)


def compare(sklearn, pairs, void, classes):
    matrix = ConfusionMatrix(classes)
    for pair in pairs:
        matrix.add(*pair, ignore=void)
    truth, said = judged(pairs, void, classes)
    labels = np.arange(classes)
    theirs = sklearn.confusion_matrix(truth, said, labels=np.arange(classes + 1))
    assert (theirs[:classes] == matrix.full[:classes]).all()
    scores = scores_of(matrix.full)
    present = labels[(scores.reference > 0) | (scores.predicted > 0)]
    in_reference, in_prediction = labels[scores.reference > 0], labels[scores.predicted > 0]
    # Each pair of labels once, as heavy as its pixels: millions of pixels one by one are slow.
    pairs_of_labels = np.nonzero(theirs)
    weighed = {"sample_weight": theirs[pairs_of_labels]}

    def score(name, **options):
        return getattr(sklearn, f"{name}_score")(*pairs_of_labels, **weighed, **options)

    alone = {"average": None, "zero_division": 0}
    macro = {"average": "macro", "zero_division": 0}
    for figure, expected in (
        (scores.miou, score("jaccard", labels=present, **macro)),
        (scores.iou[present], score("jaccard", labels=present, **alone)),
        (scores.mean_f1, score("f1", labels=present, **macro)),
        (scores.pixel_accuracy, score("accuracy")),
        (scores.mean_accuracy, score("recall", labels=in_reference, **macro)),
        (scores.precision[in_prediction], score("precision", labels=in_prediction, **alone)),
        (scores.fwiou, score("jaccard", labels=in_reference, average="weighted")),
        (
            scores_of(matrix.full, Convention.PRESENT).miou,
            score("jaccard", labels=in_reference, **macro),
        ),
    ):
        assert figure == pytest.approx(expected, abs=1e-12)
    return scores


def test_matrix_and_figures_are_the_same(sklearn, frames):
    scores = compare(sklearn, frames, 255, CLASSES)
    assert np.isnan(scores.iou).sum() == 1
    assert (scores.iou == 0).sum() == 1


@pytest.mark.realdata
def test_camvids_matrix_and_figures_are_the_same(sklearn, camvid_val):
    compare(sklearn, [(truth, said) for _, truth, said in camvid_val], 11, 11)
