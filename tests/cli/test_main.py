"""Which side a word leads to, and what errors become."""

import subprocess
import sys

import pytest

from segstudio import __main__ as entry
from segstudio.cli import main as cli
from segstudio.errors import Cancelled, MediaError


@pytest.fixture
def opened(monkeypatch):
    """What the window was asked to open, instead of a window."""
    calls = []

    def open_window(paths, *, model=None, demo=False):
        calls.append((list(paths), demo) if model is None else (list(paths), demo, model))
        return 0

    monkeypatch.setattr(entry, "_open_window", open_window)
    return calls


def test_nothing_opens_an_empty_window(opened):
    assert entry.main([]) == 0
    assert opened == [([], False)]


def test_a_file_opens_in_the_window(opened, tmp_path):
    file = tmp_path / "drive.mp4"
    file.write_bytes(b"")
    assert entry.main([str(file)]) == 0
    assert opened == [([str(file)], False)]


def test_demo_opens_the_window_unless_headless(opened):
    assert entry.main(["demo"]) == 0
    assert entry.main(["demo", "-m", "mine"]) == 0
    assert opened == [([], True), ([], True, "mine")]


def test_a_mistyped_command_is_corrected(opened, capsys):
    assert entry.main(["predcit"]) == 2
    assert "did you mean 'predict'?" in capsys.readouterr().err
    assert opened == []


def test_a_command_needs_no_window(opened):
    with pytest.raises(SystemExit) as ended:
        entry.main(["frames", "--help"])
    assert ended.value.code == 0
    assert opened == []


@pytest.mark.parametrize(
    "words",
    [[], *([c] for c in ("frames", "predict", "eval", "models", "synth", "doctor", "demo"))],
)
def test_help_explains_with_an_example(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "segstudio" in said
    assert "example" in said


def test_wrong_use_is_one_line_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["frames", "--index"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("segstudio: error: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MediaError("clip.mp4 is empty; choose another file."), 2, "segstudio: error: clip.mp4 is"),
        (PermissionError(13, "Permission denied", "/x/masks"), 2, "/x/masks: Permission denied"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Cancelled(), 130, "interrupted"),
        (RuntimeError("a bug"), 1, "Traceback"),
    ],
)
def test_errors_become_exit_codes(error, code, words, monkeypatch, capsys):
    def fail(arguments):
        raise error

    monkeypatch.setattr("segstudio.cli.frames.run", fail)
    assert cli.main(["frames", "a.mp4", "--index", "0", "-o", "out"]) == code
    assert words in capsys.readouterr().err


def test_help_comes_without_torch_or_qt():
    code = (
        "import sys\nfrom segstudio.cli.main import build_parser\nbuild_parser().format_help()\n"
        "print([m for m in ('torch', 'PySide6', 'cv2', 'av', 'numba') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
