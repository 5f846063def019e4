"""`segstudio compare`: one folder that says which model is better, and on what it stands."""

import csv
import dataclasses
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from segstudio.cli.compare import clip_of, in_words
from segstudio.cli.html.pictures import WorstFrames, errors, overlay
from segstudio.cli.main import main
from segstudio.core.bootstrap import Verdict
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.metrics import Convention
from segstudio.engine.predictor import Predictor

NAMES = {"report.html", "report.json", "per_frame.csv", "per_class.csv"}


@pytest.fixture
def compared(labelled, tmp_path):
    """Runs the command; returns its exit code."""

    def run(*words, output="out"):
        fixed = ["--device", "cpu", "--data", str(labelled), "-o", str(tmp_path / output), "-q"]
        return main(["compare", *map(str, words), *fixed])

    return run


def page_in(folder):
    """The page, read by a parser that forgives nothing."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    return text, ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))


def test_the_folder_says_it_all(compared, small_model, tmp_path):
    assert compared("-m", small_model, "-m", f"{small_model}@flip", "--boundary") == 0
    out = tmp_path / "out"
    confusions = {"confusion_small.csv", "confusion_small@flip.csv"}
    assert {file.name for file in out.iterdir()} == NAMES | confusions
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert set(report["files"]) == NAMES | confusions
    assert list(report["models"]) == ["small", "small@flip"]
    (pair,) = report["pairs"]
    a, b = (report["models"][pair[side]] for side in ("a", "b"))
    assert pair["delta_miou"] == pytest.approx(b["miou"] - a["miou"])
    assert pair["ci95"][0] <= pair["delta_miou"] <= pair["ci95"][1]
    assert pair["frames"] == 3
    assert b["strategy"] == {"flip": True}
    frames = list(csv.DictReader((out / "per_frame.csv").read_text("utf-8").splitlines()))
    assert [row["model"] for row in frames] == ["small"] * 3 + ["small@flip"] * 3
    classes = list(csv.DictReader((out / "per_class.csv").read_text("utf-8").splitlines()))
    assert len(classes) == 2 * len(CAMVID)
    assert {row["convention"] for row in classes} == {"void ignored"}
    rows = list(csv.reader((out / "confusion_small.csv").read_text("utf-8").splitlines()))
    assert rows[0][1:] == [*(c.name for c in CAMVID.classes), "other"]
    assert [[int(cell) for cell in row[1:]] for row in rows[1:]] == a["confusion_full"]
    assert rows[-1][0] == "void"


def test_the_page_needs_nothing_from_elsewhere(compared, small_model, tmp_path):
    assert compared("-m", small_model, "-m", f"{small_model}@scale=2") == 0
    text, page = page_in(tmp_path / "out")
    assert "<script" not in text
    assert "<link" not in text
    assert "url(" not in text
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    images = [element for element in page.iter() if element.tag.endswith("img")]
    # Three frames: picture, reference, and two of each model.
    assert len(images) == 3 * 6
    assert all(image.get("src").startswith("data:image/jpeg;base64,") for image in images)
    assert str(tmp_path) not in text
    assert "prefers-color-scheme: dark" in text
    titles = ["".join(e.itertext()) for e in page.iter() if e.tag.endswith("h2")]
    assert titles == [
        "Headline",
        "Is one better?",
        "By class",
        "Speed and accuracy",
        "By other conventions",
        "What is taken for what",
        "Worst frames",
        "Notes",
    ]


def test_every_figure_stands_with_its_convention(compared, small_model, tmp_path):
    words = ["-m", small_model, "-m", f"{small_model}@flip", "--convention", "void-is-a-class"]
    assert compared(*words, "--worst", "0") == 0
    _, page = page_in(tmp_path / "out")
    for section in page.iter("section"):
        title = section.findtext("h2")
        if title in ("Headline", "Is one better?", "By class", "Speed and accuracy"):
            assert "void is a class" in section.findtext("p"), title
    assert "Worst frames" not in [e.text for e in page.iter("h2")]
    assert "void" in [e.text for e in page.iter() if e.tag.endswith("}text")]


def test_names_cannot_break_the_page_or_leave_the_folder(compared, made, small_model, tmp_path):
    rude = made("x")
    card = json.loads((rude / "card.json").read_text(encoding="utf-8"))
    for number, name in enumerate(("<b>&\"'</b>", "../../up", "a/b", "a_b")):
        card["name"] = name
        folder = made(f"copy{number}")
        (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    models = [w for n in range(4) for w in ("-m", tmp_path / "made" / f"copy{n}")]
    assert compared(*models) == 0
    new = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    assert {p.parent for p in new} == {tmp_path / "out"}
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert len(report["models"]) == 4
    assert {p.name for p in new} == set(report["files"])
    page_in(tmp_path / "out")


def test_an_older_report_is_replaced_and_other_files_stay(compared, small_model, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("old")
    (out / "notes.txt").write_text("mine")
    assert compared("-m", small_model, "-m", f"{small_model}@flip") == 0
    assert page_in(out)
    assert (out / "notes.txt").read_text() == "mine"
    assert not list(out.glob(".*"))


def test_a_link_out_of_the_folder_is_refused(compared, small_model, tmp_path, capsys):
    elsewhere = tmp_path / "precious.html"
    elsewhere.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").symlink_to(elsewhere)
    assert compared("-m", small_model, "-m", small_model) == 2
    assert "is a link to a file elsewhere" in capsys.readouterr().err
    assert elsewhere.read_text() == "mine"


def test_interrupted_it_leaves_nothing_behind(compared, small_model, tmp_path, monkeypatch):
    real, asked = Predictor.predict, []

    def predict(self, frame, *, request=0):
        asked.append(frame)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return real(self, frame, request=request)

    monkeypatch.setattr(Predictor, "predict", predict)
    assert compared("-m", small_model, "-m", f"{small_model}@flip") == 130
    assert not list((tmp_path / "out").iterdir())


def test_a_model_that_fails_is_in_the_report_and_the_others_are_compared(
    compared, made, small_model, tmp_path, monkeypatch, capsys
):
    real = Predictor.predict

    def predict(self, frame, *, request=0):
        if self.card.name == "weak":
            raise RuntimeError("no <breath> left")
        return real(self, frame, request=request)

    monkeypatch.setattr(Predictor, "predict", predict)
    words = ["-m", small_model, "-m", made("weak"), "-m", f"{small_model}@flip"]
    assert compared(*words) == 2
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [(p["a"], p["b"]) for p in report["pairs"]] == [("small", "small@flip")]
    assert "no <breath> left" in report["models"]["weak"]["failed"]
    text, _ = page_in(tmp_path / "out")
    assert "no &lt;breath&gt; left" in text
    assert "weak: The model failed" in capsys.readouterr().err


def test_nothing_is_written_when_nothing_can_be_measured(compared, made, tmp_path, capsys):
    cows = ClassMap("cows", tuple(ClassDef(i, f"cow {i}", (i, i, i)) for i in range(11)))
    assert compared("-m", made("herd", cows), "--classes", "camvid") == 2
    assert "nothing to compare" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_frames_left_out_are_listed(compared, small_model, labelled, tmp_path):
    next((labelled / "labels").iterdir()).unlink()
    assert compared("-m", small_model, "-m", f"{small_model}@flip") == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    (skipped,) = report["skipped"]
    assert report["pairs"][0]["frames"] == 2
    text, _ = page_in(tmp_path / "out")
    assert skipped["file"] in text
    assert "It has no label file of its name." in text


def test_a_model_held_against_itself_is_not_better(compared, small_model, tmp_path):
    assert compared("-m", small_model, "-m", small_model) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    (pair,) = report["pairs"]
    assert (pair["a"], pair["b"], pair["delta_miou"]) == ("small", "small#2", 0)
    assert "cannot be told apart on 3 frames" in pair["told"]


VERDICT = Verdict(
    a=0.5,
    b=0.518,
    delta=0.018,
    low=0.009,
    high=0.026,
    share_better=0.9990,
    frames=101,
    groups=101,
    resamples=10_000,
    convention=Convention.VOID_IGNORED,
)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {},
            "B is better than A by 1.8 points; 95 % interval 0.9 to 2.6;"
            " better in 99.9 % of resamples.",
        ),
        (
            {"delta": -0.018, "low": -0.026, "high": -0.009, "share_better": 0.0},
            "A is better than B by 1.8 points; 95 % interval 0.9 to 2.6; better in every resample.",
        ),
        (
            {"low": -0.004},
            "A and B cannot be told apart on 101 frames: B has 1.8 points more,"
            " 95 % interval −0.4 to 2.6.",
        ),
        (
            {"share_better": 0.99996, "groups": 7},
            "B is better than A by 1.8 points; 95 % interval 0.9 to 2.6;"
            " better in 99.9 % of resamples.",
        ),
        (
            {"groups": 1, "low": 0.018, "high": 0.018, "share_better": 1.0},
            "B has 1.8 points more mIoU than A on 101 frames of 1 clip;"
            " one alone says nothing about others.",
        ),
        (
            {"delta": float("nan")},
            "Nothing can be said about A and B on 101 frames.",
        ),
    ],
)
def test_a_verdict_is_a_sentence(changed, told):
    assert in_words("A", "B", dataclasses.replace(VERDICT, **changed)) == told


def test_clips_are_known_by_the_names_of_their_frames():
    assert clip_of("0016E5_07959.jpg") == "0016E5"
    assert clip_of("aachen_000001_000019_leftImg8bit.png") == "aachen_000001"
    assert clip_of("alone.png") == "alone"
    assert clip_of("drive_2/000017.png") == "drive_2"


def test_frames_of_one_clip_are_called_that(compared, small_model, tmp_path):
    both = ["-m", small_model, "-m", f"{small_model}@flip"]
    assert compared(*both) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    (note,) = report["notes"]
    assert note.startswith("By their names all frames are of one clip")
    assert note in page_in(tmp_path / "out")[0]
    assert compared(*both, "--by-clip") == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["notes"] == []
    assert report["pairs"][0]["groups"] == 1
    assert "one alone says nothing about others" in report["pairs"][0]["told"]


def test_only_the_worst_frames_are_kept_worst_first():
    rgb, labels = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)
    worst = WorstFrames(2)
    for file, mious in {
        "good": {"a": 0.9, "b": 0.9},
        "bad": {"a": 0.1, "b": 0.5},
        "void": {"a": float("nan")},
        "worse": {"a": 0.2, "b": 0.2},
        "fair": {"a": 0.5, "b": 0.5},
    }.items():
        worst.offer(file, rgb, labels, {}, mious)
    assert [one.file for one in worst.frames] == ["worse", "bad"]


def test_pictures_show_what_is_wrong_and_what_is_not_counted():
    rgb = np.full((1, 3, 3), 100, np.uint8)
    reference = np.array([[0, 0, 255]], np.uint8)
    labels = np.array([[0, 3, 3]], np.uint8)
    right, wrong, void = errors(rgb, reference, labels, CAMVID)[0].astype(int)
    assert len(set(right)) == 1
    assert wrong[0] > 2 * wrong[1]
    assert void[2] > void[0]
    painted = overlay(rgb, reference, CAMVID)
    assert painted[0, 2].tolist() == [100, 100, 100]
    assert painted[0, 0].tolist() == [117, 117, 117]


@pytest.mark.realdata
def test_real_frames_give_the_figures_that_eval_gives(data_dir, tmp_path, capsys):
    val = data_dir / "camvid" / "val"
    for name in ("images", "labels"):
        (tmp_path / "few" / name).mkdir(parents=True)
        for file in sorted((val / name).iterdir())[::25]:
            (tmp_path / "few" / name / file.name).symlink_to(file)
    fixed = [
        "--device",
        "cpu",
        "--precision",
        "fp32",
        "--data",
        str(tmp_path / "few"),
        "--json",
        "-",
    ]
    models = ["-m", "bisenet_v2_camvid", "-m", "bisenet_v2_camvid@scale=0.5"]
    assert main(["compare", *models, *fixed, "-o", str(tmp_path / "out")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert main(["eval", *models, *fixed]) == 0
    entries = json.loads(capsys.readouterr().out)["models"]
    for name, each in entries.items():
        assert each["confusion_full"] == report["models"][name]["confusion_full"]
        assert each["conventions"] == report["models"][name]["conventions"]
    (pair,) = report["pairs"]
    assert pair["clear"]
    assert pair["told"].startswith("bisenet_v2_camvid is better than bisenet_v2_camvid@scale=0.5")
    page_in(tmp_path / "out")
