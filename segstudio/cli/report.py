"""What every command says: lines, a progress bar, and the JSON report that scripts rely on."""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from segstudio.errors import SegStudioError

Json = dict[str, Any]
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add` of a command gets; argparse has no public name for it."""


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """--quiet and --json, as every command has them."""
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write the report as JSON to FILE, or to standard output for -",
    )


class Report:
    """Where a command's words go.

    Lines go to standard output, or to standard error when the JSON report goes there (`--json -`).
    The progress bar is drawn on a terminal only.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._is_quiet = bool(arguments.quiet)
        self._file: str | None = arguments.json

    @property
    def lines(self) -> TextIO:
        """The stream of what people read."""
        return sys.stderr if self._file == "-" else sys.stdout

    def say(self, text: str) -> None:
        """One line for people."""
        if not self._is_quiet:
            print(text, file=self.lines, flush=True)

    def warn(self, text: str) -> None:
        """One line that matters even when quiet, on standard error."""
        print(f"segstudio: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator["Progress"]:
        """A bar that counts to `total` (None: not known yet) while the block runs."""
        bar = Progress(what, total, visible=not self._is_quiet and sys.stderr.isatty())
        try:
            yield bar
        finally:
            bar.clear()

    def write(self, report: Mapping[str, Any] | list[Json]) -> None:
        """The JSON report, when one was asked for."""
        if self._file is None:
            return
        text = to_json(report)
        if self._file == "-":
            print(text)
            return
        save_json(Path(self._file), text)


class Progress:
    """One line on a terminal, drawn at most ten times a second."""

    def __init__(self, what: str, total: int | None, *, visible: bool) -> None:
        self._what = what
        self.total = total
        self._is_visible = visible
        self._start = time.perf_counter()
        self._drawn = 0.0

    def show(self, done: int, note: str = "") -> None:
        """`done` of the total are through."""
        now = time.perf_counter()
        if not self._is_visible or now - self._drawn < 0.1:
            return
        self._drawn = now
        rate = done / max(now - self._start, 1e-9)
        if self.total:
            part = min(done / self.total, 1.0)
            bar = "#" * round(24 * part) + "-" * (24 - round(24 * part))
            left = (self.total - done) / rate if rate > 0 else 0.0
            text = f"{self._what} [{bar}] {done}/{self.total} {rate:.1f}/s {left:.0f} s left"
        else:
            text = f"{self._what} {done} {rate:.1f}/s"
        print(f"\r\x1b[K{text} {note}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Wipe the line."""
        if self._is_visible and self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def to_json(report: Mapping[str, Any] | list[Json]) -> str:
    """Strict JSON: NaN becomes null, NumPy numbers become plain ones, paths text."""
    return json.dumps(_plain(report), indent=1, allow_nan=False, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # a NumPy array or number
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def save_json(file: Path, text: str) -> None:
    """Whole or not at all."""
    from segstudio.store.atomic import atomic_write

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, (text + "\n").encode())
    except OSError as error:
        raise SegStudioError(
            f"The report cannot be written to {file} ({error.strerror}); choose another place."
        ) from error
