"""`segstudio demo --headless`: the demo drive through the bundled model, without a window.

Without --headless the window opens on the same drive (`segstudio.__main__` sees to that).
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from segstudio.cli.predict import (
    STATE,
    Job,
    add_model_options,
    choose_model,
    predict,
    read_state,
    settings_of,
)
from segstudio.cli.report import Json, Report, Subparsers, add_report_options, save_json, to_json
from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.metrics import ConfusionMatrix, scores_of

_EPILOG = """\
Writes overlay.mp4, masks/, window.png (the real window, drawn without a display) and report.json.
mIoU is measured against the exact labels of the synthetic demo drive.

example:
  segstudio demo
  segstudio demo --headless -o demo/
"""


def add(subparsers: Subparsers) -> None:
    """The options of `demo`."""
    parser = subparsers.add_parser(
        "demo",
        help="the demo drive, in the window or headless",
        description="The demo drive with the bundled model: in the window, or without one.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--headless", action="store_true", help="no window: write files")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="DIR")
    parser.add_argument("-m", "--model", metavar="MODEL", help="another model than the bundled one")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th frame only")
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Renders the drive where that was never done, predicts, measures, draws the window."""
    from segstudio.media.demo import ensure_demo
    from segstudio.media.fingerprint import of_file

    report = Report(arguments)
    output: Path = arguments.output
    card = choose_model(arguments.model)
    with report.progress("painting the demo drive", 100) as bar:
        clip = ensure_demo(lambda fraction: bar.show(round(100 * fraction)), lambda: False)
    settings = settings_of(card, arguments)
    _begin_anew(output, {**settings, "sources": {clip.video.stem: of_file(clip.video)}})
    job = Job([clip.video], output, every=arguments.every, overlay_file=output / "overlay.mp4")
    found = predict(job, card, arguments, report)
    matrix = _measure(found["files"], clip.labels, card, report)
    scores = scores_of(matrix.full)
    names = [c.name for c in CAMVID.classes]
    found["miou"] = scores.miou
    found["iou"] = dict(zip(names, scores.iou.tolist(), strict=True))
    picture = output / "window.png"
    # The window knows bundled models by name and any other one by its folder.
    model = card.name if card.bundled else str(card.folder)
    trouble = draw_window(clip.video, model, picture)
    found["window"] = None if trouble else str(picture)
    if trouble:
        report.warn(f"the window could not be drawn: {trouble}")
    save_json(output / "report.json", to_json(found))
    for row in describe(found, output):
        report.say(row)
    report.write(found)
    return 0


def _begin_anew(output: Path, state: Json) -> None:
    """Clears the masks of a finished demo, or of one with another model; else the run goes on.

    A second demo is there to be measured again, and its folder holds nothing of anyone's own.
    """
    finished = output / "report.json"
    old = read_state(output)
    if old is not None and (finished.is_file() or old != state):
        for mask in (output / "masks").rglob("*.png"):
            mask.unlink()
        finished.unlink(missing_ok=True)
        (output / STATE).unlink()


def _measure(files: list[str], labels: Path, card: ModelCard, report: Report) -> ConfusionMatrix:
    """The masks against the labels that the drive was painted from."""
    from segstudio.cli.eval import translation
    from segstudio.store.masks import read_mask

    to_camvid = translation(card.classes, CAMVID)
    matrix = ConfusionMatrix(len(CAMVID))
    with report.progress("measuring", len(files)) as bar:
        for done, file in enumerate(map(Path, files), 1):
            truth = read_mask(labels / file.name)
            matrix.add(truth, to_camvid[read_mask(file)])
            bar.show(done)
    return matrix


def draw_window(clip: Path, model: str, picture: Path, frame: int = 90) -> str:
    """The real window in a child process, Qt offscreen; "" or what went wrong.

    A child, because the terminal side never loads Qt.
    """
    from segstudio.engine.qtlibs import missing_libraries, missing_sentence

    libraries = missing_libraries("offscreen")
    if libraries:
        return missing_sentence("offscreen", libraries)
    words = ["window-picture", str(clip), model, str(frame), str(picture)]
    try:
        child = subprocess.run(
            [sys.executable, "-m", "segstudio", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        )
    except subprocess.TimeoutExpired:
        return "no picture after 300 s"
    if child.returncode or not picture.is_file():
        lines = child.stderr.strip().splitlines()
        return lines[-1] if lines else f"the child ended with code {child.returncode}"
    return ""


def describe(found: Json, output: Path) -> list[str]:
    """Speed, quality and where the files are."""
    from segstudio.cli.predict import summary

    rows = [summary(found, output)]
    rows.append(f"mIoU {100 * found['miou']:.1f} % against the exact labels of the demo drive")
    for name, what in (
        ("overlay.mp4", "the drive with its classes"),
        ("masks", "class ids, one PNG per frame"),
        ("window.png", "the window"),
        ("report.json", "all figures"),
    ):
        if (output / name).exists():
            rows.append(f"  {output / name}  {what}")
    return rows
