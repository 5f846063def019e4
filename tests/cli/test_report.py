"""What commands say, and the JSON that scripts read."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from segstudio.cli.report import Report, to_json
from segstudio.errors import SegStudioError


def options(*, quiet: bool = False, json_to: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(quiet=quiet, json=json_to)


def test_json_on_standard_output_moves_the_words_to_standard_error(capsys):
    report = Report(options(json_to="-"))
    report.say("for people")
    report.write({"frames": 3})
    said = capsys.readouterr()
    assert json.loads(said.out) == {"frames": 3}
    assert said.err == "for people\n"


def test_quiet_says_nothing(capsys):
    Report(options(quiet=True)).say("for people")
    assert capsys.readouterr() == ("", "")


def test_a_missing_figure_is_null_and_numpy_numbers_are_numbers():
    text = to_json(
        {"miou": np.float64("nan"), "counts": np.eye(2, dtype=np.int64), "at": Path("a")}
    )
    assert json.loads(text) == {"miou": None, "counts": [[1, 0], [0, 1]], "at": "a"}


def test_the_report_file_is_written_with_its_folder(tmp_path):
    file = tmp_path / "new" / "report.json"
    Report(options(json_to=str(file))).write({"ok": True})
    assert json.loads(file.read_text()) == {"ok": True}


def test_an_impossible_place_for_the_report_is_told(tmp_path):
    (tmp_path / "a file").write_text("")
    with pytest.raises(SegStudioError, match="cannot be written"):
        Report(options(json_to=str(tmp_path / "a file" / "report.json"))).write({})


def test_no_progress_bar_when_output_is_piped(capsys):
    with Report(options()).progress("frames", 10) as bar:
        bar.show(1)
    assert capsys.readouterr().err == ""
