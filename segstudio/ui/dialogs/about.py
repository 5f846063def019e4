"""About SegStudio: version, licence, and the licences of what it stands on."""

from importlib import metadata

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from segstudio import __version__
from segstudio.ui import icons
from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.theme import UNIT

PACKAGES = (
    ("PySide6-Essentials", "LGPL-3.0"),
    ("torch", "BSD-3-Clause"),
    ("torchvision", "BSD-3-Clause"),
    ("numpy", "BSD-3-Clause"),
    ("av", "BSD-3-Clause; FFmpeg LGPL-2.1 or GPL"),
    ("opencv-python-headless", "Apache-2.0"),
    ("pillow", "MIT-CMU"),
    ("numba", "BSD-2-Clause"),
    ("safetensors", "Apache-2.0"),
    ("platformdirs", "MIT"),
    ("pyqtgraph", "MIT"),
)
"""What is used, and under which licence its authors give it."""


class AboutDialog(QDialog):
    """What this is and whose work it builds on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About SegStudio")
        self.resize(500, 540)
        picture = QLabel()
        picture.setPixmap(icons.window_icon().pixmap(QSize(64, 64), self.devicePixelRatioF()))
        name = label("SegStudio", look="hero")
        version = label(f"Version {__version__} · Apache License 2.0", tone="muted")
        text = label("Segment driving video live.", tone="muted")
        box = QVBoxLayout(self)
        box.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        box.setSpacing(UNIT)
        for part in (picture, name, text, version):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            box.addWidget(part)
        box.addSpacing(UNIT)
        box.addWidget(label("Built with", look="section"))
        packages = QPlainTextEdit("\n".join(_line(n, licence) for n, licence in PACKAGES))
        packages.setReadOnly(True)
        box.addWidget(packages, 1)
        note = label(
            "A model has a licence of its own: see its tooltip in the side panel.",
            look="small",
            tone="muted",
        )
        note.setWordWrap(True)
        box.addWidget(note)
        box.addLayout(row(1, button("Close", "primary", self.close)))


def _line(name: str, licence: str) -> str:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        version = "not installed"
    return f"{name} {version} · {licence}"
