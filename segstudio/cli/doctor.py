"""`segstudio doctor`: what is here, what is missing, and what to do about it."""

import argparse
from typing import Any

from segstudio.cli.report import Report, Subparsers, add_report_options

_EPILOG = """\
Exit code 0 when the main job, segmenting a video, can run on this machine; otherwise 2, and each
problem is named together with its remedy.

example:
  segstudio doctor
  segstudio doctor --json -
"""


def add(subparsers: Subparsers) -> None:
    """The options of `doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="check this machine: versions, devices, codecs, Qt, folders, models",
        description="Check versions, devices, codecs, Qt's libraries, folders and models.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the report; 0 when the main job can run."""
    from segstudio.engine.doctor import examine

    report = Report(arguments)
    found = examine()
    for row in describe(found):
        report.say(row)
    report.write(found)
    return 0 if found["ok"] else 2


def describe(found: dict[str, Any]) -> list[str]:
    """The report of `engine.doctor.examine` as lines for people."""
    qt, av, torch = found["qt"], found["av"], found["torch"]
    window = "opens windows" if qt["window"] else "no window here"
    codecs = ", ".join(av["decoders"] or ["nothing"])
    rows = [
        ("SegStudio", f"{found['segstudio']} on Python {found['python']}"),
        ("system", found["system"]),
        ("torch", f"{torch.get('version') or 'broken'}, CUDA build {found['cuda']['build']}"),
        *(("device", f"{d['name']}: {d['title']}") for d in found["devices"]),
        ("Qt", f"{qt['version']}, platform {qt['platform'] or 'none'}, {window}"),
        ("video", f"PyAV {av['version']}, FFmpeg {av['ffmpeg']}, reads {codecs}"),
        ("libraries", ", ".join(f"{k} {v}" for k, v in found["libraries"].items())),
        *(("folder", f"{name}: {place}") for name, place in found["folders"].items()),
        *(("model", _model(m)) for m in found["models"]),
    ]
    lines = [f"{name:<10} {text}" for name, text in rows]
    lines += [f"note       {note}" for note in found["notes"]]
    lines += [f"PROBLEM    {problem}" for problem in found["problems"]]
    lines.append("ready: SegStudio can work here." if found["ok"] else "not ready: see PROBLEM.")
    return lines


def _model(model: dict[str, Any]) -> str:
    miou = "" if model["miou"] is None else f", mIoU {model['miou']:.3f}"
    return f"{model['name']} ({model['title']}{miou})"
