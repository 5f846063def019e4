"""`segstudio doctor`: each trouble becomes a sentence with its remedy, never a traceback."""

import json

import pytest

from segstudio.cli.main import main
from segstudio.engine import doctor, qtlibs

GOOD = {
    doctor._TORCH: {
        "version": "2.15.0+cu132",
        "cuda_build": "13.2",
        "threads": 2,
        "cuda": False,
        "devices": [{"name": "cpu", "title": "CPU · 2 threads"}],
    },
    doctor._QT: {"version": "6.11.3", "fonts": 12},
    doctor._MEDIA: {
        "version": "18.1.0",
        "ffmpeg": "8.1",
        "decoders": ["h264", "hevc", "mpeg4", "mjpeg", "av1", "vp9"],
        "writes_h264": True,
        "opencv": "4.14.0",
        "opencv_gui": "NONE",
        "numpy": "2.4.6",
        "numba": "0.68.1",
        "pillow": "13.0.0",
    },
}


@pytest.fixture
def machine(monkeypatch, small_model, own_home):
    """What the children answer, changed by each test; a model is there, and no display."""
    answers = {code: (found, "") for code, found in GOOD.items()}
    started = []

    class Child:
        def __init__(self, code, **environ):
            started.append(code)
            self._code = code

        def answer(self, timeout_s=0):
            return answers[self._code]

    monkeypatch.setattr(doctor, "_Child", Child)
    monkeypatch.setattr(qtlibs, "missing_libraries", lambda platform, folder=None: ())
    monkeypatch.setattr(qtlibs, "has_font", lambda: True)
    monkeypatch.setattr(qtlibs, "window_problem", lambda: "There is no display.")
    monkeypatch.setattr(qtlibs, "wanted_platform", lambda: "")
    (own_home / "data").mkdir()
    (own_home / "data" / "models").symlink_to(small_model.parent)
    answers["started"] = started
    return answers


def report(capsys):
    code = main(["doctor", "--json", "-"])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


def test_a_good_machine_is_ready_even_without_a_display(machine, capsys):
    code, found, said = report(capsys)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    assert set(found) >= {"ok", "python", "torch", "cuda", "qt", "av", "models", "problems"}
    assert "small" in [model["name"] for model in found["models"]]
    assert found["qt"]["window"] is False
    assert "ready: SegStudio can work here." in said


def test_a_torch_that_does_not_start_is_told(machine, capsys):
    machine[doctor._TORCH] = ({}, "ImportError: libcudart.so.13: cannot open shared object file")
    code, found, said = report(capsys)
    assert code == 2
    assert "PyTorch does not start (ImportError: libcudart.so.13" in found["problems"][0]
    assert "Traceback" not in said
    assert "not ready" in said


def test_an_old_torch_is_refused(machine, capsys):
    machine[doctor._TORCH] = ({**GOOD[doctor._TORCH], "version": "2.9.1"}, "")
    assert "too old" in report(capsys)[1]["problems"][0]


def test_qt_is_not_started_while_a_library_is_missing(machine, capsys, monkeypatch):
    monkeypatch.setattr(qtlibs, "missing_libraries", lambda platform, folder=None: ("libEGL.so.1",))
    code, found, _ = report(capsys)
    assert code == 2
    assert doctor._QT not in machine["started"]
    assert "libEGL.so.1" in found["problems"][0]
    assert "apt-get install -y libegl1" in found["problems"][0]


def test_a_display_without_its_libraries_is_a_problem(machine, capsys, monkeypatch):
    told = qtlibs.missing_sentence("xcb", ("libxcb-icccm.so.4",))
    monkeypatch.setattr(qtlibs, "wanted_platform", lambda: "xcb")
    monkeypatch.setattr(qtlibs, "window_problem", lambda: told)
    code, found, _ = report(capsys)
    assert code == 2
    assert found["problems"] == [told]


def test_a_machine_without_fonts_or_codecs_is_not_ready(machine, capsys, monkeypatch):
    monkeypatch.setattr(qtlibs, "has_font", lambda: False)
    machine[doctor._MEDIA] = ({**GOOD[doctor._MEDIA], "decoders": ["mpeg4", "mjpeg"]}, "")
    _, found, _ = report(capsys)
    assert any("fonts-dejavu-core" in p for p in found["problems"])
    assert any("without h264" in p for p in found["problems"])


def test_a_folder_that_cannot_be_written_is_named(machine, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "_is_writable", lambda folder: folder.name != "cache")
    _, found, _ = report(capsys)
    assert any("cache cannot be written to" in p for p in found["problems"])


def test_no_model_at_all_is_a_problem(machine, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("SEGSTUDIO_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr("segstudio.paths.bundled_models", lambda: tmp_path / "none")
    code, found, _ = report(capsys)
    assert code == 2
    assert "There is no model" in found["problems"][0]


def test_a_child_that_dies_or_says_nothing_becomes_a_sentence():
    found, trouble = doctor._Child("import os; os.abort()").answer()
    assert found == {}
    assert trouble
    found, trouble = doctor._Child("raise ImportError('libGL.so.1 is missing')").answer()
    assert trouble == "ImportError: libGL.so.1 is missing"
    assert doctor._Child("print('noise'); print('{\"a\": 1}')").answer() == ({"a": 1}, "")
