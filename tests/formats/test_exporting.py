"""The loop of every export: whole or absent, resumable, never over another's file, and proven."""

import json
import os
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import pytest

from segstudio.core.classes import VOID
from segstudio.errors import Cancelled, FormatError
from segstudio.formats.exporting import export
from segstudio.formats.files.source import FolderSource
from segstudio.formats.files.target import JOURNAL, open_target
from segstudio.formats.labelled import Labelled, Picture
from segstudio.formats.names import Unique
from segstudio.formats.options import Option, complete
from segstudio.formats.proof import prove
from segstudio.formats.registry import FrameRef, OutFile, Written


class RawWriter:
    cannot = ()

    def __init__(self, ids, broken):
        self.ids = ids
        self._broken = broken

    def frame(self, item):
        labels = self.ids[item.labels]
        if self._broken and item.index == 1:
            labels = labels.copy()
            labels[0, :3] = (labels[0, :3] + 1) % 3
        height, width = item.size
        content = bytes([height, width]) + labels.tobytes()
        path = PurePosixPath(item.split) / f"{item.name}.raw"
        picture = (
            None if item.picture is None else PurePosixPath(f"{item.name}{item.picture.suffix}")
        )
        return Written((OutFile(path, content),), picture, {"n": item.name})

    def finish(self, entries):
        yield OutFile(PurePosixPath("list.txt"), (f"{e['n']}\n".encode() for e in entries()))


class RawReader:
    notes = ()

    def __init__(self, source, classes):
        self.classes = classes
        self._source = source
        names = [f for f in source.files if f.suffix == ".raw"]
        self.frames = [
            FrameRef(f.stem, f, split="" if len(f.parts) == 1 else f.parts[0]) for f in names
        ]

    def read(self, ref):
        content = self._source.read(ref.key)
        labels = np.frombuffer(content[2:], np.uint8).reshape(content[0], content[1])
        return Labelled(ref.name, labels)


class Raw:
    name, title, about, is_exact = "raw", "Raw", "For tests.", True
    writes_with = (Option("broken", "Broken", default=False),)
    reads_with = ()

    def writer(self, classes, options):
        ids = np.full(256, VOID, np.uint8)
        for known in classes.classes[:-1]:  # it has no place for the last one
            ids[known.id] = known.id
        return RawWriter(ids, options["broken"])

    def sniff(self, source):
        return None

    def open(self, source, options, classes=None):
        return RawReader(source, classes)


def run(frames, classes, target, *, broken=False, **more):
    kind = Raw()
    options = complete(kind.writes_with, {"broken": broken})
    report = export(frames, len(frames), kind, classes, target, options, **more)
    return report, prove(frames, report, kind, classes, target)


def files_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_what_was_written_is_counted_and_read_back(tmp_path, some_classes, some_frames):
    classes = some_classes(4)
    frames = [
        *some_frames(3, classes, split="train"),
        *some_frames(2, classes, split="val", clip="b"),
    ]
    report, proof = run(frames, classes, open_target(tmp_path / "out"))
    assert report.frames == 5
    assert report.splits == {"train": 3, "val": 2}
    assert report.files == 10 + 1
    on_disk = sum(
        p.stat().st_size for p in (tmp_path / "out").rglob("*") if p.is_file() and p.name != JOURNAL
    )
    assert report.bytes == on_disk
    assert proof.is_exact
    assert proof.frames == 5
    assert proof.pixels == 5 * 37 * 53
    assert sum(report.pixels.values()) == proof.pixels
    lost = sum(int((f.labels == 3).sum()) for f in frames)
    assert report.lost == {"class 3": lost}
    assert lost


def test_the_list_has_every_frame_in_order(tmp_path, some_classes, some_frames):
    classes = some_classes()
    frames = some_frames(9, classes)
    target = open_target(tmp_path / "out")
    run(frames, classes, target)
    target.finish()
    assert (tmp_path / "out" / "list.txt").read_text().split() == [f.name for f in frames]
    assert JOURNAL not in files_in(tmp_path / "out")


def test_a_wrong_pixel_is_found_and_named(tmp_path, some_classes, some_frames):
    frames = some_frames(3, some_classes())
    _, proof = run(frames, some_classes(), open_target(tmp_path / "out"), broken=True)
    assert not proof.is_exact
    assert proof.equal == 2
    assert 1 <= proof.different <= 3
    assert proof.worst[0].name == frames[1].name
    assert "not what the project holds" in proof.in_words()


def test_a_file_that_vanished_or_broke_counts_whole(tmp_path, some_classes, some_frames):
    classes, kind = some_classes(), Raw()
    frames = some_frames(2, classes)
    target = open_target(tmp_path / "out")
    report = export(frames, 2, kind, classes, target, complete(kind.writes_with, {}))
    (tmp_path / "out" / f"{frames[0].name}.raw").unlink()
    proof = prove(frames, report, kind, classes, target)
    assert proof.different == frames[0].labels.size
    assert proof.worst[0].why


def test_a_folder_with_something_in_it_is_refused(tmp_path, some_classes, some_frames):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FormatError, match="not empty"):
        open_target(tmp_path / "out")
    frames = some_frames(2, some_classes())
    run(frames, some_classes(), open_target(tmp_path / "out", existing="add"))
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_a_file_of_another_is_never_replaced(tmp_path, some_classes, some_frames):
    frames = some_frames(3, some_classes())
    taken = tmp_path / "out" / f"{frames[1].name}.raw"
    taken.parent.mkdir()
    taken.write_text("mine")
    with pytest.raises(FormatError, match="exists already"):
        run(frames, some_classes(), open_target(tmp_path / "out", existing="add"))
    assert taken.read_text() == "mine"
    assert not [p for p in files_in(tmp_path / "out") if p.endswith(".tmp")]


@pytest.mark.parametrize("done", [0, 1, 4, 7])
def test_an_export_that_was_stopped_goes_on(tmp_path, some_classes, some_frames, done):
    classes, kind = some_classes(), Raw()
    options = complete(kind.writes_with, {})
    frames = some_frames(10, classes)
    asked = iter(range(100))
    target = open_target(tmp_path / "out")
    with pytest.raises(Cancelled):
        export(frames, 10, kind, classes, target, options, should_stop=lambda: next(asked) >= done)
    with pytest.raises(FormatError, match="stopped half-way"):
        open_target(tmp_path / "out")
    before = {p: (tmp_path / "out" / p).stat().st_mtime_ns for p in files_in(tmp_path / "out")}
    target = open_target(tmp_path / "out", existing="resume")
    report, proof = run(frames, classes, target)
    target.finish()
    assert report.frames == 10
    assert proof.is_exact
    assert report.resumed <= done
    whole = open_target(tmp_path / "whole")
    run(frames, classes, whole)
    whole.finish()
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")
    for path in files_in(tmp_path / "whole"):
        assert (tmp_path / "out" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()
    same = [p for p in before if p.endswith(".raw")
            and (tmp_path / "out" / p).stat().st_mtime_ns == before[p]]  # fmt: skip
    assert len(same) >= report.resumed


def test_it_goes_on_after_a_second_stop_and_a_torn_journal(tmp_path, some_classes, some_frames):
    classes, kind = some_classes(), Raw()
    options = complete(kind.writes_with, {})
    frames = some_frames(12, classes)
    for stop in (5, 9):
        left = [False] * stop + [True]
        target = open_target(tmp_path / "out", existing="resume")
        with pytest.raises(Cancelled):
            export(frames, 12, kind, classes, target, options, should_stop=partial(left.pop, 0))
        journal = tmp_path / "out" / JOURNAL
        journal.write_bytes(journal.read_bytes()[:-7])
    target = open_target(tmp_path / "out", existing="resume")
    report, proof = run(frames, classes, target)
    assert report.resumed >= 3
    assert proof.is_exact
    assert report.frames == 12


def test_frames_that_changed_since_are_written_again(tmp_path, some_classes, some_frames):
    classes, kind = some_classes(), Raw()
    frames = some_frames(6, classes)
    asked = iter(range(100))
    with pytest.raises(Cancelled):
        export(frames, 6, kind, classes, open_target(tmp_path / "out"),
               complete(kind.writes_with, {}), should_stop=lambda: next(asked) >= 5)  # fmt: skip
    frames[0].labels[:] = 1
    _, proof = run(frames, classes, open_target(tmp_path / "out", existing="resume"))
    assert proof.is_exact


def test_frames_that_left_or_went_to_another_split_leave_nothing_behind(
    tmp_path, some_classes, some_frames
):
    classes, kind = some_classes(), Raw()
    frames = some_frames(6, classes, split="train", pictures=False)
    asked = iter(range(100))
    with pytest.raises(Cancelled):
        export(frames, 6, kind, classes, open_target(tmp_path / "out"),
               complete(kind.writes_with, {}), should_stop=lambda: next(asked) >= 5)  # fmt: skip
    assert (tmp_path / "out" / "train" / f"{frames[1].name}.raw").is_file()
    now = [replace(frames[0], split="val"), *frames[2:]]
    target = open_target(tmp_path / "out", existing="resume")
    report, proof = run(now, classes, target)
    target.finish()
    assert proof.is_exact
    assert report.splits == {"val": 1, "train": 4}
    expected = [f"{f.split}/{f.name}.raw" for f in now]
    assert files_in(tmp_path / "out") == sorted([*expected, "list.txt"])


def test_the_longest_names_are_written(tmp_path, some_classes, some_frames):
    classes = some_classes()
    unique = Unique()
    frames = [
        replace(frame, name=unique.name("é" * 200))
        for frame in some_frames(2, classes, pictures=False)
    ]
    _, proof = run(frames, classes, open_target(tmp_path / "out"))
    assert proof.is_exact
    assert proof.frames == 2


def test_another_export_is_not_gone_on_with(tmp_path, some_classes, some_frames):
    frames = some_frames(3, some_classes())
    export(frames, 3, Raw(), some_classes(), open_target(tmp_path / "out"), {"broken": False})
    with pytest.raises(FormatError, match="another export"):
        run(frames, some_classes(), open_target(tmp_path / "out", existing="resume"), broken=True)


def test_a_zip_file_holds_the_same_and_leaves_nothing_beside_it(
    tmp_path, some_classes, some_frames
):
    frames = some_frames(4, some_classes())
    plain = open_target(tmp_path / "out")
    run(frames, some_classes(), plain)
    plain.finish()
    target = open_target(tmp_path / "packed.zip", zipped=True)
    _, proof = run(frames, some_classes(), target)
    assert not (tmp_path / "packed.zip").exists()
    target.finish()
    assert proof.is_exact
    assert files_in(tmp_path) == sorted(
        ["packed.zip", *(f"out/{p}" for p in files_in(tmp_path / "out"))]
    )
    with zipfile.ZipFile(tmp_path / "packed.zip") as packed:
        assert sorted(packed.namelist()) == files_in(tmp_path / "out")
        assert all(packed.read(n) == (tmp_path / "out" / n).read_bytes() for n in packed.namelist())


def test_a_zip_file_that_could_not_be_packed_is_gone_on_with(
    tmp_path, some_classes, some_frames, monkeypatch
):
    frames = some_frames(4, some_classes())
    target = open_target(tmp_path / "packed.zip", zipped=True)
    run(frames, some_classes(), target)
    left = tmp_path / ".packed.export" / f".{'0' * 32}.tmp"
    left.write_bytes(b"half a file")  # as a power cut leaves it

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("zipfile.ZipFile.write", full)
        with pytest.raises(FormatError, match="No space left"):
            target.finish()
    target = open_target(tmp_path / "packed.zip", zipped=True, existing="resume")
    report, _ = run(frames, some_classes(), target)
    target.finish()
    assert report.resumed == 4
    assert files_in(tmp_path) == ["packed.zip"]
    with zipfile.ZipFile(tmp_path / "packed.zip") as packed:
        assert not [name for name in packed.namelist() if PurePosixPath(name).name[0] == "."]


def test_of_two_exports_that_begin_at_once_one_is_told(tmp_path, some_classes, some_frames):
    frames = some_frames(2, some_classes())
    first, second = open_target(tmp_path / "out"), open_target(tmp_path / "out")
    run(frames, some_classes(), first)
    with pytest.raises(FormatError, match="Another export"):
        run(frames, some_classes(), second)


@pytest.mark.parametrize(
    "path", ["../x.raw", "/tmp/x.raw", "a/../../x.raw", "CON.raw", "a\\b.raw", "x\n.raw"]
)
def test_no_unsafe_name_is_written(tmp_path, path):
    target = open_target(tmp_path / "out")
    with pytest.raises(FormatError, match="no safe name"):
        target.write(PurePosixPath(path), b"x")
    assert files_in(tmp_path) == []


def test_a_link_in_the_folder_leads_nowhere(tmp_path):
    target = open_target(tmp_path / "out")
    (tmp_path / "secret").mkdir()
    (tmp_path / "out" / "masks").symlink_to(tmp_path / "secret")
    with pytest.raises(FormatError, match="leads out"):
        target.write(PurePosixPath("masks/x.png"), b"x")
    assert files_in(tmp_path / "secret") == []


def test_a_linked_picture_shares_its_bytes_and_a_full_disk_is_a_sentence(
    tmp_path, some_classes, some_frames, monkeypatch
):
    file = tmp_path / "a.png"
    file.write_bytes(b"picture")
    (frame,) = some_frames(1, some_classes(), pictures=False)
    linked = Labelled(frame.name, frame.labels, Picture(".png", file.read_bytes, file))
    run([linked], some_classes(), open_target(tmp_path / "out"))
    assert (tmp_path / "out" / f"{frame.name}.png").samefile(file)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(FormatError, match="No space left"):
        run([linked], some_classes(), open_target(tmp_path / "second"))


def test_two_frames_of_one_name_and_no_frames_are_refused(tmp_path, some_classes, some_frames):
    frames = some_frames(1, some_classes())
    with pytest.raises(FormatError, match="Two frames"):
        run(frames * 2, some_classes(), open_target(tmp_path / "out"))
    with pytest.raises(FormatError, match="no frame to export"):
        run([], some_classes(), open_target(tmp_path / "none"))


def test_the_report_is_json_and_lines(tmp_path, some_classes, some_frames):
    frames = some_frames(2, some_classes())
    report, _ = run(frames, some_classes(), open_target(tmp_path / "out"))
    content = json.loads(json.dumps(report.to_json()))
    assert content["frames"] == 2
    assert content["format"] == "raw"
    assert "2 frames as Raw" in report.lines()[0]
    assert "class 4" in " ".join(report.lines())


def test_a_folder_that_is_a_link_is_left_out_and_told(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"a")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images").symlink_to(tmp_path / "pictures")
    source = FolderSource(tmp_path / "set")
    assert source.files == ()
    assert len(source.notes) == 1
    assert source.notes[0].startswith("images is a link to a folder")


def test_a_source_lists_only_what_lies_inside(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out.txt").write_text("secret")
    (tmp_path / "in" / "a10.txt").write_text("a")
    (tmp_path / "in" / "a9.txt").write_text("b")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "out.txt")
    os.mkfifo(tmp_path / "in" / "pipe.txt")
    source = FolderSource(tmp_path / "in")
    assert [f.name for f in source.files] == ["a9.txt", "a10.txt"]
    assert "leads out" in source.notes[0]
    for name in ("../out.txt", "link.txt", "/etc/passwd", "pipe.txt"):
        with pytest.raises(FormatError):
            source.read(PurePosixPath(name))
    assert source.named("..\\..\\elsewhere\\a9.txt") == PurePosixPath("a9.txt")
    assert source.named("/etc/passwd") is None
