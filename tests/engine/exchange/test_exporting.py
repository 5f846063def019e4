"""A project, exported: proven, stopped and gone on with, and never half."""

import zipfile

import numpy as np
import pytest

from segstudio.engine.exchange.exporting import export_project
from segstudio.engine.exchange.splits import Splits
from segstudio.errors import Cancelled, FormatError, SegStudioError, UsageError
from segstudio.formats.report import Proof
from segstudio.store.masks import read_mask


@pytest.fixture
def work(bench, clip, photos, plain):
    """Three confirmed frames of a video, three of a folder."""
    made = bench()
    video, folder = made.add(clip), made.add(photos())
    made.truth = {f"night drive_{i:06d}": made.label(video, i) for i in (1, 5, 7)}
    for i, name in enumerate("abc"):
        made.truth[name] = made.label(folder, i)
    return made


def test_every_frame_lies_there_and_was_read_back(work, tmp_path):
    seen = []
    report = export_project(work.project, tmp_path / "out", "plain", progress=seen.append)
    assert report.frames == 6
    assert report.proof.is_exact
    assert report.proof.frames == 6
    assert report.notes == ()
    for name, labels in work.truth.items():
        assert np.array_equal(read_mask(tmp_path / "out" / "masks" / f"{name}.png"), labels)
    pictures = {f.name for f in (tmp_path / "out" / "images").iterdir()}
    assert pictures == {
        "a.png",
        "b.jpg",
        "c.png",
        *(f"night drive_00000{i}.png" for i in (1, 5, 7)),
    }
    assert (tmp_path / "out/images/b.jpg").stat().st_nlink == 1
    assert {p.stage for p in seen} == {"writing", "lists", "reading back"}


def test_pictures_are_linked_on_request(work, tmp_path):
    export_project(work.project, tmp_path / "out", "plain", pictures="link", proof=False)
    assert (tmp_path / "out/images/b.jpg").stat().st_nlink == 2


def test_splits_and_zip_files(work, tmp_path):
    report = export_project(
        work.project, tmp_path / "out.zip", "plain", splits=Splits((50, 50, 0)), pictures="none",
        zipped=True,
    )  # fmt: skip
    assert report.splits == {"train": 3, "val": 3}
    assert report.proof.is_exact
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        names = packed.namelist()
    assert len([n for n in names if n.startswith("masks/train/")]) == 3
    assert not [n for n in names if n.startswith("images/")]


def test_one_that_was_stopped_goes_on(work, tmp_path):
    out = tmp_path / "out"
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Cancelled):
        export_project(work.project, out, "plain", should_stop=should_stop)
    with pytest.raises(FormatError, match="stopped half-way"):
        export_project(work.project, out, "plain")
    report = export_project(work.project, out, "plain", existing="resume")
    assert report.frames == 6
    assert report.resumed >= 1
    assert report.proof.is_exact


@pytest.mark.parametrize(
    "more", [{"scope": "labelled"}, {"pictures": "png"}, {"splits": Splits((50, 50, 0))}]
)
def test_one_that_was_stopped_goes_on_only_with_what_was_chosen_then(work, tmp_path, more):
    asked = iter(range(100))
    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        export_project(work.project, out, "plain", should_stop=lambda: next(asked) > 4)
    with pytest.raises(FormatError, match="another export"):
        export_project(work.project, out, "plain", existing="resume", **more)


def test_a_project_that_is_closed_meanwhile_ends_it_and_it_is_gone_on_with(work, tmp_path):
    from segstudio.errors import ProjectClosed
    from segstudio.store.project import Project

    def close(now):
        if now.done == 1:
            work.project.close()

    with pytest.raises(ProjectClosed):
        export_project(work.project, tmp_path / "out", "plain", progress=close)
    again = Project.open(work.project.path, read_only=True)
    try:
        report = export_project(again, tmp_path / "out", "plain", existing="resume")
    finally:
        again.close()
    assert report.frames == report.proof.equal == 6


def test_a_proof_of_no_frame_proves_nothing():
    proof = Proof(0, 0, 0, 0)
    assert not proof.is_exact
    assert "nothing is proven" in proof.in_words()


def test_nothing_to_export_is_told_before_anything_is_made(bench, clip, plain, tmp_path):
    work = bench()
    work.add(clip)
    with pytest.raises(FormatError, match="no frame is confirmed whole"):
        export_project(work.project, tmp_path / "out", "plain")
    with pytest.raises(FormatError, match="no frame has labels"):
        export_project(work.project, tmp_path / "out", "plain", scope="labelled")
    assert not (tmp_path / "out").exists()


def test_what_is_not_known_is_told(work, tmp_path, plain):
    with pytest.raises(SegStudioError, match="no format 'plian'"):
        export_project(work.project, tmp_path / "out", "plian")
    with pytest.raises(UsageError, match="no option 'ids'"):
        export_project(work.project, tmp_path / "out", "plain", options={"ids": "own"})
    plain.can_write = False
    with pytest.raises(UsageError, match="only be read"):
        export_project(work.project, tmp_path / "out", "plain")


def test_files_that_are_there_stay(work, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "masks").write_text("mine")
    with pytest.raises(FormatError, match="not empty"):
        export_project(work.project, out, "plain")
    assert (out / "masks").read_text() == "mine"


def test_a_frame_painted_on_meanwhile_is_told_and_not_called_wrong(work, tmp_path):
    from segstudio.store.project import FrameKey

    def paint(now):
        if (now.stage, now.done) == ("lists", 6):
            work.label(1, 5, np.full((48, 80), 3, np.uint8))

    report = export_project(work.project, tmp_path / "out", "plain", progress=paint)
    assert report.proof.frames == 5
    assert report.proof.is_exact
    assert report.notes[0].startswith("night drive_000005 was painted on while it was exported")
    assert (work.project.load(FrameKey(1, 5)).labels == 3).all()


def test_yolo_never_names_the_training_pictures_as_validation(work, tmp_path):
    def config(name, splits):
        export_project(work.project, tmp_path / name, "yolo", splits=splits, proof=False)
        return (tmp_path / name / "data.yaml").read_text()

    assert "val: images/train\n" in config("whole", None)  # nothing is split
    assert "\nval: images/val\n" in config("both", Splits((50, 50, 0)))
    alone = config("alone", Splits((100, 0, 0)))
    assert "\nval:" not in alone
    assert "# val: no frame is in this split" in alone


def test_a_proof_says_when_classes_became_others(work, tmp_path):
    own = export_project(work.project, tmp_path / "own", "index_png", pictures="none")
    assert own.proof.in_words().endswith("frames are the same.")
    merged = export_project(work.project, tmp_path / "merged", "comma10k", pictures="none")
    assert merged.cannot
    assert merged.proof.in_words().endswith("are the same, as this format has its classes.")
