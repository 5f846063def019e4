"""The reliability scorecard, sized for two CPU cores: one row per promise.

    python bench/scorecard.py [--only R5,R18] [--long] [--json FILE]

Each row runs in a process of its own and prints `NAME value limit PASS/FAIL`; a row that this
machine cannot run says so and counts neither way. --json appends one line per row. --long: as
many repetitions as a release needs of R1 to R4, R7, R10, R15 and R16, not what every push can
afford.

R1   SIGKILL at any moment, at any write: nothing acknowledged is lost, the project opens
R2   the power goes at any moment: the same, with what had not been synced lost or torn
R3   every call to the disk fails once: told, kept and tried again, and work goes on
R4   random corrections, undo, redo, reopening against plain NumPy; planted bugs are found
R5   frame exactness: seeks in small videos of many kinds, each frame carries its number
R7   damaged pictures, videos, annotations, archives and models: one sentence each
R8   files made to run a program or to lead out of their folder do neither
R9   the window answers while it plays and predicts: event latency
R10  a stroke at 4K: from the pointer's event to pixels, and to the project's file
R12  a producer ten times faster than the window: memory and age of what is shown
R13  quitting at random moments: exit code 0, in time, nothing left behind
R15  two windows on one project: one writes, nothing is overwritten, locks are freed
R16  what is exported is imported again bit by bit, in every exact format
R17  the figures on the screen: mIoU against plain NumPy, fps against a wall clock
R18  a missing system library of Qt is named exactly, before Qt is started
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LONG = "SEGSTUDIO_LONG"  # as in sizes.py
LONGEST_S = {False: 1200, True: 4 * 3600}
ROWS = (
    "R1", "R2", "R3", "R4", "R5", "R7", "R8", "R9", "R10", "R12", "R13", "R15", "R16", "R17", "R18",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """value, limit: as printed. passed: None when the row could not be run here."""

    name: str
    claim: str
    value: str
    limit: str
    passed: bool | None
    detail: str = ""


def measure(name: str) -> Row:
    """Run one row in this process."""
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from rows import MEASURES

    return Row(name, *MEASURES[name]())


def in_child(name: str, *, is_long: bool) -> Row:
    """Run one row in a process of its own: clean memory, and a crash is a failed row."""
    child = subprocess.run(
        [sys.executable, __file__, "--row", name],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=LONGEST_S[is_long],
        env={**os.environ, **({LONG: "1"} if is_long else {})},
    )
    try:
        return Row(**json.loads(child.stdout.splitlines()[-1]))
    except (ValueError, IndexError, TypeError):
        return Row(name, "", "crashed", "", passed=False, detail=f"exit code {child.returncode}")


def main() -> int:
    """0 when no row failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ROWS), help="rows, like R5,R18")
    parser.add_argument("--long", action="store_true", help="as many as a release needs")
    parser.add_argument("--json", type=Path, help="append one JSON line per row")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        try:
            print(json.dumps(asdict(measure(arguments.row))), flush=True)
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # threads of a half-done measurement must not hold the process
        os._exit(0)
    failed = 0
    machine = (
        f"{platform.machine()}, {os.cpu_count()} CPU threads, Python {platform.python_version()}"
    )
    print(f"{'row':<4} {'claim':<34} {'value':<44} {'limit':<40} result")
    for name in arguments.only.split(","):
        start = time.perf_counter()
        row = in_child(name, is_long=arguments.long)
        seconds = round(time.perf_counter() - start, 1)
        result = {True: "PASS", False: "FAIL", None: "not run"}[row.passed]
        failed += row.passed is False
        print(f"{row.name:<4} {row.claim:<34} {row.value:<44} {row.limit:<40} {result}", flush=True)
        if row.detail:
            print(f"     {row.detail}")
        if arguments.json is not None:
            line = {**asdict(row), "result": result, "seconds": seconds, "machine": machine}
            with arguments.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
