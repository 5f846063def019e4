"""Input, early, middle and late layer of the bundled model, side by side."""

import os
import sys
from pathlib import Path

from PIL import Image

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


take_layers(Path(os.environ["DEMO_VIDEO"]), Path(sys.argv[1]))
