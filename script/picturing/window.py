"""The window with a frame of the demo drive."""

import os
import sys
from pathlib import Path

from segstudio.ui.snapshot import save_window_picture

file, theme, width, height, frame = sys.argv[1:]
video = Path(os.environ["DEMO_VIDEO"])
save_window_picture(
    video, Path(file), frame=int(frame), size=(int(width), int(height)), theme=theme
)
