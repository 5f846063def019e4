"""The pictures in README.md and docs: the real window, drawn without a display, on the demo drive.

Each is a file in script/picturing/, run in a process and a folder of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent / "picturing"

PICTURES: dict[str, tuple[str, str, tuple[int, int], tuple[str, ...]]] = {
    "window-dark": ("window", "dark", (1600, 950), ("136",)),
    "window-light": ("window", "light", (1280, 760), ("214",)),
    "labelling-dark": ("labelling", "dark", (1600, 950), ("labels",)),
    "origin-light": ("labelling", "light", (1280, 760), ("origin",)),
    "compare-dark": ("comparing", "dark", (1600, 950), ("side",)),
    "difference-light": ("comparing", "light", (1280, 760), ("difference",)),
    "layers": ("layers", "dark", (0, 0), ()),
    "inside-dark": ("inside", "dark", (1600, 950), ("layer",)),
    "unsure-light": ("inside", "light", (1280, 760), ("unsure",)),
    "models-dark": ("models", "dark", (1180, 760), ()),
    "training-dark": ("training", "dark", (1040, 760), ()),
    "export-dark": ("export", "dark", (940, 700), ()),
    "import-light": ("importing", "light", (940, 760), ()),
}
"""Picture: which script, theme, size of the window, and what else it is told."""

QUALITY = 90


def main() -> None:
    """As JPEG: a window full of film grain is no PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    from segstudio.media.demo import ensure_demo

    demo = ensure_demo()  # painted once, not in each of the folders below
    os.environ |= {"DEMO_VIDEO": str(demo.video), "DEMO_LABELS": str(demo.labels)}
    for name in args.only:
        take(name, args.folder / f"{name}.jpg")
        print(args.folder / f"{name}.jpg")


def take(name: str, file: Path) -> None:
    """One picture."""
    script, theme, size, more = PICTURES[name]
    with tempfile.TemporaryDirectory() as scratch:
        png = Path(scratch) / "picture.png"
        places = {"SEGSTUDIO_HOME": scratch, "QT_QPA_PLATFORM": "offscreen"}
        call = [sys.executable, str(HERE / f"{script}.py"), str(png), theme, *map(str, size), *more]
        subprocess.run(call, check=True, env={**os.environ, **places})
        Image.open(png).convert("RGB").save(file, quality=QUALITY)


if __name__ == "__main__":
    main()
