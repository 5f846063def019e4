"""`segstudio eval`: the figures are those of one confusion matrix over the set."""

import json

import numpy as np
import pytest

from segstudio.cli.eval import class_set, translation
from segstudio.cli.main import main
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.errors import UsageError
from segstudio.store.masks import write_mask


def write(folder, name, rows):
    folder.mkdir(exist_ok=True)
    write_mask(folder / name, np.array(rows, np.uint8), None)


def measured(tmp_path, capsys, *more):
    words = ["eval", "--pred", str(tmp_path / "pred"), "--labels", str(tmp_path / "ref")]
    code = main([*words, *more, "--json", "-"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)["models"]["pred"]


def test_masks_are_measured_by_hand_counted_pixels(tmp_path, capsys):
    write(tmp_path / "ref", "a_L.png", [[0, 0, 1, 1], [11, 255, 3, 3]])
    write(tmp_path / "pred", "a.png", [[0, 1, 1, 1], [0, 0, 255, 3]])
    found = measured(tmp_path, capsys)
    # Void reference is left out; the void prediction is a miss of Road, not a hole in the sum.
    assert found["iou"]["Sky"] == pytest.approx(1 / 2)
    assert found["iou"]["Building"] == pytest.approx(2 / 3)
    assert found["iou"]["Road"] == pytest.approx(1 / 2)
    assert found["iou"]["Car"] is None
    assert found["miou"] == pytest.approx((1 / 2 + 2 / 3 + 1 / 2) / 3)
    assert found["pixel_accuracy"] == pytest.approx(4 / 6)
    assert (found["frames"], found["pixels"], found["ignored"]) == (1, 6, 2)
    assert found["confusion"][3][found["columns"].index("other")] == 1
    assert set(found) >= {"mean_accuracy", "fwiou"}


def test_another_id_can_be_left_out(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0, 0, 5, 5]])
    write(tmp_path / "pred", "a.png", [[0, 0, 0, 0]])
    assert measured(tmp_path, capsys)["miou"] == pytest.approx((1 / 2 + 0) / 2)
    assert measured(tmp_path, capsys, "--ignore", "5")["miou"] == 1.0


def test_cityscapes_label_ids_become_train_ids(tmp_path, capsys):
    # 7 road, 26 car, 4 static (void)
    write(tmp_path / "ref", "x_gtFine_labelIds.png", [[7, 7, 26, 4]])
    write(tmp_path / "pred", "x_leftImg8bit.png", [[0, 0, 13, 13]])
    found = measured(tmp_path, capsys, "--classes", "cityscapes19")
    assert found["iou"]["road"] == 1.0
    assert found["iou"]["car"] == 1.0
    assert found["ignored"] == 1


def test_masks_of_another_size_are_refused(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0, 0]])
    write(tmp_path / "pred", "a.png", [[0, 0, 0]])
    words = ["eval", "--pred", str(tmp_path / "pred"), "--labels", str(tmp_path / "ref")]
    assert main(words) == 2
    assert "a.png: It is 3×1, its labels 2×1." in capsys.readouterr().err


def test_models_with_other_class_ids_are_translated_by_name():
    model = ClassMap("mine", (ClassDef(4, "road", (1, 1, 1)), ClassDef(9, "cow", (2, 2, 2))))
    table = translation(model, CAMVID)
    assert table[4] == 3
    assert table[9] == 255
    with pytest.raises(UsageError, match="no name in common"):
        translation(ClassMap("cows", (ClassDef(0, "cow", (0, 0, 0)),)), CAMVID)


def test_the_shipped_class_sets_are_whole():
    assert class_set("camvid")[0].classes == CAMVID.classes
    cityscapes, ids = class_set("cityscapes19")
    assert [c.id for c in cityscapes.classes] == list(range(19))
    assert ids[33] == 18
    assert cityscapes.by_id(13).color == (0, 0, 142)
    assert len(class_set("voc21")[0]) == 21
    with pytest.raises(UsageError, match="camvid"):
        class_set("camvit")


def test_a_figure_of_several_scales_is_labelled_as_such(small_model, pictures, tmp_path, capsys):
    for picture in pictures.iterdir():
        write(tmp_path / "ref", picture.name, np.zeros((48, 80), np.uint8))
    words = ["-m", str(small_model), "--images", str(pictures), "--labels", str(tmp_path / "ref")]
    options = ["--device", "cpu", "--scales", "0.75,1", "--tta"]
    report = tmp_path / "report.json"
    assert main(["eval", *words, *options, "--json", str(report)]) == 0
    (found,) = json.loads(report.read_text())["models"].values()
    assert found["strategy"] == {"scales": [0.75, 1.0], "flip": True}
    assert "2 scales, averaged with the mirror image" in capsys.readouterr().out


@pytest.mark.realdata
def test_espnet_masks_give_the_published_figures(data_dir, capsys):
    folder = data_dir / "metrics" / "espnet_val"
    labels = data_dir / "camvid" / "val" / "labels"
    assert (
        main(["eval", "--pred", str(folder / "pred"), "--labels", str(labels), "--json", "-"]) == 0
    )
    found = json.loads(capsys.readouterr().out)["models"]["pred"]
    expected = json.loads((folder / "expected.json").read_text())
    figures = expected["metrics"]["void_gt_pixels_ignored"]
    assert found["miou"] == pytest.approx(figures["mIoU"], abs=1e-12)
    assert found["pixel_accuracy"] == pytest.approx(figures["pixel_accuracy"], abs=1e-12)
    assert found["mean_accuracy"] == pytest.approx(figures["mean_class_accuracy"], abs=1e-12)
    assert list(found["iou"].values()) == pytest.approx(figures["per_class_IoU"], abs=1e-12)
    assert found["confusion"] == expected["confusion"][:11]
