"""Can the main job run here? One report for the terminal and for the window's system check.

Everything that may crash or hang (Qt, torch, the video library) is asked in child processes, so
that a broken installation becomes a sentence. Imports neither torch nor Qt itself.
"""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from segstudio import __version__, paths
from segstudio.engine import qtlibs
from segstudio.errors import SegStudioError

Json = dict[str, Any]

_TORCH = """
import json, torch
from segstudio.engine.device import list_devices
print(json.dumps({
    "version": torch.__version__, "cuda_build": torch.version.cuda,
    "threads": torch.get_num_threads(), "cuda": torch.cuda.is_available(),
    "devices": [{"name": d.name, "title": d.title} for d in list_devices()],
}))
"""
_QT = """
import json, sys
from PySide6.QtCore import qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
app = QGuiApplication(sys.argv)
print(json.dumps({"version": qVersion(), "fonts": len(QFontDatabase.families())}))
"""
_MEDIA = """
import json, av, cv2, numpy, numba, PIL
gui = next((r.split(":", 1)[1].strip() for r in cv2.getBuildInformation().splitlines()
            if r.strip().startswith("GUI:")), "")
wanted = ("h264", "hevc", "mpeg4", "mjpeg", "av1", "vp9")
print(json.dumps({
    "version": av.__version__, "ffmpeg": getattr(av, "ffmpeg_version_info", ""),
    "decoders": [n for n in wanted if n in av.codecs_available
                 or n == "av1" and "libdav1d" in av.codecs_available],
    "writes_h264": "libx264" in av.codecs_available,
    "opencv": cv2.__version__, "opencv_gui": gui, "numpy": numpy.__version__,
    "numba": numba.__version__, "pillow": PIL.__version__,
}))
"""
_MUST_DECODE = ("h264", "mpeg4", "mjpeg")


class _Child:
    """A Python child that prints one JSON object; `answer` gives it, or what went wrong."""

    def __init__(self, code: str, **environ: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
        )

    def answer(self, timeout_s: float = 180.0) -> tuple[Json, str]:
        """(the object, "") or ({}, the last line of the trouble)."""
        try:
            said, trouble = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return {}, f"no answer in {timeout_s:.0f} s"
        try:
            return dict(json.loads(said.strip().splitlines()[-1])), ""
        except (ValueError, IndexError):
            lines = [row.strip() for row in trouble.splitlines() if row.strip()]
            code = self._process.returncode
            return {}, lines[-1] if lines else f"the child ended with code {code}"


def examine() -> Json:
    """The report; `ok` says that a video can be segmented here. Takes as long as torch's import.

    Keys: ok, segstudio, python, system, torch, cuda, devices, qt, av, libraries, folders, models,
    problems (each keeps the main job from running) and notes (good to know). Both hold sentences.
    """
    problems: list[str] = []
    notes: list[str] = []
    libraries = qtlibs.missing_libraries("offscreen")
    torch_child, media_child = _Child(_TORCH), _Child(_MEDIA)
    # Qt would abort on a missing library and blame another one, so it is not even started.
    qt_child = None if libraries else _Child(_QT, QT_QPA_PLATFORM="offscreen")
    qt = _qt(qt_child, libraries, problems, notes)
    media = _media(media_child, problems, notes)
    models = _models(problems, notes)
    folders = _folders(problems)
    torch = _torch(torch_child, problems, notes)
    if sys.version_info < (3, 11):  # noqa: UP036  pip can be forced to install on an older one
        problems.append("Python 3.11 or newer is needed; make .venv again with script/setup.")
    return {
        "ok": not problems,
        "segstudio": __version__,
        "python": platform.python_version(),
        "system": f"{platform.platform()}, {os.cpu_count()} CPU threads",
        "torch": torch,
        "cuda": {"available": torch.get("cuda", False), "build": torch.get("cuda_build")},
        "devices": torch.get("devices", []),
        "qt": qt,
        "av": {key: media.get(key) for key in ("version", "ffmpeg", "decoders", "writes_h264")},
        "libraries": {key: media.get(key) for key in ("opencv", "numpy", "numba", "pillow")},
        "folders": folders,
        "models": models,
        "problems": problems,
        "notes": notes,
    }


def _torch(child: _Child, problems: list[str], notes: list[str]) -> Json:
    found, trouble = child.answer()
    if trouble:
        problems.append(f"PyTorch does not start ({trouble}); install it again: script/setup")
        return {"version": None, "error": trouble}
    version = tuple(int(n) for n in found["version"].split("+")[0].split(".")[:2] if n.isdigit())
    if version < (2, 10):
        problems.append(
            f"PyTorch {found['version']} is too old to read weights of others safely"
            " (2.10 is needed); update it: script/setup"
        )
    if not found["cuda"] and sys.platform != "darwin":
        notes.append("No CUDA device: models run on the CPU.")
    return found


def _qt(
    child: _Child | None, libraries: tuple[str, ...], problems: list[str], notes: list[str]
) -> Json:
    wanted = qtlibs.wanted_platform()
    result: Json = {
        "version": _version("PySide6-Essentials"),
        "platform": wanted or None,
        "missing": {
            name: list(qtlibs.missing_libraries(name)) for name in ("offscreen", "xcb", "wayland")
        },
        "fonts": None,
        "window": False,
    }
    if child is None:
        problems.append(qtlibs.missing_sentence("offscreen", libraries))
    else:
        found, trouble = child.answer()
        if trouble:
            problems.append(f"Qt does not start ({trouble}); install it again: script/setup")
        result.update(found)
    if not qtlibs.has_font() or result["fonts"] == 0:
        problems.append(
            "There is no font, so every text in the window would be boxes; on Debian and Ubuntu: "
            + qtlibs.apt_line([qtlibs.FONT_PACKAGE])
        )
    trouble = qtlibs.window_problem()
    if trouble and not libraries:
        (problems if wanted else notes).append(trouble)
    result["window"] = not trouble and not problems
    if not wanted and result["missing"]["xcb"]:
        notes.append(
            "Before a window can open on X11: "
            + qtlibs.missing_sentence("xcb", tuple(result["missing"]["xcb"]))
        )
    return result


def _media(child: _Child, problems: list[str], notes: list[str]) -> Json:
    found, trouble = child.answer()
    if trouble:
        problems.append(f"The video and picture libraries do not start ({trouble}): script/setup")
        return {}
    lacking = [name for name in _MUST_DECODE if name not in found["decoders"]]
    if lacking:
        problems.append(
            f"PyAV {found['version']} was built without {', '.join(lacking)}; install the"
            " package from the registry: script/setup"
        )
    if not found["writes_h264"]:
        notes.append("PyAV has no libx264 here: overlay videos are written as MPEG-4.")
    packages = sorted(
        {
            str(d.metadata["Name"]).lower()
            for d in importlib.metadata.distributions()
            if str(d.metadata["Name"]).lower().startswith("opencv-")
        }
    )
    if len(packages) > 1 or found["opencv_gui"] != "NONE":
        notes.append(
            f"OpenCV with a window system is installed ({', '.join(packages)}); it brings a second"
            " Qt: keep only opencv-python-headless."
        )
    return found


def _models(problems: list[str], notes: list[str]) -> list[Json]:
    from segstudio.store.models import scan_models

    try:
        cards, broken = scan_models()
    except (SegStudioError, OSError) as error:
        problems.append(f"The models cannot be listed: {error}")
        return []
    notes.extend(broken)
    if not cards:
        problems.append(
            f"There is no model, neither in {paths.bundled_models()} nor in {paths.user_models()};"
            " get the checkout again, or train one: segstudio train --help"
        )
    return [
        {
            "name": card.name,
            "title": card.title,
            "net": card.net,
            "bundled": card.bundled,
            "miou": card.scores[0].miou if card.scores else None,
            "folder": str(card.folder),
        }
        for card in cards
    ]


def _folders(problems: list[str]) -> Json:
    places = {
        "resources": paths.resources(),
        "bundled_models": paths.bundled_models(),
        "user_models": paths.user_models(),
        "config": paths.user_config(),
        "cache": paths.user_cache(),
        "log": paths.log_file().parent,
    }
    if not places["resources"].is_dir():
        problems.append(
            f"The shipped files are not in {places['resources']}; install SegStudio again."
        )
    problems.extend(
        f"{place} cannot be written to; free the folder, or name another place in SEGSTUDIO_HOME."
        for place in (places["config"], places["cache"])
        if not _is_writable(place)
    )
    return {name: str(place) for name, place in places.items()}


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
