"""The pictures in README.md: the real window, drawn without a display, on the demo drive."""

import argparse
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


if __name__ == "__main__":
    main()
