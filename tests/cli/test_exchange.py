"""`segstudio export` and `segstudio import`: there and back again, on real files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from segstudio.cli.main import main
from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED
from segstudio.formats.files.source import open_files
from segstudio.formats.options import complete
from segstudio.formats.registry import FORMATS
from segstudio.media.open import complete_info, open_source
from segstudio.media.writer import VideoWriter
from segstudio.store import own_projects
from segstudio.store.class_sets import find_mapping
from segstudio.store.masks import read_mask, write_mask
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, Project


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch):
    """A sync waits for whatever else the machine writes."""
    monkeypatch.setattr("os.sync", lambda: None, raising=False)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a command; returns exit code, report and what was said."""

    def go(*words):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        code = main([*map(str, words), "--json", str(report)])
        said = capsys.readouterr()
        found = json.loads(report.read_text()) if report.is_file() else None
        return code, found, said.err or said.out

    return go


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "drive.mp4"
    with VideoWriter(path, 10) as writer:
        for i in range(12):
            rng = np.random.default_rng(i)
            writer.write(rng.integers(0, 255, (6, 10, 3), np.uint8).repeat(8, 0).repeat(8, 1))
    return path


def add(project, path):
    source = open_source(path)
    info = complete_info(source)
    source.close()
    names = PictureNames(info.names, info.may_change) if info.kind == "sequence" else None
    return project.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=info.path, width=info.width,
        height=info.height, frames=info.frames, pictures=names,
    ).id  # fmt: skip


def label(project, path, media, index, origin=CONFIRMED):
    """Random blocks of all classes and void."""
    source = open_source(path)
    info = complete_info(source)
    frame = source.read(index)
    source.close()
    shape = frame.height, frame.width
    rng = np.random.default_rng(index)
    ids = [*(c.id for c in project.classes.classes), VOID]
    labels = rng.choice(ids, (shape[0] // 4, shape[1] // 4)).astype(np.uint8)
    labels = labels.repeat(4, 0).repeat(4, 1)
    document = LabelDocument(np.full(shape, VOID, np.uint8), np.zeros(shape, np.uint8))
    document.begin("Brush")
    document.put(Area(Rect(0, 0, *shape), np.ones(shape, np.bool_)), labels, origin=origin)
    counts = tuple(int(n) for n in document.origin_counts[:5])
    name = info.names[index] if info.names else ""
    about = FrameAbout(frame.id.time_us, frame.id.fingerprint, name, *shape)
    project.push(FrameKey(media, index), 0, document.commit(), counts, about).result()
    return labels


@pytest.fixture
def drive(tmp_path, clip, pictures):
    """A project with four confirmed frames of a video and three pictures, and their labels."""
    path = tmp_path / "drive.segproj"
    project = Project.create(path, CAMVID)
    truth = {}
    video, folder = add(project, clip), add(project, pictures)
    for index in (0, 4, 8, 11):
        truth[video, index] = label(project, clip, video, index)
    label(project, clip, video, 5, origin=MODEL)
    for index in range(3):
        truth[folder, index] = label(project, pictures, folder, index)
    project.close()
    return path, truth


@pytest.fixture
def opened():
    """Opens projects for reading, and closes them."""
    made = []

    def go(path):
        made.append(Project.open(path, read_only=True))
        return made[-1]

    yield go
    for project in made:
        project.close()


def blank(path, *media, classes=CAMVID):
    project = Project.create(path, classes)
    for each in media:
        add(project, each)
    project.close()
    return path


# --- whole journeys


def test_there_and_back_into_the_same_media_is_bit_equal(
    run, drive, clip, pictures, tmp_path, opened
):
    path, truth = drive
    code, report, said = run("export", path, tmp_path / "out", "--format", "index_png")
    assert code == 0
    assert report["frames"] == 7
    assert report["proof"]["is_exact"] is True
    assert "Read back: all " in said
    again = blank(tmp_path / "again.segproj", clip, pictures)
    code, report, said = run("import", tmp_path / "out", again)
    assert code == 0, said
    assert (report["frames"], report["left_out"], report["media"]) == (7, [], [])
    assert report["guess"]["format"] == "index_png"
    assert said.startswith("out is read as Index PNG: ")
    project = opened(again)
    for (media, index), labels in truth.items():
        stored = project.load(FrameKey(media, index))
        assert np.array_equal(stored.labels, labels)
        assert (stored.origin == CONFIRMED).all()


def test_there_and_back_into_a_new_project_with_the_pictures(run, drive, clip, tmp_path, opened):
    path, truth = drive
    code, _, _ = run("export", path, tmp_path / "out.zip", "--format", "index_png", "--zip")
    assert code == 0
    code, report, said = run("import", tmp_path / "out.zip", tmp_path / "new.segproj")
    assert code == 0, said
    assert report["frames"] == 7
    project = opened(tmp_path / "new.segproj")
    assert project.classes.classes == CAMVID.classes
    (record,) = project.media()
    source = open_source(record.path)
    names = {name.rpartition(".")[0]: i for i, name in enumerate(source.info.names)}
    video = open_source(clip)
    for index in (0, 4, 8, 11):
        place = names[f"drive_{index:06d}"]
        assert np.array_equal(project.load(FrameKey(record.id, place)).labels, truth[1, index])
        assert np.array_equal(source.read(place).rgb, video.read(index).rgb)
    source.close()
    video.close()


EXACT = [name for name in FORMATS if FORMATS.get(name).is_exact and FORMATS.get(name).can_write]


@pytest.mark.parametrize("name", EXACT)
def test_every_exact_format_brings_back_what_it_has_classes_for(
    run, drive, clip, pictures, tmp_path, opened, name
):
    path, truth = drive
    code, report, said = run("export", path, tmp_path / "out", "--format", name)
    assert code == 0, said
    again = blank(tmp_path / "again.segproj", clip, pictures)
    code, done, said = run("import", tmp_path / "out", again, "--format", name)
    assert code == 0, said
    assert (done["frames"], done["left_out"]) == (7, []), said
    kind, source = FORMATS.get(name), open_files(tmp_path / "out")
    options = complete(kind.reads_with, kind.sniff(source).options)
    reader = kind.open(source, options, CAMVID)
    written = kind.writer(CAMVID, complete(kind.writes_with, {})).ids
    wanted = find_mapping(reader.classes, CAMVID).lut()[written]
    project = opened(again)
    for (media, index), labels in truth.items():
        assert np.array_equal(project.load(FrameKey(media, index)).labels, wanted[labels])
    kept = {CAMVID.name_of(i) for i in np.unique(wanted) if i != VOID}
    assert set(report["pixels"]) - set(report["lost"]) >= kept


# --- export


def test_scope_split_and_pictures(run, drive, tmp_path):
    path, _ = drive
    code, report, said = run(
        "export", path, tmp_path / "out", "--format", "index_png", "--scope", "labelled",
        "--split", "60/40", "--pictures", "none", "--no-proof", "--clip", "drive_2=val",
    )  # fmt: skip
    assert code == 0
    assert report["splits"] == {"train": 5, "val": 3}
    assert report["proof"] is None
    assert not (tmp_path / "out" / "images").exists()
    assert len(list((tmp_path / "out/masks/val").iterdir())) == 3
    assert "train: 5 frames, val: 3 frames" in said


def test_only_one_of_several_media(run, drive, tmp_path):
    path, _ = drive
    out = tmp_path / "out"
    _, report, _ = run("export", path, out, "--format", "index_png", "--media", "drive.mp4")
    assert report["frames"] == 4
    code, _, said = run("export", path, tmp_path / "o", "--format", "index_png", "--media", "x")
    assert code == 2
    assert "There is no 'x' in drive.segproj; it has drive.mp4, drive." in said


def test_labels_that_the_window_keeps_of_a_video_alone(run, clip, tmp_path):
    source = open_source(clip)
    info = complete_info(source)
    source.close()
    code, _, said = run("export", clip, tmp_path / "out", "--format", "index_png")
    assert code == 2
    assert "Nothing is labelled in drive.mp4 yet" in said
    project = Project.create(own_projects.find(info.id, info.title, ""), CAMVID)
    labels = label(project, clip, add(project, clip), 3)
    project.close()
    code, _, said = run("export", clip, tmp_path / "out", "--format", "index_png")
    assert code == 0, said
    assert np.array_equal(read_mask(tmp_path / "out/masks/drive_000003.png"), labels)


def test_an_export_while_the_window_has_the_project(run, drive, tmp_path):
    path, _ = drive
    project = Project.open(path)
    try:
        assert run("export", path, tmp_path / "out", "--format", "index_png")[0] == 0
    finally:
        project.close()


def test_formats_are_listed_with_their_options(run):
    code, report, said = run("export", "--list")
    assert code == 0
    assert {"index_png", "cityscapes"} <= {row["name"] for row in report}
    assert "index_png" in said
    code, report, said = run("import", "--list", "--format", "index_png")
    assert [row["name"] for row in report] == ["index_png"]
    assert "class_set" in [option["name"] for option in report[0]["options"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name a project"),
        (["{project}", "out"], "Name a format"),
        (["{project}", "{out}", "--format", "png"], "There is no format 'png'"),
        (["{project}", "{out}", "--format", "index_png", "--option", "ids"], "name=value"),
        (["{project}", "{out}", "--format", "index_png", "--option", "x=1"], "no option 'x'"),
        (["{project}", "{out}", "--format", "index_png", "--scope", "all"], "'all' frames"),
        (["{project}", "{out}", "--format", "index_png", "--pictures", "gif"], "'gif'"),
        (["{project}", "{out}", "--format", "index_png", "--split", "80"], "'80' are no shares"),
        (["{project}", "{out}", "--format", "index_png", "--clip", "x=val"], "no clip 'x'"),
        (["{project}", "{out}", "--format", "index_png", "--clip", "drive=dev"], "'dev' is no"),
        (["{project}", "{out}", "--format", "index_png", "--split", "1/1", "--gap", "-1"], "--gap"),
        (["absent.segproj", "{out}", "--format", "index_png"], "is not there"),
        (["{project}", "{tmp}", "--format", "index_png"], "not empty"),
    ],
)
def test_wrong_use_of_export_is_one_sentence(run, drive, tmp_path, words, sentence):
    places = {"project": drive[0], "out": tmp_path / "out", "tmp": tmp_path}
    code, _, said = run("export", *(word.format(**places) for word in words))
    assert code == 2
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_export_that_was_killed_goes_on(drive, run, tmp_path):
    path, _ = drive
    out = tmp_path / "out"
    program = (
        "import os, signal, sys\nfrom segstudio.cli.main import main\n"
        "from segstudio.formats.files.target import Target\nreal, count = Target.remember, [0]\n"
        "def remember(self, line):\n"
        "    at = real(self, line)\n    count[0] += 1\n"
        "    if count[0] == 3: os.kill(os.getpid(), signal.SIGKILL)\n    return at\n"
        "Target.remember = remember\nmain(sys.argv[1:])\n"
    )
    words = ["export", str(path), str(out), "--format", "index_png"]
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, env=os.environ, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    code, _, said = run(*words)
    assert code == 2
    assert "--resume" in said
    code, report, said = run(*words, "--resume")
    assert code == 0, said
    assert report["frames"] == 7
    assert report["resumed"] >= 2
    assert report["proof"]["is_exact"]


def test_a_proof_that_fails_is_exit_code_1(run, drive, tmp_path, monkeypatch):
    from segstudio.formats.masks import rasters

    real = rasters.encode_indices

    def wrong(labels, palette):
        changed = labels.copy()
        changed[0, 0] = 1 if changed[0, 0] != 1 else 2
        return real(changed, palette)

    monkeypatch.setattr(rasters, "encode_indices", wrong)
    code, report, said = run("export", drive[0], tmp_path / "out", "--format", "index_png")
    assert code == 1
    assert report["proof"]["is_exact"] is False
    assert report["proof"]["different"] == 7
    assert "7 of " in said


# --- import


def a_mask(folder, name="drive_000003", value=4, shape=(48, 80)):
    folder.mkdir(exist_ok=True)
    write_mask(folder / f"{name}.png", np.full(shape, value, np.uint8), CAMVID.palette())
    return folder


def test_predictions_become_drafts_of_their_model(run, clip, tmp_path, opened):
    project = blank(tmp_path / "p.segproj", clip)
    folder = a_mask(tmp_path / "m")
    code, report, said = run(
        "import",
        folder,
        project,
        "--format",
        "index_png",
        "--as",
        "prediction",
        "--model",
        "theirs",
    )
    assert code == 0, said
    assert report["imported_as"] == "prediction"
    stored = opened(project).load(FrameKey(1, 3))
    assert (stored.labels == 4).all()
    assert (stored.origin == MODEL).all()
    assert stored.summary.about.drafted_by == "theirs"


def test_a_dry_run_reads_everything_and_writes_nothing(run, clip, tmp_path):
    project = blank(tmp_path / "p.segproj", clip)
    before = project.read_bytes()
    folder = a_mask(tmp_path / "m")
    code, report, said = run("import", folder, project, "--dry-run")
    assert code == 0
    assert report["is_dry_run"] is True
    assert "1 frame of m would be imported as ground truth." in said
    assert project.read_bytes() == before
    code, report, _ = run("import", folder, tmp_path / "new.segproj", "--dry-run")
    assert code == 2  # there is no picture
    assert not (tmp_path / "new.segproj").exists()


def test_classes_by_hand_and_added(run, clip, tmp_path, opened):
    two = ClassMap("two", (ClassDef(0, "sky", (1, 2, 3)), ClassDef(1, "Street", (4, 5, 6))))
    project = blank(tmp_path / "p.segproj", clip, classes=two)
    folder = a_mask(tmp_path / "m", value=3)
    a_mask(tmp_path / "m", "drive_000004", 8)
    a_mask(tmp_path / "m", "drive_000005", 0)
    words = (
        "import", folder, project, "--option", "class_set=camvid", "--map", "Road=Street", "--map",
        "Sky=", "--map", "Car=Automobile",
    )  # fmt: skip
    code, _, said = run(*words)
    assert code == 2
    assert "no class 'Automobile' in the project; it has sky and Street" in said
    code, report, said = run(*words, "--add-classes")
    assert code == 0, said
    assert "Automobile" in report["classes"]
    assert report["lost"] == {}
    assert report["unwanted"] == {"Sky": 48 * 80}
    found = opened(project)
    assert [c.name for c in found.classes.classes][:3] == ["sky", "Street", "Automobile"]
    assert [int(found.load(FrameKey(1, i)).labels[0, 0]) for i in (3, 4, 5)] == [1, 2, VOID]
    other = blank(tmp_path / "o.segproj", clip, classes=two)
    words = ("--option", "class_set=camvid", "--add-classes")
    code, report, _ = run("import", folder, other, *words)
    assert code == 0
    assert "Road" in report["classes"]
    assert report["lost"] == {}


def test_matched_by_number_into_one_medium(run, clip, pictures, tmp_path, opened):
    project = blank(tmp_path / "p.segproj", clip, pictures)
    folder = a_mask(tmp_path / "m", "label-7-final")
    code, _, said = run("import", folder, project, "--match", "number")
    assert code == 2
    assert "say which medium" in said
    words = ("--match", "number", "--media", "drive.mp4")
    assert run("import", folder, project, *words)[0] == 0
    assert (opened(project).load(FrameKey(1, 7)).labels == 4).all()


def test_when_it_fails_nothing_has_changed(run, clip, tmp_path):
    project = blank(tmp_path / "p.segproj", clip)
    folder = a_mask(tmp_path / "m")
    a_mask(tmp_path / "m", "drive_000004", shape=(48, 81))
    before = project.read_bytes()
    code, report, said = run("import", folder, project)
    assert code == 2
    assert report is None
    assert "81×48" in said
    assert project.read_bytes() == before
    code, report, said = run("import", folder, project, "--skip-bad")
    assert code == 0
    assert report["frames"] == 1
    assert report["left_out"][0]["name"] == "drive_000004"


def test_a_new_project_that_fails_is_not_left_behind(run, drive, tmp_path):
    run("export", drive[0], tmp_path / "out", "--format", "index_png")
    (tmp_path / "out/masks/drive_000004.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    code, _, said = run("import", tmp_path / "out", tmp_path / "new.segproj")
    assert code == 2
    assert "drive_000004.png" in said
    assert not list(tmp_path.glob("new.segproj*"))


def test_people_are_asked_before_their_pixels_go(run, clip, tmp_path, opened):
    project = Project.create(tmp_path / "p.segproj", CAMVID)
    mine = label(project, clip, add(project, clip), 3, origin=PAINTED)
    project.close()
    folder = a_mask(tmp_path / "m", value=4)
    _, report, said = run("import", folder, project.path)
    assert report["kept"] == int((mine != 4).sum())
    assert "stayed as they were" in said
    assert run("import", folder, project.path, "--over-human")[1]["kept"] == 0
    assert (opened(project.path).load(FrameKey(1, 3)).labels == 4).all()


def test_a_video_that_nobody_opened_gets_its_own_project(run, clip, tmp_path, opened):
    folder = tmp_path / "m"
    for i in range(12):
        a_mask(folder, f"{chr(97 + i)}", i % 11)
    words = ("import", folder, clip, "--option", "class_set=camvid")
    source = open_source(clip)
    info = complete_info(source)
    source.close()
    file = own_projects.find(info.id, info.title, "")
    code, _, said = run(*words)
    assert code == 2
    assert "add --match order to take them in order" in said
    assert not file.exists()
    code, report, said = run(*words, "--match", "order", "--dry-run")
    assert (code, report["frames"]) == (0, 12), said
    assert not file.exists()
    code, report, said = run(*words, "--match", "order")
    assert (code, report["frames"]) == (0, 12), said
    assert (opened(file).load(FrameKey(1, 5)).labels == 5).all()


def test_frames_without_labels_come_in_when_asked(run, clip, tmp_path, opened):
    folder = a_mask(tmp_path / "m", value=VOID)
    project = blank(tmp_path / "p.segproj", clip)
    words = ("import", folder, project, "--option", "class_set=camvid")
    _, report, said = run(*words)
    assert (report["frames"], report["empty"]) == (0, 1)
    assert "1 frame without labels was left out." in said
    assert run(*words, "--with-empty")[1]["frames"] == 1
    assert (opened(project).load(FrameKey(1, 3)).origin == CONFIRMED).all()
    code, _, said = run("import", folder, clip, "--option", "class_set=camvid")
    assert code == 0
    assert "No project was made of m, since nothing came in." in said


def test_one_of_several_media_is_named_by_its_title(run, drive, tmp_path):
    folder = a_mask(tmp_path / "m", "label-7-final")
    _, _, said = run("import", folder, drive[0], "--match", "number", "--media", "y")
    assert "There is no 'y' in the project; name one of its videos and folders: " in said
    assert "'drive.mp4'" in said


def test_a_text_is_not_the_folder_around_it(run, clip, tmp_path):
    project = blank(tmp_path / "p.segproj", clip)
    (a_mask(tmp_path / "m") / "README.md").write_text("# Masks")
    code, _, said = run("import", tmp_path / "m/README.md", project)
    assert code == 2
    assert "README.md holds no labels that are known" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name the files"),
        (["{files}", "{project}", "--as", "truth"], "ground-truth or prediction"),
        (["{files}", "{project}", "--match", "luck"], "by 'luck'"),
        (["{files}", "{project}", "--map", "Road"], "A=B"),
        (["{files}", "{project}", "--map", "Tram=Car"], "no class 'Tram'"),
        (
            ["{files}", "{project}", "--map", "Car=Cra"],
            "no class 'Cra' in the project; the nearest",
        ),
        (["{files}", "{project}", "--media", "x"], "is no 'x'"),
        (["{files}", "{project}", "--format", "png"], "There is no format 'png'"),
        (["{files}", "{project}", "--option", "x=1"], "no option 'x'"),
        (["{absent}", "{project}"], "nothing at"),
        (["{files}", "{absent}"], "There is no file"),
    ],
)
def test_wrong_use_of_import_is_one_sentence(run, clip, tmp_path, words, sentence):
    project = blank(tmp_path / "p.segproj", clip)
    before = project.read_bytes()
    places = {"files": a_mask(tmp_path / "m"), "project": project, "absent": tmp_path / "absent"}
    code, _, said = run("import", *(word.format(**places) for word in words))
    assert code == 2
    assert sentence in said
    assert project.read_bytes() == before


def test_a_project_in_another_window_is_not_written(run, drive, tmp_path):
    path, _ = drive
    run("export", path, tmp_path / "out", "--format", "index_png")
    program = (
        "import sys\nfrom pathlib import Path\nfrom segstudio.store.project import Project\n"
        "project = Project.open(Path(sys.argv[1]))\nprint('open', flush=True)\nsys.stdin.read()\n"
        "project.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        code, _, said = run("import", tmp_path / "out", path)
        other.stdin.close()
    assert code == 2
    assert "open in another window" in said


def test_names_in_an_archive_lead_nowhere(run, clip, tmp_path):
    project = blank(tmp_path / "p.segproj", clip)
    folder = a_mask(tmp_path / "m")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.write(folder / "drive_000003.png", "../../drive_000005.png")
        packed.write(folder / "drive_000003.png", "masks/drive_000003.png")
    shutil.rmtree(folder)
    code, report, said = run("import", tmp_path / "evil.zip", project)
    assert code == 0, said
    assert report["frames"] == 1
    assert "leads out of the archive" in said
