"""Videos of a clip with its masks: every pixel where it belongs, whole or absent, read back."""

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.core.origins import MODEL
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine.exchange import videos
from segstudio.engine.exchange.clips import ProjectLabels, voice
from segstudio.engine.exchange.film import VideoLook
from segstudio.engine.exchange.videos import Span, overlay_video, side_by_side_video
from segstudio.errors import Cancelled, MediaError, SegStudioError, UsageError
from segstudio.media.open import complete_info, open_source
from segstudio.media.writer import VideoWriter

ROAD, SKY, CAR = 3, 0, 8
SOLID = VideoLook(opacity=1.0)


class FakeLabeller:
    """One class on the left half, another on the right."""

    device, precision = "cpu", "fp32"

    def __init__(self, left=ROAD, right=SKY, classes=CAMVID, title="Fake Net"):
        self.card = ModelCard("fake", title, "fake", classes, InputRule(), Path(), "w")
        self.left, self.right = left, right
        self.asked = []

    def predict(self, frame, *, request=0):
        self.asked.append(frame.id.index)
        labels = np.full((frame.height, frame.width), self.right, np.uint8)
        labels[:, : frame.width // 2] = self.left
        counts = np.bincount(labels.reshape(-1), minlength=256)
        size = frame.height, frame.width
        logits = Logits(np.zeros((1, 1, 1), np.float32), size, False, np.zeros(1, np.uint8))
        return Prediction(
            frame, "fake", self.card.classes, labels, counts, logits, Timing(0, 0, 0), size, "cpu"
        )

    def close(self):
        pass


@pytest.fixture
def flat(tmp_path):
    """Makes clips of flat grey frames, brighter and brighter, ten a second."""

    def make(frames=6, size=(48, 80), name="drive.mp4", times=None):
        path = tmp_path / "media" / name
        path.parent.mkdir(exist_ok=True)
        with VideoWriter(path, 10, crf=0) as writer:
            for i in range(frames):
                rgb = np.full((*size, 3), 40 + 20 * i, np.uint8)
                writer.write(rgb, None if times is None else times[i])
        return path

    return make


@pytest.fixture
def opened():
    """Opens sources, and closes them at the end."""
    made = []

    def op(path):
        made.append(open_source(path))
        complete_info(made[-1])
        return made[-1]

    yield op
    for source in made:
        source.close()


@pytest.fixture
def work(bench, flat, opened):
    """A clip with frames 1 (confirmed: all car) and 3 (a draft: all sky) labelled."""
    made = bench()
    path = flat()
    media = made.add(path)
    made.label(media, 1, np.full((48, 80), CAR, np.uint8))
    made.label(media, 3, np.full((48, 80), SKY, np.uint8), origin=MODEL)
    made.source = opened(path)

    def labels(scope="labelled"):
        record = next(r for r in made.project.media() if r.id == media)
        return ProjectLabels.of_media(made.project, record, made.source.info, scope)

    made.labels = labels
    return made


def read(opened, path):
    """All frames of a video: int (n, H, W, 3)."""
    source = opened(path)
    return np.stack([source.read(i).rgb for i in range(source.info.frames)]).astype(int)


def color(class_id):
    return CAMVID.palette()[class_id].astype(int)


def near(pixel, wanted, by=8):
    return bool(np.abs(np.asarray(pixel) - wanted).max() <= by)


def test_labels_come_before_the_model_and_the_model_before_nothing(work, opened, tmp_path):
    net, target = FakeLabeller(), tmp_path / "out" / "drive.mp4"
    report = overlay_video(
        work.source, target, labels=work.labels(), model=voice(net, CAMVID), look=SOLID
    )
    assert (report.frames, report.labelled, report.predicted) == (6, 2, 4)
    assert net.asked == [0, 2, 4, 5]
    assert report.lines()[1] == "Labels in 2 and a model in 4 of them."
    seen = read(opened, target)
    assert seen.shape == (6, 48, 80, 3)
    assert near(seen[1, 24, 20], color(CAR))
    assert near(seen[3, 24, 60], color(SKY))
    assert near(seen[0, 24, 10], color(ROAD))
    assert near(seen[5, 24, 70], color(SKY))


def test_without_a_model_frames_without_labels_are_bare(work, opened, tmp_path):
    report = overlay_video(work.source, tmp_path / "o.mp4", labels=work.labels(), look=SOLID)
    seen = read(opened, tmp_path / "o.mp4")
    assert [near(seen[i, 24, 40], 40 + 20 * i) for i in range(6)] == [
        True, False, True, False, True, True
    ]  # fmt: skip
    assert (report.labelled, report.predicted) == (2, 0)
    assert report.notes == ()
    assert report.lines()[:2] == ["6 frames of 80×48, 0.6 s: o.mp4.", "Labels in 2 of them."]
    assert report.off < videos.MOST_OFF / 5


def test_the_scope_decides_whose_labels(work, opened, tmp_path):
    report = overlay_video(
        work.source, tmp_path / "o.mp4", labels=work.labels("confirmed"), look=SOLID
    )
    assert report.labelled == 1
    seen = read(opened, tmp_path / "o.mp4")
    assert near(seen[3, 24, 40], 100)


def test_opacity_and_hidden_classes(work, opened, tmp_path):
    half = VideoLook(opacity=0.5, hidden=frozenset([SKY]))
    overlay_video(work.source, tmp_path / "o.mp4", labels=work.labels(), look=half)
    seen = read(opened, tmp_path / "o.mp4")
    assert near(seen[1, 24, 40], (color(CAR) + 60) / 2)
    assert near(seen[3, 24, 40], 100)


def test_outlines_leave_the_inside_free(opened, flat, tmp_path):
    overlay_video(
        opened(flat()), tmp_path / "o.mp4", model=voice(FakeLabeller()),
        look=VideoLook("outline", 1.0),
    )  # fmt: skip
    seen = read(opened, tmp_path / "o.mp4")
    assert near(seen[0, 24, 10], 40)
    assert not near(seen[0, 24, 39], 40, 40)


def test_a_range_of_frames_keeps_their_times(opened, flat, tmp_path):
    times = [0, 100_000, 400_000, 500_000, 900_000, 1_000_000]
    source = opened(flat(times=times))
    report = overlay_video(source, tmp_path / "o.mp4", span=Span(1, 4))
    video = opened(tmp_path / "o.mp4")
    assert [video.time_us(i) for i in range(4)] == [0, 300_000, 400_000, 800_000]
    assert report.frames == 4
    assert near(video.read(0).rgb[24, 40], 60)


def test_a_rate_of_ones_own(opened, flat, tmp_path):
    report = overlay_video(opened(flat()), tmp_path / "o.mp4", span=Span(fps=2))
    assert opened(tmp_path / "o.mp4").time_us(5) == 2_500_000
    assert (report.fps, report.seconds) == (2, 3.0)


@pytest.mark.parametrize("size", [(47, 79), (30, 81), (2, 3)])
def test_odd_sizes_are_widened_by_a_line(opened, tmp_path, size):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.full((*size, 3), 200, np.uint8)).save(folder / f"{i}.png")
    report = overlay_video(opened(folder), tmp_path / "o.mp4", model=voice(FakeLabeller()))
    assert report.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert report.fps == 10


def test_pictures_of_other_sizes_are_fitted_whole(opened, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(np.full((40, 80, 3), 200, np.uint8)).save(folder / "0.png")
    Image.fromarray(np.full((80, 40, 3), 200, np.uint8)).save(folder / "1.png")
    overlay_video(opened(folder), tmp_path / "o.mp4", model=voice(FakeLabeller()), look=SOLID)
    seen = read(opened, tmp_path / "o.mp4")
    assert seen.shape == (2, 40, 80, 3)
    assert near(seen[1, 20, 4], 24)
    assert near(seen[1, 20, 34], color(ROAD), 12)
    assert near(seen[1, 20, 46], color(SKY), 12)


def test_a_legend_lies_below_the_picture(opened, flat, tmp_path):
    report = overlay_video(
        opened(flat(size=(240, 480))), tmp_path / "o.mp4", model=voice(FakeLabeller()),
        look=VideoLook(legend=True),
    )  # fmt: skip
    assert report.size[0] > 240
    assert report.size[1] == 480
    legend = read(opened, tmp_path / "o.mp4")[0, 240:]
    for class_id in (ROAD, SKY):
        assert (np.abs(legend - color(class_id)).max(-1) <= 14).sum() > 40


def test_a_legend_of_many_classes_names_those_of_the_frame(opened, flat, tmp_path):
    rng = np.random.default_rng(2)
    many = ClassMap("many", tuple(
        ClassDef(i, f"a class with the number {i}", tuple(int(v) for v in rng.integers(30, 255, 3)))
        for i in range(150)
    ))  # fmt: skip
    net = FakeLabeller(140, 7, many)
    report = overlay_video(
        opened(flat(size=(120, 480))), tmp_path / "o.mp4", model=voice(net),
        look=VideoLook(legend=True),
    )  # fmt: skip
    legend = read(opened, tmp_path / "o.mp4")[0, 120:]
    assert 20 < report.size[0] - 120 < 100
    for class_id, is_there in ((140, True), (7, True), (8, False)):
        wanted = many.palette()[class_id].astype(int)
        assert ((np.abs(legend - wanted).max(-1) <= 14).sum() > 40) == is_there


def test_panes_beside_each_other(work, opened, tmp_path):
    nets = [voice(FakeLabeller(), CAMVID), voice(FakeLabeller(CAR, SKY), CAMVID, title="Other")]
    report = side_by_side_video(
        work.source, tmp_path / "o.mp4", labels=work.labels(), models=nets, look=SOLID
    )
    assert (report.labelled, report.predicted) == (2, 6)
    seen = read(opened, tmp_path / "o.mp4")
    bar = seen.shape[1] // 2 - 48  # two rows of title and pane, two columns
    assert seen.shape[2] == 2 * 80 + 4
    top, below = bar - 2 + 24, seen.shape[1] - 24
    assert near(seen[1, top, 20], 60)
    assert near(seen[1, top, 84 + 20], color(CAR))
    assert near(seen[0, top, 84 + 20], 40)
    assert near(seen[1, below, 20], color(ROAD))
    assert near(seen[1, below, 60], color(SKY))
    assert near(seen[1, below, 84 + 20], color(CAR))
    assert seen[0, : bar - 4, :80].max() > 200  # a title is written there


def test_the_difference_of_two_models(opened, flat, tmp_path):
    nets = [voice(FakeLabeller(ROAD, SKY)), voice(FakeLabeller(CAR, SKY), title="Other")]
    side_by_side_video(
        opened(flat()), tmp_path / "o.mp4", models=nets, has_picture=False, has_difference=True
    )
    seen = read(opened, tmp_path / "o.mp4")
    assert seen.shape[2] == 3 * 80 + 8
    assert near(seen[0, -24, 2 * 84 + 60], 40)
    assert not near(seen[0, -24, 2 * 84 + 20], 40, 30)


def test_the_difference_of_labels_and_a_model_is_bare_where_nobody_labelled(work, opened, tmp_path):
    side_by_side_video(
        work.source, tmp_path / "o.mp4", labels=work.labels(), models=[voice(FakeLabeller(), CAMVID)],
        has_difference=True,
    )  # fmt: skip
    seen = read(opened, tmp_path / "o.mp4")
    assert near(seen[0, -24, 84 + 20], 40)
    assert not near(seen[3, -24, 84 + 20], 100, 20)  # sky in the labels, road in the model
    assert near(seen[3, -24, 84 + 60], 100)


def test_a_model_of_other_classes_speaks_in_those_of_the_project(opened):
    own = ClassMap("own", (ClassDef(5, "road", (1, 2, 3)), ClassDef(6, "Moose", (9, 9, 9))))
    found = voice(FakeLabeller(), own)
    assert found.classes == own
    assert found.table[ROAD] == 5
    assert found.table[SKY] == VOID
    strange = ClassMap("strange", (ClassDef(0, "Moose", (9, 9, 9)),))
    assert voice(FakeLabeller(), strange).classes == CAMVID


def test_what_makes_no_difference_is_refused(work, tmp_path):
    strange = ClassMap("strange", (ClassDef(0, "Moose", (9, 9, 9)),))
    pair = [voice(FakeLabeller()), voice(FakeLabeller(0, 0, strange))]
    with pytest.raises(UsageError, match="no class in common"):
        side_by_side_video(work.source, tmp_path / "o.mp4", models=pair, has_difference=True)
    with pytest.raises(UsageError, match="between two models"):
        side_by_side_video(work.source, tmp_path / "o.mp4", models=pair[:1], has_difference=True)
    with pytest.raises(UsageError, match="nothing to show beside"):
        side_by_side_video(work.source, tmp_path / "o.mp4")


def test_wide_panes_are_made_smaller(opened, flat, tmp_path):
    report = side_by_side_video(
        opened(flat(size=(240, 480))), tmp_path / "o.mp4", models=[voice(FakeLabeller())],
        look=VideoLook(width=400),
    )  # fmt: skip
    assert report.size[1] == 400
    assert near(read(opened, tmp_path / "o.mp4")[0, -50, 100], 40)


def test_an_existing_file_is_never_replaced(work, tmp_path):
    (tmp_path / "o.mp4").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists already"):
        overlay_video(work.source, tmp_path / "o.mp4")
    assert (tmp_path / "o.mp4").read_bytes() == b"mine"
    with pytest.raises(UsageError, match=r"ends in \.mp4"):
        overlay_video(work.source, tmp_path / "o.avi")


def test_a_file_that_came_meanwhile_stays(work, tmp_path):
    def put(_):
        (tmp_path / "o.mp4").write_bytes(b"theirs")

    with pytest.raises(UsageError, match="exists already"):
        overlay_video(work.source, tmp_path / "o.mp4", progress=put)
    assert (tmp_path / "o.mp4").read_bytes() == b"theirs"
    assert not list(tmp_path.glob(".o.mp4*"))


@pytest.mark.parametrize("after", [0, 3, 7])
def test_stopped_there_is_no_file(work, tmp_path, after):
    out = tmp_path / "out"
    steps = []
    with pytest.raises(Cancelled):
        overlay_video(
            work.source, out / "o.mp4", progress=steps.append,
            should_stop=lambda: len(steps) >= after,
        )  # fmt: skip
    assert list(out.glob("*")) + list(out.glob(".*")) == []


def test_progress_is_told_frame_by_frame(work, tmp_path):
    steps = []
    overlay_video(work.source, tmp_path / "o.mp4", progress=steps.append)
    writing = [s.done for s in steps if s.stage == "writing"]
    assert writing == [1, 2, 3, 4, 5, 6]
    assert {s.stage for s in steps} == {"writing", "reading back"}


def test_a_full_disk_is_one_sentence_and_no_file(work, tmp_path, monkeypatch):
    def full(self, *_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    with pytest.raises(SegStudioError, match=r"No space left on device.*free space") as caught:
        overlay_video(work.source, tmp_path / "out" / "o.mp4")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_limit_of_the_system_on_files_is_one_sentence_too(opened, clip, tmp_path):
    """The real thing, as FFmpeg tells it: writing fails half-way."""
    resource = pytest.importorskip("resource")
    source = opened(clip)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(SegStudioError, match="could not be written") as caught:
            overlay_video(source, tmp_path / "out" / "o.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_read_back_otherwise_is_removed(work, tmp_path, monkeypatch):
    write = VideoWriter.write

    def dark(self, rgb, time_us=None):
        write(self, rgb // 2, time_us)

    monkeypatch.setattr(VideoWriter, "write", dark)
    with pytest.raises(MediaError, match="levels off, so it was removed"):
        overlay_video(work.source, tmp_path / "out" / "o.mp4")
    assert list((tmp_path / "out").iterdir()) == []


def test_noise_is_no_reason_to_doubt(opened, clip, tmp_path):
    report = overlay_video(opened(clip), tmp_path / "o.mp4")
    assert report.off < videos.MOST_OFF / 1.5


def test_frames_that_there_are_not(work, tmp_path):
    for span in (Span(4, 6), Span(-1, 2), Span(3, 2)):
        with pytest.raises(UsageError, match="it has 0 to 5"):
            overlay_video(work.source, tmp_path / "o.mp4", span=span)
    with pytest.raises(UsageError, match="frames per second"):
        overlay_video(work.source, tmp_path / "o.mp4", span=Span(fps=-1))


def test_labels_of_another_picture_are_not_shown(work, flat, opened, tmp_path):
    """The file was replaced by one that looks otherwise."""
    other = flat(name="other.mp4", size=(48, 80), frames=4)
    labels = work.labels()
    labels.found[0] = labels.found.pop(1)
    report = overlay_video(opened(other), tmp_path / "o.mp4", labels=labels, look=SOLID)
    assert report.labelled == 1
    assert report.notes == (
        "frame 0 is not the picture that was labelled, so no labels are shown there.",
    )


def test_damaged_pictures_are_left_out_and_told(opened, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.full((32, 32, 3), 200, np.uint8)).save(folder / f"{i}.png")
    whole = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(whole[:40])
    report = overlay_video(opened(folder), tmp_path / "o.mp4")
    assert report.frames == 2
    assert report.notes == ("Frame 1 is damaged and left out.",)
    source = opened(folder)
    for i in (0, 2):
        (folder / f"{i}.png").write_bytes(whole[:40])
    with pytest.raises(MediaError, match="Nothing was written"):
        overlay_video(source, tmp_path / "p.mp4")
    assert not (tmp_path / "p.mp4").exists()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("camvid_val_0016E5_15fps.mp4", (360, 480)),
        ("h264_rot90_displaymatrix.mp4", (640, 360)),
        ("h264_odd_yuv444_479x269.mp4", (270, 480)),
        ("h264_vfr_hole_90k.mp4", (360, 640)),
    ],
)
def test_real_videos_come_out_upright_and_in_time(data_dir, opened, tmp_path, name, size):
    source = opened(data_dir / "video" / "derived" / name)
    report = overlay_video(source, tmp_path / "o.mp4", span=Span(2, 9))
    assert report.size == size
    assert report.off < 2
    video = opened(tmp_path / "o.mp4")
    times = [source.time_us(i) - source.time_us(2) for i in range(2, 10)]
    assert np.abs(np.subtract([video.time_us(i) for i in range(8)], times)).max() <= 12
