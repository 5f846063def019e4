"""The system libraries of Qt: the really missing one is named, before Qt is loaded."""

import subprocess
import sys

import pytest

from segstudio.engine import qtlibs

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux linker")

DEBIAN_12 = 'ID=debian\nVERSION_ID="12"\n'
DEBIAN_13 = 'ID=debian\nVERSION_ID="13"\n'
UBUNTU_22 = 'ID=ubuntu\nVERSION_ID="22.04"\n'
UBUNTU_24 = 'ID=ubuntu\nVERSION_ID="24.04"\n'


@pytest.fixture
def broken_qt(tmp_path):
    """PySide6's xcb plugin, asking for a library that no machine has."""
    plugins = tmp_path / "Qt" / "plugins" / "platforms"
    plugins.mkdir(parents=True)
    whole = (qtlibs.qt_folder() / "Qt" / "plugins" / "platforms" / "libqxcb.so").read_bytes()
    assert b"\0libQt6XcbQpa.so.6\0" in whole
    # A name of the same length, so that every offset inside the file stays right.
    broken = whole.replace(b"\0libQt6XcbQpa.so.6\0", b"\0libxcb-nowhe.so.6\0")
    (plugins / "libqxcb.so").write_bytes(broken)
    return tmp_path


@linux_only
def test_the_linker_names_the_library_that_is_not_there(broken_qt):
    assert "libxcb-nowhe.so.6" in qtlibs.missing_libraries("xcb", broken_qt)
    assert qtlibs.missing_libraries("offscreen", broken_qt) == ()


@linux_only
def test_this_machine_can_draw_offscreen():
    assert qtlibs.missing_libraries("offscreen") == ()
    assert qtlibs.has_font()


@pytest.mark.parametrize(
    ("release", "glib"),
    [
        (DEBIAN_12, "libglib2.0-0"),
        (DEBIAN_13, "libglib2.0-0t64"),
        (UBUNTU_22, "libglib2.0-0"),
        (UBUNTU_24, "libglib2.0-0t64"),
    ],
)
def test_packages_carry_the_names_of_this_release(release, glib):
    libraries = ["libxcb-icccm.so.4", "libgthread-2.0.so.0", "libglib-2.0.so.0", "libunknown.so.1"]
    assert qtlibs.packages_for(libraries, release) == (glib, "libxcb-icccm4")


def test_no_display_is_told_before_qt_starts(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert "no display" in qtlibs.window_problem({})


@linux_only
def test_the_sentence_names_library_and_package(monkeypatch):
    monkeypatch.setattr(qtlibs, "missing_libraries", lambda platform: ("libxcb-keysyms.so.1",))
    told = qtlibs.window_problem({"DISPLAY": ":0"})
    assert "libxcb-keysyms.so.1" in told
    assert "apt-get install -y libxcb-keysyms1" in told


@linux_only
def test_a_display_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(qtlibs, "missing_libraries", lambda platform: ())
    monkeypatch.setenv("DISPLAY", ":987")
    assert "does not answer" in qtlibs.window_problem({"DISPLAY": ":987"})


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({"DISPLAY": ":0"}, "xcb"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "wayland"),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}, "offscreen"),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, "wayland"),
        ({}, ""),
    ],
)
def test_the_platform_is_the_one_qt_would_choose(environ, platform, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert qtlibs.wanted_platform(environ) == platform


@linux_only
def test_a_machine_without_fonts_is_noticed(tmp_path):
    assert not qtlibs.has_font([tmp_path])
    (tmp_path / "truetype").mkdir()
    (tmp_path / "truetype" / "Some.ttf").write_bytes(b"")
    assert qtlibs.has_font([tmp_path])


def test_looking_loads_neither_qt_nor_torch():
    code = (
        "import sys\nfrom segstudio.engine import qtlibs\nqtlibs.window_problem()\n"
        "print([m for m in ('torch', 'PySide6') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
