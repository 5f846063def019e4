"""Run every benchmark, one after the other, and write docs/benchmarks.md.

    python bench/run.py [--only start,seek] [-o FILE]

Each runs in a process of its own and prints a table; nothing here is typed in by hand. A benchmark
that was not run this time keeps the section it has in the file; those that take hours (LONG) run
only when they are named, and go on where they were interrupted. Leave the machine alone meanwhile:
the load at the start is written down, and figures from a busy machine say little.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE.parent / "docs" / "benchmarks.md"

BENCHES = (
    "start",
    "pipeline_fps",
    "compare_fps",
    "logits_to_labels",
    "nets_fps",
    "inside_views",
    "inside_unsure",
    "display",
    "brush",
    "confusion",
    "seek",
    "memory_long",
    "project",
    "scorecard",
    "scorecard_long",
)

LONG = ("loop_pays",)

HEAD = """# Benchmarks

Measured by `python bench/run.py`; each section is what that script printed.
"""


def machine() -> str:
    """What the figures were measured on, in one line."""
    cpu = platform.processor() or platform.machine()
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        cpu = re.search(r"model name\s*: (.*)", info).group(1)
    except (OSError, AttributeError):
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    parts = [
        datetime.datetime.now(datetime.UTC).date().isoformat(),
        f"{cpu}, {os.cpu_count()} threads{load}",
        f"{platform.system()}, Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("torch", "PySide6-Essentials", "av")),
    ]
    return " · ".join(parts)


def section(name: str) -> str:
    """Run one benchmark; its title, command, machine and what it printed."""
    script = HERE / f"{name}.py"
    title = re.search(r'^"""(.*)', script.read_text(encoding="utf-8")).group(1).strip(' ".')
    where = machine()
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    said = done.stdout.strip()
    if name.startswith("scorecard"):
        said = f"```\n{said}\n```"
    if done.returncode:
        said += f"\n\nEnded with exit code {done.returncode}."
    seconds = time.perf_counter() - start
    return f"## {name}: {title}\n\n`python bench/{name}.py`, {seconds:.0f} s. {where}\n\n{said}\n"


def known_sections(file: Path) -> dict[str, str]:
    """name -> section of the file as it is."""
    if not file.is_file():
        return {}
    parts = re.split(r"(?m)^(?=## )", file.read_text(encoding="utf-8"))[1:]
    return {part[3 : part.index(":")]: part.rstrip() + "\n" for part in parts}


def main() -> int:
    """Writes the file after each benchmark, so that an interrupted run keeps what it has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(BENCHES), help="names, comma between")
    parser.add_argument("-o", "--output", type=Path, default=FILE)
    arguments = parser.parse_args()
    sections = known_sections(arguments.output)
    failed = 0
    for name in arguments.only.split(","):
        if not (HERE / f"{name}.py").is_file():
            print(f"there is no bench/{name}.py")
            continue
        print(f"running {name}", flush=True)
        sections[name] = section(name)
        failed += "Ended with exit code" in sections[name]
        print(sections[name], flush=True)
        ordered = [sections[n] for n in (*BENCHES, *LONG) if n in sections]
        arguments.output.parent.mkdir(exist_ok=True)
        arguments.output.write_text("\n".join([HEAD, *ordered]), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
