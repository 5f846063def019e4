"""Which system libraries Qt misses here, known before Qt is loaded.

Qt itself names the wrong one: whatever xcb library is absent (or when there is no display at
all) it says that xcb-cursor0 is needed and aborts the process. So the dynamic linker is asked:
`ldd` of the platform plugin lists everything that is not found. Imports neither Qt nor torch.
"""

import ctypes
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

PACKAGES = {
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
"""Debian and Ubuntu package of each library that Qt's wheel expects from the system."""

FONT_PACKAGE = "fonts-dejavu-core"
_FONT_ENDINGS = (".ttf", ".otf", ".ttc", ".pfb")


def qt_folder() -> Path | None:
    """Where PySide6 is installed; None when it is not."""
    spec = importlib.util.find_spec("PySide6")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def wanted_platform(environ: Mapping[str, str] = os.environ) -> str:
    """The Qt platform of a window here: "offscreen", "xcb", "wayland", …; "" without a display."""
    named = environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    if named:
        return named
    if sys.platform != "linux":
        return "cocoa" if sys.platform == "darwin" else "windows"
    if environ.get("WAYLAND_DISPLAY"):
        return "wayland"
    return "xcb" if environ.get("DISPLAY") else ""


def missing_libraries(platform: str, folder: Path | None = None) -> tuple[str, ...]:
    """Names like "libxcb-icccm.so.4" that the Qt platform needs and the linker does not find.

    folder: a PySide6 folder other than the installed one. Empty where `ldd` has no say
    (macOS, Windows, a platform whose plugin is not in the wheel).
    """
    qt = folder or qt_folder()
    if sys.platform != "linux" or qt is None:
        return ()
    plugins = (qt / "Qt" / "plugins" / "platforms").glob(f"libq{platform}*.so")
    return not_found([*plugins, *qt.glob("QtWidgets.*so")])


def not_found(files: Iterable[Path]) -> tuple[str, ...]:
    """What `ldd` cannot find for these shared objects, sorted; () when there is no ldd."""
    missing: set[str] = set()
    for file in files:
        try:
            said = subprocess.run(
                ["ldd", str(file)],
                capture_output=True,
                text=True,
                check=False,
                timeout=20,
                env={**os.environ, "LC_ALL": "C"},
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return tuple(sorted(missing))
        missing |= {row.split("=>")[0].strip() for row in said.splitlines() if "not found" in row}
    return tuple(sorted(missing))


def has_font(folders: Iterable[Path] | None = None) -> bool:
    """Whether fontconfig's usual folders hold a font; without one every text is boxes."""
    if sys.platform != "linux":
        return True
    return any(
        name.lower().endswith(_FONT_ENDINGS)
        for folder in (folders if folders is not None else _font_folders())
        for _, _, names in os.walk(folder)
        for name in names
    )


def _font_folders() -> list[Path]:
    home = Path(os.environ.get("HOME", "/"))
    shared = os.environ.get("XDG_DATA_DIRS", "") or "/usr/local/share:/usr/share"
    own = os.environ.get("XDG_DATA_HOME", "") or str(home / ".local" / "share")
    return [home / ".fonts", *(Path(d) / "fonts" for d in [own, *shared.split(":")])]


def packages_for(libraries: Iterable[str], release: str | None = None) -> tuple[str, ...]:
    """Debian or Ubuntu packages that bring these libraries; unknown names are left out.

    release: text of /etc/os-release, read from there when None.
    """
    names = {PACKAGES[name] for name in libraries if name in PACKAGES}
    if "libglib2.0-0" in names and _has_64_bit_time_names(release):
        names = names - {"libglib2.0-0"} | {"libglib2.0-0t64"}
    return tuple(sorted(names))


def _has_64_bit_time_names(release: str | None) -> bool:
    """Debian 13 and Ubuntu 24.04 renamed libglib2.0-0 in their change to 64-bit time."""
    if release is None:
        try:
            release = Path("/etc/os-release").read_text(encoding="utf-8")
        except OSError:
            return False
    fields = dict(row.split("=", 1) for row in release.splitlines() if "=" in row)
    try:
        version = float(fields.get("VERSION_ID", "").strip('"'))
    except ValueError:  # Debian testing carries no number
        return fields.get("ID", "").strip('"') == "debian"
    return version >= (24.04 if fields.get("ID", "").strip('"') == "ubuntu" else 13)


def needed_packages() -> tuple[str, ...]:
    """The packages to install so that windows and offscreen pictures work; () when all is there."""
    platforms = ["offscreen", "xcb"]
    if os.environ.get("WAYLAND_DISPLAY"):
        platforms.append("wayland")
    libraries = {name for platform in platforms for name in missing_libraries(platform)}
    fonts = () if has_font() else (FONT_PACKAGE,)
    return (*packages_for(libraries), *fonts)


def apt_line(packages: Iterable[str]) -> str:
    """The command a person can copy."""
    return f"sudo apt-get install -y {' '.join(packages)}"


def window_problem(environ: Mapping[str, str] = os.environ) -> str:
    """Why no window can open here, in one sentence with its remedy; "" when one can.

    Called before QApplication exists, because Qt would abort the process instead. ~20 ms.
    """
    if qt_folder() is None:
        return "PySide6 is not installed; run script/setup, or: pip install PySide6-Essentials"
    platform = wanted_platform(environ)
    if not platform:
        return (
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set); start SegStudio in"
            " a desktop session, or work without a window: segstudio demo --headless"
        )
    libraries = missing_libraries(platform)
    if libraries:
        return missing_sentence(platform, libraries)
    if platform == "xcb" and not _x_server_answers():
        return (
            f"The X server of DISPLAY={environ.get('DISPLAY', '')} does not answer; check that"
            " it runs and lets you in, or work without a window: segstudio demo --headless"
        )
    return ""


def missing_sentence(platform: str, libraries: tuple[str, ...]) -> str:
    """Names the libraries and, where they are known, the packages that bring them."""
    packages = packages_for(libraries)
    remedy = apt_line(packages) if packages else "install them with the system's package manager"
    plural = "libraries" if len(libraries) > 1 else "library"
    return (
        f"Qt's platform '{platform}' misses the system {plural} {', '.join(libraries)};"
        f" on Debian and Ubuntu: {remedy}"
    )


def _x_server_answers() -> bool:
    """Connects as Qt would; True when that cannot be tried."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    answers = xcb.xcb_connection_has_error(connection) == 0
    xcb.xcb_disconnect(connection)
    return bool(answers)
