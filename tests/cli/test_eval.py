"""`segstudio eval`: the figures are those of one confusion matrix over the set."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from segstudio.cli.eval import class_set, translation
from segstudio.cli.main import main
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.engine.predictor import Predictor
from segstudio.errors import UsageError
from segstudio.media import open as media_open
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


def test_every_figure_of_a_class_by_hand(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0, 0, 1, 1], [1, 1, 3, 3]])
    write(tmp_path / "pred", "a.png", [[1, 1, 1, 1], [1, 0, 3, 3]])
    found = measured(tmp_path, capsys)
    assert found["precision"]["Building"] == pytest.approx(3 / 5)
    assert found["recall"]["Building"] == pytest.approx(3 / 4)
    assert found["f1"]["Building"] == pytest.approx(2 * 3 / 9)
    assert found["mean_f1"] == pytest.approx((0 + 6 / 9 + 1) / 3)
    assert found["precision"]["Car"] is None


def test_all_conventions_are_told_and_one_is_in_use(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0, 0, 0, 255]])
    write(tmp_path / "pred", "a.png", [[0, 0, 255, 0]])
    found = measured(tmp_path, capsys)
    assert found["convention"] == "void ignored"
    by_name = {name: each["miou"] for name, each in found["conventions"].items()}
    assert by_name == pytest.approx(
        {
            "void ignored": 2 / 3,
            "classes in the reference": 2 / 3,
            "void counts as wrong": 2 / 4,
            "predicted void ignored too": 1.0,
            "void is a class": (2 / 4 + 0) / 2,
            "mean of per-image means": 2 / 3,
        }
    )
    assert found["confusion_full"][11][0] == 1
    assert found["confusion_full"][0][11] == 1
    for name, miou in by_name.items():
        words = ["--convention", name.replace(" ", "-")]
        again = measured(tmp_path, capsys, *words)
        assert (again["convention"], again["miou"]) == (name, pytest.approx(miou))
    assert "void" in measured(tmp_path, capsys, "--convention", "void is a class")["iou"]


def test_an_unknown_convention_is_refused_with_the_known_ones(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0]])
    words = ["eval", "--pred", str(tmp_path / "ref"), "--labels", str(tmp_path / "ref")]
    assert main([*words, "--convention", "best"]) == 2
    assert "void-counts-as-wrong" in capsys.readouterr().err


def test_frames_that_cannot_be_used_are_named_and_the_others_go_on(tmp_path, capsys):
    for name in ("good.png", "other_size.png", "torn.png"):
        write(tmp_path / "pred", name, [[0, 0, 1]])
        write(tmp_path / "ref", name, [[0, 0, 1]])
    write(tmp_path / "pred", "alone.png", [[0, 0, 1]])
    write(tmp_path / "ref", "other_size.png", [[0, 0]])
    (tmp_path / "ref" / "torn.png").write_bytes(b"no picture")
    write(tmp_path / "ref", "waiting.png", [[0]])
    words = ["eval", "--pred", str(tmp_path / "pred"), "--labels", str(tmp_path / "ref")]
    assert main([*words, "--json", "-"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["models"]["pred"]["frames"] == 1
    skipped = {each["file"]: each["why"] for each in report["skipped"]}
    assert set(skipped) == {"alone.png", "other_size.png", "torn.png"}
    assert skipped["other_size.png"] == "It is 3×1, its labels 2×1."
    assert report["unused_labels"] == 1
    assert "3 frames were left out, the first is alone.png" in said.err


def test_clips_that_number_their_frames_alike_are_all_measured(tmp_path, capsys):
    for clip, predicted in (("one", 0), ("two", 1)):
        for side, label in (("ref", 0), ("pred", predicted)):
            (tmp_path / side).mkdir(exist_ok=True)
            write(tmp_path / side / clip, "000000.png", [[label, label]])
    found = measured(tmp_path, capsys, "--per-frame")
    assert found["frames"] == 2
    assert found["pixel_accuracy"] == 0.5
    assert [each["file"] for each in found["per_frame"]] == ["one/000000.png", "two/000000.png"]


def test_a_confusion_inside_a_category_is_right_for_the_category(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0, 0, 13, 11]])  # road, road, car, person
    write(tmp_path / "pred", "a.png", [[1, 0, 14, 255]])  # sidewalk, road, truck, void
    found = measured(tmp_path, capsys, "--classes", "cityscapes19")
    assert found["category_iou"]["flat"] == 1.0
    assert found["category_iou"]["vehicle"] == 1.0
    assert found["category_iou"]["human"] == 0.0
    assert found["category_iou"]["sky"] is None
    assert found["category_miou"] == pytest.approx(2 / 3)
    assert "category_iou" not in measured(tmp_path, capsys)


def test_outlines_are_measured_when_asked_for(tmp_path, capsys):
    reference = np.zeros((20, 30), np.uint8)
    reference[:, 15:] = 3
    moved = np.zeros((20, 30), np.uint8)
    moved[:, 25:] = 3
    write(tmp_path / "ref", "a.png", reference)
    write(tmp_path / "pred", "a.png", reference)
    found = measured(tmp_path, capsys, "--boundary")
    assert found["boundary_mean_f1"] == 1.0
    assert found["boundary_f1"]["Road"] == 1.0
    assert found["boundary_f1"]["Car"] is None
    write(tmp_path / "pred", "a.png", moved)
    assert measured(tmp_path, capsys, "--boundary")["boundary_mean_f1"] == 0.0
    assert "boundary_mean_f1" not in measured(tmp_path, capsys)


def test_each_frame_can_be_had_by_itself(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0, 0]])
    write(tmp_path / "pred", "a.png", [[0, 1]])
    write(tmp_path / "ref", "b.png", [[3, 3]])
    write(tmp_path / "pred", "b.png", [[3, 3]])
    table = tmp_path / "frames.csv"
    found = measured(tmp_path, capsys, "--per-frame", "--csv", str(table))
    assert found["per_frame"] == [
        {"file": "a.png", "miou": 0.25, "pixel_accuracy": 0.5, "pixels": 2},
        {"file": "b.png", "miou": 1.0, "pixel_accuracy": 1.0, "pixels": 2},
    ]
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [(r["model"], r["file"], float(r["miou"]), r["convention"]) for r in rows] == [
        ("pred", "a.png", 0.25, "void ignored"),
        ("pred", "b.png", 1.0, "void ignored"),
    ]


@pytest.mark.parametrize("inside", [".", "val", "train"])
def test_a_data_folder_stands_for_both_folders(inside, tmp_path, small_model, labelled, capsys):
    folder = tmp_path / "data"
    (folder / inside).parent.mkdir(parents=True, exist_ok=True)
    (folder / inside).mkdir(exist_ok=True)
    for name in ("images", "labels"):
        (labelled / name).rename(folder / inside / name)
    words = ["eval", "-m", str(small_model), "--device", "cpu", "--json", "-"]
    assert main([*words, "--data", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["models"]["small"]["frames"] == 3
    assert main([*words, "--data", f"camvid:{folder}"]) == 0
    assert main([*words, "--data", str(tmp_path / "nothing")]) == 2


def test_cityscapes_folders_bring_their_classes_and_categories(tmp_path, small_model, capsys):
    pictures, labels = (tmp_path / p / "val" / "ulm" for p in ("leftImg8bit", "gtFine"))
    for folder in (pictures, labels):
        folder.mkdir(parents=True)
    rgb = np.random.default_rng(1).integers(0, 256, (48, 80, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(pictures / "ulm_000000_000019_leftImg8bit.png")
    write(labels, "ulm_000000_000019_gtFine_labelIds.png", np.full((48, 80), 7, np.uint8))
    words = ["eval", "-m", str(small_model), "--device", "cpu", "--json", "-"]
    assert main([*words, "--data", f"cityscapes:{tmp_path}"]) == 0
    found = json.loads(capsys.readouterr().out)["models"]["small"]
    assert found["pixels"] == 48 * 80
    assert found["iou"]["road"] is not None
    assert "wall" in found["unknown"]
    assert found["category_iou"]["flat"] is not None


def test_a_torn_picture_is_left_out(small_model, labelled, capsys):
    torn = labelled / "images" / "picture_1.png"
    torn.write_bytes(torn.read_bytes()[:2000])
    words = ["eval", "-m", str(small_model), "--device", "cpu", "--json", "-"]
    assert main([*words, "--data", str(labelled)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [each["file"] for each in report["skipped"]] == ["picture_1.png"]
    assert report["models"]["small"]["frames"] == 2


def test_a_data_folder_without_labels_is_refused(tmp_path, small_model, capsys):
    (tmp_path / "images").mkdir()
    assert main(["eval", "-m", str(small_model), "--data", str(tmp_path)]) == 2
    assert "--images and --labels" in capsys.readouterr().err


def test_several_models_cost_one_decode(small_model, labelled, monkeypatch, capsys):
    opened = []
    real = media_open.open_source
    monkeypatch.setattr(
        media_open, "open_source", lambda path: opened.append(path.name) or real(path)
    )
    words = ["eval", "--device", "cpu", "--data", str(labelled), "--json", "-"]
    models = ["-m", str(small_model), "-m", f"{small_model}@flip", "-m", f"{small_model}@scale=2"]
    assert main([*words, *models]) == 0
    assert opened == ["picture_0.png", "picture_1.png", "picture_2.png"]
    report = json.loads(capsys.readouterr().out)
    assert list(report["models"]) == ["small", "small@flip", "small@scale=2"]
    speed = report["models"]["small@scale=2"]["speed"]
    assert speed["models_taking_turns"] == 3
    assert speed["input"] == [128, 224]
    assert speed["gmacs"] > report["models"]["small"]["speed"]["gmacs"]
    assert speed["peak_memory_mb"] is None
    assert set(speed["stages_ms"]) == {"decode", "prepare", "forward", "post"}
    assert set(speed["latency_ms"]) == {"p50", "p95", "p99"}
    # Each alone says the same.
    assert main([*words, "-m", f"{small_model}@flip"]) == 0
    alone = json.loads(capsys.readouterr().out)["models"]["small@flip"]
    assert alone["confusion_full"] == report["models"]["small@flip"]["confusion_full"]


COWS = ClassMap("cows", tuple(ClassDef(i, f"cow {i}", (i, i, i)) for i in range(11)))


def test_a_model_of_other_classes_is_refused_and_the_others_go_on(
    small_model, made, labelled, capsys
):
    words = ["eval", "--device", "cpu", "--data", str(labelled), "--json", "-"]
    both = ["-m", str(small_model), "-m", str(made("herd", COWS))]
    assert main([*words, *both]) == 2
    said = capsys.readouterr()
    models = json.loads(said.out)["models"]
    assert "no name in common" in models["herd"]["failed"]
    assert "miou" not in models["herd"]
    assert models["small"]["frames"] == 3
    assert "herd" in said.err


def test_a_model_that_fails_half_way_says_so_and_the_others_go_on(
    small_model, made, labelled, monkeypatch, capsys
):
    real = Predictor.predict
    asked = []

    def predict(self, frame, *, request=0):
        if self.card.name == "weak":
            asked.append(frame)
            if len(asked) == 2:
                raise RuntimeError("the fan came off")
        return real(self, frame, request=request)

    monkeypatch.setattr(Predictor, "predict", predict)
    words = ["eval", "--device", "cpu", "--data", str(labelled), "--json", "-"]
    assert main([*words, "-m", str(made("weak")), "-m", str(small_model)]) == 2
    models = json.loads(capsys.readouterr().out)["models"]
    assert models["weak"]["failed"] == (
        "The model failed at picture_1.png: RuntimeError: the fan came off"
    )
    assert models["weak"]["frames"] == 1
    assert "miou" not in models["weak"]
    assert models["small"]["frames"] == 3
    assert len(asked) == 2


def test_masks_are_no_models(tmp_path, capsys):
    write(tmp_path / "ref", "a.png", [[0]])
    words = ["eval", "--pred", str(tmp_path / "ref"), "--labels", str(tmp_path / "ref")]
    assert main([*words, "-m", "x"]) == 2
    assert main(["eval", "--pred", str(tmp_path / "ref")]) == 2
    assert main([*words, "--ignore", "300"]) == 2
    assert "labels go from 0 to 255" in capsys.readouterr().err


def test_cityscapes_models_are_held_against_camvid_by_the_shipped_mapping():
    cityscapes = class_set("cityscapes19")[0]
    table = translation(cityscapes, CAMVID)
    assert table[1] == CAMVID.classes[4].id  # sidewalk is CamVid's Pavement
    assert table[13] == CAMVID.classes[8].id
    assert table[255] == 255


@pytest.mark.realdata
def test_espnet_masks_give_the_published_figures(data_dir, capsys):
    folder = data_dir / "metrics" / "espnet_val"
    labels = data_dir / "camvid" / "val" / "labels"
    words = ["eval", "--pred", str(folder / "pred"), "--labels", str(labels)]
    assert main([*words, "--per-frame", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)["models"]["pred"]
    expected = json.loads((folder / "expected.json").read_text())
    figures = expected["metrics"]["void_gt_pixels_ignored"]
    assert found["miou"] == pytest.approx(figures["mIoU"], abs=1e-12)
    assert found["pixel_accuracy"] == pytest.approx(figures["pixel_accuracy"], abs=1e-12)
    assert found["mean_accuracy"] == pytest.approx(figures["mean_class_accuracy"], abs=1e-12)
    assert list(found["iou"].values()) == pytest.approx(figures["per_class_IoU"], abs=1e-12)
    assert found["confusion"] == expected["confusion"][:11]
    assert found["confusion_full"] == expected["confusion"]
    others = {
        "void counts as wrong": "void_gt_pixels_count_as_false_positives",
        "predicted void ignored too": "void_gt_and_void_pred_pixels_ignored",
        "void is a class": "all_12_classes_void_is_a_class",
    }
    for ours, theirs in others.items():
        published = expected["metrics"][theirs]["mIoU"]
        assert found["conventions"][ours]["miou"] == pytest.approx(published, abs=1e-12)
    rows = list(csv.DictReader((folder / "per_image.csv").read_text().splitlines()))
    assert [row["file"] for row in rows] == [each["file"] for each in found["per_frame"]]
    for row, each in zip(rows, found["per_frame"], strict=True):
        assert each["miou"] == pytest.approx(float(row["mIoU_union_nonempty"]), abs=1e-7)
        assert each["pixel_accuracy"] == pytest.approx(float(row["pixel_acc"]), abs=1e-7)
    means = [float(row["mIoU_union_nonempty"]) for row in rows]
    mean = found["conventions"]["mean of per-image means"]["miou"]
    assert mean == pytest.approx(float(np.mean(means)), abs=1e-7)
