"""Files of other programs in a project: bit-equal, in one piece, and never over a human's work."""

import shutil
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED, FrameState
from segstudio.engine.exchange.exporting import export_project
from segstudio.engine.exchange.importing import run_import
from segstudio.engine.exchange.matching import titles
from segstudio.engine.exchange.planning import plan_import
from segstudio.errors import Cancelled, FormatError, SegStudioError, UsageError
from segstudio.formats.report import Progress
from segstudio.media.open import open_source
from segstudio.store.masks import write_mask
from segstudio.store.project import FrameKey, Project

TWO = ClassMap("two", (ClassDef(0, "sky", (1, 2, 3)), ClassDef(1, "Street", (4, 5, 6))))


@pytest.fixture
def truth(bench, clip, photos, plain, tmp_path):
    """An export of three frames of a video and three pictures, and what was in them by name."""
    made = bench("truth")
    video, folder = made.add(clip), made.add(photos())
    found = {f"night drive_{i:06d}": made.label(video, i) for i in (1, 5, 7)}
    found |= {name: made.label(folder, i) for i, name in enumerate("abc")}
    export_project(made.project, tmp_path / "files", "plain", proof=False)
    return found


@pytest.fixture
def files(truth, tmp_path):
    return tmp_path / "files"


@pytest.fixture
def do(plain):
    """Plans and runs; closes the files."""

    def run(path, project, *words, change=lambda plan: plan, matching="name", media=None, **more):
        plan = plan_import(path, project, format_name="plain", matching=matching, media=media)
        try:
            return run_import(change(plan), project, *words, **more)
        finally:
            plan.close()

    return run


def state(project):
    project.load(FrameKey(1, 0))  # waits until everything is on the disk
    with closing(sqlite3.connect(project.path)) as file:
        tables = [
            file.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for name in ("media", "frames", "tiles", "steps")
        ]
        tables.append(file.execute("SELECT * FROM settings WHERE name!='last_ticket'").fetchall())
    return project.media(), project.classes, tables


def masks(folder, **labels):
    """A folder as PlainReader takes it, without pictures."""
    (folder / "masks").mkdir(parents=True, exist_ok=True)
    for name, values in labels.items():
        write_mask(folder / "masks" / f"{name}.png", values, CAMVID.palette())
    return folder


def test_what_was_exported_comes_back_bit_by_bit(bench, clip, photos, truth, files, do):
    work = bench()
    folder, video = work.add(photos()), work.add(clip)  # in another order
    seen = []
    report = do(files, work.project, progress=seen.append)
    assert report.frames == 6
    assert report.left_out == ()
    assert report.media == ()
    keys = {"a": (folder, 0), "b": (folder, 1), "c": (folder, 2)}
    keys |= {f"night drive_{i:06d}": (video, i) for i in (1, 5, 7)}
    for name, labels in truth.items():
        stored = work.project.load(FrameKey(*keys[name]))
        assert np.array_equal(stored.labels, labels)
        assert (stored.origin == CONFIRMED).all()
        assert stored.summary.state is FrameState.CONFIRMED
        assert stored.summary.standing.is_reference
        assert [step.title for step in stored.history] == ["Imported"]
    assert [p.stage for p in seen] == ["reading"] * 6 + ["saving"]
    assert seen[0] == Progress("reading", 1, 6, "a")


def test_the_window_shows_what_the_file_holds(bench, clip, photos, files, do, truth):
    work = bench()
    work.add(clip), work.add(photos())
    do(files, work.project)
    before = [s for record in work.project.media() for s in work.project.frames(record.id)]
    work.project.close()
    again = Project.open(work.project.path)
    try:
        assert [s for record in again.media() for s in again.frames(record.id)] == before
        source = open_source(clip)
        assert before[0].about.fingerprint == source.read(1).id.fingerprint
        assert before[0].about.time_us == 100_000
        source.close()
        assert before[3].about.name == "a.png"
    finally:
        again.close()


def test_importing_twice_changes_nothing(bench, clip, photos, files, do):
    work = bench()
    work.add(clip), work.add(photos())
    do(files, work.project)
    before = state(work.project)
    report = do(files, work.project)
    assert (report.frames, report.unchanged) == (6, 6)
    assert state(work.project) == before


def test_a_dry_run_says_the_same_and_writes_nothing(bench, clip, photos, files, do):
    work = bench()
    work.add(clip), work.add(photos())
    before = state(work.project)
    dry = do(files, work.project, dry_run=True)
    assert state(work.project) == before
    assert dry.frames == 6
    assert dry.pixels == do(files, work.project).pixels


def test_pictures_that_come_with_the_files_become_a_medium(bench, truth, files, do):
    work = bench()
    report = do(files, work.project)
    assert report.media == ("images",)
    (record,) = work.project.media()
    assert (record.kind, record.frames, record.path) == ("sequence", 6, files / "images")
    source = open_source(files / "images")
    assert record.fingerprint == source.info.id
    names = source.info.names
    source.close()
    for index, name in enumerate(names):
        stored = work.project.load(FrameKey(1, index))
        assert np.array_equal(stored.labels, truth[name.rpartition(".")[0]])
        assert stored.summary.about.name == name


def test_of_a_folder_with_more_in_it_the_pictures_are_a_list(bench, files, do):
    Image.new("RGB", (5, 5)).save(files / "images" / "another.png")
    work = bench()
    do(files, work.project)
    (record,) = work.project.media()
    assert record.title == "6 pictures"
    assert "another.png" not in work.project.pictures(1).names


def test_pictures_of_a_zip_file_are_unpacked_beside_the_project(bench, truth, files, do, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "files"), "zip", files)
    work = bench()
    report = do(tmp_path / "files.zip", work.project)
    assert packed
    assert report.frames == 6
    folder = tmp_path / "work pictures" / "images"
    assert len(list(folder.iterdir())) == 6
    assert work.project.media()[0].path == folder
    stored = work.project.load(FrameKey(1, 0))
    assert np.array_equal(stored.labels, truth["a"])


def test_a_zip_file_that_fails_leaves_no_pictures_behind(bench, files, do, tmp_path):
    (files / "masks" / "c.png").write_bytes(b"broken")
    shutil.make_archive(str(tmp_path / "files"), "zip", files)
    work = bench()
    before = state(work.project)
    with pytest.raises(SegStudioError):
        do(tmp_path / "files.zip", work.project)
    assert not (tmp_path / "work pictures").exists()
    assert state(work.project) == before
    do(tmp_path / "files.zip", work.project, leave_out_bad=True, dry_run=True)
    assert not (tmp_path / "work pictures").exists()


@pytest.mark.parametrize("trouble", ["damaged", "size", "disk", "stop", "stop late"])
def test_when_anything_fails_the_project_is_as_it_was(
    bench, clip, photos, files, do, trouble, monkeypatch
):
    work = bench()
    video = work.add(clip)
    work.label(video, 5, origin=PAINTED)
    work.add(photos("other", ("z.png",)))
    before = state(work.project)
    more, wanted = {}, FormatError
    if trouble == "damaged":
        (files / "masks" / "c.png").write_bytes(b"broken")
        wanted = SegStudioError
    elif trouble == "size":
        write_mask(files / "masks" / "c.png", np.zeros((30, 41), np.uint8), None)
    elif trouble == "disk":
        from segstudio.store import frame_rows

        real, done = frame_rows.push_row, []

        def push(*args):
            done.append(1)
            if len(done) == 4:
                raise sqlite3.OperationalError("database or disk is full")
            return real(*args)

        monkeypatch.setattr(frame_rows, "push_row", push)
        wanted = SegStudioError
    else:
        calls = []
        most = 3 if trouble == "stop" else 8

        def should_stop():
            calls.append(1)
            return len(calls) > most

        more, wanted = {"should_stop": should_stop}, Cancelled
    with pytest.raises(wanted) as told:
        do(files, work.project, change=lambda p: p.with_all_classes(), **more)
    assert state(work.project) == before
    if trouble == "size":
        assert str(told.value).startswith("The labels of c are 41×30, their picture is 40×30;")
    monkeypatch.undo()
    work.label(video, 6)  # and work goes on


def test_who_interrupts_it_while_it_is_saved_has_nothing_half(
    bench, clip, photos, files, do, monkeypatch
):
    work = bench()
    work.add(clip), work.add(photos())
    before = state(work.project)
    go_on = threading.Event()
    work.project._thread.write(None, lambda _: go_on.wait(10))
    real = work.project.push_all

    class Interrupted:
        def __init__(self, done):
            self.done = done

        def result(self):
            raise KeyboardInterrupt

        def exception(self):
            go_on.set()
            return self.done.exception()

    def push_all(*args, **more):
        records, done = real(*args, **more)
        return records, Interrupted(done)

    monkeypatch.setattr(work.project, "push_all", push_all)
    with pytest.raises(KeyboardInterrupt):
        do(files, work.project)
    monkeypatch.undo()
    assert state(work.project) == before


def test_bad_frames_can_be_left_out(bench, clip, photos, files, do):
    work = bench()
    work.add(clip), work.add(photos())
    (files / "masks" / "c.png").write_bytes(b"broken")
    write_mask(files / "masks" / "b.png", np.zeros((3, 4), np.uint8), None)
    report = do(files, work.project, leave_out_bad=True)
    assert report.frames == 4
    assert [name for name, _ in report.left_out] == ["b", "c"]


def test_pixels_of_people_stay_unless_asked(bench, clip, files, truth, do):
    work = bench()
    video = work.add(clip)
    mine = np.full((48, 80), 4, np.uint8)
    work.label(video, 5, mine, origin=PAINTED)
    name = "night drive_000005"
    report = do(files, work.project)
    stored = work.project.load(FrameKey(video, 5))
    assert np.array_equal(stored.labels, mine)
    assert (stored.origin == PAINTED).all()
    assert report.kept == int((truth[name] != 4).sum())
    assert do(files, work.project, over_human=True).kept == 0
    stored = work.project.load(FrameKey(video, 5))
    assert np.array_equal(stored.labels, truth[name])
    assert (stored.origin == CONFIRMED).all()


def test_ground_truth_over_a_draft_is_nobodys_draft(bench, clip, files, do):
    work = bench()
    video = work.add(clip)
    work.label(video, 5, origin=MODEL, drafted_by="net")
    do(files, work.project)
    standing = work.project.summary(FrameKey(video, 5)).standing
    assert (standing.is_reference, standing.drafted_by) == (True, "")


def test_predictions_are_drafts_of_their_model(bench, clip, files, truth, do):
    work = bench()
    video = work.add(clip)
    work.label(video, 7, np.full((48, 80), 4, np.uint8), origin=PAINTED)
    do(files, work.project, "prediction", model="their net")
    stored = work.project.load(FrameKey(video, 5))
    said = truth["night drive_000005"] != VOID
    assert np.array_equal(stored.labels, truth["night drive_000005"])
    assert (stored.origin[said] == MODEL).all()
    assert not stored.origin[~said].any()
    assert stored.summary.about.drafted_by == "their net"
    assert (work.project.load(FrameKey(video, 7)).labels == 4).all()


def test_a_frame_is_undone_by_itself(bench, clip, files, do):
    work = bench()
    video = work.add(clip)
    first = work.label(video, 5, origin=MODEL)
    do(files, work.project)
    key = FrameKey(video, 5)
    step = work.project.step(key, 1)
    counts = work.project.summary(key).counts
    tiles = [(t.row, t.col, t.before) for t in step.tiles]
    work.project.move(key, 1, tiles, counts).result()
    assert np.array_equal(work.project.load(key).labels, first)


# --- matching


def test_frames_are_found_by_the_name_or_stem_of_their_picture(bench, photos, do, tmp_path):
    work = bench()
    work.add(photos("one", ("x.jpg", "y.png")))
    work.add(photos("two", ("y.png", "z.png"), seed=1))
    labels = np.zeros((30, 40), np.uint8)
    folder = masks(tmp_path / "m", X=labels, y=labels, **{"z.png": labels, "one_y": labels})
    plan = plan_import(folder, work.project, format_name="plain")
    found = {each.ref.name: each.key for each in plan.matched}
    assert found == {"X": FrameKey(1, 0), "z.png": FrameKey(2, 1), "one_y": FrameKey(1, 1)}
    assert [name for name, _ in plan.left_out] == ["y"]  # there are two
    assert plan.left_out[0][1].startswith("no frame of the project has that name")
    plan.close()


def test_pictures_that_came_or_went_since_do_not_move_labels(bench, photos, do, tmp_path):
    work = bench()
    place = photos(names=("b.png", "c.png", "d.png"))
    work.add(place)
    (tmp_path / "aside").mkdir()
    photos("more", names=("a.png",), seed=3)
    shutil.copy(tmp_path / "media" / "more" / "a.png", place / "a.png")
    labels = {name: np.full((30, 40), i, np.uint8) for i, name in enumerate("bcd")}
    folder = masks(tmp_path / "m", **labels)
    assert do(folder, work.project).frames == 3
    for i, name in enumerate("bcd"):
        stored = work.project.load(FrameKey(1, i))
        assert stored.summary.about.name == f"{name}.png"
        assert (stored.labels == i).all()
    (place / "c.png").unlink()
    other = bench("other")
    other.add(photos("two", names=("b.png", "c.png")))
    (tmp_path / "media" / "two" / "b.png").unlink()
    with pytest.raises(FormatError, match=r"b\.png is not in its folder any more"):
        do(masks(tmp_path / "n", b=labels["b"]), other.project)


def test_pictures_that_are_those_of_the_project_are_found_by_their_place(bench, files, do, photos):
    work = bench()
    work.add(files / "images")
    work.add(photos())  # a, b and c once more
    report = do(files, work.project)
    assert report.frames == 6
    assert not work.project.frames(2)
    assert len(work.project.frames(1)) == 6


def test_numbers_and_order(bench, clip, photos, do, tmp_path):
    labels = {f"m_{i}_x": np.full((48, 80), i, np.uint8) for i in (3, 10, 99)}
    folder = masks(tmp_path / "m", **labels)
    work = bench()
    video = work.add(clip)
    report = do(folder, work.project, matching="number")
    assert report.frames == 2
    assert [name for name, _ in report.left_out] == ["m_99_x"]
    assert (work.project.load(FrameKey(video, 10)).labels == 10).all()
    assert report.left_out[0][1] == "its number is 99, and the frames of night drive.mp4 go to 11."
    work.add(photos())
    with pytest.raises(UsageError, match=r"--media TITLE\): 'night drive.mp4' and 'photos'"):
        do(folder, work.project, matching="number")
    with pytest.raises(UsageError, match=r"3 label files and night drive\.mp4 has 12 frames"):
        do(folder, work.project, matching="order", media=video)
    with pytest.raises(UsageError, match="'guess'"):
        do(folder, work.project, matching="guess")


def test_in_order_is_one_for_each_frame(bench, clip, do, tmp_path):
    folder = masks(
        tmp_path / "m", **{f"m_{i}_x": np.full((48, 80), i % 9, np.uint8) for i in range(20, 32)}
    )
    work = bench()
    video = work.add(clip)
    plan = plan_import(folder, work.project, format_name="plain")
    assert (plan.matched, plan.fits_order) == ((), "night drive.mp4")
    plan.close()
    assert do(folder, work.project, matching="order").frames == 12
    assert (work.project.load(FrameKey(video, 1)).labels == 21 % 9).all()


def test_media_of_one_title_are_told_apart_by_their_folders(bench, photos, tmp_path):
    work = bench()
    for seed, folder in enumerate(("a/cam", "b/cam", "c")):
        work.add(photos(folder, seed=seed))
    assert titles(work.project) == {1: "a/cam", 2: "b/cam", 3: "c"}


def test_a_name_without_a_number_has_its_own_reason(bench, clip, do, tmp_path):
    work = bench()
    work.add(clip)
    one = np.zeros((48, 80), np.uint8)
    report = do(masks(tmp_path / "m", m_3=one, last=one), work.project, matching="number")
    assert report.left_out == (("last", "there is no number in its name."),)


# --- what is told


@pytest.mark.parametrize("as_", ["ground_truth", "prediction"])
def test_frames_without_labels_are_left_out_unless_asked(bench, clip, do, tmp_path, as_):
    work = bench()
    video = work.add(clip)
    one, none = np.zeros((48, 80), np.uint8), np.full((48, 80), VOID, np.uint8)
    folder = masks(
        tmp_path / "m", **{f"night drive_{i:06d}": one if i == 1 else none for i in range(3)}
    )
    report = do(folder, work.project, as_)
    assert (report.frames, report.empty) == (1, 2)
    assert "2 frames without labels were left out." in report.lines()
    assert work.project.summary(FrameKey(video, 0)) is None
    report = do(folder, work.project, as_, with_empty=True)
    assert (report.frames, report.empty) == (3, 0)
    if as_ == "ground_truth":
        assert work.project.summary(FrameKey(video, 0)).state is FrameState.CONFIRMED


def test_what_humans_made_and_lose_is_told_before_and_after(bench, clip, files, truth, do):
    work = bench()
    video = work.add(clip)
    for index in (1, 5):
        work.label(video, index, np.full((48, 80), 4, np.uint8))
    said = sum(int((truth[f"night drive_{i:06d}"] != VOID).sum()) for i in (1, 5))
    dry = do(files, work.project, "prediction", over_human=True, dry_run=True)
    assert (dry.replaced, dry.no_longer_confirmed) == (said, 2)
    assert f"{said:,} pixels that humans painted or confirmed would be replaced." in dry.lines()
    assert "2 confirmed frames would not be confirmed any more." in dry.lines()
    report = do(files, work.project, "prediction", over_human=True)
    assert (report.replaced, report.no_longer_confirmed) == (said, 2)
    assert "2 confirmed frames are not confirmed any more." in report.lines()
    report = do(files, work.project, "prediction")
    assert (report.replaced, report.no_longer_confirmed) == (0, 0)


@pytest.mark.parametrize("as_", ["ground_truth", "prediction"])
def test_frames_that_keep_other_labels_do_not_have_these_already(bench, clip, do, tmp_path, as_):
    work = bench(classes=TWO)
    video = work.add(clip)
    for index, value in ((0, 1), (1, 0), (2, 0)):
        work.label(video, index, np.full((48, 80), value, np.uint8))
    sky = np.full((48, 80), 0, np.uint8)
    folder = masks(tmp_path / "m", **{f"night drive_{i:06d}": sky for i in range(3)})
    report = do(folder, work.project, as_, change=lambda plan: plan.mapped({"Sky": "Street"}))
    assert (report.frames, report.unchanged) == (3, 1)
    assert (report.kept, report.kept_frames) == (2 * 48 * 80, 2)
    assert "1 frame has these labels already." in report.lines()
    kept = "7,680 pixels in 2 frames that a human painted otherwise stayed as they were."
    assert kept in report.lines()


def test_void_by_wish_is_no_class_that_is_missing(bench, clip, files, do):
    work = bench()
    work.add(clip)
    report = do(files, work.project, change=lambda p: p.mapped({"Car": None}), dry_run=True)
    told = [line for line in report.lines() if "Car" in line]
    assert told == [f"Would become void, as wished: Car ({report.unwanted['Car']:,} px)."]
    assert report.lost == {}


def test_classes_are_not_added_unasked(bench, clip, files, do):
    work = bench()
    work.add(clip)
    with pytest.raises(UsageError, match="no class 'Cars' in the project; the nearest is Car"):
        do(files, work.project, change=lambda p: p.mapped({"Road": "Cars"}, is_adding=False))


def test_two_files_for_one_frame_are_told(bench, clip, do, tmp_path):
    work = bench()
    work.add(clip)
    one = np.zeros((48, 80), np.uint8)
    folder = masks(tmp_path / "m", m_3=one, n_3=one)
    report = do(folder, work.project, matching="number")
    assert report.left_out == (("n_3", "m_3 is for the same frame."),)


def test_names_with_two_numbers_find_frames_of_a_clip(bench, clip, do, tmp_path):
    work = bench()
    video = work.add(clip)
    folder = masks(tmp_path / "m", NightDrive_000000_000004=np.zeros((48, 80), np.uint8))
    do(folder, work.project)
    assert work.project.summary(FrameKey(video, 4)).state is FrameState.CONFIRMED


def test_nothing_that_fits_is_told(bench, clip, do, tmp_path):
    work = bench()
    work.add(clip)
    folder = masks(tmp_path / "m", other=np.zeros((48, 80), np.uint8))
    with pytest.raises(
        FormatError, match=r"None of the 1 frames in m fits a frame of work.segproj"
    ):
        do(folder, work.project)


def test_a_medium_that_is_nowhere_takes_labels_only_where_it_had_some(
    bench, clip, files, truth, do
):
    work = bench()
    video = work.add(clip)
    work.label(video, 5, origin=MODEL)
    clip.unlink()
    with pytest.raises(FormatError, match="is not at"):
        do(files, work.project)
    report = do(files, work.project, leave_out_bad=True)
    assert report.frames == 4  # three pictures of their own, and the frame whose size is known
    stored = work.project.load(FrameKey(video, 5))
    assert np.array_equal(stored.labels, truth["night drive_000005"])


# --- classes


def test_classes_are_mapped_by_name_and_by_a_person(bench, clip, files, truth, do):
    work = bench(classes=TWO)
    video = work.add(clip)
    plan = plan_import(files, work.project, format_name="plain")
    assert plan.mapping.table[0] == 0  # Sky
    assert "Road" in plan.dropped
    assert "become void" in plan.notes[-1]
    changed = plan.mapped({"road": "street", "Sky": None, "Car": "Automobile"})
    assert [c.name for c in changed.added] == ["Automobile"]
    assert changed.added[0].color == CAMVID.classes[8].color
    report = run_import(changed, work.project)
    plan.close()
    stored = work.project.load(FrameKey(video, 5))
    labels = truth["night drive_000005"]
    wanted = np.full(256, VOID, np.uint8)
    wanted[3], wanted[8] = 1, 2
    assert CAMVID.name_of(8) == "Car"
    assert np.array_equal(stored.labels, wanted[labels])
    assert [c.name for c in work.project.classes.classes] == ["sky", "Street", "Automobile"]
    assert report.classes == ("Automobile",)
    assert report.unwanted["Sky"] > 0
    assert "Road" not in report.lost


def test_all_classes_that_are_not_known_can_be_added(bench, clip, files, truth, do):
    work = bench(classes=TWO)
    work.add(clip)
    report = do(files, work.project, change=lambda plan: plan.with_all_classes())
    assert len(work.project.classes) == 2 + 10
    assert report.lost == {}
    assert len(report.classes) == 10


def test_a_class_that_the_files_do_not_have_is_told(bench, clip, files, do):
    work = bench()
    work.add(clip)
    with pytest.raises(UsageError, match="no class 'Tram' in the files"):
        do(files, work.project, change=lambda plan: plan.mapped({"Tram": "Car"}))


def test_classes_changed_meanwhile_ask_for_another_look(bench, clip, files):
    work = bench()
    work.add(clip)
    plan = plan_import(files, work.project, format_name="plain")
    work.project.remap(TWO, None).result()
    with pytest.raises(SegStudioError, match="changed meanwhile"):
        run_import(plan, work.project)
    plan.close()


def test_a_project_made_of_the_files_has_their_classes(files, truth, tmp_path, plain):
    plan = plan_import(files, None, format_name="plain")
    project = Project.create(tmp_path / "new.segproj", plan.classes)
    try:
        report = run_import(plan, project)
        assert report.frames == 6
        assert project.classes == CAMVID
        assert np.array_equal(project.load(FrameKey(1, 0)).labels, truth["a"])
    finally:
        project.close()
        plan.close()


# --- looking before


def test_a_preview_shows_labels_in_the_classes_of_the_project(bench, clip, photos, files, truth):
    work = bench()
    work.add(clip), work.add(photos())
    (files / "masks" / "a.png").write_bytes(b"broken")
    plan = plan_import(files, work.project, format_name="plain")
    shown = plan.preview(3)
    plan.close()
    assert [each.name for each in shown] == ["night drive_000001", "night drive_000007", "b"]
    assert np.array_equal(shown[0].labels, truth["night drive_000001"])
    assert shown[0].key == FrameKey(1, 1)
    plan = plan_import(files, work.project, format_name="plain")
    broken = next(each for each in plan.preview(10) if each.name == "a")
    plan.close()
    assert broken.labels is None
    assert broken.why


def test_what_was_left_out_of_a_folder_is_told_once(bench, tmp_path):
    folder = tmp_path / "set"
    write_mask(folder / "masks" / "a.png", np.zeros((30, 40), np.uint8), CAMVID.palette())
    (tmp_path / "pictures").mkdir()
    (folder / "images").symlink_to(tmp_path / "pictures")
    plan = plan_import(folder, bench().project, format_name="index_png")
    assert [note for note in plan.notes if "is a link" in note] == [
        "images is a link to a folder and left out; choose that folder, or copy it here."
    ]
    plan.close()


def test_files_that_nobody_knows_are_told(bench, tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "words.txt").write_text("words")
    with pytest.raises(FormatError, match="Nobody can tell what words is"):
        plan_import(folder, bench().project)
    with pytest.raises(FormatError, match="nothing at"):
        plan_import(tmp_path / "absent", None)


def test_a_project_that_is_read_only_takes_nothing(bench, clip, files):
    work = bench()
    work.add(clip)
    work.project.close()
    again = Project.open(work.project.path, read_only=True)
    plan = plan_import(files, again, format_name="plain")
    try:
        with pytest.raises(SegStudioError, match="reading only"):
            run_import(plan, again)
        assert run_import(plan, again, dry_run=True).frames == 6
    finally:
        plan.close()
        again.close()


def test_words_that_are_not_known(bench, clip, files, do):
    work = bench()
    work.add(clip)
    with pytest.raises(UsageError, match="ground_truth or prediction"):
        do(files, work.project, "truth")
