"""Pause, go on and stop, asked for by a file in the run folder: `control.json`.

{"want": "pause" | "stop" | "go"}. Whoever watches a run (the window, a script) writes it; the run
looks between two steps and answers with events. Written before the event "started" it is taken for
the leftover of an earlier run and removed.
"""

import json
from pathlib import Path

FILE = "control.json"

POLL_S = 0.2
"""How often a paused run looks whether it may go on."""


class Control:
    """The wish in the file; only one process of a run reads it."""

    def __init__(self, run: Path) -> None:
        self._file = run / FILE
        self._file.unlink(missing_ok=True)
        self._seen: tuple[int, int] | None = None
        self._want = "go"

    def wish(self) -> str:
        """ "go", "pause" or "stop". A file that says nothing readable changes nothing."""
        try:
            about = self._file.stat()
        except OSError:  # none there, the usual case
            self._seen, self._want = None, "go"
            return self._want
        if (about.st_mtime_ns, about.st_ino) != self._seen:
            try:
                want = json.loads(self._file.read_text(encoding="utf-8"))["want"]
            except (OSError, ValueError, KeyError, TypeError):
                return self._want  # half written: looked at again
            self._seen = (about.st_mtime_ns, about.st_ino)
            if want in ("go", "pause", "stop"):
                self._want = want
        return self._want

    def answered(self) -> None:
        """The wish to stop was granted: nothing of it is left for the next run."""
        self._file.unlink(missing_ok=True)
