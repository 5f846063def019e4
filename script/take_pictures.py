"""The pictures in README.md: the real window, drawn without a display, on the demo drive."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

SHOTS = {
    "window-dark": {"frame": 136, "theme": "dark", "size": (1600, 950)},
    "window-light": {"frame": 214, "theme": "light", "size": (1280, 760)},
}

ONE_SHOT = """
import sys
from pathlib import Path
from segstudio.ui.snapshot import save_window_picture
save_window_picture(Path(sys.argv[1]), Path(sys.argv[2]), frame=int(sys.argv[3]),
                    size=(int(sys.argv[4]), int(sys.argv[5])), theme=sys.argv[6])
"""

DIALOGS = {"models-dark": {"theme": "dark", "size": (1180, 760), "settle_s": 25}}

ONE_DIALOG = """
import sys
from PySide6.QtCore import QEventLoop, QTimer
from segstudio.core.settings import Settings
from segstudio.ui.app import Program, make_application
from segstudio.ui.dialogs.models import ModelsDialog
app = make_application(["segstudio"])
program = Program(app, settings=Settings(theme=sys.argv[4], play_on_open=False))
dialog = ModelsDialog(program.window, program.window.session)
dialog.resize(int(sys.argv[2]), int(sys.argv[3]))
dialog.show()
loop = QEventLoop()
QTimer.singleShot(int(sys.argv[5]) * 1000, loop.quit)  # until the figures are counted
loop.exec()
dialog.grab().save(sys.argv[1])
dialog.close()
program.window.close()
"""

LABELLING = {
    "labelling-dark": {"theme": "dark", "size": (1600, 950), "layer": "labels"},
    "origin-light": {"theme": "light", "size": (1280, 760), "layer": "origin"},
}

ONE_ROUND = """
import sys
from dataclasses import replace
from pathlib import Path
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from segstudio.core.settings import Settings
from segstudio.ui.app import Program, make_application
app = make_application(["segstudio"])
program = Program(app, settings=Settings(theme=sys.argv[5], play_on_open=False))
window, session = program.window, program.window.session
editor, canvas = session.editor, window.canvas
window.resize(int(sys.argv[3]), int(sys.argv[4]))
window.show()
session.open([Path(sys.argv[1])])
def wait(ready):
    while not ready():
        QTest.qWait(20)
def at(y, x):
    v, u = canvas.transform.to_view(y + 0.5, x + 0.5)
    return QPointF(u, v).toPoint()
def drag(*places):
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, pos=at(*places[0]))
    for place in places[1:]:
        QTest.mouseMove(canvas, at(*place))
    QTest.mouseRelease(canvas, left, pos=at(*places[-1]))
wait(lambda: session.result is not None)
for index in (126, 136, 146):  # a drafted, a confirmed and a corrected frame
    session.player.seek(index)
    wait(lambda: editor.held is not None and editor.held.key.index == index)
    wait(lambda: editor.draft() is not None)
    if index < 146:
        editor.accept_draft() if index == 126 else editor.confirm()
h, w = editor.shape
session.tools.choose("brush")
road, car = 3, 8
for class_id, size, *places in (
    (road, 61, (0.93, 0.30), (0.86, 0.52), (0.94, 0.70)),
    (road, 41, (0.80, 0.42), (0.78, 0.58)),
    (car, 31, (0.62, 0.30), (0.61, 0.36)),
):
    editor.set_options(replace(editor.options, class_id=class_id, size=size))
    drag(*((y * h, x * w) for y, x in places))
session.set_view(replace(session.view, layer=sys.argv[6]))
editor.set_options(replace(editor.options, class_id=road, size=61))
QTest.mouseMove(canvas, at(0.84 * h, 0.62 * w))
wait(lambda: canvas.is_sharp and not editor.projects.project.waiting)
QTest.qWait(1500)
window.grab().save(sys.argv[2])
window.close()
"""

COMPARING = {
    "compare-dark": {"theme": "dark", "size": (1600, 950), "mode": "side"},
    "difference-light": {"theme": "light", "size": (1280, 760), "mode": "difference"},
}

ONE_COMPARISON = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from PySide6.QtTest import QTest
from segstudio.core.origins import PAINTED
from segstudio.core.settings import Settings
from segstudio.store.masks import read_mask
from segstudio.ui.app import Program, make_application
app = make_application(["segstudio"])
program = Program(app, settings=Settings(theme=sys.argv[5], play_on_open=False))
window, session = program.window, program.window.session
editor, comparison, player = session.editor, session.comparison, session.player
window.resize(int(sys.argv[3]), int(sys.argv[4]))
window.show()
video = Path(sys.argv[1])
truth = sorted(Path(sys.argv[7]).iterdir())
session.open([video])
def wait(ready):
    while not ready():
        QTest.qWait(20)
def go(index):
    player.seek(index)
    wait(lambda: editor.held is not None and editor.held.key.index == index)
    wait(lambda: session.result.frame.id.index == index and comparison.labels("B") is not None)
wait(lambda: session.result is not None and session.result.prediction is not None)
comparison.turn_on()
comparison.set_pane("B", strategy=replace(session.models.strategy, input_scale=0.5))
wait(lambda: comparison.labels("B") is not None)
for index in (*range(20, 280, 26), 136):
    go(index)
    labels = read_mask(truth[index])
    labels = np.where(labels < 11, labels, 255).astype(np.uint8)
    editor.replace_labels("Truth", labels, PAINTED, np.ones(labels.shape, bool))
    editor.confirm()
comparison.set_look(replace(comparison.look, mode=sys.argv[6], pair=("A", "B")))
for letter in comparison.letters:
    done = []
    window._grid.figures.measure_alone(letter, lambda: done.append(1))
    wait(lambda: done)
for _ in range(12):
    player.step(1)
    QTest.qWait(1200)
go(136)
wait(lambda: not editor.projects.project.waiting)
QTest.qWait(2500)
window.grab().save(sys.argv[2])
window.close()
"""

INSIDE = {
    "inside-dark": {"theme": "dark", "size": (1600, 950), "look": "layer"},
    "unsure-light": {"theme": "light", "size": (1280, 760), "look": "unsure"},
}

ONE_LOOK = """
import sys
from dataclasses import replace
from pathlib import Path
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest
from segstudio.core.look import LayerLook, UnsureLook
from segstudio.core.settings import Settings
from segstudio.ui.app import Program, make_application
app = make_application(["segstudio"])
program = Program(app, settings=Settings(theme=sys.argv[5], play_on_open=False))
window, session = program.window, program.window.session
inside, player = session.inside, session.player
window.resize(int(sys.argv[3]), int(sys.argv[4]))
window.show()
session.open([Path(sys.argv[1])])
def wait(ready):
    while not ready():
        QTest.qWait(20)
def go(index):
    player.seek(index)
    wait(lambda: session.result is not None and session.result.frame.id.index == index)
    wait(lambda: inside.seen is not None)
wait(lambda: session.result is not None and session.result.prediction is not None)
is_layer = sys.argv[6] == "layer"
inside.set_look(LayerLook("semantic.stage4", "pca") if is_layer else UnsureLook())
inside.turn_on()
wait(lambda: inside.tree is not None)
if is_layer:
    go(136)
    inside.set_look(replace(inside.look, fit=1))
    wait(lambda: inside.seen is not None)
    inside.set_look(replace(inside.look, show="grid", count=12))
else:
    for index in range(2, 290, 6):
        go(index)
    go(136)
wait(lambda: inside.seen is not None)
h, w = session.result.frame.height, session.result.frame.width
inside.pin((round(0.62 * h), round(0.33 * w)))
wait(lambda: window.canvas.is_sharp and inside.votes)
QTest.qWait(2500)
window.grab().save(sys.argv[2])
window.close()
"""

LAYERS = (("detail.stage1", "early"), ("semantic.stage4", "middle"), ("aggregation", "late"))


def take_layers(video: Path, file: Path) -> None:
    """Input, early, middle and late layer side by side, each with what it is below it."""
    import numpy as np
    from PIL import ImageDraw, ImageFont

    from segstudio.core.look import LayerLook
    from segstudio.core.map_style import MapStyle
    from segstudio.engine.inside.files import render
    from segstudio.engine.predictor import Predictor
    from segstudio.media.open import open_source
    from segstudio.store.models import default_model

    source, predictor = open_source(video), Predictor(default_model())
    frame = source.read(136)
    tree = predictor.looking.tree(predictor.input_size(frame.height, frame.width))
    parts = [(frame.rgb, f"Input \u00b7 {frame.width} x {frame.height}", "")]
    for name, place in LAYERS:
        predictor.look_for(LayerLook(name, "pca"))
        seen = predictor.predict(frame).seen
        facts = tree.get(name)
        shape = " x ".join(map(str, facts.calls[-1].shape))
        words = f"{place.capitalize()} \u00b7 {facts.title}"
        parts.append((render(seen.map, MapStyle(opacity=1.0), frame), words, shape))
    width, height, gap, foot = 480, round(480 * frame.height / frame.width), 8, 44
    sheet = Image.new("RGB", (4 * width + 3 * gap, height + foot), (18, 20, 24))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(17)
    for number, (rgb, words, shape) in enumerate(parts):
        left = number * (width + gap)
        small = Image.fromarray(np.ascontiguousarray(rgb)).resize((width, height), Image.LANCZOS)
        sheet.paste(small, (left, 0))
        draw.text((left + 4, height + 12), words, (232, 234, 240), font)
        end = left + width - 4 - draw.textlength(shape, font)
        draw.text((end, height + 12), shape, (150, 156, 168), font)
    sheet.save(file, quality=90)
    predictor.close()
    source.close()


def main() -> None:
    """Each picture in a process of its own, as JPEG: a window full of film grain is no PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    from segstudio.media.demo import ensure_demo

    video = ensure_demo().video
    for name, shot in SHOTS.items():
        with tempfile.TemporaryDirectory() as scratch:
            png = Path(scratch) / "window.png"
            width, height = shot["size"]
            values = (video, png, shot["frame"], width, height, shot["theme"])
            subprocess.run([sys.executable, "-c", ONE_SHOT, *map(str, values)], check=True)
            Image.open(png).convert("RGB").save(folder / f"{name}.jpg", quality=88)
        print(folder / f"{name}.jpg")
    for name, shot in LABELLING.items():
        with tempfile.TemporaryDirectory() as scratch:
            png = Path(scratch) / "window.png"
            width, height = shot["size"]
            values = (video, png, width, height, shot["theme"], shot["layer"])
            places = {"SEGSTUDIO_HOME": scratch, "QT_QPA_PLATFORM": "offscreen"}
            call = [sys.executable, "-c", ONE_ROUND, *map(str, values)]
            subprocess.run(call, check=True, env={**os.environ, **places})
            Image.open(png).convert("RGB").save(folder / f"{name}.jpg", quality=88)
        print(folder / f"{name}.jpg")
    for name, shot in COMPARING.items():
        with tempfile.TemporaryDirectory() as scratch:
            png = Path(scratch) / "window.png"
            width, height = shot["size"]
            values = (video, png, width, height, shot["theme"], shot["mode"], ensure_demo().labels)
            places = {"SEGSTUDIO_HOME": scratch, "QT_QPA_PLATFORM": "offscreen"}
            call = [sys.executable, "-c", ONE_COMPARISON, *map(str, values)]
            subprocess.run(call, check=True, env={**os.environ, **places})
            Image.open(png).convert("RGB").save(folder / f"{name}.jpg", quality=88)
        print(folder / f"{name}.jpg")
    take_layers(video, folder / "layers.jpg")
    print(folder / "layers.jpg")
    for name, shot in INSIDE.items():
        with tempfile.TemporaryDirectory() as scratch:
            png = Path(scratch) / "window.png"
            width, height = shot["size"]
            values = (video, png, width, height, shot["theme"], shot["look"])
            places = {"SEGSTUDIO_HOME": scratch, "QT_QPA_PLATFORM": "offscreen"}
            call = [sys.executable, "-c", ONE_LOOK, *map(str, values)]
            subprocess.run(call, check=True, env={**os.environ, **places})
            Image.open(png).convert("RGB").save(folder / f"{name}.jpg", quality=88)
        print(folder / f"{name}.jpg")
    for name, shot in DIALOGS.items():
        with tempfile.TemporaryDirectory() as scratch:
            png = Path(scratch) / "dialog.png"
            width, height = shot["size"]
            values = (png, width, height, shot["theme"], shot["settle_s"])
            places = {"SEGSTUDIO_HOME": scratch, "QT_QPA_PLATFORM": "offscreen"}
            call = [sys.executable, "-c", ONE_DIALOG, *map(str, values)]
            subprocess.run(call, check=True, env={**os.environ, **places})
            Image.open(png).convert("RGB").save(folder / f"{name}.jpg", quality=92)
        print(folder / f"{name}.jpg")


if __name__ == "__main__":
    main()
