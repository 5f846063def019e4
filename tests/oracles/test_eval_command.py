"""`segstudio eval` over files, against scikit-learn and torchmetrics over the same files."""

import json

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.main import main


def said_by_eval(capsys, pred, labels, *more):
    words = ["eval", "--pred", str(pred), "--labels", str(labels), *more, "--json", "-"]
    assert main(words) == 0
    return json.loads(capsys.readouterr().out)["models"]["pred"]


def compare(oracle, found, pred, labels, classes, void):
    """Counts of all files by the others; void is the label that has no class."""
    pixels = [
        np.concatenate([np.array(Image.open(f)).ravel() for f in sorted(folder.iterdir())])
        for folder in (labels, pred)
    ]
    kept = pixels[0] != void
    truth, said = pixels[0][kept], np.minimum(pixels[1][kept], classes)
    sklearn = oracle("sklearn.metrics")
    matrix = sklearn.confusion_matrix(truth, said, labels=np.arange(classes + 1))
    assert found["confusion"] == matrix[:classes].tolist()
    cells = np.nonzero(matrix)
    present = [c for c in range(classes) if matrix[c].sum() or matrix[:, c].sum()]
    miou = sklearn.jaccard_score(
        *cells, sample_weight=matrix[cells], labels=present, average="macro", zero_division=0
    )
    assert found["miou"] == pytest.approx(miou, abs=1e-12)

    torch = pytest.importorskip("torch")
    counted = oracle("torchmetrics.functional.classification").multiclass_confusion_matrix(
        *(torch.from_numpy(each.astype(np.int64)) for each in (said, truth)), classes + 1
    )
    assert found["confusion"] == counted[:classes].tolist()


def test_frames_with_void_and_absent_classes_are_measured_as_the_others_do(
    oracle, frames, tmp_path, capsys
):
    for number, pair in enumerate(frames):
        for folder, raster in zip(("ref", "pred"), pair, strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(raster).save(tmp_path / folder / f"{number:02}.png")
    pred, labels = tmp_path / "pred", tmp_path / "ref"
    found = said_by_eval(capsys, pred, labels, "--classes", "cityscapes19")
    assert list(found["iou"].values()).count(None) == 1
    compare(oracle, found, pred, labels, 19, 255)


@pytest.mark.realdata
def test_camvid_is_measured_as_the_others_do(oracle, data_dir, capsys):
    pred, labels = (
        data_dir / "metrics" / "espnet_val" / "pred",
        data_dir / "camvid" / "val" / "labels",
    )
    compare(oracle, said_by_eval(capsys, pred, labels), pred, labels, 11, 11)
