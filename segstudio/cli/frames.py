"""`segstudio frames`: exact frames of a video as PNG files."""

import argparse
from pathlib import Path

from segstudio.cli.report import Json, Report, Subparsers, add_report_options
from segstudio.errors import UsageError

_EPILOG = """\
Frames are counted in presentation order from 0; the same number is the same picture in the
window, in predictions and in exports.

example:
  segstudio frames drive.mp4 --index 0,17,230-232 -o stills/
"""


def add(subparsers: Subparsers) -> None:
    """The options of `frames`."""
    parser = subparsers.add_parser(
        "frames",
        help="exact frames of a video as PNG",
        description="Write exact frames of a video (or of a folder) as NNNNNN.png.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("video", metavar="VIDEO", type=Path)
    parser.add_argument("--index", required=True, metavar="N[,N…]", help="frames: 0,17,230-232")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Reads each frame and writes it; stops at the first one that is not there."""
    from segstudio.media.open import complete_info, open_source
    from segstudio.store.masks import write_picture

    wanted = parse_indexes(arguments.index)
    report = Report(arguments)
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    source = open_source(arguments.video)
    rows = []
    try:
        with report.progress("frames", len(wanted)) as bar:
            for done, index in enumerate(wanted, 1):
                frame = source.read(index)
                file = output / f"{index:06d}.png"
                write_picture(file, frame.rgb)
                row: Json = {"index": index, "time_us": frame.id.time_us, "file": str(file)}
                if frame.note:  # a stand-in for a damaged frame is never passed off as the frame
                    row["note"] = frame.note
                    report.say(f"frame {index}: {frame.note}")
                rows.append(row)
                bar.show(done)
        total = complete_info(source).frames
    finally:
        source.close()
    report.say(f"{len(rows)} frames of {arguments.video.name} in {output}")
    report.write({"frames": rows, "total": total})
    return 0


def parse_indexes(text: str) -> list[int]:
    """[0, 17, 230, 231, 232] of "0,17,230-232"; UsageError for anything else."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise UsageError(
                f"'{text}' is not a list of frame numbers; write numbers from 0 and ranges,"
                " like 0,17,230-232."
            )
        found += range(int(first), int(last or first) + 1)
    return found
